/*
 * supervise.c - the runner's loop.
 *
 *   queued --start--> starting --keeper's pid recorded--> running
 *                                                           |
 *            keeper gone, journal read to its end: schedule_classify()
 *                                                           |
 *        done | failed | cancelled | quarantined | queued again (retry, stopped)
 *
 * Callbacks only set flags; tick() acts on them. The attempt and the job are recorded as
 * starting before the keeper is spawned, so that a runner that dies in between leaves something
 * to find; a higher attempt number fences an older one off.
 */
#include "supervise.h"

#include "clock.h"
#include "error.h"
#include "executor_local.h"
#include "file.h"
#include "json.h"
#include "process.h"
#include "progress.h"
#include "record.h"
#include "recorder.h"
#include "schedule.h"
#include "store.h"

#include <assert.h>
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TICK_MS = 200, GRACE_S = 20, MAX_CORES = 1024, EXIT_LIMIT = 1 << 16 };

struct slot {
    struct executor_local executor;
    struct recorder recorder;
    struct record_job job;    /* label owned */
    int cores[MAX_CORES];     /* pinned to */
    int core_count;
    double started_at;        /* monotonic */
    double beat_at;           /* monotonic time of the last change of the heartbeat */
    int64_t beat;
    double asked_at;          /* monotonic time of the SIGTERM; 0: none sent */
    bool cancelled, timed_out, hung;
    bool closing;             /* the handle's close callback is to come */
    struct slot *next;
};

struct supervisor {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t signals[2];
    struct store *store;                 /* borrowed */
    const struct workspace *workspace;   /* borrowed */
    const struct options *options;       /* borrowed */
    const char *experiment;              /* borrowed; NULL: all */
    struct slot *slots;                  /* owned list */
    struct record_job *jobs;             /* owned; as of the last look */
    int job_count;
    int cores[MAX_CORES];
    bool core_used[MAX_CORES];
    int core_count;
    int interrupts;
    bool finished;
    double next_look_at; /* monotonic */
    struct progress progress;
    struct supervise_result result;
    int rc;
    struct error *err;
};

static void on_keeper_exit(void *user)
{
    (void)user; /* tick() sees it */
}

static void on_slot_closed(uv_handle_t *handle)
{
    struct executor_local *executor = handle->data;

    free(executor->user); /* the slot that holds it */
}

/* Takes the slot out of the list and frees it, at once or when its handle is closed. */
static void slot_destroy(struct supervisor *s, struct slot *slot)
{
    for (struct slot **at = &s->slots; *at != NULL; at = &(*at)->next)
        if (*at == slot) {
            *at = slot->next;
            break;
        }
    for (int i = 0; i < slot->core_count; i++)
        for (int c = 0; c < s->core_count; c++)
            if (s->cores[c] == slot->cores[i])
                s->core_used[c] = false;
    recorder_release(&slot->recorder);
    free(slot->job.label);
    if (slot->executor.started)
        uv_close((uv_handle_t *)&slot->executor.process, on_slot_closed);
    else
        free(slot);
}

static struct slot *slot_create(struct supervisor *s, const struct record_job *job)
{
    struct slot *slot = calloc(1, sizeof *slot);

    if (slot == NULL)
        return NULL;
    slot->job = *job;
    slot->job.label = strdup(job->label);
    slot->executor.on_exit = on_keeper_exit;
    slot->executor.user = slot;
    slot->started_at = slot->beat_at = clock_monotonic_s();
    slot->next = s->slots;
    s->slots = slot;
    return slot;
}

static void find_cores(struct supervisor *s)
{
    cpu_set_t set;
    int wanted = s->options->jobs;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        CPU_SET(0, &set);
    for (int cpu = 0; cpu < CPU_SETSIZE && s->core_count < MAX_CORES; cpu++)
        if (CPU_ISSET((size_t)cpu, &set) && (wanted == 0 || s->core_count < wanted))
            s->cores[s->core_count++] = cpu;
}

static int free_cores(const struct supervisor *s)
{
    int count = 0;

    for (int i = 0; i < s->core_count; i++)
        count += !s->core_used[i];
    return count;
}

/* Pins the slot to count free cores. */
static void take_cores(struct supervisor *s, struct slot *slot, int count)
{
    for (int i = 0; i < s->core_count && slot->core_count < count; i++)
        if (!s->core_used[i]) {
            s->core_used[i] = true;
            slot->cores[slot->core_count++] = s->cores[i];
        }
}

/* Cores that an adopted attempt was pinned to, from "0,1". */
static void keep_cores(struct supervisor *s, struct slot *slot, const char *cpus)
{
    for (const char *at = cpus; *at != '\0' && slot->core_count < MAX_CORES;) {
        char *end;
        long cpu = strtol(at, &end, 10);
        if (end == at)
            break;
        slot->cores[slot->core_count++] = (int)cpu;
        for (int i = 0; i < s->core_count; i++)
            if (s->cores[i] == (int)cpu)
                s->core_used[i] = true;
        at = *end == ',' ? end + 1 : end;
    }
}

static void cores_text(char *out, size_t size, const struct slot *slot)
{
    size_t used = 0;

    out[0] = '\0';
    for (int i = 0; i < slot->core_count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%d", i > 0 ? "," : "",
                                 slot->cores[i]);
}

/* One more than the highest attempt directory of the run on disk. */
static int least_attempt(const struct supervisor *s, const char *run_hash)
{
    char *path = format_string("%s/runs/%s/attempts", s->workspace->path, run_hash);
    DIR *directory = path != NULL ? opendir(path) : NULL;
    int highest = 0;

    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        if (atoi(entry->d_name) > highest)
            highest = atoi(entry->d_name);
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
    int rc = path == NULL || text == NULL ? error_set(err, ERROR_NOMEM, "no memory for a job")
                                          : file_make_directories(directory, err);
    if (rc == 0)
        rc = file_write_atomic(path, text, strlen(text), err);
    cJSON_free(text);
    free(path);
    return rc;
}

/* Records attempt and job as starting; *json is what the worker is told. */
static int record_start(struct supervisor *s, const struct record_job *job,
                        struct record_attempt *attempt, cJSON **json)
{
    int rc = store_begin(s->store, s->err);

    *attempt = (struct record_attempt){ .job_id = job->job_id, .run_id = job->run_id };
    *json = NULL;
    if (rc < 0)
        return rc;
    rc = record_attempt(s->store, &attempt->attempt_id, &attempt->number, attempt->directory, job,
                        least_attempt(s, job->run_hash), s->err);
    if (rc == 0)
        rc = record_job_json(s->store, json, job, attempt->number, s->err);
    if (rc == 0)
        rc = store_commit(s->store, s->err);
    if (rc < 0)
        store_rollback(s->store);
    return rc;
}

static int record_running(struct supervisor *s, const struct slot *slot)
{
    char boot[64], host[100] = "?", cpus[512];

    process_boot_id(boot);
    gethostname(host, sizeof host - 1);
    cores_text(cpus, sizeof cpus, slot);
    struct record_process process = { slot->executor.pid, slot->executor.start_time, boot, host,
                                      cpus };
    int rc = store_begin(s->store, s->err);
    if (rc < 0)
        return rc;
    rc = record_attempt_running(s->store, slot->recorder.attempt.attempt_id, slot->job.job_id,
                                &process, s->err);
    if (rc == 0)
        rc = store_commit(s->store, s->err);
    if (rc < 0)
        store_rollback(s->store);
    return rc;
}

static int start_job(struct supervisor *s, const struct record_job *job)
{
    struct record_attempt attempt;
    cJSON *json;
    struct slot *slot = slot_create(s, job);
    int rc;

    if (slot == NULL)
        return error_set(s->err, ERROR_NOMEM, "no memory for a job");
    take_cores(s, slot, job->threads < s->core_count ? job->threads : s->core_count);
    rc = record_start(s, job, &attempt, &json);
    char *directory =
        rc == 0 ? format_string("%s/%s", s->workspace->path, attempt.directory) : NULL;
    if (rc == 0 && directory == NULL)
        rc = error_set(s->err, ERROR_NOMEM, "no memory for a path");
    if (rc == 0)
        rc = recorder_init(&slot->recorder, &attempt, s->workspace->path, s->err);
    if (rc == 0)
        rc = write_job(slot, json, directory, s->err);
    if (rc == 0)
        rc = executor_local_start(&slot->executor, &s->loop, s->options->worker_program,
                                  directory, s->err);
    if (rc == 0)
        rc = record_running(s, slot);
    if (rc == 0)
        progress_say(&s->progress, "%s: %s attempt %d, run %.12s", slot->job.label,
                     job->evaluate ? "evaluating," : "training,", attempt.number, job->run_hash);
    cJSON_Delete(json);
    free(directory);
    if (rc < 0)
        slot_destroy(s, slot);
    return rc;
}

/* exit.json of an attempt, or NULL. */
static cJSON *read_exit(const struct supervisor *s, const struct slot *slot)
{
    struct error ignored;
    cJSON *exit_json = NULL;
    char *path = format_string("%s/%s/exit.json", s->workspace->path,
                               slot->recorder.attempt.directory);

    if (path != NULL && json_read_file(&exit_json, path, EXIT_LIMIT, &ignored) < 0)
        exit_json = NULL;
    free(path);
    return exit_json;
}

static struct schedule_facts gather_facts(const struct supervisor *s, const struct slot *slot,
                                          const cJSON *exit_json)
{
    const cJSON *status = json_member(exit_json, "exit_status");
    const cJSON *signal_json = json_member(exit_json, "signal");

    return (struct schedule_facts){
        .has_exit = exit_json != NULL,
        .has_status = cJSON_IsNumber(status),
        .exit_status = cJSON_IsNumber(status) ? status->valueint : 0,
        .signal = cJSON_IsNumber(signal_json) ? signal_json->valueint : 0,
        .outcome = slot->recorder.outcome,
        .cancelled = slot->cancelled,
        .stopping = s->interrupts > 0,
        .timed_out = slot->timed_out,
        .hung = slot->hung,
        .memory_limited = slot->job.memory_gb > 0,
    };
}

/* The job's new state after its attempt. */
static int record_verdict(struct supervisor *s, const struct slot *slot,
                          struct schedule_end end, const char *message)
{
    int failures = slot->job.failures + 1;
    int64_t id = slot->job.job_id;

    switch (end.verdict) {
    case VERDICT_DONE:
        return record_job_state(s->store, id, "done", end.cause, message, s->err);
    case VERDICT_CANCELLED:
        return record_job_state(s->store, id, "cancelled", end.cause, message, s->err);
    case VERDICT_REQUEUE:
        return record_job_retry(s->store, id, false, 0.0, end.cause, message, s->err);
    case VERDICT_FAILED:
        return record_job_state(s->store, id, "failed", end.cause, message, s->err);
    case VERDICT_RETRY:
        if (failures > slot->job.retries_max)
            return record_job_state(s->store, id, "failed", end.cause, message, s->err);
        return record_job_retry(s->store, id, true,
                                clock_wall_s() + schedule_backoff_s(failures, (uint64_t)id),
                                end.cause, message, s->err);
    }
    return 0;
}

static void count_end(struct supervisor *s, const struct slot *slot, struct schedule_end end,
                      const char *message)
{
    bool last = end.verdict == VERDICT_FAILED ||
                (end.verdict == VERDICT_RETRY && slot->job.failures + 1 > slot->job.retries_max);

    if (end.verdict == VERDICT_DONE) {
        s->result.done++;
        s->progress.jobs_done++;
        s->progress.work_done += slot->job.cost;
    }
    s->result.failed += last;
    s->progress.jobs_failed += last;
    progress_say(&s->progress, "%s: %s%s%s%s%s", slot->job.label,
                 end.verdict == VERDICT_DONE        ? "done"
                 : last                             ? "failed"
                 : end.verdict == VERDICT_RETRY     ? "will be tried again"
                 : end.verdict == VERDICT_CANCELLED ? "cancelled"
                                                    : "stopped, state is safe",
                 end.cause != NULL ? ": " : "", end.cause != NULL ? end.cause : "",
                 message[0] != '\0' ? ": " : "", message);
}

/* Quarantine: the job waits for a person. */
static int conclude_quarantined(struct supervisor *s, struct slot *slot, const cJSON *exit_json)
{
    const char *why = slot->recorder.error_text;
    struct record_end end = { "quarantined", "quarantined", why, exit_json };
    int rc = record_attempt_end(s->store, slot->recorder.attempt.attempt_id, &end, s->err);

    if (rc == 0)
        rc = record_job_state(s->store, slot->job.job_id, "quarantined", "journal", why, s->err);
    s->result.failed++;
    progress_say(&s->progress, "%s: quarantined: %s; see %s", slot->job.label, why,
                 slot->recorder.attempt.directory);
    return rc;
}

/* The keeper is gone and the journal has been read: what it means. */
static int conclude(struct supervisor *s, struct slot *slot)
{
    cJSON *exit_json = read_exit(s, slot);
    const char *message = slot->recorder.message;
    int rc = store_begin(s->store, s->err);

    if (rc == 0 && slot->recorder.error_text[0] != '\0') {
        rc = conclude_quarantined(s, slot, exit_json);
    } else if (rc == 0) {
        struct schedule_facts facts = gather_facts(s, slot, exit_json);
        struct schedule_end end = schedule_classify(&facts);
        struct record_end attempt_end = { "ended", end.cause != NULL ? end.cause : "done",
                                          message[0] != '\0' ? message : NULL, exit_json };
        rc = record_attempt_end(s->store, slot->recorder.attempt.attempt_id, &attempt_end,
                                s->err);
        if (rc == 0)
            rc = record_verdict(s, slot, end, message[0] != '\0' ? message : NULL);
        count_end(s, slot, end, message);
    }
    if (rc == 0)
        rc = store_commit(s->store, s->err);
    if (rc < 0)
        store_rollback(s->store);
    cJSON_Delete(exit_json);
    slot_destroy(s, slot);
    s->next_look_at = 0.0;
    return rc;
}

/* Asks the worker to stop, and makes it after a while. */
static void press(struct slot *slot)
{
    double now = clock_monotonic_s();

    if (slot->asked_at <= 0.0) {
        executor_local_signal(&slot->executor, SIGTERM);
        slot->asked_at = now;
    } else if (now - slot->asked_at > GRACE_S) {
        executor_local_signal(&slot->executor, SIGKILL);
    }
}

static void watch_limits(const struct supervisor *s, struct slot *slot)
{
    const struct recorder_progress *p = &slot->recorder.progress;
    double now = clock_monotonic_s();
    double step_s = p->steps_per_s > 0 ? 1.0 / p->steps_per_s : 0.0;

    if (p->heartbeat != slot->beat) {
        slot->beat = p->heartbeat;
        slot->beat_at = now;
    }
    if (slot->job.time_limit_min > 0 && now - slot->started_at > 60.0 * slot->job.time_limit_min)
        slot->timed_out = true;
    if (now - slot->beat_at > schedule_hang_limit_s(step_s))
        slot->hung = true;
    if (slot->recorder.error_text[0] != '\0') /* nothing it says counts any more */
        executor_local_signal(&slot->executor, SIGKILL);
    else if (slot->hung) /* a stopped process would not hear SIGTERM */
        executor_local_signal(&slot->executor, SIGKILL);
    else if (slot->timed_out || slot->cancelled || s->interrupts == 1)
        press(slot);
    else if (s->interrupts > 1)
        executor_local_signal(&slot->executor, SIGKILL);
}

static int follow_slots(struct supervisor *s)
{
    int rc = 0;

    for (struct slot *slot = s->slots, *next; slot != NULL && rc == 0; slot = next) {
        next = slot->next;
        bool alive = executor_local_alive(&slot->executor); /* before reading: then all is said */
        if (slot->recorder.error_text[0] == '\0')
            rc = recorder_read(&slot->recorder, s->store, s->err);
        if (rc == 0 && !alive)
            rc = conclude(s, slot);
        else if (rc == 0)
            watch_limits(s, slot);
    }
    return rc;
}

/* ---- taking over what an earlier runner left ---- */

static struct record_job *find_job(struct supervisor *s, int64_t job_id)
{
    for (int i = 0; i < s->job_count; i++)
        if (s->jobs[i].job_id == job_id)
            return &s->jobs[i];
    return NULL;
}

static int adopt_one(struct supervisor *s, const struct record_attempt *attempt)
{
    struct record_job *job = find_job(s, attempt->job_id);
    char *directory = format_string("%s/%s", s->workspace->path, attempt->directory);
    int64_t pid = attempt->keeper_pid, start = attempt->keeper_start;
    char boot[64];

    if (job == NULL || directory == NULL) { /* its job is over: an attempt out of date */
        free(directory);
        struct record_end end = { "superseded", "superseded", NULL, NULL };
        return record_attempt_end(s->store, attempt->attempt_id, &end, s->err);
    }
    struct slot *slot = slot_create(s, job);
    int rc = slot == NULL ? error_set(s->err, ERROR_NOMEM, "no memory for a job")
                          : recorder_init(&slot->recorder, attempt, s->workspace->path, s->err);
    if (slot != NULL)
        keep_cores(s, slot, attempt->cpus);
    process_boot_id(boot);
    if (strcmp(attempt->state, "starting") == 0) { /* the runner died between spawn and record */
        pid = process_find_keeper(directory);
        start = pid != 0 ? process_start_time(pid) : 0;
    } else if (strcmp(attempt->boot_id, boot) != 0) {
        pid = 0;
    }
    free(directory);
    if (rc < 0)
        return rc;
    executor_local_adopt(&slot->executor, pid, start);
    bool alive = executor_local_alive(&slot->executor);
    if (alive && strcmp(attempt->state, "starting") == 0)
        rc = record_running(s, slot);
    if (alive)
        progress_say(&s->progress, "%s: attempt %d is still running (pid %lld), taken over",
                     slot->job.label, attempt->number, (long long)pid);
    return rc;
}

static int adopt_all(struct supervisor *s)
{
    struct record_attempt *attempts;
    int count, rc;

    rc = record_open_jobs(s->store, &s->jobs, &s->job_count, NULL, s->err);
    if (rc == 0)
        rc = record_open_attempts(s->store, &attempts, &count, s->err);
    if (rc < 0)
        return rc;
    for (int i = 0; i < count && rc == 0; i++)
        rc = adopt_one(s, &attempts[i]);
    free(attempts);
    return rc;
}

/* ---- requests of other commands ---- */

static struct slot *slot_of_job(struct supervisor *s, int64_t job_id)
{
    for (struct slot *slot = s->slots; slot != NULL; slot = slot->next)
        if (slot->job.job_id == job_id)
            return slot;
    return NULL;
}

static int answer_request(struct supervisor *s, int64_t id, const char *kind, const char *target)
{
    bool cancel = strcmp(kind, "cancel") == 0;
    int64_t *ids;
    int count, rc;
    char answer[200];

    rc = record_find_jobs(s->store, &ids, &count, target,
                          cancel ? "queued,starting,running" : "failed,cancelled,quarantined",
                          s->err);
    for (int i = 0; i < count && rc == 0; i++) {
        struct slot *slot = slot_of_job(s, ids[i]);
        if (cancel && slot != NULL)
            slot->cancelled = true;
        else
            rc = cancel ? record_job_state(s->store, ids[i], "cancelled", "cancelled", NULL, s->err)
                        : record_job_retry(s->store, ids[i], false, 0.0, NULL, NULL, s->err);
    }
    free(ids);
    snprintf(answer, sizeof answer, "%s %d jobs", cancel ? "cancelled" : "queued again", rc == 0 ? count : 0);
    return rc < 0 ? rc : record_answer_request(s->store, id, answer, s->err);
}

static int answer_requests(struct supervisor *s)
{
    for (;;) {
        char kind[16], target[160];
        int64_t id;
        int rc = record_next_request(s->store, &id, kind, target, s->err);
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

/* ---- what is next ---- */

static int look_for_work(struct supervisor *s)
{
    double wake_at;
    int rc;

    record_free_jobs(s->jobs, s->job_count);
    s->jobs = NULL;
    s->job_count = 0;
    rc = record_open_jobs(s->store, &s->jobs, &s->job_count, s->experiment, s->err);
    if (rc < 0)
        return rc;
    struct schedule_candidate *candidates =
        calloc((size_t)s->job_count + 1, sizeof *candidates);
    if (candidates == NULL)
        return error_set(s->err, ERROR_NOMEM, "no memory to schedule");
    double work = 0.0;
    for (int i = 0; i < s->job_count; i++) {
        bool blocked = strcmp(s->jobs[i].state, "queued") != 0;
        for (const struct slot *slot = s->slots; slot != NULL; slot = slot->next)
            blocked = blocked || slot->job.run_id == s->jobs[i].run_id;
        candidates[i] = (struct schedule_candidate){ s->jobs[i].threads, s->jobs[i].not_before,
                                                     blocked };
        work += s->jobs[i].cost;
    }
    s->progress.jobs_total = s->progress.jobs_done + s->job_count;
    s->progress.work_total = s->progress.work_done + work;
    bool give_up = !s->options->keep_going && s->options->max_fails > 0 &&
                   s->result.failed >= s->options->max_fails;
    while (rc == 0 && !give_up) {
        int next = schedule_next(candidates, s->job_count, free_cores(s), s->core_count,
                                 clock_wall_s(), &wake_at);
        if (next < 0)
            break;
        candidates[next].blocked = true;
        rc = start_job(s, &s->jobs[next]);
    }
    free(candidates);
    if (rc == 0 && s->slots == NULL && (s->job_count == 0 || give_up))
        s->finished = true;
    return rc;
}

static void show_progress(struct supervisor *s)
{
    struct progress_job jobs[64];
    int count = 0;

    for (const struct slot *slot = s->slots; slot != NULL && count < 64; slot = slot->next)
        jobs[count++] = (struct progress_job){ slot->job.label, &slot->recorder.progress,
                                               slot->job.cost };
    progress_update(&s->progress, jobs, count);
}

static void tick(uv_timer_t *timer)
{
    enum { LOOK_INTERVAL_S = 1 };
    struct supervisor *s = timer->data;
    double now = clock_monotonic_s();

    s->rc = follow_slots(s);
    if (s->rc == 0)
        s->rc = answer_requests(s);
    if (s->rc == 0 && s->interrupts == 0 && now >= s->next_look_at) {
        s->next_look_at = now + LOOK_INTERVAL_S;
        s->rc = look_for_work(s);
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

    (void)signal_number;
    s->interrupts++;
    progress_say(&s->progress, s->interrupts == 1
                                   ? "stopping: workers write checkpoints (again: at once)"
                                   : "stopping at once");
}

static void close_loop(struct supervisor *s)
{
    uv_close((uv_handle_t *)&s->timer, NULL);
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
    while (s->slots != NULL) /* only after an error of ours: the workers go on */
        slot_destroy(s, s->slots);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    int code = uv_loop_close(&s->loop);
    assert(code == 0); /* a handle was forgotten */
    (void)code;
}

int supervise(struct supervise_result *out, struct store *store,
              const struct workspace *workspace, const struct options *options,
              const char *experiment, struct error *err)
{
    static const int numbers[2] = { SIGINT, SIGTERM };
    struct supervisor *s = calloc(1, sizeof *s);

    *out = (struct supervise_result){ 0 };
    if (s == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the supervisor");
    s->store = store;
    s->workspace = workspace;
    s->options = options;
    s->experiment = experiment;
    s->err = err;
    if (uv_loop_init(&s->loop) < 0) {
        free(s);
        return error_set(err, ERROR_ENVIRONMENT, "the event loop cannot be made");
    }
    find_cores(s);
    progress_init(&s->progress, options->quiet, options->color != COLOR_NEVER);
    uv_timer_init(&s->loop, &s->timer);
    s->timer.data = s;
    for (int i = 0; i < 2; i++) {
        uv_signal_init(&s->loop, &s->signals[i]);
        s->signals[i].data = s;
        uv_signal_start(&s->signals[i], on_signal, numbers[i]);
    }
    s->rc = adopt_all(s);
    if (s->rc == 0) {
        uv_timer_start(&s->timer, tick, 0, TICK_MS);
        uv_run(&s->loop, UV_RUN_DEFAULT);
    }
    progress_finish(&s->progress);
    close_loop(s);
    record_free_jobs(s->jobs, s->job_count);
    *out = s->result;
    out->interrupted = s->interrupts > 0;
    int rc = s->rc;
    free(s);
    return rc;
}
