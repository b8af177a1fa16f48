/* test_schedule.c - what an end means, when to try again, what is next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schedule.h"

#include <signal.h>
#include <string.h>

static void every_end_has_its_cause(void **state)
{
    static const struct {
        struct schedule_facts facts;
        enum schedule_action action;
        enum outcome cause;
    } cases[] = {
        { { .has_exit = true, .has_status = true, .outcome = OUTCOME_DONE },
          ACTION_DONE,
          OUTCOME_NONE },
        { { .has_exit = true, .has_status = true }, ACTION_RETRY, OUTCOME_NO_RESULT },
        { { .has_exit = true, .has_status = true, .exit_status = 2 },
          ACTION_FAIL,
          OUTCOME_BAD_JOB },
        { { .has_exit = true,
            .has_status = true,
            .exit_status = 4,
            .outcome = OUTCOME_DIVERGED },
          ACTION_DONE,
          OUTCOME_DIVERGED },
        { { .has_exit = true, .has_status = true, .exit_status = 5 },
          ACTION_FAIL,
          OUTCOME_DATA_CHANGED },
        { { .has_exit = true, .has_status = true, .exit_status = 6 },
          ACTION_FAIL,
          OUTCOME_OUT_OF_MEMORY },
        { { .has_exit = true, .has_status = true, .exit_status = 7 },
          ACTION_PAUSE,
          OUTCOME_DISK_FULL },
        { { .has_exit = true, .has_status = true, .exit_status = 8 },
          ACTION_RETRAIN,
          OUTCOME_CHECKPOINT_DAMAGED },
        { { .outside = OUTCOME_RESTARTED }, ACTION_REQUEUE, OUTCOME_RESTARTED },
        { { .outside = OUTCOME_RESTARTED, .outcome = OUTCOME_DONE },
          ACTION_DONE,
          OUTCOME_NONE },
        { { .has_exit = true, .has_status = true, .exit_status = 130 },
          ACTION_REQUEUE,
          OUTCOME_STOPPED },
        { { .has_exit = true, .signal = SIGSEGV }, ACTION_RETRY, OUTCOME_CRASH },
        { { .has_exit = true, .signal = SIGKILL }, ACTION_RETRY, OUTCOME_KILLED },
        { { .has_exit = true, .signal = SIGKILL, .out_of_memory = true },
          ACTION_RETRY,
          OUTCOME_OUT_OF_MEMORY },
        { { .has_exit = false }, ACTION_RETRY, OUTCOME_LOST },
        { { .outcome = OUTCOME_DISK_FULL }, ACTION_PAUSE, OUTCOME_DISK_FULL },
        { { .outside = OUTCOME_NEVER_STARTED }, ACTION_REQUEUE, OUTCOME_NEVER_STARTED },
        { { .outside = OUTCOME_NEVER_STARTED,
            .has_exit = true,
            .has_status = true,
            .exit_status = 2 },
          ACTION_FAIL,
          OUTCOME_BAD_JOB },
        { { .has_exit = true, .signal = SIGKILL, .hung = true }, ACTION_RETRY, OUTCOME_HANG },
        { { .has_exit = true, .signal = SIGKILL, .flooded = true },
          ACTION_FAIL,
          OUTCOME_ENDLESS_OUTPUT },
        { { .has_exit = true, .has_status = true, .exit_status = 130, .timed_out = true },
          ACTION_FAIL,
          OUTCOME_TIME_LIMIT },
        { { .has_exit = true, .has_status = true, .exit_status = 130, .cancelled = true },
          ACTION_CANCEL,
          OUTCOME_CANCELLED },
        { { .has_exit = true, .has_status = true, .outcome = OUTCOME_DONE, .cancelled = true },
          ACTION_DONE,
          OUTCOME_NONE },
        { { .stopping = true }, ACTION_REQUEUE, OUTCOME_STOPPED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct schedule_end end = schedule_classify(&cases[i].facts);
        if (end.action != cases[i].action || end.cause != cases[i].cause)
            fail_msg("case %zu: action %d, cause %s", i, end.action, outcome_name(end.cause));
    }
}

static void back_off_grows_to_a_limit_and_is_reproducible(void **state)
{
    (void)state;
    for (int failures = 1; failures < 20; failures++) {
        double seconds = schedule_backoff_s(2.0, failures, 7);
        double base = failures < 9 ? (double)(1 << failures) : 300.0;
        base = base > 300.0 ? 300.0 : base;
        assert_true(seconds >= 0.75 * base && seconds < 1.25 * base);
        assert_true(seconds == schedule_backoff_s(2.0, failures, 7));
    }
    assert_true(schedule_backoff_s(2.0, 1, 7) != schedule_backoff_s(2.0, 1, 8));
    assert_true(schedule_unwatched_s(0.2) <= 0.0 && schedule_unwatched_s(4.9) <= 0.0);
    assert_true(schedule_unwatched_s(66.0) > 60.0 && schedule_unwatched_s(66.0) < 66.0);
}

static void out_of_memory_needs_evidence(void **state)
{
    (void)state;
    assert_false(schedule_ran_out_of_memory(0, 100, 0));
    assert_false(schedule_ran_out_of_memory(0, 100, 8192)); /* somebody killed it */
    assert_true(schedule_ran_out_of_memory(0, 8000, 8192));
    assert_true(schedule_ran_out_of_memory(1, 100, 0));
    assert_true(schedule_ran_out_of_memory(1, 100, 8192));
}

static void retries_come_to_an_end(void **state)
{
    (void)state;
    assert_false(schedule_gives_up(ACTION_RETRY, 2, 2));
    assert_true(schedule_gives_up(ACTION_RETRY, 3, 2));
    assert_true(schedule_gives_up(ACTION_RETRY, 1, 0));
    assert_true(schedule_gives_up(ACTION_FAIL, 1, 9));
    assert_false(schedule_gives_up(ACTION_REQUEUE, 99, 0));
    assert_false(schedule_gives_up(ACTION_PAUSE, 99, 0));
    assert_false(schedule_gives_up(ACTION_RETRAIN, 1, 0)); /* trained again once at least */
    assert_true(schedule_gives_up(ACTION_RETRAIN, 2, 0));
    assert_false(schedule_gives_up(ACTION_RETRAIN, 2, 2));
}

static void a_job_that_is_wider_than_the_machine_waits_for_all_of_it(void **state)
{
    (void)state;
    assert_true(schedule_has_room(2, 2, 2));
    assert_false(schedule_has_room(2, 1, 2));
    assert_true(schedule_has_room(3, 2, 2));
    assert_false(schedule_has_room(3, 1, 2));
    assert_true(schedule_has_room(1, 1, 2));
    assert_false(schedule_has_room(1, 0, 2));
    assert_false(schedule_has_room(1, 0, 0));
}

/* Out of memory by a cluster's limit, a failed node: the worker could not tell. */
static void a_cause_from_outside_counts_where_the_worker_did_not_end_by_itself(void **state)
{
    static const struct {
        struct schedule_facts facts;
        enum schedule_action action;
        enum outcome cause;
    } cases[] = {
        { { .outside = OUTCOME_NODE_FAILURE }, ACTION_REQUEUE, OUTCOME_NODE_FAILURE },
        { { .outside = OUTCOME_LAUNCH_FAILURE }, ACTION_RETRY, OUTCOME_LAUNCH_FAILURE },
        { { .outside = OUTCOME_PREEMPTED }, ACTION_REQUEUE, OUTCOME_PREEMPTED },
        { { .outside = OUTCOME_TIME_LIMIT }, ACTION_FAIL, OUTCOME_TIME_LIMIT },
        { { .outside = OUTCOME_OUT_OF_MEMORY, .has_exit = true, .signal = SIGKILL },
          ACTION_RETRY,
          OUTCOME_OUT_OF_MEMORY },
        { { .outside = OUTCOME_PREEMPTED,
            .has_exit = true,
            .has_status = true,
            .exit_status = 130 },
          ACTION_REQUEUE,
          OUTCOME_PREEMPTED },
        { { .outside = OUTCOME_NODE_FAILURE,
            .has_exit = true,
            .has_status = true,
            .exit_status = 2 },
          ACTION_FAIL,
          OUTCOME_BAD_JOB },
        { { .outside = OUTCOME_RESTARTED, .has_exit = true, .signal = SIGSEGV },
          ACTION_RETRY,
          OUTCOME_CRASH },
        { { .outside = OUTCOME_NODE_FAILURE, .outcome = OUTCOME_DONE },
          ACTION_DONE,
          OUTCOME_NONE },
        { { .outside = OUTCOME_NODE_FAILURE, .cancelled = true },
          ACTION_CANCEL,
          OUTCOME_CANCELLED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct schedule_end end = schedule_classify(&cases[i].facts);
        if (end.action != cases[i].action || end.cause != cases[i].cause)
            fail_msg("case %zu: action %d, cause %s", i, end.action, outcome_name(end.cause));
    }
    assert_true(schedule_machine_failed(OUTCOME_NODE_FAILURE));
    assert_true(schedule_machine_failed(OUTCOME_RESTARTED));
    assert_false(schedule_machine_failed(OUTCOME_LOST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_end_has_its_cause),
        cmocka_unit_test(a_cause_from_outside_counts_where_the_worker_did_not_end_by_itself),
        cmocka_unit_test(back_off_grows_to_a_limit_and_is_reproducible),
        cmocka_unit_test(out_of_memory_needs_evidence),
        cmocka_unit_test(retries_come_to_an_end),
        cmocka_unit_test(a_job_that_is_wider_than_the_machine_waits_for_all_of_it),
    };

    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
