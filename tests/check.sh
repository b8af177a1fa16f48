#!/bin/bash
# check.sh CPPFLAGS WARNINGS FOLDERS - static checks: layers, circles, special cases, headers,
# warnings, linters, layout.
set -u
read -r -a cppflags <<<"$1"
read -r -a warnings <<<"$2"
read -r -a folders <<<"$3" # of the sources, subfolders included
sources=() headers=()
for folder in "${folders[@]}"; do
    for file in "$folder"/*.c; do [ -f "$file" ] && sources+=("$file"); done
    for file in "$folder"/*.h; do [ -f "$file" ] && headers+=("$file"); done
done
includes=("${folders[@]/#/-I}")
# Paths, or their beginnings, that may name a system, a kind of data, an executor. Besides the
# tables: the parameters of HRM that another system may match, the default of arch.name,
# settings of built-in boards, published values, a message that lists data.path.
systems=(common/settings_table.c common/settings_together.c common/system_facts model/systems.c)
sudoku=(common/settings results/present/published.c runner/plan/data_places.c worker/data/kind
    worker/data/sudoku)
maze=(common/settings results/present/published.c runner/plan/data_places.c worker/data/kind
    worker/data/maze)
local=(runner/executor/)
# besides: its settings, the member of a spec that they stand in, and the variables by which a
# process learns its rank
slurm=(common/settings runner/executor/ runner/plan/spec worker/rank_process.c)
failed=0
fault() { failed=1; printf 'check: %s\n' "$*"; }

# Layers: a file may include system headers and headers of the folders named for its own,
# FOLDER/. without those below it.
declare -A may=(
    [common]="common"
    [model]="common model"
    [model/kernels]="common model/kernels model/kernels.h"
    [worker/data]="common worker/data worker/provenance.h worker/work.h"
    [worker]="common model worker"
    [results]="common results"
    [results/present]="common results"
    [runner]="common results runner"
    [runner/plan]="common results runner/. runner/plan"
    [runner/executor]="common runner/executor"
    [runner/loop]="common results runner/. runner/loop runner/executor"
    [runner/command]="common results runner"
    [serve]="common results runner/. runner/loop serve"
)
declare -A home
for file in "${headers[@]}"; do home[${file##*/}]=$file; done
may_include() { # FOLDER HEADER
    local allowed
    for allowed in ${may[$1]}; do
        [[ $2 == "$allowed" || $2 == "$allowed"/* || ${2%/*}/. == "$allowed" ]] && return
    done
    return 1
}
for file in "${sources[@]}" "${headers[@]}"; do
    while read -r header; do
        to=${home[${header##*/}]:-}
        [ -n "$to" ] || continue
        may_include "${file%/*}" "$to" || fault "$file includes $to"
    done < <(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file")
done
only() { # only PATTERN WHERE...: the pattern stands in no other file, and in each of these
    local pattern=$1 hits place
    shift
    hits=$(grep -lE "$pattern" "${sources[@]}" "${headers[@]}")
    for place; do
        grep -q "^$place" <<<"$hits" || fault "/$pattern/ is allowed in $place and not there"
        hits=$(grep -v "^$place" <<<"$hits")
    done
    [ -z "$hits" ] || fault "/$pattern/ belongs in $* only, found in: ${hits//$'\n'/ }"
}
only '\bcblas_|openblas_' model/gemm
only '^#include <mpi|\bMPI_[A-Z][a-z]' worker/mpi_exchange.c
only '\bsqlite3(_|\b)' results/
only '\buv_[a-z]' runner/ serve/server.c
only '\bMHD_' serve/server.c
only '^#include <zlib' worker/data/gzip_file.c
# Seams: a system, a kind of data and an executor are named in their own files and tables only.
only '\bSYSTEM_(HRM|TRANSFORMER|TRM)\b|"(hrm|transformer|trm)"' "${systems[@]}"
only '[sS]udoku|SUDOKU' "${sudoku[@]}"
only '[mM]aze|MAZE' "${maze[@]}"
only "executor_local|[\"']local[\"']" "${local[@]}"
only "executor_slurm|[\"']slurm[\"']|SLURM_" "${slurm[@]}"
for duplicate in $(printf '%s\n' "${sources[@]##*/}" "${headers[@]##*/}" | sort | uniq -d); do
    fault "two files are named $duplicate"
done
circles=$(tests/check_circles.sh build/release "${folders[@]}")
[ -z "$circles" ] || fault "files use each other in circles:"$'\n'"$circles"
moved=$(tests/mutations.sh --check) || fault "tests/mutations.sh changes what is not there:"$'\n'"$moved"
# Linked libraries.
linked() { ldd "build/$1" | grep -qE "$2" && fault "$1 links $2"; true; }
linked hrmlab 'openblas|cblas'
linked hrmlab-worker 'sqlite3|libuv|microhttpd'
linked hrmlab 'microhttpd'
linked hrmlab-serve 'openblas|cblas'
# Headers compile alone, those of kernels for every instruction set.
alone() { # HEADER FLAG...
    gcc -std=c11 "${cppflags[@]}" -Ibuild/release -fsyntax-only "${@:2}" -x c "$1" 2>/dev/null ||
        fault "$1 does not compile alone (${*:2})"
}
for header in "${headers[@]}"; do
    case $header in
    model/kernels/*)
        for set in "" -march=x86-64-v3 -march=x86-64-v4 "-march=x86-64-v4 -mavx512bf16"; do
            # shellcheck disable=SC2086 # two flags
            alone "$header" -DKERNEL_SUFFIX=alone $set
        done ;;
    *) alone "$header" ;;
    esac
done
# Errors are looked at: what is declared to return one is MUST_CHECK.
unchecked=$(awk '
    FNR == 1 { text = "" }
    { text = text " " $0 }
    /;/ {
        if (text ~ /^ *int [a-z_0-9]+\(.*struct error \*err/ && text !~ /MUST_CHECK|error_prefix/)
            print FILENAME ": " FNR
        text = ""
    }
    /^$|\*\/$|^[{}#]/ { text = "" }' "${headers[@]}")
[ -z "$unchecked" ] || fault "returns an error without MUST_CHECK:"$'\n'"$unchecked"
# Comments wrap at 88 columns; those within a line of code may reach as far as the code.
wide=$(awk 'length > 88 && !/\\$/ &&
        (/^ *\/?\* / || /\*\/$/ || (/\/\*/ && !/\*\//)) { print "  " FILENAME ":" FNR }' \
    "${sources[@]}" "${headers[@]}")
[ -z "$wide" ] || fault "comments beyond column 88:"$'\n'"$wide"
# Sizes.
for file in "${sources[@]}" "${headers[@]}" tests/*.[ch]; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 800 ] || fault "$file has $lines lines (limit 800)"
done
long=$(awk '
    FNR == 1 { begin = 0 }
    /^\{/ { begin = at }
    /^\}/ && begin {
        if (FNR - begin >= 80)
            print "  " FILENAME ":" begin " (" FNR - begin + 1 " lines)"
        begin = 0
    }
    /^$|^[}#]|\*\/$/ { at = FNR + 1 }' "${sources[@]}" "${headers[@]}" tests/*.[ch] tests/*/*.[ch])
[ -z "$long" ] || fault "functions of more than 80 lines:"$'\n'"$long"
# Warnings of two compilers as errors.
for compiler in gcc clang; do
    printf '%s\n' "${sources[@]}" tests/*.c |
        xargs -P 2 -I{} "$compiler" -std=c11 "${cppflags[@]}" "${warnings[@]}" \
        -fopenmp-simd -Werror -fsyntax-only {} || fault "$compiler has warnings"
done
find common model worker results runner serve tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run --Werror || fault "clang-format: run make format"
printf '%s\n' "${sources[@]}" |
    xargs -P 2 -I{} clang-tidy --quiet {} -- -std=c11 "${cppflags[@]}" -Ibuild/release \
        -fopenmp-simd 2>/dev/null || fault "clang-tidy" # what to check: .clang-tidy
cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j 2 \
    --enable=warning,portability "${includes[@]}" \
    --suppress=missingIncludeSystem common model worker results runner serve || fault "cppcheck"
shellcheck tests/*.sh tests/bench/*.sh tests/support/*.sh .ci/run || fault "shellcheck"
[ "$failed" = 0 ] && echo "check: all good"
exit "$failed"
