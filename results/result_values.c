/*
 * result_values.c - loads the measures of results: recorded ones by ranges of
 * evaluations, derived ones from the outcomes of tasks.
 */
#include "query.h"

#include "error.h"
#include "id_range.h"
#include "sql.h"
#include "statistics.h"
#include "store.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* At most so many measures are read one by one; of more, all are. */
enum { MOST_NAMED = 4 };

static int compare_places(const void *a, const void *b)
{
    const struct result_row *x = *(const struct result_row *const *)a;
    const struct result_row *y = *(const struct result_row *const *)b;

    if (x->evaluation_id != y->evaluation_id)
        return x->evaluation_id < y->evaluation_id ? -1 : 1;
    return x->step < y->step ? -1 : x->step > y->step;
}

/* The rows by evaluation and step. Several arms may ask for the same evaluation. */
struct places {
    struct result_row **rows; /* owned */
    int row_count;
    struct id_list evaluations; /* owned */
    int *first;                 /* owned: of each evaluation's rows, the number */
};

static void places_release(struct places *places)
{
    free(places->rows);
    free(places->first);
    id_list_release(&places->evaluations);
}

static int places_init(struct places *out, struct results *results, struct error *err)
{
    int count = results->row_count;
    bool sorted = true;

    *out = (struct places){ .row_count = count };
    out->rows = malloc(((size_t)count + 1) * sizeof *out->rows);
    out->first = malloc(((size_t)count + 1) * sizeof *out->first);
    if (!id_list_init(&out->evaluations, count) || out->rows == NULL || out->first == NULL)
        return error_no_memory(err, "results");
    for (int i = 0; i < count; i++) {
        out->rows[i] = &results->rows[i];
        sorted = sorted && (i == 0 || compare_places(&out->rows[i - 1], &out->rows[i]) <= 0);
    }
    if (!sorted)
        qsort(out->rows, (size_t)count, sizeof *out->rows, compare_places);
    for (int i = 0; i < count; i++) {
        int n = out->evaluations.count;

        if (n > 0 && out->evaluations.ids[n - 1] == out->rows[i]->evaluation_id)
            continue;
        out->first[n] = i;
        out->evaluations.ids[out->evaluations.count++] = out->rows[i]->evaluation_id;
    }
    return 0;
}

/* Writes a value of an evaluation at a step to its rows. If all tests of an evaluation
 * are hidden, none is scored and the measures are unknown. */
static void put_value(const struct places *places, int evaluation, int64_t step,
                      enum metric metric, double value)
{
    int i = places->first[evaluation];
    int end = evaluation + 1 < places->evaluations.count ? places->first[evaluation + 1]
                                                         : places->row_count;

    for (; i < end && places->rows[i]->step <= step; i++)
        if (places->rows[i]->step == step && places->rows[i]->tasks > 0)
            places->rows[i]->values[metric] = value;
}

#define VALUES                                                                                 \
    "SELECT x.evaluation_id, x.step, m.value, m.name FROM evaluation_result x"                 \
    " CROSS JOIN measure_value m ON m.evaluation_id = x.evaluation_id AND m.step = x.step"     \
    "  AND m.position = 0"
#define WHICH " WHERE x.evaluation_id BETWEEN ?1 AND ?2"
#define LAST " AND x.checkpoint = 'last'"
#define IN_ORDER " ORDER BY x.evaluation_id"

/* Loads a measure of the last checkpoints. */
static int load_one(const struct places *places, struct store *store, enum metric metric,
                    struct error *err)
{
    struct id_query q =
        id_query_begin(store, &places->evaluations,
                       VALUES " AND m.name = ?3" WHICH LAST IN_ORDER, METRICS[metric].name);
    int rc;

    while ((rc = id_query_step(&q, err)) > 0)
        put_value(places, q.place, sqlite3_column_int64(q.s, 1), metric,
                  sqlite3_column_double(q.s, 2));
    return rc;
}

/* Loads all recorded measures. */
static int load_all(const struct places *places, struct store *store, enum results_scope scope,
                    struct error *err)
{
    struct id_query q = id_query_begin(
        store, &places->evaluations,
        scope == RESULTS_ALL ? VALUES WHICH IN_ORDER : VALUES WHICH LAST IN_ORDER, NULL);
    struct measure_memo memo = { { 0 }, 0 };
    int rc;

    while ((rc = id_query_step(&q, err)) > 0) {
        enum metric metric = measure_memo_find(&memo, sql_text(q.s, 3));

        if (metric < METRIC_RECORDED) /* otherwise it is a measure of a later release */
            put_value(places, q.place, sqlite3_column_int64(q.s, 1), metric,
                      sqlite3_column_double(q.s, 2));
    }
    return rc;
}

/* Loads recorded measures; count 0: all. */
static int load_recorded(struct results *results, struct store *store,
                         const enum metric *metrics, int count, struct error *err)
{
    struct places places;
    int rc = places_init(&places, results, err);

    if (rc == 0 && (count == 0 || count > MOST_NAMED))
        rc = load_all(&places, store, results->scope, err);
    else
        for (int i = 0; i < count && rc == 0; i++)
            rc = load_one(&places, store, metrics[i], err);
    places_release(&places);
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
