# shellcheck shell=bash
# The environment in .venv: Python 3.12 or newer, and exactly the packages of requirements-dev.txt.

locks="requirements-dev.txt server/bootstrap/requirements.txt pyproject.toml"
check_python='import sys, ctypes, ensurepip, sqlite3, ssl, venv
if not (3, 12) <= sys.version_info[:2] < (3, 15) or sys.implementation.name != "cpython": raise SystemExit(1)
print(getattr(sys, "_base_executable", sys.executable))'

# Settings of the machine that would bend the installation; where packages come from (mirror, proxy, certificates) stays.
unset PYTHONHOME PYTHONPATH PYTHONSTARTUP VIRTUAL_ENV CONDA_PREFIX
unset PIP_CONSTRAINT PIP_BUILD_CONSTRAINT PIP_FIND_LINKS PIP_NO_BINARY PIP_NO_DEPS PIP_NO_INDEX PIP_ONLY_BINARY PIP_PREFIX \
    PIP_PYTHON PIP_REQUIRE_VIRTUALENV PIP_REQUIREMENT PIP_ROOT PIP_TARGET PIP_USER PIP_DRY_RUN
unset UV_BREAK_SYSTEM_PACKAGES UV_BUILD_CONSTRAINT UV_CONSTRAINT UV_EXCLUDE UV_EXCLUDE_NEWER UV_FIND_LINKS UV_NO_BINARY UV_NO_BUILD \
    UV_NO_BUILD_ISOLATION UV_NO_INDEX UV_NO_VERIFY_HASHES UV_OVERRIDE UV_PREFIX UV_PRERELEASE UV_PROJECT_ENVIRONMENT \
    UV_PYTHON UV_REQUIRE_HASHES UV_RESOLUTION UV_SYSTEM_PYTHON UV_TARGET UV_WORKING_DIRECTORY UV_WORKING_DIR UV_PROJECT
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

make_environment() {
    local wanted
    # shellcheck disable=SC2086
    wanted=$({ pwd; cat $locks; } | digest)
    if usable_environment && fresh .venv/.made-from "$wanted"; then return; fi

    if ! usable_environment; then
        find_python || fetch_python
        say "making .venv with $python"
        rm -rf .venv
        quietly "Python's venv module cannot make .venv." "$python" -m venv .venv
    fi
    rm -f .venv/.made-from
    say "installing the locked packages"
    quietly "The installer could not be fetched: is the package registry reachable?" \
        .venv/bin/python -m pip install -q --require-hashes -r server/bootstrap/requirements.txt
    same_registry
    quietly "The locked packages could not be installed: is the package registry reachable?" \
        uv pip sync --require-hashes requirements-dev.txt server/bootstrap/requirements.txt
    quietly "onemap itself could not be installed." uv pip install --no-deps --no-build-isolation -e .
    printf '%s' "$wanted" >.venv/.made-from
}

uv() {
    UV_PYTHON_DOWNLOADS=never .venv/bin/uv "$1" "$2" --python .venv/bin/python --no-progress "${@:3}"
}

# uv does not read pip's settings: tell it the registry and certificates that pip uses.
same_registry() {
    local index
    if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
        index=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || printf '%s' "${PIP_INDEX_URL:-}")
        index=${PIP_INDEX_URL:-$index}
        if [ -n "$index" ]; then export UV_DEFAULT_INDEX="$index"; fi
    fi
    if [ -z "${SSL_CERT_FILE:-}" ] && [ -f "${PIP_CERT:-}" ]; then export SSL_CERT_FILE="$PIP_CERT"; fi
    export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-true} UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-180}
}

usable_environment() {
    [ -x .venv/bin/python ] && [ -x .venv/bin/pip ] && .venv/bin/python -c "$check_python" >/dev/null 2>&1
}

# Sets $python to the best interpreter on PATH or in pyenv.
find_python() {
    local candidate root=${PYENV_ROOT:-$HOME/.pyenv}
    for candidate in python3.13 "$root"/versions/3.13*/bin/python python3.12 "$root"/versions/3.12*/bin/python \
        python3.14 python3 "$PWD"/.venv-python/*/bin/python3; do
        candidate=$(command -v "$candidate") || continue
        python=$("$candidate" -c "$check_python" 2>/dev/null) && return
    done
    return 1
}

# The system's own Python where it is new enough, else any that can carry uv, which fetches a newer one.
choose_python() {
    packages+=(python3 python3-venv)
}

fetch_python() {
    say "no Python 3.12 or newer here: fetching one with uv"
    command -v python3 >/dev/null || die "No Python is installed and none could be: install Python 3.12 or newer with its venv module."
    local carrier=.venv-carrier
    rm -rf "$carrier"
    quietly "Python $(python3 -c 'import platform; print(platform.python_version())') is too old and its venv module cannot carry uv: install Python 3.12 or newer." \
        python3 -m venv "$carrier"
    quietly "uv, which would fetch Python 3.13, could not be installed: is the package registry reachable?" \
        "$carrier/bin/python" -m pip install -q --require-hashes -r server/bootstrap/requirements.txt
    UV_SYSTEM_CERTS=true quietly "Python 3.12 or newer is needed, this machine has none, and uv could not fetch one: install python3.13, or pyenv with 3.13." \
        "$carrier/bin/uv" python install --no-progress --no-bin --install-dir .venv-python 3.13
    rm -rf "$carrier"
    find_python || die "The Python that uv fetched does not run here: install Python 3.12 or newer."
}
