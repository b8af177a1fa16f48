/* live_query.c - small queries that are made again every second. */
#include "live_query.h"

#include "error.h"
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

/* The runs of experiment ?1. */
#define RUNS                                                                                   \
    "(SELECT DISTINCT x.run_id FROM experiment e CROSS JOIN arm a USING (experiment_id)"       \
    " CROSS JOIN arm_run x USING (arm_id) WHERE e.name = ?1)"
#define WORK                                                                                   \
    "SELECT coalesce(sum(iif(j.state = 'done', j.cost, 0.0)), 0.0),"                           \
    " coalesce(sum(iif(j.state IN ('queued', 'starting', 'running'), j.cost, 0.0)), 0.0)"      \
    " FROM "

int live_work(struct store *store, struct live_work *out, const char *experiment,
              struct error *err)
{
    sqlite3_stmt *s;
    int rc =
        sql_query(store, &s, err,
                  experiment == NULL ? WORK "job j WHERE ?1 IS NULL"
                                     : WORK RUNS " o CROSS JOIN job j ON j.run_id = o.run_id",
                  "t", experiment);

    *out = (struct live_work){ 0 };
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
