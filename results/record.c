/* record.c - changes the states of jobs and attempts. */
#include "record.h"

#include "clock.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "record_base.h"
#include "settings.h"
#include "sql.h"
#include "store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for one more item in a list whose capacity doubles. */
static void *grow(void *list, int count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return list;
    return realloc(list, (count == 0 ? 1 : 2 * (size_t)count) * size);
}

void record_free_jobs(struct record_job *jobs, int count)
{
    for (int i = 0; i < count; i++)
        free(jobs[i].label);
    free(jobs);
}

/* The table has every state that the schema allows. */
static enum job_state job_state_of(const char *name)
{
    enum job_state state = JOB_QUEUED;
    bool known = job_state_parse(&state, name);

    assert(known);
    (void)known;
    return state;
}

static enum attempt_state attempt_state_of(const char *name)
{
    enum attempt_state state = ATTEMPT_STARTING;
    bool known = attempt_state_parse(&state, name);

    assert(known);
    (void)known;
    return state;
}

/* NULL for no cause, which is stored as SQL's NULL. */
static const char *cause_text(enum outcome cause)
{
    return cause == OUTCOME_NONE ? NULL : outcome_name(cause);
}

static void read_job(struct record_job *job, sqlite3_stmt *s)
{
    *job = (struct record_job){
        .job_id = sqlite3_column_int64(s, 0),
        .run_id = sqlite3_column_int64(s, 1),
        .state = job_state_of(sql_text(s, 3)),
        .evaluate = strcmp(sql_text(s, 4), "evaluate") == 0,
        .priority = sqlite3_column_int(s, 5),
        .threads = sqlite3_column_int(s, 6),
        .retries_max = sqlite3_column_int(s, 7),
        .failures = sqlite3_column_int(s, 8),
        .cost = sqlite3_column_double(s, 9),
        .memory_gb = sqlite3_column_double(s, 10),
        .time_limit_min = sqlite3_column_double(s, 11),
        .retry_delay_s = sqlite3_column_double(s, 14),
        .own = sqlite3_column_int(s, 16) != 0,
        .not_before = sqlite3_column_double(s, 17),
        .hang_s = sqlite3_column_type(s, 15) == SQLITE_NULL
                      ? strtod(settings_table[RESOURCES_HANG_S].absent_means, NULL)
                      : sqlite3_column_double(s, 15),
    };
    snprintf(job->run_hash, sizeof job->run_hash, "%s", sql_text(s, 2));
    job->label = format_string("%s seed %s", sql_text(s, 12), sql_text(s, 13));
}

#define IN_EXPERIMENT                                                                          \
    "(?1 IS NULL OR EXISTS (SELECT 1 FROM arm_run x JOIN arm a USING (arm_id)"                 \
    "  JOIN experiment e USING (experiment_id) WHERE x.run_id = j.run_id AND e.name = ?1))"

/* The columns that read_job() reads. ?1: the experiment to name in the label if the run
 * belongs to several. */
#define SELECT_JOBS                                                                            \
    "SELECT j.job_id, j.run_id, r.hash, j.state, j.kind, j.priority, j.threads,"               \
    " j.retries_max, j.failures, j.cost, j.memory_gb, j.time_limit_min,"                       \
    " coalesce((SELECT e.name || ': ' || a.label FROM arm_run x"                               \
    "  JOIN arm a USING (arm_id) JOIN experiment e USING (experiment_id)"                      \
    "  WHERE x.run_id = j.run_id ORDER BY e.name = ?1 DESC LIMIT 1), "                         \
    "substr(r.hash, 1, 12)), r.seed, j.retry_delay_s,"                                         \
    " (SELECT settings ->> '$.\"resources.hang_s\"' FROM execution n"                          \
    "  WHERE n.execution_id = j.execution_id), " IN_EXPERIMENT ", j.not_before"                \
    " FROM job j JOIN run r USING (run_id)"

/* Collects the rows of the statement and ends it. */
static int collect_jobs(struct store *store, sqlite3_stmt **s, struct record_job **out,
                        int *count, struct error *err)
{
    struct record_job *jobs = NULL;
    int n = 0, rc;

    *out = NULL;
    *count = 0;
    while ((rc = sql_step(store, s, err)) > 0) {
        struct record_job *larger = grow(jobs, n, sizeof *jobs);
        if (larger != NULL) {
            jobs = larger;
            read_job(&jobs[n++], *s);
        }
        if (larger == NULL || jobs[n - 1].label == NULL) {
            sql_end(s);
            rc = error_no_memory(err, "the job list");
            break;
        }
    }
    if (rc < 0) {
        record_free_jobs(jobs, n);
        return rc;
    }
    *out = jobs;
    *count = n;
    return 0;
}

int record_busy_jobs(struct store *store, struct record_job **out, int *count,
                     const char *experiment, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       SELECT_JOBS " WHERE j.state IN ('starting', 'running') OR j.job_id IN"
                                   " (SELECT job_id FROM attempt WHERE state IN ('starting',"
                                   " 'running')) ORDER BY j.job_id",
                       "t", experiment);

    return rc < 0 ? rc : collect_jobs(store, &s, out, count, err);
}

int record_next_jobs(struct store *store, struct record_job **out, int *count,
                     const struct record_scope *scope, double now, int most, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(
        store, &s, err,
        SELECT_JOBS " WHERE j.state = 'queued' AND NOT (j.not_before > ?2 AND"
                    " j.not_before < ?2 + ?4) AND NOT (j.kind = 'evaluate' AND"
                    " EXISTS (SELECT 1 FROM job t WHERE t.run_id = j.run_id AND"
                    "  t.kind = 'train' AND t.state IN ('queued', 'starting',"
                    "  'running'))) AND " RECORD_BASE_READY " AND ((?5 AND j.priority > ?6)"
                    " OR " IN_EXPERIMENT
                    ") ORDER BY j.priority DESC, j.cost DESC, j.job_id LIMIT ?3",
        "triiii", scope->experiment, now, (int64_t)most, (int64_t)RECORD_LONGEST_WAIT_S,
        (int64_t)scope->others, (int64_t)scope->above);

    return rc < 0 ? rc : collect_jobs(store, &s, out, count, err);
}

int record_find_job(struct store *store, struct record_job **out, int *count, const char *hash,
                    bool evaluate, struct error *err)
{
    sqlite3_stmt *s;
    int rc =
        sql_query(store, &s, err,
                  SELECT_JOBS " WHERE r.hash = ?2 AND j.kind = ?3 AND j.state IN ('queued',"
                              " 'starting', 'running') ORDER BY j.job_id LIMIT 1",
                  "ttt", (const char *)NULL, hash, evaluate ? "evaluate" : "train");

    return rc < 0 ? rc : collect_jobs(store, &s, out, count, err);
}

int record_open_totals(struct store *store, struct record_totals *out, const char *experiment,
                       struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT count(*), coalesce(sum(cost), 0.0), coalesce(max(priority), 0)"
                       " FROM job j WHERE j.state IN ('queued', 'starting', 'running')"
                       " AND " IN_EXPERIMENT,
                       "t", experiment);

    *out = (struct record_totals){ 0 };
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc <= 0)
        return rc;
    out->jobs = sqlite3_column_int(s, 0);
    out->cost = sqlite3_column_double(s, 1);
    out->priority = sqlite3_column_int(s, 2);
    sql_end(&s);
    return 0;
}

int record_job_state(struct store *store, int64_t job_id, enum job_state state,
                     enum outcome cause, const char *message, struct error *err)
{
    char now[CLOCK_ISO_SIZE];

    clock_iso_now(now);
    return sql_run(store, err,
                   "UPDATE job SET state = ?2, cause = ?3, message = ?4, finished_at = ?5"
                   " WHERE job_id = ?1",
                   "itttt", job_id, job_state_name(state), cause_text(cause), message,
                   job_state_is_open(state) ? NULL : now);
}

int record_job_requeue(struct store *store, int64_t job_id, struct error *err)
{
    int rc =
        sql_run(store, err, "UPDATE job SET failures = 0, not_before = 0 WHERE job_id = ?1",
                "i", job_id);

    if (rc == 0)
        rc = record_requeue_base(store, job_id, err);
    return rc < 0 ? rc : record_job_state(store, job_id, JOB_QUEUED, OUTCOME_NONE, NULL, err);
}

int record_job_retry(struct store *store, int64_t job_id, bool counts, double not_before,
                     enum outcome cause, const char *message, struct error *err)
{
    int rc =
        sql_run(store, err,
                "UPDATE job SET failures = failures + ?2, not_before = ?3 WHERE job_id = ?1",
                "iir", job_id, (int64_t)counts, not_before);

    return rc < 0 ? rc : record_job_state(store, job_id, JOB_QUEUED, cause, message, err);
}

int record_attempt(struct store *store, int64_t *attempt_id, int *number, char directory[160],
                   const struct record_job *job, const char *executor, int least,
                   struct error *err)
{
    int64_t last;
    char now[CLOCK_ISO_SIZE];
    int rc = sql_int(store, &last, NULL, err,
                     "SELECT coalesce(max(number), 0) FROM attempt WHERE run_id = ?1", "i",
                     job->run_id);

    if (rc < 0)
        return rc;
    *number = (int)last + 1 > least ? (int)last + 1 : least;
    snprintf(directory, 160, "runs/%s/attempts/%d", job->run_hash, *number);
    clock_iso_now(now);
    rc =
        sql_run(store, err,
                "INSERT INTO attempt (job_id, run_id, number, directory, executor, state,"
                " started_at) VALUES (?1, ?2, ?3, ?4, ?5, 'starting', ?6)",
                "iiittt", job->job_id, job->run_id, (int64_t)*number, directory, executor, now);
    *attempt_id = sqlite3_last_insert_rowid(store_connection(store));
    return rc < 0 ? rc
                  : record_job_state(store, job->job_id, JOB_STARTING, OUTCOME_NONE, NULL, err);
}

/* Parses text and adds it to the list. */
static int add_parsed(cJSON *list, const char *text, struct error *err)
{
    cJSON *value = NULL;
    int rc = json_parse(&value, text, strlen(text), "database", err);

    if (rc == 0 && !cJSON_AddItemToArray(list, value)) {
        cJSON_Delete(value);
        rc = error_no_memory(err, "the job list");
    }
    return rc;
}

/* Adds the evaluations of a job: for a train job all evaluations of its run, for an
 * evaluate job those that it was queued for. */
static int add_evaluations(struct store *store, cJSON *list, const struct record_job *job,
                           struct error *err)
{
    sqlite3_stmt *s;
    int rc =
        sql_query(store, &s, err,
                  job->evaluate ? "SELECT canonical FROM job_evaluation JOIN evaluation USING"
                                  " (evaluation_id) WHERE job_id = ?1 ORDER BY evaluation_id"
                                : "SELECT canonical FROM evaluation WHERE run_id = ?1"
                                  " ORDER BY evaluation_id",
                  "i", job->evaluate ? job->job_id : job->run_id);

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = add_parsed(list, sql_text(s, 0), err);
        if (rc < 0)
            sql_end(&s);
    }
    return rc;
}

int record_job_settings(struct store *store, cJSON *config, int64_t job_id, struct error *err)
{
    sqlite3_stmt *s;
    cJSON *settings = NULL;
    int rc = sql_query(store, &s, err,
                       "SELECT settings FROM job JOIN execution USING (execution_id)"
                       " WHERE job_id = ?1",
                       "i", job_id);

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) { /* at most one row */
        cJSON_Delete(settings);
        rc = json_parse(&settings, sql_text(s, 0), strlen(sql_text(s, 0)), "database", err);
        if (rc < 0)
            sql_end(&s);
    }
    if (rc == 0 && settings != NULL)
        rc = config_replace_job_settings(config, settings, err);
    cJSON_Delete(settings);
    return rc;
}

int record_job_json(struct store *store, cJSON **out, const struct record_job *job, int attempt,
                    struct error *err)
{
    sqlite3_stmt *s;
    cJSON *json = cJSON_CreateObject();
    int rc = sql_query(store, &s, err,
                       "SELECT t.data_hash, t.job_config, (SELECT file FROM checkpoint c"
                       " WHERE c.run_id = r.run_id), r.seed, r.base_hash"
                       " FROM run r JOIN training t USING (training_id) WHERE r.run_id = ?1",
                       "i", job->run_id);

    *out = NULL;
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc == 0)
        rc = error_set(err, ERROR_ABSENT, "run %s is not in the database", job->run_hash);
    if (rc < 0) {
        cJSON_Delete(json);
        return rc;
    }
    char prefix[96]; /* in job.json, files are relative to the run's directory */
    int length = snprintf(prefix, sizeof prefix, "runs/%s/", job->run_hash);
    const char *file = sql_text(s, 2);
    if (strncmp(file, prefix, (size_t)length) == 0)
        file += length;
    bool whole =
        cJSON_AddStringToObject(json, "format", "hrmlab-job-1") != NULL &&
        cJSON_AddStringToObject(json, "kind", job->evaluate ? "evaluate" : "train") != NULL &&
        cJSON_AddStringToObject(json, "run_hash", job->run_hash) != NULL &&
        cJSON_AddNumberToObject(json, "attempt", attempt) != NULL &&
        cJSON_AddStringToObject(json, "data_hash", sql_text(s, 0)) != NULL &&
        (job->evaluate ? cJSON_AddStringToObject(json, "checkpoint", file)
                       : cJSON_AddNullToObject(json, "checkpoint")) != NULL;
    cJSON *config = NULL;
    rc = whole ? record_run_config(&config, sql_text(s, 1), sqlite3_column_int64(s, 3),
                                   sql_text(s, 4), err)
               : error_no_memory(err, "the job list");
    if (rc == 0 && !cJSON_AddItemToObject(json, "config", config)) {
        cJSON_Delete(config);
        rc = error_no_memory(err, "the job list");
    }
    sql_end(&s);
    if (rc == 0)
        rc = record_job_settings(store, cJSON_GetObjectItemCaseSensitive(json, "config"),
                                 job->job_id, err);
    cJSON *list = cJSON_AddArrayToObject(json, "evaluations");
    if (rc == 0 && list == NULL)
        rc = error_no_memory(err, "the job list");
    if (rc == 0)
        rc = add_evaluations(store, list, job, err);
    if (rc == 0 && !job->evaluate)
        rc = record_add_init(store, json, job->run_id, err);
    if (rc < 0) {
        cJSON_Delete(json);
        return rc;
    }
    *out = json;
    return 0;
}

int record_attempt_place(struct store *store, int64_t attempt_id,
                         const struct record_place *place, struct error *err)
{
    return sql_run(store, err,
                   "UPDATE attempt SET place = ?2, host = nullif(?3, ''),"
                   " cpus = nullif(?4, '') WHERE attempt_id = ?1",
                   "ittt", attempt_id, place->place, place->host, place->cpus);
}

int record_attempt_running(struct store *store, int64_t attempt_id, int64_t job_id,
                           struct error *err)
{
    int64_t starting = 0;
    int rc = sql_run(store, err, "UPDATE attempt SET state = 'running' WHERE attempt_id = ?1",
                     "i", attempt_id);

    if (rc == 0)
        rc = sql_int(store, &starting, NULL, err,
                     "SELECT state = 'starting' FROM job WHERE job_id = ?1", "i", job_id);
    return rc < 0 || starting == 0
               ? rc
               : record_job_state(store, job_id, JOB_RUNNING, OUTCOME_NONE, NULL, err);
}

/* What read_attempt() reads. */
#define SELECT_ATTEMPTS                                                                        \
    "SELECT attempt_id, job_id, run_id, journal_offset, journal_sequence, number, state,"      \
    " directory, executor, place FROM attempt"

static void read_attempt(struct record_attempt *a, sqlite3_stmt *s)
{
    *a = (struct record_attempt){
        .attempt_id = sqlite3_column_int64(s, 0),
        .job_id = sqlite3_column_int64(s, 1),
        .run_id = sqlite3_column_int64(s, 2),
        .offset = sqlite3_column_int64(s, 3),
        .sequence = sqlite3_column_int64(s, 4),
        .number = sqlite3_column_int(s, 5),
        .state = attempt_state_of(sql_text(s, 6)),
    };
    snprintf(a->directory, sizeof a->directory, "%s", sql_text(s, 7));
    snprintf(a->executor, sizeof a->executor, "%s", sql_text(s, 8));
    snprintf(a->place, sizeof a->place, "%s", sql_text(s, 9));
}

/* Collects the rows of the statement and ends it. */
static int collect_attempts(struct store *store, sqlite3_stmt **s, struct record_attempt **out,
                            int *count, struct error *err)
{
    struct record_attempt *list = NULL;
    int n = 0, rc;

    *out = NULL;
    *count = 0;
    while ((rc = sql_step(store, s, err)) > 0) {
        struct record_attempt *larger = grow(list, n, sizeof *list);
        if (larger == NULL) {
            sql_end(s);
            rc = error_no_memory(err, "the job list");
            break;
        }
        list = larger;
        read_attempt(&list[n++], *s);
    }
    if (rc < 0) {
        free(list);
        return rc;
    }
    *out = list;
    *count = n;
    return 0;
}

int record_open_attempts(struct store *store, struct record_attempt **out, int *count,
                         struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(
        store, &s, err,
        SELECT_ATTEMPTS " WHERE state IN ('starting', 'running') ORDER BY attempt_id", "");

    return rc < 0 ? rc : collect_attempts(store, &s, out, count, err);
}

int record_run_attempts(struct store *store, struct record_attempt **out, int *count,
                        int64_t run_id, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err, SELECT_ATTEMPTS " WHERE run_id = ?1 ORDER BY number",
                       "i", run_id);

    return rc < 0 ? rc : collect_attempts(store, &s, out, count, err);
}

int record_offset(struct store *store, int64_t attempt_id, int64_t offset, int64_t sequence,
                  struct error *err)
{
    return sql_run(store, err,
                   "UPDATE attempt SET journal_offset = ?2, journal_sequence = ?3"
                   " WHERE attempt_id = ?1",
                   "iii", attempt_id, offset, sequence);
}

int record_attempt_end(struct store *store, int64_t attempt_id, const struct record_end *end,
                       struct error *err)
{
    char now[CLOCK_ISO_SIZE];
    int rc;

    clock_iso_now(now);
    rc = sql_run(store, err,
                 "UPDATE attempt SET state = ?2, outcome = ?3, message = ?4, ended_at = ?5"
                 " WHERE attempt_id = ?1",
                 "itttt", attempt_id, attempt_state_name(end->state),
                 outcome_name(end->outcome), end->message, now);
    if (rc < 0 || end->exit == NULL)
        return rc;
    bool exited = cJSON_IsNumber(json_member(end->exit, "exit_status"));
    return sql_run(
        store, err,
        "UPDATE attempt SET exit_status = iif(?2, ?3, NULL),"
        " exit_signal = iif(?2, NULL, ?4), user_seconds = ?5, system_seconds = ?6,"
        " peak_rss_mib = ?7 WHERE attempt_id = ?1",
        "iiiirrr", attempt_id, (int64_t)exited, json_integer_or(end->exit, "exit_status", 0),
        json_integer_or(end->exit, "signal", 0), json_real_or(end->exit, "user_seconds", 0.0),
        json_real_or(end->exit, "system_seconds", 0.0),
        json_real_or(end->exit, "peak_rss_mib", 0.0));
}

/* The directory of the database when it was last written to; *path NULL: not
 * recorded. */
static int read_workspace(struct store *store, char **path, int64_t *device, int64_t *inode,
                          struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err, "SELECT path, device, inode FROM workspace", "");

    *path = NULL;
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) { /* at most one row */
        rc = 0;
        *path = sql_text_copy(s, 0);
        *device = sqlite3_column_int64(s, 1);
        *inode = sqlite3_column_int64(s, 2);
        if (*path == NULL) {
            sql_end(&s);
            rc = error_no_memory(err, "the workspace's path");
        }
    }
    return rc;
}

/* In a copy, the processes of attempts belong to the original and are not looked
 * for. */
static int forget_processes(struct store *store, struct error *err)
{
    return sql_run(store, err,
                   "UPDATE attempt SET place = NULL WHERE state IN ('starting', 'running')",
                   "");
}

int record_workspace(struct store *store, char **from, const struct record_workspace *place,
                     struct error *err)
{
    int64_t device = 0, inode = 0;
    char *path = NULL;
    int rc = read_workspace(store, &path, &device, &inode, err);
    bool known = path != NULL;
    bool here =
        known && inode == place->inode && (place->any_device || device == place->device);

    *from = NULL;
    if (rc < 0 || (here && strcmp(path, place->path) == 0)) {
        free(path);
        return rc;
    }
    rc = store_begin(store, err);
    if (rc == 0)
        rc = sql_run(store, err,
                     "INSERT OR REPLACE INTO workspace (only_row, path, device, inode)"
                     " VALUES (1, ?1, ?2, ?3)",
                     "tii", place->path, place->device, place->inode);
    if (rc == 0 && known && !here)
        rc = forget_processes(store, err);
    if (rc == 0)
        rc = store_commit(store, err);
    if (rc < 0)
        store_rollback(store);
    if (rc == 0 && known && !here)
        *from = path;
    else
        free(path);
    return rc;
}

int record_next_request(struct store *store, int64_t *id, enum request_kind *kind,
                        char target[160], struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT request_id, kind, target FROM request WHERE answered_at IS NULL"
                       " ORDER BY request_id LIMIT 1",
                       "");

    *id = 0;
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc > 0) {
        *id = sqlite3_column_int64(s, 0);
        bool known = request_kind_parse(kind, sql_text(s, 1));
        assert(known); /* the schema allows no other */
        (void)known;
        snprintf(target, 160, "%s", sql_text(s, 2));
        sql_end(&s);
    }
    return rc < 0 ? rc : 0;
}

int record_answer_request(struct store *store, int64_t id, const char *answer,
                          struct error *err)
{
    char now[CLOCK_ISO_SIZE];

    clock_iso_now(now);
    return sql_run(store, err,
                   "UPDATE request SET answered_at = ?2, answer = ?3 WHERE request_id = ?1",
                   "itt", id, now, answer);
}

/* The jobs of a target (?1) in the states that replace %s: all jobs, those of a run
 * by its hash unless an experiment has that name, or those of an experiment. A further
 * condition on the latter and two closing parentheses follow. */
#define JOBS_OF_TARGET                                                                         \
    " FROM job j CROSS JOIN run r USING (run_id)" /* by state first */                         \
    " WHERE j.state IN (%s)"                                                                   \
    " AND j.job_id = (SELECT max(k.job_id) FROM job k"                                         \
    "  WHERE k.run_id = j.run_id AND k.kind = j.kind)"                                         \
    " AND (?1 = 'all' OR (length(?1) >= 4 AND"                                                 \
    "  substr(r.hash, 1, length(?1)) = ?1 AND NOT EXISTS"                                      \
    "  (SELECT 1 FROM experiment n WHERE n.name = ?1)) OR (j.run_id IN"                        \
    "  (SELECT x.run_id FROM arm_run x JOIN arm a USING (arm_id)"                              \
    "   JOIN experiment e USING (experiment_id) WHERE e.name = ?1)"

/* SQL condition: another experiment that is not cancelled needs the run too. */
#define WANTED_BY_ANOTHER                                                                      \
    "EXISTS (SELECT 1 FROM arm_run y JOIN arm b USING (arm_id)"                                \
    " JOIN experiment f USING (experiment_id)"                                                 \
    " WHERE y.run_id = j.run_id AND f.name <> ?1 AND f.cancelled = 0)"

/* Inserts the names of the states into the statement. Newly allocated; NULL: no
 * memory. */
static char *name_states(const char *format, unsigned states)
{
    char names[160] = "";
    size_t used = 0;

    for (int i = 0; i < JOB_STATE_COUNT && used < sizeof names; i++)
        if (states & JOB_IN(i))
            used += (size_t)snprintf(names + used, sizeof names - used, "%s'%s'",
                                     used > 0 ? ", " : "", job_state_name((enum job_state)i));
    assert(used < sizeof names);
    const char *place = strstr(format, "%s");
    return format_string("%.*s%s%s", (int)(place - format), format, names, place + 2);
}

int record_count_shared_jobs(struct store *store, int64_t *out, const char *target,
                             unsigned states, struct error *err)
{
    char *sql = name_states("SELECT count(*)" JOBS_OF_TARGET ")) AND ?1 <> 'all'"
                            " AND substr(r.hash, 1, length(?1)) <> ?1 AND " WANTED_BY_ANOTHER,
                            states);
    int rc;

    if (sql == NULL)
        return error_no_memory(err, "the job list");
    rc = sql_int(store, out, NULL, err, sql, "t", target);
    free(sql);
    return rc;
}

int record_cancel_experiment(struct store *store, const char *target, bool cancelled,
                             struct error *err)
{
    return sql_run(store, err, "UPDATE experiment SET cancelled = ?2 WHERE ?1 IN ('all', name)",
                   "ti", target, (int64_t)cancelled);
}

int record_find_jobs(struct store *store, int64_t **ids, int *count, const char *target,
                     unsigned states, enum record_sharing sharing, struct error *err)
{
    sqlite3_stmt *s;
    int64_t *list = NULL;
    int n = 0;
    char *sql = name_states(sharing == RECORD_ALL_JOBS ? "SELECT j.job_id" JOBS_OF_TARGET "))"
                                                       : "SELECT j.job_id" JOBS_OF_TARGET
                                                         " AND NOT " WANTED_BY_ANOTHER "))",
                            states);
    int rc;

    *ids = NULL;
    *count = 0;
    if (sql == NULL)
        return error_no_memory(err, "the job list");
    rc = sql_query(store, &s, err, sql, "t", target);
    free(sql);
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        int64_t *larger = grow(list, n, sizeof *list);
        rc = 0;
        if (larger == NULL) {
            sql_end(&s);
            rc = error_no_memory(err, "the job list");
            break;
        }
        list = larger;
        list[n++] = sqlite3_column_int64(s, 0);
    }
    if (rc < 0) {
        free(list);
        return rc;
    }
    *ids = list;
    *count = n;
    return 0;
}
