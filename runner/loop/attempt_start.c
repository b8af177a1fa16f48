/* attempt_start.c - a directory, a row, a process: in the order that survives a crash
 * between. */
#include "clock.h"
#include "error.h"
#include "file.h"
#include "process.h"
#include "resume.h"
#include "store.h"
#include "supervisor.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Pins the slot to count free cores. */
static void take_cores(struct supervisor *s, struct slot *slot, int count)
{
    for (int i = 0; i < s->core_count && slot->core_count < count; i++)
        if (!s->core_used[i])
            slot_take_core(s, slot, s->cores[i]);
}

static void cores_text(char *out, size_t size, const struct slot *slot)
{
    size_t used = 0;

    out[0] = '\0';
    for (int i = 0; i < slot->core_count && used < size; i++)
        used +=
            (size_t)snprintf(out + used, size - used, "%s%d", i > 0 ? "," : "", slot->cores[i]);
}

/* One more than the highest attempt directory of the run on disk. */
static int least_attempt(const struct supervisor *s, const char *run_hash)
{
    char *path = format_string("%s/runs/%s/attempts", s->workspace->path, run_hash);
    DIR *directory = path != NULL ? opendir(path) : NULL;
    int highest = 0;

    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        long number = strtol(entry->d_name, NULL, 10);
        if (number > highest && number < 1000000)
            highest = (int)number;
    }
    if (directory != NULL)
        closedir(directory);
    free(path);
    return highest + 1;
}

static int write_job(const struct slot *slot, cJSON *json, const char *directory,
                     struct error *err)
{
    cJSON *cpus = cJSON_AddArrayToObject(json, "cpus");

    for (int i = 0; i < slot->core_count; i++)
        cJSON_AddItemToArray(cpus, cJSON_CreateNumber(slot->cores[i]));
    char *path = file_join(directory, "job.json"), *text = cJSON_Print(json);
    int rc = path == NULL || text == NULL || cJSON_GetArraySize(cpus) != slot->core_count
                 ? error_set(err, ERROR_NOMEM, "no memory for a job")
                 : file_make_directories(directory, err);
    if (rc == 0)
        rc = file_write_atomic(path, text, strlen(text), err);
    cJSON_free(text);
    free(path);
    return rc;
}

/* Records attempt and job as starting; *json is what the worker is told. */
static int record_start(struct supervisor *s, const struct slot *slot,
                        const struct record_job *job, struct record_attempt *attempt,
                        cJSON **json)
{
    char boot[64], host[100] = "?", cpus[512];
    int rc = store_begin(s->store, s->err);

    process_boot_id(boot);
    gethostname(host, sizeof host - 1);
    cores_text(cpus, sizeof cpus, slot);
    *attempt = (struct record_attempt){ .job_id = job->job_id, .run_id = job->run_id };
    *json = NULL;
    if (rc < 0)
        return rc;
    rc = record_attempt(s->store, &attempt->attempt_id, &attempt->number, attempt->directory,
                        job, &(struct record_place){ boot, host, cpus },
                        least_attempt(s, job->run_hash), s->err);
    if (rc == 0)
        rc = record_job_json(s->store, json, job, attempt->number, s->err);
    if (rc == 0)
        rc = store_commit(s->store, s->err);
    if (rc < 0)
        store_rollback(s->store);
    return rc;
}

/* From where the training may go on. Attempts that the database does not know are left
 * alone. */
static int add_resume(struct supervisor *s, const struct slot *slot,
                      const struct record_attempt *attempt, cJSON *json)
{
    bool unknown = false;
    int rc = slot->job.evaluate
                 ? 0
                 : resume_add(json, &unknown, s->store, s->workspace->path, attempt, s->err);

    if (rc == 0 && unknown)
        progress_say(&s->progress,
                     "%s: runs/%.12s... has attempts that the database does not know; training "
                     "does not go on from them (hrmlab rebuild reads them in)",
                     slot->job.label, slot->job.run_hash);
    return rc;
}

int attempt_record_running(struct supervisor *s, const struct slot *slot)
{
    int rc = store_begin(s->store, s->err);
    if (rc < 0)
        return rc;
    rc = record_attempt_running(s->store, slot->recorder.attempt.attempt_id, slot->job.job_id,
                                slot->executor.pid, slot->executor.start_time, s->err);
    if (rc == 0)
        rc = store_commit(s->store, s->err);
    if (rc < 0)
        store_rollback(s->store);
    return rc;
}

int attempt_start(struct supervisor *s, const struct record_job *job)
{
    struct record_attempt attempt;
    cJSON *json;
    struct slot *slot = slot_create(s, job);
    int rc;

    if (slot == NULL)
        return error_set(s->err, ERROR_NOMEM, "no memory for a job");
    take_cores(s, slot, job->threads < s->core_count ? job->threads : s->core_count);
    rc = record_start(s, slot, job, &attempt, &json);
    char *directory =
        rc == 0 ? format_string("%s/%s", s->workspace->path, attempt.directory) : NULL;
    if (rc == 0 && directory == NULL)
        rc = error_set(s->err, ERROR_NOMEM, "no memory for a path");
    if (rc == 0)
        rc = recorder_init(&slot->recorder, &attempt, s->workspace->path, s->err);
    if (rc == 0)
        rc = add_resume(s, slot, &attempt, json);
    if (rc == 0)
        rc = write_job(slot, json, directory, s->err);
    if (rc == 0)
        rc = executor_local_start(&slot->executor, &s->loop, s->options->worker_program,
                                  directory, s->err);
    if (rc == 0)
        rc = attempt_record_running(s, slot);
    if (rc == 0)
        progress_say(&s->progress, "%s: %s attempt %d, run %.12s", slot->job.label,
                     job->evaluate ? "evaluating," : "training,", attempt.number,
                     job->run_hash);
    cJSON_Delete(json);
    free(directory);
    if (rc < 0)
        slot_destroy(s, slot);
    return rc;
}
