/* test_queue.c - what queueing writes when specs share runs. */
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

/* Queues arms of the seeds given under that name; nothing is worked on. */
static void queue(const struct place *place, const char *name, int priority, const char *seeds,
                  const char *outer_steps, const char *grid)
{
    struct error err = { 0 };
    const char *const words[] = { "queue", place->spec, NULL };
    char *out, *errors;
    char *spec =
        format_string("{\"name\": \"%s\", \"priority\": %d, \"set\": {\"data.canvas\": 8,"
                      " \"arch.hidden_size\": 16, \"arch.num_heads\": 2}, \"seeds\": %s,"
                      " \"evaluate\": {\"eval.halt_max_steps\": %s}, \"grid\": %s}",
                      name, priority, seeds, outer_steps, grid);

    assert_non_null(spec);
    assert_int_equal(file_write_atomic(place->spec, spec, strlen(spec), &err), 0);
    assert_int_equal(place_run(place, words, &out, &errors), 0);
    free(spec);
    free(out);
    free(errors);
}

static const char PRIORITIES[] =
    "SELECT group_concat(seed || ':' || priority, ' ') FROM"
    " (SELECT seed, priority FROM job JOIN run USING (run_id) ORDER BY seed)";
static const char LINKS[] =
    "SELECT group_concat(name || ':' || runs || ':' || evaluations, ' ') FROM"
    " (SELECT e.name, (SELECT group_concat(seed, ',') FROM (SELECT seed FROM arm_run"
    "   JOIN run USING (run_id) WHERE arm_id = a.arm_id ORDER BY seed)) AS runs,"
    "  (SELECT count(*) FROM arm_evaluation WHERE arm_id = a.arm_id) AS evaluations"
    "  FROM experiment e JOIN arm a USING (experiment_id) ORDER BY e.experiment_id)";
static const char EVALUATIONS[] =
    "SELECT group_concat(seed || ':' || steps, ' ') FROM (SELECT seed,"
    " group_concat(outer_steps, ',') AS steps FROM (SELECT seed, outer_steps FROM evaluation"
    "  JOIN run USING (run_id) ORDER BY seed, outer_steps) GROUP BY seed)";

/* New runs before, between and behind those that are there. */
static void specs_share_runs_and_the_higher_priority_counts(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    queue(&place, "low", 0, "[4, 2]", "[1]", "{}");
    place_expect(&place, PRIORITIES, "2:0 4:0");
    queue(&place, "other", 1, "[9]", "[1]", "{}");
    queue(&place, "high", 5, "[1, 2, 3, 4, 5]", "[1, 3]", "{}");
    place_expect(&place, PRIORITIES, "1:5 2:5 3:5 4:5 5:5 9:1");
    place_expect(&place, LINKS, "low:2,4:2 other:9:1 high:1,2,3,4,5:10");
    place_expect(&place, EVALUATIONS, "1:1,3 2:1,3 3:1,3 4:1,3 5:1,3 9:1");
    queue(&place, "low", 0, "[4, 2]", "[1]", "{}");
    queue(&place, "high", 5, "[1, 2, 3, 4, 5]", "[1, 3]", "{}");
    place_expect(&place, PRIORITIES, "1:5 2:5 3:5 4:5 5:5 9:1");
    place_expect(&place, LINKS, "low:2,4:2 other:9:1 high:1,2,3,4,5:10");
    /* A job that is over keeps its priority. */
    place_change(&place, "UPDATE job SET state = 'cancelled' WHERE priority = 1");
    queue(&place, "higher", 7, "[9]", "[1]", "{}");
    place_expect(&place, PRIORITIES, "1:5 2:5 3:5 4:5 5:5 9:1 9:7");
    /* New jobs, when no others wait: the runs are still of "high". */
    place_change(&place, "UPDATE job SET state = 'cancelled'");
    queue(&place, "low", 0, "[4, 2]", "[1]", "{}");
    place_expect(&place, "SELECT group_concat(priority) FROM job WHERE state = 'queued'",
                 "5,5");
    /* One that waits already, then a new one. */
    queue(&place, "mixed", 0, "[4, 6]", "[1]", "{}");
    place_expect(&place,
                 "SELECT group_concat(seed) FROM (SELECT seed FROM job JOIN run USING (run_id)"
                 " WHERE state = 'queued' ORDER BY seed)",
                 "2,4,6");
    place_remove(&place);
}

/* As many evaluations as its own training had outer steps, for each arm. */
static void arms_have_evaluations_and_costs_of_their_own(void **state)
{
    static const char SHORTER[] =
        "SELECT count(*) FROM job JOIN run USING (run_id) JOIN training"
        " USING (training_id) JOIN evaluation USING (run_id) JOIN setting USING (run_id)"
        " WHERE key = 'arch.halt_max_steps' AND outer_steps = value"
        " AND cost > train_flops";
    struct place place;

    (void)state;
    place_make(&place);
    queue(&place, "arms", 0, "[1, 2]", "[0]", "{\"arch.halt_max_steps\": [2, 4, 8]}");
    place_expect(&place, SHORTER, "6");
    place_expect(&place, "SELECT count(*) FROM evaluation", "6");
    place_expect(&place, "SELECT count(*) FROM arm_evaluation", "6");
    place_expect(&place, "SELECT count(*) FROM inference", "3"); /* seeds share them */
    place_expect(&place, "SELECT count(*) FROM arm_inference", "3");
    place_expect(&place, "SELECT count(DISTINCT cost) FROM job", "3");
    place_remove(&place);
}

/* What seeds share is stored once, also where more of them come later; of other data or another
 * engine it is something else. */
static void seeds_of_an_arm_share_a_training(void **state)
{
    static const char SHARED[] =
        "SELECT group_concat(training_id || ':' || seeds, ' ') FROM (SELECT training_id,"
        " group_concat(seed) AS seeds FROM (SELECT training_id, seed FROM run"
        "  ORDER BY training_id, seed) GROUP BY training_id)";
    struct place place;

    (void)state;
    place_make(&place);
    queue(&place, "arms", 0, "[0, 1]", "[1]", "{\"arch.halt_max_steps\": [2, 4]}");
    place_expect(&place, SHARED, "1:0,1 2:0,1");
    queue(&place, "more", 0, "[0, 5]", "[1]", "{\"arch.halt_max_steps\": [2, 4]}");
    place_expect(&place, SHARED, "1:0,1,5 2:0,1,5");
    place_expect(&place,
                 "SELECT count(*) FROM training WHERE instr(canonical || job_config, 'seed')",
                 "0");
    place_change(&place, "UPDATE training SET data_hash = 'other' WHERE training_id = 1;"
                         "UPDATE training SET numeric_version = '1' WHERE training_id = 2");
    queue(&place, "again", 0, "[6, 7]", "[1]", "{\"arch.halt_max_steps\": [2, 4]}");
    place_expect(&place, SHARED, "1:0,1,5 2:0,1,5 3:6,7 4:6,7");
    place_remove(&place);
}

/* A trained run gets a job for what it lacks, and for nothing else. */
static void a_trained_run_is_asked_only_for_what_is_missing(void **state)
{
    static const char ASKED[] =
        "SELECT group_concat(kind || ':' || outer_steps, ' ') FROM (SELECT kind, outer_steps"
        " FROM job JOIN job_evaluation USING (job_id) JOIN evaluation USING (evaluation_id)"
        " ORDER BY outer_steps)";
    struct place place;
    char *out, *errors;

    (void)state;
    place_make(&place);
    place_use_release("ok");
    queue(&place, "first", 0, "[1]", "[1, 2]", "{}");
    const char *const work[] = { "work", NULL };
    assert_int_equal(place_run(&place, work, &out, &errors), 0);
    free(out);
    free(errors);
    place_expect(&place, "SELECT count(*) FROM evaluation_result WHERE checkpoint = 'last'",
                 "2");
    queue(&place, "second", 0, "[1]", "[2, 3, 4]", "{}");
    place_expect(&place, ASKED, "evaluate:3 evaluate:4");
    place_expect(&place, "SELECT group_concat(state) FROM job WHERE kind = 'train'", "done");
    place_remove(&place);
}

/* "beef" may be both: the experiment is meant. */
static void an_experiment_named_like_a_run_is_cancelled_alone(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    queue(&place, "first", 0, "[1]", "[1]", "{}");
    char *name = place_ask(&place, "SELECT substr(hash, 1, 6) FROM run");
    queue(&place, name, 0, "[2]", "[1]", "{}");
    assert_int_equal(place_finish(place_start(&place, "cancel", name, NULL)), 0);
    place_expect(&place,
                 "SELECT group_concat(seed || state, ' ') FROM"
                 " (SELECT seed, state FROM job JOIN run USING (run_id) ORDER BY seed)",
                 "1queued 2cancelled");
    free(name);
    place_remove(&place);
}

/* More than one run may begin so: none is touched. */
static void the_beginning_of_two_runs_cancels_neither(void **state)
{
    static const char *const commands[] = { "cancel", "retry" };
    struct place place;

    (void)state;
    place_make(&place);
    queue(&place, "first", 0, "[1, 2]", "[1]", "{}");
    place_change(&place, "UPDATE run SET hash = 'abcd' || seed || substr(hash, 6)");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(place_finish(place_start(&place, commands[i], "abcd", NULL)), 2);
        assert_true(place_output_has(&place, "several runs begin with \"abcd\""));
        place_expect(&place, "SELECT group_concat(state, ' ') FROM job",
                     i == 0 ? "queued queued" : "cancelled cancelled");
        if (i == 0)
            assert_int_equal(place_finish(place_start(&place, "cancel", "all", NULL)), 0);
    }
    assert_int_equal(place_finish(place_start(&place, "retry", "abcd2", NULL)), 0);
    place_expect(&place,
                 "SELECT group_concat(state, ' ') FROM (SELECT state FROM job JOIN run"
                 " USING (run_id) ORDER BY seed)",
                 "cancelled queued");
    place_remove(&place);
}

/* They write the same file of the spec. */
static void one_spec_is_queued_by_several_commands_at_a_time(void **state)
{
    enum { AT_ONCE = 8, ROUNDS = 6 };

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct place place;
        pid_t commands[AT_ONCE];

        place_make(&place);
        for (int i = 0; i < AT_ONCE; i++)
            commands[i] = place_start(&place, "queue", place.spec, NULL);
        for (int i = 0; i < AT_ONCE; i++)
            assert_int_equal(place_finish(commands[i]), 0);
        place_expect(&place, "SELECT count(*) || group_concat(DISTINCT state) FROM job",
                     "2queued");
        place_remove(&place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specs_share_runs_and_the_higher_priority_counts),
        cmocka_unit_test(arms_have_evaluations_and_costs_of_their_own),
        cmocka_unit_test(seeds_of_an_arm_share_a_training),
        cmocka_unit_test(a_trained_run_is_asked_only_for_what_is_missing),
        cmocka_unit_test(an_experiment_named_like_a_run_is_cancelled_alone),
        cmocka_unit_test(the_beginning_of_two_runs_cancels_neither),
        cmocka_unit_test(one_spec_is_queued_by_several_commands_at_a_time),
    };

    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
