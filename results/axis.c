/*
 * axis.c - compares the values of an axis of an experiment: each with the first, all
 * else being equal.
 */
#include "compare.h"

#include "error.h"
#include "evaluation_keys.h"
#include "evaluation_order.h"
#include "file.h"
#include "json.h"
#include "settings.h"
#include "text_set.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct axis_cell {
    char *value;   /* owned, until it is moved into the result */
    char *without; /* owned; what identifies the cell apart from value */
    int cell;
    int value_index;
    bool paired; /* of the first value: a cell of another value differs from it alone */
};

/* An evaluation setting of a row as text, fresh. */
static char *evaluation_value(const struct result_row *row, enum evaluation_key key)
{
    if (!evaluation_key_has_effect(row->evaluation, key))
        return strdup(VALUE_INACTIVE);
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
    case EVALUATION_TRAJECTORY:
        return strdup(evaluation_keys_has_trajectory(row->evaluation) ? "true" : "false");
    case EVALUATION_HALT_RULE:
    case EVALUATION_HALT_PATIENCE:
    case EVALUATION_HALT_EPSILON:
    case EVALUATION_PUZZLE_ID:
    case EVALUATION_POOL_CHECKPOINTS:
    case EVALUATION_ROLLOUTS:
    case EVALUATION_INIT_NOISE:
    case EVALUATION_CHOOSE:
    case EVALUATION_WEIGHTS:
        return evaluation_key_text(row->evaluation, key);
    case EVALUATION_KEY_COUNT:
        break;
    }
    return NULL;
}

bool result_axis_is_shared(const struct results *results, const struct result_row *a,
                           const struct result_row *b, const char *key)
{
    if (a->arm != b->arm)
        return false;
    if (evaluation_key_find(key) >= 0)
        return a->evaluation == b->evaluation;
    return json_member(results->arms[a->arm].axes, key) != NULL ||
           (a->config_id == b->config_id && strcmp(key, settings_table[TRAIN_SEED].key) != 0);
}

int result_axis_value(char **out, struct store *store, const struct results *results,
                      const struct result_row *row, const char *key, struct error *err)
{
    const cJSON *axis = json_member(results->arms[row->arm].axes, key);
    int evaluation_key = evaluation_key_find(key), id = setting_find(key), rc = 0;

    *out = NULL;
    if (evaluation_key >= 0) {
        *out = evaluation_value(row, (enum evaluation_key)evaluation_key);
    } else if (axis != NULL) {
        *out = cJSON_IsString(axis) ? strdup(axis->valuestring) : json_canonical(axis);
    } else if (id == TRAIN_SEED && row->config_id != 0) {
        *out = format_string("%lld", (long long)row->seed);
    } else { /* an arm with the base's value */
        rc = results_setting(store, out, row->run_id, key, err);
        if (rc == 0 && *out == NULL) {
            *out = strdup(VALUE_INACTIVE);
        } else if (rc == 0) {
            char *word = strdup(setting_word(key, *out));

            free(*out);
            *out = word;
        }
    }
    return rc == 0 && *out == NULL ? error_no_memory(err, "a comparison") : rc;
}

int cell_axis_value(char **out, const struct compare *compare, int cell, const char *key,
                    struct error *err)
{
    return result_axis_value(out, compare->store, compare->results, compare->cells[cell].row,
                             key, err);
}

/* Whether a setting has an effect only under one value of key: of halting rules,
 * patience belongs to "stable" and epsilon to "residual". */
static bool is_of_rule(enum evaluation_key setting, const char *key)
{
    return strcmp(key, evaluation_key_name(EVALUATION_HALT_RULE)) == 0 &&
           (setting == EVALUATION_HALT_PATIENCE || setting == EVALUATION_HALT_EPSILON);
}

/* As cell_without(); own_steps: the outer steps at inference are left out, too. */
static char *identity_without(const struct compare *compare, int cell, const char *key,
                              bool own_steps)
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
        if (strcmp(key, evaluation_key_name((enum evaluation_key)i)) == 0 ||
            is_of_rule((enum evaluation_key)i, key) ||
            (own_steps && i == EVALUATION_OUTER_STEPS))
            continue;
        char *value = evaluation_value(row, (enum evaluation_key)i);
        char *next = value != NULL ? format_string("%s %s", text, value) : NULL;

        free(value);
        free(text);
        text = next;
    }
    return text;
}

char *cell_without(const struct compare *compare, int cell, const char *key)
{
    return identity_without(compare, cell, key, false);
}

/* Whether every arm was evaluated at its own trained number of outer steps only, as
 * when a spec names no evaluations. Then arms with different numbers share no
 * evaluation. */
static bool at_own_steps(const struct compare *compare, const char *key)
{
    if (strcmp(key, "arch.halt_max_steps") != 0)
        return false;
    for (int i = 0; i < compare->cell_count; i++)
        if (compare->cells[i].row->outer_steps != compare->cells[i].row->train_outer_steps)
            return false;
    return true;
}

static int compare_without(const void *a, const void *b)
{
    return strcmp(((const struct axis_cell *)a)->without,
                  ((const struct axis_cell *)b)->without);
}

/* Adds name to a comma-separated list, unless the list has it or has no room for it. */
static void add_name(char *list, size_t size, const char *name)
{
    size_t used = strlen(list), length = strlen(name);

    for (const char *at = list; at != NULL && *at != '\0'; at = strstr(at, ", ")) {
        at += strncmp(at, ", ", 2) == 0 ? 2 : 0;
        if (strncmp(at, name, length) == 0 && (at[length] == '\0' || at[length] == ','))
            return;
    }
    if (used + length + 3 < size)
        snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "", name);
}

/* The values of a training axis over all arms, finished or not: "0.1, 1". */
static int list_arm_values(char *list, size_t size, const struct results *results,
                           const char *key, struct error *err)
{
    list[0] = '\0';
    for (int i = 0; i < results->arm_count; i++) {
        const cJSON *axis = json_member(results->arms[i].axes, key);

        if (axis == NULL)
            continue;
        char *text = cJSON_IsString(axis) ? strdup(axis->valuestring) : json_canonical(axis);

        if (text == NULL)
            return error_no_memory(err, "the axes");
        add_name(list, size, text);
        free(text);
    }
    return 0;
}

/* Sorts values of the setting; there are only some. */
static void sort_values(char **values, int count, enum evaluation_key key)
{
    for (int i = 1; i < count; i++)
        for (int at = i; at > 0 && evaluation_value_place(key, values[at - 1]) >
                                       evaluation_value_place(key, values[at]);
             at--) {
            char *text = values[at];

            values[at] = values[at - 1];
            values[at - 1] = text;
        }
}

/* The values of an evaluation setting over all rows: "1, 2, 4, all". */
static int list_evaluation_values(char *list, size_t size, const struct results *results,
                                  enum evaluation_key key, struct error *err)
{
    struct text_set values = { 0 };
    int rc = 0;

    list[0] = '\0';
    for (int i = 0; i < results->row_count && rc == 0; i++) {
        /* sorted by evaluation within an arm */
        if (i > 0 && results->rows[i].evaluation == results->rows[i - 1].evaluation)
            continue;
        char *text = evaluation_value(&results->rows[i], key);

        if (text == NULL ||
            (strcmp(text, VALUE_INACTIVE) != 0 && text_set_add(&values, text) == NULL))
            rc = error_no_memory(err, "the axes");
        free(text);
    }
    sort_values(values.items, values.count, key);
    for (int i = 0; i < values.count; i++)
        add_name(list, size, values.items[i]);
    text_set_release(&values);
    return rc;
}

/* Lists the axes of the experiment: "arch.name, eval.halt_max_steps"; with_values:
 * "arch.name (hrm, trm), eval.halt_max_steps (1, 2)". */
static int list_axes(char *known, size_t size, const struct results *results, bool with_values,
                     struct error *err)
{
    char values[160], item[260];
    int rc = 0;

    known[0] = '\0';
    for (int i = 0; i < results->arm_count; i++)
        for (const cJSON *axis = results->arms[i].axes->child; axis != NULL && rc == 0;
             axis = axis->next) {
            rc = list_arm_values(values, sizeof values, results, axis->string, err);
            snprintf(item, sizeof item, with_values ? "%.80s (%s)" : "%.80s", axis->string,
                     values);
            add_name(known, size, item);
        }
    for (int k = 0; k < EVALUATION_KEY_COUNT && rc == 0; k++) {
        rc =
            list_evaluation_values(values, sizeof values, results, (enum evaluation_key)k, err);
        if (strchr(values, ',') == NULL)
            continue;
        snprintf(item, sizeof item, with_values ? "%.80s (%s)" : "%.80s",
                 evaluation_key_name((enum evaluation_key)k), values);
        add_name(known, size, item);
    }
    return rc;
}

int compare_offer(const struct results *results, struct error *err)
{
    char known[600];

    int rc = list_axes(known, sizeof known, results, true, err);

    if (rc < 0)
        return rc;
    return error_set(err, ERROR_FORMAT,
                     "compare: expected --axis KEY, --matrix, --baseline ARM or two arms "
                     "(ARM_A ARM_B); axes of "
                     "experiment \"%.100s\": %s",
                     results->experiment, known[0] != '\0' ? known : "none");
}

/* Sets the error for an axis with fewer than two comparable values: the axes that there
 * are, or why the other values have no results. */
static int error_no_axis(const struct axis_values *values, const struct compare *compare,
                         const char *key, struct error *err)
{
    char known[600];

    if (values->missing[0] != '\0')
        return error_set(err, ERROR_FORMAT, "--axis %s: only %s has results; %s", key,
                         values->count > 0 ? values->items[0].value : "no value",
                         values->missing);
    int rc = list_axes(known, sizeof known, compare->results, false, err);

    if (rc < 0)
        return rc;
    if (compare->results->filtered)
        return error_set(err, ERROR_FORMAT,
                         "--axis %s: what meets the conditions has only one value of it; "
                         "experiment \"%s\" varies %s",
                         key, compare->results->experiment,
                         known[0] != '\0' ? known : "nothing");
    return error_set(err, ERROR_FORMAT,
                     "--axis %s: experiment \"%s\" has only one value of it; it varies %s", key,
                     compare->results->experiment, known[0] != '\0' ? known : "nothing");
}

/* The runs of one value of the axis that have no results. */
struct missing_value {
    char *value; /* owned */
    int counts[RUN_STATE_COUNT];
};

static void describe_missing(char *out, size_t size, const struct missing_value *items,
                             int count)
{
    char part[120];

    for (int i = 0; i < count; i++)
        for (int s = 0; s < RUN_STATE_COUNT; s++)
            if (items[i].counts[s] > 0) {
                snprintf(part, sizeof part, "%.60s: %d run%s %s", items[i].value,
                         items[i].counts[s], items[i].counts[s] == 1 ? "" : "s",
                         run_state_name((enum run_state)s));
                add_name(out, size, part);
            }
}

int compare_missing(char *out, size_t size, const struct compare *compare, const char *key,
                    struct error *err)
{
    const struct results *results = compare->results;
    struct missing_value *items = calloc((size_t)results->arm_count + 1, sizeof *items);
    const struct result_row *first = NULL;
    int count = 0, rc = items == NULL ? error_no_memory(err, "a comparison") : 0;

    for (int i = 0; i < results->row_count && rc == 0; i++) {
        const struct result_row *row = &results->rows[i];
        char *text = NULL;
        int at = 0;

        first = first == NULL || first->arm != row->arm ? row : first;
        if (row->state == RUN_DONE || strcmp(row->evaluation, first->evaluation) != 0)
            continue;
        rc = result_axis_value(&text, compare->store, results, row, key, err);
        while (rc == 0 && at < count && strcmp(items[at].value, text) != 0)
            at++;
        /* the arm's runs differ in this setting: not counted */
        if (rc == 0 && at == results->arm_count)
            at = -1;
        if (rc == 0 && at == count) {
            items[count++].value = text;
            text = NULL;
        }
        if (rc == 0 && at >= 0)
            items[at].counts[row->state]++;
        free(text);
    }
    if (rc == 0)
        describe_missing(out, size, items, count);
    for (int i = 0; i < count; i++)
        free(items[i].value);
    free(items);
    return rc;
}

/* Describes the evaluations that the means are taken over, without key itself. */
static int describe_evaluations(struct axis_values *values, const struct compare *compare,
                                const char *key, struct error *err)
{
    char list[160], item[260];
    int rc = 0;

    for (int k = 0; k < EVALUATION_KEY_COUNT && rc == 0; k++) {
        const char *name = evaluation_key_name((enum evaluation_key)k);

        rc = list_evaluation_values(list, sizeof list, compare->results, (enum evaluation_key)k,
                                    err);
        if (strcmp(name, key) == 0 || strchr(list, ',') == NULL ||
            (values->own_steps && k == EVALUATION_OUTER_STEPS))
            continue;
        snprintf(item, sizeof item, "%s (%s)", name, list);
        add_name(values->evaluations, sizeof values->evaluations, item);
    }
    return rc;
}

/* The index of the value in values. A new value is appended and takes over *text. -1:
 * out of memory. */
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

/* Fills in each cell's value and what identifies it apart from the value. */
static int describe_cells(struct axis_cell *cells, struct axis_values *values,
                          const struct compare *compare, const char *key, struct error *err)
{
    for (int i = 0; i < compare->cell_count; i++) {
        int rc = cell_axis_value(&cells[i].value, compare, i, key, err);

        if (rc != 0)
            return rc;
        cells[i].cell = i;
        cells[i].without = identity_without(compare, i, key, values->own_steps);
        cells[i].value_index = value_number(values, &cells[i].value);
        if (cells[i].without == NULL || cells[i].value_index < 0)
            return error_no_memory(err, "a comparison");
        values->items[cells[i].value_index].all++;
    }
    return 0;
}

/* Compares value number v with the first, over the cells that have a partner of the
 * first value. firsts: the first value's cells, sorted. terms: room for two per
 * cell. */
static int compare_value(struct axis_values *values, int v, struct comparison_list *list,
                         const struct compare *compare, const char *key,
                         const struct axis_cell *cells, struct axis_cell *firsts,
                         int first_count, struct contrast_term *terms, struct error *err)
{
    struct axis_value *value = &values->items[v];
    int count = 0, rc;
    double sum = 0;

    for (int i = 0; i < compare->cell_count; i++) {
        struct axis_cell *partner = cells[i].value_index != v
                                        ? NULL
                                        : bsearch(&cells[i], firsts, (size_t)first_count,
                                                  sizeof *firsts, compare_without);

        if (partner == NULL)
            continue;
        partner->paired = true;
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
    struct comparison *added = NULL;

    rc = label == NULL ? error_no_memory(err, "a comparison")
                       : compare_add_possible(list, compare, COMPARISON_DIFFERENCE, "", label,
                                              terms, count, &added, err);
    free(label);
    if (added != NULL)
        value->comparison = list->count - 1;
    return rc;
}

/* The mean of the first value's cells that are compared with any other: a cell in which
 * the setting has no effect has no partner. Without any, of all. */
static void average_first(struct axis_value *first, const struct compare *compare,
                          const struct axis_cell *firsts, int count)
{
    double sum = 0, all = 0;
    int paired = 0;

    for (int i = 0; i < count; i++) {
        double mean = compare->cells[firsts[i].cell].mean;

        all += mean;
        sum += firsts[i].paired ? mean : 0;
        paired += firsts[i].paired;
    }
    first->cells = paired > 0 ? paired : count;
    first->mean = paired > 0 ? sum / paired : all / count;
}

int compare_axis(struct axis_values *values, struct comparison_list *list,
                 const struct compare *compare, const char *key, struct error *err)
{
    size_t size = (size_t)compare->cell_count + 1;
    struct axis_cell *cells = calloc(size, sizeof *cells);
    struct axis_cell *firsts = calloc(size, sizeof *firsts);
    struct contrast_term *terms = calloc(2 * size, sizeof *terms);
    int rc = 0, first_count = 0, before = list->count, impossible = list->impossible;

    if (setting_find(key) < 0) {
        const char *nearest = setting_nearest(key);

        rc = error_set(err, ERROR_FORMAT,
                       "--axis %s: unknown setting%s%s%s (`hrmlab axes` lists them)", key,
                       nearest != NULL ? ", did you mean \"" : "",
                       nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
    } else if (strcmp(key, "train.seed") == 0) {
        rc = error_set(err, ERROR_FORMAT,
                       "--axis %s: seeds are not compared, every comparison is made over them; "
                       "hrmlab results --rows %s shows each",
                       key, key);
    } else if (cells == NULL || firsts == NULL || terms == NULL) {
        rc = error_no_memory(err, "a comparison");
    } else {
        values->own_steps = at_own_steps(compare, key);
        rc = describe_cells(cells, values, compare, key, err);
    }
    if (rc == 0 && evaluation_key_find(key) < 0)
        rc = compare_missing(values->missing, sizeof values->missing, compare, key, err);
    if (rc == 0 && values->count < 2)
        rc = error_no_axis(values, compare, key, err);
    if (rc == 0)
        rc = describe_evaluations(values, compare, key, err);
    for (int i = 0; i < compare->cell_count && rc == 0; i++)
        if (cells[i].value_index == 0)
            firsts[first_count++] = cells[i];
    if (rc == 0)
        qsort(firsts, (size_t)first_count, sizeof *firsts, compare_without);
    for (int v = 1; v < values->count && rc == 0; v++)
        rc = compare_value(values, v, list, compare, key, cells, firsts, first_count, terms,
                           err);
    if (rc == 0)
        average_first(&values->items[0], compare, firsts, first_count);
    if (rc == 0 && list->count == before && list->impossible > impossible)
        rc = error_set(err, ERROR_ABSENT,
                       "--axis %s: the evaluations compared have no task in common; --where "
                       "data.path=PATH chooses those on one kind of data",
                       key);
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
