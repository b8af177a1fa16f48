/*
 * export_columns.h - the columns of exported tables: fixed ones, and those that follow
 * from the tables of settings and of measures. The data dictionary is this list.
 */
#ifndef RESULTS_EXPORT_COLUMNS_H
#define RESULTS_EXPORT_COLUMNS_H

#include <cjson/cJSON.h>
#include <sqlite3.h>

#include "error.h"
#include "settings.h"
#include "table.h"

enum export_table {
    EXPORT_RUNS,         /* a row per experiment, arm and run */
    EXPORT_SETTINGS,     /* a row per run */
    EXPORT_RESULTS,      /* a row per experiment, arm, run, evaluation and step */
    EXPORT_TRAJECTORIES, /* a row per evaluation, step, measure and position */
    EXPORT_CURVES,       /* a row per run, metric and step */
    EXPORT_TASKS,        /* a row per evaluation and test input */
    EXPORT_TABLE_COUNT
};

/* "runs" */
const char *export_table_name(enum export_table table);

struct export_column {
    const char *name; /* the name of a setting or measure, or snake_case */
    enum table_type type;
    const char *unit; /* "steps", "s"; "": none */
    const char *meaning;
};

struct export_columns {
    struct export_column *items; /* owned; texts static or of texts */
    int count;
    char **texts; /* owned: (count); NULL where the meaning is static */
};

/* The columns of a table in their order. axes: the training settings in which arms
 * differ, which runs and results have as columns. */
int export_columns_make(struct export_columns *out, enum export_table table,
                        const enum setting_id *axes, int axis_count,
                        struct error *err) MUST_CHECK;
void export_columns_release(struct export_columns *columns); /* zeroed: allowed */

/* Creates an empty table with these columns. */
int export_columns_table(struct table **out, const struct export_columns *columns,
                         struct error *err) MUST_CHECK;

/* Whether a setting belongs to what a run is: neither an evaluation's nor a job's. */
bool export_has_setting(enum setting_id id);

/* A setting's value as it is stored or was read; kind SQLITE_NULL: inactive. */
struct export_value {
    int kind; /* SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_NULL */
    int64_t integer;
    double real;
    char *text; /* owned */
};

/* Adds the cell of the setting's column. */
void export_add_setting(struct table *table, enum setting_id id,
                        const struct export_value *value);
/* The same with the value of a JSON object's member; without the member, what its
 * absence means. */
void export_add_member(struct table *table, enum setting_id id, const cJSON *object);

/* The data dictionary: a row per table and column. */
int export_dictionary(struct table **out,
                      const struct export_columns columns[EXPORT_TABLE_COUNT],
                      struct error *err) MUST_CHECK;

#endif
