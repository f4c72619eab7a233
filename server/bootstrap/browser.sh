# shellcheck shell=bash
# A Chromium for the browser tests. Ubuntu has none as a package (a snap only): there Playwright fetches its own.

find_browser() {
    if found_browser >/dev/null || [ -e .venv/.no-browser ]; then return; fi
    say "fetching a browser for the tests"
    if .venv/bin/playwright install chromium >>"$log" 2>&1 && as_root_quietly .venv/bin/playwright install-deps chromium; then return; fi
    touch .venv/.no-browser # asked once for each environment
    say "no Chromium could be had, so the browser tests will be skipped: install chromium or google-chrome."
}

found_browser() {
    local name
    for name in chromium google-chrome google-chrome-stable; do
        command -v "$name" && return
    done
    compgen -G "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}/chromium*/chrome-linux*/chrome"
}

as_root_quietly() {
    if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then as_root "$@" >>"$log" 2>&1; else return 1; fi
}
