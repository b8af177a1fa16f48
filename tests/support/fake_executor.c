/* fake_executor.c - the executor local behind a queue that delays, loses and reorders. */
#include "support/fake_executor.h"

#include "error.h"
#include "executor_local.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fake_script fake_script;

struct fake {
    struct executor head;
    struct executor *local; /* owned */
    int ends;               /* workers whose end was seen */
    int last_told;          /* of them, the one that was told last */
};

struct fake_task {
    struct executor_task head;
    struct executor_task *inner; /* owned; of local */
    int polls_to_start;
    int end_number; /* which end it was; 0: not seen yet */
    enum outcome loss;
};

static struct fake_task *add_task(struct executor *executor, const char *directory,
                                  struct error *err)
{
    struct fake_task *task =
        (struct fake_task *)executor_add_task(executor, sizeof *task, directory);

    if (task == NULL)
        (void)error_set(err, ERROR_NOMEM, "no memory for an attempt");
    return task;
}

/* What is known of the inner task, told as one's own. */
static int copy_inner(struct fake_task *task, struct error *err)
{
    const struct executor_task *inner = task->inner;
    size_t size = sizeof *inner->cores * (size_t)inner->core_count;

    free(task->head.cores);
    task->head.cores = malloc(size + 1);
    if (task->head.cores == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a list of cores");
    memcpy(task->head.cores, inner->cores, size);
    task->head.core_count = inner->core_count;
    snprintf(task->head.place, sizeof task->head.place, "fake %.600s", inner->place);
    snprintf(task->head.name, sizeof task->head.name, "fake %.50s", inner->name);
    return 0;
}

static void fake_release(struct executor_task *head)
{
    struct fake_task *task = (struct fake_task *)head;

    if (task->inner != NULL)
        executor_local.release(task->inner);
    executor_drop_task(head);
    free(task);
}

static int fake_prepare(struct executor *executor, struct executor_task **out,
                        const char *directory, const struct executor_needs *needs,
                        struct error *err)
{
    struct fake *fake = (struct fake *)executor;
    struct fake_task *task = add_task(executor, directory, err);
    int rc = task == NULL
                 ? ERROR_NOMEM
                 : executor_local.prepare(fake->local, &task->inner, directory, needs, err);

    *out = NULL;
    if (rc == 0)
        rc = copy_inner(task, err);
    if (rc < 0) {
        if (task != NULL)
            fake_release(&task->head);
        return rc;
    }
    *out = &task->head;
    return 0;
}

/* The attempt goes at once the way that the script says. */
static void lose(const struct fake_task *task)
{
    bool ask = task->loss == OUTCOME_PREEMPTED;

    executor_local.signal(task->inner, ask ? EXECUTOR_STOP : EXECUTOR_KILL);
    fake_script.lost++;
}

static int start_inner(struct fake_task *task, struct error *err)
{
    struct fake_script *script = &fake_script;
    int rc = executor_local.start(task->inner, err);

    if (rc < 0)
        return rc;
    for (int i = 0; i < script->started; i++)
        script->started_twice += strcmp(script->directories[i], task->head.directory) == 0;
    for (int i = 0; i < script->loss_count; i++)
        if (script->losses[i].number == script->started)
            task->loss = script->losses[i].cause;
    if (script->started < FAKE_STARTS)
        snprintf(script->directories[script->started++], sizeof script->directories[0], "%s",
                 task->head.directory);
    if (script->die_after_start)
        _exit(128 + SIGKILL);
    if (task->loss != OUTCOME_NONE)
        lose(task);
    task->head.state = EXECUTOR_RUNNING;
    return copy_inner(task, err);
}

static int fake_start(struct executor_task *head, struct error *err)
{
    struct fake_task *task = (struct fake_task *)head;
    int most = fake_script.start_delay;

    if (fake_script.die_before_start)
        _exit(128 + SIGKILL);
    if (most == 0)
        return start_inner(task, err);
    task->polls_to_start = 1 + fake_script.started % most;
    head->state = EXECUTOR_PENDING;
    return 0;
}

static int fake_adopt(struct executor *executor, struct executor_task **out,
                      const char *directory, const char *place, struct error *err)
{
    struct fake *fake = (struct fake *)executor;
    struct fake_task *task = add_task(executor, directory, err);
    const char *inner = strncmp(place, "fake ", 5) == 0 ? place + 5 : "";
    int rc = task == NULL
                 ? ERROR_NOMEM
                 : executor_local.adopt(fake->local, &task->inner, directory, inner, err);

    *out = NULL;
    if (rc == 0)
        rc = copy_inner(task, err);
    if (rc < 0) {
        if (task != NULL)
            fake_release(&task->head);
        return rc;
    }
    task->head.state = task->inner->state;
    task->head.cause = task->inner->cause;
    task->head.age_s = task->inner->age_s;
    *out = &task->head;
    return 0;
}

/* Another attempt may still end before this one is told of. */
static bool is_held_back(const struct fake *fake, const struct fake_task *task)
{
    bool alone = fake->head.tasks == &task->head && task->head.next == NULL;

    return fake_script.reorder && task->end_number % 2 == 1 && !alone &&
           fake->last_told < task->end_number;
}

/* The worker has ended: that is told now or later. */
static void tell_end(struct fake *fake, struct fake_task *task)
{
    if (task->end_number == 0)
        task->end_number = ++fake->ends;
    if (is_held_back(fake, task))
        return;
    fake_script.reordered += task->end_number < fake->last_told;
    fake->last_told = task->end_number;
    task->head.state = EXECUTOR_GONE;
    task->head.cause = task->loss;
}

static int fake_poll(struct executor *executor, struct error *err)
{
    struct fake *fake = (struct fake *)executor;
    int rc = executor_local.poll(fake->local, err);

    for (struct executor_task *head = executor->tasks; head != NULL && rc == 0;
         head = head->next) {
        struct fake_task *task = (struct fake_task *)head;

        fake_script.polls_pending += head->state == EXECUTOR_PENDING;
        if (head->state == EXECUTOR_PENDING && --task->polls_to_start <= 0)
            rc = start_inner(task, err);
        else if (head->state == EXECUTOR_RUNNING && task->inner->state == EXECUTOR_GONE)
            tell_end(fake, task);
    }
    return rc;
}

static void fake_signal(struct executor_task *head, enum executor_signal what)
{
    struct fake_task *task = (struct fake_task *)head;

    if (head->state == EXECUTOR_PENDING) { /* taken out of the queue */
        head->state = EXECUTOR_GONE;
        head->cause = OUTCOME_NEVER_STARTED;
    } else {
        executor_local.signal(task->inner, what);
    }
}

static int fake_free_slots(const struct executor *executor)
{
    return executor_local.free_slots(((const struct fake *)executor)->local);
}

static int fake_open(struct executor **out, const struct executor_setup *setup,
                     struct error *err)
{
    struct fake *fake = calloc(1, sizeof *fake);
    int rc = fake == NULL ? error_set(err, ERROR_NOMEM, "no memory for an executor")
                          : executor_local.open(&fake->local, setup, err);

    *out = NULL;
    if (rc < 0) {
        free(fake);
        return rc;
    }
    fake->head.type = &fake_executor;
    fake->head.slots = fake->local->slots;
    *out = &fake->head;
    return 0;
}

static void fake_close(struct executor *executor)
{
    while (executor->tasks != NULL)
        fake_release(executor->tasks);
    executor_local.close(((struct fake *)executor)->local);
    free(executor);
}

const struct executor_type fake_executor = {
    .name = "fake",
    .open = fake_open,
    .close = fake_close,
    .free_slots = fake_free_slots,
    .prepare = fake_prepare,
    .start = fake_start,
    .adopt = fake_adopt,
    .poll = fake_poll,
    .signal = fake_signal,
    .release = fake_release,
};
