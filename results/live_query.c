/* live_query.c - small queries that are made again every second. */
#include "live_query.h"

#include "error.h"
#include "id_range.h"
#include "run_facts.h"
#include "sql.h"
#include "store.h"

#include <stdio.h>

int live_experiments(struct store *store, char (*out)[EXPERIMENT_NAME_SIZE], int most,
                     int *count, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT e.name FROM experiment e WHERE EXISTS (SELECT 1 FROM arm a"
                       "  CROSS JOIN arm_run x USING (arm_id) CROSS JOIN job j USING (run_id)"
                       "  WHERE a.experiment_id = e.experiment_id"
                       "  AND j.state IN ('queued', 'starting', 'running'))"
                       " ORDER BY e.experiment_id LIMIT ?1",
                       "i", (int64_t)most);

    *count = 0;
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        snprintf(out[(*count)++], EXPERIMENT_NAME_SIZE, "%s", sql_text(s, 0));
    }
    return rc;
}

/* Adds up the expected work of an experiment's runs, in the order of an index that has
 * all that is asked for. */
static int add_work(struct store *store, struct live_work *out, const struct id_list *runs,
                    struct error *err)
{
    struct id_query q = id_query_begin(store, runs,
                                       "SELECT j.run_id, j.state = 'done', j.state IN"
                                       " ('queued', 'starting', 'running'), j.cost FROM job j"
                                       " WHERE j.run_id BETWEEN ?1 AND ?2 ORDER BY j.run_id");
    int rc;

    while ((rc = id_query_step(&q, err)) > 0) {
        if (sqlite3_column_int(q.s, 1) != 0)
            out->done += sqlite3_column_double(q.s, 3);
        else if (sqlite3_column_int(q.s, 2) != 0)
            out->open += sqlite3_column_double(q.s, 3);
    }
    return rc;
}

int live_work(struct store *store, struct live_work *out, const char *experiment,
              struct error *err)
{
    sqlite3_stmt *s;
    struct id_list runs;
    int rc;

    *out = (struct live_work){ 0 };
    if (experiment != NULL) {
        rc = run_ids_named(&runs, store, experiment, err);
        if (rc == 0)
            rc = add_work(store, out, &runs, err);
        id_list_release(&runs);
        return rc;
    }
    rc = sql_query(store, &s, err,
                   "SELECT coalesce(sum(iif(state = 'done', cost, 0.0)), 0.0),"
                   " coalesce(sum(iif(state IN ('queued', 'starting', 'running'), cost, 0.0)),"
                   "  0.0) FROM job",
                   "");
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc <= 0)
        return rc;
    out->done = sqlite3_column_double(s, 0);
    out->open = sqlite3_column_double(s, 1);
    sql_end(&s);
    return 0;
}

int live_curve(struct store *store, struct curve_point out[LIVE_POINTS], int *count,
               int64_t run_id, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT step, value FROM (SELECT step, value FROM metric"
                       " WHERE run_id = ?1 AND name = ?2 ORDER BY step DESC LIMIT ?3)"
                       " ORDER BY step",
                       "iti", run_id, CURVES_DEFAULT, (int64_t)LIVE_POINTS);

    *count = 0;
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        out[(*count)++] =
            (struct curve_point){ sqlite3_column_int64(s, 0), sqlite3_column_double(s, 1) };
    }
    return rc;
}

int live_failures(struct store *store, struct live_failure *out, int most, int *count,
                  const char *experiment, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT coalesce((SELECT e.name || ': ' || a.label FROM arm_run x"
                       "  JOIN arm a USING (arm_id) JOIN experiment e USING (experiment_id)"
                       "  WHERE x.run_id = j.run_id ORDER BY e.name = ?1 DESC LIMIT 1),"
                       "  substr(r.hash, 1, 12)) || ' seed ' || r.seed, r.hash, j.cause,"
                       " j.message FROM job j JOIN run r USING (run_id)"
                       " WHERE j.state IN ('failed', 'quarantined')"
                       " AND j.job_id = (SELECT max(k.job_id) FROM job k"
                       "  WHERE k.run_id = j.run_id AND k.kind = j.kind)"
                       " AND (?1 IS NULL OR EXISTS (SELECT 1 FROM arm_run x"
                       "  CROSS JOIN arm a USING (arm_id)"
                       "  CROSS JOIN experiment e USING (experiment_id)"
                       "  WHERE x.run_id = j.run_id AND e.name = ?1))"
                       " ORDER BY j.finished_at DESC, j.job_id DESC LIMIT ?2",
                       "ti", experiment, (int64_t)most);

    *count = 0;
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        struct live_failure *failure = &out[(*count)++];

        rc = 0;
        snprintf(failure->label, sizeof failure->label, "%s", sql_text(s, 0));
        snprintf(failure->hash, sizeof failure->hash, "%s", sql_text(s, 1));
        snprintf(failure->cause, sizeof failure->cause, "%s", sql_text(s, 2));
        snprintf(failure->message, sizeof failure->message, "%s", sql_text(s, 3));
    }
    return rc;
}
