/* export_columns.c - which columns exported tables have, and what they mean. */
#include "export_columns.h"

#include "error.h"
#include "evaluation_keys.h"
#include "file.h"
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const NAMES[EXPORT_TABLE_COUNT] = {
    [EXPORT_RUNS] = "runs",       [EXPORT_SETTINGS] = "settings",
    [EXPORT_RESULTS] = "results", [EXPORT_TRAJECTORIES] = "trajectories",
    [EXPORT_CURVES] = "curves",   [EXPORT_TASKS] = "tasks",
};

const char *export_table_name(enum export_table table)
{
    return NAMES[table];
}

#define HASH_COLUMN                                                                            \
    {                                                                                          \
        "run_hash", TABLE_TEXT, "",                                                            \
            "identity of the training: SHA-256 of settings, data and numeric version"          \
    }
#define EVALUATION_COLUMN                                                                      \
    {                                                                                          \
        "evaluation_id", TABLE_INT, "",                                                        \
            "number of the evaluation in this export, which joins its tables; not an identity" \
    }
#define STEP_COLUMN                                                                            \
    {                                                                                          \
        "step", TABLE_INT, "steps", "training steps made; 0: untrained"                        \
    }

static const struct export_column IDENTITY[] = {
    { "experiment", TABLE_TEXT, "", "the experiment's name" },
    { "arm", TABLE_TEXT, "", "label of the combination of axis values; its seeds share it" },
    HASH_COLUMN,
    { "seed", TABLE_INT, "", "train.seed of the run" },
};

/* As export_rows.c reads them. */
static const struct export_column RUN_FACTS[] = {
    { "state", TABLE_TEXT, "", "done, queued, running, failed, diverged or cancelled" },
    { "cause", TABLE_TEXT, "", "why it failed; empty: it did not" },
    { "train_cpu_seconds", TABLE_REAL, "s",
      "processor time of the training job over all cores, its evaluations included" },
    { "train_seconds", TABLE_REAL, "s", "wall time of the training steps" },
    { "evaluation_seconds", TABLE_REAL, "s", "wall time of the training job's evaluations" },
    { "data_hash", TABLE_TEXT, "", "SHA-256 of the content of the tasks used" },
    { "numeric_version", TABLE_TEXT, "", "of the engine: equal ones give equal numbers" },
    { "parameters", TABLE_INT, "parameters", "trained weights without the puzzle embedding" },
    { "puzzle_parameters", TABLE_INT, "parameters", "elements of the puzzle embedding" },
    { "total_steps", TABLE_INT, "steps", "planned training steps" },
    { "train_flops", TABLE_REAL, "FLOP", "of the whole training, counted from shapes" },
    { "mixed", TABLE_BOOL, "", "trained on more than one kernel set or number of threads" },
    { "base_hash", TABLE_TEXT, "", "run_hash of the run whose weights it began with" },
    { "weights_hash", TABLE_TEXT, "", "SHA-256 of the final weights" },
    { "checkpoint_file", TABLE_TEXT, "", "the final weights, relative to the workspace" },
    { "attempts", TABLE_INT, "attempts", "how often a worker was started for it" },
    { "peak_rss_mib", TABLE_REAL, "MiB", "greatest resident memory of an attempt" },
    { "started_at", TABLE_TEXT, "UTC", "start of the first attempt, ISO 8601" },
    { "ended_at", TABLE_TEXT, "UTC", "end of the last attempt, ISO 8601" },
    { "engine_version", TABLE_TEXT, "", "hrmlab of the last attempt" },
    { "git_commit", TABLE_TEXT, "", "its commit" },
    { "kernel_set", TABLE_TEXT, "", "instruction set of its kernels" },
    { "blas_core", TABLE_TEXT, "", "core that OpenBLAS chose" },
    { "cpu", TABLE_TEXT, "", "processor of the last attempt" },
    { "host", TABLE_TEXT, "", "machine of the last attempt" },
    { "tags", TABLE_TEXT, "", "tags of the run, its arm and experiment, separated by commas" },
};

static const struct export_column RESULT_FACTS[] = {
    { "checkpoint", TABLE_TEXT, "",
      "last (the result), interim or untrained: choose one before taking means" },
    STEP_COLUMN,
    { "tasks", TABLE_INT, "tasks", "tasks scored; 0: all their solutions are hidden" },
    { "rows_count", TABLE_INT, "rows", "test rows predicted" },
    { "seconds", TABLE_REAL, "s", "wall time of the inference pass that it came from" },
};

static const struct export_column TRAJECTORY[] = {
    HASH_COLUMN,
    EVALUATION_COLUMN,
    STEP_COLUMN,
    { "measure", TABLE_TEXT, "", "a measure that is a list (docs/measures.md)" },
    { "position", TABLE_INT, "", "place in the list from 1: outer step, module call or bin" },
    { "value", TABLE_REAL, "", "in the measure's unit" },
};

static const struct export_column CURVE[] = {
    HASH_COLUMN,
    { "metric", TABLE_TEXT, "", "what was recorded while training, train/lm_loss and others" },
    STEP_COLUMN,
    { "value", TABLE_REAL, "",
      "mean since the point before: losses in nats, accuracies as shares" },
};

static const struct export_column TASK[] = {
    HASH_COLUMN,
    EVALUATION_COLUMN,
    { "task", TABLE_TEXT, "", "the task's name in the data" },
    { "test_index", TABLE_INT, "", "which of its test inputs, from 0" },
    { "rank", TABLE_INT, "", "of the solution among the answers, from 1; empty: not there" },
    { "votes", TABLE_INT, "predictions", "predictions that are the solution" },
    { "predictions", TABLE_INT, "predictions", "predictions that voted" },
    { "per_token_accuracy", TABLE_REAL, "share", "right tokens, mean over its rows" },
};

/* ---- lists of columns ---- */

/* text: the meaning, owned from here on; NULL: the column's own is static. */
static int add(struct export_columns *columns, struct export_column column, char *text,
               struct error *err)
{
    size_t count = (size_t)columns->count + 1;
    struct export_column *items = realloc(columns->items, count * sizeof *items);
    char **texts = NULL;

    if (items != NULL) {
        columns->items = items;
        texts = realloc(columns->texts, count * sizeof *texts);
    }
    if (texts == NULL) {
        free(text);
        return error_no_memory(err, "an export");
    }
    columns->texts = texts;
    if (text != NULL)
        column.meaning = text;
    items[columns->count] = column;
    texts[columns->count++] = text;
    return 0;
}

static int add_all(struct export_columns *columns, const struct export_column *items,
                   size_t count, struct error *err)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add(columns, items[i], NULL, err);
    return rc;
}

#define ADD_ALL(columns, items, err)                                                           \
    add_all((columns), (items), sizeof(items) / sizeof *(items), (err))

static enum table_type type_of(enum setting_type type)
{
    switch (type) {
    case SETTING_INT:
        return TABLE_INT;
    case SETTING_REAL:
        return TABLE_REAL;
    case SETTING_BOOL:
        return TABLE_BOOL;
    case SETTING_CHOICE:
    case SETTING_TEXT:
    case SETTING_INT_OR_WORD:
        break;
    }
    return TABLE_TEXT;
}

static int add_setting(struct export_columns *columns, enum setting_id id, struct error *err)
{
    const struct setting *setting = &settings_table[id];
    struct export_column column = { setting->key, type_of(setting->type), setting->unit,
                                    setting->meaning };
    char *text = NULL;

    if (setting->type == SETTING_INT_OR_WORD) {
        text = format_string("%s (an integer, or %s)", setting->meaning, setting->word);
        if (text == NULL)
            return error_no_memory(err, "an export");
    }
    return add(columns, column, text, err);
}

bool export_has_setting(enum setting_id id)
{
    return settings_table[id].phase == PHASE_TRAINING || settings_table[id].phase == PHASE_DATA;
}

static int add_evaluation(struct export_columns *columns, struct error *err)
{
    static const struct export_column EVALUATION[] = { EVALUATION_COLUMN };
    int rc = ADD_ALL(columns, EVALUATION, err);

    for (int i = 0; i < EVALUATION_KEY_COUNT && rc == 0; i++)
        rc = add_setting(columns, evaluation_key_setting((enum evaluation_key)i), err);
    if (rc == 0)
        rc = ADD_ALL(columns, RESULT_FACTS, err);
    for (int i = 0; i < METRIC_COUNT && rc == 0; i++)
        rc = add(columns,
                 (struct export_column){ METRICS[i].name, TABLE_REAL, METRICS[i].unit,
                                         METRICS[i].meaning },
                 NULL, err);
    return rc;
}

int export_columns_make(struct export_columns *out, enum export_table table,
                        const enum setting_id *axes, int axis_count, struct error *err)
{
    static const struct export_column HASH[] = { HASH_COLUMN };
    bool with_axes = table == EXPORT_RUNS || table == EXPORT_RESULTS;
    int rc = 0;

    *out = (struct export_columns){ 0 };
    if (with_axes)
        rc = ADD_ALL(out, IDENTITY, err);
    for (int i = 0; i < axis_count && with_axes && rc == 0; i++)
        rc = add_setting(out, axes[i], err);
    if (rc == 0 && table == EXPORT_RUNS)
        rc = ADD_ALL(out, RUN_FACTS, err);
    if (rc == 0 && table == EXPORT_RESULTS)
        rc = add_evaluation(out, err);
    if (rc == 0 && table == EXPORT_SETTINGS)
        rc = ADD_ALL(out, HASH, err);
    for (int i = 0; i < SETTING_COUNT && table == EXPORT_SETTINGS && rc == 0; i++)
        if (export_has_setting((enum setting_id)i))
            rc = add_setting(out, (enum setting_id)i, err);
    if (rc == 0 && table == EXPORT_TRAJECTORIES)
        rc = ADD_ALL(out, TRAJECTORY, err);
    if (rc == 0 && table == EXPORT_CURVES)
        rc = ADD_ALL(out, CURVE, err);
    if (rc == 0 && table == EXPORT_TASKS)
        rc = ADD_ALL(out, TASK, err);
    if (rc < 0)
        export_columns_release(out);
    return rc;
}

void export_columns_release(struct export_columns *columns)
{
    for (int i = 0; i < columns->count; i++)
        free(columns->texts[i]);
    free(columns->texts);
    free(columns->items);
    *columns = (struct export_columns){ 0 };
}

int export_columns_table(struct table **out, const struct export_columns *columns,
                         struct error *err)
{
    struct table_column *items = calloc((size_t)columns->count, sizeof *items);

    *out = NULL;
    if (items == NULL)
        return error_no_memory(err, "an export");
    for (int i = 0; i < columns->count; i++)
        items[i] = (struct table_column){ .name = columns->items[i].name,
                                          .type = columns->items[i].type };
    int rc = table_create(out, items, columns->count, err);

    free(items);
    return rc;
}

/* ---- cells of settings ---- */

void export_add_setting(struct table *table, enum setting_id id,
                        const struct export_value *value)
{
    char number[24];

    if (value->kind == SQLITE_NULL) {
        table_empty(table);
        return;
    }
    switch (type_of(settings_table[id].type)) {
    case TABLE_INT:
        table_int(table, value->integer);
        break;
    case TABLE_BOOL:
        table_bool(table, value->integer != 0);
        break;
    case TABLE_REAL:
        table_real(table, value->kind == SQLITE_FLOAT ? value->real : (double)value->integer);
        break;
    case TABLE_TEXT:
        snprintf(number, sizeof number, "%lld", (long long)value->integer);
        table_text(table, value->kind == SQLITE_TEXT ? value->text : number);
        break;
    }
}

void export_add_member(struct table *table, enum setting_id id, const cJSON *object)
{
    const struct setting *setting = &settings_table[id];
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, setting->key);
    const char *text = member == NULL           ? setting->absent_means
                       : cJSON_IsString(member) ? member->valuestring
                                                : NULL;
    struct export_value value = { .kind = SQLITE_TEXT };

    if (member == NULL && text == NULL) {
        value.kind = SQLITE_NULL;
    } else if (text == NULL) {
        double number = cJSON_IsBool(member) ? cJSON_IsTrue(member) : member->valuedouble;
        value = (struct export_value){ SQLITE_FLOAT, (int64_t)number, number, NULL };
    } else if (type_of(setting->type) == TABLE_TEXT) {
        value.text = (char *)(uintptr_t)text;
    } else {
        double number = strcmp(text, "true") == 0 ? 1 : strtod(text, NULL);
        value = (struct export_value){ SQLITE_FLOAT, (int64_t)number, number, NULL };
    }
    export_add_setting(table, id, &value);
}

/* ---- the dictionary ---- */

static const char *type_word(enum table_type type)
{
    static const char *const WORDS[] = { [TABLE_TEXT] = "text",
                                         [TABLE_INT] = "integer",
                                         [TABLE_REAL] = "real",
                                         [TABLE_BOOL] = "boolean" };

    return WORDS[type];
}

int export_dictionary(struct table **out,
                      const struct export_columns columns[EXPORT_TABLE_COUNT],
                      struct error *err)
{
    static const struct table_column DICTIONARY[] = {
        { .name = "table", .type = TABLE_TEXT },   { .name = "column", .type = TABLE_TEXT },
        { .name = "type", .type = TABLE_TEXT },    { .name = "unit", .type = TABLE_TEXT },
        { .name = "meaning", .type = TABLE_TEXT },
    };
    int rc = table_create(out, DICTIONARY, sizeof DICTIONARY / sizeof *DICTIONARY, err);

    for (int t = 0; t < EXPORT_TABLE_COUNT && rc == 0; t++)
        for (int i = 0; i < columns[t].count; i++) {
            const struct export_column *column = &columns[t].items[i];

            table_row(*out);
            table_text(*out, NAMES[t]);
            table_text(*out, column->name);
            table_text(*out, type_word(column->type));
            table_text(*out, column->unit);
            table_text(*out, column->meaning);
        }
    return rc;
}
