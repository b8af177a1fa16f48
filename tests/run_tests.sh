#!/bin/bash
# run_tests.sh DIRECTORY TEST... - runs test programs, two more at a time than there are cores
# (TEST_JOBS: so many), since many of them wait for others, and adds up their TAP.
# Each program's output goes to DIRECTORY/log/TEST.tap; failures and reasons for skipping are
# shown, the ten programs that took longest, and what all took. The last line is "N passed,
# N failed[, N skipped]". A program that dies counts as a failure, and so does one that hangs
# for ten minutes (HRMLAB_LONG: an hour).
set -u
directory=$1
shift
log=$directory/log
rm -rf "$log"
mkdir -p "$log"
export CMOCKA_MESSAGE_OUTPUT=TAP HRMLAB_BUILD=$directory TERM=xterm-256color
export HRMLAB_WORKER=${HRMLAB_WORKER:-$PWD/$directory/hrmlab-worker}
export HRMLAB_PROGRAM=${HRMLAB_PROGRAM:-$PWD/$directory/hrmlab}
export HRMLAB_FAKE_WORKER=${HRMLAB_FAKE_WORKER:-$PWD/$directory/fake_worker}
export HRMLAB_SHARED=${HRMLAB_SHARED:-../shared}
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
unset HRMLAB_WORKSPACE
# One thread per program: two that spin on tiny products are many times slower.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
export OPENBLAS_NUM_THREADS=1

run_one()
{
    local test=$1 status TIMEFORMAT="%1R s (%1U s user, %1S s system)"
    {
        time timeout -k 10 "${HRMLAB_LONG:+3}600" "$directory/$test" >"$log/$test.tap" \
            2>"$log/$test.err" </dev/null
        status=$?
    } 2>"$log/$test.time"
    echo "$status" >"$log/$test.status"
    echo "$test: exit $status, $(cat "$log/$test.time")"
}
export -f run_one
export directory log
# The longest first, so that none of them runs alone at the end; those that mostly wait among them.
longest="test_slurm test_slurm_clients test_runner test_page_script test_soak test_rebuild test_faults
test_resume test_spec test_verify
test_golden test_gradients test_public_layouts test_fencing test_garbage test_surroundings
test_migration test_damage test_worker test_experiment test_engine test_failures test_init_from
test_allocations test_mistakes test_attention test_executor test_context test_priority"
ordered=()
for test in $longest "$@"; do
    [[ " $* " == *" $test "* && " ${ordered[*]} " != *" $test "* ]] && ordered+=("$test")
done
printf '%s\n' "${ordered[@]}" | xargs -P "${TEST_JOBS:-$(($(nproc) + 2))}" -I{} bash -c 'run_one {}'

passed=0 failed=0 skipped=0
for test in "$@"; do
    tap=$log/$test.tap
    skip=$(grep -aciE '^(ok|not ok).*# *skip' "$tap")
    ok=$(($(grep -acE '^ok' "$tap") - $(grep -aciE '^ok.*# *skip' "$tap")))
    bad=$(grep -aE '^not ok' "$tap" | grep -avciE '# *skip')
    status=$(cat "$log/$test.status")
    if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
        bad=1
        echo "FAILED $test: exit $status"
        tail -n 25 "$log/$test.err"
    elif [ "$bad" != 0 ]; then
        echo "FAILED $test:"
        grep -aE -A 12 '^not ok' "$tap" | head -n 40
        tail -n 25 "$log/$test.err"
    elif [ $((ok + skip)) = 0 ]; then
        bad=1
        echo "FAILED $test: ran no test"
    fi
    if [ "$skip" != 0 ]; then
        grep -ahiE '^(skip|# skip)' "$tap" "$log/$test.err" | sort -u | sed "s/^/$test: /"
        # Where the shared files are present, tests that need them may not be skipped.
        if [ -d "$HRMLAB_SHARED/golden" ] && grep -aqi 'skip.*shared' "$tap" "$log/$test.err"; then
            bad=$((bad + 1))
            echo "FAILED $test: skipped although $HRMLAB_SHARED is there"
        fi
    fi
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
done
if [ $# -gt 1 ]; then
    echo "longest:"
    for test in "$@"; do echo "  $test $(cat "$log/$test.time")"; done | sort -k 2,2 -rn >"$log/times"
    head -n 10 "$log/times"
    sed 's/(//' "$log/times" |
        awk '{ u += $4; s += $7 } END { printf "CPU: %.0f s user, %.0f s system\n", u, s }'
fi
if [ "$skipped" = 0 ]; then
    echo "$passed passed, $failed failed"
else
    echo "$passed passed, $failed failed, $skipped skipped"
fi
[ "$failed" = 0 ]
