/*
 * arm_pair.c - finds two arms by the names that a user types, and compares their
 * evaluations.
 */
#include "compare.h"

#include "error.h"
#include "file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_HASH = 4, LISTED_ARMS = 12 };

/* The conditions of a selector; texts owned by the caller. */
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

/* Parses a label, the beginning of a run's hash, or conditions separated by spaces
 * or commas. */
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

/* Marks the cells that the selector matches, which must belong to one arm. A run's
 * hash selects the arm of the run. */
static int select_cells(bool *selected, const struct compare *compare, const char *text,
                        struct error *err)
{
    const struct results *results = compare->results;
    struct selection selection = { 0 };
    struct results *found = NULL;
    int arm = -1;
    int rc = parse_selector(&selection, results, text, err);

    if (rc == 0) {
        const char *const *wheres = (const char *const *)selection.wheres;

        rc = results_load(&found, compare->store, results->experiment, wheres, selection.count,
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

/* The evaluation of a cell, such as "infer 4, voted all"; newly allocated or NULL. */
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

/* Pairs cells with the same evaluation or, if each arm has a single cell, these two. */
static int pair_cells(struct comparison_list *list, const struct compare *compare,
                      const bool *first, const bool *second, const char *first_name,
                      const char *second_name, struct error *err)
{
    int a = 0, b = 0, rc = 0, n = compare->cell_count;
    int first_count = count_selected(first, n, &a),
        second_count = count_selected(second, n, &b);

    if (first_count == 0 || second_count == 0)
        return error_set(err, ERROR_ABSENT, "\"%s\" has no finished evaluation to compare",
                         first_count == 0 ? first_name : second_name);
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
            first_name, second_name);
    return rc;
}

int compare_arms(struct comparison_list *list, const struct compare *compare, const char *first,
                 const char *second, struct error *err)
{
    size_t size = (size_t)compare->cell_count + 1;
    bool *firsts = calloc(size, sizeof *firsts), *seconds = calloc(size, sizeof *seconds);
    int rc = firsts == NULL || seconds == NULL ? error_no_memory(err, "a comparison") : 0;

    if (rc == 0)
        rc = select_cells(firsts, compare, first, err);
    if (rc == 0)
        rc = select_cells(seconds, compare, second, err);
    if (rc == 0)
        rc = pair_cells(list, compare, firsts, seconds, first, second, err);
    if (rc == 0)
        rc = comparison_list_correct(list, err);
    free(firsts);
    free(seconds);
    return rc;
}

int compare_baseline(struct comparison_list *list, const struct compare *compare,
                     const char *baseline, struct error *err)
{
    bool *firsts = calloc((size_t)compare->cell_count + 1, sizeof *firsts);
    int arm = -1, n = compare->cell_count;
    int rc = firsts == NULL ? error_no_memory(err, "a comparison")
                            : select_cells(firsts, compare, baseline, err);

    for (int a = 0; a < n && rc == 0; a++) {
        if (!firsts[a])
            continue;
        arm = compare->cells[a].row->arm;
        for (int b = 0; b < n && rc == 0; b++)
            if (compare->cells[b].row->arm != arm &&
                strcmp(compare->cells[a].row->evaluation, compare->cells[b].row->evaluation) ==
                    0)
                rc = add_pair(list, compare, a, b, err);
    }
    if (rc == 0 && list->count == 0)
        rc = error_set(err, ERROR_FORMAT, "--baseline %s: no other arm has an evaluation of it",
                       baseline);
    if (rc == 0)
        rc = comparison_list_correct(list, err);
    free(firsts);
    return rc;
}
