#!/bin/sh
# setup.sh PACKAGE... - installs the Debian packages that are missing; nothing when none is.
set -eu
missing=""
for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "installing:$missing" >&2
sudo=""
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "setup: as root, run: apt-get install -y --no-install-recommends$missing" >&2
        exit 3
    }
    sudo="sudo"
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q >&2
# shellcheck disable=SC2086 # a list of words on purpose
$sudo apt-get install -y -q --no-install-recommends $missing >&2
