# shellcheck shell=bash
# System packages: only what is missing, by apt. A PostgreSQL that is already here is never configured, started or stopped.

majors="17 16 15"

install_system_packages() {
    local wanted=() extras=()
    [ -n "${ONEMAP_DATABASE_URL:-}" ] && [ "$purpose" = run ] || find_postgis || wanted+=(postgis)
    usable_environment || find_python || wanted+=(python)
    if [ "$purpose" = test ]; then
        command -v ogrinfo >/dev/null || extras+=(gdal-bin)
        found_browser >/dev/null || ! is_debian || extras+=(chromium)
        compgen -G '/usr/lib/*/libatomic.so.1' >/dev/null || extras+=(libatomic1) # Playwright's driver is linked to it
        has_chinese_font || extras+=(fonts-noto-cjk)
    fi
    [ $((${#wanted[@]} + ${#extras[@]})) -eq 0 ] && return
    if ! may_install "${wanted[*]} ${extras[*]}"; then
        [ ${#wanted[@]} -eq 0 ] || die "This machine lacks ${wanted[*]} and $obstacle: PostgreSQL 15, 16 or 17 with PostGIS and Python 3.12 or newer are needed."
        say "this machine lacks ${extras[*]} and $obstacle: tests that need them will be skipped"
        return
    fi
    wanted+=("${extras[@]}")

    say "fetching the package lists"
    apt_get update >>"$log" 2>&1 || say "the package lists could not be renewed; trying with the old ones"
    local packages=() each
    for each in "${wanted[@]}"; do
        case $each in
            postgis) choose_postgis ;;
            python) choose_python ;;
            *) packages+=("$each") ;;
        esac
    done
    [ ${#packages[@]} -eq 0 ] && return
    say "installing ${packages[*]}"
    if [[ " ${packages[*]} " == *" postgresql-"* ]]; then keep_cluster_away; fi
    install_packages "${packages[@]}"
}

install_packages() {
    quietly "The system packages $* could not be installed: is the network reachable?" apt_get install -y --no-install-recommends "$@"
}

# PostgreSQL with PostGIS of a major version that the embedded cluster can use.
find_postgis() {
    local major
    for major in $majors; do
        [ -x "/usr/lib/postgresql/$major/bin/postgres" ] && [ -e "/usr/share/postgresql/$major/extension/postgis.control" ] && return
    done
    local postgres
    postgres=$(command -v postgres) || return 1
    [[ " $majors " == *" $("$postgres" --version | grep -oE '[0-9]+' | head -n 1) "* ]] && [ -e "$("${postgres%/*}/pg_config" --sharedir 2>/dev/null)/extension/postgis.control" ]
}

choose_postgis() {
    local major
    for major in $majors; do # a server that is here already needs only PostGIS
        if [ -x "/usr/lib/postgresql/$major/bin/postgres" ] && offered "postgresql-$major-postgis-3"; then
            packages+=("postgresql-$major-postgis-3")
            return
        fi
    done
    for major in $majors; do
        if offered "postgresql-$major" && offered "postgresql-$major-postgis-3"; then
            packages+=("postgresql-$major" "postgresql-$major-postgis-3")
            return
        fi
    done
    die "No PostgreSQL 15, 16 or 17 with PostGIS is to be had from this machine's package sources: is the network reachable?"
}

# Debian's package makes and starts a cluster of its own when it is first installed; we want its programs only.
keep_cluster_away() {
    [ -d /etc/postgresql-common ] && return
    install_packages postgresql-common
    quietly "postgresql-common could not be told to make no cluster." \
        as_root sed -ri 's/^#?\s*create_main_cluster\s*=.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
}

has_chinese_font() {
    compgen -G '/usr/share/fonts/*/noto/NotoSansCJK*' >/dev/null || compgen -G '/usr/share/fonts/*/wqy/*' >/dev/null ||
        { command -v fc-list >/dev/null && [ -n "$(fc-list :lang=zh)" ]; }
}

is_debian() { grep -qE '^ID=debian' /etc/os-release 2>/dev/null; }
offered() { [[ "$(apt-cache policy "$1" 2>/dev/null)" == *"Candidate: "[0-9]* ]]; }

# Whether system packages can be installed; else $obstacle says what stands in the way.
may_install() {
    if ! command -v apt-get >/dev/null; then
        obstacle="has no apt-get"
    elif [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        obstacle="only root can install it"
    elif [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
        say "this machine lacks $1: sudo may ask for your password"
        sudo -v 2>/dev/null && return
        obstacle="sudo does not let you install it"
    else
        return 0
    fi
    return 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo env "${passed_on[@]}" "$@"; fi
}

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }

# sudo forgets how to reach the network.
passed_on=(LC_ALL=C.UTF-8)
for variable in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    if [ -n "${!variable:-}" ]; then passed_on+=("$variable=${!variable}"); fi
done
