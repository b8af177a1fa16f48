/*
 * results_table.c - tables of arms over seeds, of single rows, and of baselines.
 */
#include "results_table.h"

#include "error.h"
#include "human.h"
#include "statistics.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_HASH = 12 };

static bool same_group(const struct result_row *a, const struct result_row *b)
{
    return a->arm == b->arm && strcmp(a->evaluation, b->evaluation) == 0;
}

/* Number of rows, beginning at first, with the arm and evaluation of the first. */
static int group_size(const struct results *results, int first)
{
    int end = first + 1;

    while (end < results->row_count && same_group(&results->rows[first], &results->rows[end]))
        end++;
    return end - first;
}

/* Computes mean and deviation of a metric over the finished rows of a group. scratch:
 * (count). */
static void summarise(double *mean, double *deviation, const struct results *results,
                      const struct result_row *rows, int count, enum metric metric,
                      double *scratch)
{
    int found = 0;

    for (int i = 0; i < count && results->values[metric] != NULL; i++) {
        double value = result_value(results, &rows[i], metric);

        if (!isnan(value) && strcmp(rows[i].checkpoint, "last") == 0)
            scratch[found++] = value;
    }
    *mean = statistics_mean(scratch, found);
    if (deviation != NULL)
        *deviation = statistics_deviation(scratch, found);
}

/* The mean of a field at an offset, over the same rows. */
static double mean_of_field(const struct result_row *rows, int count, size_t offset,
                            double *scratch)
{
    int found = 0;

    for (int i = 0; i < count; i++) {
        double value;

        memcpy(&value, (const char *)&rows[i] + offset, sizeof value);
        if (!isnan(value) && strcmp(rows[i].checkpoint, "last") == 0)
            scratch[found++] = value;
    }
    return statistics_mean(scratch, found);
}

/* Adds the number of tasks scored, which is the same for all seeds of an arm. */
static void add_tasks(struct table *table, const struct result_row *rows, int count)
{
    for (int i = 0; i < count; i++)
        if (rows[i].tasks > 0) {
            table_int(table, rows[i].tasks);
            return;
        }
    table_empty(table);
}

/* The best mean of the metric over the groups; NaN: none, or all are equal. */
static double best_mean(const struct results *results, enum metric metric, double *scratch)
{
    double best = (double)NAN, worst = (double)NAN, mean;
    bool lower = METRICS[metric].better == MEASURE_LOWER;

    for (int i = 0; i < results->row_count; i += group_size(results, i)) {
        summarise(&mean, NULL, results, &results->rows[i], group_size(results, i), metric,
                  scratch);
        if (isnan(best) || (lower ? mean < best : mean > best))
            best = mean;
        if (isnan(worst) || (lower ? mean > worst : mean < worst))
            worst = mean;
    }
    return METRICS[metric].better == MEASURE_NEITHER || !(fabs(best - worst) > 0) ? (double)NAN
                                                                                  : best;
}

/* Describes the outcome of one evaluation of one run. */
static void write_outcome(char *out, size_t size, const struct result_row *row)
{
    bool caused = row->cause[0] != '\0';

    snprintf(out, size, "%s%s%s%s", row->hidden ? "tests hidden" : run_state_name(row->outcome),
             caused ? " (" : "", row->cause, caused ? ")" : "");
}

static bool is_scored(const struct result_row *row)
{
    return row->outcome == RUN_DONE && !row->hidden;
}

static enum table_mark mark_of(const struct result_row *row)
{
    return is_scored(row) ? TABLE_PLAIN
           : row->hidden || row->outcome == RUN_QUEUED || row->outcome == RUN_RUNNING
               ? TABLE_FAINT
               : TABLE_BAD;
}

/* An outcome of a group without a result, and the number of rows that have it. */
struct outcome_count {
    char text[64];
    int count;
};

/* Counts an outcome. A new one is appended while there is room. */
static void count_outcome(struct outcome_count *outcomes, int *known, int room,
                          const char *text)
{
    int i = 0;

    while (i < *known && strcmp(outcomes[i].text, text) != 0)
        i++;
    if (i == room)
        return;
    if (i == *known) {
        outcomes[i] = (struct outcome_count){ .count = 0 };
        snprintf(outcomes[i].text, sizeof outcomes[i].text, "%s", text);
        ++*known;
    }
    outcomes[i].count++;
}

/* Adds the outcomes of a group's rows with their numbers ("2 failed (memory), 1
 * running"); "done": all have results. */
static void add_state(struct table *table, const struct result_row *rows, int count)
{
    enum { ROOM = 32 }; /* there are fewer states and causes */
    struct outcome_count outcomes[ROOM];
    char text[400] = "", outcome[64];
    enum table_mark mark = TABLE_PLAIN;
    size_t used = 0;
    int known = 0;

    for (int i = 0; i < count; i++) {
        if (is_scored(&rows[i]))
            continue;
        write_outcome(outcome, sizeof outcome, &rows[i]);
        count_outcome(outcomes, &known, ROOM, outcome);
        if (mark != TABLE_BAD)
            mark = mark_of(&rows[i]);
    }
    for (int i = 0; i < known && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%d %s",
                                 used > 0 ? ", " : "", outcomes[i].count, outcomes[i].text);
    table_text(table, text[0] != '\0' ? text : "done");
    table_mark(table, mark);
}

/* In the order of their columns. */
static const size_t SECONDS[] = { offsetof(struct result_row, train_seconds),
                                  offsetof(struct result_row, evaluation_seconds),
                                  offsetof(struct result_row, train_cpu_seconds) };

/* Adds a row: an arm under an evaluation, over its seeds. */
static void add_group(struct table *table, const struct results *results,
                      const struct axes *axes, const struct result_row *rows, int count,
                      const struct shown *shown, double best, double *scratch)
{
    double means[METRIC_COUNT], deviations[METRIC_COUNT], seconds[3], flops;
    char work[HUMAN_SIZE];
    int seeds = 0;

    for (int m = 0; m < METRIC_COUNT; m++)
        summarise(&means[m], &deviations[m], results, rows, count, (enum metric)m, scratch);
    for (int i = 0; i < count; i++)
        seeds += rows[i].tasks > 0 && strcmp(rows[i].checkpoint, "last") == 0;
    for (int i = 0; i < 3; i++)
        seconds[i] = mean_of_field(rows, count, SECONDS[i], scratch);
    flops = mean_of_field(rows, count, offsetof(struct result_row, train_flops), scratch);
    table_row(table);
    table_add_identity(table, results, axes, rows);
    table_int(table, seeds);
    table_int(table, count);
    add_state(table, rows, count);
    add_tasks(table, rows, count);
    double first = means[shown->metrics[0]];
    table_add_metrics(table, shown, means, deviations, fabs(first - best) <= 0);
    if (rows[0].parameters > 0)
        table_int(table, rows[0].parameters);
    else
        table_empty(table);
    table_int(table, rows[0].puzzle_parameters);
    for (int i = 0; i < 3; i++)
        table_real(table, seconds[i]);
    table_real(table, flops);
    table_text(table, isnan(flops) ? NULL : human_flops(work, flops));
}

static bool all_scored(const struct results *results)
{
    for (int i = 0; i < results->row_count; i++)
        if (!is_scored(&results->rows[i]))
            return false;
    return true;
}

/* If tests are hidden: where their answers are. */
static void add_hidden_note(struct table *table, const struct results *results)
{
    bool hidden = false;

    for (int i = 0; i < results->row_count; i++)
        hidden = hidden || results->rows[i].hidden;
    if (hidden)
        table_add_note(table,
                       "hidden tests have no scores; the answers are in submission.json of "
                       "each run's attempt, which hrmlab show RUN lists");
}

int results_arms_table(struct table **out, const struct results *results,
                       const struct shown *shown, struct error *err)
{
    const struct table_column SEEDS[] = {
        { .name = "seeds", .type = TABLE_INT, .fold = true },
        { .name = "seeds_planned", .type = TABLE_INT, .machine_only = true },
        { .name = "state", .type = TABLE_TEXT, .machine_only = all_scored(results) },
        { .name = "tasks", .type = TABLE_INT, .fold = true },
    };
    static const struct table_column COST[] = {
        { .name = "parameters", .type = TABLE_INT, .fold = true, .drop = 19 },
        { .name = "puzzle_parameters", .type = TABLE_INT, .machine_only = true },
        { .name = "train_seconds",
          .title = "train s",
          .type = TABLE_REAL,
          .digits = 1,
          .drop = 20 },
        { .name = "evaluation_seconds", .type = TABLE_REAL, .digits = 1, .machine_only = true },
        { .name = "train_cpu_seconds",
          .title = "CPU s",
          .type = TABLE_REAL,
          .digits = 1,
          .drop = 20 },
        { .name = "train_flops", .type = TABLE_REAL, .digits = -1, .machine_only = true },
        { .name = "work", .type = TABLE_TEXT, .people_only = true, .drop = 21 },
    };
    struct axes axes;
    struct columns columns = { 0 };
    double *scratch = calloc((size_t)results->row_count + 1, sizeof *scratch);
    int rc = scratch == NULL ? error_no_memory(err, "results") : axes_find(&axes, results, err);

    if (rc == 0) {
        columns_add_identity(&columns, results, &axes);
        columns_add_all(&columns, SEEDS, sizeof SEEDS / sizeof *SEEDS);
        columns_add_metrics(&columns, shown, true);
        columns_add_all(&columns, COST, sizeof COST / sizeof *COST);
        rc = columns_create_table(out, &columns, err);
        double best = rc == 0 ? best_mean(results, shown->metrics[0], scratch) : 0;

        for (int i = 0, count; i < results->row_count && rc == 0; i += count) {
            count = group_size(results, i);
            add_group(*out, results, &axes, &results->rows[i], count, shown, best, scratch);
        }
        if (rc == 0)
            add_hidden_note(*out, results);
        axes_release(&axes);
    }
    free(scratch);
    return rc;
}

static void add_row(struct table *table, const struct results *results, const struct axes *axes,
                    const struct result_row *row, const struct shown *shown)
{
    char hash[SHORT_HASH + 1], outcome[64];
    double values[METRIC_COUNT];

    for (int m = 0; m < METRIC_COUNT; m++)
        values[m] = result_value(results, row, (enum metric)m);
    snprintf(hash, sizeof hash, "%.*s", SHORT_HASH, row->hash);
    table_row(table);
    table_add_identity(table, results, axes, row);
    table_int(table, row->seed);
    table_text(table, row->hash);
    table_text(table, hash);
    write_outcome(outcome, sizeof outcome, row);
    table_text(table, outcome);
    table_mark(table, mark_of(row));
    table_text(table, row->checkpoint[0] != '\0' ? row->checkpoint : NULL);
    if (row->checkpoint[0] != '\0')
        table_int(table, row->step);
    else
        table_empty(table);
    add_tasks(table, row, 1);
    table_add_metrics(table, shown, values, NULL, false);
}

int results_rows_table(struct table **out, const struct results *results,
                       const struct shown *shown, struct error *err)
{
    static const struct table_column RUN[] = {
        { .name = "seed", .type = TABLE_INT, .fold = true },
        { .name = "run_hash", .type = TABLE_TEXT, .machine_only = true },
        { .name = "run", .type = TABLE_TEXT, .people_only = true, .drop = 5 },
        { .name = "state", .type = TABLE_TEXT, .fold = true },
        { .name = "checkpoint", .type = TABLE_TEXT, .fold = true },
        { .name = "step", .type = TABLE_INT, .drop = 4 },
        { .name = "tasks", .type = TABLE_INT, .fold = true, .drop = 6 },
    };
    struct columns columns = { 0 };
    struct axes axes;
    int rc = axes_find(&axes, results, err);

    if (rc != 0)
        return rc;
    columns_add_identity(&columns, results, &axes);
    columns_add_all(&columns, RUN, sizeof RUN / sizeof *RUN);
    columns_add_metrics(&columns, shown, false);
    rc = columns_create_table(out, &columns, err);
    for (int i = 0; i < results->row_count && rc == 0; i++)
        add_row(*out, results, &axes, &results->rows[i], shown);
    axes_release(&axes);
    return rc;
}

static void fill_with_nothing(double values[METRIC_COUNT])
{
    for (int m = 0; m < METRIC_COUNT; m++)
        values[m] = (double)NAN;
}

/* Adds a baseline of one data set and split; if there are several, with the data's
 * name. */
static void add_baseline(struct table *table, const struct baseline *baseline, const char *name,
                         int runs, const struct shown *shown, const double *means,
                         const double *deviations)
{
    table_row(table);
    table_text(table, name);
    table_text(table, baseline->data);
    table_text(table, baseline->data_hash);
    table_text(table, baseline->train_split ? "train" : "test");
    table_int(table, runs);
    table_add_metrics(table, shown, means, deviations, false);
}

/* Adds a note that an untrained model was evaluated on a sample of rows. */
static void add_rows_note(struct table *table, const struct baseline *baseline)
{
    bool named = baseline->data[0] != '\0';
    char note[300];

    if (baseline->untrained_rows == 0)
        return;
    snprintf(note, sizeof note, "untrained model%s%.150s: on %lld of %lld rows",
             named ? ", " : "", baseline->data, (long long)baseline->untrained_rows,
             (long long)baseline->all_rows);
    table_add_note(table, note);
}

int results_baselines_table(struct table **out, const struct baselines *baselines,
                            const struct shown *shown, struct error *err)
{
    const struct table_column NAMES[] = {
        { .name = "baseline", .title = "without learning", .type = TABLE_TEXT },
        { .name = "data", .type = TABLE_TEXT, .machine_only = baselines->count < 2 },
        { .name = "data_hash", .type = TABLE_TEXT, .machine_only = true },
        { .name = "split", .type = TABLE_TEXT, .machine_only = true },
        { .name = "runs", .type = TABLE_INT, .drop = 9 },
    };
    double nothing[METRIC_COUNT];
    struct columns columns = { 0 };

    columns_add_all(&columns, NAMES, sizeof NAMES / sizeof *NAMES);
    columns_add_metrics(&columns, shown, true);
    int rc = columns_create_table(out, &columns, err);

    if (rc != 0)
        return rc;
    fill_with_nothing(nothing);
    for (int i = 0; i < baselines->count; i++) {
        const struct baseline *item = &baselines->items[i];

        add_baseline(*out, item, "copy of the input", item->copy_runs, shown, item->copy,
                     nothing);
        add_baseline(*out, item, "untrained model", item->untrained_runs, shown,
                     item->untrained, item->untrained_deviation);
        add_rows_note(*out, item);
    }
    return 0;
}

static void add_baseline_row(struct table *table, const struct results *results,
                             const struct axes *axes, const struct shown *shown,
                             const char *name, int runs, const double *means,
                             const double *deviations)
{
    table_row(table);
    table_add_no_identity(table, results, axes, name);
    table_int(table, runs);
    table_empty(table); /* seeds planned */
    table_empty(table); /* state */
    table_empty(table); /* tasks */
    table_add_metrics(table, shown, means, deviations, false);
}

int results_add_baseline_rows(struct table *arms, const struct results *results,
                              const struct shown *shown, const struct baselines *baselines,
                              struct error *err)
{
    double nothing[METRIC_COUNT];
    struct axes axes;
    int rc = axes_find(&axes, results, err);

    if (rc != 0)
        return rc;
    fill_with_nothing(nothing);
    for (int i = 0; i < baselines->count; i++) {
        const struct baseline *item = &baselines->items[i];
        const char *between = item->data[0] != '\0' ? ", " : "";
        char name[300];

        snprintf(name, sizeof name, "(copy of the input%s%.200s)", between, item->data);
        add_baseline_row(arms, results, &axes, shown, name, item->copy_runs, item->copy,
                         nothing);
        snprintf(name, sizeof name, "(untrained model%s%.200s)", between, item->data);
        add_baseline_row(arms, results, &axes, shown, name, item->untrained_runs,
                         item->untrained, item->untrained_deviation);
    }
    axes_release(&axes);
    return 0;
}
