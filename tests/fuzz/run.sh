#!/bin/bash
# run.sh DIRECTORY SECONDS TARGET... - fuzzes each target for so long, two at a time. Inputs that
# were found go to DIRECTORY/corpus, findings to DIRECTORY/findings, seconds and executions of
# each target, added up over all calls, to DIRECTORY/cumulative.txt. Exit 1 with findings.
set -u
directory=$1 seconds=$2
shift 2
mkdir -p "$directory/findings"
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 OPENBLAS_NUM_THREADS=1

fuzz_one()
{
    local target=$1 corpus=$directory/corpus/$1 log=$directory/$1.log start=$SECONDS status
    mkdir -p "$corpus"
    "$directory/$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=65536 \
        -artifact_prefix="$directory/findings/$target-" -print_final_stats=1 \
        "$corpus" "tests/fuzz/corpus/${target#fuzz_}" >"$log" 2>&1
    status=$?
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "$target $((SECONDS - start)) ${executions:-0} $status" >>"$directory/runs.txt"
    echo "$target: exit $status, $((SECONDS - start)) s, ${executions:-0} executions"
    [ "$status" = 0 ] || tail -n 40 "$log"
}
export -f fuzz_one
export directory seconds
printf '%s\n' "$@" | xargs -P 2 -I{} bash -c 'fuzz_one {}'
awk '{ s[$1] += $2; n[$1] += $3 } END { for (t in s) print t, s[t] " s", n[t] " executions" }' \
    "$directory/runs.txt" | sort | tee "$directory/cumulative.txt"
[ -z "$(ls -A "$directory/findings")" ]
