/* attempt_start.c - records an attempt, writes its directory, starts its worker, in
 * an order that survives a crash in between. */
#include "clock.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "resume.h"
#include "settings.h"
#include "store.h"
#include "supervisor.h"
#include "text.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One more than the highest attempt number among the run's directories. The only error
 * is ERROR_NOMEM. */
static int least_attempt(const struct supervisor *s, const char *run_hash)
{
    char *path = format_string("%s/runs/%s/attempts", s->workspace->path, run_hash);
    DIR *directory = path != NULL ? opendir(path) : NULL;
    int highest = 0;

    if (directory == NULL && (path == NULL || errno == ENOMEM)) {
        free(path);
        return error_no_memory(s->err, "a path");
    }
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

static int write_job(const struct executor_task *task, cJSON *json, struct error *err)
{
    cJSON *cpus = cJSON_AddArrayToObject(json, "cpus");

    for (int i = 0; i < task->core_count; i++)
        cJSON_AddItemToArray(cpus, cJSON_CreateNumber(task->cores[i]));
    char *path = file_join(task->directory, "job.json"), *text = json_print(json);
    int rc = path == NULL || text == NULL || cJSON_GetArraySize(cpus) != task->core_count
                 ? error_set(err, ERROR_NOMEM, "no memory for a job")
                 : file_make_directories(task->directory, err);
    if (rc == 0)
        rc = file_write_atomic(path, text, strlen(text), err);
    free(text);
    free(path);
    return rc;
}

/* The cores of the task as "0,2,4-7", newly allocated; NULL: no memory. */
static char *cores_text(const struct executor_task *task)
{
    enum { LONGEST = 2 * 12 }; /* of "FIRST-LAST," */
    size_t size = (size_t)task->core_count * LONGEST + 1, used = 0;
    char *text = calloc(size, 1);

    for (int i = 0; text != NULL && i < task->core_count;) {
        int last = i;

        while (last + 1 < task->core_count && task->cores[last + 1] == task->cores[last] + 1)
            last++;
        if (last < i + 2) /* two are no range */
            last = i;
        used += (size_t)snprintf(text + used, size - used, "%s%d", i > 0 ? "," : "",
                                 task->cores[i]);
        if (last > i)
            used += (size_t)snprintf(text + used, size - used, "-%d", task->cores[last]);
        i = last + 1;
    }
    return text;
}

static int record_place(struct supervisor *s, int64_t attempt_id,
                        const struct executor_task *task)
{
    char *cpus = cores_text(task);
    const struct record_place place = { task->place, task->host, cpus };
    int rc = cpus == NULL ? error_no_memory(s->err, "a list of cores")
                          : record_attempt_place(s->store, attempt_id, &place, s->err);

    free(cpus);
    return rc;
}

/* For how long a retry still has to wait: not at all, or this runner will not be there
 * when it is over. */
static double wait_s(const struct record_job *job)
{
    double left = job->not_before - clock_wall_s();

    return left > 0.0 && left < RECORD_LONGEST_WAIT_S ? left : 0.0;
}

/* Reserves slots for the attempt and obtains the place by which it can be found. */
static int prepare(struct supervisor *s, struct slot *slot,
                   const struct record_attempt *attempt)
{
    const struct record_job *job = &slot->job;
    const struct executor_needs needs = { .threads = job->threads,
                                          .memory_gb = job->memory_gb,
                                          .time_limit_min = job->time_limit_min,
                                          .wait_s = wait_s(job) };
    char *directory = format_string("%s/%s", s->workspace->path, attempt->directory);
    int rc = directory == NULL ? error_set(s->err, ERROR_NOMEM, "no memory for a path")
                               : s->executor->type->prepare(s->executor, &slot->task, directory,
                                                            &needs, s->err);

    free(directory);
    return rc;
}

/* Records attempt and job as starting. *json is the content of job.json. */
static int record_start(struct supervisor *s, struct slot *slot, struct record_attempt *attempt,
                        cJSON **json)
{
    const struct record_job *job = &slot->job;
    int rc = store_begin(s->store, s->err);

    *attempt = (struct record_attempt){ .job_id = job->job_id, .run_id = job->run_id };
    *json = NULL;
    if (rc < 0)
        return rc;
    int least = least_attempt(s, job->run_hash);
    rc = least;
    if (least > 0)
        rc = record_attempt(s->store, &attempt->attempt_id, &attempt->number,
                            attempt->directory, job, s->executor->type->name, least, s->err);
    if (rc == 0)
        rc = prepare(s, slot, attempt);
    if (rc == 0)
        rc = record_place(s, attempt->attempt_id, slot->task);
    if (rc == 0)
        rc = record_job_json(s->store, json, job, attempt->number, s->err);
    if (rc == 0)
        slot->task->ranks =
            (int)json_real_or(json_member(*json, "config"), "resources.ranks", 1.0);
    if (rc == 0)
        rc = store_commit(s->store, s->err);
    if (rc < 0)
        store_rollback(s->store);
    return rc;
}

/* Adds the checkpoints from which the training may resume. Attempts that the
 * database does not know are ignored. */
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
                     "does not resume from them (hrmlab rebuild reads them)",
                     slot->job.label, slot->job.run_hash);
    return rc;
}

int attempt_record_place(struct supervisor *s, struct slot *slot)
{
    int64_t id = slot->recorder.attempt.attempt_id;
    bool running = slot->task->state == EXECUTOR_RUNNING;
    int rc = store_begin(s->store, s->err);

    if (rc < 0)
        return rc;
    rc = record_place(s, id, slot->task);
    if (rc == 0 && running)
        rc = record_attempt_running(s->store, id, slot->job.job_id, s->err);
    if (rc == 0)
        rc = store_commit(s->store, s->err);
    if (rc < 0)
        store_rollback(s->store);
    slot->running = slot->running || (rc == 0 && running);
    if (rc == 0)
        slot->task->place_is_new = false;
    return rc;
}

/* Whether an attempt of the run is running under this runner. */
static bool is_running(const struct supervisor *s, const char *run_hash)
{
    for (const struct slot *slot = s->slots; slot != NULL; slot = slot->next)
        if (strcmp(slot->job.run_hash, run_hash) == 0)
            return true;
    return false;
}

/* Where the executor cannot start an attempt with such settings, the next look at the
 * slot finds that it has ended: its job fails, and others go on. */
static int start_worker(struct supervisor *s, struct slot *slot)
{
    int rc = s->executor->type->start(slot->task, s->err);

    if (rc != ERROR_FORMAT)
        return rc < 0 ? rc : attempt_record_place(s, slot);
    assert(slot->task->state == EXECUTOR_GONE);
    slot->outside = OUTCOME_BAD_JOB;
    text_strip_controls(slot->recorder.message, sizeof slot->recorder.message, s->err->message);
    return 0;
}

int attempt_count_cores(const struct supervisor *s, struct record_job *job)
{
    struct config config;
    cJSON *json = NULL;

    if (s->executor->type->cores == NULL)
        return 0;
    int rc = record_job_json(s->store, &json, job, 0, s->err);
    if (rc == 0)
        rc = config_from_json(&config, json_member(json, "config"), job->label, s->err);
    cJSON_Delete(json);
    if (rc < 0)
        return rc;
    job->threads = s->executor->type->cores(&config);
    config_release(&config);
    return 0;
}

int attempt_start(struct supervisor *s, const struct record_job *job)
{
    struct record_attempt attempt;
    cJSON *json;
    int rc;

    /* two attempts of a run at a time would fence each other off */
    assert(job->state == JOB_QUEUED && !is_running(s, job->run_hash));
    struct slot *slot = slot_create(s, job);
    if (slot == NULL)
        return error_set(s->err, ERROR_NOMEM, "no memory for a job");
    rc = record_start(s, slot, &attempt, &json);
    if (rc == 0)
        rc = recorder_init(&slot->recorder, &attempt, s->workspace->path, s->err);
    if (rc == 0)
        rc = add_resume(s, slot, &attempt, json);
    if (rc == 0)
        rc = write_job(slot->task, json, s->err);
    if (rc == 0)
        rc = start_worker(s, slot);
    if (rc == 0 && slot->outside == OUTCOME_NONE)
        progress_say(&s->progress, "%s: %s attempt %d, run %.12s", slot->job.label,
                     job->evaluate ? "evaluating," : "training,", attempt.number,
                     job->run_hash);
    cJSON_Delete(json);
    if (rc < 0)
        slot_destroy(s, slot);
    return rc;
}
