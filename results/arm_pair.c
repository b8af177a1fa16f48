/* arm_pair.c - compares the evaluations of two arms, or of all arms with one. */
#include "compare.h"

#include "arm_find.h"
#include "error.h"
#include "evaluation_words.h"
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Marks the cells that the name matches, which belong to one arm. A run's hash selects
 * the arm of the run. */
static int select_cells(bool *selected, const struct compare *compare, const char *text,
                        struct error *err)
{
    struct results *found = NULL;

    for (int a = 0; a < compare->results->arm_count; a++) {
        const struct result_arm *arm = &compare->results->arms[a];

        if (!arm->foreign || strcmp(arm->label, text) != 0)
            continue;
        for (int c = 0; c < compare->cell_count; c++)
            selected[c] = selected[c] || compare->cells[c].row->arm == a;
        return 0;
    }
    int rc = arm_find(&found, compare->store, compare->results, text, err);

    for (int i = 0; rc == 0 && i < found->row_count; i++)
        for (int c = 0; c < compare->cell_count; c++)
            if (compare->cells[c].row->arm == found->rows[i].arm &&
                strcmp(compare->cells[c].row->evaluation, found->rows[i].evaluation) == 0)
                selected[c] = true;
    results_destroy(found);
    return rc;
}

/* Whether two evaluations give the same numbers: equal, or one of them records its
 * trajectory, too. */
static bool same_numbers(const char *a, const char *b)
{
    static const char MEMBER[] = ",\"eval.trajectory\":true";
    const char *in_a = strstr(a, MEMBER), *in_b = strstr(b, MEMBER);

    if ((in_a != NULL) == (in_b != NULL))
        return strcmp(a, b) == 0;
    const char *with = in_a != NULL ? a : b, *without = in_a != NULL ? b : a;
    const char *at = in_a != NULL ? in_a : in_b;
    size_t head = (size_t)(at - with);

    return strncmp(with, without, head) == 0 &&
           strcmp(at + sizeof MEMBER - 1, without + head) == 0;
}

/* Adds cell b minus cell a if they have tasks in common. */
static int add_pair(struct comparison_list *list, const struct compare *compare, int a, int b,
                    struct error *err)
{
    const struct contrast_term terms[] = { { b, 1 }, { a, -1 } };
    const struct compare_cell *first = &compare->cells[a], *second = &compare->cells[b];
    bool same = same_numbers(first->row->evaluation, second->row->evaluation);
    char *one = evaluation_words_of(first->row, (same ? first : second)->row->evaluation);
    char *other = evaluation_words_of(second->row, first->row->evaluation);
    char *label = one == NULL || other == NULL ? NULL
                  : same                       ? strdup(one)
                                               : format_string("%s - %s", other, one);
    char *group = format_string("%s - %s", compare->results->arms[second->row->arm].label,
                                compare->results->arms[first->row->arm].label);
    int rc = label == NULL || group == NULL
                 ? error_no_memory(err, "a comparison")
                 : compare_add_possible(list, compare, COMPARISON_DIFFERENCE, group, label,
                                        terms, 2, NULL, err);

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
    bool single = first_count == 1 && second_count == 1;
    if (single && a != b)
        rc = add_pair(list, compare, a, b, err);
    for (a = 0; a < n && rc == 0 && !single; a++)
        for (b = 0; b < n && rc == 0 && first[a]; b++)
            if (second[b] && a != b &&
                same_numbers(compare->cells[a].row->evaluation,
                             compare->cells[b].row->evaluation))
                rc = add_pair(list, compare, a, b, err);
    if (rc == 0 && list->count == 0 && list->impossible > 0)
        rc = error_set(err, ERROR_ABSENT,
                       "\"%s\" and \"%s\" have no task, or no seed, in common", first_name,
                       second_name);
    else if (rc == 0 && list->count == 0)
        rc = error_set(
            err, ERROR_FORMAT,
            "\"%s\" and \"%s\" have no evaluation to pair: the same cells are meant, or "
            "the evaluations differ; add eval.halt_max_steps=K",
            first_name, second_name);
    return rc;
}

/* The cell of an arm that is displayed where there is room for one: of those that the
 * name selects the preferred one, else the first. */
static int prefer_cell(const struct compare *compare, const bool *selected,
                       const bool *preferred)
{
    int first = -1;

    for (int i = 0; i < compare->cell_count; i++) {
        if (!selected[i])
            continue;
        if (preferred[i])
            return i;
        first = first < 0 ? i : first;
    }
    return first;
}

int compare_find_cell(int *out, const struct compare *compare, const char *name,
                      const bool *preferred, struct error *err)
{
    bool *selected = calloc((size_t)compare->cell_count + 1, sizeof *selected);
    int rc = selected == NULL ? error_no_memory(err, "a comparison")
                              : select_cells(selected, compare, name, err);

    if (rc == 0) {
        *out = prefer_cell(compare, selected, preferred);
        if (*out < 0)
            rc = error_set(err, ERROR_ABSENT, "\"%s\" has no finished evaluation to compare",
                           name);
    }
    free(selected);
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
                same_numbers(compare->cells[a].row->evaluation,
                             compare->cells[b].row->evaluation))
                rc = add_pair(list, compare, a, b, err);
    }
    if (rc == 0 && list->count == 0 && list->impossible > 0)
        rc = error_set(err, ERROR_ABSENT, "--baseline %s: no other arm has a task of it",
                       baseline);
    else if (rc == 0 && list->count == 0)
        rc = error_set(err, ERROR_FORMAT, "--baseline %s: no other arm has an evaluation of it",
                       baseline);
    if (rc == 0)
        rc = comparison_list_correct(list, err);
    free(firsts);
    return rc;
}
