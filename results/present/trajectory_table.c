/* trajectory_table.c - makes a column per list measure. */
#include "trajectory_table.h"

#include "columns.h"
#include "error.h"

#include <math.h>
#include <stdio.h>

enum { MOST_CALLS = 32 }; /* columns of residuals of a kind; the database has all */

/* In machine formats: residuals of the exact rows, and of the others. */
static const enum metric APART[] = { VECTOR_RESIDUAL_H_EXACT,     VECTOR_RESIDUAL_L_EXACT,
                                     VECTOR_RESIDUAL_H_WRONG,     VECTOR_RESIDUAL_L_WRONG,
                                     VECTOR_RESIDUAL_LAYER_EXACT, VECTOR_RESIDUAL_LAYER_WRONG };
enum { APART_COUNT = sizeof APART / sizeof *APART };

static const enum metric RESIDUALS[] = { VECTOR_RESIDUAL_H, VECTOR_RESIDUAL_L,
                                         VECTOR_RESIDUAL_LAYER };
enum { RESIDUAL_COUNT = sizeof RESIDUALS / sizeof *RESIDUALS };

static const struct table_column SEEDS = { .name = "seeds", .type = TABLE_INT, .fold = true };

/* Adds the cells that every row has. */
static void add_identity(struct table *table, const struct results *results,
                         const struct axes *axes, const struct trajectory_mean *mean)
{
    table_row(table);
    table_add_identity(table, results, axes, mean->row);
    table_int(table, mean->runs);
}

static int digits_of(enum metric measure)
{
    return measure == VECTOR_Q_HALT ? 2 : 3;
}

/* The largest number of calls of any evaluation, limited to the number of columns. */
static int most_calls(const struct trajectories *trajectories, enum metric measure)
{
    int most = 0;

    for (int i = 0; i < trajectories->count; i++)
        if (trajectory_calls(&trajectories->items[i], measure) > most)
            most = trajectory_calls(&trajectories->items[i], measure);
    return most < MOST_CALLS ? most : MOST_CALLS;
}

static void add_step(struct table *table, const struct trajectory_mean *mean, int step,
                     const int calls[RESIDUAL_COUNT])
{
    table_int(table, step);
    for (int m = METRIC_COUNT; m < MEASURE_COUNT; m++)
        if (METRICS[m].shape == MEASURE_PER_STEP)
            table_real(table, trajectory_value(mean, (enum metric)m, step));
    for (int r = 0; r < RESIDUAL_COUNT; r++)
        table_real(table, trajectory_call_mean(mean, RESIDUALS[r], step));
    for (int r = 0; r < APART_COUNT; r++)
        table_real(table, trajectory_call_mean(mean, APART[r], step));
    for (int r = 0; r < RESIDUAL_COUNT; r++)
        for (int i = 1; i <= calls[r]; i++) {
            int mine = trajectory_calls(mean, RESIDUALS[r]);

            table_real(table, i <= mine
                                  ? trajectory_value(mean, RESIDUALS[r], (step - 1) * mine + i)
                                  : (double)NAN);
        }
}

static void add_step_columns(struct columns *columns, const int calls[RESIDUAL_COUNT])
{
    columns_add(columns, (struct table_column){
                             .name = "outer_step", .title = "step", .type = TABLE_INT });
    for (int m = METRIC_COUNT; m < MEASURE_COUNT; m++)
        if (METRICS[m].shape == MEASURE_PER_STEP)
            columns_add(columns, (struct table_column){
                                     .name = METRICS[m].name,
                                     .title = METRICS[m].title,
                                     .type = TABLE_REAL,
                                     .digits = digits_of((enum metric)m),
                                     .drop = m == METRIC_COUNT ? 0 : m - METRIC_COUNT + 3 });
    for (int r = 0; r < RESIDUAL_COUNT; r++)
        columns_add(columns, (struct table_column){ .name = METRICS[RESIDUALS[r]].name,
                                                    .title = METRICS[RESIDUALS[r]].title,
                                                    .type = TABLE_REAL,
                                                    .digits = 3,
                                                    .drop = r + 1,
                                                    .machine_only = calls[r] == 0 });
    for (int r = 0; r < APART_COUNT; r++)
        columns_add(columns, (struct table_column){ .name = METRICS[APART[r]].name,
                                                    .type = TABLE_REAL,
                                                    .digits = 3,
                                                    .machine_only = true });
    for (int r = 0; r < RESIDUAL_COUNT; r++)
        for (int i = 0; i < calls[r]; i++) {
            char name[40];

            snprintf(name, sizeof name, "%s_%d", METRICS[RESIDUALS[r]].name, i + 1);
            columns_add(columns, (struct table_column){ .name = columns_text(columns, name),
                                                        .type = TABLE_REAL,
                                                        .digits = 3,
                                                        .machine_only = true });
        }
}

int trajectory_table(struct table **out, const struct results *results,
                     const struct trajectories *trajectories, struct error *err)
{
    struct columns columns = { 0 };
    int calls[RESIDUAL_COUNT];
    struct axes axes;
    int rc = axes_find(&axes, results, err);

    if (rc != 0)
        return rc;
    for (int r = 0; r < RESIDUAL_COUNT; r++)
        calls[r] = most_calls(trajectories, RESIDUALS[r]);
    columns_add_identity(&columns, results, &axes);
    columns_add(&columns, SEEDS);
    add_step_columns(&columns, calls);
    rc = columns_create_table(out, &columns, err);
    for (int i = 0; i < trajectories->count && rc == 0; i++)
        for (int step = 1; step <= trajectories->items[i].row->outer_steps; step++) {
            add_identity(*out, results, &axes, &trajectories->items[i]);
            add_step(*out, &trajectories->items[i], step, calls);
        }
    axes_release(&axes);
    return rc;
}

int calibration_table(struct table **out, const struct results *results,
                      const struct trajectories *trajectories, struct error *err)
{
    struct columns columns = { 0 };
    struct axes axes;
    int rc = axes_find(&axes, results, err);

    if (rc != 0)
        return rc;
    columns_add_identity(&columns, results, &axes);
    columns_add(&columns, SEEDS);
    columns_add(&columns,
                (struct table_column){ .name = "q_bin", .title = "bin", .type = TABLE_INT });
    for (int m = VECTOR_Q_BIN_ROWS; m <= VECTOR_Q_BIN_EXACT; m++)
        columns_add(&columns, (struct table_column){ .name = METRICS[m].name,
                                                     .title = METRICS[m].title,
                                                     .type = TABLE_REAL,
                                                     .digits = 3 });
    rc = columns_create_table(out, &columns, err);
    for (int i = 0; i < trajectories->count && rc == 0; i++)
        for (int bin = 1; bin <= MEASURE_BINS; bin++) {
            const struct trajectory_mean *mean = &trajectories->items[i];

            if (!(trajectory_value(mean, VECTOR_Q_BIN_ROWS, bin) > 0.0))
                continue;
            add_identity(*out, results, &axes, mean);
            table_int(*out, bin);
            for (int m = VECTOR_Q_BIN_ROWS; m <= VECTOR_Q_BIN_EXACT; m++)
                table_real(*out, trajectory_value(mean, (enum metric)m, bin));
        }
    if (rc == 0)
        table_set_caption(*out, "q_halt beside the share of exact rows, by sigmoid(q_halt)");
    axes_release(&axes);
    return rc;
}
