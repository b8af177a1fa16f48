#!/bin/bash
# mutations.sh - can the checks fail? Breaks one promise after another in a copy of the sources
# and runs the test that guards it, which must fail then. `make test-mutations` (some minutes).
#   mutation NAME FILE PERL-SUBSTITUTION TEST CASE [HRMLAB_LONG]
# Each test is first run in the unchanged copy, where it must pass. A mutation counts as caught only
# when CASE itself is among those that fail. A substitution that changes nothing is a failure too:
# the source has moved on; --check (`make check`) looks for these alone and builds nothing. ONLY=WORDS
# takes the mutations whose names have these words.
set -u
caught=0 missed=0 baselines=0
names=() files=() changes=() tests=() cases=() longs=()

mutation()
{
    case $1 in *"${ONLY:-}"*) ;; *) return ;; esac
    names+=("$1") files+=("$2") changes+=("$3") tests+=("$4") cases+=("$5") longs+=("${6:-}")
}

build()
{
    make -s all build/fake_worker build/fault_shim.so >build.log 2>&1 &&
        make -s VARIANT=asan "build/asan/$1" build/asan/hrmlab build/asan/hrmlab-worker \
            build/asan/hrmlab-serve build/asan/fake_worker >>build.log 2>&1
}

# run_case TEST CASE LONG
run_case()
{
    HRMLAB_ONLY=$2 ${3:+env HRMLAB_LONG=1} tests/run_tests.sh build/asan "$1" >run.log 2>&1
}

miss()
{
    echo "MISSED  $1"
    missed=$((missed + 1))
}

# What a mutation names has moved on.
check()
{
    local name=$1 file=$2 change=$3 test=$4 case=$5
    if perl -0pe "$change" "$file" | cmp -s - "$file"; then
        miss "$name: nothing to change in $file"
    elif ! grep -q "^static void $case(" "tests/$test.c"; then
        miss "$name: $test has no case $case"
    fi
}

# Nothing is proved by a test that fails anyway, or that does not have the case.
baseline()
{
    local test=$1 case=$2 long=$3
    baselines=$((baselines + 1))
    if ! build "$test"; then
        tail -n 5 build.log
        miss "unchanged, $test does not build"
    elif ! run_case "$test" "$case" "$long"; then
        tail -n 20 run.log
        miss "unchanged, $test fails"
    elif ! grep -aqE "^ok [0-9]+ - $case\$" "build/asan/log/$test.tap"; then
        miss "unchanged, $test has no case $case"
    elif ! grep -aqx '1\.\.1' "build/asan/log/$test.tap"; then
        miss "unchanged, $test runs other cases than $case"
    fi
}

mutate()
{
    local name=$1 file=$2 change=$3 test=$4 case=$5 long=$6
    cp "$file" original
    perl -0pi -e "$change" "$file"
    if ! build "$test"; then
        tail -n 5 build.log
        miss "$name: does not build"
    elif run_case "$test" "$case" "$long"; then
        miss "$name: $test passes"
    elif ! grep -aqE "^not ok [0-9]+ - $case\$" "build/asan/log/$test.tap"; then
        tail -n 20 run.log
        miss "$name: $test fails, but not $case"
    else
        echo "caught  $name: $case"
        caught=$((caught + 1))
    fi
    cp original "$file"
}

mutation "the offset stored before its events" runner/loop/recorder.c \
    's/        rc = take_lines\(r, store, data, size, err\);\n        if \(rc == 0\)\n            rc = record_offset/        rc = record_offset(store, r->attempt.attempt_id, r->attempt.offset + (int64_t)size, r->attempt.sequence, err) + store_commit(store, err) + store_begin(store, err);\n        if (rc == 0)\n            rc = take_lines(r, store, data, size, err);\n        if (rc == 0)\n            rc = record_offset/' \
    test_faults a_runner_killed_at_any_call_loses_nothing 1
mutation "checkpoint not synced" worker/checkpoint.c \
    's/fsync\(fd\) < 0/false/' test_faults a_power_cut_in_training_ends_with_the_same_weights 1
mutation "values of two attempts not compared" results/record_event.c \
    's/before < now \|\| before > now/false/' \
    test_worker_faults a_value_that_contradicts_an_earlier_attempt_is_quarantined
mutation "a journal line's hash not checked" common/journal.c \
    's/memcmp\(line \+ HASH_AT, digits, HASH_DIGITS\) != 0/false/' \
    test_journal a_flip_of_any_bit_is_bad_and_costs_no_line_before_it
mutation "a journal's order not checked" common/journal.c \
    's/expected >= 0 && event->sequence != expected/false/' test_journal what_is_written_is_read
mutation "the carry not restored on resume" model/engine_state.c \
    's/    memcpy\(data, in, state.bytes\);/    if (state.kind != ENGINE_CARRY)\n        memcpy(data, in, state.bytes);/' \
    test_resume killed_hrm_with_act_ends_with_the_same_bits
mutation "the boot of a starting attempt ignored" runner/executor/executor_local.c \
    's/bool rebooted = strcmp\(place.boot, local->boot\) != 0/bool rebooted = false/' \
    test_faults a_torn_journal_of_a_starting_attempt_is_no_fault_of_the_worker
mutation "a pid without its start time" runner/executor/executor_local.c \
    's/process_start_time\(task->pid\) == task->start_time/process_start_time(task->pid) != 0/' \
    test_surroundings a_pid_that_is_used_again_is_not_the_keeper
mutation "an older attempt not superseded" runner/loop/adopt.c \
    's/job == NULL \|\| !newest/job == NULL || (!newest && false)/' \
    test_surroundings the_older_of_two_open_attempts_is_superseded
mutation "an executor's cause ignored" runner/loop/supervise.c \
    's/slot->outside = slot->task->cause/slot->outside = OUTCOME_NONE/' \
    test_executor lost_attempts_are_tried_again_by_their_causes
mutation "a worker not looked for after a crash in its start" runner/executor/executor_local.c \
    's/rc == 0 && task->pid == 0/false/' \
    test_executor an_attempt_whose_start_was_not_recorded_is_found_and_not_started_again
mutation "priority within one experiment only" runner/loop/supervise.c \
    's/s->priority, s->jobs_left > 0 \}/s->priority, false }/' \
    test_priority a_job_of_higher_priority_goes_first_whoevers_runner_works
mutation "threads no part of the arithmetic" results/record_event.c \
    's/\$\.provenance\.threads/\$.provenance.nothing/' \
    test_record a_run_with_different_numbers_of_threads_is_mixed
mutation "jobs cancelled without a runner trained on" runner/loop/adopt.c \
    's/slot->cancelled = job->state == JOB_CANCELLED/slot->cancelled = false/' \
    test_runner cancelled_jobs_end_and_can_be_taken_up_again
mutation "a retry waits for a clock that was set back" results/record.h \
    's/RECORD_LONGEST_WAIT_S = 400/RECORD_LONGEST_WAIT_S = 400000/' \
    test_clocks a_clock_that_is_set_back_delays_no_retry
mutation "no lock on the workspace" runner/workspace.c \
    's/flock\(fd, kind \| LOCK_NB\) < 0/false/' \
    test_surroundings a_second_runner_is_refused_with_the_first_ones_pid
mutation "a full disk counted as a failure" runner/loop/schedule.c \
    's/\[OUTCOME_DISK_FULL\] = ACTION_PAUSE/[OUTCOME_DISK_FULL] = ACTION_FAIL/' test_schedule every_end_has_its_cause
mutation "readers may write" results/store.c \
    's/        sqlite3_set_authorizer\(store->db, authorize_reading, NULL\);/        (void)authorize_reading;/' \
    test_store a_reader_can_read_and_nothing_else
mutation "workers without landlock" common/sandbox.c \
    's/\(int\)syscall\(SYS_landlock_restrict_self, fd, 0\)/0/' \
    test_keeper a_worker_writes_to_its_directory_and_nowhere_else
mutation "workers may start processes" common/sandbox.c \
    's/BPF_JSET, THREADS, 1/BPF_JSET, UINT_MAX, 1/' \
    test_keeper a_worker_writes_to_its_directory_and_nowhere_else
mutation "a checkpoint's checksum not compared" worker/checkpoint.c \
    's/strcmp\(checksum, texts\[CHECKPOINT_TEXT_CHECKSUM\]\) != 0/false/' \
    test_checkpoint a_flip_of_any_byte_is_refused_and_changes_nothing
mutation "a checkpoint of another run taken" worker/checkpoint.c \
    's/strcmp\(texts\[CHECKPOINT_TEXT_RUN_HASH\], run_hash\) != 0/false/' \
    test_checkpoint cut_and_foreign_checkpoints_are_refused_and_change_nothing
mutation "no older generation after a damaged one" worker/train.c \
    's/\*from == NULL && i < count; i\+\+/*from == NULL \&\& i < 1; i++/' \
    test_resume damaged_newest_checkpoint_gives_way_to_the_older
mutation "data that changed not noticed" worker/execute.c \
    's/strcmp\(data_set_hash\(execution->set\), job->data_hash\) != 0/false/' \
    test_worker changed_data_end_the_job_with_exit_5
mutation "a run of another configuration or numeric version taken" worker/job.c \
    's/strcmp\(hash, out->run_hash\) != 0/false/' \
    test_worker bad_jobs_are_refused_with_one_clear_message
mutation "a silent end taken for done" runner/loop/schedule.c \
    's/cause = OUTCOME_NO_RESULT;/cause = OUTCOME_NONE;/' \
    test_schedule every_end_has_its_cause
mutation "a hang not tried again" runner/loop/schedule.c \
    's/\[OUTCOME_HANG\] = ACTION_RETRY/[OUTCOME_HANG] = ACTION_FAIL/' test_schedule every_end_has_its_cause
mutation "a diverged training not told from a crash" runner/loop/schedule.c \
    's/ && facts->outcome != OUTCOME_DIVERGED\)/)/' \
    test_schedule every_end_has_its_cause
mutation "a database written to that was replaced" results/store.c \
    's/ moved != 0;/ false;/' test_store_replace what_was_replaced_is_not_written_to
mutation "a rebuild that lets others write to the old database" results/store_replace.c \
    's/"BEGIN IMMEDIATE"/"BEGIN"/' test_store_replace a_held_database_is_read_and_not_written_to
mutation "a run that waits keeps the lower priority" results/queue.c \
    's/max\(e.priority\) AS priority/min(e.priority) AS priority/' \
    test_queue specs_share_runs_and_the_higher_priority_counts
mutation "jobs executed as they were asked for first" results/record.c \
    's/rc == 0 && settings != NULL/false \&\& settings != NULL/' \
    test_experiment relative_data_are_beside_the_file_that_says_it
mutation "an experiment that loses runs without a word" runner/plan/enqueue.c \
    's/if \(lost != NULL\)/if (false)/' \
    test_experiment more_runs_extend_an_experiment_and_fewer_need_another_name
mutation "an arm's runs queued as another's" runner/plan/enqueue.c \
    's/if \(e->added_arm != run->arm\)/if (false)/' \
    test_queue arms_have_evaluations_and_costs_of_their_own
mutation "a newer database opened" results/store.c \
    's/identity->version > known/false/' test_store a_newer_database_is_refused
mutation "the steps of an upgrade committed one by one" results/store.c \
    's/execute\(store, store->schema->migrations\[version\], "upgrade", err\)/$& + store_commit(store, err) + store_begin(store, err)/' \
    test_migration a_step_that_fails_leaves_the_old_version
mutation "a damaged old database upgraded" results/store.c \
    's/int rc = store_is_sound\(store, &sound, err\);/int rc = 0; sound = true;/' \
    test_migration a_damaged_database_is_not_upgraded
mutation "settings of the first release lost" results/migrations.c \
    's/iif\(s.key = .train.seed., NULL, s.value\)/s.value/' \
    test_migration settings_of_the_first_release_are_shared
mutation "digits of a setting lost in an upgrade" results/migrations.c \
    's/json\(quote\(value\)\)/value/' \
    test_migration settings_of_the_first_release_are_shared
mutation "a damaged database written to" results/soundness.c \
    's/\*sound = rc == SQLITE_OK && strcmp\(finding, "ok"\) == 0/*sound = true/' \
    test_damage no_command_writes_to_a_damaged_database
mutation "any note of the database taken for its state" results/soundness.c \
    's/ && strcmp\(now, noted\) == 0//' \
    test_damage a_database_that_nobody_has_changed_is_not_read_again
mutation "the database read whole by each writer" results/soundness.c \
    's/&& strcmp\(now, noted\) == 0/&& false/' \
    test_damage a_database_that_nobody_has_changed_is_not_read_again
mutation "a full disk ends the runner" runner/command/command_run.c \
    's/if \(rc != ERROR_NOSPACE\)\n/if (true)\n/' \
    test_faults a_full_disk_pauses_and_goes_on 1
mutation "rebuild leaves a gap between two names" results/store_presence.c \
    's/\*out = rc == 0 && file_exists\(ready\)/*out = false/' \
    test_rebuild a_rebuild_killed_at_any_call_loses_nothing 1
mutation "rebuild forgets runs that no spec leads to" runner/command/command_rebuild.c \
    's/rc = queue_rest\(r, err\)/rc = 0/' test_rebuild evaluations_of_a_spec_that_is_gone_are_kept
mutation "verify looks at one side only" results/verify.c \
    's/    " WHERE b.stored = 0"/    " WHERE b.stored = 2"/' \
    test_verify verify_trains_again_and_finds_every_difference
mutation "what killed workers wrote aside stays" runner/loop/attempt_end.c \
    's/        if \(!faulty\)\n            remove_unfinished\(s, slot\);/        (void)remove_unfinished;/' \
    test_soak what_a_killed_worker_wrote_aside_goes
mutation "one quantile for seeds and tasks" results/statistics.c \
    's/statistics_t_quantile\(p, spread->seeds_degrees\)/statistics_t_quantile(p, spread->tasks_degrees)/' \
    test_statistics identical_arms_are_rarely_called_different
mutation "workers outside their sandbox" worker/execute.c \
    's/        sandbox_enter\(&execution->sandbox, directory\)/        (void)directory/' \
    test_worker workers_are_in_their_sandbox_or_say_so
mutation "what broke off is taken for shown" serve/page.js \
    's/catch\(\(\) => null\);\K(?=\n    const text)/ tag = reply?.headers.get("ETag") ?? tag;/' \
    test_page_script an_answer_that_breaks_off_is_asked_for_again
mutation "a page that waits for ever" serve/page.js 's/headers, signal, cache/headers, cache/' \
    test_page_script a_server_that_stands_still_is_not_said_to_be_live
mutation "the keyboard loses its place" serve/page.js 's/    again\?\.focus\(.*\n//' \
    test_page_script a_changed_page_keeps_order_filter_and_focus

for i in "${!names[@]}"; do
    check "${names[i]}" "${files[i]}" "${changes[i]}" "${tests[i]}" "${cases[i]}"
done
if [ "$missed" != 0 ] || [ "${1:-}" = --check ]; then
    [ "$missed" = 0 ]
    exit
fi
copy=$(mktemp -d) && chmod 755 "$copy" # a test runs the programs as another user
trap 'rm -rf "$copy"' EXIT
git ls-files -z | xargs -0 cp --parents --preserve=timestamps -t "$copy"
[ ! -d build ] || cp -a build "$copy" # what is built already need not be built again
cd "$copy" || exit 1
declare -A seen
for i in "${!names[@]}"; do
    key="${tests[i]} ${cases[i]} ${longs[i]}"
    [ -n "${seen[$key]:-}" ] || baseline "${tests[i]}" "${cases[i]}" "${longs[i]}"
    seen[$key]=1
done
for i in "${!names[@]}"; do
    mutate "${names[i]}" "${files[i]}" "${changes[i]}" "${tests[i]}" "${cases[i]}" "${longs[i]}"
done
echo "$caught of ${#names[@]} caught, $missed missed; $baselines cases pass in the unchanged copy"
[ "$missed" = 0 ]
