#!/bin/bash
# deb_smoke.sh PACKAGE.deb - installs the package in a fresh Debian 12 (mmdebstrap; root),
# runs a small experiment there as a plain user, shows it, and removes the package.
set -eu
package=$(realpath "$1")
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

mmdebstrap --quiet --variant=apt --architectures="$(dpkg --print-architecture)" bookworm "$room/root"
cp "$package" "$room/root/hrmlab.deb"
inside() { chroot "$room/root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/home/user "$@"; }
as_user() { inside setpriv --reuid=1000 --regid=1000 --clear-groups "$@"; }

inside apt-get update -qq
inside apt-get install -qq -y --no-install-recommends /hrmlab.deb >"$room/log" 2>&1 || { cat "$room/log"; exit 1; }
inside useradd --create-home --uid 1000 user
mount -t proc proc "$room/root/proc" 2>/dev/null && trap 'umount "$room/root/proc"; rm -rf "$room"' EXIT
as_user hrmlab run sudoku_4x4 -w /home/user/w --set train.max_steps=20 --set seeds=1 --jobs 1
as_user hrmlab results -w /home/user/w
inside apt-get purge -qq -y hrmlab >"$room/log" 2>&1 || { cat "$room/log"; exit 1; }
left=$(find "$room/root/usr" "$room/root/etc" -name '*hrmlab*')
[ -z "$left" ] || { echo "deb_smoke: purge left $left"; exit 1; }
echo "deb_smoke: installed, run, purged"
