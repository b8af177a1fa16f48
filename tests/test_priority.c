/* test_priority.c - whoever's runner is at work, jobs of a higher priority go first; what a runner
 * waits for, and what became of its runs, is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes a spec with these seeds, DIRECTORY/NAME.json; its path, fresh. */
static char *write_spec(const struct place *place, const char *name, int priority,
                        const char *seeds)
{
    struct error err = { 0 };
    char *path = format_string("%s/%s.json", place->directory, name);
    char *text = format_string(
        "{\"name\": \"%s\", \"priority\": %d, \"set\": {\"data.canvas\": 8, "
        "\"arch.hidden_size\":"
        " 16, \"arch.num_heads\": 2, \"arch.H_layers\": 1, \"arch.L_layers\": 1,"
        " \"arch.ffn_multiple\": 16, \"arch.puzzle_emb_ndim\": 16, \"train.max_steps\": 10,"
        " \"train.global_batch_size\": 8, \"retries.max\": 0}, \"seeds\": %s}",
        name, priority, seeds);

    assert_int_equal(file_write_atomic(path, text, strlen(text), &err), 0);
    free(text);
    return path;
}

/* The experiments of the attempts in the order of their starts, "a a b". */
static const char ORDER[] =
    "SELECT group_concat(name, ' ') FROM (SELECT e.name AS name FROM attempt t"
    " JOIN arm_run USING (run_id) JOIN arm USING (arm_id) JOIN experiment e USING "
    "(experiment_id)"
    " ORDER BY t.attempt_id)";

static const char AT_WORK[] = "SELECT count(*) FROM attempt WHERE state = 'running'";

static void a_job_of_higher_priority_goes_first_whoevers_runner_works(void **state)
{
    struct place place;

    (void)state;
    place_use_release("slow");
    place_make(&place);
    char *low = write_spec(&place, "low", 0, "[1, 2, 3]");
    char *high = write_spec(&place, "high", 5, "[4, 5]");
    char *lower = write_spec(&place, "lower", -5, "[6]");
    char *hold =
        file_join(place.directory, "hold"); /* the first worker goes on until it is gone */
    fclose(fopen(hold, "w"));
    setenv("FAKE_WORKER_HOLD", hold, 1);
    pid_t runner = place_start(&place, "run", low, "--jobs", "1", NULL);
    assert_true(place_wait_for(&place, AT_WORK, "1"));
    assert_int_equal(place_finish(place_start(&place, "queue", lower, NULL)), 0);
    pid_t follower = place_start(&place, "run", high, NULL);
    assert_true(place_wait_for(&place, "SELECT count(*) FROM job WHERE priority = 5", "2"));
    place_sleep_ms(1500); /* it says what it waits for, and the runner looks again */
    unlink(hold);
    assert_int_equal(place_finish(follower), 0);
    assert_int_equal(place_finish(runner), 0);
    place_expect(&place, ORDER, "low high high low low");
    place_expect(&place, "SELECT group_concat(DISTINCT state) FROM job WHERE priority >= 0",
                 "done");
    assert_true(place_output_has(&place, "waiting for 2 jobs of high (0 running, 2 queued); "
                                         "before them: 1 job running and 0 queued with a "
                                         "higher priority, of low"));
    assert_true(place_output_has(&place, "1 job of other experiments stays queued"));
    unsetenv("FAKE_WORKER_HOLD");
    free(hold);
    free(low);
    free(high);
    free(lower);
    place_remove(&place);
}

static void failed_runs_are_counted_by_their_causes(void **state)
{
    struct place place;

    (void)state;
    place_use_release("crash");
    place_make(&place);
    char *spec = write_spec(&place, "a", 0, "[1, 2, 3]");
    assert_int_equal(place_finish(place_start(&place, "run", spec, NULL)), 1);
    assert_true(place_output_has(&place, "3 of 3 jobs failed (3 crash); "));

    setenv("FAKE_WORKER_MODE", "garbage", 1);
    char *run = place_ask(&place, "SELECT hash FROM run LIMIT 1");
    assert_int_equal(place_finish(place_start(&place, "retry", run, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 1);
    assert_true(place_output_has(&place, "1 of 3 jobs failed (1 journal); "));
    free(run);
    free(spec);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_of_higher_priority_goes_first_whoevers_runner_works),
        cmocka_unit_test(failed_runs_are_counted_by_their_causes),
    };

    return cmocka_run_group_tests_name("priority", tests, NULL, NULL);
}
