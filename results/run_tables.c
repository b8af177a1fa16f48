/* run_tables.c - queries of show. */
#include "run_tables.h"

#include "error.h"
#include "evaluation_words.h"
#include "file.h"
#include "settings.h"
#include "sql.h"
#include "store.h"
#include "table.h"
#include "table_rows.h"

#include <stdlib.h>
#include <string.h>

/* More evaluations than these are not read in one look. */
enum { MOST_EVALUATIONS = 12 };

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

/* Trillions of operations with four digits, however few they are. */
#define TFLOP "CAST(printf('%.4g', train_flops * 1e-12) AS REAL)"

#define FACTS "FROM run JOIN training USING (training_id)"

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
        " UNION ALL SELECT 5, 'parameters', parameters, NULL, NULL, hash " FACTS
        " UNION ALL SELECT 6, 'puzzle embedding', puzzle_parameters, 'puzzle ids',"
        "  puzzle_parameters || ' parameters of their embedding', hash " FACTS
        " UNION ALL SELECT 7, 'training steps', total_steps, 'steps', NULL, hash " FACTS
        " UNION ALL SELECT 8, 'training TFLOP', " TFLOP ", 'work', " TFLOP " || ' TFLOP',"
        "  hash " FACTS " UNION ALL SELECT 9, 'data', data_hash, NULL, NULL, hash " FACTS
        " UNION ALL SELECT 10, 'numeric version', numeric_version, 'engine',"
        "  'numeric version ' || numeric_version, hash " FACTS
        " UNION ALL SELECT 11, 'mixed', 'trained on more than one kernel set or number of "
        "threads', NULL, NULL, hash FROM run WHERE mixed"
        " UNION ALL SELECT 12, 'checkpoint', c.file, NULL,"
        "  replace(c.file, 'runs/' || r.hash || '/', ''), r.hash FROM checkpoint c"
        "  JOIN run r USING (run_id)"
        " UNION ALL SELECT 13, 'weights', c.weights_hash, NULL, NULL, r.hash FROM checkpoint c"
        "  JOIN run r USING (run_id)"
        " UNION ALL SELECT 14, 'baseline ' || b.name || ', ' || b.split,"
        "  printf('pass@2 %.3g, per token %.3g', b.pass_at_2, b.per_token_accuracy),"
        "  'baseline', printf('%s, split %s: pass@2 %.3g, per token %.3g', b.name, b.split,"
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
    { .name = "value", .type = TABLE_TEXT, .machine_only = true },
    { .name = "word", .title = "value", .type = TABLE_TEXT, .people_only = true },
};

static const struct table_column ATTEMPTS[] = {
    { .name = "attempt", .type = TABLE_INT },
    { .name = "kind", .type = TABLE_TEXT },
    { .name = "outcome", .type = TABLE_TEXT },
    { .name = "started_at",
      .title = "started",
      .type = TABLE_TEXT,
      .whole = true,
      .fold = true,
      .drop = 3 },
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
    { .name = "message", .type = TABLE_TEXT, .fold = true },
};

static const struct table_column EVALUATIONS[] = {
    { .name = "step", .type = TABLE_INT },
    { .name = "checkpoint", .type = TABLE_TEXT },
    { .name = "outer_steps", .title = "outer steps", .type = TABLE_INT },
    { .name = "augmentations", .type = TABLE_TEXT, .fold = true },
    { .name = "halt_rule", .title = "halting", .type = TABLE_TEXT, .fold = true },
    { .name = "split", .type = TABLE_TEXT, .fold = true, .drop = 4 },
    { .name = "other_settings", .title = "other settings", .type = TABLE_TEXT, .fold = true },
    { .name = "pass_at_1", .title = "pass@1", .type = TABLE_REAL, .digits = 3, .drop = 1 },
    { .name = "pass_at_2", .title = "pass@2", .type = TABLE_REAL, .digits = 3 },
    { .name = "per_token_accuracy", .title = "per-token", .type = TABLE_REAL, .digits = 3 },
    { .name = "exact_rows", .title = "exact rows", .type = TABLE_REAL, .digits = 3, .drop = 2 },
    { .name = "seconds", .type = TABLE_REAL, .digits = 1, .drop = 3 },
};

#define COUNT(columns) ((int)(sizeof(columns) / sizeof *(columns)))

/* Whether the run has the setting's default. What it is built of is always told. */
static bool is_default(const char *key, const char *value)
{
    int setting = setting_find(key);
    const char *standard = setting >= 0 ? settings_table[setting].default_text : NULL;
    char *end, *standard_end;

    if (standard == NULL || strcmp(key, "arch.name") == 0)
        return false;
    value = setting_word(key, value);
    double number = strtod(value, &end), other = strtod(standard, &standard_end);

    if (end != value && *end == '\0' && standard_end != standard && *standard_end == '\0')
        return number == other;
    return strcmp(value, standard) == 0;
}

/* Adds "N WHAT (--all lists them)" unless there are none. */
static int note_left_out(struct table *table, int count, const char *what, struct error *err)
{
    char *note = count > 0 ? format_string("%d %s (--all lists them)", count, what) : NULL;

    if (count > 0 && note == NULL)
        return error_no_memory(err, "a table");
    if (note != NULL)
        table_add_note(table, note);
    free(note);
    return 0;
}

static int fill_settings(struct store *store, struct table **out, const char *hash, bool all,
                         struct error *err)
{
    sqlite3_stmt *s;
    int left_out = 0;
    int rc = table_create(out, SETTINGS, COUNT(SETTINGS), err);

    if (rc == 0)
        rc = sql_query(store, &s, err,
                       "SELECT key, value FROM setting JOIN run USING (run_id) WHERE hash = ?1"
                       " ORDER BY key",
                       "t", hash);
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        if (!all && is_default(sql_text(s, 0), sql_text(s, 1))) {
            left_out++;
            continue;
        }
        table_row(*out);
        table_text(*out, sql_text(s, 0));
        table_text(*out, sql_text(s, 1));
        table_text(*out, setting_word(sql_text(s, 0), sql_text(s, 1)));
    }
    return rc == 0 ? note_left_out(*out, left_out, "settings have their defaults", err) : rc;
}

/* Those of the last checkpoint with the highest scores come first into the choice. */
static int fill_evaluations(struct store *store, struct table **out, const char *hash, bool all,
                            struct error *err)
{
    int64_t count = 0, most = all ? INT64_MAX : MOST_EVALUATIONS;
    sqlite3_stmt *s;
    int rc = table_create(out, EVALUATIONS, COUNT(EVALUATIONS), err);

    if (rc == 0)
        rc = sql_query(
            store, &s, err,
            "SELECT step, checkpoint, outer_steps, augmentations, rule, split, others, p1, p2, "
            "token,"
            " exact, seconds FROM (SELECT x.step, x.checkpoint, v.outer_steps,"
            " iif(v.augmentations = 0, 'all', v.augmentations) AS augmentations,"
            " " EVALUATION_RULE " AS rule, v.split, " EVALUATION_OTHERS " AS others,"
            " iif(x.tasks > 0, x.pass_at_1, NULL) AS p1,"
            " iif(x.tasks > 0, x.pass_at_2, NULL) AS p2,"
            " iif(x.tasks > 0, x.per_token_accuracy, NULL) AS token,"
            " iif(x.tasks > 0, x.exact_rows, NULL) AS exact, x.seconds, v.evaluation_id,"
            " row_number() OVER (ORDER BY x.checkpoint = 'last' DESC, x.pass_at_2 DESC,"
            "  x.per_token_accuracy DESC, v.evaluation_id, x.step) AS place FROM score x"
            " JOIN evaluation v USING (evaluation_id) JOIN run r USING (run_id)"
            " WHERE r.hash = ?1) WHERE place <= ?2 ORDER BY step, evaluation_id",
            "ti", hash, most);
    if (rc == 0)
        rc = table_add_rows(*out, store, &s, EVALUATIONS, COUNT(EVALUATIONS), err);
    if (rc == 0 && !all)
        rc = sql_int(store, &count, NULL, err,
                     "SELECT count(*) FROM score JOIN evaluation USING (evaluation_id)"
                     " JOIN run USING (run_id) WHERE hash = ?1",
                     "t", hash);
    return rc == 0 ? note_left_out(*out, count > most ? (int)(count - most) : 0,
                                   "other evaluations, earlier or with a lower pass@2", err)
                   : rc;
}

int run_tables(struct store *store, struct table *out[RUN_TABLES], const char *hash, bool all,
               struct error *err)
{
    int rc = fill_facts(store, &out[0], hash, err);

    if (rc == 0)
        rc = fill_settings(store, &out[1], hash, all, err);
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
    return rc == 0 ? fill_evaluations(store, &out[3], hash, all, err) : rc;
}

int run_find_id(struct store *store, int64_t *out, const char *hash, struct error *err)
{
    return sql_int(store, out, NULL, err, "SELECT run_id FROM run WHERE hash = ?1", "t", hash);
}
