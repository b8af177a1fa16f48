/* verify.c - collects two sets of a run's results in a temporary table, and finds
 * what differs. */
#include "verify.h"

#include "error.h"
#include "file.h"
#include "json.h"
#include "measure.h"
#include "sql.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A table of results: each row of ours is item, step, phase and column of one of its
 * values. later: whether results without the value are as good, because their
 * release did not have it. */
struct source {
    const char *table, *from, *item, *step, *phase, *canonical, *later;
    /* ends with NULL; seconds are left out: they may differ */
    const char *const *columns;
};

#define WITH_EVALUATION(table) table " x JOIN evaluation v USING (evaluation_id)"

static const char *const METRIC_COLUMNS[] = { "value", NULL };
static const char *const RESULT_COLUMNS[] = { "checkpoint", "tasks", "rows_count", NULL };
static const char *const OUTCOME_COLUMNS[] = { "rank", "votes", "predictions",
                                               "per_token_accuracy", NULL };
static const char *const BASELINE_COLUMNS[] = { "per_token_accuracy", "exact_rows", "pass_at_1",
                                                "pass_at_2", NULL };

static const struct source SOURCES[] = {
    { "metric", "metric x", "'metric ' || x.name", "x.step", "''", "''", "0", METRIC_COLUMNS },
    { "evaluation_result", WITH_EVALUATION("evaluation_result"), "'evaluation ' || v.canonical",
      "x.step", "x.checkpoint", "v.canonical", "0", RESULT_COLUMNS },
    { "measure_value",
      WITH_EVALUATION("measure_value") " JOIN evaluation_result e USING (evaluation_id, step)",
      "x.name || iif(x.position > 0, ' ' || x.position, '') || ' of evaluation ' ||"
      " v.canonical",
      "x.step", "e.checkpoint", "v.canonical", NULL, METRIC_COLUMNS },
    { "task_outcome", WITH_EVALUATION("task_outcome"),
      "'task ' || x.task || ' test ' || x.test_index || ' of evaluation ' || v.canonical", "-1",
      "'last'", "v.canonical", "0", OUTCOME_COLUMNS },
    { "baseline", "baseline x", "'baseline ' || x.name || ' ' || x.split", "-1", "''", "''",
      "0", BASELINE_COLUMNS },
};
enum { SOURCE_COUNT = sizeof SOURCES / sizeof *SOURCES };

/* SQL condition: x.name is a measure that not every release had; newly allocated or
 * NULL. */
static char *later_measures(void)
{
    char *list = strdup("x.name NOT IN (''");

    for (int i = 0; i < METRIC_COUNT && list != NULL; i++) {
        if (!METRICS[i].always)
            continue;
        char *longer = format_string("%s, '%s'", list, METRICS[i].name);
        free(list);
        list = longer;
    }
    char *whole = list != NULL ? format_string("%s)", list) : NULL;
    free(list);
    return whole;
}

/* Copies one column of a source into the temporary table. */
static int collect_column(struct store *store, const struct source *source, const char *column,
                          bool stored, int64_t run_id, struct error *err)
{
    char *later = source->later != NULL ? strdup(source->later) : later_measures();
    char *sql = later == NULL
                    ? NULL
                    : format_string("INSERT INTO temp.verify_value (stored, item, step, phase,"
                                    " canonical, value, later)"
                                    " SELECT ?2, %s || ': %s', %s, %s, %s, x.%s, %s FROM %s"
                                    " WHERE run_id = ?1",
                                    source->item, column, source->step, source->phase,
                                    source->canonical, column, later, source->from);
    int rc;

    if (sql == NULL)
        rc = error_set(err, ERROR_NOMEM, "no memory to compare results");
    else
        rc = sql_run(store, err, sql, "ii", run_id, (int64_t)stored);
    free(later);
    free(sql);
    return rc;
}

static int collect(struct store *store, bool stored, int64_t run_id, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < SOURCE_COUNT; i++)
        for (const char *const *column = SOURCES[i].columns; *column != NULL && rc == 0;
             column++)
            rc = collect_column(store, &SOURCES[i], *column, stored, run_id, err);
    return rc;
}

int verify_begin(struct store *store, int64_t run_id, struct error *err)
{
    static const char *const removals[] = {
        "DELETE FROM metric WHERE run_id = ?1",
        "DELETE FROM baseline WHERE run_id = ?1",
        "DELETE FROM task_outcome WHERE evaluation_id IN"
        " (SELECT evaluation_id FROM run_inference WHERE run_id = ?1)",
        "DELETE FROM measure_value WHERE evaluation_id IN"
        " (SELECT evaluation_id FROM run_inference WHERE run_id = ?1)",
        "DELETE FROM evaluation_result WHERE evaluation_id IN"
        " (SELECT evaluation_id FROM run_inference WHERE run_id = ?1)",
    };
    int rc = sql_run(store, err,
                     "CREATE TEMP TABLE verify_value (stored INTEGER, item TEXT, step INTEGER,"
                     " phase TEXT, canonical TEXT, value ANY, later INTEGER,"
                     " PRIMARY KEY (item, step, stored)) STRICT, WITHOUT ROWID",
                     "");

    if (rc == 0)
        rc = sql_run(store, err,
                     "CREATE TEMP TABLE verify_expected (canonical TEXT PRIMARY KEY)", "");
    if (rc == 0)
        rc = collect(store, true, run_id, err);
    for (size_t i = 0; i < sizeof removals / sizeof *removals && rc == 0; i++)
        rc = sql_run(store, err, removals[i], "i", run_id);
    return rc;
}

int verify_expect(struct store *store, const char *canonical, struct error *err)
{
    return sql_run(store, err,
                   "INSERT OR IGNORE INTO temp.verify_expected (canonical) VALUES (?1)", "t",
                   canonical);
}

/* A row for each value that only one side has, or that differs: what, at which step,
 * whether it is missing in the database and its value there, the same of the
 * repetition. */
#define DIFFERENCES                                                                            \
    "SELECT a.item, a.step, 0, a.value, b.item IS NULL, b.value"                               \
    " FROM temp.verify_value a LEFT JOIN temp.verify_value b"                                  \
    "  ON b.item = a.item AND b.step = a.step AND b.stored = 0"                                \
    " WHERE a.stored = 1 AND (b.item IS NULL OR b.value IS NOT a.value)"                       \
    " UNION ALL"                                                                               \
    " SELECT b.item, b.step, 1, NULL, 0, b.value FROM temp.verify_value b"                     \
    " WHERE b.stored = 0"                                                                      \
    "  AND NOT EXISTS (SELECT 1 FROM temp.verify_value a"                                      \
    "   WHERE a.item = b.item AND a.step = b.step AND a.stored = 1)"                           \
    "  AND NOT b.later"                                                                        \
    "  AND (b.phase NOT IN ('untrained', 'interim')"                                           \
    "   OR b.canonical IN (SELECT canonical FROM temp.verify_expected))"

/* Formats a value with all its digits. */
static void value_text(char out[80], sqlite3_stmt *s, int column)
{
    if (sqlite3_column_type(s, column) == SQLITE_FLOAT)
        snprintf(out, 80, "%.17g", sqlite3_column_double(s, column));
    else
        snprintf(out, 80, "%.79s",
                 sqlite3_column_type(s, column) == SQLITE_NULL ? "none" : sql_text(s, column));
}

static void difference_text(char *out, size_t size, sqlite3_stmt *s)
{
    bool not_stored = sqlite3_column_int(s, 2) == 1, not_again = sqlite3_column_int(s, 4) == 1;
    char before[80], now[80], at[40] = "";

    value_text(before, s, 3);
    value_text(now, s, 5);
    if (sqlite3_column_int64(s, 1) >= 0)
        snprintf(at, sizeof at, " at step %lld", (long long)sqlite3_column_int64(s, 1));
    snprintf(out, size, "%.200s%s is %s in the database, %s when trained again", sql_text(s, 0),
             at, not_stored ? "missing" : before, not_again ? "missing" : now);
}

int verify_compare(struct store *store, struct verify_result *out, int64_t run_id,
                   struct error *err)
{
    sqlite3_stmt *s;
    int64_t compared = 0;
    int rc = collect(store, false, run_id, err);

    *out = (struct verify_result){ 0 };
    if (rc == 0)
        rc = sql_int(store, &compared, NULL, err,
                     "SELECT count(*) FROM temp.verify_value WHERE stored = 1", "");
    if (rc == 0)
        rc = sql_query(store, &s, err, DIFFERENCES, "");
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        if (out->differences++ == 0)
            difference_text(out->first, sizeof out->first, s);
    }
    out->compared = (int)compared;
    return rc;
}

/* *found: whether the list has an evaluation with that canonical text. */
static int is_listed(bool *found, const cJSON *list, const char *canonical, struct error *err)
{
    *found = false;
    for (const cJSON *item = list->child; item != NULL && !*found; item = item->next) {
        char *text = json_canonical(item);
        if (text == NULL)
            return error_set(err, ERROR_NOMEM, "no memory for an evaluation");
        *found = strcmp(text, canonical) == 0;
        free(text);
    }
    return 0;
}

int verify_add_evaluations(struct store *store, cJSON *list, int64_t run_id, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT canonical FROM evaluation v WHERE run_id = ?1"
                       " AND (EXISTS (SELECT 1 FROM evaluation_result x"
                       "   WHERE x.evaluation_id = v.evaluation_id)"
                       "  OR EXISTS (SELECT 1 FROM job_evaluation JOIN job USING (job_id)"
                       "   WHERE evaluation_id = v.evaluation_id AND state = 'done'))"
                       " ORDER BY evaluation_id",
                       "i", run_id);

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        const char *canonical = sql_text(s, 0);
        cJSON *item = NULL;
        bool listed;
        rc = is_listed(&listed, list, canonical, err);
        if (rc == 0 && !listed)
            rc = json_parse(&item, canonical, strlen(canonical), "database", err);
        if (item != NULL)
            cJSON_AddItemToArray(list, item);
        if (rc < 0)
            sql_end(&s);
    }
    return rc;
}

int verify_first_attempt(struct store *store, char directory[160], int64_t run_id,
                         struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT t.directory FROM attempt t JOIN job j USING (job_id)"
                       " WHERE t.run_id = ?1 AND j.kind = 'train' ORDER BY t.number LIMIT 1",
                       "i", run_id);

    directory[0] = '\0';
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc > 0) {
        snprintf(directory, 160, "%s", sql_text(s, 0));
        sql_end(&s);
    }
    return rc < 0 ? rc : 0;
}
