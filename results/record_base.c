/* record_base.c - what a run needs of its base. */
#include "record_base.h"

#include "error.h"
#include "file.h"
#include "init_from.h"
#include "json.h"
#include "settings.h"
#include "sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_JOB "('queued', 'starting', 'running')"

int record_baseless_jobs(struct store *store, struct record_baseless *out, int most, int *count,
                         struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(
        store, &s, err,
        "SELECT j.job_id, r.base_hash, (SELECT k.state || coalesce(', ' || k.cause, '')"
        "  FROM run b JOIN job k USING (run_id) WHERE b.hash = r.base_hash"
        "  AND k.kind = 'train' ORDER BY k.job_id DESC LIMIT 1)"
        " FROM run r JOIN job j USING (run_id)"
        " WHERE r.base_hash IS NOT NULL AND j.state = 'queued' AND j.kind = 'train'"
        " AND NOT EXISTS (SELECT 1 FROM run b WHERE b.hash = r.base_hash"
        "  AND (EXISTS (SELECT 1 FROM checkpoint c WHERE c.run_id = b.run_id)"
        "   OR EXISTS (SELECT 1 FROM job k WHERE k.run_id = b.run_id"
        "    AND k.kind = 'train' AND k.state IN " OPEN_JOB ")))"
        " ORDER BY j.job_id LIMIT ?1",
        "i", (int64_t)most);

    *count = 0;
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        struct record_baseless *job = &out[(*count)++];

        rc = 0;
        job->job_id = sqlite3_column_int64(s, 0);
        snprintf(job->base_hash, sizeof job->base_hash, "%s", sql_text(s, 1));
        snprintf(job->why, sizeof job->why, "%s", sql_text(s, 2));
    }
    return rc;
}

int record_run_config(cJSON **out, const char *job_config, int64_t seed, const char *base_hash,
                      struct error *err)
{
    char *text = strdup(job_config);
    int rc = text == NULL ? error_no_memory(err, "a job") : 0;

    *out = NULL;
    if (rc == 0 && strlen(base_hash) == INIT_HASH_DIGITS)
        init_from_put_run(text, base_hash);
    if (rc == 0)
        rc = json_parse(out, text, strlen(text), "database", err);
    /* 0 is what its absence means */
    if (rc == 0 && seed != 0 && cJSON_IsObject(*out) &&
        cJSON_AddNumberToObject(*out, settings_table[TRAIN_SEED].key, (double)seed) == NULL) {
        cJSON_Delete(*out);
        *out = NULL;
        rc = error_no_memory(err, "a job");
    }
    free(text);
    return rc;
}

/* The file of a base's weights, and what tells its puzzle ids apart. */
static int add_run(struct store *store, cJSON *init, const char *hash, struct error *err)
{
    sqlite3_stmt *s;
    cJSON *config = NULL;
    bool found = false, whole = true;
    int rc = sql_query(store, &s, err,
                       "SELECT c.file, t.data_hash, t.job_config,"
                       " (SELECT n.settings FROM job k JOIN execution n USING (execution_id)"
                       "   WHERE k.run_id = b.run_id ORDER BY k.job_id DESC LIMIT 1),"
                       " b.seed, b.base_hash FROM run b JOIN training t USING (training_id)"
                       " LEFT JOIN checkpoint c USING (run_id) WHERE b.hash = ?1",
                       "t", hash);

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) { /* one row or none */
        cJSON *place = NULL;

        found = sql_text(s, 0)[0] != '\0';
        whole = cJSON_AddStringToObject(init, "file", sql_text(s, 0)) != NULL &&
                cJSON_AddStringToObject(init, "run_hash", hash) != NULL &&
                cJSON_AddStringToObject(init, "data_hash", sql_text(s, 1)) != NULL;
        rc = record_run_config(&config, sql_text(s, 2), sqlite3_column_int64(s, 4),
                               sql_text(s, 5), err);
        if (rc == 0 && sql_text(s, 3)[0] != '\0')
            rc = json_parse(&place, sql_text(s, 3), strlen(sql_text(s, 3)), "database", err);
        if (rc == 0 && place != NULL)
            rc = config_replace_job_settings(config, place, err);
        cJSON_Delete(place);
        if (rc < 0 || !whole || !cJSON_AddItemToObject(init, "config", config)) {
            cJSON_Delete(config);
            sql_end(&s);
            return rc < 0 ? rc : error_no_memory(err, "a job");
        }
    }
    if (rc == 0 && !found)
        rc = error_set(err, ERROR_ABSENT, "run %.12s, which others begin with, has no weights",
                       hash);
    return rc;
}

int record_add_init(struct store *store, cJSON *job, int64_t run_id, struct error *err)
{
    sqlite3_stmt *s;
    char run[INIT_HASH_DIGITS + 1] = "", file[INIT_HASH_DIGITS + 1] = "";
    int rc = sql_query(store, &s, err,
                       "SELECT base_hash, canonical FROM run JOIN training USING (training_id)"
                       " WHERE run_id = ?1",
                       "i", run_id);

    cJSON_DeleteItemFromObjectCaseSensitive(job, "init_from");
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) { /* one row */
        rc = 0;
        sql_copy_text(run, sizeof run, s, 0);
        if (run[0] == '\0')
            (void)init_from_find(file, sql_text(s, 1), INIT_FILE_PREFIX);
    }
    if (rc < 0 || (run[0] == '\0' && file[0] == '\0'))
        return rc;
    cJSON *init = cJSON_AddObjectToObject(job, "init_from");
    if (init == NULL)
        return error_no_memory(err, "a job");
    if (run[0] != '\0')
        return add_run(store, init, run, err);
    char *path = format_string("weights/%s.safetensors", file);
    bool added = path != NULL && cJSON_AddStringToObject(init, "file", path) != NULL;
    free(path);
    return added ? 0 : error_no_memory(err, "a job");
}

int record_base_of(struct store *store, int64_t *base, int64_t run_id, struct error *err)
{
    bool found; /* false: *base is 0 */

    return sql_int(store, base, &found, err,
                   "SELECT b.run_id FROM run r JOIN run b ON b.hash = r.base_hash"
                   " WHERE r.run_id = ?1 AND NOT EXISTS (SELECT 1 FROM job k"
                   "  WHERE k.run_id = b.run_id AND k.kind = 'train' AND k.state IN " OPEN_JOB
                   ")",
                   "i", run_id);
}

int record_requeue_base(struct store *store, int64_t job_id, struct error *err)
{
    return sql_run(store, err,
                   "UPDATE job SET state = 'queued', cause = NULL, message = NULL,"
                   " finished_at = NULL, failures = 0, not_before = 0 WHERE job_id ="
                   " (SELECT max(k.job_id) FROM job j JOIN run r USING (run_id)"
                   "   JOIN run b ON b.hash = r.base_hash JOIN job k ON k.run_id = b.run_id"
                   "   WHERE j.job_id = ?1 AND k.kind = 'train')"
                   " AND state IN ('failed', 'cancelled', 'quarantined') AND NOT EXISTS"
                   " (SELECT 1 FROM checkpoint c WHERE c.run_id = job.run_id)",
                   "i", job_id);
}
