/*
 * supervise.c - the runner's loop.
 *
 *   queued --start--> starting --the executor says that it runs--> running
 *                                                                     |
 *                     gone, journal read to its end: schedule_classify()
 *                                                                     |
 *        done | failed | cancelled | quarantined | queued again (retry, stopped)
 *
 * Callbacks only set flags and wake tick(), which acts on them. The attempt, its place
 * and the job are recorded as starting before the executor starts anything, so that a
 * runner that dies in between leaves something to find; a higher attempt number fences
 * an older one off.
 */
#include "clock.h"
#include "error.h"
#include "file.h"
#include "log.h"
#include "record_base.h"
#include "schedule.h"
#include "store.h"
#include "supervisor.h"

#include <assert.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TICK_MS = 200, GRACE_S = 20, LOG_LIMIT = 64 << 20 };

static void tick(uv_timer_t *timer);

/* Makes the timer due at once; tick() handles what has changed. */
static void wake(void *user)
{
    struct supervisor *s = user;

    uv_timer_start(&s->timer, tick, 0, TICK_MS);
}

static int free_slots(const struct supervisor *s)
{
    return s->executor->type->free_slots(s->executor);
}

static void send_signal(struct slot *slot, enum executor_signal what)
{
    slot->task->executor->type->signal(slot->task, what);
}

/* Sends SIGTERM to the worker, and later SIGKILL. */
static void signal_worker(struct slot *slot)
{
    double now = clock_monotonic_s();

    if (slot->asked_at <= 0.0) {
        send_signal(slot, EXECUTOR_STOP);
        slot->asked_at = now;
    } else if (now - slot->asked_at > GRACE_S) {
        send_signal(slot, EXECUTOR_KILL);
    }
}

static bool is_detached(const struct slot *slot)
{
    return slot->task != NULL && slot->task->executor->type->detached;
}

/* Lets go of attempts that need no runner; a later one adopts them. Returns how many go
 * on meanwhile. */
static int let_go(struct supervisor *s)
{
    int count = 0;

    for (struct slot *slot = s->slots, *next; slot != NULL; slot = next) {
        next = slot->next;
        if (is_detached(slot)) {
            count += slot->task->handed_over;
            slot_destroy(s, slot);
        }
    }
    return count;
}

/* Bytes that the attempt has written to its log. */
static int64_t log_size(const struct supervisor *s, const struct slot *slot)
{
    struct stat status = { 0 };
    char *path =
        format_string("%s/%s/log", s->workspace->path, slot->recorder.attempt.directory);
    bool known = path != NULL && stat(path, &status) == 0;

    free(path);
    return known ? (int64_t)status.st_size : 0;
}

/* Checks the limits of an attempt. ERROR_NOSPACE: the disk is full. */
static int watch_limits(struct supervisor *s, struct slot *slot)
{
    const struct recorder_progress *p = &slot->recorder.progress;
    double now =
        s->ticked_at; /* not later: what it stands still in a tick, the next one sees */

    /* The runner itself was suspended during this time: it counts for no limit. */
    slot->beat_at += s->unwatched_s;
    slot->started_at += s->unwatched_s;
    if (slot->asked_at > 0.0)
        slot->asked_at += s->unwatched_s;
    if (slot->task->state == EXECUTOR_PENDING)
        slot->started_at = now; /* no worker yet: limits do not count */
    if (p->heartbeat != slot->beat || slot->task->state == EXECUTOR_PENDING) {
        slot->beat = p->heartbeat;
        slot->beat_at = now;
    }
    if (slot->job.time_limit_min > 0 &&
        now - slot->started_at > 60.0 * slot->job.time_limit_min)
        slot->timed_out = true;
    if (!slot->hung && now - slot->beat_at > slot->job.hang_s) {
        /* On a full disk neither a worker nor its keeper can write anything. */
        int rc = file_probe_space(s->workspace->path, s->err);
        if (rc == ERROR_NOSPACE)
            return rc;
        slot->hung = true;
    }
    slot->flooded = slot->flooded || log_size(s, slot) > LOG_LIMIT;
    /* A hung process does not react to SIGTERM: it is killed with its keeper. One
     * with a faulty journal is asked first, so that its keeper writes exit.json:
     * without it a rebuild would take the damage for that of a power failure. */
    bool faulty = slot->recorder.error_text[0] != '\0';
    if (slot->hung || slot->flooded || s->interrupts > 1)
        send_signal(slot, EXECUTOR_KILL);
    else if (faulty || slot->timed_out || slot->cancelled || s->interrupts == 1)
        signal_worker(slot);
    return 0;
}

static int follow_slots(struct supervisor *s)
{
    struct error fault = { 0 };
    int rc = 0;
    /* Polled before the journal is read: a worker that has ended writes nothing more.
     * After a fault of an executor, what has ended is concluded all the same. */
    int polled = executor_set_poll(&s->executors, &fault);

    for (struct slot *slot = s->slots, *next; slot != NULL && rc == 0; slot = next) {
        next = slot->next;
        bool alive = slot->task != NULL && slot->task->state != EXECUTOR_GONE;
        if (!alive && slot->task != NULL && slot->outside == OUTCOME_NONE)
            slot->outside = slot->task->cause;
        if (alive && (slot->task->place_is_new ||
                      (!slot->running && slot->task->state == EXECUTOR_RUNNING)))
            rc = attempt_record_place(s, slot);
        if (rc == 0 && alive && slot->recorder.error_text[0] == '\0')
            rc = recorder_read(&slot->recorder, s->store, s->err);
        if (rc == 0 && !alive)
            rc = attempt_conclude(s, slot);
        else if (rc == 0)
            rc = watch_limits(s, slot);
    }
    return rc == 0 && polled < 0
               ? error_set(s->err, (enum error_code)polled, "%s", fault.message)
               : rc;
}

/* ---- requests of other commands ---- */

static struct slot *slot_of_job(struct supervisor *s, int64_t job_id)
{
    for (struct slot *slot = s->slots; slot != NULL; slot = slot->next)
        if (slot->job.job_id == job_id)
            return slot;
    return NULL;
}

static int answer_request(struct supervisor *s, int64_t id, enum request_kind kind,
                          const char *target)
{
    bool cancel = kind == REQUEST_CANCEL;
    int64_t *ids;
    int count, rc;
    char answer[200];

    rc = record_find_jobs(s->store, &ids, &count, target, cancel ? JOBS_OPEN : JOBS_TO_RETRY,
                          cancel ? RECORD_UNSHARED_JOBS : RECORD_ALL_JOBS, s->err);
    if (rc == 0)
        rc = record_cancel_experiment(s->store, target, cancel, s->err);
    for (int i = 0; i < count && rc == 0; i++) {
        /* At once also where its worker has yet to end: a later runner has no other way
         * to know it. */
        rc = cancel ? record_job_state(s->store, ids[i], JOB_CANCELLED, OUTCOME_CANCELLED, NULL,
                                       s->err)
                    : record_job_requeue(s->store, ids[i], s->err);
        struct slot *slot = slot_of_job(s, ids[i]);
        if (slot != NULL)
            slot->cancelled = cancel;
    }
    free(ids);
    count = rc == 0 ? count : 0;
    snprintf(answer, sizeof answer, "%s %d job%s", cancel ? "cancelled" : "queued again", count,
             count == 1 ? "" : "s");
    return rc < 0 ? rc : record_answer_request(s->store, id, answer, s->err);
}

static int answer_requests(struct supervisor *s)
{
    for (;;) {
        enum request_kind kind;
        char target[160];
        int64_t id;
        int rc = record_next_request(s->store, &id, &kind, target, s->err);
        if (rc < 0 || id == 0)
            return rc;
        rc = store_begin(s->store, s->err);
        if (rc == 0)
            rc = answer_request(s, id, kind, target);
        if (rc == 0)
            rc = store_commit(s->store, s->err);
        if (rc < 0) {
            store_rollback(s->store);
            return rc;
        }
    }
}

/* ---- the next jobs ---- */

/* Counts open jobs, for the progress bar and to detect the end of the work. */
static int count_work(struct supervisor *s, double now)
{
    enum { COUNT_INTERVAL_S = 1 };
    struct record_totals left;

    if (now < s->next_count_at && s->slots != NULL)
        return 0;
    s->next_count_at = now + COUNT_INTERVAL_S;
    int rc = record_open_totals(s->store, &left, s->experiment, s->err);
    if (rc < 0)
        return rc;
    s->jobs_left = left.jobs;
    s->priority = left.priority;
    s->progress.jobs_total = s->progress.jobs_done + left.jobs;
    s->progress.work_total = s->progress.work_done + left.cost;
    return 0;
}

/* Whether an attempt of the run is running here. */
static bool is_busy(const struct supervisor *s, int64_t run_id)
{
    const struct slot *slot = s->slots;

    while (slot != NULL && slot->job.run_id != run_id)
        slot = slot->next;
    return slot != NULL;
}

/* Starts the next jobs as far as there are free slots. A job that needs many keeps its
 * turn: narrower jobs behind it must not starve it. */
static int start_jobs(struct supervisor *s)
{
    int rc = 0;

    for (int i = 0; i < s->job_count && free_slots(s) > 0 && rc == 0; i++) {
        struct record_job *job = &s->jobs[i];

        if (is_busy(s, job->run_id))
            continue;
        rc = attempt_count_cores(s, job);
        if (rc < 0 || !schedule_has_room(job->threads, free_slots(s), s->executor->slots))
            break;
        rc = attempt_start(s, job);
    }
    return rc;
}

/* Ends queued trainings whose base failed: nothing will make the weights that they
 * begin with. */
static int fail_baseless(struct supervisor *s)
{
    enum { AT_ONCE = 64 };
    struct record_baseless jobs[AT_ONCE];
    int count = 0;
    int rc = record_baseless_jobs(s->store, jobs, AT_ONCE, &count, s->err);

    if (rc < 0 || count == 0)
        return rc;
    rc = store_begin(s->store, s->err);
    for (int i = 0; i < count && rc == 0; i++) {
        char message[200];

        snprintf(message, sizeof message, "the run %.12s, with whose weights it begins: %s",
                 jobs[i].base_hash,
                 jobs[i].why[0] != '\0' ? jobs[i].why : "not in the database");
        rc = record_job_state(s->store, jobs[i].job_id, JOB_FAILED, OUTCOME_BASE_FAILED,
                              message, s->err);
        if (rc == 0)
            progress_say(&s->progress, "a training failed: %s", message);
    }
    if (rc == 0)
        rc = store_commit(s->store, s->err);
    if (rc < 0) {
        store_rollback(s->store);
        return rc;
    }
    s->result.failed += count;
    s->result.causes[OUTCOME_BASE_FAILED] += count;
    s->progress.jobs_failed += count;
    return 0;
}

/* Whether every attempt goes on without this runner. */
static bool all_handed_over(const struct supervisor *s)
{
    for (const struct slot *slot = s->slots; slot != NULL; slot = slot->next)
        if (slot->task == NULL || !slot->task->handed_over ||
            slot->task->state == EXECUTOR_GONE)
            return false;
    return true;
}

static int look_for_work(struct supervisor *s, double now)
{
    /* Extra candidates: queued jobs of runs that are busy are skipped, at most two
     * kinds per slot. */
    enum { SPARE = 16 };
    int busy = 0;
    bool give_up = !s->options->keep_going && s->options->max_fails > 0 &&
                   s->result.failed >= s->options->max_fails;

    for (const struct slot *slot = s->slots; slot != NULL; slot = slot->next)
        busy++;
    record_free_jobs(s->jobs, s->job_count);
    s->jobs = NULL;
    s->job_count = 0;
    int rc = fail_baseless(s);
    if (rc == 0)
        rc = count_work(s, now);
    /* A job of higher priority goes first, whoever queued it. Once its own work is
     * done, this runner leaves other jobs to their runners. */
    const struct record_scope scope = { s->experiment, s->priority, s->jobs_left > 0 };
    /* A runner that leaves submits retries that have to wait, too: they wait there. */
    double ready_at = s->options->leave ? HUGE_VAL : clock_wall_s();
    if (rc == 0 && !give_up && free_slots(s) > 0)
        rc = record_next_jobs(s->store, &s->jobs, &s->job_count, &scope, ready_at,
                              s->executor->slots + 2 * busy + SPARE, s->err);
    if (rc == 0)
        rc = start_jobs(s);
    if (rc == 0 && s->slots == NULL && (s->jobs_left == 0 || give_up))
        s->finished = true;
    if (rc == 0 && s->options->leave && all_handed_over(s))
        s->finished = true;
    return rc;
}

static void show_progress(struct supervisor *s)
{
    int count = 0, running = 0;

    if (!progress_is_due(&s->progress))
        return;
    struct live_job *jobs = calloc(LIVE_JOBS, sizeof *jobs);
    if (jobs == NULL)
        return; /* the next time */
    for (const struct slot *slot = s->slots; slot != NULL; slot = slot->next, running++)
        if (count < LIVE_JOBS)
            jobs[count++] = (struct live_job){ .label = slot->job.label,
                                               .run_id = slot->job.run_id,
                                               .cost = slot->job.cost,
                                               .progress = &slot->recorder.progress };
    progress_update(&s->progress, s->store, jobs, count, running);
    free(jobs);
}

static void tick(uv_timer_t *timer)
{
    enum { LOOK_INTERVAL_S = 1 };
    struct supervisor *s = timer->data;
    double now = clock_monotonic_s();

    s->unwatched_s = s->ticked_at > 0.0 ? schedule_unwatched_s(now - s->ticked_at) : 0.0;
    s->ticked_at = now;
    if (s->interrupts > 0)
        s->let_go += let_go(s);
    s->rc = follow_slots(s);
    if (s->rc == 0)
        s->rc = answer_requests(s);
    if (s->rc == 0 && s->interrupts == 0 && now >= s->next_look_at) {
        s->next_look_at = now + LOOK_INTERVAL_S;
        s->rc = look_for_work(s, now);
    }
    if (s->interrupts > 0 && s->slots == NULL)
        s->finished = true;
    show_progress(s);
    if (s->rc < 0 || s->finished)
        uv_stop(&s->loop);
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct supervisor *s = handle->data;

    bool attached = false;

    (void)signal_number;
    for (const struct slot *slot = s->slots; slot != NULL; slot = slot->next)
        attached = attached || !is_detached(slot);
    s->interrupts++;
    if (attached)
        progress_say(&s->progress, s->interrupts == 1
                                       ? "stopping: workers write checkpoints (again: at once)"
                                       : "stopping at once");
    wake(s);
}

static void close_loop(struct supervisor *s)
{
    uv_close((uv_handle_t *)&s->timer, NULL);
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
    /* slots remain only after an error of the runner; their workers continue */
    while (s->slots != NULL)
        slot_destroy(s, s->slots);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    int code = uv_loop_close(&s->loop);
    assert(code == 0); /* fails if a handle is still open */
    (void)code;
    executor_set_close(&s->executors);
}

/* libuv aborts without a message if it cannot grow its table of descriptors. That is
 * safe: the database is consistent, the workers continue, and the next command takes
 * over. */
static void *loop_realloc(void *old, size_t size)
{
    void *fresh = realloc(old, size);

    if (fresh == NULL && size > 0) {
        log_error(
            "no memory for the event loop; the workers continue, hrmlab work takes them over");
        exit(error_exit_code(ERROR_NOMEM));
    }
    return fresh;
}

int supervise(struct supervise_result *out, struct store *store,
              const struct workspace *workspace, const struct options *options,
              const struct executor_type *const *types, const char *experiment,
              struct error *err)
{
    static const int numbers[2] = { SIGINT, SIGTERM };
    struct supervisor *s = calloc(1, sizeof *s);

    if (s == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the supervisor");
    s->result = *out;
    s->store = store;
    s->workspace = workspace;
    s->options = options;
    s->experiment = experiment;
    s->err = err;
    uv_replace_allocator(malloc, loop_realloc, calloc, free);
    int code = uv_loop_init(&s->loop);
    if (code < 0) {
        free(s);
        return error_set(err, code == UV_ENOMEM ? ERROR_NOMEM : ERROR_ENVIRONMENT,
                         "the event loop cannot be made: %s", uv_strerror(code));
    }
    const struct executor_setup setup = { .loop = &s->loop,
                                          .wake = wake,
                                          .user = s,
                                          .program = options->worker_program,
                                          .slots = options->jobs };
    executor_set_init(&s->executors, types, &setup);
    progress_init(&s->progress,
                  &(struct progress_setup){ .quiet = options->quiet,
                                            .plain = options->plain,
                                            .color = options->color != COLOR_NEVER,
                                            .experiment = experiment });
    uv_timer_init(&s->loop, &s->timer);
    s->timer.data = s;
    for (int i = 0; i < 2; i++) {
        uv_signal_init(&s->loop, &s->signals[i]);
        s->signals[i].data = s;
        uv_signal_start(&s->signals[i], on_signal, numbers[i]);
    }
    s->rc = executor_set_choose(&s->executors, &s->executor, options->executor, err);
    if (s->rc == 0)
        s->rc = adopt_all(s);
    if (s->rc == 0) {
        uv_timer_start(&s->timer, tick, 0, TICK_MS);
        uv_run(&s->loop, UV_RUN_DEFAULT);
    }
    progress_finish(&s->progress);
    s->let_go += let_go(s);
    if (s->let_go > 0)
        progress_say(&s->progress,
                     "%d job%s on; hrmlab sync records what %s done, hrmlab work follows %s",
                     s->let_go, s->let_go == 1 ? " goes" : "s go",
                     s->let_go == 1 ? "it has" : "they have", s->let_go == 1 ? "it" : "them");
    if (s->slots != NULL)
        progress_say(&s->progress, "the workers continue; hrmlab work takes them over");
    close_loop(s);
    record_free_jobs(s->jobs, s->job_count);
    *out = s->result;
    out->interrupted = s->interrupts > 0;
    int rc = s->rc;
    free(s);
    return rc;
}
