/* test_compare.c - what `compare` says of an axis whose values are not all done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "compare.h"
#include "error.h"
#include "file.h"
#include "filter.h"
#include "query.h"
#include "store.h"

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

static void must(int rc, const struct error *err)
{
    if (rc != 0)
        fail_msg("%s", err->message);
}

/* The workspace of the first release (two arms by arch.name, trained), changed by SQL. */
static void open_workspace(const char *change)
{
    char *path = file_join(directory, "results.db"), *sql, *message = NULL;
    struct error err;
    sqlite3 *db;
    size_t size;

    must(file_read(&sql, &size, "tests/data/release_1.sql", 1 << 20, &err), &err);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    must(store_open(&store, directory, STORE_WRITE, &err), &err); /* migrates */
    store_close(store);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, change, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s", message);
    sqlite3_close(db);
    free(sql);
    free(path);
    must(store_open(&store, directory, STORE_READ, &err), &err);
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
    assert_non_null(strstr(err.message, "expected --axis KEY, --matrix or two arms"));
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

static void a_bare_name_suggests_the_setting_of_that_name(void **state)
{
    struct filter filter;
    struct error err;

    (void)state;
    assert_int_equal(filter_parse(&filter, "lr=1", &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "did you mean \"train.lr\"?"));
}

#define WITH_DIRECTORY(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(an_axis_says_which_values_have_no_results),
        WITH_DIRECTORY(a_cancelled_run_is_counted_as_cancelled),
        WITH_DIRECTORY(a_comparison_of_nothing_offers_the_axes),
        WITH_DIRECTORY(arms_at_their_own_outer_steps_are_compared),
        cmocka_unit_test(a_bare_name_suggests_the_setting_of_that_name),
    };

    return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
