#!/bin/bash
# check_circles.sh BUILD FOLDER... - no file uses another that, directly or not, uses the first.
#
# A file is a stem: name.c with name.h. It uses another when it includes its header, or when its
# object in BUILD needs a function or variable that the other's object defines, in whatever header
# that is declared. A circle is printed, one name a line.
set -u
build=$1
shift

# USER>USED: uses that are allowed although they close a circle.
allowed=(
)

includes() { # FILE...: "stem used" for each header of ours
    awk -v OFS=' ' '
        FNR == 1 { stem = FILENAME; sub(/.*\//, "", stem); sub(/\.[ch]$/, "", stem) }
        match($0, /^#include "[^"]*\.h"/) {
            used = $2; gsub(/"/, "", used); sub(/.*\//, "", used); sub(/\.h$/, "", used)
            if (used != stem) print stem, used
        }' "$@"
}

symbols() { # OBJECT...: "stem used" for each symbol that another object defines
    nm -A -g "$@" | awk '
        { at = $1; sub(/:.*/, "", at); sub(/.*\//, "", at); sub(/\.o$/, "", at) }
        $(NF - 1) == "U" { need[at " " $NF] = 1 }
        $(NF - 1) ~ /^[TDBRVW]$/ { home[$NF] = at }
        END {
            for (pair in need) {
                split(pair, part, " ")
                if (part[2] in home && home[part[2]] != part[1]) print part[1], home[part[2]]
            }
        }'
}

files=() objects=()
for folder; do
    for file in "$folder"/*.[ch]; do
        [ -f "$file" ] || continue
        files+=("$file")
        case $file in *.c) objects+=("$build/${file%.c}.o") ;; esac
    done
done
edges=$( { includes "${files[@]}"; symbols "${objects[@]}"; } | sort -u)
for edge in "${allowed[@]}"; do
    grep -qx "${edge/>/ }" <<<"$edges" || echo "check_circles.sh allows $edge, which no file needs"
    edges=$(grep -vx "${edge/>/ }" <<<"$edges")
done
tsort <<<"$edges" 2>&1 >/dev/null | sed 's/^tsort: -: input contains a loop:/a circle:/; s/^tsort: /  /'
