#!/bin/bash
# deb.sh BUILD VERSION - makes BUILD/hrmlab_VERSION_ARCHITECTURE.deb of what `make install`
# writes below /usr. The libraries it depends on are those of the programs' ELF headers.
set -eu
build=$1 version=$2
architecture=$(dpkg --print-architecture)
root=$build/deb/root package=$build/hrmlab_${version}_$architecture.deb

rm -rf "$build/deb"
mkdir -p "$root/DEBIAN" "$build/deb/debian"
make --no-print-directory install DESTDIR="$PWD/$root" PREFIX=/usr >/dev/null
strip --strip-unneeded "$root"/usr/bin/*
gzip -9n "$root"/usr/share/man/man1/*.1
gzip -9n "$root/usr/share/doc/hrmlab/CHANGES.md"

# dpkg-shlibdeps wants a source package's control file beside it.
printf 'Source: hrmlab\n\nPackage: hrmlab\nArchitecture: any\n' >"$build/deb/debian/control"
# Symbols tell nothing of STRICT tables, which SQLite has from 3.37 on (results/store.c).
libraries=$(cd "$build/deb" && dpkg-shlibdeps -O root/usr/bin/* |
    sed -n 's/^shlibs:Depends=//p' | sed 's/libsqlite3-0 ([^)]*)/libsqlite3-0 (>= 3.37)/')
cat >"$root/DEBIAN/control" <<CONTROL
Package: hrmlab
Version: $version
Architecture: $architecture
Maintainer: hrmlab developers <hrmlab@localhost>
Section: science
Priority: optional
Depends: $libraries
Recommends: librsvg2-bin
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Description: ablation experiments on recursive reasoning models
 Queues, runs and compares ablation experiments on the Hierarchical Reasoning Model,
 the Tiny Recursive Model and plain transformers on ARC-AGI, Sudoku and mazes. Trains on
 CPUs, survives crashes, and records pass@2 and per-token accuracy in SQLite.
CONTROL
find "$root" -type d -exec chmod 755 {} +
dpkg-deb --root-owner-group --build "$root" "$package"
