/* trajectory_table.c - makes a column per list measure. */
#include "trajectory_table.h"

#include "error.h"
#include "evaluation_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_CALLS = 32, /* columns of residuals of a kind; the database has all */
    MOST_COLUMNS = 12 + (MEASURE_COUNT - METRIC_COUNT) + 3 * MOST_CALLS
};

/* In machine formats: residuals of the exact rows, and of the others. */
static const enum metric APART[] = { VECTOR_RESIDUAL_H_EXACT,     VECTOR_RESIDUAL_L_EXACT,
                                     VECTOR_RESIDUAL_H_WRONG,     VECTOR_RESIDUAL_L_WRONG,
                                     VECTOR_RESIDUAL_LAYER_EXACT, VECTOR_RESIDUAL_LAYER_WRONG };
enum { APART_COUNT = sizeof APART / sizeof *APART };

static const enum metric RESIDUALS[] = { VECTOR_RESIDUAL_H, VECTOR_RESIDUAL_L,
                                         VECTOR_RESIDUAL_LAYER };
enum { RESIDUAL_COUNT = sizeof RESIDUALS / sizeof *RESIDUALS };

/* The settings of an evaluation without a column of their own: ", weights raw"; newly
 * allocated, NULL: no memory. */
static char *other_settings(const struct result_row *row)
{
    return evaluation_words_add(strdup(""), row->evaluation, row->evaluation);
}

/* Whether any of the evaluations has such settings. */
static bool have_others(const struct trajectories *trajectories)
{
    bool found = false;

    for (int i = 0; i < trajectories->count && !found; i++) {
        char *text = other_settings(trajectories->items[i].row);

        found = text != NULL && text[0] != '\0';
        free(text);
    }
    return found;
}

/* Fills in the columns that identify arm and evaluation; returns their number. */
static int identity_columns(struct table_column *columns,
                            const struct trajectories *trajectories)
{
    const struct table_column IDENTITY[] = {
        { .name = "experiment", .type = TABLE_TEXT, .machine_only = true },
        { .name = "arm", .type = TABLE_TEXT, .fold = true },
        { .name = "eval_outer_steps", .title = "infer", .type = TABLE_INT, .fold = true },
        { .name = "eval_augmentations", .title = "voted", .type = TABLE_TEXT, .fold = true },
        { .name = "split", .type = TABLE_TEXT, .fold = true },
        { .name = "act_inference", .title = "act", .type = TABLE_TEXT, .fold = true },
        { .name = "other_settings",
          .title = "other settings",
          .type = TABLE_TEXT,
          .fold = true,
          .machine_only = !have_others(trajectories) },
        { .name = "seeds", .type = TABLE_INT, .fold = true },
    };
    enum { COUNT = sizeof IDENTITY / sizeof *IDENTITY };

    for (int i = 0; i < COUNT; i++)
        columns[i] = IDENTITY[i];
    return COUNT;
}

static int add_identity(struct table *table, const struct results *results,
                        const struct trajectory_mean *mean, struct error *err)
{
    const struct result_row *row = mean->row;
    char voted[24] = "all", *others = other_settings(row);

    if (others == NULL)
        return error_no_memory(err, "the trajectories");
    if (row->augmentations != 0)
        snprintf(voted, sizeof voted, "%lld", (long long)row->augmentations);
    table_row(table);
    table_text(table, results->experiment);
    table_text(table, results->arms[row->arm].label);
    table_int(table, row->outer_steps);
    table_text(table, voted);
    table_text(table, row->train_split ? "train" : "test");
    table_text(table, row->act_inference ? "true" : "false");
    table_text(table, others[0] != '\0' ? others + strlen(", ") : NULL);
    table_int(table, mean->runs);
    free(others);
    return 0;
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

int trajectory_table(struct table **out, const struct results *results,
                     const struct trajectories *trajectories, struct error *err)
{
    struct table_column columns[MOST_COLUMNS];
    char names[RESIDUAL_COUNT][MOST_CALLS][32];
    int calls[RESIDUAL_COUNT];
    int count = identity_columns(columns, trajectories);

    for (int r = 0; r < RESIDUAL_COUNT; r++)
        calls[r] = most_calls(trajectories, RESIDUALS[r]);
    columns[count++] =
        (struct table_column){ .name = "outer_step", .title = "step", .type = TABLE_INT };
    for (int m = METRIC_COUNT; m < MEASURE_COUNT; m++)
        if (METRICS[m].shape == MEASURE_PER_STEP)
            columns[count++] =
                (struct table_column){ .name = METRICS[m].name,
                                       .title = METRICS[m].title,
                                       .type = TABLE_REAL,
                                       .digits = digits_of((enum metric)m),
                                       .drop = m == METRIC_COUNT ? 0 : m - METRIC_COUNT };
    for (int r = 0; r < RESIDUAL_COUNT; r++)
        columns[count++] = (struct table_column){ .name = METRICS[RESIDUALS[r]].name,
                                                  .title = METRICS[RESIDUALS[r]].title,
                                                  .type = TABLE_REAL,
                                                  .digits = 3,
                                                  .machine_only = calls[r] == 0 };
    for (int r = 0; r < APART_COUNT; r++)
        columns[count++] = (struct table_column){ .name = METRICS[APART[r]].name,
                                                  .type = TABLE_REAL,
                                                  .digits = 3,
                                                  .machine_only = true };
    for (int r = 0; r < RESIDUAL_COUNT; r++)
        for (int i = 0; i < calls[r]; i++) {
            snprintf(names[r][i], sizeof names[r][i], "%s_%d", METRICS[RESIDUALS[r]].name,
                     i + 1);
            columns[count++] = (struct table_column){
                .name = names[r][i], .type = TABLE_REAL, .digits = 3, .machine_only = true
            };
        }
    int rc = table_create(out, columns, count, err);

    for (int i = 0; i < trajectories->count && rc == 0; i++)
        for (int step = 1; step <= trajectories->items[i].row->outer_steps && rc == 0; step++) {
            rc = add_identity(*out, results, &trajectories->items[i], err);
            if (rc == 0)
                add_step(*out, &trajectories->items[i], step, calls);
        }
    return rc;
}

int calibration_table(struct table **out, const struct results *results,
                      const struct trajectories *trajectories, struct error *err)
{
    struct table_column columns[MOST_COLUMNS];
    int count = identity_columns(columns, trajectories);

    columns[count++] =
        (struct table_column){ .name = "q_bin", .title = "bin", .type = TABLE_INT };
    for (int m = VECTOR_Q_BIN_ROWS; m <= VECTOR_Q_BIN_EXACT; m++)
        columns[count++] = (struct table_column){
            .name = METRICS[m].name, .title = METRICS[m].title, .type = TABLE_REAL, .digits = 3
        };
    int rc = table_create(out, columns, count, err);

    for (int i = 0; i < trajectories->count && rc == 0; i++)
        for (int bin = 1; bin <= MEASURE_BINS && rc == 0; bin++) {
            const struct trajectory_mean *mean = &trajectories->items[i];

            if (!(trajectory_value(mean, VECTOR_Q_BIN_ROWS, bin) > 0.0))
                continue;
            rc = add_identity(*out, results, mean, err);
            if (rc == 0)
                table_int(*out, bin);
            for (int m = VECTOR_Q_BIN_ROWS; m <= VECTOR_Q_BIN_EXACT && rc == 0; m++)
                table_real(*out, trajectory_value(mean, (enum metric)m, bin));
        }
    if (rc == 0)
        table_set_caption(*out, "q_halt beside the share of exact rows, by sigmoid(q_halt)");
    return rc;
}
