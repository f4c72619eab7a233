#!/usr/bin/env bash
# The benchmarks' environment in .venv-bench: ours, and the peers of requirements-bench.in as requirements-bench.txt locks
# them; where that cannot be had whole, as many of them as can.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
"$here/setup.sh" run
purpose=bench
for part in say python; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

# pgRouting is a Debian package: installed where we may; where not, the benchmark says what is missing.
for folder in /usr/lib/postgresql/*/; do
    major=$(basename "$folder")
    if [ "$(id -u)" = 0 ] && [ -d "/usr/share/postgresql/$major/extension" ] &&
        [ ! -e "/usr/share/postgresql/$major/extension/pgrouting.control" ]; then
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "postgresql-$major-pgrouting" \
            >>"$log" 2>&1 || say "pgRouting cannot be had here: postgresql-$major-pgrouting"
    fi
done

# shellcheck disable=SC2086
wanted=$({ pwd; cat $locks requirements-bench.in requirements-bench.txt; } | digest)
if fresh .venv-bench/.made-from "$wanted"; then exit; fi
say "making .venv-bench: our packages and the peers"
same_registry
uv_for() { UV_PYTHON_DOWNLOADS=never .venv/bin/uv "$@"; }
rm -rf .venv-bench
quietly "Python's venv module cannot make .venv-bench." .venv/bin/python -m venv --without-pip .venv-bench
quietly "The locked packages could not be installed: is the package registry reachable?" \
    uv_for pip install --python .venv-bench/bin/python --no-progress -r requirements-dev.txt -r server/bootstrap/requirements.txt
quietly "onemap itself could not be installed." \
    uv_for pip install --python .venv-bench/bin/python --no-progress --no-deps --no-build-isolation -e .
if ! uv_for pip install --python .venv-bench/bin/python --no-progress --no-build --require-hashes \
    -r requirements-bench.txt >>"$log" 2>&1; then
    say "the locked peers cannot be had here as a whole: taking those that can"
    while read -r peer; do
        case $peer in '' | '#'*) continue ;; esac
        uv_for pip install --python .venv-bench/bin/python --no-progress --no-build "$peer" >>"$log" 2>&1 ||
            say "the peer $peer cannot be had here and is left out"
    done <requirements-bench.in
fi
printf '%s' "$wanted" >.venv-bench/.made-from
