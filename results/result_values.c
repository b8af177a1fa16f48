/*
 * result_values.c - loads the measures of results: recorded ones by ranges of
 * evaluations, derived ones from the outcomes of tasks.
 */
#include "query.h"

#include "error.h"
#include "evaluation_rows.h"
#include "file.h"
#include "id_range.h"
#include "large_array.h"
#include "measure_rows.h"
#include "sql.h"
#include "statistics.h"
#include "store.h"
#include "task_values.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The values of a measure with room for count rows; those from row `known` on are
 * unknown. NULL: no memory. */
static double *values_of(struct results *results, enum metric metric, int known, int count)
{
    double *values =
        large_array_resize(results->values[metric], (size_t)count * sizeof *values);

    if (values == NULL)
        return NULL;
    for (int i = known; i < count; i++)
        values[i] = (double)NAN;
    results->values[metric] = values;
    return values;
}

/* Writes a value of an evaluation at a step to its rows. If all tests of an evaluation
 * are hidden, none is scored and the measures are unknown. */
static int put_value(struct results *results, const struct evaluation_rows *rows,
                     int evaluation, int64_t step, enum metric metric, double value,
                     struct error *err)
{
    double *values = results->values[metric];

    if (values == NULL)
        values = values_of(results, metric, 0, results->row_count);
    if (values == NULL)
        return error_no_memory(err, "results");
    for (int i = rows->first[evaluation];
         i < rows->first[evaluation + 1] && rows->rows[i]->step <= step; i++)
        if (rows->rows[i]->step == step && rows->rows[i]->tasks > 0)
            values[rows->rows[i] - results->rows] = value;
    return 0;
}

int results_append(struct results *results, const struct results *from, struct error *err)
{
    int before = results->row_count, count = before + from->row_count;
    struct result_row *rows = large_array_resize(results->rows, (size_t)count * sizeof *rows);

    if (rows == NULL)
        return error_no_memory(err, "results");
    results->rows = rows;
    for (int m = 0; m < METRIC_COUNT; m++) {
        if (results->values[m] == NULL && from->values[m] == NULL)
            continue;
        double *values =
            values_of(results, (enum metric)m, results->values[m] != NULL ? before : 0, count);

        if (values == NULL)
            return error_no_memory(err, "results");
        for (int i = 0; i < from->row_count; i++)
            values[before + i] = result_value(from, &from->rows[i], (enum metric)m);
    }
    for (int i = 0; i < from->row_count; i++)
        rows[before + i] = from->rows[i];
    results->row_count = count;
    return 0;
}

#define WHICH " WHERE x.evaluation_id BETWEEN ?1 AND ?2"
#define LAST " AND x.checkpoint = 'last'"
#define IN_ORDER " ORDER BY x.evaluation_id"
#define VALUES                                                                                 \
    "SELECT x.evaluation_id, x.step, m.value, m.name FROM evaluation_result x"                 \
    " CROSS JOIN measure_value m ON m.evaluation_id = x.evaluation_id AND m.step = x.step"     \
    "  AND m.position = 0" WHICH

/* Loads some measures of the last checkpoints. */
static int load_named(struct results *results, const struct evaluation_rows *rows,
                      struct store *store, const enum metric *metrics, int count,
                      struct error *err)
{
    char *columns = measure_columns(metrics, count);
    char *sql = columns == NULL ? NULL
                                : format_string("SELECT x.evaluation_id, x.step%s"
                                                " FROM evaluation_result x" WHICH LAST IN_ORDER,
                                                columns);
    struct id_query q = id_query_begin(store, &rows->evaluations, sql);
    int rc = sql == NULL ? error_no_memory(err, "results") : 0;

    while (rc == 0 && (rc = id_query_step(&q, err)) > 0) {
        rc = 0;
        for (int i = 0; i < count && rc == 0; i++)
            if (sqlite3_column_type(q.s, 2 + i) != SQLITE_NULL)
                rc = put_value(results, rows, q.place, sqlite3_column_int64(q.s, 1), metrics[i],
                               sqlite3_column_double(q.s, 2 + i), err);
    }
    id_query_end(&q);
    free(sql);
    free(columns);
    return rc;
}

/* Loads all recorded measures. */
static int load_all(struct results *results, const struct evaluation_rows *rows,
                    struct store *store, struct error *err)
{
    struct id_query q =
        id_query_begin(store, &rows->evaluations,
                       results->scope == RESULTS_ALL ? VALUES IN_ORDER : VALUES LAST IN_ORDER);
    struct measure_memo memo = { { 0 }, 0 };
    int rc = 0;

    while (rc == 0 && (rc = id_query_step(&q, err)) > 0) {
        enum metric metric = measure_memo_find(&memo, sql_text(q.s, 3));

        rc = 0;
        if (metric < METRIC_RECORDED) /* otherwise it is a measure of a later release */
            rc = put_value(results, rows, q.place, sqlite3_column_int64(q.s, 1), metric,
                           sqlite3_column_double(q.s, 2), err);
    }
    id_query_end(&q);
    return rc;
}

/* Loads recorded measures; count 0: all. */
static int load_recorded(struct results *results, struct store *store,
                         const enum metric *metrics, int count, struct error *err)
{
    struct evaluation_rows rows;
    int rc = evaluation_rows_init(&rows, results, err);

    if (rc == 0 && (count == 0 || count > MEASURE_COLUMNS_MOST))
        rc = load_all(results, &rows, store, err);
    else if (rc == 0)
        rc = load_named(results, &rows, store, metrics, count, err);
    evaluation_rows_release(&rows);
    return rc;
}

/* Loads a measure that follows from the outcomes of tasks. */
static int load_derived(struct results *results, struct store *store, enum metric metric,
                        struct error *err)
{
    struct task_values values = { 0 };
    struct evaluation_rows rows;
    struct task_reader reader;
    double *out = results->values[metric];
    int rc = evaluation_rows_init(&rows, results, err);

    if (rc == 0 && out == NULL)
        out = values_of(results, metric, 0, results->row_count);
    if (rc == 0 && out == NULL)
        rc = error_no_memory(err, "results");
    if (rc == 0)
        rc = task_reader_begin(&reader, store, &rows.evaluations, metric, err);
    if (rc == 0)
        while ((rc = task_reader_step(&reader, &values, err)) > 0)
            for (int i = rows.first[reader.place]; i < rows.first[reader.place + 1]; i++)
                if (strcmp(rows.rows[i]->checkpoint, "last") == 0 && rows.rows[i]->tasks > 0)
                    out[rows.rows[i] - results->rows] =
                        statistics_mean(values.values, values.count);
    task_values_release(&values);
    evaluation_rows_release(&rows);
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
    if (rc == 0 && recorded_count > 0 && results->scope != RESULTS_LAST &&
        results->scope != RESULTS_ALL)
        rc = load_recorded(results, store, recorded, recorded_count, err);
    return rc;
}

int results_load_metric(struct results *results, struct store *store, enum metric metric,
                        struct error *err)
{
    return results_load_metrics(results, store, &metric, 1, err);
}
