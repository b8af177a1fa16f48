/* export_rows.c - fills exported tables from results and from the database. */
#include "export_rows.h"

#include "error.h"
#include "evaluation_keys.h"
#include "file.h"
#include "json.h"
#include "sql.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_AT_ONCE = 1000 };

int export_sink_flush(struct export_sink *sink, struct error *err)
{
    int rows = table_row_count(sink->table);
    int rc = table_flush(sink->table, sink->out, sink->format, sink->rows == 0, err);

    sink->rows += rows;
    return rc;
}

/* Begins a row; prints those before it if they are many. */
static int next_row(struct export_sink *sink, struct error *err)
{
    int rc = table_row_count(sink->table) < ROWS_AT_ONCE ? 0 : export_sink_flush(sink, err);

    if (rc == 0)
        table_row(sink->table);
    return rc;
}

/* Adds cells of all columns of a statement from one on, by the types of the table's
 * columns. */
static void add_columns(struct table *table, const struct export_columns *columns, int at,
                        sqlite3_stmt *s, int first)
{
    for (int c = first; c < sqlite3_column_count(s); c++, at++) {
        if (sqlite3_column_type(s, c) == SQLITE_NULL) {
            table_empty(table);
            continue;
        }
        switch (columns->items[at].type) {
        case TABLE_TEXT:
            table_text(table, sql_text(s, c));
            break;
        case TABLE_INT:
            table_int(table, sqlite3_column_int64(s, c));
            break;
        case TABLE_REAL:
            table_real(table, sqlite3_column_double(s, c));
            break;
        case TABLE_BOOL:
            table_bool(table, sqlite3_column_int(s, c) != 0);
            break;
        }
    }
}

/* ---- settings of runs ---- */

/* The settings of the run asked for last; runs that differ in the seed share them. */
struct run_settings {
    int64_t config_id; /* 0: none yet */
    struct export_value values[SETTING_COUNT];
};

static void forget_settings(struct run_settings *settings)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        free(settings->values[i].text);
        settings->values[i] = (struct export_value){ .kind = SQLITE_NULL };
    }
}

static int take_value(struct export_value *out, sqlite3_stmt *s, int column, struct error *err)
{
    out->kind = sqlite3_column_type(s, column);
    out->integer = sqlite3_column_int64(s, column);
    out->real = sqlite3_column_double(s, column);
    if (out->kind != SQLITE_TEXT)
        return 0;
    out->text = sql_text_copy(s, column);
    return out->text != NULL ? 0 : error_no_memory(err, "an export");
}

/* Loads the settings of a run, unless the run before had the same. */
static int find_settings(struct run_settings *settings, struct store *store, int64_t run_id,
                         int64_t seed, struct error *err)
{
    sqlite3_stmt *s = NULL;
    int64_t config_id = 0;
    int rc = sql_int(store, &config_id, NULL, err,
                     "SELECT coalesce(config_id, 0) FROM run JOIN training USING (training_id)"
                     " WHERE run_id = ?1",
                     "i", run_id);

    if (rc == 0 && (settings->config_id == 0 || settings->config_id != config_id)) {
        forget_settings(settings);
        settings->config_id = config_id;
        rc = sql_query(store, &s, err,
                       "SELECT key, value FROM config_setting WHERE config_id = ?1", "i",
                       config_id);
    }
    while (s != NULL && rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        int id = setting_find(sql_text(s, 0));

        /* otherwise it is a setting of a later release */
        rc = id >= 0 ? take_value(&settings->values[id], s, 1, err) : 0;
        if (rc < 0)
            sql_end(&s);
    }
    settings->values[TRAIN_SEED] =
        (struct export_value){ SQLITE_INTEGER, seed, (double)seed, NULL };
    return rc;
}

/* Adds what identifies a row of runs or results: names, hash, seed, axes. */
static void add_identity(struct table *table, const struct export *export,
                         const struct export_item *item, const struct result_row *row,
                         const struct run_settings *settings)
{
    const struct results *results = export->results[item->experiment];

    table_text(table, results->experiment);
    table_text(table, results->arms[row->arm].label);
    table_text(table, row->hash);
    table_int(table, row->seed);
    for (int i = 0; i < export->axis_count; i++)
        export_add_setting(table, export->axes[i], &settings->values[export->axes[i]]);
}

static int write_settings(struct export *export, struct export_sink *sink, struct error *err)
{
    struct run_settings settings = { 0 };
    int rc = 0;

    for (int i = 0; i < export->run_count && rc == 0; i++) {
        const struct result_row *row = export->runs[i].row;

        rc = find_settings(&settings, export->store, row->run_id, row->seed, err);
        if (rc == 0)
            rc = next_row(sink, err);
        if (rc < 0)
            break;
        table_text(sink->table, row->hash);
        for (int id = 0; id < SETTING_COUNT; id++)
            if (export_has_setting((enum setting_id)id))
                export_add_setting(sink->table, (enum setting_id)id, &settings.values[id]);
    }
    forget_settings(&settings);
    return rc;
}

/* ---- runs ---- */

/* The facts of RUN_FACTS from data_hash on; ?2 experiment, ?3 arm. last: the run's last
 * attempt. */
static const char FACTS[] =
    "SELECT n.data_hash, n.numeric_version, n.parameters, n.puzzle_parameters, n.total_steps,"
    " n.train_flops, r.mixed, r.base_hash, c.weights_hash, c.file,"
    " (SELECT count(*) FROM attempt t WHERE t.run_id = r.run_id),"
    " (SELECT max(t.peak_rss_mib) FROM attempt t WHERE t.run_id = r.run_id),"
    " (SELECT min(t.started_at) FROM attempt t WHERE t.run_id = r.run_id),"
    " last.ended_at, last.engine_version, last.git_commit, last.kernel_set, last.blas_core,"
    " last.cpu, last.host,"
    " (SELECT group_concat(text, ',') FROM"
    "   (SELECT text FROM mark WHERE kind = 'tag' AND experiment = ?2 AND arm = ''"
    "     AND run_hash = ''"
    "    UNION SELECT text FROM mark WHERE kind = 'tag' AND experiment = ?2 AND arm = ?3"
    "     AND run_hash = ''"
    "    UNION SELECT text FROM mark WHERE kind = 'tag' AND experiment = '' AND arm = ''"
    "     AND run_hash = r.hash ORDER BY text))"
    " FROM run r JOIN training n USING (training_id)"
    " LEFT JOIN checkpoint c USING (run_id) LEFT JOIN attempt last"
    "  ON last.run_id = r.run_id AND last.number ="
    "   (SELECT max(t.number) FROM attempt t WHERE t.run_id = r.run_id)"
    " WHERE r.run_id = ?1";

static int write_run(struct export *export, struct export_sink *sink,
                     const struct export_item *item, const struct run_settings *settings,
                     struct error *err)
{
    const struct result_row *row = item->row;
    const struct results *results = export->results[item->experiment];
    sqlite3_stmt *s;
    int rc = next_row(sink, err);

    if (rc < 0)
        return rc;
    add_identity(sink->table, export, item, row, settings);
    table_text(sink->table, run_state_name(row->state));
    table_text(sink->table,
               row->state == RUN_FAILED && row->cause[0] != '\0' ? row->cause : NULL);
    table_real(sink->table, row->train_cpu_seconds);
    table_real(sink->table, row->train_seconds);
    table_real(sink->table, row->evaluation_seconds);
    rc = sql_query(export->store, &s, err, FACTS, "itt", row->run_id, results->experiment,
                   results->arms[row->arm].label);
    while (rc == 0 && (rc = sql_step(export->store, &s, err)) > 0) { /* one row */
        rc = 0;
        add_columns(sink->table, &export->columns[EXPORT_RUNS], 9 + export->axis_count, s, 0);
    }
    return rc;
}

static int write_runs(struct export *export, struct export_sink *sink, struct error *err)
{
    struct run_settings settings = { 0 };
    int rc = 0;

    for (int i = 0; i < export->arm_run_count && rc == 0; i++) {
        const struct export_item *item = &export->arm_runs[i];

        rc = find_settings(&settings, export->store, item->row->run_id, item->row->seed, err);
        if (rc == 0)
            rc = write_run(export, sink, item, &settings, err);
    }
    forget_settings(&settings);
    return rc;
}

/* ---- results ---- */

/* The evaluation of the row before, parsed: many rows in a row have the same. */
struct last_evaluation {
    const char *text; /* borrowed of the results */
    cJSON *object;    /* owned */
};

static int find_evaluation(struct last_evaluation *last, const char *text, struct error *err)
{
    if (last->text != NULL && strcmp(last->text, text) == 0)
        return 0;
    cJSON_Delete(last->object);
    last->object = NULL;
    last->text = text;
    return json_parse(&last->object, text, strlen(text), "evaluation", err);
}

static int write_result(struct export *export, struct export_sink *sink, int experiment,
                        const struct result_row *row, const struct run_settings *settings,
                        const cJSON *evaluation, struct error *err)
{
    const struct export_item item = { .experiment = experiment };
    sqlite3_stmt *s;
    int rc = next_row(sink, err);

    if (rc < 0)
        return rc;
    add_identity(sink->table, export, &item, row, settings);
    table_int(sink->table, row->evaluation_id);
    for (int k = 0; k < EVALUATION_KEY_COUNT; k++) {
        enum evaluation_key key = (enum evaluation_key)k;

        if (evaluation_key_has_effect(row->evaluation, key))
            export_add_member(sink->table, evaluation_key_setting(key), evaluation);
        else
            table_empty(sink->table);
    }
    table_text(sink->table, row->checkpoint);
    table_int(sink->table, row->step);
    table_int(sink->table, row->tasks);
    rc = sql_query(export->store, &s, err,
                   "SELECT rows_count, seconds FROM evaluation_result"
                   " WHERE evaluation_id = ?1 AND step = ?2",
                   "ii", row->evaluation_id, row->step);
    while (rc == 0 && (rc = sql_step(export->store, &s, err)) > 0) { /* one row */
        rc = 0;
        table_int(sink->table, sqlite3_column_int64(s, 0));
        table_real(sink->table, sqlite3_column_double(s, 1));
    }
    for (int i = 0; i < METRIC_COUNT && rc == 0; i++)
        table_real(sink->table, result_value(export->results[experiment], row, (enum metric)i));
    return rc;
}

static int write_results(struct export *export, struct export_sink *sink, struct error *err)
{
    struct run_settings settings = { 0 };
    struct last_evaluation last = { 0 };
    int rc = 0;

    for (int e = 0; e < export->experiment_count && rc == 0; e++) {
        const struct results *results = export->results[e];

        for (int i = 0; i < results->row_count && rc == 0; i++) {
            const struct result_row *row = &results->rows[i];

            if (row->checkpoint[0] == '\0')
                continue;
            rc = find_settings(&settings, export->store, row->run_id, row->seed, err);
            if (rc == 0)
                rc = find_evaluation(&last, row->evaluation, err);
            if (rc == 0)
                rc = write_result(export, sink, e, row, &settings, last.object, err);
        }
    }
    forget_settings(&settings);
    cJSON_Delete(last.object);
    return rc;
}

/* ---- what is copied row by row ---- */

/* Adds a row for each row of a query with ?1, the id: hash, the id itself in tables of
 * evaluations, the query's columns. */
static int write_rows(struct export *export, struct export_sink *sink, enum export_table table,
                      const struct export_item *item, const char *sql, struct error *err)
{
    int first = table == EXPORT_CURVES ? 1 : 2;
    sqlite3_stmt *s;
    int rc = sql_query(export->store, &s, err, sql, "i", item->id);

    while (rc == 0 && (rc = sql_step(export->store, &s, err)) > 0) {
        rc = next_row(sink, err);
        if (rc < 0) {
            sql_end(&s);
            break;
        }
        table_text(sink->table, item->row->hash);
        if (first == 2)
            table_int(sink->table, item->id);
        add_columns(sink->table, &export->columns[table], first, s, 0);
    }
    return rc;
}

static int write_trajectories(struct export *export, struct export_sink *sink,
                              struct error *err)
{
    int rc = 0;

    for (int i = 0; i < export->evaluation_count && rc == 0; i++)
        rc = write_rows(export, sink, EXPORT_TRAJECTORIES, &export->evaluations[i],
                        "SELECT step, name, position, value FROM measure_value"
                        " WHERE evaluation_id = ?1 AND position > 0"
                        " ORDER BY step, name, position",
                        err);
    return rc;
}

static int write_curves(struct export *export, struct export_sink *sink, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < export->run_count && rc == 0; i++)
        rc = write_rows(export, sink, EXPORT_CURVES, &export->runs[i],
                        "SELECT name, step, value FROM metric WHERE run_id = ?1"
                        " ORDER BY name, step",
                        err);
    return rc;
}

static int write_tasks(struct export *export, struct export_sink *sink, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < export->evaluation_count && rc == 0; i++)
        if (export->evaluations[i].row->outcome == RUN_DONE)
            rc = write_rows(export, sink, EXPORT_TASKS, &export->evaluations[i],
                            "SELECT task, test_index, rank, votes, predictions,"
                            " per_token_accuracy FROM task_outcome WHERE evaluation_id = ?1"
                            " ORDER BY task, test_index",
                            err);
    return rc;
}

export_rows_fn *const EXPORT_ROWS[EXPORT_TABLE_COUNT] = {
    [EXPORT_RUNS] = write_runs,       [EXPORT_SETTINGS] = write_settings,
    [EXPORT_RESULTS] = write_results, [EXPORT_TRAJECTORIES] = write_trajectories,
    [EXPORT_CURVES] = write_curves,   [EXPORT_TASKS] = write_tasks,
};
