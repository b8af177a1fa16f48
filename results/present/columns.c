/*
 * columns.c - columns of the tables of results; see columns.h.
 */
#include "columns.h"

#include "error.h"
#include "evaluation_keys.h"
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void columns_add(struct columns *columns, struct table_column column)
{
    struct table_column *items =
        realloc(columns->items, ((size_t)columns->count + 1) * sizeof *items);

    if (items == NULL) {
        columns->out_of_memory = true;
        return;
    }
    columns->items = items;
    items[columns->count++] = column;
}

void columns_add_all(struct columns *columns, const struct table_column *items, int count)
{
    for (int i = 0; i < count; i++)
        columns_add(columns, items[i]);
}

const char *columns_text(struct columns *columns, const char *text)
{
    char **texts = realloc(columns->texts, ((size_t)columns->text_count + 1) * sizeof *texts);

    if (texts != NULL) {
        columns->texts = texts;
        texts[columns->text_count] = strdup(text);
    }
    if (texts == NULL || texts[columns->text_count] == NULL) {
        columns->out_of_memory = true;
        return "";
    }
    return texts[columns->text_count++];
}

int columns_create_table(struct table **out, struct columns *columns, struct error *err)
{
    int rc = columns->out_of_memory ? error_no_memory(err, "a table")
                                    : table_create(out, columns->items, columns->count, err);

    for (int i = 0; i < columns->text_count; i++)
        free(columns->texts[i]);
    free(columns->texts);
    free(columns->items);
    *columns = (struct columns){ 0 };
    return rc;
}

static enum table_type type_of(const cJSON *value)
{
    if (cJSON_IsBool(value))
        return TABLE_BOOL;
    if (!cJSON_IsNumber(value))
        return TABLE_TEXT;
    return value->valuedouble == trunc(value->valuedouble) && fabs(value->valuedouble) < 1e15
               ? TABLE_INT
               : TABLE_REAL;
}

/* A type that can hold values of both. */
static enum table_type common_type(enum table_type a, enum table_type b)
{
    bool numbers = (a == TABLE_INT || a == TABLE_REAL) && (b == TABLE_INT || b == TABLE_REAL);

    return a == b ? a : numbers ? TABLE_REAL : TABLE_TEXT;
}

static int add_axis(struct axes *axes, const char *key, enum table_type type, struct error *err)
{
    const char **keys;
    enum table_type *types;

    for (int i = 0; i < axes->count; i++)
        if (strcmp(axes->keys[i], key) == 0) {
            axes->types[i] = common_type(axes->types[i], type);
            return 0;
        }
    keys = realloc(axes->keys, ((size_t)axes->count + 1) * sizeof(const char *));
    axes->keys = keys != NULL ? keys : axes->keys;
    types = realloc(axes->types, ((size_t)axes->count + 1) * sizeof *types);
    axes->types = types != NULL ? types : axes->types;
    if (keys == NULL || types == NULL)
        return error_no_memory(err, "a table");
    keys[axes->count] = key;
    types[axes->count++] = type;
    return 0;
}

int axes_find(struct axes *out, const struct results *results, struct error *err)
{
    int rc = 0;

    *out = (struct axes){ 0 };
    for (int a = 0; a < results->arm_count && rc == 0; a++)
        for (const cJSON *item = results->arms[a].axes->child; item != NULL && rc == 0;
             item = item->next)
            rc = add_axis(out, item->string, type_of(item), err);
    if (rc != 0)
        axes_release(out);
    return rc;
}

void axes_release(struct axes *axes)
{
    free(axes->keys);
    free(axes->types);
    *axes = (struct axes){ 0 };
}

const char *axes_short_name(const struct axes *axes, int axis)
{
    const char *dot = strrchr(axes->keys[axis], '.');

    for (int i = 0; i < axes->count && dot != NULL; i++) {
        const char *other = strrchr(axes->keys[i], '.');
        if (i != axis && other != NULL && strcmp(other, dot) == 0)
            return axes->keys[axis];
    }
    return dot != NULL ? dot + 1 : axes->keys[axis];
}

/* Which evaluation settings differ between the rows and are therefore displayed. */
struct varying {
    bool act, split, eval_seed;
    bool others[EVALUATION_KEY_COUNT]; /* of those that only some evaluations have */
};

/* Settings that only some evaluations have, with their columns. */
static const struct {
    enum evaluation_key key;
    const char *name, *title;
} OTHERS[] = {
    { EVALUATION_HALT_RULE, "halt_rule", "rule" },
    { EVALUATION_HALT_PATIENCE, "halt_patience", "patience" },
    { EVALUATION_HALT_EPSILON, "halt_epsilon", "epsilon" },
    { EVALUATION_PUZZLE_ID, "puzzle_id", "puzzle id" },
    { EVALUATION_POOL_CHECKPOINTS, "pool_checkpoints", "pool" },
    { EVALUATION_ROLLOUTS, "rollouts", "rollouts" },
    { EVALUATION_INIT_NOISE, "init_noise", "noise" },
    { EVALUATION_CHOOSE, "choose", "choose" },
    { EVALUATION_WEIGHTS, "weights", "weights" },
};
enum { OTHER_COUNT = sizeof OTHERS / sizeof *OTHERS };

/* Whether the evaluations of two rows differ in the key; without memory the columns say
 * so. */
static bool differ(struct columns *columns, const struct result_row *a,
                   const struct result_row *b, enum evaluation_key key)
{
    if (strcmp(a->evaluation, b->evaluation) == 0)
        return false;
    char *x = evaluation_key_text(a->evaluation, key);
    char *y = evaluation_key_text(b->evaluation, key);
    bool differs = x != NULL && y != NULL && strcmp(x, y) != 0;

    if (x == NULL || y == NULL)
        columns->out_of_memory = true;
    free(x);
    free(y);
    return differs;
}

static struct varying find_varying(struct columns *columns, const struct results *results)
{
    struct varying varying = { 0 };

    for (int i = 1; i < results->row_count; i++) {
        const struct result_row *a = &results->rows[0], *b = &results->rows[i];

        varying.act = varying.act || a->act_inference != b->act_inference;
        varying.split = varying.split || a->train_split != b->train_split;
        varying.eval_seed = varying.eval_seed || a->eval_seed != b->eval_seed;
        if (strcmp(b->evaluation, b[-1].evaluation) == 0)
            continue; /* compared already: rows are sorted by evaluation within an
                       * arm */
        for (int k = 0; k < OTHER_COUNT; k++) {
            bool *varies = &varying.others[OTHERS[k].key];

            *varies = *varies || differ(columns, a, b, OTHERS[k].key);
        }
    }
    return varying;
}

static bool is_axis(const struct axes *axes, const char *key)
{
    for (int i = 0; i < axes->count; i++)
        if (strcmp(axes->keys[i], key) == 0)
            return true;
    return false;
}

void columns_add_axes(struct columns *columns, const struct axes *axes)
{
    for (int i = 0; i < axes->count; i++)
        columns_add(columns, (struct table_column){ .name = axes->keys[i],
                                                    .title = axes_short_name(axes, i),
                                                    .type = axes->types[i],
                                                    .digits = -1,
                                                    .fold = true });
}

void columns_add_identity(struct columns *columns, const struct results *results,
                          const struct axes *axes)
{
    struct varying varying = find_varying(columns, results);
    const struct table_column NAMES[] = {
        { .name = "experiment", .type = TABLE_TEXT, .machine_only = true },
        { .name = "arm", .type = TABLE_TEXT, .machine_only = axes->count > 0 },
    };
    const struct table_column EVALUATION[] = {
        { .name = "train_outer_steps",
          .title = "trained",
          .type = TABLE_INT,
          .fold = true,
          .machine_only = is_axis(axes, "arch.halt_max_steps") },
        { .name = "eval_outer_steps", .title = "infer", .type = TABLE_INT, .fold = true },
        { .name = "train_augmentations",
          .title = "aug",
          .type = TABLE_INT,
          .fold = true,
          .machine_only = is_axis(axes, "data.num_aug") },
        { .name = "eval_augmentations", .title = "voted", .type = TABLE_TEXT, .fold = true },
        { .name = "act_inference",
          .title = "act",
          .type = TABLE_BOOL,
          .machine_only = !varying.act },
        { .name = "split", .type = TABLE_TEXT, .machine_only = !varying.split },
        { .name = "eval_seed",
          .title = "eval seed",
          .type = TABLE_INT,
          .machine_only = !varying.eval_seed },
    };

    columns_add_all(columns, NAMES, sizeof NAMES / sizeof *NAMES);
    columns_add_axes(columns, axes);
    columns_add_all(columns, EVALUATION, sizeof EVALUATION / sizeof *EVALUATION);
    for (int k = 0; k < OTHER_COUNT; k++)
        columns_add(columns,
                    (struct table_column){ .name = OTHERS[k].name,
                                           .title = OTHERS[k].title,
                                           .type = TABLE_TEXT,
                                           .machine_only = !varying.others[OTHERS[k].key] });
}

void table_add_axes(struct table *table, const struct axes *axes, const cJSON *values)
{
    for (int i = 0; i < axes->count; i++) {
        const cJSON *value =
            values != NULL ? cJSON_GetObjectItemCaseSensitive(values, axes->keys[i]) : NULL;

        if (value == NULL) {
            table_empty(table);
        } else if (axes->types[i] == TABLE_TEXT && cJSON_IsString(value)) {
            table_text(table, value->valuestring);
        } else if (axes->types[i] == TABLE_TEXT) {
            char *text = json_canonical(value);
            table_text(table, text);
            free(text);
        } else if (axes->types[i] == TABLE_BOOL) {
            table_bool(table, cJSON_IsTrue(value));
        } else if (axes->types[i] == TABLE_INT) {
            table_int(table, (int64_t)value->valuedouble);
        } else {
            table_real(table, value->valuedouble);
        }
    }
}

void table_add_identity(struct table *table, const struct results *results,
                        const struct axes *axes, const struct result_row *row)
{
    char augmentations[24];

    table_text(table, results->experiment);
    table_text(table, results->arms[row->arm].label);
    table_add_axes(table, axes, result_arm_shown(&results->arms[row->arm]));
    table_int(table, row->train_outer_steps);
    table_int(table, row->outer_steps);
    table_int(table, row->train_augmentations);
    snprintf(augmentations, sizeof augmentations, "%lld", (long long)row->augmentations);
    table_text(table, row->augmentations == 0 ? "all" : augmentations);
    table_bool(table, row->act_inference);
    table_text(table, row->train_split ? "train" : "test");
    table_int(table, row->eval_seed);
    for (int k = 0; k < OTHER_COUNT; k++) {
        if (!evaluation_key_has_effect(row->evaluation, OTHERS[k].key)) {
            table_empty(table);
            continue;
        }
        char *text = evaluation_key_text(row->evaluation, OTHERS[k].key);

        table_made_text(table, text);
        free(text);
    }
}

void table_add_no_identity(struct table *table, const struct results *results,
                           const struct axes *axes, const char *name)
{
    table_text(table, results->experiment);
    table_text(table, name);
    table_add_axes(table, axes, NULL);
    for (int i = 0; i < 7 + OTHER_COUNT; i++) /* trained to weights */
        table_empty(table);
}

struct shown shown_metrics(enum metric first)
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

/* The i-th measure in the order of the columns; METRIC_COUNT: it was placed before. */
static enum metric metric_at(const struct shown *shown, int i)
{
    if (i < shown->count)
        return shown->metrics[i];
    return is_shown(shown, i - shown->count) ? METRIC_COUNT : (enum metric)(i - shown->count);
}

void columns_add_metrics(struct columns *columns, const struct shown *shown, bool spread)
{
    for (int i = 0; i < shown->count + METRIC_COUNT; i++) {
        enum metric metric = metric_at(shown, i);
        char name[80];

        if (metric == METRIC_COUNT)
            continue;
        int digits = metric_decimals(metric);

        /* the first measure stays at any width, the second is the last to go */
        columns_add(columns, (struct table_column){ .name = METRICS[metric].name,
                                                    .title = METRICS[metric].title,
                                                    .type = TABLE_REAL,
                                                    .digits = digits,
                                                    .drop = i < 2 ? i : 1 + i,
                                                    .machine_only = i >= shown->count });
        if (!spread)
            continue;
        snprintf(name, sizeof name, "%s_deviation", METRICS[metric].name);
        columns_add(columns, (struct table_column){ .name = columns_text(columns, name),
                                                    .title = "sd",
                                                    .type = TABLE_REAL,
                                                    .digits = digits,
                                                    .drop = i == 0 ? 2 : 4 + i,
                                                    .machine_only = i >= shown->count });
    }
}

void table_add_metrics(struct table *table, const struct shown *shown, const double *means,
                       const double *deviations, bool strong)
{
    for (int i = 0; i < shown->count + METRIC_COUNT; i++) {
        enum metric metric = metric_at(shown, i);

        if (metric == METRIC_COUNT)
            continue;
        table_real(table, means[metric]);
        if (i == 0 && strong)
            table_mark(table, TABLE_STRONG);
        if (deviations != NULL)
            table_real(table, deviations[metric]);
    }
}
