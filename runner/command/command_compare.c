/*
 * command_compare.c - `hrmlab compare`: what the spec planned, two arms, one axis, or
 * training against inference.
 */
#include "arm_find.h"
#include "compare.h"
#include "comparison_table.h"
#include "error.h"
#include "file.h"
#include "finding.h"
#include "foreign_arm.h"
#include "log.h"
#include "options.h"
#include "query.h"
#include "short_key.h"
#include "store.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints all tables, that of planned comparisons first (NULL: there is none); CSV is a
 * single table: the last one, of differences. members: their names. */
static int print_tables(struct table *planned, struct table *const *tables,
                        const char *const *members, int count, const struct options *options,
                        struct error *err)
{
    struct table **all = calloc((size_t)count + 1, sizeof(struct table *));
    const char **names = calloc((size_t)count + 1, sizeof(const char *));
    int all_count = 0, rc = 0;

    if (all == NULL || names == NULL)
        rc = error_no_memory(err, "a comparison");
    if (rc == 0 && planned != NULL) {
        all[all_count] = planned;
        names[all_count++] = count > 0 ? "planned" : "rows";
    }
    for (int i = 0; i < count && rc == 0; i++) {
        all[all_count] = tables[i];
        names[all_count++] = members[i];
    }
    if (rc == 0)
        rc = options->format == FORMAT_CSV
                 ? table_print(all[all_count - 1], stdout, options->format, false, err)
                 : table_print_all(all, names, all_count, stdout, options->format,
                                   options_color(options), err);
    free(all);
    free(names);
    return rc;
}

/* ---- planned beforehand ---- */

/* Makes the table of planned comparisons; *out NULL: the spec planned none. */
static int make_planned(struct table **out, const struct compare *compare, struct error *err)
{
    struct comparison_list list = { 0 };
    int missing;
    int rc = compare_planned(&list, &missing, compare, err);

    *out = NULL;
    if (rc == 0 && list.count + missing > 0)
        rc = comparison_table(out, &list, err);
    if (rc == 0 && *out != NULL) {
        char *caption =
            format_string("planned comparisons: %s", METRICS[compare->metric].title);
        char note[120];

        if (caption != NULL)
            table_set_caption(*out, caption);
        else
            rc = error_no_memory(err, "a comparison");
        free(caption);
        snprintf(note, sizeof note,
                 "%d planned comparison%s without results, or without any that meet --where",
                 missing, missing == 1 ? " is" : "s are");
        if (missing > 0)
            table_add_note(*out, note);
    }
    comparison_list_release(&list);
    return rc;
}

/* ---- one axis ---- */

static int compare_one_axis(struct table *planned, const struct compare *compare,
                            const struct options *options, struct error *err)
{
    static const char *const MEMBERS[] = { "rows", "differences" };
    struct axis_values values = { 0 };
    struct comparison_list list = { 0 };
    struct table *tables[2] = { NULL, NULL };
    const char *axis = options->axis;
    int rc = short_key_complete(&axis, compare->results, "--axis", err);

    if (rc == 0)
        rc = compare_axis(&values, &list, compare, axis, err);
    comparison_list_judge(&list);
    if (rc == 0)
        rc = axis_table(&tables[0], &values, axis, compare->metric, err);
    if (rc == 0)
        rc = comparison_table(&tables[1], &list, err);
    bool both = list.count > 0 || !format_is_for_people(options->format);
    if (rc == 0)
        rc = print_tables(planned, tables, MEMBERS, both ? 2 : 1, options, err);
    table_destroy(tables[0]);
    table_destroy(tables[1]);
    comparison_list_release(&list);
    axis_values_release(&values);
    return rc;
}

/* ---- training against inference ---- */

static int compare_matrix(struct table *planned, const struct compare *compare,
                          const struct options *options, struct error *err)
{
    struct matrix *matrix = NULL;
    struct comparison_list list = { 0 };
    struct table **tables = NULL;
    const char **members = NULL;
    char *finding = NULL;
    int count = 0;
    int rc = matrix_create(&matrix, compare, err);

    if (rc == 0)
        rc = matrix_compare(&list, matrix, compare, err);
    comparison_list_judge(&list);
    if (rc == 0)
        rc = finding_write(&finding, matrix, compare, &list, ' ', err);
    if (rc == 0) {
        tables = calloc((size_t)matrix->block_count + 2, sizeof(struct table *));
        members = calloc((size_t)matrix->block_count + 2, sizeof(const char *));
        rc = tables == NULL || members == NULL ? error_no_memory(err, "a comparison") : 0;
    }
    if (rc == 0)
        rc = matrix_tables(tables, &count, matrix, compare, &list, finding,
                           format_is_for_people(options->format), err);
    if (rc == 0) {
        members[0] = "rows";
        members[count - 1] = "differences";
        rc = print_tables(planned, tables, members, count, options, err);
    }
    for (int i = 0; tables != NULL && i < count; i++)
        table_destroy(tables[i]);
    free(tables);
    free(members);
    free(finding);
    comparison_list_release(&list);
    matrix_destroy(matrix);
    return rc;
}

/* ---- arms ---- */

/* Says in what else the arms of two experiments differ: the difference may come from
 * there. */
static int note_foreign(struct table *table, const struct compare *compare, struct error *err)
{
    char *differences, *note = NULL;
    int rc = foreign_arm_differences(&differences, compare, err);

    if (rc == 0 && differences[0] != '\0') {
        note = format_string("the arms of the two experiments differ in %s; hrmlab diff lists "
                             "everything",
                             differences);
        rc = note == NULL ? error_no_memory(err, "a comparison") : 0;
    }
    if (note != NULL)
        table_add_note(table, note);
    free(note);
    free(differences);
    return rc;
}

/* Two arms, or all with --baseline. names: of the arms; of a baseline only the
 * first. */
static int compare_by_arm(const struct compare *compare, const struct options *options,
                          const char *const *names, struct error *err)
{
    struct comparison_list list = { 0 };
    struct table *table = NULL;
    int rc = options->baseline != NULL ? compare_baseline(&list, compare, names[0], err)
                                       : compare_arms(&list, compare, names[0], names[1], err);

    comparison_list_judge(&list);
    if (rc == 0)
        rc = comparison_table(&table, &list, err);
    if (rc == 0) {
        table_set_caption(table, METRICS[compare->metric].title);
        rc = note_foreign(table, compare, err);
    }
    if (rc == 0)
        rc = table_print(table, stdout, options->format, options_color(options), err);
    table_destroy(table);
    comparison_list_release(&list);
    return rc;
}

/* ---- the command ---- */

/* The arms that are named: of a baseline only the first. NULL: none. */
static void find_given(const char *given[2], const struct options *options)
{
    given[0] = options->baseline;
    given[1] = NULL;
    if (options->baseline == NULL && options->argument_count >= 2) {
        given[0] = options->arguments[options->argument_count - 2];
        given[1] = options->arguments[options->argument_count - 1];
    }
}

/* Where the first of two arms is an experiment, the other arm is missing. */
static int check_two(const struct options *options, struct store *store, struct error *err)
{
    char experiment[EXPERIMENT_NAME_SIZE];
    struct error ignored;

    if (options->argument_count != 2 ||
        experiment_find(store, experiment, options->arguments[0], &ignored) < 0)
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "compare %s: one arm is given (%s); two are expected, or --baseline ARM",
                     options->arguments[0], options->arguments[1]);
}

/* Loads the results of the experiment (NULL: of the first arm's, or the only one), and
 * of arms of other experiments; of two arms only these. *names: by which the arms are
 * found in them. */
static int load(struct results **out, const char *names[2], struct store *store,
                const struct options *options, const char *experiment, struct error *err)
{
    char prefix[EXPERIMENT_NAME_SIZE] = "";
    const char *given[2], *arm;
    int rc = 0;

    find_given(given, options);
    if (given[1] != NULL)
        rc = check_two(options, store, err);
    if (given[1] != NULL && rc == 0)
        rc = arm_load_two(out, names, store, experiment, given, options->wheres,
                          options->where_count, err);
    if (given[1] != NULL || rc < 0)
        return rc;
    if (experiment == NULL && given[0] != NULL)
        rc = arm_split_name(prefix, &arm, store, given[0], err);
    if (rc == 0)
        rc = results_load(out, store, prefix[0] != '\0' ? prefix : experiment, options->wheres,
                          options->where_count, RESULTS_BARE, err);
    if (rc == 0 && given[0] != NULL)
        rc = arm_add_foreign(&names[0], *out, store, given[0], err);
    return rc;
}

/* Whether nothing but an experiment is named: its planned comparisons are asked for. */
static bool asks_for_planned(const struct options *options)
{
    return options->axis == NULL && !options->matrix && options->baseline == NULL &&
           options->argument_count < 2;
}

/* Checks that the arguments have one of the five forms; *experiment is the name or
 * NULL. */
static int check_arguments(const struct options *options, const char **experiment,
                           struct error *err)
{
    int forms = (options->axis != NULL) + options->matrix + (options->baseline != NULL);
    int count = options->argument_count;

    *experiment = options->experiment;
    if (forms > 1)
        return error_set(err, ERROR_FORMAT, "compare: one of --axis, --matrix and --baseline");
    if (count > (forms > 0 ? 1 : 3))
        return error_set(err, ERROR_FORMAT,
                         "compare: expected [EXPERIMENT] and --axis KEY, --matrix, --baseline "
                         "ARM, or ARM_A ARM_B");
    if (count == 1 || count == 3)
        *experiment = options->arguments[0];
    return 0;
}

static int compare_as_asked(const struct compare *compare, const struct options *options,
                            const char *const *names, struct error *err)
{
    struct table *planned = NULL;
    int rc = 0;

    if (asks_for_planned(options) || options->axis != NULL || options->matrix)
        rc = make_planned(&planned, compare, err);
    if (rc == 0)
        rc = asks_for_planned(options) ? print_tables(planned, NULL, NULL, 0, options, err)
             : options->axis != NULL   ? compare_one_axis(planned, compare, options, err)
             : options->matrix         ? compare_matrix(planned, compare, options, err)
                                       : compare_by_arm(compare, options, names, err);
    table_destroy(planned);
    return rc;
}

/* Where nothing is asked for and nothing was planned, says what could be compared. */
static int check_asked(const struct options *options, const struct results *results,
                       struct store *store, struct error *err)
{
    int64_t count = 1;
    int rc = asks_for_planned(options) ? compare_count_planned(&count, results, store, err) : 0;

    if (rc == 0 && count == 0)
        return compare_offer(results, err);
    return rc;
}

int command_compare(const struct options *options, int *exit_code, struct error *err)
{
    struct store *store = NULL;
    struct results *results = NULL;
    struct compare *compare = NULL;
    struct baselines baselines = { 0 };
    const char *experiment, *names[2] = { NULL, NULL };
    enum metric metric;
    char measure[400], missing[160];
    int rc = check_arguments(options, &experiment, err);

    (void)exit_code; /* the exit code does not depend on the findings */
    if (rc == 0)
        rc = metric_find(&metric, options->metric, err);
    if (rc == 0)
        rc = store_open(&store, options->workspace, STORE_READ, err);
    if (rc == 0)
        rc = store_begin(store, err);
    if (rc == 0)
        rc = load(&results, names, store, options, experiment, err);
    if (rc == 0)
        rc = check_asked(options, results, store, err);
    if (rc == 0)
        rc = compare_create(&compare, store, results, metric, err);
    if (rc == 0)
        rc = baselines_load_some(&baselines, store, results, &compare->metric, 1, err);
    if (rc == 0) {
        compare_describe_measure(measure, sizeof measure, compare, metric);
        if (measure[0] != '\0')
            log_info("%s", measure);
        run_counts_describe(missing, sizeof missing, &results->runs);
        if (missing[0] != '\0')
            log_warning("%s", missing);
        compare->baselines = &baselines;
        rc = compare_as_asked(compare, options, names, err);
    }
    baselines_release(&baselines);
    compare_destroy(compare);
    results_destroy(results);
    store_close(store);
    return rc;
}
