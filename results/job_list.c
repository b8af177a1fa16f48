/* job_list.c - lists jobs. */
#include "job_list.h"

#include "error.h"
#include "sql.h"
#include "store.h"
#include "table_rows.h"

#include <stdio.h>

/* The first experiment and arm of the job j's run r. */
#define LABEL                                                                                  \
    "(SELECT e.name FROM arm_run x JOIN arm a USING (arm_id)"                                  \
    " JOIN experiment e USING (experiment_id) WHERE x.run_id = r.run_id"                       \
    " ORDER BY a.arm_id LIMIT 1),"                                                             \
    " (SELECT a.label FROM arm_run x JOIN arm a USING (arm_id) WHERE x.run_id = r.run_id"      \
    " ORDER BY a.arm_id LIMIT 1), r.seed, r.hash, j.kind"

int job_list_running(struct table **out, struct store *store, struct error *err)
{
    static const struct table_column COLUMNS[] = {
        { .name = "experiment", .type = TABLE_TEXT },
        { .name = "arm", .type = TABLE_TEXT },
        { .name = "seed", .type = TABLE_INT },
        { .name = "run_hash", .title = "run", .type = TABLE_TEXT },
        { .name = "kind", .type = TABLE_TEXT },
        { .name = "state", .type = TABLE_TEXT },
        { .name = "attempt", .type = TABLE_INT },
        { .name = "executor", .type = TABLE_TEXT },
        { .name = "host", .type = TABLE_TEXT },
        { .name = "cpus", .title = "cores", .type = TABLE_TEXT },
        { .name = "threads", .type = TABLE_INT },
        { .name = "started_at", .title = "started", .type = TABLE_TEXT, .whole = true },
    };
    enum { COUNT = sizeof COLUMNS / sizeof *COLUMNS };
    sqlite3_stmt *s;
    int rc = table_create(out, COLUMNS, COUNT, err);

    if (rc == 0)
        rc = sql_query(store, &s, err,
                       "SELECT " LABEL ", j.state, t.number, t.executor, t.host, t.cpus,"
                       " j.threads, t.started_at FROM job j JOIN run r USING (run_id)"
                       " LEFT JOIN attempt t ON t.attempt_id = (SELECT max(k.attempt_id)"
                       "  FROM attempt k WHERE k.job_id = j.job_id)"
                       " WHERE j.state IN ('starting', 'running') ORDER BY t.attempt_id",
                       "");
    return rc == 0 ? table_add_rows(*out, store, &s, COLUMNS, COUNT, err) : rc;
}

int job_list_queued(struct table **out, struct store *store, int most, struct error *err)
{
    static const struct table_column COLUMNS[] = {
        { .name = "experiment", .type = TABLE_TEXT },
        { .name = "arm", .type = TABLE_TEXT },
        { .name = "seed", .type = TABLE_INT },
        { .name = "run_hash", .title = "run", .type = TABLE_TEXT },
        { .name = "kind", .type = TABLE_TEXT },
        { .name = "priority", .type = TABLE_INT },
        { .name = "tflop", .title = "TFLOP", .type = TABLE_REAL, .digits = -1 },
        { .name = "threads", .type = TABLE_INT },
        { .name = "failures", .type = TABLE_INT },
        { .name = "last_cause", .title = "last cause", .type = TABLE_TEXT, .fold = true },
        { .name = "queued_at", .title = "queued", .type = TABLE_TEXT, .whole = true },
    };
    enum { COUNT = sizeof COLUMNS / sizeof *COLUMNS };
    sqlite3_stmt *s;
    int64_t count = 0;
    char note[80];
    int rc = table_create(out, COLUMNS, COUNT, err);

    if (rc == 0)
        rc = sql_query(store, &s, err,
                       "SELECT " LABEL ", j.priority, j.cost * 1e-12, j.threads, j.failures,"
                       " j.cause, j.queued_at FROM job j JOIN run r USING (run_id)"
                       " WHERE j.state = 'queued' ORDER BY j.priority DESC, j.cost DESC,"
                       "  j.job_id LIMIT ?1",
                       "i", (int64_t)most);
    if (rc == 0)
        rc = table_add_rows(*out, store, &s, COLUMNS, COUNT, err);
    if (rc == 0)
        rc = sql_int(store, &count, NULL, err,
                     "SELECT count(*) FROM job WHERE state = 'queued'", "");
    if (rc == 0 && count > most) {
        snprintf(note, sizeof note, "%lld more are queued", (long long)(count - most));
        table_add_note(*out, note);
    }
    return rc;
}
