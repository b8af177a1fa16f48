#!/bin/bash
# mutations.sh - can the checks fail? Breaks one promise after another in a copy of the sources
# and runs the test that guards it, which must fail then. `make test-mutations` (some ten minutes).
#   mutation NAME FILE PERL-SUBSTITUTION TEST [CASES [HRMLAB_LONG]]
# A substitution that changes nothing is a failure too: the source has moved on.
set -u
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z | xargs -0 cp --parents -t "$copy"
cd "$copy" || exit 1
caught=0 missed=0

build()
{
    make -s all build/fake_worker build/fault_shim.so >build.log 2>&1 &&
        make -s VARIANT=asan "build/asan/$1" build/asan/hrmlab build/asan/hrmlab-worker \
            build/asan/fake_worker >>build.log 2>&1
}

mutation()
{
    local name=$1 file=$2 change=$3 test=$4 cases=${5:-} long=${6:-}
    cp "$file" original
    perl -0pi -e "$change" "$file"
    if cmp -s "$file" original; then
        echo "MISSED  $name: nothing to change in $file"
        missed=$((missed + 1))
        return
    fi
    if ! build "$test"; then
        echo "MISSED  $name: does not build"
        tail -n 5 build.log
        missed=$((missed + 1))
    elif HRMLAB_ONLY=$cases ${long:+env HRMLAB_LONG=1} tests/run_tests.sh build/asan "$test" >run.log 2>&1; then
        echo "MISSED  $name: $test passes"
        missed=$((missed + 1))
    else
        echo "caught  $name: $(grep -aE '^not ok' run.log | head -n 1 | sed 's/^not ok [0-9]* - //')"
        caught=$((caught + 1))
    fi
    cp original "$file"
}

mutation "the offset stored before its events" runner/recorder.c \
    's/        rc = take_lines\(r, store, data, size, err\);\n        if \(rc == 0\)\n            rc = record_offset/        rc = record_offset(store, r->attempt.attempt_id, r->attempt.offset + (int64_t)size, r->attempt.sequence, err) + store_commit(store, err) + store_begin(store, err);\n        if (rc == 0)\n            rc = take_lines(r, store, data, size, err);\n        if (rc == 0)\n            rc = record_offset/' \
    test_faults 'a_runner_killed*' 1
mutation "checkpoint not synced" worker/checkpoint.c \
    's/fsync\(fd\) < 0/false/' test_faults 'a_power_cut_in_training*' 1
mutation "values of two attempts not compared" results/record_event.c \
    's/before < now \|\| before > now/false/' test_runner
mutation "a journal line's hash not checked" common/journal.c \
    's/memcmp\(line \+ HASH_AT, digits, HASH_DIGITS\) != 0/false/' test_journal
mutation "a journal's order not checked" common/journal.c \
    's/expected >= 0 && event->sequence != expected/false/' test_journal
mutation "the carry not restored on resume" model/engine_state.c \
    's/    memcpy\(data, in, state.bytes\);/    if (state.kind != ENGINE_CARRY)\n        memcpy(data, in, state.bytes);/' \
    test_resume
mutation "the boot of a starting attempt ignored" runner/adopt.c \
    's/\*rebooted = strcmp\(attempt->boot_id, boot\) != 0/*rebooted = false/' \
    test_faults 'a_torn_journal*'
mutation "a pid without its start time" runner/executor_local.c \
    's/process_start_time\(executor->pid\) == executor->start_time/process_start_time(executor->pid) != 0/' \
    test_surroundings
mutation "an older attempt not superseded" runner/adopt.c \
    's/job == NULL \|\| !newest/job == NULL || (!newest && false)/' test_surroundings
mutation "a retry waits for a clock that was set back" results/record.h \
    's/RECORD_LONGEST_WAIT_S = 400/RECORD_LONGEST_WAIT_S = 400000/' test_surroundings
mutation "no lock on the workspace" runner/workspace.c \
    's/flock\(fd, LOCK_EX \| LOCK_NB\) < 0/false/' test_surroundings
mutation "a full disk counted as a failure" runner/schedule.c \
    's/VERDICT_PAUSE, "disk full"/VERDICT_FAILED, "disk full"/' test_schedule
mutation "readers may write" results/store.c \
    's/        sqlite3_set_authorizer\(store->db, authorize_reading, NULL\);/        (void)authorize_reading;/' \
    test_store
mutation "workers without landlock" worker/sandbox.c \
    's/\(int\)syscall\(SYS_landlock_restrict_self, fd, 0\)/0/' test_keeper
mutation "workers outside their sandbox" worker/execute.c \
    's/    sandbox_enter\(&execution->sandbox, execution->request->directory\);//' test_worker

echo "$caught caught, $missed missed"
[ "$missed" = 0 ]
