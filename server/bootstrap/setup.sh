#!/usr/bin/env bash
# Makes this machine and this clone ready: system packages, Python, the locked environment, the dashboard build.
# What is up to date is left alone, so that it costs nothing to call before everything.
#
#   server/bootstrap/setup.sh run     what a server needs
#   server/bootstrap/setup.sh test    and what the tests need: a browser, ogrinfo, Chinese letters
set -euo pipefail

purpose=${1:-test}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
export LC_ALL=C.UTF-8

for part in say system python dashboard browser; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

case $purpose in run | test) ;; *) die "setup.sh takes 'run' or 'test', not '$purpose'." ;; esac
exec 9>.setup.lock || die "This folder cannot be written to: clone the project where you may write."
flock -w 1800 9 || die "Another setup has been running in this folder for half an hour."

install_system_packages
make_environment
build_dashboard
[ "$purpose" = run ] || find_browser
