/* test_compare.c - what `compare` and `results` say where not everything has a score or a winner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "compare.h"
#include "comparison_table.h"
#include "cost_table.h"
#include "detectable.h"
#include "error.h"
#include "file.h"
#include "filter.h"
#include "finding.h"
#include "query.h"
#include "results_table.h"
#include "settings.h"
#include "store.h"
#include "support/opened.h"
#include "table_arrange.h"
#include "trajectories.h"

static char directory[64];
static struct store *store;
static struct results *results;
static struct compare *compare;

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/test_compare.XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    (void)state;
    return file_remove_tree(directory, NULL);
}

/* The workspace of the first release (two arms by arch.name, trained), changed by SQL. */
static void open_workspace(const char *change)
{
    struct error err;

    store = opened_in(directory, change);
    must(results_load(&results, store, "t", NULL, 0, RESULTS_LAST, &err), &err);
    must(compare_create(&compare, store, results, METRIC_PASS_AT_2, &err), &err);
}

static void close_workspace(void)
{
    compare_destroy(compare);
    results_destroy(results);
    store_close(store);
}

static void an_axis_says_which_values_have_no_results(void **state)
{
    struct axis_values values = { 0 };
    struct comparison_list list = { 0 };
    struct error err;

    (void)state;
    open_workspace("UPDATE job SET state = 'failed' WHERE run_id = 2");
    assert_int_equal(compare_axis(&values, &list, compare, "arch.name", &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "has results; "));
    assert_non_null(strstr(err.message, ": 1 run failed"));
    assert_null(strstr(err.message, "only one value"));
    axis_values_release(&values);
    comparison_list_release(&list);
    close_workspace();
}

static void expect_pairing(const char *change, bool expected)
{
    struct axis_values values = { 0 };
    struct comparison_list list = { 0 };
    struct error err;

    open_workspace(change);
    must(compare_axis(&values, &list, compare, "arch.name", &err), &err);
    assert_true(list.count > 0);
    for (int i = 0; i < list.count; i++)
        assert_int_equal(list.items[i].paired_by_seed, expected);
    axis_values_release(&values);
    comparison_list_release(&list);
    close_workspace();
}

static void equal_seeds_are_paired(void **state)
{
    (void)state;
    expect_pairing("", true);
}

static void other_seeds_are_not_paired(void **state)
{
    (void)state;
    expect_pairing("UPDATE run SET seed = seed + 7 WHERE run_id = 2", false);
}

static void a_cancelled_run_is_counted_as_cancelled(void **state)
{
    char text[160];

    (void)state;
    open_workspace("UPDATE job SET state = 'cancelled' WHERE run_id = 2");
    run_counts_describe(text, sizeof text, &results->runs);
    assert_string_equal(text, "1 of 2 runs not done (1 cancelled)");
    close_workspace();
}

static void a_comparison_of_nothing_offers_the_axes(void **state)
{
    struct error err;

    (void)state;
    open_workspace("");
    assert_int_equal(compare_offer(results, &err), ERROR_FORMAT);
    assert_non_null(
        strstr(err.message, "expected --axis KEY, --matrix, --baseline ARM or two"));
    assert_non_null(strstr(err.message, "arch.name ("));
    close_workspace();
}

/* Each run with the outer steps of its own number and nothing else. */
static void arms_at_their_own_outer_steps_are_compared(void **state)
{
    struct axis_values values = { 0 };
    struct comparison_list list = { 0 };
    struct error err;

    (void)state;
    open_workspace("");
    for (int i = 0; i < results->row_count; i++) {
        results->rows[i].train_outer_steps = results->rows[i].arm + 1;
        results->rows[i].outer_steps = results->rows[i].arm + 1;
    }
    for (int i = 0; i < results->arm_count; i++) {
        cJSON_Delete(results->arms[i].axes);
        results->arms[i].axes = cJSON_CreateObject();
        cJSON_AddNumberToObject(results->arms[i].axes, "arch.halt_max_steps", i + 1);
    }
    must(compare_axis(&values, &list, compare, "arch.halt_max_steps", &err), &err);
    assert_true(values.own_steps);
    assert_true(list.count > 0);
    axis_values_release(&values);
    comparison_list_release(&list);
    close_workspace();
}

/* What the table of arms says of the workspace, fresh. */
static char *arms_as_csv(const char *change)
{
    struct shown shown = shown_metrics(METRIC_PASS_AT_2);
    struct table *table;
    struct error err;
    char *text = NULL;
    size_t size;

    open_workspace(change);
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    must(results_arms_table(&table, results, &shown, &err), &err);
    must(table_print(table, out, FORMAT_CSV, false, &err), &err);
    table_destroy(table);
    fclose(out);
    close_workspace();
    must(file_remove_tree(directory, &err), &err);
    assert_int_equal(mkdir(directory, 0700), 0);
    return text;
}

/* Of a terminal's table no other measures are loaded than those shown. */
static void seeds_are_counted_whatever_measure_is_shown(void **state)
{
    struct shown shown = shown_metrics(METRIC_PER_TOKEN_ACCURACY);
    struct table *table;
    struct error err;
    char *text = NULL;
    size_t size;

    (void)state;
    open_workspace("");
    results_destroy(results);
    must(results_load(&results, store, "t", NULL, 0, RESULTS_ROWS, &err), &err);
    must(results_load_metrics(results, store, shown.metrics, shown.count, &err), &err);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    must(results_arms_table(&table, results, &shown, &err), &err);
    must(table_choose(table, "seeds,seeds_planned", &err), &err);
    must(table_print(table, out, FORMAT_CSV, false, &err), &err);
    fclose(out);
    table_destroy(table);
    assert_string_equal(text, "seeds,seeds_planned\n1,1\n1,1\n1,1\n1,1\n");
    free(text);
    close_workspace();
}

/* Two calls per outer step. At the last step every row is exact: nothing is known of the
 * wrong ones. */
static void calls_are_counted_where_no_row_is_wrong_any_more(void **state)
{
    struct trajectories trajectories;
    struct error err;

    (void)state;
    open_workspace(
        "INSERT INTO measure_value SELECT v.evaluation_id, x.step, l.column1, l.column2,"
        " l.column3 FROM evaluation v JOIN evaluation_result x USING (evaluation_id),"
        " (VALUES ('residual_h', 1, 0.5), ('residual_h', 2, 0.25), ('residual_h', 3, 0.125),"
        "  ('residual_h', 4, 0.75), ('residual_h_wrong', 1, 0.5), ('residual_h_wrong', 2, 1))"
        "  l WHERE x.checkpoint = 'last' AND v.evaluation_id = 2;"
        "UPDATE evaluation SET"
        " canonical = json_set(canonical, '$.\"eval.trajectory\"', json('true'))");
    must(trajectories_load(&trajectories, store, results, &err), &err);
    assert_int_equal(trajectories.count, 1);
    const struct trajectory_mean *mean = trajectories.items;
    assert_int_equal(trajectory_calls(mean, VECTOR_RESIDUAL_H_WRONG), 2);
    assert_true(fabs(trajectory_call_mean(mean, VECTOR_RESIDUAL_H_WRONG, 1) - 0.75) < 1e-12);
    assert_true(isnan(trajectory_call_mean(mean, VECTOR_RESIDUAL_H_WRONG, 2)));
    trajectories_release(&trajectories);
    close_workspace();
}

/* A job of 400 s of processor time, 150 s of wall time in training and 50 s in evaluation,
 * keeps two cores busy: 300 core-seconds of training, and of each pass of 9 s 18. */
static void costs_follow_from_core_seconds_and_tasks(void **state)
{
    struct table *table;
    struct error err;
    char *text = NULL;
    size_t size;

    (void)state;
    open_workspace("UPDATE attempt SET user_seconds = 360, system_seconds = 40,"
                   " train_seconds = 150, evaluation_seconds = 50;"
                   "UPDATE evaluation_result SET seconds = 9, tasks = 10");
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    must(cost_table(&table, results, 36.0, &err), &err);
    must(table_choose(table,
                      "seeds,train_core_hours,train_cost,train_cost_per_task,"
                      "inference_core_seconds_per_task,inference_cost_per_task",
                      &err),
         &err);
    must(table_print(table, out, FORMAT_CSV, false, &err), &err);
    fclose(out);
    table_destroy(table);
    if (strstr(text, "\n1,0.08333333333333333,3,0.3,1.8,0.018\n") == NULL)
        fail_msg("%s", text);
    free(text);
    close_workspace();
    must(file_remove_tree(directory, &err), &err);
    assert_int_equal(mkdir(directory, 0700), 0);
}

static void expect_state(const char *change, const char *expected)
{
    char *text = arms_as_csv(change);

    if (strstr(text, expected) == NULL)
        fail_msg("after %s no \"%s\" in\n%s", change, expected, text);
    free(text);
}

static void failed_pending_and_hidden_arms_look_different(void **state)
{
    (void)state;
    expect_state("", ",done,");
    expect_state("UPDATE job SET state = 'failed', cause = 'memory' WHERE run_id = 2",
                 "1 failed (memory)");
    expect_state("UPDATE job SET state = 'running' WHERE run_id = 2", "1 running");
    expect_state("UPDATE job SET state = 'queued' WHERE run_id = 2", "1 queued");
    expect_state("UPDATE job SET cause = 'diverged' WHERE run_id = 2", "1 diverged");
    expect_state("UPDATE evaluation_result SET tasks = 0", "1 tests hidden");
}

/* A comparison of two sides with these means. */
static struct comparison compared(double from, double to, double error)
{
    return (struct comparison){ .base_mean = from,
                                .other_mean = to,
                                .estimate = { .value = to - from,
                                              .standard_error = error,
                                              .low = to - from - 2 * error,
                                              .high = to - from + 2 * error,
                                              .p = error > 0 ? 0.001 : 1 },
                                .p_holm = error > 0 ? 0.001 : 1 };
}

static void ties_have_no_winner_and_below_the_baselines_there_is_no_information(void **state)
{
    struct comparison items[] = { compared(0.5, 0.5, 0), compared(0.1, 0.3, 0.01),
                                  compared(0.1, 0.6, 0.01), compared(0.7, 0.6, 0.01) };
    struct comparison_list list = { .items = items, .count = 4 };
    struct baseline baseline = { 0 };

    (void)state;
    baseline.copy[METRIC_PASS_AT_2] = 0.4;
    baseline.untrained[METRIC_PASS_AT_2] = (double)NAN;
    for (int i = 0; i < list.count; i++)
        items[i].base_floor = items[i].other_floor =
            baseline_floor(&baseline, METRIC_PASS_AT_2);
    comparison_list_judge(&list);
    assert_string_equal(verdict_name(comparison_verdict(&items[0])), "equal");
    assert_string_equal(verdict_name(comparison_verdict(&items[1])), "no information");
    assert_string_equal(verdict_name(comparison_verdict(&items[2])), "higher");
    assert_string_equal(verdict_name(comparison_verdict(&items[3])), "lower");
    items[1].other_floor = 0.2; /* of other data, on which that is something */
    comparison_list_judge(&list);
    assert_string_equal(verdict_name(comparison_verdict(&items[1])), "higher");
    items[1].base_floor = items[1].other_floor =
        baseline_floor(NULL, METRIC_PASS_AT_2); /* nothing to judge by */
    comparison_list_judge(&list);
    assert_string_equal(verdict_name(comparison_verdict(&items[1])), "higher");
}

/* Trained with 1 and 2 steps, evaluated with 1, 2 and 3: of the 2-step model one
 * evaluation waits, and one was never asked for. */
static void a_matrix_says_why_a_cell_is_empty(void **state)
{
    struct result_arm arms[2] = { { .axes = cJSON_Parse("{\"arch.halt_max_steps\":1}") },
                                  { .axes = cJSON_Parse("{\"arch.halt_max_steps\":2}") } };
    char evaluation[] = "{}";
    struct result_row rows[5];
    struct results loaded = { .arms = arms, .arm_count = 2, .rows = rows, .row_count = 5 };
    struct compare_cell cells[4];
    struct compare these = {
        .results = &loaded, .metric = METRIC_PASS_AT_2, .cells = cells, .cell_count = 4
    };
    struct matrix *matrix;
    struct table *tables[2];
    struct comparison_list list = { 0 };
    struct error err;
    char *text = NULL;
    size_t size = 0;
    int count;

    (void)state;
    for (int i = 0; i < 5; i++) /* the last one waits */
        rows[i] = (struct result_row){ .arm = i / 3,
                                       .train_outer_steps = 1 + i / 3,
                                       .outer_steps = 1 + i % 3,
                                       .evaluation = evaluation,
                                       .outcome = i == 4 ? RUN_QUEUED : RUN_DONE };
    for (int i = 0; i < 4; i++)
        cells[i] =
            (struct compare_cell){ .row = &rows[i], .mean = 0.25, .deviation = (double)NAN };
    must(matrix_create(&matrix, &these, &err), &err);
    must(matrix_tables(tables, &count, matrix, &these, &list, "", true, &err), &err);
    assert_int_equal(count, 2);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    must(table_print(tables[0], out, FORMAT_CSV, false, &err), &err);
    fclose(out);
    assert_non_null(strstr(text, "1,0.250,0.250,0.250\n2,0.250,queued,-\n"));
    free(text);
    for (int i = 0; i < count; i++)
        table_destroy(tables[i]);
    matrix_destroy(matrix);
    for (int i = 0; i < 2; i++)
        cJSON_Delete(arms[i].axes);
}

/* Two of three arms are transformers, which have no L cycles. */
static void a_matrix_names_no_setting_without_effect(void **state)
{
    static const char *const LABELS[] = { "arch.name=hrm arch.L_cycles=2",
                                          "arch.name=transformer",
                                          "arch.name=transformer arch.L_cycles=4" };
    struct result_arm arms[] = {
        { .axes = cJSON_Parse("{\"arch.name\":\"hrm\",\"arch.L_cycles\":2}") },
        { .axes = cJSON_Parse("{\"arch.name\":\"transformer\",\"arch.L_cycles\":2}"),
          .active = cJSON_Parse("{\"arch.name\":\"transformer\"}") },
        { .axes = cJSON_Parse("{\"arch.name\":\"transformer\",\"arch.L_cycles\":4}"),
          .active = cJSON_Parse("{\"arch.name\":\"transformer\"}") },
    };
    struct result_row rows[6];
    struct compare_cell cells[6];
    struct results loaded = { .arms = arms, .arm_count = 3, .rows = rows, .row_count = 6 };
    struct compare these = { .results = &loaded, .cells = cells, .cell_count = 6 };
    struct matrix *matrix;
    struct error err;

    (void)state;
    for (int i = 0; i < 6; i++) {
        rows[i] = (struct result_row){
            .arm = i / 2, .train_outer_steps = 1, .outer_steps = 1 + i % 2, .evaluation = "{}"
        };
        cells[i] = (struct compare_cell){ .row = &rows[i] };
    }
    must(matrix_create(&matrix, &these, &err), &err);
    assert_int_equal(matrix->block_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(matrix->blocks[i].label, LABELS[i]); /* no two are the same */
        cJSON_Delete(arms[i].axes);
        cJSON_Delete(arms[i].active);
    }
    matrix_destroy(matrix);
}

/* What a matrix says of evaluations with these settings at 1 and 2 outer steps, by turns;
 * fresh. variants: how many it finds. */
static char *evaluation_shown(const char *const settings[4], int *variants)
{
    struct result_arm arm = { .axes = cJSON_Parse("{\"arch.halt_max_steps\":2}") };
    struct result_row rows[4];
    struct compare_cell cells[4];
    struct results loaded = { .arms = &arm, .arm_count = 1, .rows = rows, .row_count = 4 };
    struct compare these = {
        .results = &loaded, .metric = METRIC_PASS_AT_2, .cells = cells, .cell_count = 4
    };
    struct matrix *matrix;
    struct error err;

    for (int i = 0; i < 4; i++) {
        rows[i] = (struct result_row){ .train_outer_steps = 2,
                                       .outer_steps = 1 + i % 2,
                                       .evaluation = settings[i] };
        cells[i] = (struct compare_cell){ .row = &rows[i] };
    }
    must(matrix_create(&matrix, &these, &err), &err);
    char *text = strdup(matrix->evaluation);
    *variants = matrix->variants;
    matrix_destroy(matrix);
    cJSON_Delete(arm.axes);
    assert_non_null(text);
    return text;
}

#define ROLLOUTS(number) "{\"eval.rollouts\":" number "}"

static void a_matrix_names_the_evaluation_it_shows(void **state)
{
    static const struct {
        const char *settings[4], *expected;
        int variants;
    } CASES[] = {
        { { "{}", "{}", "{}", "{}" }, " eval.seed=0", 1 },
        { { "{}", "{\"eval.trajectory\":true}", "{}", "{}" }, " eval.seed=0", 1 },
        { { ROLLOUTS("4"), "{}", "{}", "{}" }, " eval.seed=0 eval.rollouts=1", 2 },
        { { ROLLOUTS("42"), ROLLOUTS("4"), ROLLOUTS("4"), ROLLOUTS("42") },
          " eval.seed=0 eval.rollouts=4",
          2 },
        { { "{\"eval.choose\":\"q\",\"eval.rollouts\":4}", ROLLOUTS("4"), ROLLOUTS("4"),
            "{\"eval.halt_patience\":3,\"eval.rollouts\":4}" },
          " eval.seed=0 eval.halt_patience=1 eval.choose=vote",
          3 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        int variants;
        char *text = evaluation_shown(CASES[i].settings, &variants);
        const char *end = strstr(text, " eval.seed");

        assert_non_null(end);
        assert_string_equal(end, CASES[i].expected);
        assert_int_equal(variants, CASES[i].variants);
        free(text);
    }
}

static void values_of_evaluations_are_in_order_and_only_those_with_an_effect(void **state)
{
    static char RESIDUAL[] = "{\"eval.halt_epsilon\":0.25,\"eval.halt_rule\":\"residual\"}";
    static char MAX[] = "{}", STABLE[] = "{\"eval.halt_rule\":\"stable\"}";
    struct result_row rows[] = {
        { .augmentations = 16, .evaluation = MAX },
        { .augmentations = 0, .evaluation = RESIDUAL }, /* all */
        { .augmentations = 4, .evaluation = STABLE },
        { .augmentations = 8, .evaluation = MAX },
    };
    struct result_arm arm = { .axes = cJSON_CreateObject() };
    struct results these = {
        .arms = &arm, .arm_count = 1, .rows = rows, .row_count = sizeof rows / sizeof *rows
    };
    char *epsilon;
    struct error err;

    (void)state;
    assert_int_equal(compare_offer(&these, &err), ERROR_FORMAT);
    if (strstr(err.message, "eval.augmentations (4, 8, 16, all), eval.halt_rule (max, stable, "
                            "residual)") == NULL)
        fail_msg("%s", err.message);
    assert_null(strstr(err.message, "eval.halt_epsilon"));
    must(result_axis_value(&epsilon, NULL, &these, &rows[0], "eval.halt_epsilon", &err), &err);
    assert_string_equal(epsilon, "inactive");
    free(epsilon);
    must(result_axis_value(&epsilon, NULL, &these, &rows[1], "eval.halt_epsilon", &err), &err);
    assert_string_equal(epsilon, "0.25");
    free(epsilon);
    cJSON_Delete(arm.axes);
}

/* Only the rule "residual" has an epsilon. */
static void the_table_of_arms_has_no_setting_of_another_halting_rule(void **state)
{
    char *text = arms_as_csv("UPDATE evaluation SET canonical = json_set(canonical,"
                             " '$.\"eval.halt_rule\"', 'residual', '$.\"eval.halt_epsilon\"',"
                             " 0.25) WHERE outer_steps = 2");

    (void)state;
    assert_non_null(strstr(text, ",max,,,own,"));
    assert_non_null(strstr(text, ",residual,,0.25,own,"));
    free(text);
}

/* Two seeds of one arm: 0.4 and 0.6 on the test split, equal on the training split. */
static void what_is_detectable_follows_from_the_test_split_alone(void **state)
{
    struct seed_spread spread;
    struct error err;
    char hash[65];

    (void)state;
    open_workspace("UPDATE run SET seed = run_id;"
                   "UPDATE training SET data_hash = printf('%064d', 0), config_id = 1;"
                   "UPDATE evaluation SET split = 'train', canonical = replace(canonical,"
                   " '\"test\"', '\"train\"') WHERE outer_steps = 2;"
                   "UPDATE measure_value SET value = 0.5 WHERE name = 'pass_at_2';"
                   "UPDATE measure_value SET value = 0.3 + run_id / 10.0 + (run_id - 1) / 10.0"
                   " FROM evaluation v WHERE v.evaluation_id = measure_value.evaluation_id"
                   " AND name = 'pass_at_2' AND v.outer_steps = 1;");
    snprintf(hash, sizeof hash, "%064d", 0);
    must(seed_spread_load(&spread, store, hash, &err), &err);
    assert_int_equal(spread.cells, 1);
    assert_true(fabs(spread.deviation - sqrt(0.02)) < 1e-12);
    close_workspace();
}

/* Of the second arm's evaluations all, or one, are of other tasks. */
static void what_shares_no_task_is_left_out_of_many_comparisons(void **state)
{
    struct comparison_list list = { 0 }, others = { 0 }, some = { 0 };
    struct axis_values values = { 0 };
    struct matrix *matrix;
    struct error err;

    (void)state;
    open_workspace("UPDATE task_outcome SET task = 'other' || task WHERE evaluation_id > 2");
    must(matrix_create(&matrix, compare, &err), &err);
    must(matrix_compare(&list, matrix, compare, &err), &err);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.impossible, 1);
    for (int i = 0; i < list.count; i++) {
        assert_int_equal(list.items[i].kind, COMPARISON_INFERENCE);
        assert_int_equal(list.items[i].left_out, 0); /* both sides have the same tasks */
        assert_true(list.items[i].p_holm >= 0.0);
    }
    matrix_destroy(matrix);
    comparison_list_release(&list);
    assert_int_equal(compare_axis(&values, &others, compare, "arch.name", &err), ERROR_ABSENT);
    assert_non_null(strstr(err.message, "no task in common"));
    axis_values_release(&values);
    comparison_list_release(&others);
    assert_int_equal(compare_baseline(&some, compare, "arch.name=hrm", &err), ERROR_ABSENT);
    assert_non_null(strstr(err.message, "no other arm has a task of it"));
    comparison_list_release(&some);
    close_workspace();
    must(file_remove_tree(directory, &err), &err);
    assert_int_equal(mkdir(directory, 0700), 0);
    open_workspace("UPDATE task_outcome SET task = 'other' || task WHERE evaluation_id = 4");
    some = (struct comparison_list){ 0 };
    must(compare_baseline(&some, compare, "arch.name=hrm", &err), &err);
    assert_int_equal(some.count, 1);
    assert_int_equal(some.impossible, 1);
    comparison_list_release(&some);
    close_workspace();
    must(file_remove_tree(directory, &err), &err);
    assert_int_equal(mkdir(directory, 0700), 0);
    open_workspace("UPDATE task_outcome SET task = 'other' || task WHERE evaluation_id = 4"
                   " AND task < 'f'");
    some = (struct comparison_list){ 0 };
    must(compare_baseline(&some, compare, "arch.name=hrm", &err), &err);
    assert_int_equal(some.count, 2);
    assert_int_equal(some.items[0].left_out, 0);
    assert_int_equal(some.items[1].left_out, 2 * (37 - some.items[1].estimate.tasks));
    assert_in_range(some.items[1].estimate.tasks, 1, 36);
    comparison_list_release(&some);
    close_workspace();
}

/* The finding on one trained model at two numbers of steps with these means; fresh. */
static char *found(double first, double second)
{
    struct result_row rows[2] = { { .outer_steps = 1, .train_outer_steps = 1 },
                                  { .outer_steps = 2, .train_outer_steps = 1 } };
    struct compare_cell cells[2] = { { .row = &rows[0], .mean = first },
                                     { .row = &rows[1], .mean = second } };
    struct compare compared_cells = { .metric = METRIC_PASS_AT_2,
                                      .cells = cells,
                                      .cell_count = 2 };
    int64_t train[] = { 1 }, infer[] = { 1, 2 };
    int at[] = { 0, 1 };
    char label[] = "all arms";
    struct matrix_block block = { .label = label,
                                  .train_count = 1,
                                  .eval_count = 2,
                                  .train_steps = train,
                                  .eval_steps = infer,
                                  .cells = at };
    struct matrix matrix = { .blocks = &block, .block_count = 1, .variants = 1 };
    struct comparison item = compared(first, second, 0);
    struct comparison_list list = { .items = &item, .count = 1 };
    bool arm = true;
    struct baseline baseline = { .arms = &arm };
    struct baselines baselines = { &baseline, 1 };
    struct error err;
    char *text;

    item.kind = COMPARISON_INFERENCE;
    item.group = label;
    item.estimate.tasks = 9;
    item.estimate.seeds = 3;
    baseline.copy[METRIC_PASS_AT_2] = 0.125;
    baseline.untrained[METRIC_PASS_AT_2] = (double)NAN;
    compared_cells.baselines = &baselines;
    must(finding_write(&text, &matrix, &compared_cells, &list, ' ', &err), &err);
    return text;
}

static void expect_finding(double first, double second, const char *expected,
                           const char *absent)
{
    char *text = found(first, second);

    if (strstr(text, expected) == NULL || strstr(text, absent) != NULL)
        fail_msg("expected \"%s\" and no \"%s\" in: %s", expected, absent, text);
    free(text);
}

static void a_finding_says_when_there_is_nothing_to_find(void **state)
{
    (void)state;
    expect_finding(0, 0, "Nothing was solved anywhere: pass@2 is 0 in every cell", "+0.000 [");
    expect_finding(0.5, 0.5, "All 2 cells have the same value, 0.500", "best cell");
    expect_finding(0.1, 0.12, "No information: no cell is above what comes without learning",
                   "best cell");
    expect_finding(0.25, 0.5, "The best cell (all arms, trained with 1, inference with 2)",
                   "made no difference");
    expect_finding((double)NAN, 0.5, /* of hidden tests */
                   "The best cell (all arms, trained with 1, inference with 2) has 0.500",
                   "cells have");
}

/* Training alone and inference alone both lose, training less: it has earned nothing. */
static void a_finding_calls_nothing_a_gain_that_is_none_by_itself(void **state)
{
    struct result_row rows[4] = { { .outer_steps = 1, .train_outer_steps = 1 },
                                  { .outer_steps = 4, .train_outer_steps = 1 },
                                  { .outer_steps = 1, .train_outer_steps = 4 },
                                  { .outer_steps = 4, .train_outer_steps = 4 } };
    struct compare_cell cells[4];
    int64_t steps[] = { 1, 4 };
    int at[] = { 0, 1, 2, 3 };
    char label[] = "all arms";
    struct matrix_block block = { label, 2, 2, steps, steps, at, NULL };
    struct matrix matrix = { .blocks = &block, .block_count = 1, .variants = 1 };
    struct compare all = { .metric = METRIC_PASS_AT_2, .cells = cells, .cell_count = 4 };
    struct comparison items[] = { compared(0.4, 0.0, 0.01), compared(0.4, 0.2, 0.01),
                                  compared(0.0, 0.2, 0.01) };
    static const enum comparison_kind KINDS[] = { COMPARISON_INFERENCE, COMPARISON_TRAINING,
                                                  COMPARISON_DIRECT };
    struct comparison_list list = { .items = items, .count = 3 };
    struct error err;
    char *text;

    (void)state;
    for (int i = 0; i < 4; i++)
        cells[i] = (struct compare_cell){ .row = &rows[i], .mean = 0.1 * i };
    for (int i = 0; i < 3; i++) {
        items[i].kind = KINDS[i];
        items[i].group = label;
        items[i].from = 1;
        items[i].to = 4;
        items[i].fixed = 1;
        items[i].p_holm = 0.003;
        items[i].estimate.tasks = 9;
        items[i].estimate.seeds = 3;
    }
    must(finding_write(&text, &matrix, &all, &list, ' ', &err), &err);
    if (strstr(text, "in training only scored higher than at inference only, but by itself it "
                     "is no gain") == NULL)
        fail_msg("%s", text);
    free(text);
    items[1] = compared(0.4, 0.6, 0.01); /* now it is one */
    items[1].kind = COMPARISON_TRAINING;
    items[1].group = label;
    items[1].fixed = 1;
    items[1].p_holm = 0.003;
    must(finding_write(&text, &matrix, &all, &list, ' ', &err), &err);
    if (strstr(text, "refinement in training earned more") == NULL ||
        strstr(text, "where fewer than 3 seeds are shared, and are judged") == NULL)
        fail_msg("%s", text);
    free(text);
}

static void planned_comparisons_are_corrected_for_themselves_alone(void **state)
{
    struct comparison_list list = { 0 };
    struct error err;
    int missing;
    int64_t count;

    (void)state;
    open_workspace(
        "INSERT INTO contrast SELECT experiment_id, 0, 'systems',"
        " '{\"arch.name\":\"hrm\"}', '{\"arch.name\":\"transformer\"}' FROM experiment;"
        "INSERT INTO contrast SELECT experiment_id, 1, 'not there',"
        " '{\"arch.name\":\"hrm\"}', '{\"eval.halt_max_steps\":77}' FROM experiment");
    must(compare_count_planned(&count, results, store, &err), &err);
    assert_int_equal(count, 2);
    must(compare_planned(&list, &missing, compare, &err), &err);
    assert_int_equal(list.count, 1);
    assert_int_equal(missing, 1);
    assert_string_equal(list.items[0].label, "systems");
    assert_int_equal(list.items[0].kind, COMPARISON_PLANNED);
    assert_true(fabs(list.items[0].other_mean - list.items[0].base_mean -
                     list.items[0].estimate.value) < 1e-9);
    double p = list.items[0].estimate.p, holm = list.items[0].p_holm;
    assert_true((isnan(p) && isnan(holm)) || fabs(p - holm) < 1e-12);
    comparison_list_release(&list);
    close_workspace();
}

static void every_setting_of_an_evaluation_is_a_condition_on_evaluations(void **state)
{
    (void)state;
    for (int id = 0; id < SETTING_COUNT; id++) {
        const struct setting *setting = &settings_table[id];
        struct filter filter;
        struct error err;
        char condition[100];

        if (setting->phase != PHASE_EVALUATION)
            continue;
        snprintf(condition, sizeof condition, "%s=%s", setting->key, setting->default_text);
        if (filter_parse(&filter, condition, "--where", NULL, &err) != 0)
            fail_msg("%s", err.message);
        if (filter.column == NULL || strncmp(filter.column, "e.", 2) == 0)
            fail_msg("%s is looked for among the training's settings", condition);
        filter_release(&filter);
    }
}

#define WITH_DIRECTORY(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(an_axis_says_which_values_have_no_results),
        WITH_DIRECTORY(equal_seeds_are_paired),
        WITH_DIRECTORY(other_seeds_are_not_paired),
        WITH_DIRECTORY(a_cancelled_run_is_counted_as_cancelled),
        WITH_DIRECTORY(a_comparison_of_nothing_offers_the_axes),
        WITH_DIRECTORY(arms_at_their_own_outer_steps_are_compared),
        WITH_DIRECTORY(seeds_are_counted_whatever_measure_is_shown),
        WITH_DIRECTORY(calls_are_counted_where_no_row_is_wrong_any_more),
        WITH_DIRECTORY(costs_follow_from_core_seconds_and_tasks),
        WITH_DIRECTORY(failed_pending_and_hidden_arms_look_different),
        cmocka_unit_test(ties_have_no_winner_and_below_the_baselines_there_is_no_information),
        cmocka_unit_test(a_matrix_says_why_a_cell_is_empty),
        cmocka_unit_test(a_matrix_names_no_setting_without_effect),
        cmocka_unit_test(a_matrix_names_the_evaluation_it_shows),
        cmocka_unit_test(values_of_evaluations_are_in_order_and_only_those_with_an_effect),
        WITH_DIRECTORY(the_table_of_arms_has_no_setting_of_another_halting_rule),
        WITH_DIRECTORY(what_is_detectable_follows_from_the_test_split_alone),
        WITH_DIRECTORY(what_shares_no_task_is_left_out_of_many_comparisons),
        cmocka_unit_test(a_finding_says_when_there_is_nothing_to_find),
        cmocka_unit_test(a_finding_calls_nothing_a_gain_that_is_none_by_itself),
        WITH_DIRECTORY(planned_comparisons_are_corrected_for_themselves_alone),
        cmocka_unit_test(every_setting_of_an_evaluation_is_a_condition_on_evaluations),
    };

    return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
