/* status_query.c - queries of status, show, logs and doctor. */
#include "status_query.h"

#include "error.h"
#include "human.h"
#include "id_range.h"
#include "query.h"
#include "run_facts.h"
#include "sql.h"
#include "store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void count_state(struct status_counts *out, enum job_state state)
{
    out->total++;
    out->queued += state == JOB_QUEUED;
    out->running += state == JOB_STARTING || state == JOB_RUNNING;
    out->done += state == JOB_DONE;
    out->failed += state == JOB_FAILED || state == JOB_QUARANTINED;
    out->cancelled += state == JOB_CANCELLED;
}

static enum job_state column_state(sqlite3_stmt *s, int column)
{
    enum job_state state = JOB_QUEUED;
    bool known = job_state_parse(&state, sql_text(s, column));

    assert(known); /* the schema allows no other state */
    (void)known;
    return state;
}

/* Counts the first job of each arm, run and kind in the rows of a statement with the
 * columns arm_id, run_id, whether it trains, state, expected remaining work (added
 * to *work). Newest jobs must come first. Ends the statement. */
static int count_newest(struct store *store, sqlite3_stmt **s, struct status_counts *out,
                        double *work, struct error *err)
{
    int64_t last[3] = { -1, -1, -1 };
    int rc;

    *out = (struct status_counts){ 0 };
    *work = 0.0;
    while ((rc = sql_step(store, s, err)) > 0) {
        const int64_t group[3] = { sqlite3_column_int64(*s, 0), sqlite3_column_int64(*s, 1),
                                   sqlite3_column_int64(*s, 2) };
        if (memcmp(group, last, sizeof last) == 0)
            continue;
        memcpy(last, group, sizeof last);
        count_state(out, column_state(*s, 3));
        *work += sqlite3_column_double(*s, 4);
    }
    return rc;
}

/* The order of the index job_by_run, backwards, so that nothing is sorted. */
#define NEWEST_FIRST " ORDER BY j.run_id DESC, j.kind DESC, j.job_id DESC"

/* A job that trains, or that evaluates what the arm asks for: evaluations that only
 * another experiment wants belong to that one. After a rebuild, a job's evaluations
 * may be unknown. */
#define FOR_ALL                                                                                \
    "j.kind = 'train' OR NOT EXISTS (SELECT 1 FROM job_evaluation q"                           \
    " WHERE q.job_id = j.job_id)"
#define OF_ARM                                                                                 \
    "(" FOR_ALL " OR EXISTS (SELECT 1 FROM job_evaluation q"                                   \
    " CROSS JOIN run_inference v USING (evaluation_id) CROSS JOIN arm_inference w"             \
    " ON w.arm_id = x.arm_id AND w.inference_id = v.inference_id"                              \
    " WHERE q.job_id = j.job_id))"

/* Counts the newest job of each kind of each of an experiment's runs, all of which are
 * read in the order of the index job_by_run. */
static int count_runs(struct store *store, struct status_counts *out,
                      const struct id_list *runs, const char *experiment, struct error *err)
{
    struct id_query q = id_query_begin_with(
        store, runs,
        "SELECT j.run_id, j.kind = 'train', j.state FROM job j"
        " WHERE j.run_id BETWEEN ?1 AND ?2 AND (" FOR_ALL " OR EXISTS"
        "  (SELECT 1 FROM job_evaluation q CROSS JOIN run_inference v USING (evaluation_id)"
        "   CROSS JOIN arm_run y USING (run_id) CROSS JOIN arm_inference w"
        "    ON w.arm_id = y.arm_id AND w.inference_id = v.inference_id"
        "   CROSS JOIN arm b ON b.arm_id = w.arm_id"
        "   CROSS JOIN experiment f USING (experiment_id)"
        "   WHERE q.job_id = j.job_id AND f.name = ?3))"
        " ORDER BY j.run_id, j.kind, j.job_id",
        experiment);
    int place = -1, kind = -1, rc;
    enum job_state newest = JOB_QUEUED; /* of that run and kind */

    while ((rc = id_query_step(&q, err)) > 0) {
        if (place >= 0 && (q.place != place || sqlite3_column_int(q.s, 1) != kind))
            count_state(out, newest);
        place = q.place;
        kind = sqlite3_column_int(q.s, 1);
        newest = column_state(q.s, 2);
    }
    if (rc == 0 && place >= 0)
        count_state(out, newest);
    return rc;
}

int status_count(struct store *store, struct status_counts *out, const char *experiment,
                 struct error *err)
{
    sqlite3_stmt *s;
    struct id_list runs;
    double ignored;
    int rc;

    *out = (struct status_counts){ 0 };
    if (experiment == NULL) {
        rc = sql_query(store, &s, err,
                       "SELECT 0, j.run_id, j.kind = 'train', j.state, 0.0 FROM job j"
                       " INDEXED BY job_by_run" NEWEST_FIRST,
                       "");
        return rc < 0 ? rc : count_newest(store, &s, out, &ignored, err);
    }
    rc = run_ids_named(&runs, store, experiment, err);
    if (rc == 0)
        rc = count_runs(store, out, &runs, experiment, err);
    id_list_release(&runs);
    return rc;
}

int status_causes(struct store *store, int counts[OUTCOME_COUNT], const char *experiment,
                  struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT coalesce(j.cause, ''), count(*) FROM job j"
                       " WHERE (j.state IN ('failed', 'quarantined')"
                       "  OR (j.state = 'done' AND j.cause = 'diverged'))"
                       " AND j.job_id = (SELECT max(k.job_id) FROM job k"
                       "  WHERE k.run_id = j.run_id AND k.kind = j.kind)"
                       " AND (?1 IS NULL OR EXISTS (SELECT 1 FROM arm_run x"
                       "  JOIN arm a USING (arm_id) JOIN experiment e USING (experiment_id)"
                       "  WHERE x.run_id = j.run_id AND e.name = ?1)) GROUP BY 1",
                       "t", experiment);

    memset(counts, 0, sizeof *counts * OUTCOME_COUNT);
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        counts[outcome_parse(sql_text(s, 0))] += sqlite3_column_int(s, 1);
    }
    return rc;
}

int status_ahead(struct store *store, struct status_ahead *out, const char *experiment,
                 struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "WITH mine AS (SELECT x.run_id AS run_id FROM experiment e"
                       "  CROSS JOIN arm a USING (experiment_id)"
                       "  CROSS JOIN arm_run x USING (arm_id) WHERE e.name = ?1),"
                       " ahead AS (SELECT j.run_id AS run_id, j.state <> 'queued' AS at_work"
                       "  FROM job j WHERE (j.state IN ('starting', 'running')"
                       "   OR (j.state = 'queued' AND j.priority >"
                       "    (SELECT max(priority) FROM job WHERE state = 'queued'"
                       "     AND run_id IN mine))) AND j.run_id NOT IN mine)"
                       " SELECT coalesce(sum(at_work), 0), coalesce(sum(NOT at_work), 0),"
                       " (SELECT group_concat(name, ', ') FROM (SELECT DISTINCT e.name AS name"
                       "  FROM ahead CROSS JOIN arm_run x USING (run_id)"
                       "  CROSS JOIN arm a USING (arm_id)"
                       "  CROSS JOIN experiment e USING (experiment_id) ORDER BY 1))"
                       " FROM ahead",
                       "t", experiment);

    *out = (struct status_ahead){ 0 };
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc <= 0)
        return rc;
    out->at_work = sqlite3_column_int64(s, 0);
    out->first = sqlite3_column_int64(s, 1);
    snprintf(out->names, sizeof out->names, "%s", sql_text(s, 2));
    sql_end(&s);
    return 0;
}

/* The share of a run's training that is done according to its metrics. */
#define RUN_SHARE                                                                              \
    "coalesce((SELECT min(1.0, max(m.step) * 1.0 / n.total_steps) FROM metric m"               \
    " JOIN run r USING (run_id) JOIN training n USING (training_id)"                           \
    " WHERE m.run_id = j.run_id AND m.name = 'train/lr' AND n.total_steps > 0), 0.0)"

/* Counts the jobs of an experiment (a run that serves several arms once for each)
 * and sums their remaining work. Every table is read through an index, in its order. */
static int count_experiment(struct store *store, struct status_counts *out, double *work,
                            int64_t experiment_id, struct error *err)
{
    sqlite3_stmt *s;
    int rc =
        sql_query(store, &s, err,
                  "SELECT x.arm_id, j.run_id, j.kind = 'train', j.state, CASE"
                  "  WHEN j.state = 'queued' THEN j.cost"
                  "  WHEN j.state NOT IN ('starting', 'running') THEN 0.0"
                  "  WHEN j.kind = 'train' THEN j.cost * (1.0 - " RUN_SHARE ")"
                  "  ELSE j.cost END FROM arm a CROSS JOIN arm_run x USING (arm_id)"
                  " CROSS JOIN job j USING (run_id) WHERE a.experiment_id = ?1"
                  "  AND " OF_ARM " ORDER BY a.label, x.run_id, j.kind DESC, j.job_id DESC",
                  "i", experiment_id);

    return rc < 0 ? rc : count_newest(store, &s, out, work, err);
}

enum { MEASURED_ATTEMPTS = 200 };

int status_measured_rate(struct store *store, double *rate, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT sum(j.cost), sum((SELECT sum((julianday(t.ended_at)"
                       "  - julianday(t.started_at)) * 86400.0) FROM attempt t"
                       "  WHERE t.job_id = j.job_id AND t.ended_at IS NOT NULL))"
                       " FROM (SELECT DISTINCT job_id FROM (SELECT job_id FROM attempt"
                       "  WHERE state = 'ended' ORDER BY attempt_id DESC LIMIT ?1))"
                       " CROSS JOIN job j USING (job_id) WHERE j.state = 'done'"
                       " AND j.kind = 'train' AND j.cause IS NULL",
                       "i", (int64_t)MEASURED_ATTEMPTS);

    *rate = 0.0;
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc > 0) {
        double seconds = sqlite3_column_double(s, 1);
        *rate = seconds > 0 ? sqlite3_column_double(s, 0) / seconds : 0.0;
        sql_end(&s);
    }
    return rc < 0 ? rc : 0;
}

/* Fills the columns eta and eta_seconds: work divided by rate, shared by the jobs
 * that are running (or would be, on all cores). Empty if nothing is left or no rate
 * is known. */
static void put_eta(struct table *table, double rate, int64_t running, int64_t waiting,
                    double work)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    double side = (double)(running > 0 ? running : waiting < cores ? waiting : cores);
    char text[HUMAN_SIZE + 16];

    if (rate <= 0.0 || running + waiting == 0 || side <= 0.0) {
        table_empty(table);
        table_empty(table);
        return;
    }
    double seconds = work / rate / side;
    human_duration(text, seconds);
    if (running == 0) { /* no runner is working on it now */
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, " of work");
    }
    table_text(table, text);
    table_real(table, seconds);
}

int status_table(struct store *store, struct table **out, const char *experiment, double rate,
                 struct error *err)
{
    static const struct table_column columns[] = {
        { .name = "experiment", .type = TABLE_TEXT },
        { .name = "jobs", .type = TABLE_INT },
        { .name = "done", .type = TABLE_INT },
        { .name = "running", .type = TABLE_INT },
        { .name = "queued", .type = TABLE_INT },
        { .name = "failed", .type = TABLE_INT },
        { .name = "cancelled", .type = TABLE_INT, .drop = 1 },
        { .name = "eta",
          .title = "ETA",
          .type = TABLE_TEXT,
          .people_only = true,
          .fold = true },
        { .name = "eta_seconds", .type = TABLE_REAL, .machine_only = true },
        { .name = "queued_at",
          .title = "queued at",
          .type = TABLE_TEXT,
          .whole = true,
          .drop = 3 },
        { .name = "marks", .type = TABLE_TEXT, .fold = true, .drop = 2 },
        { .name = "description", .type = TABLE_TEXT, .machine_only = true },
    };
    sqlite3_stmt *s;
    int rc = table_create(out, columns, sizeof columns / sizeof *columns, err);

    if (rc == 0 && rate <= 0.0)
        rc = status_measured_rate(store, &rate, err);
    if (rc == 0)
        rc = sql_query(store, &s, err,
                       "SELECT experiment_id, name, queued_at, description,"
                       " (SELECT group_concat(t, ', ') FROM (SELECT iif(m.kind = 'tag', m.text,"
                       "   iif(m.kind = 'keep', 'kept', 'note: ' || m.text)) AS t FROM mark m"
                       "   WHERE m.experiment = name AND m.arm = ''"
                       "   ORDER BY m.kind, m.made_at, m.text)) FROM experiment"
                       " WHERE ?1 IS NULL OR name = ?1 ORDER BY experiment_id",
                       "t", experiment);
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        struct status_counts counts;
        double work;
        rc = count_experiment(store, &counts, &work, sqlite3_column_int64(s, 0), err);
        if (rc < 0) {
            sql_end(&s);
            break;
        }
        table_row(*out);
        table_text(*out, sql_text(s, 1));
        table_int(*out, counts.total);
        table_int(*out, counts.done);
        table_int(*out, counts.running);
        table_int(*out, counts.queued);
        table_int(*out, counts.failed);
        table_int(*out, counts.cancelled);
        put_eta(*out, rate, counts.running, counts.queued, work);
        table_text(*out, sql_text(s, 2));
        table_text(*out, sqlite3_column_type(s, 4) == SQLITE_NULL ? NULL : sql_text(s, 4));
        table_text(*out, sql_text(s, 3));
    }
    if (rc == 0 && experiment != NULL && table_is_empty(*out))
        rc = error_unknown_experiment(store, experiment, err);
    return rc;
}

int status_find_run(struct store *store, const char *prefix, char hash[65], char directory[160],
                    struct error *err)
{
    sqlite3_stmt *s;
    int found = 0;

    if (strcmp(prefix, "last") != 0 &&
        (strlen(prefix) < 4 || prefix[strspn(prefix, "0123456789abcdef")] != '\0'))
        return error_set(
            err, ERROR_FORMAT,
            "%.70s: expected the first 4 or more digits (0-9, a-f) of a run's hash, "
            "or last; hrmlab results EXPERIMENT --all lists the runs",
            prefix);
    int rc = sql_query(
        store, &s, err,
        strcmp(prefix, "last") == 0
            ? "SELECT r.hash, t.directory FROM attempt t JOIN run r USING (run_id)"
              " WHERE ?1 NOT NULL ORDER BY t.attempt_id DESC LIMIT 1"
            : "SELECT r.hash, (SELECT directory FROM attempt t WHERE t.run_id = r.run_id"
              " ORDER BY number DESC LIMIT 1) FROM run r"
              /* 'f' is the last digit */
              " WHERE r.hash >= ?1 AND r.hash < ?1 || 'g' LIMIT 2",
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
        return error_set(err, ERROR_ABSENT,
                         "no run whose hash begins with \"%.70s\"; hrmlab results EXPERIMENT "
                         "--all lists its runs",
                         prefix);
    if (found > 1)
        return error_set(err, ERROR_FORMAT,
                         "several runs begin with \"%.70s\"; give more of the hash", prefix);
    return 0;
}

int status_run_is_open(struct store *store, bool *open, const char *hash, struct error *err)
{
    int64_t job;

    return sql_int(store, &job, open, err,
                   "SELECT job_id FROM job JOIN run USING (run_id) WHERE hash = ?1"
                   " AND state IN ('queued', 'starting', 'running') LIMIT 1",
                   "t", hash);
}

int status_checkpoints(struct store *store, struct status_checkpoint **out, int *count,
                       struct error *err)
{
    sqlite3_stmt *s;
    int64_t rows = 0;
    int rc = sql_int(store, &rows, NULL, err, "SELECT count(*) FROM checkpoint", "");

    *out = NULL;
    *count = 0;
    if (rc == 0)
        rc = sql_query(store, &s, err,
                       "SELECT hash, file FROM checkpoint JOIN run USING (run_id)", "");
    if (rc < 0)
        return rc;
    *out = calloc((size_t)rows + 1, sizeof **out);
    if (*out == NULL) {
        sql_end(&s);
        return error_set(err, ERROR_NOMEM, "no memory for a list of checkpoints");
    }
    while ((rc = sql_step(store, &s, err)) > 0) {
        /* one was added since they were counted; the next call shows it */
        if (*count == rows) {
            sql_end(&s);
            return 0;
        }
        struct status_checkpoint *c = &(*out)[(*count)++];
        snprintf(c->hash, sizeof c->hash, "%s", sql_text(s, 0));
        snprintf(c->file, sizeof c->file, "%s", sql_text(s, 1));
    }
    if (rc < 0) {
        free(*out);
        *out = NULL;
    }
    return rc;
}

int status_find_checkpoint(struct store *store, char file[200], const char *hash,
                           struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT c.file FROM checkpoint c JOIN run r USING (run_id)"
                       " WHERE r.hash = ?1",
                       "t", hash);

    file[0] = '\0';
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc == 0)
        return error_set(err, ERROR_ABSENT, "run %.12s is not trained yet", hash);
    if (rc > 0) {
        snprintf(file, 200, "%s", sql_text(s, 0));
        sql_end(&s);
    }
    return rc < 0 ? rc : 0;
}

int status_find_final(struct store *store, struct status_final *out, const char *hash,
                      struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT t.run_id, t.job_id, t.attempt_id, t.directory,"
                       " coalesce(t.kernel_set, ''), coalesce(c.weights_hash, t.weights_hash),"
                       " t.outcome, t.message, r.mixed FROM attempt t JOIN run r USING "
                       "(run_id) JOIN job j USING (job_id)"
                       " LEFT JOIN checkpoint c ON c.run_id = t.run_id"
                       " WHERE r.hash = ?1 AND j.kind = 'train'"
                       " AND t.outcome IN ('done', 'diverged') ORDER BY t.number DESC LIMIT 1",
                       "t", hash);

    *out = (struct status_final){ 0 };
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc == 0)
        return error_set(err, ERROR_ABSENT, "run %.12s is not trained yet", hash);
    if (rc < 0)
        return rc;
    out->run_id = sqlite3_column_int64(s, 0);
    out->job_id = sqlite3_column_int64(s, 1);
    out->attempt_id = sqlite3_column_int64(s, 2);
    snprintf(out->directory, sizeof out->directory, "%s", sql_text(s, 3));
    snprintf(out->kernel_set, sizeof out->kernel_set, "%s", sql_text(s, 4));
    snprintf(out->weights_hash, sizeof out->weights_hash, "%s", sql_text(s, 5));
    out->outcome = outcome_parse(sql_text(s, 6));
    snprintf(out->message, sizeof out->message, "%s", sql_text(s, 7));
    bool mixed = sqlite3_column_int(s, 8) != 0;
    sql_end(&s);
    if (mixed)
        return error_set(
            err, ERROR_FORMAT,
            "run %.12s was trained on more than one kernel set or number of threads: no single "
            "training has its results",
            hash);
    return 0;
}

int status_journal_mode(struct store *store, char out[16], struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err, "PRAGMA journal_mode", "");

    out[0] = '\0';
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc > 0) {
        snprintf(out, 16, "%s", sql_text(s, 0));
        sql_end(&s);
    }
    return rc < 0 ? rc : 0;
}
