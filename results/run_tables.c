/* run_tables.c - queries of show. */
#include "run_tables.h"

#include "error.h"
#include "sql.h"
#include "store.h"
#include "table.h"
#include "table_rows.h"

/* Fills a table with all rows of a query with as many columns, by the columns'
 * types. */
static int fill(struct store *store, struct table **out, const struct table_column *columns,
                int count, const char *sql, const char *hash, struct error *err)
{
    sqlite3_stmt *s;
    int rc = table_create(out, columns, count, err);

    if (rc == 0)
        rc = sql_query(store, &s, err, sql, "t", hash);
    if (rc == 0)
        rc = table_add_rows(*out, store, &s, columns, count, err);
    return rc;
}

/* The run, with one line per fact; unknown facts are omitted. People are shown some
 * shorter: a hash and its name fill a line of 80 columns. */
static int fill_facts(struct store *store, struct table **out, const char *hash,
                      struct error *err)
{
    static const struct table_column columns[] = {
        { .name = "fact", .title = "run", .type = TABLE_TEXT, .machine_only = true },
        { .name = "value", .title = "", .type = TABLE_TEXT, .machine_only = true },
        { .name = "short_fact", .title = "run", .type = TABLE_TEXT, .people_only = true },
        { .name = "short_value", .title = "value", .type = TABLE_TEXT, .people_only = true },
    };

    return fill(
        store, out, columns, 4,
        "SELECT f, v, coalesce(sf, f), coalesce(sv, v)"
        " FROM (SELECT 1 AS n, 'hash' AS f, hash AS v, NULL AS sf, NULL AS sv, hash AS h"
        "  FROM run"
        " UNION ALL SELECT 2, 'arm', e.name || ': ' || a.label, NULL, NULL, r.hash FROM run r"
        "  JOIN arm_run USING (run_id) JOIN arm a USING (arm_id)"
        "  JOIN experiment e USING (experiment_id)"
        " UNION ALL SELECT 3, 'seed', seed, NULL, NULL, hash FROM run"
        " UNION ALL SELECT 4, j.kind || ' job', j.state || coalesce(': ' || j.cause, '')"
        "  || coalesce(': ' || j.message, ''), NULL, NULL, r.hash"
        "  FROM job j JOIN run r USING (run_id)"
        " UNION ALL SELECT 5, 'parameters', parameters, NULL, NULL, hash FROM run"
        " UNION ALL SELECT 6, 'puzzle embedding', puzzle_parameters, 'puzzle ids',"
        "  puzzle_parameters || ' parameters of their embedding', hash FROM run"
        " UNION ALL SELECT 7, 'training steps', total_steps, 'steps', NULL, hash FROM run"
        " UNION ALL SELECT 8, 'training TFLOP', round(train_flops * 1e-12, 3), 'work',"
        "  round(train_flops * 1e-12, 3) || ' TFLOP', hash FROM run"
        " UNION ALL SELECT 9, 'data', data_hash, NULL, NULL, hash FROM run"
        " UNION ALL SELECT 10, 'numeric version', numeric_version, 'engine',"
        "  'numeric version ' || numeric_version, hash FROM run"
        " UNION ALL SELECT 11, 'mixed', 'trained on more than one kernel set or number of "
        "threads', NULL, NULL, hash FROM run WHERE mixed"
        " UNION ALL SELECT 12, 'checkpoint', c.file, NULL,"
        "  replace(c.file, 'runs/' || r.hash || '/', ''), r.hash FROM checkpoint c"
        "  JOIN run r USING (run_id)"
        " UNION ALL SELECT 13, 'weights', c.weights_hash, NULL, NULL, r.hash FROM checkpoint c"
        "  JOIN run r USING (run_id)"
        " UNION ALL SELECT 14, 'baseline ' || b.name || ', ' || b.split,"
        "  printf('pass@2 %.3f, per token %.3f', b.pass_at_2, b.per_token_accuracy),"
        "  'baseline', printf('%s, split %s: pass@2 %.3f, per token %.3f', b.name, b.split,"
        "  b.pass_at_2, b.per_token_accuracy), r.hash FROM baseline b JOIN run r USING (run_id)"
        " UNION ALL SELECT 15, m.kind, m.text, NULL, NULL, m.run_hash FROM mark m"
        "  WHERE m.experiment = '' AND m.arm = ''"
        " UNION ALL SELECT 15, m.kind || ' of ' || iif(m.arm = '', m.experiment, m.arm),"
        "  m.text, m.kind, m.text || iif(m.text = '', '', ' ') || '(of '"
        "  || iif(m.arm = '', m.experiment, m.arm) || ')', r.hash"
        "  FROM mark m JOIN experiment e ON e.name = m.experiment"
        "  JOIN arm a ON a.experiment_id = e.experiment_id AND m.arm IN ('', a.label)"
        "  JOIN arm_run USING (arm_id) JOIN run r USING (run_id))"
        " WHERE h = ?1 AND v IS NOT NULL ORDER BY n",
        hash, err);
}

static const struct table_column SETTINGS[] = {
    { .name = "key", .title = "setting", .type = TABLE_TEXT },
    { .name = "value", .type = TABLE_TEXT },
};

static const struct table_column ATTEMPTS[] = {
    { .name = "attempt", .type = TABLE_INT },
    { .name = "kind", .type = TABLE_TEXT },
    { .name = "outcome", .type = TABLE_TEXT },
    { .name = "started_at", .title = "started", .type = TABLE_TEXT, .fold = true, .drop = 3 },
    { .name = "cpu_seconds",
      .title = "CPU s",
      .type = TABLE_REAL,
      .digits = 1,
      .fold = true,
      .drop = 1 },
    { .name = "peak_rss_mib",
      .title = "peak MiB",
      .type = TABLE_REAL,
      .digits = 0,
      .fold = true,
      .drop = 2 },
    { .name = "kernel_set", .title = "kernels", .type = TABLE_TEXT, .fold = true, .drop = 4 },
    { .name = "blas_core", .title = "BLAS core", .type = TABLE_TEXT, .fold = true, .drop = 7 },
    { .name = "host", .type = TABLE_TEXT, .fold = true, .drop = 6 },
    { .name = "cpus", .title = "cores", .type = TABLE_TEXT, .fold = true, .drop = 8 },
    { .name = "git_commit", .title = "commit", .type = TABLE_TEXT, .fold = true, .drop = 5 },
    { .name = "blas", .type = TABLE_TEXT, .machine_only = true },
    { .name = "cpu", .type = TABLE_TEXT, .machine_only = true },
    { .name = "compiler", .type = TABLE_TEXT, .machine_only = true },
    { .name = "provenance", .type = TABLE_TEXT, .machine_only = true },
    { .name = "weights_hash", .type = TABLE_TEXT, .machine_only = true },
    { .name = "message", .type = TABLE_TEXT },
};

static const struct table_column EVALUATIONS[] = {
    { .name = "step", .type = TABLE_INT },
    { .name = "checkpoint", .type = TABLE_TEXT },
    { .name = "outer_steps", .title = "outer steps", .type = TABLE_INT },
    { .name = "augmentations", .type = TABLE_TEXT, .fold = true },
    { .name = "halt_rule", .title = "halting", .type = TABLE_TEXT, .fold = true },
    { .name = "split", .type = TABLE_TEXT, .fold = true, .drop = 4 },
    { .name = "pass_at_1", .title = "pass@1", .type = TABLE_REAL, .digits = 3, .drop = 1 },
    { .name = "pass_at_2", .title = "pass@2", .type = TABLE_REAL, .digits = 3 },
    { .name = "per_token_accuracy", .title = "per-token", .type = TABLE_REAL, .digits = 3 },
    { .name = "exact_rows", .title = "exact rows", .type = TABLE_REAL, .digits = 3, .drop = 2 },
    { .name = "seconds", .type = TABLE_REAL, .digits = 1, .drop = 3 },
};

#define COUNT(columns) ((int)(sizeof(columns) / sizeof *(columns)))

int run_tables(struct store *store, struct table *out[RUN_TABLES], const char *hash,
               struct error *err)
{
    int rc = fill_facts(store, &out[0], hash, err);

    if (rc == 0)
        rc = fill(store, &out[1], SETTINGS, COUNT(SETTINGS),
                  "SELECT key, value FROM setting JOIN run USING (run_id) WHERE hash = ?1"
                  " ORDER BY key",
                  hash, err);

    if (rc == 0)
        rc = fill(
            store, &out[2], ATTEMPTS, COUNT(ATTEMPTS),
            "SELECT t.number, j.kind, coalesce(t.outcome, t.state), t.started_at,"
            " t.user_seconds + t.system_seconds, t.peak_rss_mib, t.kernel_set, t.blas_core,"
            " t.host, t.cpus, t.git_commit, t.blas, t.cpu, t.compiler, t.provenance,"
            " t.weights_hash, t.message FROM attempt t"
            " JOIN job j USING (job_id) JOIN run r ON r.run_id = t.run_id"
            " WHERE r.hash = ?1 ORDER BY t.number",
            hash, err);
    if (rc == 0)
        rc = fill(
            store, &out[3], EVALUATIONS, COUNT(EVALUATIONS),
            "SELECT x.step, x.checkpoint, v.outer_steps, iif(v.augmentations = 0, 'all',"
            " v.augmentations), coalesce(json_extract(v.canonical, '$.\"eval.halt_rule\"'),"
            " 'max'), v.split, iif(x.tasks > 0, x.pass_at_1, NULL),"
            " iif(x.tasks > 0, x.pass_at_2, NULL),"
            " iif(x.tasks > 0, x.per_token_accuracy, NULL),"
            " iif(x.tasks > 0, x.exact_rows, NULL), x.seconds FROM score x"
            " JOIN evaluation v USING (evaluation_id) JOIN run r USING (run_id)"
            " WHERE r.hash = ?1 ORDER BY x.step, v.evaluation_id",
            hash, err);
    return rc;
}

int run_find_id(struct store *store, int64_t *out, const char *hash, struct error *err)
{
    return sql_int(store, out, NULL, err, "SELECT run_id FROM run WHERE hash = ?1", "t", hash);
}
