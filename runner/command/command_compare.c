/*
 * command_compare.c - `hrmlab compare`: two arms, one axis, or training against
 * inference.
 */
#include "compare.h"
#include "error.h"
#include "file.h"
#include "finding.h"
#include "json.h"
#include "log.h"
#include "options.h"
#include "query.h"
#include "store.h"
#include "table.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEAST_HASH = 4, LISTED_ARMS = 12, FINDING_WIDTH = 92, CELL_SIZE = 48 };

static bool wants_color(const struct options *options)
{
    return options->color == COLOR_ALWAYS ||
           (options->color == COLOR_AUTO && isatty(STDOUT_FILENO) == 1);
}

static bool for_people(const struct options *options)
{
    return options->format == FORMAT_TABLE || options->format == FORMAT_MARKDOWN;
}

/* ---- the table of differences ---- */

static void add_comparison(struct table *table, const struct comparison *item)
{
    static const char *const KINDS[] = {
        [COMPARISON_DIFFERENCE] = "difference", [COMPARISON_INFERENCE] = "inference",
        [COMPARISON_TRAINING] = "training",     [COMPARISON_BOTH] = "both",
        [COMPARISON_DIRECT] = "direct",         [COMPARISON_ARCHITECTURE] = "architecture"
    };
    const struct estimate *e = &item->estimate;
    enum verdict verdict = comparison_verdict(item);

    table_row(table);
    table_text(table, item->group);
    table_text(table, item->label);
    table_text(table, KINDS[item->kind]);
    table_real(table, item->base_mean);
    table_real(table, item->other_mean);
    table_real(table, e->value);
    table_real(table, e->low);
    table_real(table, e->high);
    table_real(table, e->standard_error);
    table_real(table, e->p);
    table_real(table, item->p_holm);
    table_text(table, verdict_name(verdict));
    table_mark(table, verdict == VERDICT_HIGHER  ? TABLE_GOOD
                      : verdict == VERDICT_LOWER ? TABLE_BAD
                                                 : TABLE_FAINT);
    table_int(table, e->seeds);
    table_int(table, e->tasks);
    table_text(table, e->tasks_only ? "tasks only" : "seeds and tasks");
    table_text(table, item->paired_by_seed ? "seed and task" : "task");
}

static void add_basis_notes(struct table *table, const struct comparison_list *list)
{
    bool tasks_only = false, unpaired = false;
    int left_out = 0;
    char note[160];

    for (int i = 0; i < list->count; i++) {
        tasks_only = tasks_only || list->items[i].estimate.tasks_only;
        unpaired = unpaired || !list->items[i].paired_by_seed;
        left_out = list->items[i].left_out > left_out ? list->items[i].left_out : left_out;
    }
    snprintf(
        note, sizeof note,
        "95 %% intervals, not corrected; p (Holm) and the verdict are corrected for the %d "
        "comparison%s shown",
        list->count, list->count == 1 ? "" : "s");
    table_add_note(table, note);
    if (tasks_only)
        table_add_note(table, "over tasks only: with fewer than three seeds nothing is said of "
                              "how other seeds would come out");
    if (unpaired)
        table_add_note(table, "not paired by seed where the arms do not share their seeds");
    if (left_out > 0) {
        snprintf(note, sizeof note, "up to %d tasks are left out: not every cell has them",
                 left_out);
        table_add_note(table, note);
    }
}

static int make_differences(struct table **out, const struct comparison_list *list,
                            struct error *err)
{
    bool groups = false, means = false;

    for (int i = 0; i < list->count; i++) {
        groups = groups || list->items[i].group[0] != '\0';
        means = means || isfinite(list->items[i].base_mean);
    }
    const struct table_column COLUMNS[] = {
        { .name = "group", .title = "arms", .type = TABLE_TEXT, .machine_only = !groups },
        { .name = "comparison", .type = TABLE_TEXT },
        { .name = "kind", .type = TABLE_TEXT, .machine_only = true },
        { .name = "base_mean",
          .title = "from",
          .type = TABLE_REAL,
          .digits = 3,
          .machine_only = !means },
        { .name = "other_mean",
          .title = "to",
          .type = TABLE_REAL,
          .digits = 3,
          .machine_only = !means },
        { .name = "difference", .type = TABLE_REAL, .digits = 3 },
        { .name = "low", .title = "95% low", .type = TABLE_REAL, .digits = 3 },
        { .name = "high", .type = TABLE_REAL, .digits = 3 },
        { .name = "standard_error", .type = TABLE_REAL, .digits = 3, .machine_only = true },
        { .name = "p", .type = TABLE_REAL, .digits = 4 },
        { .name = "p_holm", .title = "p (Holm)", .type = TABLE_REAL, .digits = 4 },
        { .name = "verdict", .type = TABLE_TEXT },
        { .name = "seeds", .type = TABLE_INT },
        { .name = "tasks", .type = TABLE_INT },
        { .name = "interval_over", .title = "over", .type = TABLE_TEXT },
        { .name = "paired_by", .type = TABLE_TEXT, .machine_only = true },
    };
    int rc = table_create(out, COLUMNS, (int)(sizeof COLUMNS / sizeof *COLUMNS), err);

    if (rc != 0)
        return rc;
    for (int i = 0; i < list->count; i++)
        add_comparison(*out, &list->items[i]);
    if (list->count > 0)
        add_basis_notes(*out, list);
    return 0;
}

/* ---- one axis ---- */

static int make_axis_table(struct table **out, const struct axis_values *values,
                           const char *key, enum metric metric, struct error *err)
{
    const struct table_column COLUMNS[] = {
        { .name = "axis", .type = TABLE_TEXT, .machine_only = true },
        { .name = "value", .title = key, .type = TABLE_TEXT },
        { .name = METRICS[metric].name,
          .title = METRICS[metric].title,
          .type = TABLE_REAL,
          .digits = 3 },
        { .name = "cells", .type = TABLE_INT },
    };
    int rc = table_create(out, COLUMNS, 4, err);
    char note[256];

    if (rc == 0 && values->own_steps)
        table_add_note(*out,
                       "each arm with the number of outer steps that it was trained with");
    if (rc == 0 && values->evaluations[0] != '\0') {
        snprintf(note, sizeof note, "means over the evaluations: %.200s", values->evaluations);
        table_add_note(*out, note);
    }
    if (rc == 0 && values->missing[0] != '\0') {
        snprintf(note, sizeof note, "without results: %.220s", values->missing);
        table_add_note(*out, note);
    }
    for (int i = 0; i < values->count && rc == 0; i++) {
        const struct axis_value *value = &values->items[i];

        table_row(*out);
        table_text(*out, key);
        table_text(*out, value->value);
        table_real(*out, value->mean);
        table_int(*out, value->cells);
        if (i > 0 && value->comparison < 0) {
            snprintf(note, sizeof note,
                     "%.60s=%.60s: no cell differs from one of %.60s in this setting alone",
                     key, value->value, values->items[0].value);
            table_add_note(*out, note);
        }
    }
    return rc;
}

static int compare_one_axis(const struct compare *compare, const struct options *options,
                            struct error *err)
{
    static const char *const MEMBERS[] = { "rows", "differences" };
    struct axis_values values = { 0 };
    struct comparison_list list = { 0 };
    struct table *tables[2] = { NULL, NULL };
    int rc = compare_axis(&values, &list, compare, options->axis, err);

    if (rc == 0)
        rc = make_axis_table(&tables[0], &values, options->axis, compare->metric, err);
    if (rc == 0)
        rc = make_differences(&tables[1], &list, err);
    if (rc == 0)
        rc = table_print_all(tables, MEMBERS, list.count > 0 || !for_people(options) ? 2 : 1,
                             stdout, options->format, wants_color(options), err);
    table_destroy(tables[0]);
    table_destroy(tables[1]);
    comparison_list_release(&list);
    axis_values_release(&values);
    return rc;
}

/* ---- training against inference ---- */

/* A block as a grid for people: "0.512 +- 0.034". */
static int make_grid(struct table **out, const struct matrix_block *block,
                     const struct compare *compare, struct error *err)
{
    int count = block->eval_count + 1;
    struct table_column *columns = calloc((size_t)count, sizeof *columns);
    char(*names)[CELL_SIZE] = calloc((size_t)count, sizeof *names);
    char text[CELL_SIZE];
    int rc = columns == NULL || names == NULL ? error_no_memory(err, "a comparison") : 0;

    if (rc == 0) {
        columns[0] = (struct table_column){ .name = "trained \\ infer", .type = TABLE_INT };
        for (int i = 0; i < block->eval_count; i++) {
            snprintf(names[i], sizeof names[i], "%lld", (long long)block->eval_steps[i]);
            columns[i + 1] = (struct table_column){ .name = names[i], .type = TABLE_TEXT };
        }
        rc = table_create(out, columns, count, err);
    }
    for (int row = 0; row < block->train_count && rc == 0; row++) {
        table_row(*out);
        table_int(*out, block->train_steps[row]);
        for (int i = 0; i < block->eval_count; i++) {
            int index = block->cells[row * block->eval_count + i];
            const struct compare_cell *cell = index >= 0 ? &compare->cells[index] : NULL;

            if (cell == NULL)
                snprintf(text, sizeof text, "-");
            else if (isnan(cell->deviation))
                snprintf(text, sizeof text, "%.3f", cell->mean);
            else
                snprintf(text, sizeof text, "%.3f +- %.3f", cell->mean, cell->deviation);
            table_text(*out, text);
        }
    }
    if (rc == 0) {
        char *caption = format_string("%s of %s (mean +- standard deviation over seeds; rows: "
                                      "outer steps trained, columns: at inference)",
                                      METRICS[compare->metric].title, block->label);

        table_set_caption(*out, caption);
        rc = caption == NULL ? error_no_memory(err, "a comparison") : 0;
        free(caption);
    }
    free(columns);
    free(names);
    return rc;
}

/* All blocks as rows for programs. */
static int make_cells(struct table **out, const struct matrix *matrix,
                      const struct compare *compare, struct error *err)
{
    const struct table_column COLUMNS[] = {
        { .name = "group", .type = TABLE_TEXT },
        { .name = "train_outer_steps", .type = TABLE_INT },
        { .name = "eval_outer_steps", .type = TABLE_INT },
        { .name = "metric", .type = TABLE_TEXT },
        { .name = "mean", .type = TABLE_REAL, .digits = 3 },
        { .name = "deviation", .type = TABLE_REAL, .digits = 3 },
        { .name = "seeds", .type = TABLE_INT },
    };
    int rc = table_create(out, COLUMNS, (int)(sizeof COLUMNS / sizeof *COLUMNS), err);

    for (int b = 0; b < matrix->block_count && rc == 0; b++) {
        const struct matrix_block *block = &matrix->blocks[b];

        for (int i = 0; i < block->train_count * block->eval_count; i++) {
            const struct compare_cell *cell =
                block->cells[i] >= 0 ? &compare->cells[block->cells[i]] : NULL;

            if (cell == NULL)
                continue;
            table_row(*out);
            table_text(*out, block->label);
            table_int(*out, cell->row->train_outer_steps);
            table_int(*out, cell->row->outer_steps);
            table_text(*out, METRICS[compare->metric].name);
            table_real(*out, cell->mean);
            table_real(*out, cell->deviation);
            table_int(*out, cell->seed_count);
        }
    }
    return rc;
}

/* The paragraph as notes: in lines for a terminal, whole otherwise. */
static void add_finding(struct table *table, char *finding, enum output_format format)
{
    char *line = finding;

    if (format == FORMAT_TABLE)
        table_add_note(table, "");
    while (format == FORMAT_TABLE && strlen(line) > FINDING_WIDTH) {
        char *end = line + FINDING_WIDTH;

        while (end > line && *end != ' ')
            end--;
        if (end == line)
            break;
        *end = '\0';
        table_add_note(table, line);
        line = end + 1;
    }
    table_add_note(table, line);
}

/* The blocks for people, one table of cells for programs; then the differences and the
 * finding. */
static int make_matrix_tables(struct table **tables, int *count, const struct matrix *matrix,
                              const struct compare *compare, const struct comparison_list *list,
                              char *finding, const struct options *options, struct error *err)
{
    int rc = 0;
    char note[240];

    *count = 0;
    for (int i = 0; i < matrix->block_count && rc == 0 && for_people(options); i++) {
        rc = make_grid(&tables[*count], &matrix->blocks[i], compare, err);
        *count += rc == 0;
    }
    if (rc == 0 && !for_people(options)) {
        rc = make_cells(&tables[*count], matrix, compare, err);
        *count += rc == 0;
    }
    if (rc == 0 && matrix->variants > 1) {
        snprintf(note, sizeof note, "shown: %s; %d other combination%s by --where",
                 matrix->evaluation, matrix->variants - 1, matrix->variants == 2 ? "" : "s");
        table_add_note(tables[*count - 1], note);
    }
    if (rc == 0) {
        rc = make_differences(&tables[*count], list, err);
        *count += rc == 0;
    }
    if (rc == 0)
        add_finding(tables[*count - 1], finding, options->format);
    return rc;
}

static int compare_matrix(struct store *store, const struct compare *compare,
                          const struct options *options, struct error *err)
{
    struct matrix *matrix = NULL;
    struct comparison_list list = { 0 };
    struct baselines baselines;
    struct table **tables = NULL;
    const char **members = NULL;
    char *finding = NULL;
    int count = 0;
    int rc = matrix_create(&matrix, compare, err);

    if (rc == 0)
        rc = matrix_compare(&list, matrix, compare, err);
    if (rc == 0)
        rc = baselines_load(&baselines, store, compare->results, err);
    if (rc == 0)
        rc = finding_write(&finding, matrix, compare, &list, &baselines, err);
    if (rc == 0) {
        tables = calloc((size_t)matrix->block_count + 2, sizeof(struct table *));
        members = calloc((size_t)matrix->block_count + 2, sizeof(const char *));
        rc = tables == NULL || members == NULL ? error_no_memory(err, "a comparison") : 0;
    }
    if (rc == 0)
        rc = make_matrix_tables(tables, &count, matrix, compare, &list, finding, options, err);
    if (rc == 0) {
        members[count - 1] = "differences";
        rc = table_print_all(tables, members, count, stdout, options->format,
                             wants_color(options), err);
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

/* ---- two arms ---- */

/* The conditions that a selector stands for; texts owned by the caller. */
struct selection {
    char **wheres;
    int count;
};

static void selection_release(struct selection *selection)
{
    for (int i = 0; i < selection->count; i++)
        free(selection->wheres[i]);
    free(selection->wheres);
}

static int add_condition(struct selection *selection, const char *prefix, const char *text,
                         int length, struct error *err)
{
    char **wheres = realloc(selection->wheres, ((size_t)selection->count + 1) * sizeof *wheres);

    if (wheres == NULL)
        return error_no_memory(err, "a comparison");
    selection->wheres = wheres;
    wheres[selection->count] = format_string("%s%.*s", prefix, length, text);
    if (wheres[selection->count] == NULL)
        return error_no_memory(err, "a comparison");
    selection->count++;
    return 0;
}

static int error_unknown_arm(const struct results *results, const char *text, struct error *err)
{
    char list[500] = "";
    size_t used = 0;
    int shown = 0;

    for (; shown < results->arm_count && shown < LISTED_ARMS && used + 90 < sizeof list;
         shown++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s\"%.80s\"",
                                 shown > 0 ? ", " : "", results->arms[shown].label);
    return error_set(
        err, ERROR_ABSENT,
        "no arm \"%s\" in experiment \"%s\"; expected an arm's label, the first %d or "
        "more digits of a run's hash, or KEY=VALUE ...; arms: %s%s",
        text, results->experiment, LEAST_HASH, list, shown < results->arm_count ? ", ..." : "");
}

/* A label, the beginning of a run's hash, or conditions separated by spaces or
 * commas. */
static int parse_selector(struct selection *out, const struct results *results,
                          const char *text, struct error *err)
{
    bool hexadecimal = strlen(text) >= LEAST_HASH;
    int rc = 0;

    for (int i = 0; i < results->arm_count; i++)
        if (strcmp(results->arms[i].label, text) == 0)
            return add_condition(out, "arm=", text, (int)strlen(text), err);
    for (const char *p = text; *p != '\0'; p++)
        hexadecimal = hexadecimal && isxdigit((unsigned char)*p);
    if (hexadecimal)
        return add_condition(out, "hash=", text, (int)strlen(text), err);
    if (strpbrk(text, "=<>") == NULL)
        return error_unknown_arm(results, text, err);
    while (*text != '\0' && rc == 0) {
        int length = (int)strcspn(text, " ,");

        if (length > 0)
            rc = add_condition(out, "", text, length, err);
        text += length + (text[length] != '\0');
    }
    return rc;
}

/* Marks the cells that the selector means, which must be of one arm. A run's hash
 * stands for its arm. */
static int select_cells(bool *selected, struct store *store, const struct compare *compare,
                        const char *text, struct error *err)
{
    const struct results *results = compare->results;
    struct selection selection = { 0 };
    struct results *found = NULL;
    int arm = -1;
    int rc = parse_selector(&selection, results, text, err);

    if (rc == 0) {
        const char *const *wheres = (const char *const *)selection.wheres;

        rc = results_load(&found, store, results->experiment, wheres, selection.count,
                          RESULTS_LAST, err);
    }
    for (int i = 0; rc == 0 && i < found->row_count; i++) {
        if (arm >= 0 && found->rows[i].arm != arm)
            rc = error_set(
                err, ERROR_FORMAT,
                "\"%s\" means more than one arm (\"%s\", \"%s\", ...); add KEY=VALUE, "
                "or use --axis to average",
                text, results->arms[arm].label, results->arms[found->rows[i].arm].label);
        arm = found->rows[i].arm;
        for (int c = 0; c < compare->cell_count; c++)
            if (compare->cells[c].row->arm == arm &&
                strcmp(compare->cells[c].row->evaluation, found->rows[i].evaluation) == 0)
                selected[c] = true;
    }
    if (rc == 0 && arm < 0)
        rc = error_unknown_arm(results, text, err);
    results_destroy(found);
    selection_release(&selection);
    return rc;
}

/* "infer 4, voted all": which evaluation a cell is; fresh or NULL. */
static char *describe_evaluation(const struct compare_cell *cell)
{
    const struct result_row *row = cell->row;
    char augmentations[24] = "all";

    if (row->augmentations != 0)
        snprintf(augmentations, sizeof augmentations, "%lld", (long long)row->augmentations);
    return format_string("infer %lld, voted %s%s%s", (long long)row->outer_steps, augmentations,
                         row->act_inference ? ", ACT" : "",
                         row->train_split ? ", train split" : "");
}

static int add_pair(struct comparison_list *list, const struct compare *compare, int a, int b,
                    struct error *err)
{
    const struct contrast_term terms[] = { { b, 1 }, { a, -1 } };
    const struct compare_cell *first = &compare->cells[a], *second = &compare->cells[b];
    bool same = strcmp(first->row->evaluation, second->row->evaluation) == 0;
    char *one = describe_evaluation(first), *other = describe_evaluation(second);
    char *label = one == NULL || other == NULL ? NULL
                  : same                       ? strdup(one)
                                               : format_string("%s - %s", other, one);
    char *group = format_string("%s - %s", compare->results->arms[second->row->arm].label,
                                compare->results->arms[first->row->arm].label);
    int rc = label == NULL || group == NULL ? error_no_memory(err, "a comparison")
                                            : compare_add(list, compare, COMPARISON_DIFFERENCE,
                                                          group, label, terms, 2, NULL, err);

    free(one);
    free(other);
    free(label);
    free(group);
    return rc;
}

static int count_selected(const bool *selected, int count, int *last)
{
    int found = 0;

    for (int i = 0; i < count; i++)
        if (selected[i]) {
            found++;
            *last = i;
        }
    return found;
}

/* Pairs cells of the same evaluation, or the two that there are. */
static int pair_cells(struct comparison_list *list, const struct compare *compare,
                      const bool *first, const bool *second, const struct options *options,
                      struct error *err)
{
    int a = 0, b = 0, rc = 0, n = compare->cell_count;
    int first_count = count_selected(first, n, &a),
        second_count = count_selected(second, n, &b);
    const char *names = options->arguments[options->argument_count - 2];

    if (first_count == 0 || second_count == 0)
        return error_set(err, ERROR_ABSENT, "\"%s\" has no finished evaluation to compare",
                         first_count == 0 ? names
                                          : options->arguments[options->argument_count - 1]);
    if (first_count == 1 && second_count == 1 && a != b)
        return add_pair(list, compare, a, b, err);
    for (a = 0; a < n && rc == 0; a++)
        for (b = 0; b < n && rc == 0 && first[a]; b++)
            if (second[b] && a != b &&
                strcmp(compare->cells[a].row->evaluation, compare->cells[b].row->evaluation) ==
                    0)
                rc = add_pair(list, compare, a, b, err);
    if (rc == 0 && list->count == 0)
        rc = error_set(
            err, ERROR_FORMAT,
            "\"%s\" and \"%s\" have no evaluation to pair: the same cells are meant, or "
            "the evaluations differ; add eval.halt_max_steps=K",
            names, options->arguments[options->argument_count - 1]);
    return rc;
}

static int compare_arms(struct store *store, const struct compare *compare,
                        const struct options *options, struct error *err)
{
    size_t size = (size_t)compare->cell_count + 1;
    bool *first = calloc(size, sizeof *first), *second = calloc(size, sizeof *second);
    struct comparison_list list = { 0 };
    struct table *table = NULL;
    int rc = first == NULL || second == NULL ? error_no_memory(err, "a comparison") : 0;

    if (rc == 0)
        rc = select_cells(first, store, compare,
                          options->arguments[options->argument_count - 2], err);
    if (rc == 0)
        rc = select_cells(second, store, compare,
                          options->arguments[options->argument_count - 1], err);
    if (rc == 0)
        rc = pair_cells(&list, compare, first, second, options, err);
    if (rc == 0)
        rc = comparison_list_correct(&list, err);
    if (rc == 0)
        rc = make_differences(&table, &list, err);
    if (rc == 0) {
        char *caption = format_string("%s", METRICS[compare->metric].title);

        table_set_caption(table, caption);
        free(caption);
        rc = table_print(table, stdout, options->format, wants_color(options), err);
    }
    table_destroy(table);
    comparison_list_release(&list);
    free(first);
    free(second);
    return rc;
}

/* ---- the command ---- */

/* What was asked must be one of the three forms; *experiment gets the name or NULL. */
static int check_arguments(const struct options *options, const char **experiment,
                           struct error *err)
{
    bool whole = options->axis != NULL || options->matrix;
    int count = options->argument_count;

    *experiment = options->experiment;
    if (options->axis != NULL && options->matrix)
        return error_set(err, ERROR_FORMAT, "compare: --axis or --matrix, not both");
    if (count > (whole ? 1 : 3))
        return error_set(err, ERROR_FORMAT,
                         "compare: expected [EXPERIMENT] --axis KEY, [EXPERIMENT] --matrix, or "
                         "[EXPERIMENT] ARM_A ARM_B");
    if (count == 1 || count == 3)
        *experiment = options->arguments[0];
    return 0;
}

int command_compare(const struct options *options, int *exit_code, struct error *err)
{
    struct store *store = NULL;
    struct results *results = NULL;
    struct compare *compare = NULL;
    const char *experiment;
    enum metric metric;
    char missing[160];
    int rc = check_arguments(options, &experiment, err);

    (void)exit_code; /* a comparison succeeds whatever it finds */
    if (rc == 0)
        rc = metric_find(&metric, options->metric, err);
    if (rc == 0)
        rc = store_open(&store, options->workspace, STORE_READ, err);
    if (rc == 0)
        rc = store_begin(store, err);
    if (rc == 0)
        rc = results_load(&results, store, experiment, options->wheres, options->where_count,
                          RESULTS_LAST, err);
    if (rc == 0 && options->axis == NULL && !options->matrix && options->argument_count < 2)
        rc = compare_offer(results, err);
    if (rc == 0)
        rc = compare_create(&compare, store, results, metric, err);
    if (rc == 0) {
        if (compare->metric != metric)
            log_info("%s is a mean over rows, which are not recorded one by one; compared per "
                     "task is %s (%s)",
                     METRICS[metric].name, METRICS[compare->metric].name,
                     METRICS[compare->metric].meaning);
        run_counts_describe(missing, sizeof missing, &results->runs);
        if (missing[0] != '\0')
            log_warning("%s", missing);
        rc = options->axis != NULL ? compare_one_axis(compare, options, err)
             : options->matrix     ? compare_matrix(store, compare, options, err)
                                   : compare_arms(store, compare, options, err);
    }
    compare_destroy(compare);
    results_destroy(results);
    store_close(store);
    return rc;
}
