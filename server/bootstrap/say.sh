# shellcheck shell=bash
# How setup talks: one line per step that does something, one sentence when it cannot go on, everything else in a log.

log=.setup.log

say() { printf 'setup: %s\n' "$*" >&2; }

die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

# Run a command into the log. The first argument is the sentence said when it fails.
quietly() {
    local sentence=$1
    shift
    printf '\n$ %s\n' "$*" >>"$log"
    "$@" >>"$log" 2>&1 9>&- && return
    tail -n 12 "$log" >&2
    die "$sentence The whole story is in $log."
}

# A stamp holds the digest of what a step was made from.
fresh() { [ -f "$1" ] && [ "$(<"$1")" = "$2" ]; }
digest() { sha256sum | cut -c1-64; }
