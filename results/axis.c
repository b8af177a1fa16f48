/*
 * axis.c - one axis of an experiment: each value against the first, all else equal.
 */
#include "compare.h"

#include "error.h"
#include "evaluation_keys.h"
#include "file.h"
#include "json.h"
#include "settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct axis_cell {
    char *value;   /* owned; until a value of the result takes it */
    char *without; /* owned; the rest of the cell's identity */
    int cell;
    int value_index;
};

/* An evaluation setting of a row as text, fresh. */
static char *evaluation_value(const struct result_row *row, enum evaluation_key key)
{
    switch (key) {
    case EVALUATION_OUTER_STEPS:
        return format_string("%lld", (long long)row->outer_steps);
    case EVALUATION_AUGMENTATIONS:
        return row->augmentations == 0 ? strdup("all")
                                       : format_string("%lld", (long long)row->augmentations);
    case EVALUATION_ACT_INFERENCE:
        return strdup(row->act_inference ? "true" : "false");
    case EVALUATION_SEED:
        return format_string("%lld", (long long)row->eval_seed);
    case EVALUATION_SPLIT:
        return strdup(row->train_split ? "train" : "test");
    case EVALUATION_KEY_COUNT:
        break;
    }
    return NULL;
}

int cell_axis_value(char **out, const struct compare *compare, int cell, const char *key,
                    struct error *err)
{
    const struct result_row *row = compare->cells[cell].row;
    const cJSON *axis = json_member(compare->results->arms[row->arm].axes, key);
    int evaluation_key = evaluation_key_find(key), id = setting_find(key), rc = 0;

    *out = NULL;
    if (evaluation_key >= 0) {
        *out = evaluation_value(row, (enum evaluation_key)evaluation_key);
    } else if (axis != NULL) {
        *out = cJSON_IsString(axis) ? strdup(axis->valuestring) : json_canonical(axis);
    } else { /* an arm that keeps the base's value */
        rc = results_setting(compare->store, out, row->run_id, key, err);
        if (rc == 0 && *out == NULL) {
            *out = strdup("inactive");
        } else if (rc == 0 && id >= 0 && settings_table[id].type == SETTING_BOOL) {
            char *word = strdup(strcmp(*out, "0") == 0 ? "false" : "true");

            free(*out);
            *out = word;
        }
    }
    return rc == 0 && *out == NULL ? error_no_memory(err, "a comparison") : rc;
}

char *cell_without(const struct compare *compare, int cell, const char *key)
{
    const struct result_row *row = compare->cells[cell].row;
    cJSON *axes = cJSON_Duplicate(compare->results->arms[row->arm].axes, true);
    char *text = NULL;

    if (axes == NULL)
        return NULL;
    cJSON_DeleteItemFromObjectCaseSensitive(axes, key);
    text = json_canonical(axes);
    cJSON_Delete(axes);
    for (int i = 0; i < EVALUATION_KEY_COUNT && text != NULL; i++) {
        if (strcmp(key, evaluation_key_name((enum evaluation_key)i)) == 0)
            continue;
        char *value = evaluation_value(row, (enum evaluation_key)i);
        char *next = value != NULL ? format_string("%s %s", text, value) : NULL;

        free(value);
        free(text);
        text = next;
    }
    return text;
}

static int compare_without(const void *a, const void *b)
{
    return strcmp(((const struct axis_cell *)a)->without,
                  ((const struct axis_cell *)b)->without);
}

/* Adds name to a comma-separated list unless it is in there. */
static void add_name(char *list, size_t size, size_t *used, const char *name)
{
    const char *at = strstr(list, name);

    if (at != NULL && (at[strlen(name)] == '\0' || at[strlen(name)] == ','))
        return;
    if (*used + strlen(name) + 3 < size)
        *used +=
            (size_t)snprintf(list + *used, size - *used, "%s%s", *used > 0 ? ", " : "", name);
}

/* What could have been asked: "arch.name, eval.halt_max_steps". */
static int error_no_axis(const struct compare *compare, const char *key, struct error *err)
{
    char known[600] = "";
    size_t used = 0;
    const struct results *results = compare->results;

    for (int i = 0; i < results->arm_count; i++)
        for (const cJSON *axis = results->arms[i].axes->child; axis != NULL; axis = axis->next)
            add_name(known, sizeof known, &used, axis->string);
    for (int k = 0; k < EVALUATION_KEY_COUNT; k++)
        for (int c = 1; c < compare->cell_count; c++) {
            char *first = evaluation_value(compare->cells[0].row, (enum evaluation_key)k);
            char *other = evaluation_value(compare->cells[c].row, (enum evaluation_key)k);
            bool differs = first != NULL && other != NULL && strcmp(first, other) != 0;

            free(first);
            free(other);
            if (differs) {
                add_name(known, sizeof known, &used,
                         evaluation_key_name((enum evaluation_key)k));
                break;
            }
        }
    return error_set(err, ERROR_FORMAT,
                     "--axis %s: experiment \"%s\" has only one value of it; it varies %s", key,
                     results->experiment, known[0] != '\0' ? known : "nothing");
}

/* The number of the value in values, which gets it (and the text) when it is new; -1:
 * no memory. */
static int value_number(struct axis_values *values, char **text)
{
    struct axis_value *items;

    for (int i = 0; i < values->count; i++)
        if (strcmp(values->items[i].value, *text) == 0)
            return i;
    items = realloc(values->items, ((size_t)values->count + 1) * sizeof *items);
    if (items == NULL)
        return -1;
    values->items = items;
    items[values->count] = (struct axis_value){ .value = *text, .comparison = -1 };
    *text = NULL;
    return values->count++;
}

/* The cells' values and the rest of their identities. */
static int describe_cells(struct axis_cell *cells, struct axis_values *values,
                          const struct compare *compare, const char *key, struct error *err)
{
    for (int i = 0; i < compare->cell_count; i++) {
        int rc = cell_axis_value(&cells[i].value, compare, i, key, err);

        if (rc != 0)
            return rc;
        cells[i].cell = i;
        cells[i].without = cell_without(compare, i, key);
        cells[i].value_index = value_number(values, &cells[i].value);
        if (cells[i].without == NULL || cells[i].value_index < 0)
            return error_no_memory(err, "a comparison");
    }
    return 0;
}

/* Compares value number v with the first, over the cells that have a partner. firsts:
 * the first value's cells, sorted. terms: room for two per cell. */
static int compare_value(struct axis_values *values, int v, struct comparison_list *list,
                         const struct compare *compare, const char *key,
                         const struct axis_cell *cells, const struct axis_cell *firsts,
                         int first_count, struct contrast_term *terms, struct error *err)
{
    struct axis_value *value = &values->items[v];
    int count = 0, rc;
    double sum = 0;

    for (int i = 0; i < compare->cell_count; i++) {
        const struct axis_cell *partner = cells[i].value_index != v
                                              ? NULL
                                              : bsearch(&cells[i], firsts, (size_t)first_count,
                                                        sizeof *firsts, compare_without);

        if (partner == NULL)
            continue;
        terms[count++] = (struct contrast_term){ cells[i].cell, 1 };
        terms[count++] = (struct contrast_term){ partner->cell, -1 };
        sum += compare->cells[cells[i].cell].mean;
        value->cells++;
    }
    value->mean = value->cells > 0 ? sum / value->cells : (double)NAN;
    if (count == 0)
        return 0;
    for (int i = 0; i < count; i++)
        terms[i].weight /= value->cells;
    char *label = format_string("%s: %s - %s", key, value->value, values->items[0].value);

    rc = label == NULL ? error_no_memory(err, "a comparison")
                       : compare_add(list, compare, COMPARISON_DIFFERENCE, "", label, terms,
                                     count, NULL, err);
    free(label);
    if (rc == 0)
        value->comparison = list->count - 1;
    return rc;
}

int compare_axis(struct axis_values *values, struct comparison_list *list,
                 const struct compare *compare, const char *key, struct error *err)
{
    size_t size = (size_t)compare->cell_count + 1;
    struct axis_cell *cells = calloc(size, sizeof *cells);
    struct axis_cell *firsts = calloc(size, sizeof *firsts);
    struct contrast_term *terms = calloc(2 * size, sizeof *terms);
    int rc = 0, first_count = 0;
    double sum = 0;

    if (setting_find(key) < 0) {
        const char *nearest = setting_nearest(key);

        rc = error_set(err, ERROR_FORMAT,
                       "--axis %s: unknown setting%s%s%s (`hrmlab axes` lists them)", key,
                       nearest != NULL ? ", did you mean \"" : "",
                       nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
    } else if (cells == NULL || firsts == NULL || terms == NULL) {
        rc = error_no_memory(err, "a comparison");
    } else {
        rc = describe_cells(cells, values, compare, key, err);
    }
    if (rc == 0 && values->count < 2)
        rc = error_no_axis(compare, key, err);
    for (int i = 0; i < compare->cell_count && rc == 0; i++)
        if (cells[i].value_index == 0) {
            firsts[first_count++] = cells[i];
            sum += compare->cells[i].mean;
        }
    if (rc == 0) {
        qsort(firsts, (size_t)first_count, sizeof *firsts, compare_without);
        values->items[0].cells = first_count;
        values->items[0].mean = sum / first_count;
    }
    for (int v = 1; v < values->count && rc == 0; v++)
        rc = compare_value(values, v, list, compare, key, cells, firsts, first_count, terms,
                           err);
    if (rc == 0)
        rc = comparison_list_correct(list, err);
    for (int i = 0; cells != NULL && i < compare->cell_count; i++) {
        free(cells[i].value);
        free(cells[i].without);
    }
    free(cells);
    free(firsts);
    free(terms);
    return rc;
}

void axis_values_release(struct axis_values *values)
{
    for (int i = 0; i < values->count; i++)
        free(values->items[i].value);
    free(values->items);
    *values = (struct axis_values){ 0 };
}
