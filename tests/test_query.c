/* test_query.c - results are the same however they are loaded, and each run counts once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arm_find.h"
#include "baselines.h"
#include "error.h"
#include "evaluation_keys.h"
#include "evaluation_order.h"
#include "evaluation_words.h"
#include "figure.h"
#include "filter.h"
#include "id_range.h"
#include "measure_rows.h"
#include "origin.h"
#include "query.h"
#include "run_facts.h"
#include "store.h"
#include "trajectories.h"
#include "trajectory_table.h"
#include "support/opened.h"
#include "support/release_1.h"

static struct opened opened;
static struct store *store;

static void change(const char *sql)
{
    database_change(opened.directory, sql);
}

/* The workspace of the first release, upgraded: two arms, one seed, two evaluations. */
static int open_workspace(void **state)
{
    (void)state;
    opened_make(&opened);
    store = opened.store;
    return 0;
}

static int close_workspace(void **state)
{
    (void)state;
    opened_remove(&opened);
    return 0;
}

static struct results *load(enum results_scope scope)
{
    struct results *results;
    struct error err;

    must(results_load(&results, store, "last", NULL, 0, scope, &err), &err);
    return results;
}

static void expect_same(double a, double b)
{
    assert_true(isnan(a) ? isnan(b) : memcmp(&a, &b, sizeof a) == 0);
}

static void measures_loaded_one_by_one_are_those_loaded_at_once(void **state)
{
    struct results *whole = load(RESULTS_LAST), *rows = load(RESULTS_ROWS);
    struct error err;
    int known = 0;

    (void)state;
    assert_true(whole->row_count > 0);
    assert_int_equal(rows->row_count, whole->row_count);
    for (int i = 0; i < rows->row_count; i++)
        assert_true(isnan(result_value(rows, &rows->rows[i], METRIC_PASS_AT_2)));
    for (int m = 0; m < METRIC_COUNT; m++) {
        must(results_load_metric(rows, store, (enum metric)m, &err), &err);
        must(results_load_metric(whole, store, (enum metric)m, &err), &err);
    }
    for (int i = 0; i < rows->row_count; i++)
        for (int m = 0; m < METRIC_COUNT; m++) {
            double value = result_value(whole, &whole->rows[i], (enum metric)m);

            expect_same(result_value(rows, &rows->rows[i], (enum metric)m), value);
            known += !isnan(value);
        }
    assert_true(known > rows->row_count * 10);
    results_destroy(rows);
    results_destroy(whole);
}

static void measures_loaded_together_are_those_loaded_at_once(void **state)
{
    /* in and not in the order of the table, columns and searched for */
    static const enum metric SOME[] = { METRIC_LM_LOSS, METRIC_PER_TOKEN_ACCURACY,
                                        METRIC_PER_TOKEN_ACCURACY_ORIGINAL,
                                        METRIC_MEAN_OUTER_STEPS };
    enum { SOME_COUNT = sizeof SOME / sizeof *SOME };
    struct results *whole = load(RESULTS_LAST), *rows = load(RESULTS_ROWS);
    int known[SOME_COUNT] = { 0 };
    struct error err;

    (void)state;
    assert_int_equal(SOME_COUNT, MEASURE_COLUMNS_MOST);
    must(results_load_metrics(rows, store, SOME, SOME_COUNT, &err), &err);
    for (int i = 0; i < rows->row_count; i++)
        for (int m = 0; m < SOME_COUNT; m++) {
            double value = result_value(whole, &whole->rows[i], SOME[m]);

            expect_same(result_value(rows, &rows->rows[i], SOME[m]), value);
            known[m] += !isnan(value);
        }
    for (int m = 0; m < SOME_COUNT; m++)
        assert_true(known[m] > 0);
    results_destroy(rows);
    results_destroy(whole);
}

static void rows_that_are_added_bring_their_measures(void **state)
{
    static const enum metric MINE = METRIC_PASS_AT_1, THEIRS = METRIC_EXACT_ROWS;
    struct results *whole = load(RESULTS_LAST), *rows = load(RESULTS_ROWS);
    struct results *others = load(RESULTS_ROWS);
    int count = rows->row_count;
    struct error err;

    (void)state;
    must(results_load_metric(rows, store, MINE, &err), &err);
    must(results_load_metric(others, store, THEIRS, &err), &err);
    must(results_append(rows, others, &err), &err);
    assert_int_equal(rows->row_count, 2 * count);
    for (int i = 0; i < count; i++) {
        const struct result_row *mine = &rows->rows[i], *theirs = &rows->rows[count + i];

        assert_int_equal(theirs->evaluation_id, mine->evaluation_id);
        expect_same(result_value(rows, mine, MINE), result_value(whole, &whole->rows[i], MINE));
        assert_true(isnan(result_value(rows, mine, THEIRS)));
        assert_true(isnan(result_value(rows, theirs, MINE)));
        expect_same(result_value(rows, theirs, THEIRS),
                    result_value(whole, &whole->rows[i], THEIRS));
        assert_true(isnan(result_value(rows, theirs, METRIC_PASS_AT_2)));
    }
    results_destroy(others);
    results_destroy(rows);
    results_destroy(whole);
}

static void baselines_of_some_measures_are_those_of_all(void **state)
{
    static const enum metric SOME[] = { METRIC_PASS_AT_2, METRIC_PER_TOKEN_ACCURACY,
                                        METRIC_PER_TOKEN_ACCURACY_ORIGINAL };
    enum { SOME_COUNT = sizeof SOME / sizeof *SOME };
    struct results *results = load(RESULTS_ROWS);
    struct baselines all, some;
    struct error err;

    (void)state;
    must(baselines_load(&all, store, results, &err), &err);
    must(baselines_load_some(&some, store, results, SOME, SOME_COUNT, &err), &err);
    assert_true(all.count > 0);
    assert_int_equal(some.count, all.count);
    for (int i = 0; i < all.count; i++) {
        assert_int_equal(some.items[i].untrained_runs, all.items[i].untrained_runs);
        for (int m = 0; m < SOME_COUNT; m++) {
            expect_same(some.items[i].untrained[SOME[m]], all.items[i].untrained[SOME[m]]);
            expect_same(some.items[i].copy[SOME[m]], all.items[i].copy[SOME[m]]);
        }
        assert_true(!isnan(all.items[i].untrained[METRIC_LM_LOSS]));
        assert_true(isnan(some.items[i].untrained[METRIC_LM_LOSS]));
    }
    baselines_release(&some);
    baselines_release(&all);
    results_destroy(results);
}

static void a_sample_of_rows_before_training_is_told(void **state)
{
    struct baselines baselines;
    struct results *results;
    struct error err;

    (void)state;
    for (int sampled = 0; sampled < 2; sampled++) {
        if (sampled)
            change("UPDATE evaluation_result SET rows_count = iif(checkpoint = 'last', 80, 30);"
                   "UPDATE evaluation_result SET rows_count = 20 WHERE checkpoint = 'untrained'"
                   " AND evaluation_id = 1");
        results = load(RESULTS_ROWS);
        must(baselines_load(&baselines, store, results, &err), &err);
        assert_int_equal(baselines.count, 1);
        assert_int_equal(baselines.items[0].untrained_rows, sampled ? 20 : 0);
        assert_int_equal(baselines.items[0].all_rows, sampled ? 80 : 0);
        baselines_release(&baselines);
        results_destroy(results);
    }
}

/* Attempts to evaluate do not count as training, those of a second training do. */
static void only_attempts_to_train_cost_training(void **state)
{
    struct results *results;

    (void)state;
    change(
        "UPDATE attempt SET user_seconds = 1, system_seconds = 0;"
        "INSERT INTO job (job_id, run_id, kind, state, queued_at) VALUES"
        " (100, 1, 'evaluate', 'done', ''), (101, 1, 'train', 'done', ''),"
        " (102, 2, 'evaluate', 'done', '');"
        "INSERT INTO attempt (job_id, run_id, number, directory, executor, state, started_at,"
        " user_seconds, system_seconds) VALUES (100, 1, 11, '', '', 'ended', '', 10, 0),"
        " (101, 1, 12, '', '', 'ended', '', 100, 0),"
        " (102, 2, 11, '', '', 'ended', '', 1000, 0)");
    results = load(RESULTS_LAST);
    for (int i = 0; i < results->row_count; i++)
        assert_true(fabs(results->rows[i].train_cpu_seconds -
                         (results->rows[i].run_id == 1 ? 101 : 1)) <= 0.0);
    results_destroy(results);
}

static void a_run_of_two_arms_counts_once_and_has_its_cost_once(void **state)
{
    struct results *before = load(RESULTS_LAST);
    struct results *after;

    (void)state;
    change("INSERT INTO arm (experiment_id, position, label, axes) SELECT experiment_id, 9, "
           "'twin',"
           " '{}' FROM arm LIMIT 1;"
           "INSERT INTO arm_run SELECT (SELECT max(arm_id) FROM arm), run_id FROM arm_run;"
           "INSERT INTO arm_evaluation SELECT (SELECT max(arm_id) FROM arm), evaluation_id"
           " FROM arm_evaluation;"
           "UPDATE attempt SET user_seconds = 3.0, system_seconds = 0.5");
    after = load(RESULTS_LAST);
    assert_int_equal(after->row_count, 2 * before->row_count);
    assert_int_equal(after->runs.total, before->runs.total);
    for (int i = 0; i < after->row_count; i++)
        assert_true(fabs(after->rows[i].train_cpu_seconds - 3.5) <= 0.0);
    results_destroy(after);
    results_destroy(before);
}

static void the_last_training_is_the_state_unless_one_is_done(void **state)
{
    struct results *results;

    (void)state;
    change("INSERT INTO job (run_id, kind, state, cause, queued_at) SELECT run_id, 'train',"
           " 'failed', 'crash', '' FROM run");
    results = load(RESULTS_LAST);
    assert_int_equal(results->rows[0].state, RUN_DONE);
    results_destroy(results);
    change("UPDATE job SET state = 'cancelled' WHERE state = 'done'");
    results = load(RESULTS_LAST);
    assert_int_equal(results->rows[0].state, RUN_FAILED);
    assert_string_equal(results->rows[0].cause, "crash");
    assert_string_equal(results->rows[0].checkpoint, "");
    assert_int_equal(results->runs.of[RUN_FAILED], results->runs.total);
    results_destroy(results);
}

static struct id_list runs_of(const struct results *results)
{
    struct id_list runs;
    struct error err;

    must(run_ids_of(&runs, store, results, &err), &err);
    return runs;
}

static int count_failures(const struct results *results)
{
    const struct arm_range all = { results->experiment_id, INT64_MIN, INT64_MAX };
    struct origin_failures failures;
    struct run_facts facts;
    struct error err;

    must(run_facts_load(&facts, store, &all, false, &err), &err);
    must(origin_failures(&failures, store, &facts, results->experiment_id, &err), &err);
    int count = failures.count;
    for (int i = 1; i < count; i++)
        assert_true(failures.items[i].arm_position > failures.items[i - 1].arm_position);
    origin_failures_release(&failures);
    run_facts_release(&facts);
    return count;
}

static void the_last_training_tells_whether_a_run_failed(void **state)
{
    struct results *results = load(RESULTS_ROWS);

    (void)state;
    assert_int_equal(count_failures(results), 0);
    change("INSERT INTO job (run_id, kind, state, cause, queued_at) SELECT run_id, 'train',"
           " 'failed', 'crash', '' FROM run");
    assert_int_equal(count_failures(results), results->runs.total);
    change("INSERT INTO job (run_id, kind, state, queued_at) SELECT run_id, 'train',"
           " 'done', '' FROM run");
    assert_int_equal(count_failures(results), 0);
    change("INSERT INTO job (run_id, kind, state, cause, queued_at) SELECT run_id, 'train',"
           " 'done', 'diverged', '' FROM run WHERE run_id = 1;"
           "INSERT INTO job (run_id, kind, state, cause, queued_at) SELECT run_id, 'evaluate',"
           " 'failed', 'crash', '' FROM run");
    assert_int_equal(count_failures(results), 1);
    results_destroy(results);
}

static void conditions_do_not_change_what_an_experiment_cost(void **state)
{
    static const char *const ONE[] = { "arch.name=hrm" }, *const NONE[] = { "seed=77" };
    struct figure_source all, one, none;
    struct error err;

    (void)state;
    change("UPDATE training SET train_flops = NULL WHERE training_id = 2");
    must(figure_source_open(&all, store, "last", NULL, 0, METRIC_PASS_AT_2, NULL, &err), &err);
    must(figure_source_open(&one, store, "last", ONE, 1, METRIC_PASS_AT_2, NULL, &err), &err);
    must(figure_source_open(&none, store, "last", NONE, 1, METRIC_PASS_AT_2, NULL, &err), &err);
    assert_true(one.results->row_count > 0);
    assert_true(one.results->row_count < all.results->row_count);
    assert_int_equal(none.results->row_count, 0);
    struct origin_cost cost = origin_cost(all.facts), same = origin_cost(one.facts);

    assert_int_equal(cost.trained, all.results->runs.total);
    assert_true(cost.flops > 0);
    assert_int_equal(same.trained, cost.trained);
    assert_true(same.flops == cost.flops);
    assert_int_equal(origin_cost(none.facts).trained, cost.trained);
    assert_int_equal(one.runs.count, all.runs.count);
    figure_source_close(&all);
    figure_source_close(&one);
    figure_source_close(&none);
}

static void attempts_of_unknown_programs_cost_as_much(void **state)
{
    struct results *results = load(RESULTS_ROWS);
    struct id_list runs = runs_of(results);
    struct origin_builds before, after;
    struct error err;
    int attempts[2] = { 0, 0 };

    (void)state;
    change("UPDATE attempt SET user_seconds = 2.5, system_seconds = 0.25;"
           "UPDATE attempt SET system_seconds = NULL WHERE attempt_id = 1");
    must(origin_builds(&before, store, &runs, &err), &err);
    change("UPDATE attempt SET engine_version = NULL WHERE attempt_id = 1");
    must(origin_builds(&after, store, &runs, &err), &err);
    for (int i = 0; i < before.count; i++)
        attempts[0] += before.items[i].attempts;
    for (int i = 0; i < after.count; i++)
        attempts[1] += after.items[i].attempts;
    assert_int_equal(attempts[1], attempts[0] - 1);
    assert_true(before.cpu_seconds == 2.75 * attempts[0] - 0.25);
    assert_true(after.cpu_seconds == before.cpu_seconds);
    origin_builds_release(&before);
    origin_builds_release(&after);
    id_list_release(&runs);
    results_destroy(results);
}

static void interim_results_are_noticed(void **state)
{
    struct results *results = load(RESULTS_ROWS);
    struct error err;
    bool any = true;

    (void)state;
    must(results_have_interim(&any, store, results, &err), &err);
    assert_false(any);
    change("INSERT INTO evaluation_result (evaluation_id, step, checkpoint, tasks, rows_count, "
           "seconds) SELECT evaluation_id, step + 1, 'interim', tasks,"
           " rows_count, seconds FROM evaluation_result WHERE checkpoint = 'last'"
           " ORDER BY evaluation_id DESC LIMIT 1");
    must(results_have_interim(&any, store, results, &err), &err);
    assert_true(any);
    results_destroy(results);
}

static void ids_close_together_and_far_apart_are_each_read_once(void **state)
{
    static const int64_t ASKED[] = { 70, 3, 5, 1000000, 4, 5, 14, 999999, 3 };
    static const int64_t ORDERED[] = { 3, 4, 5, 14, 70, 999999, 1000000 };
    enum { ASKED_COUNT = 9, COUNT = 7 };
    struct id_list list;
    struct error err;
    int seen = 0, rc;

    (void)state;
    assert_true(id_list_init(&list, ASKED_COUNT));
    memcpy(list.ids, ASKED, sizeof ASKED);
    list.count = ASKED_COUNT;
    id_list_order(&list);
    assert_int_equal(list.count, COUNT);
    assert_memory_equal(list.ids, ORDERED, sizeof ORDERED);

    /* two rows of every id there is */
    struct id_query query = id_query_begin_with(
        store, &list,
        "WITH RECURSIVE n(i) AS (VALUES (?1) UNION ALL SELECT i + 1 FROM n WHERE i < ?2)"
        " SELECT i, ?3 FROM n, (VALUES (0), (1)) ORDER BY i",
        "text");

    while ((rc = id_query_step(&query, &err)) > 0) {
        assert_int_equal(query.place, seen / 2);
        assert_int_equal(sqlite3_column_int64(query.s, 0), ORDERED[seen / 2]);
        assert_string_equal((const char *)sqlite3_column_text(query.s, 1), "text");
        seen++;
    }
    must(rc, &err);
    assert_int_equal(seen, 2 * COUNT);
    id_list_release(&list);
}

static void results_do_not_depend_on_the_numbers_of_runs(void **state)
{
    struct results *before = load(RESULTS_LAST), *after;

    (void)state;
    change("PRAGMA foreign_keys = OFF; BEGIN;"
           "UPDATE run SET run_id = run_id * 1000; UPDATE arm_run SET run_id = run_id * 1000;"
           "UPDATE job SET run_id = run_id * 1000; UPDATE attempt SET run_id = run_id * 1000;"
           "UPDATE run_inference SET run_id = run_id * 1000, evaluation_id = -evaluation_id;"
           "UPDATE evaluation_result SET evaluation_id = -evaluation_id;"
           "UPDATE measure_value SET evaluation_id = -evaluation_id;"
           "UPDATE task_outcome SET evaluation_id = -evaluation_id; COMMIT");
    after = load(RESULTS_LAST);
    assert_int_equal(after->row_count, before->row_count);
    for (int i = 0; i < after->row_count; i++) {
        assert_string_equal(after->rows[i].hash, before->rows[i].hash);
        assert_string_equal(after->rows[i].data_hash, before->rows[i].data_hash);
        assert_int_equal(after->rows[i].state, before->rows[i].state);
        expect_same(after->rows[i].train_seconds, before->rows[i].train_seconds);
        for (int m = 0; m < METRIC_COUNT; m++)
            expect_same(result_value(after, &after->rows[i], (enum metric)m),
                        result_value(before, &before->rows[i], (enum metric)m));
    }
    results_destroy(after);
    results_destroy(before);
}

static void the_arms_alone_have_no_rows(void **state)
{
    struct results *results = load(RESULTS_ARMS);

    (void)state;
    assert_int_equal(results->row_count, 0);
    assert_int_equal(results->arm_count, 2);
    results_destroy(results);
}

/* Of two arms named only these are read, as if all had been. */
static void of_two_arms_only_their_rows_are_loaded(void **state)
{
    struct results *all = load(RESULTS_BARE);
    const char *second = all->arms[1].label;
    const char *given[2] = { second, second }, *names[2] = { NULL, NULL };
    struct results *results = NULL;
    struct error err;
    int expected = 0;

    (void)state;
    for (int i = 0; i < all->row_count; i++)
        expected += all->rows[i].arm == 1;
    assert_true(expected > 0 && expected < all->row_count);
    must(arm_load_two(&results, names, store, all->experiment, given, NULL, 0, &err), &err);
    assert_string_equal(names[0], second);
    assert_int_equal(results->arm_count, 2);
    assert_int_equal(results->row_count, expected);
    for (int i = 0, k = all->row_count - expected; i < expected; i++, k++) {
        assert_int_equal(results->rows[i].arm, 1);
        assert_int_equal(results->rows[i].evaluation_id, all->rows[k].evaluation_id);
        assert_string_equal(results->rows[i].hash, all->rows[k].hash);
    }
    assert_true(results->runs.total < all->runs.total);
    results_destroy(results);

    given[0] = all->arms[0].label;
    results = NULL;
    must(arm_load_two(&results, names, store, all->experiment, given, NULL, 0, &err), &err);
    assert_int_equal(results->row_count, all->row_count);
    results_destroy(results);

    given[1] = "no such arm";
    results = NULL;
    assert_int_equal(
        arm_load_two(&results, names, store, all->experiment, given, NULL, 0, &err),
        ERROR_ABSENT);
    results_destroy(results);
    results_destroy(all);
}

/* Without them five halting rules at four steps would all be "infer 4, voted all". */
static void an_evaluations_label_names_what_others_do_not_have(void **state)
{
    static const struct {
        const char *evaluation, *other, *words;
    } CASES[] = {
        { "{\"eval.halt_max_steps\":4}", NULL, "x" },
        { "{\"eval.halt_rule\":\"residual\",\"eval.halt_epsilon\":0.25}", NULL,
          "x, halt_rule residual, halt_epsilon 0.25" },
        { "{\"eval.halt_rule\":\"q\"}", "{\"eval.halt_rule\":\"q\"}", "x, halt_rule q" },
        { "{}", "{\"eval.halt_rule\":\"q\"}", "x, halt_rule max" },
        { "{\"eval.trajectory\":true}", "{\"eval.trajectory\":true}", "x" },
        { "{\"eval.trajectory\":true}", "{}", "x, trajectory true" },
        { "{\"eval.trajectory\":true}", NULL, "x, trajectory true" },
        { "{\"eval.seed\":0}", NULL, "x" },
        { "{\"eval.seed\":1}", "{\"eval.seed\":1}", "x, eval.seed 1" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *label = evaluation_words_add(strdup("x"), CASES[i].evaluation, CASES[i].other);

        assert_string_equal(label, CASES[i].words);
        free(label);
    }
}

static void settings_of_one_halting_rule_have_no_effect_under_another(void **state)
{
    static const char *const RULES[] = { "max", "q", "q_positive", "stable", "residual" };

    (void)state;
    for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++) {
        char text[60];

        snprintf(text, sizeof text, "{\"eval.halt_rule\":\"%s\"}", RULES[i]);
        assert_int_equal(evaluation_key_has_effect(text, EVALUATION_HALT_PATIENCE),
                         strcmp(RULES[i], "stable") == 0);
        assert_int_equal(evaluation_key_has_effect(text, EVALUATION_HALT_EPSILON),
                         strcmp(RULES[i], "residual") == 0);
        assert_true(evaluation_key_has_effect(text, EVALUATION_ROLLOUTS));
    }
}

/* In the order of the table of settings, whatever the texts are. */
static void evaluations_are_listed_by_what_their_settings_mean(void **state)
{
    static char texts[][100] = {
        "{\"eval.halt_max_steps\":16}",
        "{\"eval.halt_epsilon\":1,\"eval.halt_max_steps\":4,\"eval.halt_rule\":\"residual\"}",
        "{\"eval.halt_max_steps\":4,\"eval.halt_rule\":\"q\"}",
        "{\"eval.augmentations\":100,\"eval.halt_max_steps\":4}",
        "{\"eval.augmentations\":20,\"eval.halt_max_steps\":4}",
        "{\"eval.augmentations\":\"all\",\"eval.halt_max_steps\":1}",
        "{\"eval.augmentations\":20,\"eval.halt_max_steps\":1}",
        "{\"eval.augmentations\":20,\"eval.halt_max_steps\":1,\"eval.act_inference\":true}",
    };
    enum { COUNT = sizeof texts / sizeof *texts };
    static const int EXPECTED[COUNT] = { 7, 6, 5, 4, 3, 2, 0, 1 };
    char *list[COUNT];
    int places[COUNT];
    struct error err;

    (void)state;
    for (int i = 0; i < COUNT; i++)
        list[i] = texts[i];
    must(evaluation_order(places, list, COUNT, &err), &err);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(places[i], EXPECTED[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_workspace, close_workspace)

/* Around names and numbers they were accepted, around words they were part of them. */
static void blanks_around_a_relation_belong_to_nothing(void **state)
{
    static const char *const CONDITIONS[] = { "arch.name = hrm", " arch.name= hrm ",
                                              "tag = checked ", "experiment =demo\t",
                                              "train.epochs = 8 " };
    static const char *const TEXTS[] = { "hrm", "hrm", "checked", "demo", NULL };
    enum filter_relation relation;
    enum metric metric;
    struct error err;
    double number;

    (void)state;
    for (size_t i = 0; i < sizeof CONDITIONS / sizeof *CONDITIONS; i++) {
        struct filter filter;

        must(filter_parse(&filter, CONDITIONS[i], "--where", NULL, &err), &err);
        if (TEXTS[i] != NULL)
            assert_string_equal(filter.text, TEXTS[i]);
        else
            assert_true(filter.number == 8);
        filter_release(&filter);
    }
    assert_int_equal(
        filter_find_measure(&metric, &relation, &number, " pass_at_2 > 0.5 ", &err), 1);
    assert_true(number == 0.5);
    assert_int_equal(filter_find_measure(&metric, &relation, &number, "pass_at_2>0.5 x", &err),
                     ERROR_FORMAT);
}

static void expect_key(const char *condition, const struct results *of, const char *key)
{
    struct filter filter;
    struct error err;

    must(filter_parse(&filter, condition, "--where", of, &err), &err);
    assert_string_equal(filter.key, key);
    filter_release(&filter);
}

/* Tables and figures name settings without their groups. */
static void a_setting_is_found_without_its_group(void **state)
{
    struct result_arm arms[2] = { { .axes = cJSON_Parse("{}") },
                                  { .axes = cJSON_Parse("{\"arch.halt_max_steps\": 2}") } };
    const struct results of = { .arms = arms, .arm_count = 2 };
    const struct results without = { .arms = arms, .arm_count = 1 };
    struct filter filter;
    struct error err;

    (void)state;
    expect_key("lr=1", NULL, "train.lr");
    expect_key("rollouts = 2", NULL, "eval.rollouts");
    expect_key("seed=1", NULL, "seed");
    expect_key("halt_max_steps>1", &of, "arch.halt_max_steps");
    assert_int_equal(filter_parse(&filter, "halt_max_steps=2", "--where", &without, &err),
                     ERROR_FORMAT);
    assert_string_equal(err.message, "--where halt_max_steps=2: halt_max_steps is "
                                     "arch.halt_max_steps or eval.halt_max_steps: say which");
    cJSON_Delete(arms[0].axes);
    cJSON_Delete(arms[1].axes);
}

/* Both with as many outer steps: of the average of the weights, and of the weights. */
static void trajectories_of_one_arm_are_told_apart(void **state)
{
    struct trajectories trajectories;
    struct results *results;
    struct table *table;
    struct error err;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    change("INSERT INTO measure_value SELECT evaluation_id, step, 'residual_h', 1, 0.5"
           " FROM evaluation_result WHERE checkpoint = 'last' AND evaluation_id < 3;"
           "UPDATE evaluation SET outer_steps = 1,"
           " canonical = json_set(canonical, '$.\"eval.trajectory\"', json('true'),"
           "  '$.\"eval.weights\"', iif(evaluation_id % 2 = 0, 'raw', 'ema'))");
    results = load(RESULTS_BARE);
    must(trajectories_load(&trajectories, store, results, &err), &err);
    assert_int_equal(trajectories.count, 2);
    must(trajectory_table(&table, results, &trajectories, &err), &err);
    assert_non_null(out);
    must(table_print(table, out, FORMAT_CSV, false, &err), &err);
    fclose(out);
    if (strstr(text, ",vote,ema,1,1,") == NULL || strstr(text, ",vote,raw,1,1,") == NULL)
        fail_msg("%s", text);
    free(text);
    table_destroy(table);
    trajectories_release(&trajectories);
    results_destroy(results);
}

/* The first arm gets the second one's run, too: nine tenths of the rows of the one and a tenth
 * of the other's are in a bin. */
static void a_bin_of_few_rows_says_less_of_the_mean_over_seeds(void **state)
{
    struct trajectories all;
    struct results *results;
    struct error err;

    (void)state;
    change(
        "INSERT INTO arm_run SELECT 1, run_id FROM run WHERE run_id = 2;"
        "INSERT INTO arm_evaluation VALUES (1, 3);"
        "UPDATE evaluation SET"
        " canonical = json_set(canonical, '$.\"eval.trajectory\"', json('true'));"
        "INSERT INTO measure_value SELECT evaluation_id, step, name, 4,"
        " iif(evaluation_id = 1, of_one, of_other) FROM evaluation_result,"
        " (SELECT 'q_bin_rows' AS name, 0.9 AS of_one, 0.1 AS of_other UNION ALL"
        "  SELECT 'q_bin_mean', 0.31, 0.39 UNION ALL SELECT 'q_bin_exact', 0.5, 1.0 UNION ALL"
        "  SELECT 'residual_h', 1.0, 2.0) WHERE checkpoint = 'last' AND evaluation_id IN (1, "
        "3)");
    results = load(RESULTS_BARE);
    must(trajectories_load(&all, store, results, &err), &err);
    assert_int_equal(all.items[0].runs, 2);
    expect_same(trajectory_value(&all.items[0], VECTOR_Q_BIN_ROWS, 4), 0.5);
    assert_true(fabs(trajectory_value(&all.items[0], VECTOR_Q_BIN_MEAN, 4) - 0.318) < 1e-12);
    assert_true(fabs(trajectory_value(&all.items[0], VECTOR_Q_BIN_EXACT, 4) - 0.55) < 1e-12);
    expect_same(trajectory_value(&all.items[0], VECTOR_RESIDUAL_H, 4), 1.5);
    trajectories_release(&all);
    results_destroy(results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(measures_loaded_one_by_one_are_those_loaded_at_once),
        TEST(measures_loaded_together_are_those_loaded_at_once),
        TEST(rows_that_are_added_bring_their_measures),
        TEST(baselines_of_some_measures_are_those_of_all),
        TEST(a_sample_of_rows_before_training_is_told),
        TEST(only_attempts_to_train_cost_training),
        TEST(a_run_of_two_arms_counts_once_and_has_its_cost_once),
        TEST(the_last_training_is_the_state_unless_one_is_done),
        TEST(the_last_training_tells_whether_a_run_failed),
        TEST(conditions_do_not_change_what_an_experiment_cost),
        TEST(attempts_of_unknown_programs_cost_as_much),
        TEST(interim_results_are_noticed),
        TEST(ids_close_together_and_far_apart_are_each_read_once),
        TEST(results_do_not_depend_on_the_numbers_of_runs),
        TEST(the_arms_alone_have_no_rows),
        TEST(of_two_arms_only_their_rows_are_loaded),
        TEST(trajectories_of_one_arm_are_told_apart),
        TEST(a_bin_of_few_rows_says_less_of_the_mean_over_seeds),
        cmocka_unit_test(a_setting_is_found_without_its_group),
        cmocka_unit_test(blanks_around_a_relation_belong_to_nothing),
        cmocka_unit_test(evaluations_are_listed_by_what_their_settings_mean),
        cmocka_unit_test(an_evaluations_label_names_what_others_do_not_have),
        cmocka_unit_test(settings_of_one_halting_rule_have_no_effect_under_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
