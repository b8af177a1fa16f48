/* executor_slurm.c - the functions of struct executor_type. */
#include "executor_slurm.h"

#include "error.h"
#include "file.h"
#include "json.h"
#include "log.h"
#include "settings.h"
#include "slurm_script.h"
#include "slurm_tasks.h"
#include "text_stream.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Cores of submitted jobs at a time, if --jobs does not say how many. */
enum { DEFAULT_SLOTS = 1000 };

/* ---- tasks ---- */

static struct slurm_task *add_task(struct executor *executor, const char *directory,
                                   struct error *err)
{
    struct slurm_task *task =
        (struct slurm_task *)executor_add_task(executor, sizeof *task, directory);

    if (task == NULL)
        (void)error_no_memory(err, "an attempt");
    return task;
}

static void slurm_release(struct executor_task *head)
{
    executor_drop_task(head);
    free(head);
}

/* Nothing is known of a job before start(). */
static int slurm_prepare(struct executor *executor, struct executor_task **out,
                         const char *directory, const struct executor_needs *needs,
                         struct error *err)
{
    struct slurm_task *task = add_task(executor, directory, err);

    *out = NULL;
    if (task == NULL)
        return ERROR_NOMEM;
    task->slots = needs->threads < executor->slots ? needs->threads : executor->slots;
    task->wait_s = needs->wait_s;
    task->place.per_job = 1;
    snprintf(task->head.place, sizeof task->head.place, "not submitted");
    *out = &task->head;
    return 0;
}

/* The settings of the attempt, as its job.json has them. */
static int read_settings(struct config *out, const char *directory, struct error *err)
{
    char *path = file_join(directory, "job.json");
    cJSON *json = NULL;
    int rc = path == NULL ? error_no_memory(err, "a path")
                          : json_read_file(&json, path, JSON_JOB_LIMIT, err);

    if (rc == 0)
        rc = config_from_json(out, json_member(json, "config"), path, err);
    cJSON_Delete(json);
    free(path);
    return rc;
}

static int make_script(struct slurm_script *out, const struct executor *executor,
                       const struct config *config, struct error *err)
{
    const struct slurm *slurm = (const struct slurm *)executor;
    char program[PATH_MAX];

    if (realpath(slurm->setup.program, program) == NULL)
        return error_set(err, ERROR_ENVIRONMENT, "%s: %s", slurm->setup.program,
                         strerror(errno));
    return slurm_script_make(out, program, config, err);
}

/* Puts the attempt into a batch, and writes its place there into its directory. */
static int join_batch(struct slurm_task *task, const struct config *config, struct error *err)
{
    struct slurm *slurm = (struct slurm *)task->head.executor;
    struct slurm_script script = { 0 };
    int rc = make_script(&script, &slurm->head, config, err);

    script.wait_s = (int)ceil(task->wait_s);
    if (rc == 0)
        rc =
            slurm_batch_join(&slurm->batches, &task->place, task->head.directory, &script, err);
    slurm_script_release(&script);
    if (rc < 0)
        return rc;
    slurm_task_name(task);
    return slurm_place_save(task->head.directory, &task->place, err);
}

static int slurm_start(struct executor_task *head, struct error *err)
{
    struct slurm_task *task = (struct slurm_task *)head;
    struct config config;

    assert(head->state == EXECUTOR_PREPARED);
    int rc = read_settings(&config, head->directory, err);
    if (rc == 0) {
        rc = join_batch(task, &config, err);
        config_release(&config);
    }
    head->state = rc == 0 ? EXECUTOR_PENDING : EXECUTOR_GONE;
    task->step = SLURM_TO_SUBMIT;
    return rc;
}

/* The cores that the attempt's job takes. The only error is ERROR_NOMEM. */
static int cores_of(const struct slurm *slurm, const char *directory, struct error *err)
{
    struct config config;
    struct error ignored;
    /* who starts nothing need not know, nor where nothing can be read */
    int rc =
        slurm->setup.loop == NULL ? ERROR_ABSENT : read_settings(&config, directory, &ignored);

    if (rc < 0)
        return rc == ERROR_NOMEM ? error_no_memory(err, "the settings of a job") : 1;
    int cores = slurm_script_cores(&config);
    config_release(&config);
    return cores < slurm->head.slots ? cores : slurm->head.slots;
}

/* A place without a name was recorded before start(), whose file tells more; without
 * that, nothing was submitted. */
static int slurm_adopt(struct executor *executor, struct executor_task **out,
                       const char *directory, const char *place, struct error *err)
{
    struct slurm *slurm = (struct slurm *)executor;
    struct slurm_task *task = add_task(executor, directory, err);
    int rc = 0;

    *out = NULL;
    if (task == NULL)
        return ERROR_NOMEM;
    slurm_place_read(&task->place, place);
    task->slots = cores_of(slurm, directory, err);
    if (task->slots < 0) {
        rc = task->slots;
    } else if (task->place.name[0] == '\0' && !slurm_place_load(&task->place, directory)) {
        task->head.state = EXECUTOR_GONE;
        task->head.cause = OUTCOME_NEVER_STARTED;
    } else {
        slurm_task_name(task);
        task->step = task->place.job[0] != '\0' ? SLURM_SUBMITTED : SLURM_UNSURE;
        task->head.state = EXECUTOR_PENDING;
        rc = slurm_calls_ask(slurm, task, err);
    }
    if (rc < 0) {
        slurm_release(&task->head);
        return rc;
    }
    *out = &task->head;
    return 0;
}

static bool slurm_has_started(const char *directory)
{
    struct slurm_place place;

    return slurm_place_load(&place, directory);
}

/* Both files of a batch have its name. */
static bool slurm_needs_file(const char *directory, const char *text, const char *file)
{
    struct slurm_place place;

    slurm_place_read(&place, text);
    if (place.name[0] == '\0' && !slurm_place_load(&place, directory))
        return false; /* it was not submitted */
    size_t length = strlen(place.name);
    return strncmp(file, place.name, length) == 0 && file[length] == '.';
}

/* After a fault: what was not submitted waits for the next runner, perhaps with other
 * settings. */
static void take_back(struct slurm *slurm)
{
    EACH_SLURM_TASK(task, slurm)
    if (task->step == SLURM_TO_SUBMIT && slurm_mark_void(task->head.directory))
        slurm_task_gone(task, OUTCOME_NEVER_STARTED);
}

static int slurm_poll(struct executor *executor, struct error *err)
{
    struct slurm *slurm = (struct slurm *)executor;

    if (slurm->fault.code != 0) {
        take_back(slurm);
        return error_set(err, slurm->fault.code, "%s", slurm->fault.message);
    }
    slurm_tasks_conclude(slurm);
    if (slurm->setup.loop != NULL)
        slurm_calls_next(slurm);
    else
        slurm_calls_end(slurm);
    return 0;
}

/* Tells the job that an attempt of its several shall end. */
static void mark_end(struct slurm_task *task, enum slurm_end end)
{
    struct error err;
    enum slurm_mark mark = end == SLURM_END_NOW ? SLURM_MARK_KILL : SLURM_MARK_STOP;

    if (slurm_mark_set(task->head.directory, mark, &err) < 0)
        log_warning("%s", err.message);
}

static void slurm_signal(struct executor_task *head, enum executor_signal what)
{
    struct slurm *slurm = (struct slurm *)head->executor;
    struct slurm_task *task = (struct slurm_task *)head;
    enum slurm_end end = what == EXECUTOR_KILL ? SLURM_END_NOW : SLURM_END_SOON;
    bool alone = task->place.per_job == 1 && task->step != SLURM_TO_SUBMIT;

    if (head->state == EXECUTOR_GONE || task->wanted >= end)
        return;
    task->wanted = end;
    if (!alone && slurm_mark_void(head->directory)) {
        task->voided = true;
        if (task->place.job[0] == '\0') /* nor is it submitted */
            slurm_task_gone(task, OUTCOME_NEVER_STARTED);
    } else if (!alone) {
        mark_end(task, end);
    }
    if (slurm->setup.loop != NULL)
        slurm_calls_next(slurm);
}

static int slurm_free_slots(const struct executor *executor)
{
    const struct slurm *slurm = (const struct slurm *)executor;
    double used = 0.0;

    for (const struct executor_task *head = executor->tasks; head != NULL; head = head->next) {
        const struct slurm_task *task = (const struct slurm_task *)head;
        used += (double)task->slots / (double)task->place.per_job;
    }
    /* While nobody answers, what could be submitted waits in the queue. */
    return slurm->failures > 0 || used >= (double)executor->slots
               ? 0
               : executor->slots - (int)ceil(used - 1e-6);
}

/* ---- previews ---- */

static int slurm_preview(char **out, const struct executor *executor,
                         const char *const *directories, const struct config *const *configs,
                         int count, struct error *err)
{
    struct slurm_batch *batches = NULL;
    FILE *text = NULL;
    size_t size;
    int rc = 0;

    *out = NULL;
    for (int i = 0; i < count && rc == 0; i++) {
        struct slurm_script script = { 0 };
        struct slurm_place place;

        rc = make_script(&script, executor, configs[i], err);
        if (rc == 0)
            rc = slurm_batch_join(&batches, &place, directories[i], &script, err);
        slurm_script_release(&script);
    }
    if (rc == 0) {
        text = text_stream_open(out, &size);
        rc = text == NULL ? error_no_memory(err, "a batch script") : 0;
    }
    for (struct slurm_batch *batch = batches; batch != NULL && rc == 0; batch = batch->next)
        rc = slurm_batch_print(batch, text, err);
    if (text != NULL && fclose(text) != 0 && rc == 0)
        rc = error_no_memory(err, "a batch script");
    while (batches != NULL)
        slurm_batch_drop(&batches, batches);
    if (rc < 0) {
        free(*out);
        *out = NULL;
    }
    return rc;
}

/* ---- the executor ---- */

/* HRMLAB_SLURM_PACE: more asks the controller less often, less follows jobs closer. */
static int read_pace(double *out, struct error *err)
{
    const char *text = getenv("HRMLAB_SLURM_PACE");
    char *end = NULL;

    *out = 1.0;
    if (text == NULL || text[0] == '\0')
        return 0;
    *out = strtod(text, &end);
    if (*end != '\0' || !(*out >= 0.01 && *out <= 100.0))
        return error_set(err, ERROR_FORMAT,
                         "HRMLAB_SLURM_PACE is \"%s\"; expected a number from 0.01 to 100",
                         text);
    return 0;
}

static int slurm_open(struct executor **out, const struct executor_setup *setup,
                      struct error *err)
{
    struct slurm *slurm = calloc(1, sizeof *slurm);

    *out = NULL;
    if (slurm == NULL)
        return error_no_memory(err, "the executor slurm");
    slurm->head.type = &executor_slurm;
    slurm->head.slots = setup->slots > 0 ? setup->slots : DEFAULT_SLOTS;
    slurm->setup = *setup;
    int rc = read_pace(&slurm->pace, err);
    if (rc < 0) {
        free(slurm);
        return rc;
    }
    *out = &slurm->head;
    return 0;
}

static void slurm_close(struct executor *executor)
{
    struct slurm *slurm = (struct slurm *)executor;

    for (struct executor_task *task = executor->tasks, *next; task != NULL; task = next) {
        next = task->next;
        slurm_release(task);
    }
    while (slurm->batches != NULL)
        slurm_batch_drop(&slurm->batches, slurm->batches);
    slurm_jobs_release(&slurm->listed);
    free(executor);
}

const struct executor_type executor_slurm = {
    .name = "slurm",
    .detached = true,
    .open = slurm_open,
    .close = slurm_close,
    .cores = slurm_script_cores,
    .free_slots = slurm_free_slots,
    .prepare = slurm_prepare,
    .start = slurm_start,
    .adopt = slurm_adopt,
    .has_started = slurm_has_started,
    .folder = SLURM_FOLDER,
    .needs_file = slurm_needs_file,
    .poll = slurm_poll,
    .signal = slurm_signal,
    .preview = slurm_preview,
    .release = slurm_release,
};
