/* status_query.c - queries behind status, show, logs and doctor. */
#include "status_query.h"

#include "error.h"
#include "sql.h"
#include "store.h"

#include <stdio.h>
#include <string.h>

/* The newest job of each kind of each run of an experiment. */
#define NEWEST_JOBS                                                                            \
    "SELECT j.state FROM job j WHERE j.job_id = (SELECT max(k.job_id) FROM job k"              \
    " WHERE k.run_id = j.run_id AND k.kind = j.kind)"

static int count_states(struct store *store, sqlite3_stmt **s, struct status_counts *out,
                        struct error *err)
{
    int rc;

    *out = (struct status_counts){ 0 };
    while ((rc = sql_step(store, s, err)) > 0) {
        const char *state = sql_text(*s, 0);
        out->total++;
        out->queued += strcmp(state, "queued") == 0;
        out->running += strcmp(state, "starting") == 0 || strcmp(state, "running") == 0;
        out->done += strcmp(state, "done") == 0;
        out->failed += strcmp(state, "failed") == 0 || strcmp(state, "quarantined") == 0;
        out->cancelled += strcmp(state, "cancelled") == 0;
    }
    return rc;
}

int status_count(struct store *store, struct status_counts *out, const char *experiment,
                 struct error *err)
{
    sqlite3_stmt *s;
    int rc =
        sql_query(store, &s, err,
                  NEWEST_JOBS " AND (?1 IS NULL OR j.run_id IN (SELECT x.run_id FROM arm_run x"
                              " JOIN arm a USING (arm_id) JOIN experiment e USING"
                              " (experiment_id) WHERE e.name = ?1))",
                  "t", experiment);

    return rc < 0 ? rc : count_states(store, &s, out, err);
}

int status_table(struct store *store, struct table **out, struct error *err)
{
    static const struct table_column columns[] = {
        { .name = "experiment", .type = TABLE_TEXT },
        { .name = "jobs", .type = TABLE_INT },
        { .name = "done", .type = TABLE_INT },
        { .name = "running", .type = TABLE_INT },
        { .name = "queued", .type = TABLE_INT },
        { .name = "failed", .type = TABLE_INT },
        { .name = "cancelled", .type = TABLE_INT },
        { .name = "queued_at", .title = "queued at", .type = TABLE_TEXT },
        { .name = "description", .type = TABLE_TEXT, .machine_only = true },
    };
    sqlite3_stmt *s;
    int rc = table_create(out, columns, sizeof columns / sizeof *columns, err);

    if (rc == 0)
        rc = sql_query(store, &s, err,
                       "WITH newest AS (SELECT j.run_id, j.state FROM job j WHERE j.job_id ="
                       "  (SELECT max(k.job_id) FROM job k WHERE k.run_id = j.run_id"
                       "   AND k.kind = j.kind)),"
                       " member AS (SELECT DISTINCT a.experiment_id, x.run_id FROM arm a"
                       "  JOIN arm_run x USING (arm_id))"
                       " SELECT e.name, count(n.state), coalesce(sum(n.state = 'done'), 0),"
                       " coalesce(sum(n.state IN ('starting', 'running')), 0),"
                       " coalesce(sum(n.state = 'queued'), 0),"
                       " coalesce(sum(n.state IN ('failed', 'quarantined')), 0),"
                       " coalesce(sum(n.state = 'cancelled'), 0), e.queued_at, e.description"
                       " FROM experiment e LEFT JOIN member m USING (experiment_id)"
                       " LEFT JOIN newest n USING (run_id)"
                       " GROUP BY e.experiment_id ORDER BY e.experiment_id",
                       "");
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        table_row(*out);
        table_text(*out, sql_text(s, 0));
        for (int c = 1; c <= 6; c++)
            table_int(*out, sqlite3_column_int64(s, c));
        table_text(*out, sql_text(s, 7));
        table_text(*out, sql_text(s, 8));
    }
    return rc;
}

int status_find_run(struct store *store, const char *prefix, char hash[65], char directory[160],
                    struct error *err)
{
    sqlite3_stmt *s;
    int found = 0;
    int rc =
        sql_query(store, &s, err,
                  "SELECT r.hash, (SELECT directory FROM attempt t WHERE t.run_id = r.run_id"
                  " ORDER BY number DESC LIMIT 1) FROM run r"
                  " WHERE substr(r.hash, 1, length(?1)) = ?1 LIMIT 2",
                  "t", prefix);

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        snprintf(hash, 65, "%s", sql_text(s, 0));
        snprintf(directory, 160, "%s", sql_text(s, 1));
        found++;
    }
    if (rc < 0)
        return rc;
    if (found == 0)
        return error_set(
            err, ERROR_ABSENT,
            "no run whose hash begins with \"%.70s\"; hrmlab results --all lists them", prefix);
    if (found > 1)
        return error_set(err, ERROR_FORMAT,
                         "several runs begin with \"%.70s\"; give more of the hash", prefix);
    return 0;
}

/* Fills a table with all rows of a query of as many columns, by the columns' types. */
static int fill(struct store *store, struct table **out, const struct table_column *columns,
                int count, const char *sql, const char *hash, struct error *err)
{
    sqlite3_stmt *s;
    int rc = table_create(out, columns, count, err);

    if (rc == 0)
        rc = sql_query(store, &s, err, sql, "t", hash);
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        table_row(*out);
        for (int c = 0; c < count; c++) {
            if (sqlite3_column_type(s, c) == SQLITE_NULL)
                table_empty(*out);
            else if (columns[c].type == TABLE_INT)
                table_int(*out, sqlite3_column_int64(s, c));
            else if (columns[c].type == TABLE_REAL)
                table_real(*out, sqlite3_column_double(s, c));
            else
                table_text(*out, sql_text(s, c));
        }
    }
    return rc;
}

int status_run_tables(struct store *store, struct table *out[3], const char *hash,
                      struct error *err)
{
    static const struct table_column settings[] = {
        { .name = "key", .title = "setting", .type = TABLE_TEXT },
        { .name = "value", .type = TABLE_TEXT },
    };
    static const struct table_column attempts[] = {
        { .name = "attempt", .type = TABLE_INT },
        { .name = "kind", .type = TABLE_TEXT },
        { .name = "outcome", .type = TABLE_TEXT },
        { .name = "started_at", .title = "started", .type = TABLE_TEXT },
        { .name = "cpu_seconds", .title = "CPU s", .type = TABLE_REAL, .digits = 1 },
        { .name = "peak_rss_mib", .title = "peak MiB", .type = TABLE_REAL, .digits = 0 },
        { .name = "kernel_set", .title = "kernels", .type = TABLE_TEXT },
        { .name = "blas_core", .title = "BLAS core", .type = TABLE_TEXT },
        { .name = "host", .type = TABLE_TEXT },
        { .name = "git_commit", .title = "commit", .type = TABLE_TEXT },
        { .name = "weights_hash", .type = TABLE_TEXT, .machine_only = true },
        { .name = "message", .type = TABLE_TEXT },
    };
    static const struct table_column evaluations[] = {
        { .name = "step", .type = TABLE_INT },
        { .name = "checkpoint", .type = TABLE_TEXT },
        { .name = "outer_steps", .title = "outer steps", .type = TABLE_INT },
        { .name = "augmentations", .type = TABLE_TEXT },
        { .name = "split", .type = TABLE_TEXT },
        { .name = "pass_at_1", .title = "pass@1", .type = TABLE_REAL, .digits = 3 },
        { .name = "pass_at_2", .title = "pass@2", .type = TABLE_REAL, .digits = 3 },
        { .name = "per_token_accuracy", .title = "per-token", .type = TABLE_REAL, .digits = 3 },
        { .name = "exact_accuracy", .title = "exact", .type = TABLE_REAL, .digits = 3 },
        { .name = "seconds", .type = TABLE_REAL, .digits = 1 },
    };
    int rc = fill(store, &out[0], settings, 2,
                  "SELECT key, value FROM setting JOIN run USING (run_id) WHERE hash = ?1"
                  " ORDER BY key",
                  hash, err);

    if (rc == 0)
        rc = fill(
            store, &out[1], attempts, 12,
            "SELECT t.number, j.kind, coalesce(t.outcome, t.state), t.started_at,"
            " t.user_seconds + t.system_seconds, t.peak_rss_mib, t.kernel_set, t.blas_core,"
            " t.host, t.git_commit, t.weights_hash, t.message FROM attempt t"
            " JOIN job j USING (job_id) JOIN run r ON r.run_id = t.run_id"
            " WHERE r.hash = ?1 ORDER BY t.number",
            hash, err);
    if (rc == 0)
        rc = fill(store, &out[2], evaluations, 10,
                  "SELECT x.step, x.checkpoint, v.outer_steps, iif(v.augmentations = 0, 'all',"
                  " v.augmentations), v.split, x.pass_at_1, x.pass_at_2, x.per_token_accuracy,"
                  " x.exact_accuracy, x.seconds FROM evaluation_result x"
                  " JOIN evaluation v USING (evaluation_id) JOIN run r USING (run_id)"
                  " WHERE r.hash = ?1 ORDER BY x.step, v.evaluation_id",
                  hash, err);
    return rc;
}

int status_check_database(struct store *store, bool *sound, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err, "PRAGMA quick_check", "");

    *sound = false;
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc > 0) {
        *sound = strcmp(sql_text(s, 0), "ok") == 0;
        sql_end(&s);
    }
    return rc < 0 ? rc : 0;
}
