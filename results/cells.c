/* cells.c - computes an experiment's axes, and its arms under their evaluations. */
#include "cells.h"

#include "compare.h"
#include "error.h"
#include "evaluation_keys.h"
#include "file.h"
#include "statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cells_destroy(struct cells *cells)
{
    if (cells == NULL)
        return;
    for (int i = 0; i < cells->axis_count; i++) {
        for (int v = 0; v < cells->axes[i].count; v++)
            free(cells->axes[i].values[v]);
        free(cells->axes[i].values);
        free(cells->axes[i].numbers);
    }
    for (int i = 0; i < cells->count; i++) {
        free(cells->items[i].at);
        free(cells->items[i].values);
        free(cells->items[i].seeds);
    }
    free(cells->axes);
    free(cells->items);
    free(cells);
}

int cells_find_axis(const struct cells *cells, const char *key)
{
    for (int i = 0; i < cells->axis_count; i++)
        if (strcmp(cells->axes[i].key, key) == 0)
            return i;
    return -1;
}

/* ---- the cells and their seeds ---- */

static bool same_cell(const struct result_row *a, const struct result_row *b)
{
    return a->arm == b->arm && strcmp(a->evaluation, b->evaluation) == 0;
}

/* Adds a cell made of count rows that differ in the seed. */
static int add_cell(struct cells *cells, const struct result_row *rows, int count,
                    struct error *err)
{
    struct cell *cell = &cells->items[cells->count];
    double flops = 0;
    int known = 0;

    *cell = (struct cell){ .row = rows, .planned = count };
    cell->values = calloc((size_t)count, sizeof *cell->values);
    cell->seeds = calloc((size_t)count, sizeof *cell->seeds);
    cells->count++;
    if (cell->values == NULL || cell->seeds == NULL)
        return error_no_memory(err, "cells");
    for (int i = 0; i < count; i++) {
        double value = result_value(cells->results, &rows[i], cells->metric);

        if (isfinite(rows[i].train_flops)) {
            flops += rows[i].train_flops;
            known++;
        }
        if (strcmp(rows[i].checkpoint, "last") != 0 || isnan(value))
            continue;
        cell->seeds[cell->count] = rows[i].seed;
        cell->values[cell->count++] = value;
    }
    cell->mean = statistics_mean(cell->values, cell->count);
    cell->deviation = statistics_deviation(cell->values, cell->count);
    cell->flops = known > 0 ? flops / known : (double)NAN;
    return 0;
}

static int add_cells(struct cells *cells, struct error *err)
{
    const struct results *results = cells->results;
    int rc = 0;

    cells->items = calloc((size_t)results->row_count + 1, sizeof *cells->items);
    if (cells->items == NULL)
        return error_no_memory(err, "cells");
    for (int i = 0, end; i < results->row_count && rc == 0; i = end) {
        for (end = i + 1; end < results->row_count; end++)
            if (!same_cell(&results->rows[i], &results->rows[end]))
                break;
        rc = add_cell(cells, &results->rows[i], end - i, err);
    }
    return rc;
}

/* ---- axes ---- */

static int add_axis(struct cells *cells, const char *key, bool of_evaluation, struct error *err)
{
    if (cells_find_axis(cells, key) >= 0)
        return 0;
    struct cell_axis *axes =
        realloc(cells->axes, ((size_t)cells->axis_count + 1) * sizeof *axes);

    if (axes == NULL)
        return error_no_memory(err, "cells");
    cells->axes = axes;
    axes[cells->axis_count++] =
        (struct cell_axis){ .key = key, .of_evaluation = of_evaluation };
    return 0;
}

static int find_axes(struct cells *cells, struct error *err)
{
    const struct results *results = cells->results;
    int rc = 0;

    for (int a = 0; a < results->arm_count; a++)
        for (const cJSON *axis = results->arms[a].axes->child; axis != NULL && rc == 0;
             axis = axis->next)
            rc = add_axis(cells, axis->string, false, err);
    for (int k = 0; k < EVALUATION_KEY_COUNT && rc == 0; k++)
        rc = add_axis(cells, evaluation_key_name((enum evaluation_key)k), true, err);
    return rc;
}

/* The number of the value on the axis, which takes ownership of text if the value is
 * new; -1: no memory. */
static int value_number(struct cell_axis *axis, char **text)
{
    char **values;

    for (int i = 0; i < axis->count; i++)
        if (strcmp(axis->values[i], *text) == 0)
            return i;
    values = realloc(axis->values, ((size_t)axis->count + 1) * sizeof *values);
    if (values == NULL)
        return -1;
    axis->values = values;
    values[axis->count] = *text;
    *text = NULL;
    return axis->count++;
}

/* Finds the value of every cell on one axis. Cells of one arm share the values of
 * training axes. */
static int place_on_axis(struct cells *cells, int axis_index, struct store *store,
                         struct error *err)
{
    struct cell_axis *axis = &cells->axes[axis_index];
    int rc = 0;

    for (int i = 0; i < cells->count && rc == 0; i++) {
        struct cell *cell = &cells->items[i];
        char *text = NULL;

        if (i > 0 && !axis->of_evaluation && cell->row->arm == cell[-1].row->arm) {
            cell->at[axis_index] = cell[-1].at[axis_index];
            continue;
        }
        rc = result_axis_value(&text, store, cells->results, cell->row, axis->key, err);
        if (rc == 0)
            cell->at[axis_index] = value_number(axis, &text);
        if (rc == 0 && cell->at[axis_index] < 0)
            rc = error_no_memory(err, "cells");
        free(text);
    }
    return rc;
}

/* Whether value a sorts after b: numbers ascend and precede "all" and other words. */
static bool comes_after(const struct cell_axis *axis, int a, int b)
{
    if (isnan(axis->numbers[a]) || isnan(axis->numbers[b]))
        return isnan(axis->numbers[a]) && !isnan(axis->numbers[b]);
    return axis->numbers[a] > axis->numbers[b];
}

/* Sorts the values of an axis and renumbers the cells. */
static int sort_axis(struct cells *cells, int axis_index, struct error *err)
{
    struct cell_axis *axis = &cells->axes[axis_index];
    int *place = calloc((size_t)axis->count * 2, sizeof *place), *order = place;

    axis->numbers = calloc((size_t)axis->count, sizeof *axis->numbers);
    if (place == NULL || axis->numbers == NULL) {
        free(place);
        return error_no_memory(err, "cells");
    }
    axis->numeric = true;
    for (int i = 0; i < axis->count; i++) {
        char *end;

        axis->numbers[i] = strtod(axis->values[i], &end);
        if (*end != '\0' || end == axis->values[i] || !isfinite(axis->numbers[i])) {
            axis->numbers[i] = (double)NAN;
            axis->numeric = false;
        }
        order[i] = i;
    }
    /* a stable sort; there are only some values */
    for (int i = 1; i < axis->count; i++) {
        double number = axis->numbers[i];
        char *text = axis->values[i];
        int original = order[i], at = i;

        while (at > 0 && comes_after(axis, at - 1, at)) {
            axis->numbers[at] = axis->numbers[at - 1];
            axis->values[at] = axis->values[at - 1];
            order[at] = order[at - 1];
            at--;
            axis->numbers[at] = number;
            axis->values[at] = text;
            order[at] = original;
        }
    }
    int *rank = place + axis->count;

    for (int i = 0; i < axis->count; i++)
        rank[order[i]] = i;
    for (int i = 0; i < cells->count; i++)
        cells->items[i].at[axis_index] = rank[cells->items[i].at[axis_index]];
    free(place);
    return 0;
}

/* Whether no cell has another value than the others, or than the one that is meant
 * where nothing is said, as the patience of the only rule that has one. */
static bool is_constant(const struct cell_axis *axis)
{
    if (axis->count != 2 || !axis->of_evaluation)
        return axis->count < 2;
    int inactive = strcmp(axis->values[0], VALUE_INACTIVE) == 0   ? 0
                   : strcmp(axis->values[1], VALUE_INACTIVE) == 0 ? 1
                                                                  : -1;

    return inactive >= 0 && strcmp(axis->values[1 - inactive],
                                   settings_table[setting_find(axis->key)].absent_means) == 0;
}

/* Removes axes that are constant. */
static void drop_constant_axes(struct cells *cells)
{
    int left = 0;

    for (int a = 0; a < cells->axis_count; a++) {
        if (is_constant(&cells->axes[a])) {
            for (int v = 0; v < cells->axes[a].count; v++)
                free(cells->axes[a].values[v]);
            free(cells->axes[a].values);
            free(cells->axes[a].numbers);
            continue;
        }
        cells->axes[left] = cells->axes[a];
        for (int i = 0; i < cells->count; i++)
            cells->items[i].at[left] = cells->items[i].at[a];
        left++;
    }
    cells->axis_count = left;
}

int cells_create(struct cells **out, struct store *store, const struct results *results,
                 enum metric metric, struct error *err)
{
    struct cells *cells = calloc(1, sizeof *cells);
    int rc;

    *out = NULL;
    if (cells == NULL)
        return error_no_memory(err, "cells");
    cells->results = results;
    cells->metric = metric;
    rc = add_cells(cells, err);
    if (rc == 0)
        rc = find_axes(cells, err);
    for (int i = 0; i < cells->count && rc == 0; i++) {
        cells->items[i].at = calloc((size_t)cells->axis_count + 1, sizeof(int));
        rc = cells->items[i].at == NULL ? error_no_memory(err, "cells") : 0;
    }
    for (int a = 0; a < cells->axis_count && cells->count > 0 && rc == 0; a++) {
        rc = place_on_axis(cells, a, store, err);
        if (rc == 0)
            rc = sort_axis(cells, a, err);
    }
    if (rc != 0) {
        cells_destroy(cells);
        return rc;
    }
    drop_constant_axes(cells);
    *out = cells;
    return 0;
}

/* ---- choosing evaluations ---- */

static bool is_in(const char *key, const char *const *keys, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* Rank of the cell's value on an evaluation axis: a smaller rank is preferred. */
static int64_t rank_of(const struct cell *cell, int axis, enum evaluation_key key)
{
    const struct result_row *row = cell->row;

    if (key == EVALUATION_OUTER_STEPS)
        return row->outer_steps == row->train_outer_steps ? INT64_MIN : -row->outer_steps;
    if (key == EVALUATION_AUGMENTATIONS)
        return row->augmentations == 0 ? INT64_MIN : -row->augmentations;
    if (key == EVALUATION_ACT_INFERENCE)
        return row->act_inference;
    if (key == EVALUATION_SPLIT)
        return row->train_split;
    return cell->at[axis];
}

/* Hides those of the cells start to end - 1, which are of one arm, that do not have
 * the best rank on the axis. */
static void keep_best(bool *shown, const struct cells *cells, int start, int end, int axis,
                      enum evaluation_key key)
{
    int64_t best = INT64_MAX;

    for (int i = start; i < end; i++)
        if (shown[i] && rank_of(&cells->items[i], axis, key) < best)
            best = rank_of(&cells->items[i], axis, key);
    for (int i = start; i < end; i++)
        shown[i] = shown[i] && rank_of(&cells->items[i], axis, key) == best;
}

static void add_note(char note[300], const char *text)
{
    size_t used = strlen(note);

    snprintf(note + used, 300 - used, "%s%s", used > 0 ? "; " : "", text);
}

/* Describes the value of an evaluation setting that the shown cells have. */
static void describe_choice(char note[300], const bool *shown, const struct cells *cells,
                            int axis, enum evaluation_key key)
{
    const struct result_row *row = NULL;
    bool own = true, same = true, effect = false;
    const char *value = "";
    char text[120];

    for (int i = 0; i < cells->count; i++) {
        const struct cell *cell = &cells->items[i];

        if (!shown[i])
            continue;
        effect = effect || evaluation_key_has_effect(cell->row->evaluation, key);
        own = own && cell->row->outer_steps == cell->row->train_outer_steps;
        same = same &&
               (row == NULL || strcmp(value, cells->axes[axis].values[cell->at[axis]]) == 0);
        row = cell->row;
        value = cells->axes[axis].values[cell->at[axis]];
    }
    if (!effect)
        return;
    if (key == EVALUATION_OUTER_STEPS && own)
        snprintf(text, sizeof text, "inference with the outer steps of the training");
    else if (key == EVALUATION_OUTER_STEPS && same)
        snprintf(text, sizeof text, "inference with %.20s outer steps", value);
    else if (key == EVALUATION_AUGMENTATIONS && same)
        snprintf(text, sizeof text, "votes of %.20s variant%s", value,
                 strcmp(value, "1") == 0 ? "" : "s");
    else if (same)
        snprintf(text, sizeof text, "%.40s %.40s", evaluation_key_name(key), value);
    else
        snprintf(text, sizeof text, "%.40s: the most of each arm", evaluation_key_name(key));
    add_note(note, text);
}

void cells_choose(bool *shown, const struct cells *cells, const char *const *keys,
                  int key_count, char note[300])
{
    /* chosen first, because the others may depend on them */
    static const enum evaluation_key FIRST[] = { EVALUATION_SPLIT, EVALUATION_ACT_INFERENCE };
    enum { FIRST_COUNT = sizeof FIRST / sizeof *FIRST };
    enum evaluation_key order[EVALUATION_KEY_COUNT];
    int count = FIRST_COUNT;

    memcpy(order, FIRST, sizeof FIRST);
    for (int k = 0; k < EVALUATION_KEY_COUNT; k++)
        if (k != (int)FIRST[0] && k != (int)FIRST[1])
            order[count++] = (enum evaluation_key)k;
    note[0] = '\0';
    for (int i = 0; i < cells->count; i++)
        shown[i] = cells->items[i].count > 0;
    for (int k = 0; k < count; k++) {
        const char *key = evaluation_key_name(order[k]);
        int axis = cells_find_axis(cells, key);

        if (axis < 0 || is_in(key, keys, key_count))
            continue;
        for (int i = 0, end; i < cells->count; i = end) {
            for (end = i + 1; end < cells->count; end++)
                if (cells->items[end].row->arm != cells->items[i].row->arm)
                    break;
            keep_best(shown, cells, i, end, axis, order[k]);
        }
        describe_choice(note, shown, cells, axis, order[k]);
    }
}

const char *axis_short_name(const char *key)
{
    const char *dot = strrchr(key, '.');

    return dot != NULL ? dot + 1 : key;
}

/* Whether the axis is of systems, whose names need no key. */
static bool is_system(const struct cell_axis *axis)
{
    return strcmp(axis->key, "arch.name") == 0;
}

char *cells_value_label(const struct cells *cells, const struct cell *cell, int axis)
{
    const char *value = cells->axes[axis].values[cell->at[axis]];

    return is_system(&cells->axes[axis])
               ? strdup(value)
               : format_string("%s=%s", axis_short_name(cells->axes[axis].key), value);
}

bool cell_has_effect(const struct cells *cells, const struct cell *cell, int axis)
{
    const struct result_arm *arm = &cells->results->arms[cell->row->arm];

    return !result_arm_lacks(arm, cells->axes[axis].key) &&
           strcmp(cells->axes[axis].values[cell->at[axis]], VALUE_INACTIVE) != 0;
}

bool cells_axis_is_told(const struct cells *cells, int axis, const char *const *keys,
                        int key_count)
{
    return !cells->axes[axis].of_evaluation && !is_in(cells->axes[axis].key, keys, key_count);
}

char *cells_label(const struct cells *cells, const struct cell *cell, const char *const *keys,
                  int key_count)
{
    bool *told = calloc((size_t)cells->axis_count + 1, sizeof *told);

    if (told == NULL)
        return NULL;
    for (int a = 0; a < cells->axis_count; a++)
        told[a] =
            cells_axis_is_told(cells, a, keys, key_count) && cell_has_effect(cells, cell, a);
    char *label = cells_label_told(cells, cell, told);

    free(told);
    return label;
}

char *cells_label_told(const struct cells *cells, const struct cell *cell, const bool *told)
{
    char *label = strdup("");

    /* the system first, as in "hrm, L_cycles=2" */
    for (int i = 0; i < 2 * cells->axis_count && label != NULL; i++) {
        int a = i % cells->axis_count;

        if (!told[a] || is_system(&cells->axes[a]) != (i < cells->axis_count))
            continue;
        char *value = cells_value_label(cells, cell, a);
        char *next = value == NULL
                         ? NULL
                         : format_string("%s%s%s", label, label[0] != '\0' ? ", " : "", value);

        free(value);
        free(label);
        label = next;
    }
    return label;
}
