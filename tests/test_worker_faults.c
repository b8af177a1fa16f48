/* test_worker_faults.c - workers that misbehave: told apart, tried again or not, with their reasons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/place.h"

#include <signal.h>
#include <stdlib.h>

static void faults_of_workers_are_told_apart(void **state)
{
    static const struct {
        const char *mode, *state, *cause;
    } cases[] = {
        { "crash", "failed", "crash" },
        { "half", "failed", "crash" },
        { "flood", "failed", "endless output" },
        { "endless_line", "quarantined", "journal" },
        { "other_run", "quarantined", "journal" },
        { "other_file", "quarantined", "journal" },
        { "silent", "failed", "exit without a result" },
        { "garbage", "quarantined", "journal" },
        { "after_end", "quarantined", "journal" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct place place;
        place_run_fake(&place, cases[i].mode, "retries.max=0", 1);
        place_expect(&place, "SELECT state FROM job", cases[i].state);
        place_expect(&place, "SELECT cause FROM job", cases[i].cause);
        place_remove(&place);
    }
}

/* A limit that was never near is not what ended it. */
static void a_killed_worker_with_a_memory_limit_was_killed(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    pid_t pid = place_start(&place, "run", place.spec, "--set", "resources.memory_gb=8",
                            "--set", "retries.max=0", "--set", "arch.name=hrm", "--set",
                            "train.max_steps=100000", NULL);
    assert_true(place_wait_for(&place, "SELECT provenance IS NOT NULL FROM attempt", "1"));
    char *worker = place_ask(&place, "SELECT json_extract(provenance, '$.worker_pid') FROM"
                                     " attempt");
    assert_true(atoi(worker) > 1);
    kill(atoi(worker), SIGKILL);
    free(worker);
    assert_int_equal(place_finish(pid), 1);
    place_expect(&place, "SELECT cause FROM job", "killed");
    place_remove(&place);
}

static void a_failure_that_passes_is_tried_again(void **state)
{
    struct place place;

    (void)state;
    place_run_fake(&place, "fail_once", "retries.max=2", 0);
    place_expect(&place, "SELECT state FROM job", "done");
    place_expect(&place, "SELECT count(*) FROM attempt", "2");
    place_expect(&place, "SELECT count(*) FROM evaluation_result WHERE checkpoint = 'last'",
                 "2");
    place_remove(&place);
}

static void a_worker_that_dies_shows_the_end_of_its_log(void **state)
{
    struct place place;

    (void)state;
    place_run_fake(&place, "last_words", "retries.max=0", 1);
    place_expect(&place,
                 "SELECT message LIKE 'its log ends with: libmissing.so.3: cannot open%'"
                 " AND instr(message, char(27)) = 0 FROM attempt",
                 "1");
    /* it is cut between characters */
    place_expect(&place, "SELECT hex(message) LIKE '%C3A4' FROM attempt", "1");
    place_remove(&place);
}

static void a_lost_rank_is_named_whatever_another_said_of_its_stop(void **state)
{
    struct place place;

    (void)state;
    place_run_fake(&place, "lost_rank", "retries.max=1", 0);
    place_expect(&place, "SELECT message FROM attempt WHERE number = 1",
                 "rank 1 was killed by signal 9");
    place_expect(&place, "SELECT group_concat(outcome) FROM attempt", "killed,done");
    place_remove(&place);
}

static void a_worker_that_stands_still_is_found_and_tried_again(void **state)
{
    struct place place;

    (void)state;
    place_run_fake(&place, "hang_once", "resources.hang_s=2", 0);
    place_expect(&place, "SELECT group_concat(outcome) FROM attempt", "hang,done");
    place_expect(&place, "SELECT state FROM job", "done");
    place_remove(&place);
}

static void a_worker_whose_step_takes_longer_than_a_hang_goes_on(void **state)
{
    struct place place;

    (void)state;
    place_run_fake(&place, "long_step", "resources.hang_s=3", 0);
    place_expect(&place, "SELECT group_concat(outcome) FROM attempt", "done");
    place_remove(&place);
}

static void a_value_that_contradicts_an_earlier_attempt_is_quarantined(void **state)
{
    struct place place;

    (void)state;
    place_run_fake(&place, "other_value", "retries.max=2", 1);
    place_expect(&place, "SELECT state FROM job", "quarantined");
    place_expect(&place, "SELECT value FROM metric", "1.0");
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_of_workers_are_told_apart),
        cmocka_unit_test(a_killed_worker_with_a_memory_limit_was_killed),
        cmocka_unit_test(a_failure_that_passes_is_tried_again),
        cmocka_unit_test(a_worker_that_dies_shows_the_end_of_its_log),
        cmocka_unit_test(a_lost_rank_is_named_whatever_another_said_of_its_stop),
        cmocka_unit_test(a_worker_that_stands_still_is_found_and_tried_again),
        cmocka_unit_test(a_worker_whose_step_takes_longer_than_a_hang_goes_on),
        cmocka_unit_test(a_value_that_contradicts_an_earlier_attempt_is_quarantined),
    };

    return cmocka_run_group_tests_name("worker_faults", tests, NULL, NULL);
}
