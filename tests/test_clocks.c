/* test_clocks.c - clocks that are set, and a runner that was suspended while its workers went on or
 * were, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/place.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char ALL_DONE[] = "SELECT count(*) FROM job WHERE state = 'done'";

static void set_clock(const struct place *place, const char *seconds)
{
    char file[80];
    struct error err = { 0 };

    snprintf(file, sizeof file, "%s/clock", place->directory);
    assert_int_equal(file_write_atomic(file, seconds, strlen(seconds), &err), 0);
    setenv("FAULT_CLOCK", file, 1);
    setenv("LD_PRELOAD", place_shim(), 1);
}

static void leave_clock(void)
{
    unsetenv("FAULT_CLOCK");
    unsetenv("LD_PRELOAD");
}

/* A retry waits for seconds, also when the clock is set back by a day meanwhile. */
static void a_clock_that_is_set_back_delays_no_retry(void **state)
{
    struct place place;

    (void)state;
    place_use_release("fail_once");
    place_make(&place);
    set_clock(&place, "0");
    pid_t pid =
        place_start(&place, "run", place.spec, "--set", "retries.delay=1", "--jobs", "2", NULL);
    assert_true(place_wait_for(&place, "SELECT max(failures) FROM job", "1"));
    set_clock(&place, "-86400");
    int code = place_finish(pid);
    leave_clock();
    assert_int_equal(code, 0);
    place_expect(&place, ALL_DONE, "2");
    place_expect(&place, "SELECT count(*) FROM attempt", "4");
    place_remove(&place);
}

/* The age of an attempt that is taken over is that of its process. */
static void a_clock_that_is_set_forward_ends_no_attempt(void **state)
{
    struct place place;

    (void)state;
    place_use_release("slow");
    place_make(&place);
    set_clock(&place, "0");
    pid_t pid = place_start(&place, "run", place.spec, "--set", "resources.time_limit_min=30",
                            "--jobs", "2", NULL);
    assert_true(
        place_wait_for(&place, "SELECT count(*) FROM attempt WHERE state = 'running'", "2"));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    set_clock(&place, "864000");
    int code = place_finish(place_start(&place, "work", NULL));
    leave_clock();
    assert_int_equal(code, 0);
    place_expect(&place, ALL_DONE, "2");
    place_expect(&place, "SELECT count(*) FROM attempt", "2");
    place_remove(&place);
}

/* A place whose workers, of programs that are started from now on, last until the file hold is
 * gone or they are asked to end. */
static void make_held(struct place *place, char hold[80])
{
    struct error err = { 0 };

    place_use_release("slow");
    place_make(place);
    snprintf(hold, 80, "%s/hold", place->directory);
    assert_int_equal(file_write_atomic(hold, "", 0, &err), 0);
    setenv("FAKE_WORKER_HOLD", hold, 1);
}

/* The time in which the runner was suspended is not an attempt's, also where its worker has gone on
 * and said so. */
static void a_runner_that_was_suspended_ends_no_attempt(void **state)
{
    struct place place;
    char hold[80];

    (void)state;
    make_held(&place, hold);
    set_clock(&place, "0 0");
    pid_t pid = place_start(&place, "run", place.spec, "--set", "resources.time_limit_min=60",
                            "--set", "retries.max=0", NULL);
    unsetenv("FAKE_WORKER_HOLD");
    assert_true(place_wait_for(&place, "SELECT count(*) > 0 FROM metric", "1"));
    set_clock(&place, "0 7200");
    place_sleep_ms(1000);
    unlink(hold);
    int code = place_finish(pid);
    leave_clock();
    assert_int_equal(code, 0);
    place_expect(&place, ALL_DONE, "2");
    place_remove(&place);
}

/* Nor does it count where a worker was asked to end before: that still has its time for a
 * checkpoint. It stands still, and is there to go on. */
static void a_worker_asked_to_end_has_its_time_though_its_runner_was_suspended(void **state)
{
    struct place place;
    char hold[80];

    (void)state;
    make_held(&place, hold);
    set_clock(&place, "0 0");
    pid_t pid = place_start(&place, "run", place.spec, "--jobs", "2", NULL);
    unsetenv("FAKE_WORKER_HOLD");
    assert_true(place_wait_for(&place, "SELECT count(DISTINCT run_id) FROM metric", "2"));
    int stopped = place_signal_workers(&place, SIGSTOP);
    kill(pid, SIGINT);
    place_sleep_ms(1000);
    set_clock(&place, "0 7200");
    place_sleep_ms(1000);
    int left = place_signal_workers(&place, SIGCONT);
    int code = place_finish(pid);
    leave_clock();
    assert_int_equal(stopped, 4); /* and their keepers */
    assert_int_equal(left, stopped);
    assert_int_equal(code, 130);
    place_remove(&place);
}

/* Runner and workers are stopped for longer than a hang takes and go on, the runner first. Takes a
 * minute: with HRMLAB_LONG only. */
static void a_worker_that_was_stopped_with_its_runner_does_not_hang(void **state)
{
    struct place place;

    (void)state;
    if (getenv("HRMLAB_LONG") == NULL) {
        print_message("# skip: only with HRMLAB_LONG\n");
        skip();
    }
    place_use_release(NULL);
    place_make(&place);
    pid_t pid =
        place_start(&place, "run", place.spec, "--set", "retries.max=0", "--set",
                    "train.max_steps=6000", "--set", "train.checkpoint_interval=60", "--set",
                    "resources.time_limit_min=1", "--set", "resources.hang_s=60", NULL);
    assert_true(place_wait_for(&place, "SELECT count(*) > 0 FROM metric", "1"));
    kill(pid, SIGSTOP);
    assert_true(place_signal_workers(&place, SIGSTOP) > 0);
    place_sleep_ms(66000);
    kill(pid, SIGCONT);
    place_sleep_ms(300);
    place_signal_workers(&place, SIGCONT);
    place_sleep_ms(2000);
    place_expect(&place, "SELECT count(*) FROM job WHERE state = 'failed'", "0");
    kill(pid, SIGINT);
    assert_int_equal(place_finish(pid), 130);
    place_expect(&place, "SELECT sum(failures) FROM job", "0");
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_is_set_back_delays_no_retry),
        cmocka_unit_test(a_clock_that_is_set_forward_ends_no_attempt),
        cmocka_unit_test(a_runner_that_was_suspended_ends_no_attempt),
        cmocka_unit_test(a_worker_asked_to_end_has_its_time_though_its_runner_was_suspended),
        cmocka_unit_test(a_worker_that_was_stopped_with_its_runner_does_not_hang),
    };

    return cmocka_run_group_tests_name("clocks", tests, NULL, NULL);
}
