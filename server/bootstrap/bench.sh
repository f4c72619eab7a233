#!/usr/bin/env bash
# The benchmarks' environment in .venv-bench: ours, and the peers of requirements-bench.txt as far as they can be had here.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
"$here/setup.sh" run
purpose=bench
for part in say python; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

# shellcheck disable=SC2086
wanted=$({ pwd; cat $locks requirements-bench.txt; } | digest)
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
while read -r peer; do
    case $peer in '' | '#'*) continue ;; esac
    uv_for pip install --python .venv-bench/bin/python --no-progress --no-build "$peer" >>"$log" 2>&1 ||
        say "the peer $peer cannot be had here and is left out"
done <requirements-bench.txt
printf '%s' "$wanted" >.venv-bench/.made-from
