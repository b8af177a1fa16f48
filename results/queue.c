/* queue.c - inserts the rows that a plan needs. */
#include "queue.h"

#include "clock.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "large_array.h"
#include "settings.h"
#include "sql.h"
#include "store.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int last_id(struct store *store, int64_t *id)
{
    *id = sqlite3_last_insert_rowid(store_connection(store));
    return 0;
}

int queue_find_experiment(struct store *store, struct queue_known *out, const char *name,
                          struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT experiment_id, spec_hash, spec_file FROM experiment"
                       " WHERE name = ?1",
                       "t", name);

    *out = (struct queue_known){ 0 };
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) { /* at most one row */
        rc = 0;
        out->id = sqlite3_column_int64(s, 0);
        snprintf(out->spec_hash, sizeof out->spec_hash, "%s", sql_text(s, 1));
        out->spec_file = strdup(sql_text(s, 2));
        if (out->spec_file == NULL) {
            sql_end(&s);
            rc = error_no_memory(err, "the queue");
        }
    }
    return rc;
}

int queue_experiment(struct store *store, int64_t *id,
                     const struct queue_experiment *experiment, struct error *err)
{
    char now[CLOCK_ISO_SIZE];

    clock_iso_now(now);
    if (*id != 0)
        return sql_run(store, err,
                       "UPDATE experiment SET description = ?2, spec_hash = ?3, spec_file = ?4,"
                       " priority = ?5, cancelled = 0 WHERE experiment_id = ?1",
                       "ittti", *id, experiment->description, experiment->spec_hash,
                       experiment->spec_file, (int64_t)experiment->priority);
    int rc = sql_run(store, err,
                     "INSERT INTO experiment (name, description, spec_hash, spec_file,"
                     " priority, queued_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                     "ttttit", experiment->name, experiment->description, experiment->spec_hash,
                     experiment->spec_file, (int64_t)experiment->priority, now);
    return rc < 0 ? rc : last_id(store, id);
}

int queue_count_evaluations(struct store *store, int64_t *out, int64_t experiment_id,
                            struct error *err)
{
    return sql_int(store, out, NULL, err,
                   "SELECT count(DISTINCT v.evaluation_id) FROM arm a"
                   " JOIN arm_inference x USING (arm_id) JOIN arm_run y USING (arm_id)"
                   " JOIN run_inference v USING (run_id, inference_id)"
                   " WHERE a.experiment_id = ?1",
                   "i", experiment_id);
}

int queue_forget_arms(struct store *store, int64_t experiment_id, struct error *err)
{
    static const char *const STATEMENTS[] = {
        "DELETE FROM arm WHERE experiment_id = ?1",
        "DELETE FROM dropped WHERE experiment_id = ?1",
        "DELETE FROM contrast WHERE experiment_id = ?1",
    };
    int rc = 0;

    for (size_t i = 0; i < sizeof STATEMENTS / sizeof *STATEMENTS && rc == 0; i++)
        rc = sql_run(store, err, STATEMENTS[i], "i", experiment_id);
    return rc;
}

int queue_contrast(struct store *store, int64_t experiment_id, int position, const char *name,
                   const char *from, const char *to, struct error *err)
{
    return sql_run(store, err,
                   "INSERT INTO contrast (experiment_id, position, name, from_cells, to_cells)"
                   " VALUES (?1, ?2, ?3, ?4, ?5)",
                   "iittt", experiment_id, (int64_t)position, name, from, to);
}

int queue_arm(struct store *store, int64_t *id, int64_t experiment_id, int position,
              const char *label, const cJSON *axes, struct error *err)
{
    bool found;
    char *text;
    int rc = sql_int(store, id, &found, err,
                     "SELECT arm_id FROM arm WHERE experiment_id = ?1 AND label = ?2", "it",
                     experiment_id, label);

    if (rc < 0 || found)
        return rc;
    text = json_canonical(axes);
    if (text == NULL)
        return error_no_memory(err, "the queue");
    rc = sql_run(
        store, err,
        "INSERT INTO arm (experiment_id, position, label, axes) VALUES (?1, ?2, ?3, ?4)",
        "iitt", experiment_id, (int64_t)position, label, text);
    free(text);
    return rc < 0 ? rc : last_id(store, id);
}

/* integers up to this are exact in a double */
static const double MOST_EXACT = 0x1p53;

static int bind_value(sqlite3_stmt *statement, int at, const cJSON *item)
{
    double value = item->valuedouble;

    if (cJSON_IsBool(item))
        return sqlite3_bind_int64(statement, at, cJSON_IsTrue(item));
    if (cJSON_IsNumber(item) && fabs(value) <= MOST_EXACT && trunc(value) == value)
        return sqlite3_bind_int64(statement, at, (int64_t)value);
    if (cJSON_IsNumber(item))
        return sqlite3_bind_double(statement, at, value);
    if (cJSON_IsString(item))
        return sqlite3_bind_text(statement, at, item->valuestring, -1, SQLITE_STATIC);
    char *text = json_canonical(item); /* a list */
    return text == NULL ? SQLITE_NOMEM : sqlite3_bind_text(statement, at, text, -1, free);
}

/* Inserts a row of config_setting for each member of settings except the seed, which
 * belongs to the run. */
static int add_settings(struct store *store, int64_t config_id, const cJSON *settings,
                        struct error *err)
{
    const char *seed = settings_table[TRAIN_SEED].key;
    int rc = 0;

    for (const cJSON *item = settings->child; item != NULL && rc == 0; item = item->next) {
        sqlite3_stmt *statement;

        rc = sql_query(store, &statement, err,
                       "INSERT INTO config_setting (config_id, key, value) VALUES (?1, ?2, ?3)",
                       "itn", config_id, item->string);
        if (rc == 0 && strcmp(item->string, seed) != 0 &&
            bind_value(statement, 3, item) != SQLITE_OK) {
            rc = store_error(store, "bind a setting", err);
            sql_end(&statement);
        }
        if (rc == 0)
            rc = sql_step(store, &statement, err);
    }
    return rc;
}

int queue_config(struct store *store, int64_t *id, const cJSON *settings, struct error *err)
{
    cJSON *unseeded = cJSON_Duplicate(settings, true);
    char *text = NULL;
    bool found = false;
    int rc;

    cJSON_DeleteItemFromObjectCaseSensitive(unseeded, settings_table[TRAIN_SEED].key);
    if (unseeded != NULL)
        text = json_canonical(unseeded);
    cJSON_Delete(unseeded);
    rc = text == NULL ? error_no_memory(err, "the queue") : 0;
    if (rc == 0)
        rc = sql_int(store, id, &found, err, "SELECT config_id FROM config WHERE settings = ?1",
                     "t", text);
    if (rc == 0 && !found) {
        rc = sql_run(store, err, "INSERT INTO config (settings) VALUES (?1)", "t", text);
        if (rc == 0)
            rc = last_id(store, id);
        if (rc == 0)
            rc = add_settings(store, *id, settings, err);
    }
    free(text);
    return rc;
}

int queue_training(struct store *store, int64_t *id, const struct queue_training *training,
                   struct error *err)
{
    const char *version =
        training->numeric_version != NULL ? training->numeric_version : ENGINE_NUMERIC_VERSION;
    bool found;
    int rc =
        sql_int(store, id, &found, err,
                "SELECT training_id FROM training WHERE config_id = ?9 AND data_hash = ?3"
                " AND numeric_version = ?4 AND parameters = ?5 AND puzzle_parameters = ?6"
                " AND total_steps = ?7 AND train_flops = ?8 AND canonical = ?1"
                " AND job_config = ?2 LIMIT 1",
                "ttttiiiri", training->canonical, training->job_config, training->data_hash,
                version, training->parameters, training->puzzle_parameters,
                training->total_steps, training->train_flops, training->config_id);

    if (rc < 0 || found)
        return rc;
    rc = sql_run(store, err,
                 "INSERT INTO training (canonical, job_config, data_hash, numeric_version,"
                 " parameters, puzzle_parameters, total_steps, train_flops, config_id)"
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                 "ttttiiiri", training->canonical, training->job_config, training->data_hash,
                 version, training->parameters, training->puzzle_parameters,
                 training->total_steps, training->train_flops, training->config_id);
    return rc < 0 ? rc : last_id(store, id);
}

int queue_run(struct store *store, int64_t *id, const struct queue_run *run, struct error *err)
{
    int rc = sql_run(store, err,
                     "INSERT INTO run (hash, training_id, seed, base_hash)"
                     " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (hash) DO NOTHING",
                     "tiit", run->hash, run->training_id, run->seed, run->base_hash);

    *id = 0;
    return rc < 0 || sqlite3_changes(store_connection(store)) == 0 ? rc : last_id(store, id);
}

/* Adds the way of inference if it is not there. */
static int add_inference(struct store *store, const struct queue_evaluation *evaluation,
                         struct error *err)
{
    return sql_run(store, err,
                   "INSERT INTO inference (canonical, outer_steps, augmentations,"
                   " act_inference, eval_seed, split) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                   " ON CONFLICT (canonical) DO NOTHING",
                   "tiiiit", evaluation->canonical, evaluation->outer_steps,
                   evaluation->augmentations, (int64_t)evaluation->act_inference,
                   evaluation->eval_seed, evaluation->train_split ? "train" : "test");
}

/* Followed by a parameter and ")": the id of the way of inference with that canonical
 * text. */
#define INFERENCE_OF "(SELECT inference_id FROM inference WHERE canonical = "
/* A FROM clause of the runs of a range; ?1 is the first id and ?2 the count. */
#define RANGE "FROM run WHERE run_id >= ?1 AND run_id < ?1 + ?2"

int queue_evaluation(struct store *store, struct queue_range runs,
                     const struct queue_evaluation *evaluation, struct error *err)
{
    int rc = add_inference(store, evaluation, err);

    if (rc == 0)
        rc = sql_run(store, err,
                     "INSERT INTO run_inference (run_id, inference_id)"
                     " SELECT run_id, " INFERENCE_OF "?3) " RANGE
                     " ON CONFLICT (run_id, inference_id) DO NOTHING",
                     "iit", runs.first, runs.count, evaluation->canonical);
    return rc;
}

int queue_find_evaluation(struct store *store, int64_t *id, int64_t run_id,
                          const char *canonical, struct error *err)
{
    bool found; /* false: *id is 0 */

    return sql_int(store, id, &found, err,
                   "SELECT evaluation_id FROM run_inference WHERE run_id = ?1"
                   " AND inference_id = " INFERENCE_OF "?2)",
                   "it", run_id, canonical);
}

int queue_link_runs(struct store *store, int64_t arm_id, struct queue_range runs,
                    struct error *err)
{
    return sql_run(store, err,
                   "INSERT OR IGNORE INTO arm_run (arm_id, run_id) SELECT ?3, run_id " RANGE,
                   "iii", runs.first, runs.count, arm_id);
}

int queue_link_evaluation(struct store *store, int64_t arm_id, const char *canonical,
                          struct error *err)
{
    return sql_run(store, err,
                   "INSERT OR IGNORE INTO arm_inference (arm_id, inference_id)"
                   " SELECT ?1, inference_id FROM inference WHERE canonical = ?2",
                   "it", arm_id, canonical);
}

int queue_dropped(struct store *store, int64_t experiment_id, const char *arm,
                  const char *evaluation, const char *reason, struct error *err)
{
    return sql_run(store, err,
                   "INSERT INTO dropped (experiment_id, arm, evaluation, reason)"
                   " VALUES (?1, ?2, ?3, ?4)",
                   "ittt", experiment_id, arm, evaluation, reason);
}

int queue_is_empty(struct store *store, bool *out, struct error *err)
{
    int64_t empty = 0;
    int rc = sql_int(store, &empty, NULL, err, "SELECT NOT EXISTS (SELECT 1 FROM run)", "");

    *out = empty != 0;
    return rc;
}

int queue_execution(struct store *store, int64_t *id, const cJSON *settings, struct error *err)
{
    char *text = json_canonical(settings);
    bool found = false;
    int rc = text == NULL ? error_no_memory(err, "the queue") : 0;

    if (rc == 0)
        rc = sql_int(store, id, &found, err,
                     "SELECT execution_id FROM execution WHERE settings = ?1", "t", text);
    if (rc == 0 && !found) {
        rc = sql_run(store, err, "INSERT INTO execution (settings) VALUES (?1)", "t", text);
        if (rc == 0)
            rc = last_id(store, id);
    }
    free(text);
    return rc;
}

int queue_jobs(struct store *store, struct queue_range runs, const struct queue_job *job,
               struct error *err)
{
    char now[CLOCK_ISO_SIZE];

    clock_iso_now(now);
    return sql_run(store, err,
                   "INSERT INTO job (run_id, kind, state, priority, cost, threads, memory_gb,"
                   " time_limit_min, retries_max, retry_delay_s, queued_at, execution_id)"
                   " SELECT run_id, ?3, 'queued', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 " RANGE,
                   "iitirirrirti", runs.first, runs.count, job->evaluate ? "evaluate" : "train",
                   (int64_t)job->priority, job->cost, (int64_t)job->threads, job->memory_gb,
                   job->time_limit_min, (int64_t)job->retries_max, job->retry_delay_s, now,
                   job->execution_id);
}

int queue_execute_like(struct store *store, int64_t arm_id, const struct queue_job *job,
                       struct error *err)
{
    return sql_run(store, err,
                   "UPDATE job SET execution_id = ?2, threads = ?3, memory_gb = ?4,"
                   " time_limit_min = ?5, retries_max = ?6, retry_delay_s = ?7"
                   " WHERE run_id IN (SELECT run_id FROM arm_run WHERE arm_id = ?1)"
                   " AND execution_id IS NOT ?2",
                   "iiirrir", arm_id, job->execution_id, (int64_t)job->threads, job->memory_gb,
                   job->time_limit_min, (int64_t)job->retries_max, job->retry_delay_s);
}

int queue_execute_job_like(struct store *store, int64_t job_id, const struct queue_job *job,
                           struct error *err)
{
    return sql_run(store, err,
                   "UPDATE job SET execution_id = ?2, threads = ?3, memory_gb = ?4,"
                   " time_limit_min = ?5, retries_max = ?6, retry_delay_s = ?7"
                   " WHERE job_id = ?1",
                   "iiirrir", job_id, job->execution_id, (int64_t)job->threads, job->memory_gb,
                   job->time_limit_min, (int64_t)job->retries_max, job->retry_delay_s);
}

int queue_job(struct store *store, int64_t *id, const struct queue_job *job, struct error *err)
{
    int rc = queue_jobs(store, (struct queue_range){ job->run_id, 1 }, job, err);

    return rc < 0 ? rc : last_id(store, id);
}

int queue_job_like(struct store *store, int64_t *id, int64_t run_id, bool evaluate,
                   struct error *err)
{
    char now[CLOCK_ISO_SIZE];

    clock_iso_now(now);
    int rc = sql_run(store, err,
                     "INSERT INTO job (run_id, kind, state, priority, cost, threads, memory_gb,"
                     " time_limit_min, retries_max, retry_delay_s, queued_at, execution_id)"
                     " SELECT run_id, ?2, 'queued', priority, cost, threads, memory_gb,"
                     " time_limit_min, retries_max, retry_delay_s, ?3, execution_id"
                     " FROM job WHERE run_id = ?1 ORDER BY job_id DESC LIMIT 1",
                     "itt", run_id, evaluate ? "evaluate" : "train", now);
    return rc < 0 ? rc : last_id(store, id);
}

int queue_job_evaluation(struct store *store, int64_t job_id, int64_t evaluation_id,
                         struct error *err)
{
    return sql_run(
        store, err,
        "INSERT OR IGNORE INTO job_evaluation (job_id, evaluation_id) VALUES (?1, ?2)", "ii",
        job_id, evaluation_id);
}

int queue_job_if_missing(struct store *store, int64_t job_id, const char *canonical,
                         struct error *err)
{
    return sql_run(store, err,
                   "INSERT INTO job_evaluation (job_id, evaluation_id)"
                   " SELECT j.job_id, v.evaluation_id FROM job j JOIN run_inference v"
                   " ON v.run_id = j.run_id AND v.inference_id = " INFERENCE_OF
                   "?2) WHERE j.job_id = ?1"
                   " AND NOT EXISTS (SELECT 1 FROM evaluation_result r"
                   "  WHERE r.evaluation_id = v.evaluation_id AND r.checkpoint = 'last')",
                   "it", job_id, canonical);
}

/* The newest job of the run r that has not ended. Reads an index alone; written without
 * IN, for which SQLite would fill a table at every call. */
#define OPEN_JOB                                                                               \
    "(SELECT max(o.job_id) FROM job o WHERE o.run_id = r.run_id"                               \
    " AND (+o.state = 'queued' OR +o.state = 'starting' OR +o.state = 'running'))"

int queue_runs(struct store *store, struct queue_found **out, int *count, int64_t experiment_id,
               struct error *err)
{
    struct queue_found *list = NULL;
    int n = 0, room = 0;
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT r.hash, r.run_id, " OPEN_JOB " FROM run r WHERE r.run_id IN"
                       " (SELECT x.run_id FROM arm a JOIN arm_run x USING (arm_id)"
                       "  WHERE a.experiment_id = ?1)",
                       "i", experiment_id);

    *out = NULL;
    *count = 0;
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        if (n == room) {
            room = 2 * room + 16;
            struct queue_found *larger = large_array_resize(list, (size_t)room * sizeof *list);

            if (larger == NULL) {
                sql_end(&s);
                rc = error_no_memory(err, "the queue");
                break;
            }
            list = larger;
        }
        sql_copy_text(list[n].hash, sizeof list[n].hash, s, 0);
        list[n].run_id = sqlite3_column_int64(s, 1);
        list[n++].open_job = sqlite3_column_int64(s, 2);
    }
    if (rc < 0) {
        free(list);
        return rc;
    }
    *out = list;
    *count = n;
    return 0;
}

int queue_find_run(struct store *store, int64_t *run_id, int64_t *open_job,
                   const char *run_hash, struct error *err)
{
    sqlite3_stmt *s;
    int rc =
        sql_query(store, &s, err, "SELECT r.run_id, " OPEN_JOB " FROM run r WHERE r.hash = ?1",
                  "t", run_hash);

    *run_id = *open_job = 0;
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) { /* at most one row */
        rc = 0;
        *run_id = sqlite3_column_int64(s, 0);
        *open_job = sqlite3_column_int64(s, 1);
    }
    return rc;
}

int queue_state(struct store *store, struct queue_state *out, const char *run_hash,
                struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT r.run_id, " OPEN_JOB ", j.job_id, j.state, j.cause,"
                       " (SELECT file FROM checkpoint c WHERE c.run_id = r.run_id)"
                       " FROM run r LEFT JOIN job j ON j.job_id = (SELECT max(k.job_id)"
                       "  FROM job k WHERE k.run_id = r.run_id AND k.kind = 'train')"
                       " WHERE r.hash = ?1",
                       "t", run_hash);

    memset(out, 0, sizeof *out);
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) { /* at most one row */
        rc = 0;
        out->run_id = sqlite3_column_int64(s, 0);
        out->open_job = sqlite3_column_int64(s, 1);
        out->last_train_job = sqlite3_column_int64(s, 2);
        bool known = job_state_parse(&out->train_state, sql_text(s, 3));
        assert(known || out->last_train_job == 0); /* the schema allows no other */
        (void)known;
        out->train_cause = outcome_parse(sql_text(s, 4));
        snprintf(out->checkpoint, sizeof out->checkpoint, "%s", sql_text(s, 5));
    }
    return rc;
}

int queue_has_result(struct store *store, bool *out, int64_t run_id, const char *canonical,
                     struct error *err)
{
    int64_t id;

    return sql_int(store, &id, out, err,
                   "SELECT evaluation_id FROM run_inference JOIN evaluation_result USING"
                   " (evaluation_id) WHERE run_id = ?1 AND checkpoint = 'last'"
                   " AND inference_id = " INFERENCE_OF "?2)",
                   "it", run_id, canonical);
}

int queue_forget_checkpoint(struct store *store, int64_t run_id, struct error *err)
{
    return sql_run(store, err, "DELETE FROM checkpoint WHERE run_id = ?1", "i", run_id);
}

void queue_free_missing(struct queue_missing *missing, int count)
{
    for (int i = 0; i < count; i++)
        free(missing[i].canonical);
    free(missing);
}

int queue_missing_evaluations(struct store *store, struct queue_missing **out, int *count,
                              int64_t run_id, struct error *err)
{
    sqlite3_stmt *s;
    struct queue_missing *list = NULL;
    int n = 0;
    int rc = sql_query(store, &s, err,
                       "SELECT v.evaluation_id, i.canonical FROM run_inference v"
                       " JOIN inference i USING (inference_id)"
                       " WHERE v.run_id = ?1 AND EXISTS (SELECT 1 FROM arm_run"
                       "  JOIN arm_inference x USING (arm_id)"
                       "  WHERE run_id = ?1 AND x.inference_id = v.inference_id)"
                       " AND NOT EXISTS (SELECT 1 FROM evaluation_result r"
                       "  WHERE r.evaluation_id = v.evaluation_id AND r.checkpoint = 'last')"
                       " ORDER BY v.evaluation_id",
                       "i", run_id);

    *out = NULL;
    *count = 0;
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        struct queue_missing *larger = realloc(list, (size_t)(n + 1) * sizeof *list);
        if (larger != NULL) {
            list = larger;
            list[n].evaluation_id = sqlite3_column_int64(s, 0);
            list[n].canonical = sql_text_copy(s, 1);
        }
        rc = 0;
        if (larger == NULL || list[n++].canonical == NULL) {
            sql_end(&s);
            rc = error_no_memory(err, "the queue");
        }
    }
    if (rc < 0) {
        queue_free_missing(list, n);
        return rc;
    }
    *out = list;
    *count = n;
    return 0;
}

/* Whether jobs may have another priority than the experiment's: otherwise none that is
 * open has, and no other experiment a higher one. Looks at the ends of an index. */
static int priorities_differ(struct store *store, int64_t *out, int64_t experiment_id,
                             struct error *err)
{
#define OPEN_JOBS                                                                              \
    "SELECT 1 FROM job INDEXED BY job_by_state"                                                \
    " WHERE state IN ('queued', 'starting', 'running')"
    return sql_int(store, out, NULL, err,
                   "SELECT EXISTS (" OPEN_JOBS " AND job.priority < e.priority)"
                   " OR EXISTS (" OPEN_JOBS " AND job.priority > e.priority)"
                   " OR EXISTS (SELECT 1 FROM experiment o"
                   "  WHERE o.priority > e.priority AND o.cancelled = 0)"
                   " FROM experiment e WHERE e.experiment_id = ?1",
                   "i", experiment_id);
#undef OPEN_JOBS
}

int queue_set_priority(struct store *store, int64_t experiment_id, struct error *err)
{
    int64_t differ = 0;
    int rc = priorities_differ(store, &differ, experiment_id, err);

    if (rc < 0 || differ == 0)
        return rc;
    return sql_run(store, err,
                   "UPDATE job INDEXED BY job_by_state SET priority = w.priority FROM"
                   " (SELECT ar.run_id AS run_id, max(e.priority) AS priority"
                   "   FROM arm_run ar JOIN arm a USING (arm_id)"
                   "   JOIN experiment e USING (experiment_id)"
                   "   WHERE e.cancelled = 0 AND ar.run_id IN (SELECT m.run_id FROM arm b"
                   "    JOIN arm_run m USING (arm_id) WHERE b.experiment_id = ?1)"
                   "   GROUP BY ar.run_id) w"
                   " WHERE job.state IN ('queued', 'starting', 'running')"
                   " AND w.run_id = job.run_id AND job.priority <> w.priority",
                   "i", experiment_id);
}

int queue_request(struct store *store, enum request_kind kind, const char *target,
                  struct error *err)
{
    char now[CLOCK_ISO_SIZE];

    clock_iso_now(now);
    return sql_run(store, err,
                   "INSERT INTO request (kind, target, asked_at) VALUES (?1, ?2, ?3)", "ttt",
                   request_kind_name(kind), target, now);
}
