/*
 * command_results.c - `hrmlab results`: the measures of each arm over its seeds.
 */
#include "cost_table.h"
#include "error.h"
#include "filter.h"
#include "log.h"
#include "mark.h"
#include "options.h"
#include "pivot.h"
#include "query.h"
#include "results_table.h"
#include "store.h"
#include "table.h"
#include "table_arrange.h"
#include "trajectory_table.h"

#include <stdio.h>
#include <stdlib.h>

/* The conditions of --where: those on settings select what is loaded, those on
 * measures select rows of the table. */
struct conditions {
    const char **settings; /* owned list */
    int setting_count;
    struct measure_condition {
        enum metric metric;
        enum filter_relation relation;
        double number;
    } * measures; /* owned */
    int measure_count;
};

static int split_conditions(struct conditions *out, const struct options *options,
                            struct error *err)
{
    size_t size = (size_t)options->where_count + 1;
    int rc = 0;

    *out = (struct conditions){ calloc(size, sizeof(const char *)), 0,
                                calloc(size, sizeof *out->measures), 0 };
    if (out->settings == NULL || out->measures == NULL)
        return error_no_memory(err, "results");
    for (int i = 0; i < options->where_count && rc >= 0; i++) {
        struct measure_condition *next = &out->measures[out->measure_count];

        rc = filter_find_measure(&next->metric, &next->relation, &next->number,
                                 options->wheres[i], err);
        if (rc > 0)
            out->measure_count++;
        else if (rc == 0)
            out->settings[out->setting_count++] = options->wheres[i];
    }
    return rc < 0 ? rc : 0;
}

/* Whether the measures that the table does not show for people are needed, too. */
static bool needs_all_measures(const struct options *options)
{
    return options->all || options->sort != NULL || options->columns != NULL ||
           !format_is_for_people(options->format);
}

/* Loads the results of the experiment with all measures that are needed. */
static int load(struct results **out, struct store *store, const struct options *options,
                const char *experiment, enum metric metric, const struct conditions *conditions,
                struct error *err)
{
    struct shown shown = shown_metrics(metric);
    enum results_scope scope = options->all                  ? RESULTS_ALL
                               : needs_all_measures(options) ? RESULTS_LAST
                                                             : RESULTS_ROWS;
    int rc = results_load(out, store, experiment, conditions->settings,
                          conditions->setting_count, scope, err);

    if (rc == 0)
        rc = results_load_metrics(*out, store, shown.metrics,
                                  options->rows != NULL ? 1 : shown.count, err);
    for (int i = 0; i < conditions->measure_count && rc == 0; i++)
        rc = results_load_metric(*out, store, conditions->measures[i].metric, err);
    return rc;
}

/* Selects and orders the rows and columns as asked for. */
static int arrange(struct table *table, const struct options *options,
                   const struct conditions *conditions, struct error *err)
{
    int rc = 0;

    int before = table_row_count(table);

    for (int i = 0; i < conditions->measure_count; i++)
        table_keep(table, METRICS[conditions->measures[i].metric].name,
                   conditions->measures[i].relation, conditions->measures[i].number);
    if (before > 0 && table_is_empty(table))
        log_warning("no row meets the conditions on measures");
    if (options->sort != NULL)
        rc = table_sort(table, options->sort, err);
    if (rc == 0 && options->columns != NULL)
        rc = table_choose(table, options->columns, err);
    return rc;
}

/* Prints arms or rows, and the baselines. */
static int print_arms(struct store *store, const struct options *options,
                      const struct results *results, enum metric metric,
                      const struct conditions *conditions, struct error *err)
{
    static const char *const MEMBERS[] = { "rows", "baselines" };
    struct shown shown = shown_metrics(metric);
    struct table *tables[2] = { NULL, NULL };
    struct baselines baselines = { 0 };
    bool alone = options->columns != NULL || options->format == FORMAT_CSV;
    int rc = needs_all_measures(options) ? baselines_load(&baselines, store, results, err)
                                         : baselines_load_some(&baselines, store, results,
                                                               shown.metrics, shown.count, err);

    if (rc == 0)
        rc = options->all ? results_rows_table(&tables[0], results, &shown, err)
                          : results_arms_table(&tables[0], results, &shown, err);
    if (rc == 0)
        rc = arrange(tables[0], options, conditions, err);
    if (rc == 0 && alone && !options->all && options->columns == NULL)
        rc = results_add_baseline_rows(tables[0], results, &shown, &baselines, err);
    if (rc == 0)
        rc = results_baselines_table(&tables[1], &baselines, &shown, err);
    if (rc == 0)
        rc = mark_add_notes(tables[alone ? 0 : 1], store, results->experiment, err);
    if (rc == 0)
        rc = table_print_all(tables, MEMBERS, alone ? 1 : 2, stdout, options->format,
                             options_color(options), err);
    table_destroy(tables[0]);
    table_destroy(tables[1]);
    baselines_release(&baselines);
    return rc;
}

static int print_pivot(struct store *store, const struct options *options,
                       const struct results *results, enum metric metric, struct error *err)
{
    struct table *table = NULL;
    int rc = pivot_table(&table, store, results, options->rows, options->cols, metric, err);

    if (rc == 0)
        rc = table_print(table, stdout, options->format, options_color(options), err);
    table_destroy(table);
    return rc;
}

static int print_costs(const struct options *options, const struct results *results,
                       const struct conditions *conditions, struct error *err)
{
    struct table *table = NULL;
    int rc = cost_table(&table, results, options->price, err);

    if (rc == 0)
        rc = arrange(table, options, conditions, err);
    if (rc == 0)
        rc = table_print(table, stdout, options->format, options_color(options), err);
    table_destroy(table);
    return rc;
}

static int print_results(struct store *store, const struct options *options,
                         const char *experiment, enum metric metric, struct error *err)
{
    struct results *results = NULL;
    struct conditions conditions;
    char missing[160];
    int rc = split_conditions(&conditions, options, err);

    if (rc == 0)
        rc = load(&results, store, options, experiment, metric, &conditions, err);
    if (rc == 0)
        rc = options->rows != NULL ? print_pivot(store, options, results, metric, err)
             : options->price > 0.0
                 ? print_costs(options, results, &conditions, err)
                 : print_arms(store, options, results, metric, &conditions, err);
    if (rc == 0 && results->row_count == 0)
        log_warning("experiment \"%s\" has no rows that meet the conditions",
                    results->experiment);
    if (rc == 0) {
        run_counts_describe(missing, sizeof missing, &results->runs);
        if (missing[0] != '\0')
            log_warning("%s", missing);
    }
    results_destroy(results);
    free(conditions.settings);
    free(conditions.measures);
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
                          RESULTS_BARE, err);

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
                             options->format, options_color(options), err);
    table_destroy(tables[0]);
    table_destroy(tables[1]);
    trajectories_release(&trajectories);
    results_destroy(results);
    return rc;
}

/* Checks options that exclude or require each other. */
static int check_options(const struct options *options, struct error *err)
{
    bool pivot = options->rows != NULL;

    if (options->argument_count > 1)
        return error_set(err, ERROR_FORMAT,
                         "results: one experiment at a time, not also \"%s\"",
                         options->arguments[1]);
    if (!pivot && (options->given & (OPTION_BIT(OPTION_COLS) | OPTION_BIT(OPTION_VALUE))) != 0)
        return error_set(err, ERROR_FORMAT,
                         "results: --cols and --value belong to --rows KEY, which is missing");
    if (options->price > 0.0 && (pivot || options->all || options->trajectory ||
                                 (options->given & OPTION_BIT(OPTION_METRIC)) != 0))
        return error_set(err, ERROR_FORMAT,
                         "results: --price makes a table of its own: without --rows, --all, "
                         "--trajectory and --metric");
    if (options->trajectory && (pivot || options->sort != NULL || options->columns != NULL))
        return error_set(
            err, ERROR_FORMAT,
            "results: --trajectory makes tables of its own: without --rows, --sort "
            "and --columns");
    if (pivot && (options->all || options->sort != NULL || options->columns != NULL))
        return error_set(err, ERROR_FORMAT,
                         "results: --rows makes a table of its own: without --all, --sort and "
                         "--columns");
    for (int i = 0; i < options->where_count && (pivot || options->price > 0.0); i++) {
        enum metric metric;
        enum filter_relation relation;
        double number;
        int rc = filter_find_measure(&metric, &relation, &number, options->wheres[i], err);

        if (rc != 0)
            return rc < 0 ? rc
                          : error_set(err, ERROR_FORMAT,
                                      "--where %s: a condition on a measure leaves out rows of "
                                      "the table of arms, not values of %s",
                                      options->wheres[i], pivot ? "--rows" : "--price");
    }
    return 0;
}

int command_results(const struct options *options, int *exit_code, struct error *err)
{
    const char *experiment =
        options->argument_count > 0 ? options->arguments[0] : options->experiment;
    struct store *store = NULL;
    enum metric metric;
    int rc = check_options(options, err);

    (void)exit_code; /* the exit code does not depend on the results */
    if (rc == 0)
        rc = metric_find(&metric, options->metric, err);
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
