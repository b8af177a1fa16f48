/* test_verify.c - trainings and evaluations that are done again must give what is stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "file.h"
#include "support/place.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void verify_trains_again_and_finds_every_difference(void **state)
{
    static const char *const changes[][2] = {
        { "UPDATE metric SET value = value + 1e-9 WHERE name = 'train/lm_loss' AND step = 30",
          "UPDATE metric SET value = value - 1e-9 WHERE name = 'train/lm_loss' AND step = 30" },
        { "UPDATE measure_value SET value = value / 2 WHERE name = 'per_token_accuracy'",
          "UPDATE measure_value SET value = value * 2 WHERE name = 'per_token_accuracy'" },
        { "CREATE TABLE v AS SELECT * FROM measure_value WHERE name = 'lm_loss';"
          " DELETE FROM measure_value WHERE name = 'lm_loss'",
          "INSERT INTO measure_value SELECT * FROM v" },
        { "UPDATE task_outcome SET votes = votes + 1",
          "UPDATE task_outcome SET votes = votes - 1" },
        { "UPDATE baseline SET pass_at_2 = pass_at_2 + 1",
          "UPDATE baseline SET pass_at_2 = pass_at_2 - 1" },
        { "UPDATE checkpoint SET weights_hash = 'a' || weights_hash",
          "UPDATE checkpoint SET weights_hash = substr(weights_hash, 2)" },
        /* What training again adds, and what it has not. */
        { "CREATE TABLE m AS SELECT * FROM metric WHERE step > 10;"
          " DELETE FROM metric WHERE step > 10",
          "INSERT INTO metric SELECT * FROM m" },
        { "CREATE TABLE o AS SELECT * FROM task_outcome; DELETE FROM task_outcome",
          "INSERT INTO task_outcome SELECT * FROM o" },
        { "CREATE TABLE e AS SELECT * FROM evaluation_result WHERE checkpoint = 'untrained';"
          " DELETE FROM evaluation_result WHERE checkpoint = 'untrained'",
          "INSERT INTO evaluation_result SELECT * FROM e" },
        { "INSERT INTO metric SELECT run_id, 'train/invented', 1, 0.5 FROM run",
          "DELETE FROM metric WHERE name = 'train/invented'" },
    };
    struct place place;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, "--set",
                                              "train.max_steps=30", NULL)),
                     0);
    char *run = place_ask(&place, "SELECT hash FROM run ORDER BY run_id LIMIT 1");
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    assert_true(place_output_has(&place, "is the same bit for bit"));
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        place_change(&place, changes[i][0]);
        int code = place_finish(place_start(&place, "verify", run, NULL));
        if (code != 1)
            fail_msg("verify after %s: exit %d", changes[i][0], code);
        place_change(&place, changes[i][1]);
    }
    assert_true(place_output_has(&place, "DIFFERS"));
    assert_true(place_output_has(&place, "is missing in the database"));
    assert_true(place_output_has(&place, "missing when trained again"));
    /* Results of a release that did not have a measure are as good without it. */
    place_change(&place, "CREATE TABLE w AS SELECT * FROM measure_value WHERE name = 'oracle';"
                         " DELETE FROM measure_value WHERE name = 'oracle'");
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    place_change(&place, "INSERT INTO measure_value SELECT * FROM w");
    /* An evaluation that was asked for later has no results from before the end. */
    assert_int_equal(place_finish(place_start(
                         &place, "queue", place.spec, "--set", "train.max_steps=30", "--set",
                         "eval.halt_max_steps=3", "--set", "eval.trajectory=true", NULL)),
                     0);
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 0);
    place_expect(&place, "SELECT count(*) > 0 FROM measure_value WHERE position > 0", "1");
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    place_change(
        &place,
        "UPDATE measure_value SET value = value + 1 WHERE"
        " name = 'pass_at_2' AND evaluation_id IN (SELECT evaluation_id FROM evaluation WHERE"
        " outer_steps = 3)");
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 1);
    free(run);
    place_remove(&place);
}

static void a_diverged_training_is_a_result_with_its_step(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(
                         &place, "run", place.spec, "--set", "train.lr=10", "--set",
                         "train.weight_decay=10", "--set", "train.lr_warmup_steps=0", "--set",
                         "train.max_steps=200", "--set", "arch.name=transformer", NULL)),
                     0);
    place_expect(&place, "SELECT state || ' ' || cause FROM job", "done diverged");
    place_expect(&place, "SELECT count(*) FROM attempt WHERE outcome = 'diverged'", "1");
    place_expect(&place, "SELECT message GLOB 'loss * at step [1-9]*' FROM attempt", "1");
    place_expect(&place, "SELECT message = (SELECT message FROM attempt) FROM job", "1");
    char *run = place_ask(&place, "SELECT hash FROM run");
    char *message = place_ask(&place, "SELECT message FROM attempt");
    assert_int_equal(place_finish(place_start(&place, "show", run, NULL)), 0);
    assert_true(place_output_has(&place, message));
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    place_change(&place, "UPDATE attempt SET message = 'loss nan at step 59'");
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 1);
    assert_true(place_output_has(&place, "stored is loss nan at step 59"));
    free(message);
    free(run);
    place_remove(&place);
}

/* Runs a training that diverges; the step at which it does. */
static int diverge(const char *end)
{
    struct place place;

    place_make(&place);
    assert_int_equal(place_finish(place_start(
                         &place, "run", place.spec, "--set", "train.lr=10", "--set",
                         "train.weight_decay=10", "--set", "train.lr_warmup_steps=0", "--set",
                         "train.max_steps=200", "--set", "train.global_batch_size=80", "--set",
                         "arch.name=transformer", "--set", end, NULL)),
                     0);
    place_expect(&place, "SELECT state || ' ' || cause FROM job", "done diverged");
    char *message = place_ask(&place, "SELECT message FROM attempt");
    int step = atoi(strstr(message, "at step ") + strlen("at step "));
    char *run = place_ask(&place, "SELECT hash FROM run");
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    free(message);
    free(run);
    place_remove(&place);
    return step;
}

/* Before a loss that is not finite stand weights that have none: at the training's end or at
 * an interim evaluation, here after each step, they are found by that. */
static void weights_without_a_finite_loss_are_not_evaluated(void **state)
{
    char end[40];

    (void)state;
    int step = diverge("train.ema_rate=0");
    snprintf(end, sizeof end, "train.max_steps=%d", step - 1);
    assert_int_equal(diverge(end), step - 1);
    assert_int_equal(diverge("train.eval_interval=1"), step - 1);
}

/* How many folders there are below verify/ whose worker has begun. */
static int repetitions_at_work(const struct place *place)
{
    char pattern[120];
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s/verify/*/attempts/1/journal.jsonl", place->workspace);
    int rc = glob(pattern, 0, NULL, &found);
    int count = rc == 0 ? (int)found.gl_pathc : 0;
    globfree(&found);
    return count;
}

/* gc --force; whether it has found what verify left. */
static bool gc_takes_a_repetition(const struct place *place)
{
    const char *const line[] = { "gc", "--force", "--format", "csv", NULL };
    char *out, *errors;

    assert_int_equal(place_run(place, line, &out, &errors), 0);
    bool found = strstr(out, "\"trainings that verify left\",1,") != NULL;
    assert_int_equal(found, strstr(out, "\"trainings that verify left\",0,") == NULL);
    free(out);
    free(errors);
    return found;
}

/* Its worker trains for as long as there is the file `hold`. */
static void what_a_killed_verify_leaves_ends_and_is_garbage(void **state)
{
    struct place place;

    (void)state;
    place_run_fake(&place, "ok", "train.max_steps=2", 0);
    char *run = place_ask(&place, "SELECT hash FROM run"), *real = strdup(place_worker());
    char *hold = file_join(place.directory, "hold");
    fclose(fopen(hold, "w"));
    setenv("FAKE_WORKER_HOLD", hold, 1);
    place_use_fake("slow");
    pid_t verify = place_start(&place, "verify", run, NULL);
    for (int i = 0; i < 1000 && repetitions_at_work(&place) == 0; i++)
        place_sleep_ms(10);
    assert_int_equal(repetitions_at_work(&place), 1);
    assert_false(gc_takes_a_repetition(&place));
    assert_int_equal(repetitions_at_work(&place), 1);
    kill(verify, SIGKILL);
    assert_int_equal(place_finish(verify), 128 + SIGKILL);
    assert_true(place_becomes_quiet(&place)); /* the worker, too */
    assert_true(gc_takes_a_repetition(&place));
    assert_int_equal(repetitions_at_work(&place), 0);
    setenv("HRMLAB_WORKER", real, 1);
    unsetenv("FAKE_WORKER_HOLD");
    free(hold);
    free(real);
    free(run);
    place_remove(&place);
}

/* They pass through job.json, and those of the evaluation through the journal. */
static void settings_of_17_digits_reach_the_worker_and_come_back(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(
                         &place, "run", place.spec, "--set", "train.max_steps=2", "--set",
                         "train.lr=0.30000000000000004", "--set", "eval.halt_rule=residual",
                         "--set", "eval.halt_epsilon=0.30000000000000004", NULL)),
                     0);
    place_expect(&place,
                 "SELECT count(*) > 0 FROM evaluation JOIN evaluation_result USING"
                 " (evaluation_id) WHERE checkpoint = 'last'"
                 " AND canonical LIKE '%0.30000000000000004%'",
                 "1");
    char *run = place_ask(&place, "SELECT hash FROM run ORDER BY run_id LIMIT 1");
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    free(run);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verify_trains_again_and_finds_every_difference),
        cmocka_unit_test(a_diverged_training_is_a_result_with_its_step),
        cmocka_unit_test(weights_without_a_finite_loss_are_not_evaluated),
        cmocka_unit_test(what_a_killed_verify_leaves_ends_and_is_garbage),
        cmocka_unit_test(settings_of_17_digits_reach_the_worker_and_come_back),
    };

    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
