/* test_measure.c - the table of measures, and the numbers that come out under their names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <sqlite3.h>

#include "baselines.h"
#include "compare.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "measure.h"
#include "measure_table.h"
#include "query.h"
#include "sql.h"
#include "store.h"
#include "support/opened.h"
#include "support/release_1.h"

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/test_measure.XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    (void)state;
    return file_remove_tree(directory, NULL);
}

/* The workspace of the first release: experiment "t", two trained runs; more is done to it first. */
static struct store *open_release_1(const char *more)
{
    struct store *store;
    struct error err;

    release_1_write(directory);
    database_change(directory, more);
    must(store_open(&store, directory, STORE_WRITE, &err), &err);
    return store;
}

static void every_measure_is_found_by_each_of_its_names(void **state)
{
    struct error err;
    enum metric metric;

    (void)state;
    for (int i = 0; i < METRIC_COUNT; i++) {
        must(metric_find(&metric, METRICS[i].name, &err), &err);
        assert_int_equal(metric, i);
        must(metric_find(&metric, METRICS[i].title, &err), &err);
        assert_int_equal(metric, i);
    }
    for (int i = 0; i < MEASURE_COUNT; i++) {
        assert_true(METRICS[i].meaning != NULL && METRICS[i].unit != NULL);
        assert_true(METRICS[i].least < METRICS[i].most);
        assert_true((METRICS[i].shape == MEASURE_NUMBER) == (i < METRIC_COUNT));
        assert_int_equal(measure_of_name(METRICS[i].name), i);
    }
    must(metric_find(&metric, "exact_accuracy", &err), &err);
    assert_int_equal(metric, METRIC_EXACT_ROWS);
    assert_int_equal(metric_find(&metric, "exact_row", &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "did you mean \"exact_rows\"?"));
    assert_non_null(strstr(err.message, "task_exact_votes"));
}

static void a_measure_is_paired_by_one_that_tasks_have(void **state)
{
    (void)state;
    for (int i = 0; i < METRIC_COUNT; i++) {
        enum metric paired = METRICS[i].paired;

        assert_true(METRICS[i].per_task == MEASURE_NOT_PER_TASK ? (int)paired != i
                                                                : (int)paired == i);
        if (paired != METRIC_COUNT)
            assert_true(METRICS[paired].per_task != MEASURE_NOT_PER_TASK);
    }
}

static void every_list_has_a_first_position(void **state)
{
    struct error err;

    (void)state;
    for (int i = 0; i < MEASURE_COUNT; i++) {
        bool list = i >= METRIC_COUNT;

        assert_int_equal(measure_check_position((enum metric)i, 1, 1, "a test", &err),
                         list ? 0 : ERROR_DAMAGED);
        assert_int_equal(measure_check_position((enum metric)i, 0, 1, "a test", &err),
                         ERROR_DAMAGED);
    }
}

/* docs/measures.md ends with what `hrmlab axes measures --format markdown` prints. */
static void the_documentation_has_the_table_of_measures(void **state)
{
    struct error err;
    struct table *table;
    char *text = NULL, *document;
    size_t size = 0, length;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    must(measure_table(&table, &err), &err);
    must(table_print(table, out, FORMAT_MARKDOWN, false, &err), &err);
    assert_int_equal(fclose(out), 0);
    must(file_read(&document, &length, "docs/measures.md", 1 << 20, &err), &err);
    assert_true(size > 1000 && length > size);
    assert_string_equal(document + length - size, text);
    table_destroy(table);
    free(document);
    free(text);
}

static void an_event_of_an_older_worker_is_understood(void **state)
{
    cJSON *event = cJSON_Parse("{\"exact_accuracy\":0.25,\"lm_loss\":\"much\"}");

    (void)state;
    assert_true(measure_member(event, METRIC_EXACT_ROWS)->valuedouble == 0.25);
    assert_null(measure_member(event, METRIC_LM_LOSS));
    assert_null(measure_member(event, METRIC_PASS_AT_2));
    cJSON_Delete(event);
}

static void measures_of_every_release_are_columns_of_the_view_score(void **state)
{
    struct store *store =
        open_release_1("CREATE TABLE older AS SELECT * FROM evaluation_result");
    char sql[400];

    (void)state;
    for (int i = 0; i < METRIC_RECORDED; i++) {
        if (!METRICS[i].always)
            continue;
        const char *name = METRICS[i].name;
        snprintf(
            sql, sizeof sql,
            "SELECT count(*) FROM older o JOIN score s USING (evaluation_id, step)"
            " JOIN measure_value m USING (evaluation_id, step)"
            " WHERE m.name = '%s' AND m.position = 0 AND m.value = s.%s AND m.value = o.%s",
            name, name, i == METRIC_EXACT_ROWS ? METRICS[i].old_name : name);
        assert_int_equal(opened_int(store, sql), 8);
    }
    assert_int_equal(opened_int(store, "SELECT count(*) FROM evaluation_result"), 8);
    assert_int_equal(opened_int(store, "SELECT count(*) FROM measure_value"), 8 * 13);
    store_close(store);
}

/* Number of results whose columns are those of measure_value. */
static int64_t equal_results(struct store *store)
{
    static const char *const COLUMNS[] = { "per_token_accuracy", "exact_rows",
                                           "mean_outer_steps", "pass_at_1", "pass_at_2" };
    int64_t equal = 1000;
    char sql[400];

    for (size_t i = 0; i < sizeof COLUMNS / sizeof *COLUMNS; i++) {
        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM evaluation_result x LEFT JOIN measure_value m"
                 " ON m.evaluation_id = x.evaluation_id AND m.step = x.step"
                 " AND m.name = '%s' AND m.position = 0 WHERE m.value IS x.%s",
                 COLUMNS[i], COLUMNS[i]);
        int64_t count = opened_int(store, sql);

        equal = count < equal ? count : equal;
    }
    return equal;
}

static void columns_of_results_repeat_the_measures_whoever_writes(void **state)
{
    static const char *const CHANGES[] = {
        "UPDATE measure_value SET value = value / 2",
        "DELETE FROM measure_value WHERE evaluation_id = 1",
        "INSERT INTO measure_value SELECT 1, step, name, position, value + 1 FROM measure_value"
        " WHERE evaluation_id = 2",
        "INSERT OR REPLACE INTO measure_value SELECT evaluation_id, step, name, position,"
        " value / 4 FROM measure_value",
        "INSERT INTO measure_value SELECT evaluation_id, step, name, 1, 9.0 FROM measure_value",
        "INSERT OR REPLACE INTO evaluation_result (evaluation_id, step, checkpoint, tasks,"
        " rows_count, seconds) SELECT evaluation_id, step, checkpoint, tasks, rows_count,"
        " seconds FROM evaluation_result",
    };
    struct store *store = open_release_1("");

    (void)state;
    assert_int_equal(equal_results(store), 8); /* they have been upgraded */
    assert_int_equal(
        opened_int(store, "SELECT count(*) FROM evaluation_result WHERE pass_at_2 IS NULL"), 0);
    for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
        assert_int_equal(sqlite3_exec(store_connection(store), CHANGES[i], NULL, NULL, NULL),
                         SQLITE_OK);
        assert_int_equal(equal_results(store), 8);
    }
    store_close(store);
}

static void results_of_the_last_checkpoint_stand_alone_with_types(void **state)
{
    struct store *store = open_release_1("");

    (void)state;
    assert_int_equal(opened_int(store, "SELECT count(*) FROM v_results"), 4);
    assert_int_equal(
        opened_int(store, "SELECT count(*) FROM v_results WHERE checkpoint <> 'last'"), 0);
    assert_int_equal(opened_int(store, "SELECT count(*) > 0 FROM v_untrained"), 1);
    assert_int_equal(
        opened_int(store, "SELECT count(*) FROM v_evaluations WHERE exact_rows IS NOT NULL"),
        opened_int(store, "SELECT count(*) FROM score WHERE exact_rows IS NOT NULL"));
    assert_int_equal(opened_int(store, "SELECT count(*) FROM v_results WHERE"
                                       " typeof(train_outer_steps) <> 'integer'"
                                       " OR typeof(pass_at_2) <> 'real'"
                                       " OR typeof(eval_augmentations) <> 'text'"
                                       " OR typeof(train_cpu_seconds) NOT IN ('real', 'null')"),
                     0);
    store_close(store);
}

/* The comparison of the experiment's first arm with its second, by a measure. */
static void compare_arms_of(struct comparison_list *list, struct store *store,
                            enum metric metric, enum metric expected)
{
    struct error err;
    struct results *results;
    struct compare *compare;
    struct axis_values values = { 0 };

    must(results_load(&results, store, "t", NULL, 0, RESULTS_LAST, &err), &err);
    must(compare_create(&compare, store, results, metric, &err), &err);
    assert_int_equal(compare->metric, expected);
    must(compare_axis(&values, list, compare, "arch.name", &err), &err);
    assert_true(list->count > 0);
    axis_values_release(&values);
    compare_destroy(compare);
    results_destroy(results);
}

static void a_difference_is_between_the_numbers_beside_it(void **state)
{
    /* The second arm lacks the tasks in which the first is good. */
    struct store *store = open_release_1(
        "UPDATE task_outcome SET per_token_accuracy = 1 WHERE evaluation_id IN (1, 2)"
        " AND task < 'crop';"
        "DELETE FROM task_outcome WHERE evaluation_id IN (3, 4) AND task < 'crop'");
    struct comparison_list list = { 0 };

    (void)state;
    compare_arms_of(&list, store, METRIC_PER_TOKEN_ACCURACY, METRIC_TASK_TOKEN_ACCURACY);
    for (int i = 0; i < list.count; i++) {
        const struct comparison *item = &list.items[i];

        assert_true(item->left_out > 0);
        assert_true(item->base_mean < 0.9); /* the tasks that were left out say nothing */
        assert_true(fabs(item->other_mean - item->base_mean - item->estimate.value) < 1e-12);
    }
    comparison_list_release(&list);
    store_close(store);
}

static void a_task_without_predictions_has_no_votes(void **state)
{
    static const char MEAN[] = "SELECT avg(v) FROM (SELECT avg(iif(predictions = 0, 0.0,"
                               " 1.0 * votes / predictions)) AS v FROM task_outcome"
                               " WHERE evaluation_id = ?1 GROUP BY task)";
    struct store *store = open_release_1(
        "UPDATE task_outcome SET votes = 1, predictions = iif(task < 'crop', 0, 4)");
    struct results *results;
    struct error err;

    (void)state;
    must(results_load(&results, store, "t", NULL, 0, RESULTS_ROWS, &err), &err);
    must(results_load_metric(results, store, METRIC_TASK_EXACT_VOTES, &err), &err);
    for (int i = 0; i < results->row_count; i++) {
        double value = result_value(results, &results->rows[i], METRIC_TASK_EXACT_VOTES);
        sqlite3_stmt *s;

        must(sql_query(store, &s, &err, MEAN, "i", results->rows[i].evaluation_id), &err);
        assert_int_equal(sql_step(store, &s, &err), 1);
        assert_true(value > 0 && value < 0.25);
        assert_true(fabs(value - sqlite3_column_double(s, 0)) < 1e-12);
        sql_end(&s);
    }
    results_destroy(results);
    store_close(store);
}

static void results_and_compare_agree_on_a_measure_per_task(void **state)
{
    struct store *store = open_release_1("");
    struct results *results;
    struct compare *compare;
    struct error err;

    (void)state;
    must(results_load(&results, store, "t", NULL, 0, RESULTS_LAST, &err), &err);
    must(results_load_metric(results, store, METRIC_TASK_TOKEN_ACCURACY, &err), &err);
    must(compare_create(&compare, store, results, METRIC_TASK_TOKEN_ACCURACY, &err), &err);
    assert_int_equal(compare->cell_count, results->row_count);
    for (int i = 0; i < compare->cell_count; i++) {
        const struct result_row *row = compare->cells[i].row;
        double value = result_value(results, row, METRIC_TASK_TOKEN_ACCURACY);

        assert_true(row->tasks == compare->task_count);
        assert_true(value > 0 && fabs(value - compare->cells[i].mean) < 1e-12);
    }
    compare_destroy(compare);
    results_destroy(results);
    store_close(store);
}

/* Wall time is what the last attempt of the training says; processor time is another number. */
static void seconds_are_what_their_names_say(void **state)
{
    struct store *store = open_release_1("");
    struct results *results;
    struct error err;

    (void)state;
    must(sql_run(store, &err,
                 "UPDATE attempt SET train_seconds = 10.0 * number, evaluation_seconds = 0.5"
                 " WHERE run_id = 1",
                 ""),
         &err);
    must(results_load(&results, store, "t", NULL, 0, RESULTS_LAST, &err), &err);
    for (int i = 0; i < results->row_count; i++) {
        const struct result_row *row = &results->rows[i];

        assert_true(row->train_cpu_seconds > 0 && row->train_cpu_seconds < 5);
        if (row->run_id == 1)
            assert_true(row->train_seconds >= 10 && row->evaluation_seconds > 0.4);
        else /* the first release did not say it */
            assert_true(isnan(row->train_seconds) && isnan(row->evaluation_seconds));
    }
    assert_int_equal(opened_int(store,
                                "SELECT count(*) FROM v_results WHERE train_seconds >= 10"
                                " AND evaluation_seconds = 0.5"),
                     2);
    results_destroy(results);
    store_close(store);
}

/* Each arm's data have their own baselines, and a comparison is judged by those of its arms. */
static void baselines_stand_beside_the_data_they_belong_to(void **state)
{
    struct store *store = open_release_1(
        "UPDATE run SET data_hash = 'another' WHERE run_id = 2;"
        "UPDATE baseline SET pass_at_2 = 0.25 * run_id;"
        "UPDATE arm SET axes = json_set(axes, '$.\"data.path\"', 'of ' || (SELECT run_id"
        " FROM arm_run x WHERE x.arm_id = arm.arm_id))");
    struct results *results;
    struct baselines baselines;
    struct error err;

    (void)state;
    must(results_load(&results, store, "t", NULL, 0, RESULTS_LAST, &err), &err);
    must(baselines_load(&baselines, store, results, &err), &err);
    assert_int_equal(baselines.count, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(baselines.items[i].copy_runs, 1);
        assert_int_equal(baselines.items[i].untrained_runs, 1);
        assert_true(baselines.items[i].untrained[METRIC_PER_TOKEN_ACCURACY] > 0);
    }
    for (int i = 0; i < results->row_count; i++) {
        const struct baseline *mine = baselines_of(&baselines, &results->rows[i]);
        char data[40];

        assert_non_null(mine);
        snprintf(data, sizeof data, "data.path=of %d", (int)results->rows[i].run_id);
        assert_string_equal(mine->data, data);
        assert_true(fabs(mine->copy[METRIC_PASS_AT_2] -
                         0.25 * (double)results->rows[i].run_id) < 1e-12);
        assert_true(isnan(mine->copy[METRIC_LM_LOSS]));
    }
    baselines_release(&baselines);
    results_destroy(results);
    store_close(store);
}

#define WITH_DIRECTORY(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_measure_is_found_by_each_of_its_names),
        cmocka_unit_test(a_measure_is_paired_by_one_that_tasks_have),
        cmocka_unit_test(every_list_has_a_first_position),
        cmocka_unit_test(the_documentation_has_the_table_of_measures),
        cmocka_unit_test(an_event_of_an_older_worker_is_understood),
        WITH_DIRECTORY(measures_of_every_release_are_columns_of_the_view_score),
        WITH_DIRECTORY(columns_of_results_repeat_the_measures_whoever_writes),
        WITH_DIRECTORY(results_of_the_last_checkpoint_stand_alone_with_types),
        WITH_DIRECTORY(a_difference_is_between_the_numbers_beside_it),
        WITH_DIRECTORY(a_task_without_predictions_has_no_votes),
        WITH_DIRECTORY(results_and_compare_agree_on_a_measure_per_task),
        WITH_DIRECTORY(seconds_are_what_their_names_say),
        WITH_DIRECTORY(baselines_stand_beside_the_data_they_belong_to),
    };

    return cmocka_run_group_tests_name("measure", tests, NULL, NULL);
}
