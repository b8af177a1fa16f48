/* trajectories.c - averages list measures over runs. */
#include "trajectories.h"

#include "error.h"
#include "evaluation_keys.h"
#include "query.h"
#include "sql.h"
#include "store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void mean_release(struct trajectory_mean *mean)
{
    for (int i = 0; i < MEASURE_COUNT - METRIC_COUNT; i++) {
        free(mean->lists[i].values);
        free(mean->lists[i].weights);
    }
    *mean = (struct trajectory_mean){ 0 };
}

void trajectories_release(struct trajectories *trajectories)
{
    for (int i = 0; i < trajectories->count; i++)
        mean_release(&trajectories->items[i]);
    free(trajectories->items);
    *trajectories = (struct trajectories){ 0 };
}

/* Makes room for positions up to this one, doubling the capacity. */
static int make_room(struct trajectory_list *list, int position, struct error *err)
{
    int room = 2 * position + 16;
    double *values = realloc(list->values, (size_t)room * sizeof *values);

    if (values == NULL)
        return error_no_memory(err, "the trajectories");
    list->values = values;
    double *weights = realloc(list->weights, (size_t)room * sizeof *weights);
    if (weights == NULL)
        return error_no_memory(err, "the trajectories");
    list->weights = weights;
    list->room = room;
    return 0;
}

static int add_value(struct trajectory_list *list, int position, double value, double weight,
                     struct error *err)
{
    int rc = position > list->room ? make_room(list, position, err) : 0;

    if (rc < 0)
        return rc;
    for (; list->count < position; list->count++) {
        list->values[list->count] = 0.0;
        list->weights[list->count] = 0.0;
    }
    list->values[position - 1] += weight * value;
    list->weights[position - 1] += weight;
    return 0;
}

/* Adds the lists of one run's evaluation; counts the run if it has any. What a bin of
 * q_halt has counts by the bin's rows: a seed with a single row there says little. */
static int add_run(struct trajectory_mean *mean, struct store *store,
                   const struct result_row *row, struct error *err)
{
    sqlite3_stmt *s;
    bool any = false;
    int rc = sql_query(store, &s, err,
                       "SELECT m.name, m.position, m.value, coalesce(b.value, 1.0)"
                       " FROM measure_value m LEFT JOIN measure_value b"
                       " ON m.name IN ('q_bin_mean', 'q_bin_exact')"
                       " AND b.evaluation_id = m.evaluation_id AND b.step = m.step"
                       " AND b.name = 'q_bin_rows' AND b.position = m.position"
                       " WHERE m.evaluation_id = ?1 AND m.step = ?2 AND m.position > 0",
                       "ii", row->evaluation_id, row->step);

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        enum metric measure = measure_of_name(sql_text(s, 0));
        int position = sqlite3_column_int(s, 1);

        rc = 0;
        /* a measure of a later release */
        if (measure < METRIC_COUNT || measure == MEASURE_COUNT)
            continue;
        any = true;
        rc = add_value(&mean->lists[measure - METRIC_COUNT], position,
                       sqlite3_column_double(s, 2), sqlite3_column_double(s, 3), err);
        if (rc < 0)
            sql_end(&s);
    }
    mean->runs += any;
    return rc;
}

static void divide(struct trajectory_mean *mean)
{
    for (int i = 0; i < MEASURE_COUNT - METRIC_COUNT; i++)
        for (int k = 0; k < mean->lists[i].count; k++)
            mean->lists[i].values[k] =
                mean->lists[i].weights[k] > 0.0
                    ? mean->lists[i].values[k] / mean->lists[i].weights[k]
                    : (double)NAN;
}

static bool same_group(const struct result_row *a, const struct result_row *b)
{
    return a->arm == b->arm && strcmp(a->evaluation, b->evaluation) == 0;
}

/* Loads the count rows of one arm and evaluation. */
static int load_group(struct trajectory_mean *out, struct store *store,
                      const struct result_row *rows, int count, struct error *err)
{
    int rc = 0;

    *out = (struct trajectory_mean){ .row = rows };
    if (!evaluation_keys_has_trajectory(rows->evaluation))
        return 0;
    for (int i = 0; i < count && rc == 0; i++)
        if (rows[i].tasks > 0 && strcmp(rows[i].checkpoint, "last") == 0)
            rc = add_run(out, store, &rows[i], err);
    divide(out);
    return rc;
}

int trajectories_load(struct trajectories *out, struct store *store,
                      const struct results *results, struct error *err)
{
    int rc = 0;

    *out = (struct trajectories){ .items = calloc((size_t)results->row_count + 1,
                                                  sizeof *out->items) };
    if (out->items == NULL)
        return error_no_memory(err, "the trajectories");
    for (int i = 0, end; i < results->row_count && rc == 0; i = end) {
        struct trajectory_mean *mean = &out->items[out->count++];

        for (end = i + 1; end < results->row_count; end++)
            if (!same_group(&results->rows[i], &results->rows[end]))
                break;
        rc = load_group(mean, store, &results->rows[i], end - i, err);
        if (mean->runs == 0) {
            mean_release(mean);
            out->count--;
        }
    }
    if (rc < 0)
        trajectories_release(out);
    return rc;
}

double trajectory_value(const struct trajectory_mean *mean, enum metric measure, int position)
{
    const struct trajectory_list *list = &mean->lists[measure - METRIC_COUNT];

    return position >= 1 && position <= list->count ? list->values[position - 1] : (double)NAN;
}

/* The residual over all rows, which has a value for every call: one over exact or wrong
 * rows alone has none where there are no such rows. */
static enum metric over_all_rows(enum metric measure)
{
    static const enum metric APART[][3] = {
        { VECTOR_RESIDUAL_H, VECTOR_RESIDUAL_H_EXACT, VECTOR_RESIDUAL_H_WRONG },
        { VECTOR_RESIDUAL_L, VECTOR_RESIDUAL_L_EXACT, VECTOR_RESIDUAL_L_WRONG },
        { VECTOR_RESIDUAL_LAYER, VECTOR_RESIDUAL_LAYER_EXACT, VECTOR_RESIDUAL_LAYER_WRONG },
    };

    for (size_t i = 0; i < sizeof APART / sizeof *APART; i++)
        if (measure == APART[i][1] || measure == APART[i][2])
            return APART[i][0];
    return measure;
}

int trajectory_calls(const struct trajectory_mean *mean, enum metric measure)
{
    return mean->lists[over_all_rows(measure) - METRIC_COUNT].count /
           (int)mean->row->outer_steps;
}

double trajectory_call_mean(const struct trajectory_mean *mean, enum metric measure, int step)
{
    int calls = trajectory_calls(mean, measure);
    double sum = 0.0;

    for (int i = 1; i <= calls; i++)
        sum += trajectory_value(mean, measure, (step - 1) * calls + i);
    return calls > 0 ? sum / calls : (double)NAN;
}
