/*
 * result_values.c - loads the measures of results: recorded ones in one query, derived
 * ones from the outcomes of tasks.
 */
#include "query.h"

#include "error.h"
#include "sql.h"
#include "statistics.h"
#include "store.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* At most so many measures are asked for by name; of more, all are loaded. */
enum { MOST_NAMED = 4 };

static int compare_places(const void *a, const void *b)
{
    const struct result_row *x = *(const struct result_row *const *)a;
    const struct result_row *y = *(const struct result_row *const *)b;

    if (x->evaluation_id != y->evaluation_id)
        return x->evaluation_id < y->evaluation_id ? -1 : 1;
    return x->step < y->step ? -1 : x->step > y->step;
}

/* The rows by evaluation and step; newly allocated or NULL. */
static struct result_row **rows_by_place(struct results *results)
{
    struct result_row **order = malloc(((size_t)results->row_count + 1) * sizeof *order);

    if (order == NULL)
        return NULL;
    for (int i = 0; i < results->row_count; i++)
        order[i] = &results->rows[i];
    qsort(order, (size_t)results->row_count, sizeof *order, compare_places);
    return order;
}

/* The first of the rows of an evaluation at a step; count: none is. */
static int find_place(struct result_row *const *order, int count, int64_t evaluation_id,
                      int64_t step)
{
    const struct result_row wanted = { .evaluation_id = evaluation_id, .step = step };
    const struct result_row *key = &wanted;
    int low = 0, high = count;

    while (low < high) {
        int middle = low + (high - low) / 2;

        if (compare_places(&order[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && compare_places(&order[low], &key) == 0 ? low : count;
}

/* Writes the value of the statement's row to the rows of its evaluation and step, which
 * begin at number first. Several arms may ask for the same evaluation. */
static void put_value(struct result_row *const *order, int count, int first, enum metric metric,
                      double value)
{
    for (int i = first; i < count && compare_places(&order[i], &order[first]) == 0; i++)
        if (order[i]->tasks > 0)
            order[i]->values[metric] = value;
}

/* The arms that have rows. */
static void arms_of_rows(const struct results *results, int64_t *first, int64_t *last)
{
    *first = INT64_MAX;
    *last = INT64_MIN;
    for (int i = 0; i < results->row_count; i++) {
        int64_t id = results->arms[results->rows[i].arm].id;

        *first = id < *first ? id : *first;
        *last = id > *last ? id : *last;
    }
}

/* From the arms on, each table through an index. */
#define VALUES                                                                                 \
    "SELECT x.evaluation_id, x.step, m.name, m.value FROM arm a"                               \
    " CROSS JOIN arm_evaluation ae USING (arm_id)"                                             \
    " CROSS JOIN evaluation_result x USING (evaluation_id)"                                    \
    " CROSS JOIN measure_value m ON m.evaluation_id = x.evaluation_id AND m.step = x.step"     \
    "  AND m.position = 0"
#define WHICH                                                                                  \
    " WHERE a.experiment_id = ?1 AND a.arm_id BETWEEN ?2 AND ?3"                               \
    " AND (?4 OR x.checkpoint = 'last')"

static int query_values(sqlite3_stmt **s, struct store *store, const struct results *results,
                        const enum metric *metrics, int count, struct error *err)
{
    const char *names[MOST_NAMED] = { NULL };
    int64_t first, last;

    arms_of_rows(results, &first, &last);
    if (count == 0 || count > MOST_NAMED)
        return sql_query(store, s, err, VALUES WHICH, "iiii", results->experiment_id, first,
                         last, (int64_t)(results->scope == RESULTS_ALL));
    for (int i = 0; i < count; i++)
        names[i] = METRICS[metrics[i]].name;
    return sql_query(store, s, err, VALUES " AND m.name IN (?5, ?6, ?7, ?8)" WHICH, "iiiitttt",
                     results->experiment_id, first, last,
                     (int64_t)(results->scope == RESULTS_ALL), names[0], names[1], names[2],
                     names[3]);
}

/* Loads recorded measures; count 0: all. If all tests of an evaluation are hidden, none
 * is scored and the measures are unknown. */
static int load_recorded(struct results *results, struct store *store,
                         const enum metric *metrics, int count, struct error *err)
{
    struct result_row **order = rows_by_place(results);
    int64_t evaluation = -1, step = -1;
    int at = 0;
    sqlite3_stmt *s = NULL;
    int rc = order == NULL ? error_no_memory(err, "results")
                           : query_values(&s, store, results, metrics, count, err);

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        enum metric metric = measure_of_name(sql_text(s, 2));
        int64_t place[2] = { sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1) };

        rc = 0;
        if (place[0] != evaluation || place[1] != step)
            at = find_place(order, results->row_count, place[0], place[1]);
        evaluation = place[0];
        step = place[1];
        if (metric < METRIC_RECORDED) /* otherwise it is a measure of a later release */
            put_value(order, results->row_count, at, metric, sqlite3_column_double(s, 3));
    }
    free(order);
    return rc;
}

/* Loads a measure that follows from the outcomes of tasks. */
static int load_derived(struct results *results, struct store *store, enum metric metric,
                        struct error *err)
{
    struct task_values values = { 0 };
    int rc = 0;

    for (int i = 0; i < results->row_count && rc == 0; i++) {
        struct result_row *row = &results->rows[i];

        if (strcmp(row->checkpoint, "last") != 0 || row->tasks == 0)
            continue;
        rc = task_values_load(&values, store, row->evaluation_id, metric, err);
        if (rc == 0)
            row->values[metric] = statistics_mean(values.values, values.count);
    }
    task_values_release(&values);
    return rc;
}

int results_load_recorded(struct results *results, struct store *store, struct error *err)
{
    return results->row_count > 0 ? load_recorded(results, store, NULL, 0, err) : 0;
}

int results_load_metrics(struct results *results, struct store *store,
                         const enum metric *metrics, int count, struct error *err)
{
    enum metric recorded[METRIC_COUNT];
    int recorded_count = 0, rc = 0;

    if (results->row_count == 0)
        return 0;
    for (int i = 0; i < count && rc == 0; i++) {
        if ((int)metrics[i] < METRIC_RECORDED)
            recorded[recorded_count++] = metrics[i];
        else
            rc = load_derived(results, store, metrics[i], err);
    }
    if (rc == 0 && recorded_count > 0 && results->scope == RESULTS_ROWS)
        rc = load_recorded(results, store, recorded, recorded_count, err);
    return rc;
}

int results_load_metric(struct results *results, struct store *store, enum metric metric,
                        struct error *err)
{
    return results_load_metrics(results, store, &metric, 1, err);
}
