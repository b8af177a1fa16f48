#!/bin/bash
# check.sh CPPFLAGS WARNINGS - static checks: layers, headers, warnings, linters, layout.
set -u
read -r -a cppflags <<<"$1"
read -r -a warnings <<<"$2"
folders=(common model worker results runner tests)
failed=0
fault() { failed=1; printf 'check: %s\n' "$*"; }

# Layers: a file may include system headers and headers of the folders named here.
declare -A may=([common]="common" [model]="common model" [worker]="common model worker"
    [results]="common results" [runner]="common results runner")
for folder in common model worker results runner; do
    for file in "$folder"/*.[ch]; do
        while read -r header; do
            [ "$header" = schema.h ] && [ "$folder" = results ] && continue
            home=$(find common model worker results runner -maxdepth 1 -name "$header" -printf '%h\n' | head -n 1)
            [ -n "$home" ] || continue
            [[ " ${may[$folder]} " == *" $home "* ]] || fault "$file includes $home/$header"
        done < <(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file")
    done
done
only() { # only PATTERN WHERE...: the pattern stands in no other file
    local pattern=$1
    shift
    local hit
    hit=$(grep -lE "$pattern" common/*.[ch] model/*.[ch] worker/*.[ch] results/*.[ch] runner/*.[ch] |
        grep -vE "^($(IFS='|'; echo "$*"))" || true)
    [ -z "$hit" ] || fault "/$pattern/ belongs in $* only, found in: $hit"
}
only '\bcblas_|openblas_' model/gemm worker/blas_environment
only '\bsqlite3_' results/
only '\buv_[a-z]' runner/
only '^#include <libsmartcols' results/
for duplicate in $(find common model worker results runner -name '*.c' -printf '%f\n' | sort | uniq -d); do
    fault "two files are named $duplicate"
done
# Linked libraries.
linked() { ldd "build/$1" | grep -qE "$2" && fault "$1 links $2"; true; }
linked hrmlab 'openblas|cblas'
linked hrmlab-worker 'sqlite3|libuv|smartcols'
# Headers compile alone.
for header in common/*.h model/*.h worker/*.h results/*.h runner/*.h; do
    case $header in model/kernels_?*.h) continue ;; esac # pieces of one file, kernels_body.h
    gcc -std=c11 "${cppflags[@]}" -Ibuild/release -fsyntax-only -x c "$header" 2>/dev/null || fault "$header does not compile alone"
done
# Sizes.
for file in */*.[ch]; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 800 ] || fault "$file has $lines lines (limit 800)"
done
# Warnings of two compilers as errors.
for compiler in gcc clang; do
    printf '%s\n' common/*.c model/*.c worker/*.c results/*.c runner/*.c tests/*.c |
        xargs -P 2 -I{} "$compiler" -std=c11 "${cppflags[@]}" "${warnings[@]}" \
        -fopenmp-simd -Werror -fsyntax-only {} || fault "$compiler has warnings"
done
find "${folders[@]}" -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run --Werror || fault "clang-format: run make format"
printf '%s\n' common/*.c model/*.c worker/*.c results/*.c runner/*.c |
    xargs -P 2 -I{} clang-tidy --quiet {} -- -std=c11 "${cppflags[@]}" -Ibuild/release \
        -fopenmp-simd 2>/dev/null || fault "clang-tidy" # what to check: .clang-tidy
cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j 2 \
    --enable=warning,portability -Icommon -Imodel -Iworker -Iresults -Irunner \
    --suppress=missingIncludeSystem common model worker results runner || fault "cppcheck"
shellcheck tests/*.sh tests/bench/*.sh .ci/run || fault "shellcheck"
[ "$failed" = 0 ] && echo "check: all good"
exit "$failed"
