/* executor_slurm.c - tasks, and which client program is called next; slurm_calls.c
 * calls it. */
#include "executor_slurm.h"

#include "clock.h"
#include "error.h"
#include "file.h"
#include "hash.h"
#include "json.h"
#include "log.h"
#include "settings.h"
#include "slurm_script.h"
#include "slurm_tasks.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Cores of submitted jobs at a time, if --jobs does not say how many. */
enum { DEFAULT_SLOTS = 1000 };

/* ---- names ---- */

/* The name of a job that nobody has submitted yet: from the attempt's directory,
 * WORKSPACE/runs/RUN/attempts/N, and a random token. */
static int choose_name(char out[SLURM_NAME_SIZE], const char *directory, struct error *err)
{
    const char *runs = strstr(directory, "/runs/"), *number = strrchr(directory, '/');
    char hash[HASH_HEX_SIZE];
    uint32_t token;

    for (const char *next = runs; next != NULL; next = strstr(next + 1, "/runs/"))
        runs = next;
    if (runs == NULL || number == NULL)
        return error_set(err, ERROR_FORMAT, "%s: expected WORKSPACE/runs/RUN/attempts/N",
                         directory);
    if (getrandom(&token, sizeof token, 0) != (ssize_t)sizeof token)
        return error_set(err, ERROR_ENVIRONMENT, "getrandom: %s", strerror(errno));
    hash_hex(hash, directory, (size_t)(runs - directory));
    snprintf(out, SLURM_NAME_SIZE, "hrmlab-%.8s-%.12s-%.8s-%08x", hash, runs + strlen("/runs/"),
             number + 1, token);
    return 0;
}

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
    struct slurm *slurm = (struct slurm *)head->executor;
    struct slurm_task *task = (struct slurm_task *)head;

    if (slurm->submitting == task)
        slurm->submitting = NULL;
    slurm->used -= task->slots;
    free(task->script);
    executor_drop_task(head);
    free(task);
}

static int slurm_prepare(struct executor *executor, struct executor_task **out,
                         const char *directory, const struct executor_needs *needs,
                         struct error *err)
{
    struct slurm *slurm = (struct slurm *)executor;
    struct slurm_task *task = add_task(executor, directory, err);

    *out = NULL;
    if (task == NULL)
        return ERROR_NOMEM;
    task->slots = needs->threads < executor->slots ? needs->threads : executor->slots;
    slurm->used += task->slots;
    int rc = choose_name(task->job_name, directory, err);
    if (rc < 0) {
        slurm_release(&task->head);
        return rc;
    }
    slurm_task_write_place(task);
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

static int make_script(char **out, const struct executor *executor, const char *name,
                       const char *directory, const struct config *config, struct error *err)
{
    const struct slurm *slurm = (const struct slurm *)executor;
    char program[PATH_MAX];

    *out = NULL;
    if (realpath(slurm->setup.program, program) == NULL)
        return error_set(err, ERROR_ENVIRONMENT, "%s: %s", slurm->setup.program,
                         strerror(errno));
    return slurm_script(out, name, program, directory, config, err);
}

static int slurm_preview(char **out, const struct executor *executor, const char *directory,
                         const struct config *config, struct error *err)
{
    char name[SLURM_NAME_SIZE];
    int rc = choose_name(name, directory, err);

    *out = NULL;
    return rc < 0 ? rc : make_script(out, executor, name, directory, config, err);
}

/* Writes DIRECTORY/slurm.sh. */
static int write_script(struct slurm_task *task, const struct config *config, struct error *err)
{
    const char *directory = task->head.directory;
    char *text = NULL;
    int rc = 0;

    task->script = file_join(directory, "slurm.sh");
    if (task->script == NULL)
        return error_no_memory(err, "a path");
    rc = make_script(&text, task->head.executor, task->job_name, directory, config, err);
    if (rc == 0)
        rc = file_write_atomic(task->script, text, strlen(text), err);
    free(text);
    return rc;
}

static int slurm_start(struct executor_task *head, struct error *err)
{
    struct slurm_task *task = (struct slurm_task *)head;
    struct config config;

    assert(head->state == EXECUTOR_PREPARED);
    int rc = read_settings(&config, head->directory, err);
    if (rc == 0) {
        rc = write_script(task, &config, err);
        config_release(&config);
    }
    head->state = rc == 0 ? EXECUTOR_PENDING : EXECUTOR_GONE;
    task->step = SLURM_TO_SUBMIT;
    return rc;
}

static int slurm_adopt(struct executor *executor, struct executor_task **out,
                       const char *directory, const char *place, struct error *err)
{
    struct slurm *slurm = (struct slurm *)executor;
    struct slurm_task *task = add_task(executor, directory, err);

    *out = NULL;
    if (task == NULL)
        return ERROR_NOMEM;
    slurm_task_read_place(task, place);
    slurm_task_write_place(task);
    task->slots = 1;
    slurm->used++;
    task->step = task->job[0] != '\0' ? SLURM_SUBMITTED : SLURM_UNSURE;
    task->head.state = EXECUTOR_PENDING;
    task->head.place_is_new = false;
    int rc = slurm_calls_ask(slurm, task, err);
    if (rc < 0) {
        slurm_release(&task->head);
        return rc;
    }
    *out = &task->head;
    return 0;
}

static int slurm_poll(struct executor *executor, struct error *err)
{
    struct slurm *slurm = (struct slurm *)executor;

    if (slurm->fault.code != 0)
        return error_set(err, slurm->fault.code, "%s", slurm->fault.message);
    slurm_tasks_conclude(slurm);
    slurm_calls_next(slurm);
    return 0;
}

static void slurm_signal(struct executor_task *head, enum executor_signal what)
{
    struct slurm_task *task = (struct slurm_task *)head;

    if (head->state == EXECUTOR_GONE)
        return;
    if (task->step == SLURM_TO_SUBMIT) {
        head->state = EXECUTOR_GONE;
        head->cause = OUTCOME_NEVER_STARTED;
        return;
    }
    enum slurm_end end = what == EXECUTOR_KILL ? SLURM_END_NOW : SLURM_END_SOON;
    if (task->wanted < end)
        task->wanted = end;
    slurm_calls_next((struct slurm *)head->executor);
}

static int slurm_free_slots(const struct executor *executor)
{
    const struct slurm *slurm = (const struct slurm *)executor;

    /* While nobody answers, what could be submitted waits in the queue. */
    return slurm->failures > 0 || slurm->used >= executor->slots
               ? 0
               : executor->slots - slurm->used;
}

/* ---- the executor ---- */

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
    *out = &slurm->head;
    return 0;
}

static void slurm_close(struct executor *executor)
{
    while (executor->tasks != NULL)
        slurm_release(executor->tasks);
    slurm_jobs_release(&((struct slurm *)executor)->listed);
    free(executor);
}

const struct executor_type executor_slurm = {
    .name = "slurm",
    .detached = true,
    .open = slurm_open,
    .close = slurm_close,
    .free_slots = slurm_free_slots,
    .prepare = slurm_prepare,
    .start = slurm_start,
    .adopt = slurm_adopt,
    .poll = slurm_poll,
    .signal = slurm_signal,
    .preview = slurm_preview,
    .release = slurm_release,
};
