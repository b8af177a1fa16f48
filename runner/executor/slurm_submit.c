/*
 * slurm_submit.c - submits batches, each as one array where the site takes that.
 *
 * Tasks become SLURM_SUBMITTING when sbatch is called. A clear answer makes them
 * SLURM_SUBMITTED, or SLURM_TO_SUBMIT again where a limit refuses them for now; after
 * any other failure it is open whether Slurm has them, and lists tell.
 */
#include "clock.h"
#include "error.h"
#include "file.h"
#include "log.h"
#include "slurm_tasks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Slurm's own default, where the configuration does not tell. */
enum { USUAL_ARRAY_SIZE = 1001 };

static const double FIRST_WAIT_S = 15.0, LONGEST_WAIT_S = 300.0;

static int element_of(const struct slurm_task *task)
{
    return task->place.index / task->place.per_job;
}

static void set_fault(struct slurm *slurm, const struct error *err)
{
    (void)error_set(&slurm->fault, err->code, "%s", err->message);
}

/* ---- answers ---- */

/* Reads "MaxArraySize            = 1001" out of the configuration. */
static void on_config(void *user, const struct client_answer *answer)
{
    struct slurm *slurm = user;
    const char *line = strstr(answer->output, "MaxArraySize");
    int size = USUAL_ARRAY_SIZE;

    if (answer->exit_status != 0) {
        slurm_note_failure(slurm, "scontrol", slurm_why_failed(answer));
        return;
    }
    slurm_note_success(slurm);
    if (line != NULL && sscanf(line, "MaxArraySize = %9d", &size) != 1)
        size = USUAL_ARRAY_SIZE;
    slurm->array_size = size > 1 ? size : 1;
}

/* Whether a limit has refused it that fewer jobs, or later ones, may not meet. */
static bool is_limited(const struct slurm *slurm, const struct client_answer *answer)
{
    static const char *const words[] = { "imit", "array spec", NULL };
    bool others = slurm->jobs > 1;

    for (const struct executor_task *task = slurm->head.tasks; task != NULL; task = task->next)
        others = others || ((const struct slurm_task *)task)->step == SLURM_SUBMITTED;
    return others && slurm_says_one(answer, words);
}

/* Fewer jobs the next time, and a pause where one alone was too many. */
static void wait_for_room(struct slurm *slurm, const char *why)
{
    double wait = FIRST_WAIT_S;

    if (slurm->jobs > 1) {
        slurm->part_size = slurm->jobs / 2;
        return;
    }
    for (int i = 0; i < slurm->refusals && wait < LONGEST_WAIT_S; i++)
        wait *= 2.0;
    if (slurm->refusals++ == 0)
        log_info("Slurm takes no more jobs for now: %s; the others follow when there is room",
                 why);
    if (wait > LONGEST_WAIT_S)
        wait = LONGEST_WAIT_S;
    slurm->submit_at = clock_monotonic_s() + wait * slurm->pace;
}

static void tell_tasks(struct slurm *slurm, const char *id)
{
    EACH_SLURM_TASK(task, slurm)
    {
        char job[SLURM_ID_SIZE + 16];

        if (task->step != SLURM_SUBMITTING)
            continue;
        snprintf(job, sizeof job, "%s_%d", id, element_of(task) - slurm->first);
        slurm_task_set_job(task, slurm->jobs > 1 ? job : id);
        task->head.handed_over = true;
    }
}

/* handed_over: a later runner goes on from here as well. */
static void set_step(struct slurm *slurm, enum slurm_step step, bool handed_over)
{
    EACH_SLURM_TASK(task, slurm)
    if (task->step == SLURM_SUBMITTING) {
        task->step = step;
        task->head.handed_over = handed_over;
    }
}

static void on_submitted(void *user, const struct client_answer *answer)
{
    struct slurm *slurm = user;
    char id[SLURM_ID_SIZE];

    if (answer->exit_status == 0 && slurm_read_job_id(id, answer->output)) {
        slurm_note_success(slurm);
        slurm->refusals = 0;
        /* larger parts again, until a part may be as large as an array */
        slurm->part_size = slurm->part_size < slurm->array_size ? 2 * slurm->part_size : 0;
        tell_tasks(slurm, id);
    } else if (answer->exit_status == 0 || slurm_is_unanswered(answer)) {
        slurm_note_failure(slurm, "sbatch", slurm_why_failed(answer));
        set_step(slurm, SLURM_UNSURE, false);
    } else if (is_limited(slurm, answer)) {
        wait_for_room(slurm, answer->errors);
        set_step(slurm, SLURM_TO_SUBMIT, slurm->jobs == 1);
    } else {
        (void)error_set(&slurm->fault, ERROR_ENVIRONMENT,
                        "Slurm refuses a job: %s; see slurm/%s.sh in the workspace; its runs "
                        "stay queued: change slurm.* in the spec and give it again",
                        answer->errors, slurm->batches != NULL ? slurm->batches->name : "*");
        set_step(slurm, SLURM_TO_SUBMIT, false);
    }
}

void slurm_submit_undo(struct slurm *slurm)
{
    set_step(slurm, SLURM_TO_SUBMIT, false);
}

/* ---- calls ---- */

/* A path as Slurm reads it: it replaces what follows a %, and takes the next character
 * after a backslash as it is. Where there is one it replaces nothing at all. */
static char *escape_path(const char *path)
{
    char *out = calloc(2 * strlen(path) + 1, 1),
         special = strchr(path, '\\') != NULL ? '\\' : '%';

    for (size_t used = 0; out != NULL && *path != '\0'; path++) {
        out[used++] = *path;
        if (*path == special)
            out[used++] = special;
    }
    return out;
}

static char *output_option(const struct slurm_batch *batch)
{
    char *path = slurm_batch_path(batch, ".log");
    char *escaped = path != NULL ? escape_path(path) : NULL;
    char *option = escaped != NULL ? format_string("--output=%s", escaped) : NULL;

    free(path);
    free(escaped);
    return option;
}

static char *array_option(const struct slurm_batch *batch, int jobs)
{
    if (batch->script.parallelism > 0 && batch->script.parallelism < jobs)
        return format_string("--array=0-%d%%%d", jobs - 1, batch->script.parallelism);
    return format_string("--array=0-%d", jobs - 1);
}

void slurm_call_release(struct slurm_call *call)
{
    for (size_t i = 0; i < sizeof call->texts / sizeof *call->texts; i++)
        free(call->texts[i]);
}

static int make_submission(struct slurm_call *out, const struct slurm *slurm,
                           const struct slurm_batch *batch, struct error *err)
{
    int count = 0, texts = 0;

    *out = (struct slurm_call){ .done = on_submitted };
    out->texts[texts++] = format_string("--job-name=%s.%d", batch->name, slurm->first);
    out->texts[texts++] = format_string("--comment=%s.%d", batch->name, slurm->first);
    out->texts[texts++] = output_option(batch);
    if (slurm->jobs > 1)
        out->texts[texts++] = array_option(batch, slurm->jobs);
    out->texts[texts++] = slurm_batch_path(batch, ".sh");
    out->texts[texts++] = format_string("%d", slurm->first);
    out->argv[count++] = "sbatch";
    out->argv[count++] = "--parsable";
    for (int i = 0; i < texts; i++) {
        if (out->texts[i] == NULL) {
            slurm_call_release(out);
            return error_no_memory(err, "a submission");
        }
        out->argv[count++] = out->texts[i];
    }
    return 0;
}

/* Chooses the jobs of the batch's next part. False: all are submitted. */
static bool choose_part(struct slurm *slurm, const struct slurm_batch *batch)
{
    int most = slurm->array_size > 0 ? slurm->array_size : 1, last = -1;

    if (slurm->part_size > 0 && slurm->part_size < most)
        most = slurm->part_size;
    slurm->first = -1;
    EACH_SLURM_TASK(task, slurm)
    if (task->step == SLURM_TO_SUBMIT && strcmp(task->place.name, batch->name) == 0 &&
        (slurm->first < 0 || element_of(task) < slurm->first))
        slurm->first = element_of(task);
    EACH_SLURM_TASK(task, slurm)
    if (task->step == SLURM_TO_SUBMIT && strcmp(task->place.name, batch->name) == 0 &&
        element_of(task) < slurm->first + most && element_of(task) > last)
        last = element_of(task);
    slurm->jobs = last - slurm->first + 1;
    return last >= 0;
}

/* The tasks of the chosen part. */
static void begin_part(struct slurm *slurm, const struct slurm_batch *batch)
{
    EACH_SLURM_TASK(task, slurm)
    if (task->step == SLURM_TO_SUBMIT && strcmp(task->place.name, batch->name) == 0 &&
        element_of(task) < slurm->first + slurm->jobs)
        task->step = SLURM_SUBMITTING;
}

bool slurm_submit_next(struct slurm_call *out, struct slurm *slurm)
{
    struct error err = { 0 };
    int rc = 0;

    while (slurm->batches != NULL && !choose_part(slurm, slurm->batches))
        slurm_batch_drop(&slurm->batches, slurm->batches);
    struct slurm_batch *batch = slurm->batches;
    if (batch == NULL || clock_monotonic_s() < slurm->submit_at)
        return false;
    if (slurm->array_size == 0 && slurm_batch_jobs(batch) > 1) {
        *out =
            (struct slurm_call){ .argv = { "scontrol", "show", "config" }, .done = on_config };
        return true;
    }
    if (!batch->sealed)
        rc = slurm_batch_seal(batch, &err);
    if (rc == 0)
        rc = make_submission(out, slurm, batch, &err);
    if (rc < 0)
        set_fault(slurm, &err);
    else
        begin_part(slurm, batch);
    return rc == 0;
}
