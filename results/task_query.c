/* task_query.c - queries about one task, and about all tasks of one run. */
#include "task_query.h"

#include "error.h"
#include "evaluation_words.h"
#include "sql.h"
#include "store.h"
#include "table_rows.h"

#include <stdio.h>

int task_outcomes(struct table **out, struct store *store, const char *experiment,
                  const char *task, int most, struct error *err)
{
    static const struct table_column COLUMNS[] = {
        { .name = "arm", .type = TABLE_TEXT },
        { .name = "seed", .type = TABLE_INT },
        { .name = "run_hash", .title = "run", .type = TABLE_TEXT },
        { .name = "outer_steps", .title = "outer steps", .type = TABLE_INT },
        { .name = "augmentations", .type = TABLE_TEXT },
        { .name = "halt_rule", .title = "halting", .type = TABLE_TEXT },
        { .name = "split", .type = TABLE_TEXT },
        { .name = "other_settings",
          .title = "other settings",
          .type = TABLE_TEXT,
          .fold = true },
        { .name = "test", .type = TABLE_INT },
        { .name = "rank", .title = "rank of the solution", .type = TABLE_INT },
        { .name = "votes", .type = TABLE_INT },
        { .name = "predictions", .title = "of", .type = TABLE_INT },
        { .name = "per_token_accuracy", .title = "per-token", .type = TABLE_REAL, .digits = 3 },
    };
    enum { COUNT = sizeof COLUMNS / sizeof *COLUMNS };
    sqlite3_stmt *s;
    int rc = table_create(out, COLUMNS, COUNT, err);

    if (rc == 0)
        rc = sql_query(store, &s, err,
                       "SELECT a.label, r.seed, r.hash, v.outer_steps,"
                       " iif(v.augmentations = 0, 'all', v.augmentations), " EVALUATION_RULE
                       ", v.split, " EVALUATION_OTHERS ", o.test_index + 1,"
                       " o.rank, o.votes, o.predictions, o.per_token_accuracy"
                       " FROM experiment e CROSS JOIN arm a USING (experiment_id)"
                       " CROSS JOIN arm_inference x USING (arm_id)"
                       " CROSS JOIN inference v USING (inference_id)"
                       " CROSS JOIN arm_run y ON y.arm_id = a.arm_id"
                       " CROSS JOIN run r USING (run_id) CROSS JOIN run_inference n"
                       "  ON n.run_id = r.run_id AND n.inference_id = v.inference_id"
                       " CROSS JOIN task_outcome o"
                       "  ON o.evaluation_id = n.evaluation_id AND o.task = ?2"
                       " WHERE e.name = ?1 ORDER BY a.position, r.seed, v.outer_steps,"
                       "  v.augmentations, n.evaluation_id, o.test_index LIMIT ?3",
                       "tti", experiment, task, (int64_t)most);
    if (rc == 0)
        rc = table_add_rows(*out, store, &s, COLUMNS, COUNT, err);
    if (rc == 0 && table_is_empty(*out))
        rc = error_set(err, ERROR_ABSENT,
                       "no outcome of a task \"%.100s\" in the experiment \"%.100s\"; hrmlab "
                       "tasks %.100s lists its tasks",
                       task, experiment, experiment);
    return rc;
}

/* The evaluation that run_outcomes() shows; *id 0: none. */
static int widest_evaluation(struct store *store, int64_t *id, char *words, size_t size,
                             const char *hash, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT v.evaluation_id, printf('Tasks at %d outer steps, %s"
                       " augmentations', v.outer_steps,"
                       "  iif(v.augmentations = 0, 'all', v.augmentations))"
                       " FROM run r JOIN evaluation v USING (run_id) WHERE r.hash = ?1"
                       " AND EXISTS (SELECT 1 FROM task_outcome o"
                       "  WHERE o.evaluation_id = v.evaluation_id)"
                       " ORDER BY v.augmentations = 0 DESC, v.augmentations DESC,"
                       "  v.outer_steps DESC, v.evaluation_id LIMIT 1",
                       "t", hash);

    *id = 0;
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc <= 0)
        return rc;
    *id = sqlite3_column_int64(s, 0);
    snprintf(words, size, "%s", sql_text(s, 1));
    sql_end(&s);
    return 0;
}

int run_outcomes(struct table **out, struct store *store, const char *hash, int most,
                 struct error *err)
{
    static const struct table_column COLUMNS[] = {
        { .name = "task", .type = TABLE_TEXT },
        { .name = "test", .type = TABLE_INT },
        { .name = "rank", .title = "rank of the solution", .type = TABLE_INT },
        { .name = "votes", .type = TABLE_INT },
        { .name = "predictions", .title = "of", .type = TABLE_INT },
        { .name = "per_token_accuracy", .title = "per-token", .type = TABLE_REAL, .digits = 3 },
    };
    enum { COUNT = sizeof COLUMNS / sizeof *COLUMNS };
    char caption[120], note[80];
    int64_t evaluation;
    sqlite3_stmt *s;
    int rc = widest_evaluation(store, &evaluation, caption, sizeof caption, hash, err);

    *out = NULL;
    if (rc != 0 || evaluation == 0)
        return rc;
    rc = table_create(out, COLUMNS, COUNT, err);
    if (rc == 0) {
        table_set_caption(*out, caption);
        rc = sql_query(store, &s, err,
                       "SELECT task, test_index + 1, rank, votes, predictions,"
                       " per_token_accuracy FROM task_outcome WHERE evaluation_id = ?1"
                       " ORDER BY rank IS NULL DESC, rank DESC, per_token_accuracy, task,"
                       "  test_index LIMIT ?2",
                       "ii", evaluation, (int64_t)most);
    }
    if (rc == 0)
        rc = table_add_rows(*out, store, &s, COLUMNS, COUNT, err);
    if (rc == 0 && table_row_count(*out) == most) {
        snprintf(note, sizeof note, "the %d worst; there may be more", most);
        table_add_note(*out, note);
    }
    return rc;
}

int run_experiment(struct store *store, char out[EXPERIMENT_NAME_SIZE], const char *hash,
                   struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT e.name FROM run r CROSS JOIN arm_run x USING (run_id)"
                       " CROSS JOIN arm a USING (arm_id)"
                       " CROSS JOIN experiment e USING (experiment_id) WHERE r.hash = ?1"
                       " ORDER BY e.experiment_id LIMIT 1",
                       "t", hash);

    out[0] = '\0';
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc <= 0)
        return rc;
    snprintf(out, EXPERIMENT_NAME_SIZE, "%s", sql_text(s, 0));
    sql_end(&s);
    return 0;
}

#define ANSWERER "SELECT a.label || ' seed ' || r.seed, r.hash, t.directory FROM "
#define ANSWERED                                                                               \
    " CROSS JOIN attempt t ON t.attempt_id = (SELECT max(k.attempt_id) FROM attempt k"         \
    "  WHERE k.run_id = r.run_id AND k.outcome = 'done')"                                      \
    " WHERE e.name = ?1 AND EXISTS (SELECT 1 FROM run_inference v CROSS JOIN task_outcome o"   \
    "  USING (evaluation_id) WHERE v.run_id = r.run_id AND o.task = ?2)"

static void read_answerer(struct task_answerer *out, sqlite3_stmt *s)
{
    sql_copy_text(out->label, sizeof out->label, s, 0);
    sql_copy_text(out->hash, sizeof out->hash, s, 1);
    sql_copy_text(out->directory, sizeof out->directory, s, 2);
}

int task_answerers(struct store *store, struct task_answerer *out, int most, int *count,
                   const char *experiment, const char *task, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       ANSWERER "experiment e CROSS JOIN arm a USING (experiment_id)"
                                " CROSS JOIN arm_run x USING (arm_id)"
                                " CROSS JOIN run r USING (run_id)" ANSWERED
                                " ORDER BY a.position, r.seed LIMIT ?3",
                       "tti", experiment, task, (int64_t)most);

    *count = 0;
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        read_answerer(&out[(*count)++], s);
    }
    return rc;
}

int task_answerer_find(struct store *store, struct task_answerer *out, bool *found,
                       const char *experiment, const char *task, const char *hash,
                       struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       ANSWERER "run r CROSS JOIN arm_run x USING (run_id)"
                                " CROSS JOIN arm a USING (arm_id)"
                                " CROSS JOIN experiment e USING (experiment_id)" ANSWERED
                                " AND r.hash = ?3 ORDER BY a.position LIMIT 1",
                       "ttt", experiment, task, hash);

    *found = false;
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc <= 0)
        return rc;
    *found = true;
    read_answerer(out, s);
    sql_end(&s);
    return 0;
}
