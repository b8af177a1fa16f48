/*
 * command_results.c - `hrmlab results`: what each arm scored, over seeds.
 */
#include "error.h"
#include "log.h"
#include "options.h"
#include "query.h"
#include "statistics.h"
#include "store.h"
#include "table.h"
#include "trajectory_table.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_AXES = 24, MOST_COLUMNS = 18 + MOST_AXES + 2 * METRIC_COUNT, SHORT_HASH = 12 };

/* The settings that the arms differ in, a column each. */
struct axes {
    const char *keys[MOST_AXES];      /* borrowed of the results */
    enum table_type types[MOST_AXES]; /* numbers where every arm has one */
    int count;
};

static void find_axes(struct axes *out, const struct results *results)
{
    *out = (struct axes){ 0 };
    for (int a = 0; a < results->arm_count; a++)
        for (const cJSON *item = results->arms[a].axes->child; item != NULL;
             item = item->next) {
            enum table_type type = !cJSON_IsNumber(item) ? TABLE_TEXT
                                   : item->valuedouble == trunc(item->valuedouble) &&
                                           fabs(item->valuedouble) < 1e15
                                       ? TABLE_INT
                                       : TABLE_REAL;
            int at = 0;
            while (at < out->count && strcmp(out->keys[at], item->string) != 0)
                at++;
            if (at == MOST_AXES)
                continue;
            if (at == out->count) {
                out->types[out->count] = type;
                out->keys[out->count++] = item->string;
            } else if (type != out->types[at]) {
                bool numbers = type != TABLE_TEXT && out->types[at] != TABLE_TEXT;
                out->types[at] = numbers ? TABLE_REAL : TABLE_TEXT;
            }
        }
}

/* "lr" of "train.lr", unless another axis ends alike. */
static const char *short_name(const struct axes *axes, int axis)
{
    const char *dot = strrchr(axes->keys[axis], '.');

    for (int i = 0; i < axes->count && dot != NULL; i++) {
        const char *other = strrchr(axes->keys[i], '.');
        if (i != axis && other != NULL && strcmp(other, dot) == 0)
            return axes->keys[axis];
    }
    return dot != NULL ? dot + 1 : axes->keys[axis];
}

/* The arm's values, a cell each. */
static void add_axes(struct table *table, const struct axes *axes, const cJSON *values)
{
    for (int i = 0; i < axes->count; i++) {
        const cJSON *value =
            values != NULL ? cJSON_GetObjectItemCaseSensitive(values, axes->keys[i]) : NULL;

        if (value == NULL) {
            table_empty(table);
        } else if (axes->types[i] == TABLE_TEXT && cJSON_IsString(value)) {
            table_text(table, value->valuestring);
        } else if (axes->types[i] == TABLE_TEXT) {
            char *text = cJSON_PrintUnformatted(value);
            table_text(table, text);
            cJSON_free(text);
        } else if (axes->types[i] == TABLE_INT) {
            table_int(table, (int64_t)value->valuedouble);
        } else {
            table_real(table, value->valuedouble);
        }
    }
}

/* The three shown to people; the first is --metric. */
struct shown {
    enum metric metrics[3];
    int count;
};

static bool wants_color(const struct options *options)
{
    return options->color == COLOR_ALWAYS ||
           (options->color == COLOR_AUTO && isatty(STDOUT_FILENO) == 1);
}

static struct shown choose_metrics(enum metric first)
{
    static const enum metric ALWAYS[] = { METRIC_PER_TOKEN_ACCURACY, METRIC_EXACT_ROWS };
    struct shown shown = { { first }, 1 };

    for (int i = 0; i < 2; i++)
        if (ALWAYS[i] != first)
            shown.metrics[shown.count++] = ALWAYS[i];
    return shown;
}

static bool is_shown(const struct shown *shown, int metric)
{
    for (int i = 0; i < shown->count; i++)
        if ((int)shown->metrics[i] == metric)
            return true;
    return false;
}

static int digits_of(enum metric metric)
{
    return metric == METRIC_MEAN_OUTER_STEPS ? 2 : 3;
}

/* Which evaluation settings differ between the rows, so that people need to see
 * them. */
struct varying {
    bool act, split, eval_seed;
};

static struct varying find_varying(const struct results *results)
{
    struct varying varying = { false, false, false };

    for (int i = 1; i < results->row_count; i++) {
        const struct result_row *a = &results->rows[0], *b = &results->rows[i];

        varying.act = varying.act || a->act_inference != b->act_inference;
        varying.split = varying.split || a->train_split != b->train_split;
        varying.eval_seed = varying.eval_seed || a->eval_seed != b->eval_seed;
    }
    return varying;
}

/* The columns that name the arm and the evaluation; returns how many. */
static int identity_columns(struct table_column *columns, const struct results *results,
                            const struct axes *axes)
{
    struct varying varying = find_varying(results);
    int count = 0;
    const struct table_column NAMES[] = {
        { .name = "experiment", .type = TABLE_TEXT, .machine_only = true },
        { .name = "arm", .type = TABLE_TEXT, .machine_only = axes->count > 0 },
    };
    const struct table_column IDENTITY[] = {
        { .name = "train_outer_steps", .title = "trained", .type = TABLE_INT, .fold = true },
        { .name = "eval_outer_steps", .title = "infer", .type = TABLE_INT, .fold = true },
        { .name = "train_augmentations", .title = "aug", .type = TABLE_INT, .fold = true },
        { .name = "eval_augmentations", .title = "voted", .type = TABLE_TEXT, .fold = true },
        { .name = "act_inference",
          .title = "act",
          .type = TABLE_TEXT,
          .machine_only = !varying.act },
        { .name = "split", .type = TABLE_TEXT, .machine_only = !varying.split },
        { .name = "eval_seed",
          .title = "eval seed",
          .type = TABLE_INT,
          .machine_only = !varying.eval_seed },
    };

    memcpy(columns, NAMES, sizeof NAMES);
    count = (int)(sizeof NAMES / sizeof *NAMES);
    for (int i = 0; i < axes->count; i++)
        columns[count++] = (struct table_column){ .name = axes->keys[i],
                                                  .title = short_name(axes, i),
                                                  .type = axes->types[i],
                                                  .digits = -1,
                                                  .fold = true };
    memcpy(columns + count, IDENTITY, sizeof IDENTITY);
    return count + (int)(sizeof IDENTITY / sizeof *IDENTITY);
}

static void add_identity(struct table *table, const struct results *results,
                         const struct axes *axes, const struct result_row *row)
{
    char augmentations[24];

    table_text(table, results->experiment);
    table_text(table, results->arms[row->arm].label);
    add_axes(table, axes, results->arms[row->arm].axes);
    table_int(table, row->train_outer_steps);
    table_int(table, row->outer_steps);
    table_int(table, row->train_augmentations);
    snprintf(augmentations, sizeof augmentations, "%lld", (long long)row->augmentations);
    table_text(table, row->augmentations == 0 ? "all" : augmentations);
    table_text(table, row->act_inference ? "true" : "false");
    table_text(table, row->train_split ? "train" : "test");
    table_int(table, row->eval_seed);
}

/* Adds columns for the shown metrics first, then the others for programs. spread: with
 * the deviation beside each. The names live in names, as long as the table is being
 * made. */
static int metric_columns(struct table_column *columns, char names[][64],
                          const struct shown *shown, bool spread)
{
    int count = 0;

    for (int i = 0; i < shown->count + METRIC_COUNT; i++) {
        bool first = i < shown->count;
        enum metric metric = first ? shown->metrics[i] : (enum metric)(i - shown->count);

        if (!first && is_shown(shown, (int)metric))
            continue;
        columns[count++] = (struct table_column){ .name = METRICS[metric].name,
                                                  .title = METRICS[metric].title,
                                                  .type = TABLE_REAL,
                                                  .digits = digits_of(metric),
                                                  .drop = i == 0 ? 0 : 1 + i,
                                                  .machine_only = !first };
        if (!spread)
            continue;
        snprintf(names[metric], sizeof names[metric], "%s_deviation", METRICS[metric].name);
        columns[count++] = (struct table_column){ .name = names[metric],
                                                  .title = "sd",
                                                  .type = TABLE_REAL,
                                                  .digits = digits_of(metric),
                                                  .drop = i == 0 ? 1 : 4 + i,
                                                  .machine_only = !first };
    }
    return count;
}

/* Calls for each metric in metric_columns()'s order. */
static void add_metrics(struct table *table, const struct shown *shown, const double *means,
                        const double *deviations)
{
    for (int i = 0; i < shown->count + METRIC_COUNT; i++) {
        bool first = i < shown->count;
        enum metric metric = first ? shown->metrics[i] : (enum metric)(i - shown->count);

        if (!first && is_shown(shown, (int)metric))
            continue;
        table_real(table, means[metric]);
        if (deviations != NULL)
            table_real(table, deviations[metric]);
    }
}

static bool same_group(const struct result_row *a, const struct result_row *b)
{
    return a->arm == b->arm && strcmp(a->evaluation, b->evaluation) == 0;
}

/* Mean and deviation over the finished rows of a group of one metric (or of a field
 * given by offset); scratch: (count). Returns how many there are. */
static int summarise(double *mean, double *deviation, const struct result_row *rows, int count,
                     size_t offset, double *scratch)
{
    int found = 0;

    for (int i = 0; i < count; i++) {
        double value;

        if (strcmp(rows[i].checkpoint, "last") != 0)
            continue;
        memcpy(&value, (const char *)&rows[i] + offset, sizeof value);
        if (!isnan(value))
            scratch[found++] = value;
    }
    *mean = statistics_mean(scratch, found);
    if (deviation != NULL)
        *deviation = statistics_deviation(scratch, found);
    return found;
}

/* How many tasks the rows were scored on, which is the same for all seeds of an arm. */
static void add_tasks(struct table *table, const struct result_row *rows, int count)
{
    for (int i = 0; i < count; i++)
        if (rows[i].tasks > 0) {
            table_int(table, rows[i].tasks);
            return;
        }
    table_empty(table);
}

/* One row: an arm under an evaluation, over its seeds. */
static void add_group(struct table *table, const struct results *results,
                      const struct axes *axes, const struct result_row *rows, int count,
                      const struct shown *shown, double *scratch)
{
    double means[METRIC_COUNT], deviations[METRIC_COUNT], seconds, flops;
    int seeds = 0;

    for (int m = 0; m < METRIC_COUNT; m++) {
        size_t offset = offsetof(struct result_row, values) + (size_t)m * sizeof(double);
        int found = summarise(&means[m], &deviations[m], rows, count, offset, scratch);

        if (m == METRIC_PASS_AT_2)
            seeds = found;
    }
    summarise(&seconds, NULL, rows, count, offsetof(struct result_row, train_seconds), scratch);
    summarise(&flops, NULL, rows, count, offsetof(struct result_row, train_flops), scratch);
    table_row(table);
    add_identity(table, results, axes, rows);
    table_int(table, seeds);
    table_int(table, count);
    add_tasks(table, rows, count);
    add_metrics(table, shown, means, deviations);
    table_real(table, seconds);
    table_real(table, flops);
    table_real(table, flops / 1e12);
}

static int make_arms_table(struct table **out, const struct results *results,
                           const struct shown *shown, struct error *err)
{
    static const struct table_column COST[] = {
        { .name = "train_seconds",
          .title = "CPU s",
          .type = TABLE_REAL,
          .digits = 1,
          .drop = 20 },
        { .name = "train_flops", .type = TABLE_REAL, .digits = -1, .machine_only = true },
        { .name = "train_tflop",
          .title = "TFLOP",
          .type = TABLE_REAL,
          .digits = 2,
          .drop = 21,
          .people_only = true },
    };
    struct axes axes;
    struct table_column columns[MOST_COLUMNS];
    char names[METRIC_COUNT][64];
    double *scratch = calloc((size_t)results->row_count + 1, sizeof *scratch);
    int count, rc;

    find_axes(&axes, results);
    count = identity_columns(columns, results, &axes);
    columns[count++] = (struct table_column){ .name = "seeds", .type = TABLE_INT };
    columns[count++] = (struct table_column){ .name = "seeds_planned",
                                              .type = TABLE_INT,
                                              .machine_only = true };
    columns[count++] = (struct table_column){ .name = "tasks", .type = TABLE_INT };
    count += metric_columns(columns + count, names, shown, true);
    memcpy(columns + count, COST, sizeof COST);
    count += (int)(sizeof COST / sizeof *COST);
    rc = scratch == NULL ? error_set(err, ERROR_NOMEM, "no memory for results")
                         : table_create(out, columns, count, err);
    for (int i = 0, end; i < results->row_count && rc == 0; i = end) {
        for (end = i + 1; end < results->row_count; end++)
            if (!same_group(&results->rows[i], &results->rows[end]))
                break;
        add_group(*out, results, &axes, &results->rows[i], end - i, shown, scratch);
    }
    free(scratch);
    return rc;
}

/* --all: every seed and checkpoint. */
static int make_rows_table(struct table **out, const struct results *results,
                           const struct shown *shown, struct error *err)
{
    struct table_column columns[MOST_COLUMNS];
    char names[METRIC_COUNT][64];
    struct axes axes;
    const struct table_column RUN[] = {
        { .name = "seed", .type = TABLE_INT },
        { .name = "run_hash", .type = TABLE_TEXT, .machine_only = true },
        { .name = "run", .type = TABLE_TEXT, .people_only = true },
        { .name = "state", .type = TABLE_TEXT },
        { .name = "checkpoint", .type = TABLE_TEXT },
        { .name = "step", .type = TABLE_INT },
        { .name = "tasks", .type = TABLE_INT },
    };

    find_axes(&axes, results);
    int count = identity_columns(columns, results, &axes);
    memcpy(columns + count, RUN, sizeof RUN);
    count += (int)(sizeof RUN / sizeof *RUN);
    count += metric_columns(columns + count, names, shown, false);
    int rc = table_create(out, columns, count, err);

    for (int i = 0; i < results->row_count && rc == 0; i++) {
        const struct result_row *row = &results->rows[i];
        char hash[SHORT_HASH + 1];

        snprintf(hash, sizeof hash, "%.*s", SHORT_HASH, row->hash);
        table_row(*out);
        add_identity(*out, results, &axes, row);
        table_int(*out, row->seed);
        table_text(*out, row->hash);
        table_text(*out, hash);
        table_text(*out, run_state_name(row->state));
        table_mark(*out, row->state == RUN_DONE      ? TABLE_PLAIN
                         : row->state == RUN_PENDING ? TABLE_FAINT
                                                     : TABLE_BAD);
        table_text(*out, row->checkpoint[0] != '\0' ? row->checkpoint : NULL);
        if (row->checkpoint[0] != '\0')
            table_int(*out, row->step);
        else
            table_empty(*out);
        add_tasks(*out, row, 1);
        add_metrics(*out, shown, row->values, NULL);
    }
    return rc;
}

/* What scores come without learning. */
static int make_baselines_table(struct table **out, const struct baselines *baselines,
                                const struct shown *shown, struct error *err)
{
    double nothing[METRIC_COUNT];
    struct table_column columns[MOST_COLUMNS] = {
        { .name = "baseline", .title = "without learning", .type = TABLE_TEXT },
        { .name = "runs", .type = TABLE_INT },
    };
    char names[METRIC_COUNT][64];
    int count = 2 + metric_columns(columns + 2, names, shown, true);
    int rc = table_create(out, columns, count, err);

    for (int m = 0; m < METRIC_COUNT; m++)
        nothing[m] = (double)NAN;
    if (rc != 0)
        return rc;
    table_row(*out);
    table_text(*out, "copy of the input");
    table_int(*out, baselines->copy_runs);
    add_metrics(*out, shown, baselines->copy, nothing);
    table_row(*out);
    table_text(*out, "untrained model");
    table_int(*out, baselines->untrained_runs);
    add_metrics(*out, shown, baselines->untrained, baselines->untrained_deviation);
    return 0;
}

/* In CSV, which is one table, they are rows of the arms' table. */
static void add_baseline_row(struct table *table, const struct results *results,
                             const struct shown *shown, const char *name, int runs,
                             const double *means, const double *deviations)
{
    struct axes axes;

    find_axes(&axes, results);
    table_row(table);
    table_text(table, results->experiment);
    table_text(table, name);
    add_axes(table, &axes, NULL);
    for (int i = 0; i < 7; i++) /* trained to eval seed: of no training, no inference */
        table_empty(table);
    table_int(table, runs);
    table_empty(table); /* seeds planned */
    table_empty(table); /* tasks */
    add_metrics(table, shown, means, deviations);
}

static void add_baseline_rows(struct table *table, const struct results *results,
                              const struct shown *shown, const struct baselines *baselines)
{
    double nothing[METRIC_COUNT];

    for (int m = 0; m < METRIC_COUNT; m++)
        nothing[m] = (double)NAN;
    add_baseline_row(table, results, shown, "(copy of the input)", baselines->copy_runs,
                     baselines->copy, nothing);
    add_baseline_row(table, results, shown, "(untrained model)", baselines->untrained_runs,
                     baselines->untrained, baselines->untrained_deviation);
}

static int print_results(struct store *store, const struct options *options,
                         const char *experiment, enum metric metric, struct error *err)
{
    static const char *const MEMBERS[] = { "rows", "baselines" };
    struct shown shown = choose_metrics(metric);
    struct table *tables[2] = { NULL, NULL };
    struct results *results = NULL;
    struct baselines baselines;
    char missing[160];
    int rc = results_load(&results, store, experiment, options->wheres, options->where_count,
                          options->all ? RESULTS_ALL : RESULTS_LAST, err);

    if (rc != 0)
        return rc;
    rc = results_load_metric(results, store, metric, err);
    if (rc == 0)
        rc = baselines_load(&baselines, store, results, err);
    if (rc == 0)
        rc = options->all ? make_rows_table(&tables[0], results, &shown, err)
                          : make_arms_table(&tables[0], results, &shown, err);
    if (rc == 0 && options->format == FORMAT_CSV && !options->all)
        add_baseline_rows(tables[0], results, &shown, &baselines);
    if (rc == 0)
        rc = make_baselines_table(&tables[1], &baselines, &shown, err);
    if (rc == 0 && baselines.untrained_rows > 0) {
        snprintf(missing, sizeof missing, "untrained model: on %lld of %lld rows",
                 (long long)baselines.untrained_rows, (long long)baselines.all_rows);
        table_add_note(tables[1], missing);
    }
    if (rc == 0)
        rc = table_print_all(tables, MEMBERS, options->format == FORMAT_CSV ? 1 : 2, stdout,
                             options->format, wants_color(options), err);
    if (rc == 0 && results->row_count == 0)
        log_warning("experiment \"%s\" has no rows that meet the conditions",
                    results->experiment);
    run_counts_describe(missing, sizeof missing, &results->runs);
    if (rc == 0 && missing[0] != '\0')
        log_warning("%s", missing);
    table_destroy(tables[0]);
    table_destroy(tables[1]);
    results_destroy(results);
    return rc;
}

static int print_trajectories(struct store *store, const struct options *options,
                              const char *experiment, struct error *err)
{
    static const char *const MEMBERS[] = { "rows", "q_bins" };
    struct trajectories trajectories = { 0 };
    struct table *tables[2] = { NULL, NULL };
    struct results *results = NULL;
    int rc = results_load(&results, store, experiment, options->wheres, options->where_count,
                          RESULTS_LAST, err);

    if (rc == 0)
        rc = trajectories_load(&trajectories, store, results, err);
    if (rc == 0 && trajectories.count == 0)
        rc = error_set(err, ERROR_ABSENT,
                       "no finished evaluation of experiment \"%s\" recorded its outer steps; "
                       "\"eval.trajectory\": true in the spec's \"evaluate\" does",
                       results->experiment);
    if (rc == 0)
        rc = trajectory_table(&tables[0], results, &trajectories, err);
    if (rc == 0)
        rc = calibration_table(&tables[1], results, &trajectories, err);
    if (rc == 0)
        rc = table_print_all(tables, MEMBERS, options->format == FORMAT_CSV ? 1 : 2, stdout,
                             options->format, wants_color(options), err);
    table_destroy(tables[0]);
    table_destroy(tables[1]);
    trajectories_release(&trajectories);
    results_destroy(results);
    return rc;
}

int command_results(const struct options *options, int *exit_code, struct error *err)
{
    const char *experiment =
        options->argument_count > 0 ? options->arguments[0] : options->experiment;
    struct store *store = NULL;
    enum metric metric;
    int rc = metric_find(&metric, options->metric, err);

    (void)exit_code; /* asking for results succeeds whatever they are */
    if (rc == 0 && options->argument_count > 1)
        rc = error_set(err, ERROR_FORMAT, "results: one experiment at a time, not also \"%s\"",
                       options->arguments[1]);
    if (rc == 0)
        rc = store_open(&store, options->workspace, STORE_READ, err);
    if (rc == 0)
        rc = store_begin(store, err);
    if (rc == 0)
        rc = options->trajectory ? print_trajectories(store, options, experiment, err)
                                 : print_results(store, options, experiment, metric, err);
    store_close(store);
    return rc;
}
