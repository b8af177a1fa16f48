#!/bin/bash
# check_circles.sh BUILD FOLDER... - no two files use each other, directly or through others.
#
# A source uses another when its object in BUILD needs a function or variable that the other's
# object defines, in whatever header that is declared. A header uses another when it includes
# it. Each circle is printed as a line "a circle:" and the names in it.
set -u
build=$1
shift

# "USER USED": uses that are allowed although they close a circle.
allowed=()

includes() { # HEADER...: "user used" for each header that one of them includes
    awk 'FNR == 1 { user = FILENAME; sub(/.*\//, "", user) }
        /^#include "/ {
            used = $2; gsub(/"/, "", used); sub(/.*\//, "", used)
            print user, used
        }' "$@"
}

symbols() { # OBJECT...: "user used" for each symbol that another object defines
    nm -A -g "$@" | awk '
        { at = $1; sub(/:.*/, "", at); sub(/.*\//, "", at); sub(/\.o$/, ".c", at) }
        $(NF - 1) == "U" { need[at " " $NF] = 1 }
        $(NF - 1) ~ /^[TDBRVW]$/ { home[$NF] = at }
        END {
            for (pair in need) {
                split(pair, part, " ")
                if (part[2] in home && home[part[2]] != part[1]) print part[1], home[part[2]]
            }
        }'
}

headers=() objects=()
for folder; do
    for file in "$folder"/*.h; do [ -f "$file" ] && headers+=("$file"); done
    for file in "$folder"/*.c; do [ -f "$file" ] && objects+=("$build/${file%.c}.o"); done
done
uses=$( { includes "${headers[@]}"; symbols "${objects[@]}"; } | sort -u)
for use in "${allowed[@]}"; do
    grep -qx "$use" <<<"$uses" || echo "allowed and not needed: $use"
    uses=$(grep -vx "$use" <<<"$uses")
done
tsort <<<"$uses" 2>&1 >/dev/null |
    sed 's/^tsort: -: input contains a loop:/a circle:/; s/^tsort: /  /'
