/*
 * command_tasks.c - `hrmlab tasks`: which tasks are hard, and what two arms differ in;
 * `hrmlab importance`: which axes matter. Both need outcomes per task.
 */
#include "cells.h"
#include "compare.h"
#include "error.h"
#include "importance_table.h"
#include "log.h"
#include "options.h"
#include "query.h"
#include "store.h"
#include "table.h"
#include "table_arrange.h"
#include "task_score.h"
#include "task_table.h"

#include <stdio.h>
#include <stdlib.h>

/* The tables' sources. */
struct task_source {
    struct store *store;
    struct results *results; /* owned */
    struct compare *compare; /* owned */
    struct cells *cells;     /* owned */
    bool *chosen;            /* owned: (cells) */
    char note[300];          /* how cells were chosen */
};

static int load(struct task_source *source, const struct options *options,
                const char *experiment, struct error *err)
{
    enum metric metric;
    char measure[400];
    int rc = metric_find(&metric, options->metric, err);

    if (rc == 0)
        rc = results_load(&source->results, source->store, experiment, options->wheres,
                          options->where_count, RESULTS_BARE, err);
    if (rc == 0)
        rc = compare_create(&source->compare, source->store, source->results, metric, err);
    if (rc == 0)
        rc = results_load_metric(source->results, source->store, source->compare->metric, err);
    if (rc == 0)
        rc = cells_create(&source->cells, source->store, source->results,
                          source->compare->metric, err);
    if (rc < 0)
        return rc;
    compare_describe_measure(measure, sizeof measure, source->compare, metric);
    if (measure[0] != '\0')
        log_info("%s", measure);
    source->chosen = calloc((size_t)source->cells->count + 1, sizeof *source->chosen);
    if (source->chosen == NULL)
        return error_no_memory(err, "a table of tasks");
    cells_choose(source->chosen, source->cells, NULL, 0, source->note);
    return 0;
}

/* The table of two arms, each under its chosen evaluation unless the name says
 * which. */
static int make_pair(struct table **out, const struct task_source *source, char **names,
                     struct error *err)
{
    const struct compare *compare = source->compare;
    bool *preferred = calloc((size_t)compare->cell_count + 1, sizeof *preferred);
    int cells[2], rc = preferred == NULL ? error_no_memory(err, "a table of tasks") : 0;

    for (int i = 0; rc == 0 && i < source->cells->count; i++) {
        int cell = source->chosen[i] ? compare_cell_of(compare, &source->cells->items[i]) : -1;
        if (cell >= 0)
            preferred[cell] = true;
    }
    for (int i = 0; rc == 0 && i < 2; i++)
        rc = compare_find_cell(&cells[i], compare, names[i], preferred, err);
    if (rc == 0)
        rc = task_pair_table(out, compare, cells[0], cells[1], err);
    free(preferred);
    return rc;
}

typedef int make_fn(struct table **out, const struct task_source *source,
                    const struct options *options, struct error *err);

static int make_tasks(struct table **out, const struct task_source *source,
                      const struct options *options, struct error *err)
{
    int count = options->argument_count;

    return count >= 2 ? make_pair(out, source, options->arguments + count - 2, err)
                      : task_table(out, source->compare, source->cells, source->chosen,
                                   source->note, err);
}

static int make_importance(struct table **out, const struct task_source *source,
                           const struct options *options, struct error *err)
{
    char missing[160];

    (void)options;
    run_counts_describe(missing, sizeof missing, &source->results->runs);
    if (missing[0] != '\0')
        log_warning("%s", missing);
    return importance_table(out, source->compare, source->cells, source->chosen, source->note,
                            err);
}

/* Prints the table that make fills, arranged as asked for. */
static int print(make_fn *make, const struct options *options, struct error *err)
{
    struct task_source source = { 0 };
    struct table *table = NULL;
    const char *experiment =
        options->argument_count % 2 == 1 ? options->arguments[0] : options->experiment;
    int rc = store_open(&source.store, options->workspace, STORE_READ, err);

    if (rc == 0)
        rc = store_begin(source.store, err);
    if (rc == 0)
        rc = load(&source, options, experiment, err);
    if (rc == ERROR_ABSENT && experiment == NULL && options->argument_count == 2)
        rc = error_prefix(err, "tasks: \"%.60s\" and \"%.60s\" are taken for two arms",
                          options->arguments[0], options->arguments[1]);
    if (rc == 0)
        rc = make(&table, &source, options, err);
    if (rc == 0 && options->sort != NULL)
        rc = table_sort(table, options->sort, err);
    if (rc == 0 && options->columns != NULL)
        rc = table_choose(table, options->columns, err);
    if (rc == 0)
        rc = table_print(table, stdout, options->format, options_color(options), err);
    table_destroy(table);
    free(source.chosen);
    cells_destroy(source.cells);
    compare_destroy(source.compare);
    results_destroy(source.results);
    store_close(source.store);
    return rc;
}

int command_tasks(const struct options *options, int *exit_code, struct error *err)
{
    (void)exit_code;
    return print(make_tasks, options, err);
}

int command_importance(const struct options *options, int *exit_code, struct error *err)
{
    (void)exit_code;
    return print(make_importance, options, err);
}
