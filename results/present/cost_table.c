/* cost_table.c - core-hours of trainings and evaluations, at a price. */
#include "cost_table.h"

#include "columns.h"
#include "error.h"

#include <math.h>
#include <string.h>

enum { SECONDS_PER_HOUR = 3600 };

/* Means over the finished rows of a group; NaN: not known. */
struct cost {
    int seeds;
    double train_core_hours, pass_core_hours, tasks, flops;
};

/* Cores that the training's job has kept busy, on average. */
static double busy_cores(const struct result_row *row)
{
    return row->train_cpu_seconds / (row->train_seconds + row->evaluation_seconds);
}

/* Sums up the rows of one arm and evaluation, from first on; returns how many they
 * are. */
static int sum_up(struct cost *out, const struct results *results, int first)
{
    int end = first;

    *out = (struct cost){ 0 };
    for (; end < results->row_count && results->rows[end].arm == results->rows[first].arm &&
           strcmp(results->rows[end].evaluation, results->rows[first].evaluation) == 0;
         end++) {
        const struct result_row *row = &results->rows[end];
        double cores = busy_cores(row) / SECONDS_PER_HOUR;

        if (strcmp(row->checkpoint, "last") != 0)
            continue;
        out->seeds++;
        out->train_core_hours += row->train_seconds * cores;
        out->pass_core_hours += row->pass_seconds * cores;
        out->tasks += (double)row->tasks;
        out->flops += row->train_flops;
    }
    double seeds = out->seeds > 0 ? out->seeds : (double)NAN;
    out->train_core_hours /= seeds;
    out->pass_core_hours /= seeds;
    out->tasks = out->tasks > 0.0 ? out->tasks / seeds : (double)NAN;
    out->flops /= seeds;
    return end - first;
}

static void add_row(struct table *table, const struct results *results, const struct axes *axes,
                    const struct result_row *row, const struct cost *cost, double price)
{
    table_row(table);
    table_add_identity(table, results, axes, row);
    table_int(table, cost->seeds);
    table_real(table, cost->tasks);
    table_real(table, cost->train_core_hours);
    table_real(table, cost->train_core_hours * price);
    table_real(table, cost->train_core_hours * price / cost->tasks);
    table_real(table, cost->flops / cost->tasks);
    table_real(table, cost->pass_core_hours * SECONDS_PER_HOUR / cost->tasks);
    table_real(table, cost->pass_core_hours * price / cost->tasks);
}

int cost_table(struct table **out, const struct results *results, double price,
               struct error *err)
{
    static const struct table_column COLUMNS[] = {
        { .name = "seeds", .type = TABLE_INT, .fold = true },
        { .name = "tasks", .type = TABLE_REAL, .fold = true },
        { .name = "train_core_hours",
          .title = "train core-h",
          .type = TABLE_REAL,
          .digits = -1 },
        { .name = "train_cost", .title = "train cost", .type = TABLE_REAL, .digits = -1 },
        { .name = "train_cost_per_task",
          .title = "train cost a task",
          .type = TABLE_REAL,
          .digits = -1,
          .drop = 2 },
        { .name = "train_flops_per_task",
          .type = TABLE_REAL,
          .digits = -1,
          .machine_only = true },
        { .name = "inference_core_seconds_per_task",
          .title = "infer core-s a task",
          .type = TABLE_REAL,
          .digits = -1,
          .drop = 1 },
        { .name = "inference_cost_per_task",
          .title = "infer cost a task",
          .type = TABLE_REAL,
          .digits = -1 },
    };
    struct columns columns = { 0 };
    struct axes axes;
    int rc = axes_find(&axes, results, err);

    if (rc < 0)
        return rc;
    columns_add_identity(&columns, results, &axes);
    columns_add_all(&columns, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS);
    rc = columns_create_table(out, &columns, err);
    for (int i = 0, count; i < results->row_count && rc == 0; i += count) {
        struct cost cost;

        count = sum_up(&cost, results, i);
        add_row(*out, results, &axes, &results->rows[i], &cost, price);
    }
    if (rc == 0)
        table_add_note(*out, "costs in the currency of --price, per core-hour of processor "
                             "time; evaluations that share a pass of inference each have the "
                             "whole pass");
    axes_release(&axes);
    return rc;
}
