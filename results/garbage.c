/* garbage.c - SQL statements of remove and gc. */
#include "garbage.h"

#include "sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SQL conditions: the run with this id has open jobs, or attempts that have not
 * ended. */
#define OPEN_JOB(run)                                                                          \
    run " IN (SELECT run_id FROM job WHERE state IN ('queued', 'starting', 'running'))"
#define OPEN_ATTEMPT(run)                                                                      \
    run " IN (SELECT run_id FROM attempt WHERE state IN ('starting', 'running'))"
#define ONLY_OF(run, experiment)                                                               \
    "NOT EXISTS (SELECT 1 FROM arm_run y JOIN arm b USING (arm_id) WHERE y.run_id = " run      \
    " AND b.experiment_id <> " experiment ")"

/* The run is kept, or an arm or experiment that contains it is. */
#define KEPT(run)                                                                              \
    "EXISTS (SELECT 1 FROM mark m WHERE m.kind = 'keep' AND (m.run_hash = " run ".hash"        \
    " OR EXISTS (SELECT 1 FROM arm_run x JOIN arm a USING (arm_id)"                            \
    "  JOIN experiment e USING (experiment_id) WHERE x.run_id = " run ".run_id"                \
    "  AND e.name = m.experiment AND (m.arm = '' OR m.arm = a.label))))"

/* SQL condition: a run that is to be trained begins with the weights of r, or one that
 * an experiment contains or that is kept: verify trains it again. */
#define IS_BASE                                                                                \
    "EXISTS (SELECT 1 FROM run d WHERE d.base_hash = r.hash AND ("                             \
    " EXISTS (SELECT 1 FROM job k WHERE k.run_id = d.run_id AND k.kind = 'train'"              \
    "  AND k.state IN ('queued', 'starting', 'running'))"                                      \
    " OR EXISTS (SELECT 1 FROM arm_run x WHERE x.run_id = d.run_id) OR " KEPT("d") "))"

/* Makes room for one more item after `count` items. NULL: out of memory. */
static void *grow(void *list, int count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return list;
    return realloc(list, (count == 0 ? 1 : 2 * (size_t)count) * size);
}

int garbage_runs(struct store *store, struct garbage_run **out, int *count, struct error *err)
{
    struct garbage_run *list = NULL;
    sqlite3_stmt *s;
    int n = 0;
    int rc = sql_query(store, &s, err,
                       "SELECT r.run_id, r.hash,"
                       " EXISTS (SELECT 1 FROM arm_run x WHERE x.run_id = r.run_id)"
                       " OR " IS_BASE ", " OPEN_JOB("r.run_id") " OR " OPEN_ATTEMPT(
                           "r.run_id") ", c.file,"
                                       " " KEPT("r") " FROM run r LEFT JOIN checkpoint c USING "
                                                     "(run_id) ORDER BY r.run_id",
                       "");

    *out = NULL;
    *count = 0;
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        struct garbage_run *larger = grow(list, n, sizeof *list);

        rc = 0;
        if (larger == NULL) {
            sql_end(&s);
            rc = error_no_memory(err, "the list of runs");
            break;
        }
        list = larger;
        list[n] = (struct garbage_run){ .run_id = sqlite3_column_int64(s, 0),
                                        .wanted = sqlite3_column_int(s, 2) != 0,
                                        .busy = sqlite3_column_int(s, 3) != 0,
                                        .kept = sqlite3_column_int(s, 5) != 0 };
        snprintf(list[n].hash, sizeof list[n].hash, "%s", sql_text(s, 1));
        snprintf(list[n].checkpoint, sizeof list[n].checkpoint, "%s", sql_text(s, 4));
        n++;
    }
    if (rc < 0) {
        free(list);
        return rc;
    }
    *out = list;
    *count = n;
    return 0;
}

int garbage_knows_run(struct store *store, bool *out, const char *hash, struct error *err)
{
    int64_t id;

    return sql_int(store, &id, out, err, "SELECT run_id FROM run WHERE hash = ?1", "t", hash);
}

int garbage_is_unwanted(struct store *store, bool *out, int64_t run_id, struct error *err)
{
    int64_t id;

    return sql_int(store, &id, out, err,
                   "SELECT r.run_id FROM run r WHERE r.run_id = ?1"
                   " AND NOT EXISTS (SELECT 1 FROM arm_run x WHERE x.run_id = r.run_id)"
                   " AND NOT " KEPT("r") " AND NOT " IS_BASE " AND NOT " OPEN_JOB(
                       "r.run_id") " AND NOT " OPEN_ATTEMPT("r.run_id"),
                   "i", run_id);
}

int garbage_delete_run(struct store *store, int64_t run_id, struct error *err)
{
    static const char *const statements[] = {
        "DELETE FROM checkpoint WHERE run_id = ?1",
        "DELETE FROM attempt WHERE run_id = ?1",
        "DELETE FROM job WHERE run_id = ?1",
        "DELETE FROM run WHERE run_id = ?1",
    };
    int rc = 0;

    for (size_t i = 0; i < sizeof statements / sizeof *statements && rc == 0; i++)
        rc = sql_run(store, err, statements[i], "i", run_id);
    return rc;
}

int garbage_find_experiment(struct store *store, struct garbage_experiment *out,
                            const char *name, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(
        store, &s, err,
        "SELECT e.experiment_id, e.spec_file,"
        " count(DISTINCT x.run_id), count(DISTINCT iif(" OPEN_JOB("x.run_id") " AND " ONLY_OF(
            "x.run_id",
            "e.experiment_id") ", x.run_id, NULL))"
                               " FROM experiment e LEFT JOIN arm a USING (experiment_id)"
                               " LEFT JOIN arm_run x USING (arm_id) WHERE e.name = ?1"
                               " GROUP BY e.experiment_id",
        "t", name);

    *out = (struct garbage_experiment){ 0 };
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) { /* at most one row */
        rc = 0;
        out->id = sqlite3_column_int64(s, 0);
        out->runs = sqlite3_column_int(s, 2);
        out->open = sqlite3_column_int(s, 3);
        out->spec_file = strdup(sql_text(s, 1));
        if (out->spec_file == NULL) {
            sql_end(&s);
            rc = error_no_memory(err, "an experiment");
        }
    }
    return rc;
}

int garbage_own_runs(struct store *store, char (**out)[65], int *count, int64_t experiment_id,
                     struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT DISTINCT r.hash FROM arm a JOIN arm_run x USING (arm_id)"
                       " JOIN run r USING (run_id) WHERE a.experiment_id = ?1"
                       " AND " ONLY_OF("r.run_id", "?1"),
                       "i", experiment_id);

    *out = NULL;
    *count = 0;
    return rc < 0 ? rc : sql_hashes(store, &s, out, count, err);
}

int garbage_delete_experiment(struct store *store, int64_t experiment_id, struct error *err)
{
    return sql_run(store, err, "DELETE FROM experiment WHERE experiment_id = ?1", "i",
                   experiment_id);
}
