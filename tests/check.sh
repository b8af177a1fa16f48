#!/bin/bash
# check.sh CPPFLAGS WARNINGS FOLDERS - static checks: layers, headers, warnings, linters, layout.
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
failed=0
fault() { failed=1; printf 'check: %s\n' "$*"; }

# Layers: a file may include system headers and headers of the folders named here.
declare -A may=([common]="common" [model]="common model" [worker]="common model worker"
    [results]="common results" [runner]="common results runner")
declare -A home
for file in "${headers[@]}"; do home[${file##*/}]=${file%%/*}; done
for file in "${sources[@]}" "${headers[@]}"; do
    layer=${file%%/*}
    while read -r header; do
        to=${home[$header]:-}
        [ -n "$to" ] || continue
        [[ " ${may[$layer]} " == *" $to "* ]] || fault "$file includes $to/$header"
    done < <(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file")
done
only() { # only PATTERN WHERE...: the pattern stands in no other file
    local pattern=$1
    shift
    local hit
    hit=$(grep -lE "$pattern" "${sources[@]}" "${headers[@]}" |
        grep -vE "^($(IFS='|'; echo "$*"))" || true)
    [ -z "$hit" ] || fault "/$pattern/ belongs in $* only, found in: $hit"
}
only '\bcblas_|openblas_' model/gemm worker/blas_environment
only '\bsqlite3_' results/
only '\buv_[a-z]' runner/
only '^#include <libsmartcols' results/
for duplicate in $(printf '%s\n' "${sources[@]##*/}" "${headers[@]##*/}" | sort | uniq -d); do
    fault "two files are named $duplicate"
done
# Linked libraries.
linked() { ldd "build/$1" | grep -qE "$2" && fault "$1 links $2"; true; }
linked hrmlab 'openblas|cblas'
linked hrmlab-worker 'sqlite3|libuv|smartcols'
# Headers compile alone.
for header in "${headers[@]}"; do
    case $header in model/kernels/*.h) continue ;; esac # pieces of one file, kernels_body.h
    gcc -std=c11 "${cppflags[@]}" -Ibuild/release -fsyntax-only -x c "$header" 2>/dev/null || fault "$header does not compile alone"
done
# Sizes.
for file in "${sources[@]}" "${headers[@]}" tests/*.[ch]; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 800 ] || fault "$file has $lines lines (limit 800)"
done
# Warnings of two compilers as errors.
for compiler in gcc clang; do
    printf '%s\n' "${sources[@]}" tests/*.c |
        xargs -P 2 -I{} "$compiler" -std=c11 "${cppflags[@]}" "${warnings[@]}" \
        -fopenmp-simd -Werror -fsyntax-only {} || fault "$compiler has warnings"
done
find common model worker results runner tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run --Werror || fault "clang-format: run make format"
printf '%s\n' "${sources[@]}" |
    xargs -P 2 -I{} clang-tidy --quiet {} -- -std=c11 "${cppflags[@]}" -Ibuild/release \
        -fopenmp-simd 2>/dev/null || fault "clang-tidy" # what to check: .clang-tidy
cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j 2 \
    --enable=warning,portability "${includes[@]}" \
    --suppress=missingIncludeSystem common model worker results runner || fault "cppcheck"
shellcheck tests/*.sh tests/bench/*.sh .ci/run || fault "shellcheck"
[ "$failed" = 0 ] && echo "check: all good"
exit "$failed"
