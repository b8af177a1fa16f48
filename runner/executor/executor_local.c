/* executor_local.c - chooses cores, starts keepers with uv_spawn(), finds them
 * again. */
#include "executor_local.h"

#include "cpu_quota.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CORES = 1024 };

struct local {
    struct executor head;
    struct executor_setup setup;
    char boot[64]; /* this boot's id */
    /* the core of each slot; cores repeat if there are more slots */
    int cores[MOST_CORES];
    bool used[MOST_CORES];
};

struct local_task {
    struct executor_task head;
    uv_process_t process; /* valid when started */
    /* uv_spawn() was called: the handle is open until it is closed */
    bool started;
    bool exited;             /* the loop has seen its end */
    int64_t pid, start_time; /* of the keeper; 0: none */
};

/* ---- slots ---- */

/* Fills the slots: one for each core that this process may use within its quota
 * (cpu_quota.h), or as many as were asked for, which repeat these cores. */
static void find_cores(struct local *local)
{
    cpu_set_t set;
    int asked = local->setup.slots, most = MOST_CORES, *count = &local->head.slots;
    int wanted = asked < MOST_CORES ? asked : MOST_CORES;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        CPU_SET(0, &set);
    if (wanted == 0)
        most = cpu_quota_cores(most, cpu_quota(""));
    for (int cpu = 0; cpu < CPU_SETSIZE && *count < most; cpu++)
        if (CPU_ISSET((size_t)cpu, &set) && (wanted == 0 || *count < wanted))
            local->cores[(*count)++] = cpu;
    for (int present = *count; present > 0 && *count < wanted; (*count)++)
        local->cores[*count] = local->cores[*count % present];
}

/* Marks one slot of that core; there are several if there are more slots than cores. */
static void mark_core(struct local *local, int core, bool used)
{
    for (int i = 0; i < local->head.slots; i++)
        if (local->cores[i] == core && local->used[i] != used) {
            local->used[i] = used;
            return;
        }
}

static int local_free_slots(const struct executor *executor)
{
    const struct local *local = (const struct local *)executor;
    int count = 0;

    for (int i = 0; i < executor->slots; i++)
        count += !local->used[i];
    return count;
}

/* Pins the task to count free cores. */
static int take_cores(struct local *local, struct executor_task *task, int count,
                      struct error *err)
{
    task->cores = calloc((size_t)count + 1, sizeof *task->cores);
    if (task->cores == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a list of cores");
    for (int i = 0; i < local->head.slots && task->core_count < count; i++)
        if (!local->used[i]) {
            local->used[i] = true;
            task->cores[task->core_count++] = local->cores[i];
        }
    return 0;
}

/* Reserves the cores to which an adopted attempt is pinned, by its job.json. Without
 * one the worker was not started. */
static int keep_cores(struct local *local, struct executor_task *task, struct error *err)
{
    char *path = file_join(task->directory, "job.json");
    struct error fault = { 0 };
    cJSON *job = NULL;
    int rc = path == NULL ? error_no_memory(&fault, "a path")
                          : json_read_file(&job, path, JSON_JOB_LIMIT, &fault);
    const cJSON *core, *list = json_member(job, "cpus");

    task->cores = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *task->cores);
    if (task->cores == NULL)
        rc = error_no_memory(&fault, "a list of cores");
    if (rc != ERROR_NOMEM)
        cJSON_ArrayForEach(core, list)
        {
            task->cores[task->core_count++] = core->valueint;
            mark_core(local, core->valueint, true);
        }
    cJSON_Delete(job);
    free(path);
    return rc == ERROR_NOMEM ? error_set(err, rc, "%s", fault.message) : 0;
}

/* ---- places ---- */

/* Writes what is known of the task as its place. */
static void write_place(struct local_task *task)
{
    const struct local *local = (const struct local *)task->head.executor;
    char process[64] = "";

    if (task->pid > 0)
        snprintf(process, sizeof process, "pid %lld start %lld ", (long long)task->pid,
                 (long long)task->start_time);
    snprintf(task->head.place, sizeof task->head.place, "%sboot %s", process, local->boot);
    snprintf(task->head.name, sizeof task->head.name, "pid %lld", (long long)task->pid);
}

struct local_place {
    int64_t pid, start_time; /* 0: not in the text */
    char boot[64];
};

/* Parses a place. Text that does not follow the format gives a boot id that is not
 * this one's. */
static void read_place(struct local_place *out, const char *text)
{
    const char *boot = strstr(text, "boot ");
    long long pid = 0, start = 0;

    *out = (struct local_place){ 0 };
    if (sscanf(text, "pid %lld start %lld ", &pid, &start) == 2) {
        out->pid = pid;
        out->start_time = start;
    }
    if (boot != NULL)
        sscanf(boot, "boot %63s", out->boot);
}

/* ---- processes ---- */

static bool is_alive(const struct local_task *task)
{
    if (task->started)
        return !task->exited;
    return task->pid > 0 && task->start_time != 0 &&
           process_start_time(task->pid) == task->start_time;
}

static void on_keeper_exit(uv_process_t *process, int64_t exit_status, int term_signal)
{
    struct local_task *task = process->data;
    const struct local *local = (const struct local *)task->head.executor;

    (void)exit_status; /* exit.json has it, for adopted keepers too */
    (void)term_signal;
    task->exited = true;
    if (local->setup.wake != NULL)
        local->setup.wake(local->setup.user);
}

static int spawn(struct local_task *task, char **argv, int log_fd)
{
    const struct local *local = (const struct local *)task->head.executor;
    uv_stdio_container_t stdio[3] = { { .flags = UV_IGNORE },
                                      { .flags = UV_INHERIT_FD, .data.fd = log_fd },
                                      { .flags = UV_INHERIT_FD, .data.fd = log_fd } };
    uv_process_options_t options = { .file = argv[0],
                                     .args = argv,
                                     .stdio = stdio,
                                     .stdio_count = 3,
                                     .flags = UV_PROCESS_DETACHED,
                                     .exit_cb = on_keeper_exit };

    task->process.data = task;
    return uv_spawn(local->setup.loop, &task->process, &options);
}

/* Starts "program run directory" with its output going to the attempt's log; of several
 * ranks with --ranks before "run". */
static int run_keeper(struct local_task *task, struct error *err)
{
    const struct local *local = (const struct local *)task->head.executor;
    const char *directory = task->head.directory;
    char *log = file_join(directory, "log");
    bool ranks = task->head.ranks > 1;
    char *argv[5] = { strdup(local->setup.program) };
    int count = 1;
    int fd = -1;
    int rc = log == NULL ? error_no_memory(err, "a path")
                         : file_open(&fd, log, O_WRONLY | O_CREAT | O_APPEND, err);

    if (ranks)
        argv[count++] = format_string("--ranks=%d", task->head.ranks);
    argv[count++] = strdup("run");
    argv[count++] = strdup(directory);
    if (rc == 0) {
        int code = UV_ENOMEM;
        if (argv[0] != NULL && argv[1] != NULL && argv[2] != NULL &&
            (argv[3] != NULL || !ranks)) {
            code = spawn(task, argv, fd);
            /* uv_spawn() initialises the handle even if it fails: it must be closed
             * then. */
            task->started = true;
        }
        if (code < 0)
            rc = error_set(err, ERROR_SPAWN, "start %s: %s", argv[0], uv_strerror(code));
        close(fd);
    }
    for (int i = 0; i < count; i++)
        free(argv[i]);
    free(log);
    return rc;
}

static int local_start(struct executor_task *head, struct error *err)
{
    struct local_task *task = (struct local_task *)head;

    assert(head->state == EXECUTOR_PREPARED);
    int rc = run_keeper(task, err);
    if (rc < 0) {
        task->exited = true;
        head->state = EXECUTOR_GONE;
        return rc;
    }
    task->pid = task->process.pid;
    task->start_time = process_start_time(task->pid);
    uv_unref((uv_handle_t *)&task->process);
    head->state = EXECUTOR_RUNNING;
    write_place(task);
    return 0;
}

/* ---- tasks ---- */

static struct local_task *add_task(struct executor *executor, const char *directory,
                                   struct error *err)
{
    struct local_task *task =
        (struct local_task *)executor_add_task(executor, sizeof *task, directory);

    if (task == NULL)
        (void)error_set(err, ERROR_NOMEM, "no memory for an attempt");
    else
        gethostname(task->head.host, sizeof task->head.host - 1);
    return task;
}

static void on_task_closed(uv_handle_t *handle)
{
    free(handle->data); /* the task that contains the handle */
}

static void local_release(struct executor_task *head)
{
    struct local_task *task = (struct local_task *)head;
    struct local *local = (struct local *)head->executor;

    for (int i = 0; i < head->core_count; i++)
        mark_core(local, head->cores[i], false);
    executor_drop_task(head);
    if (task->started)
        uv_close((uv_handle_t *)&task->process, on_task_closed);
    else
        free(task);
}

static int local_prepare(struct executor *executor, struct executor_task **out,
                         const char *directory, const struct executor_needs *needs,
                         struct error *err)
{
    struct local_task *task = add_task(executor, directory, err);
    int threads = needs->threads < executor->slots ? needs->threads : executor->slots;

    *out = NULL;
    if (task == NULL)
        return ERROR_NOMEM;
    int rc = take_cores((struct local *)executor, &task->head, threads, err);
    if (rc < 0) {
        local_release(&task->head);
        return rc;
    }
    write_place(task);
    *out = &task->head;
    return 0;
}

/* Finds the keeper, if it was started: its caller died before it recorded the pid. One
 * that executes itself anew (blas_environment.h) has no command line for a moment, so
 * that "none" is believed only when it is found again. */
static int search(struct local_task *task, struct error *err)
{
    static const struct timespec pause = { .tv_nsec = 50000000 };

    task->pid = process_find_keeper(task->head.directory);
    for (int i = 0; i < 2 && task->pid == 0; i++) {
        nanosleep(&pause, NULL);
        task->pid = process_find_keeper(task->head.directory);
    }
    if (task->pid < 0)
        return error_set(err, ERROR_ENVIRONMENT, "the processes cannot be listed (/proc): %s",
                         strerror(errno));
    task->start_time = task->pid > 0 ? process_start_time(task->pid) : 0;
    return 0;
}

static int local_adopt(struct executor *executor, struct executor_task **out,
                       const char *directory, const char *text, struct error *err)
{
    struct local *local = (struct local *)executor;
    struct local_task *task = add_task(executor, directory, err);
    struct local_place place;
    int rc = 0;

    *out = NULL;
    if (task == NULL)
        return ERROR_NOMEM;
    read_place(&place, text);
    bool rebooted = strcmp(place.boot, local->boot) != 0;
    rc = keep_cores(local, &task->head, err);
    if (!rebooted) { /* after a reboot its processes cannot exist */
        task->pid = place.pid;
        task->start_time = place.start_time;
        if (rc == 0 && task->pid == 0)
            rc = search(task, err);
    }
    if (rc < 0) {
        local_release(&task->head);
        return rc;
    }
    if (is_alive(task)) {
        task->head.state = EXECUTOR_RUNNING;
        task->head.age_s = process_age_s(task->start_time);
        write_place(task);
    } else {
        task->head.state = EXECUTOR_GONE;
        task->head.cause = rebooted         ? OUTCOME_RESTARTED
                           : place.pid == 0 ? OUTCOME_NEVER_STARTED
                                            : OUTCOME_NONE;
    }
    *out = &task->head;
    return 0;
}

static int local_poll(struct executor *executor, struct error *err)
{
    (void)err; /* a missing entry in /proc is an answer too */
    for (struct executor_task *task = executor->tasks; task != NULL; task = task->next)
        if (task->state == EXECUTOR_RUNNING && !is_alive((struct local_task *)task))
            task->state = EXECUTOR_GONE;
    return 0;
}

/* The keeper forwards SIGTERM to the worker; if it is killed, the worker is killed
 * too. */
static void local_signal(struct executor_task *head, enum executor_signal what)
{
    const struct local_task *task = (const struct local_task *)head;
    int number = what == EXECUTOR_KILL ? SIGKILL : SIGTERM;

    if (!is_alive(task) || task->pid <= 0)
        return;
    /* our child: its pid cannot be reused before the loop has reaped it */
    if (task->started)
        kill((pid_t)task->pid, number);
    else
        process_signal(task->pid, task->start_time, number);
}

/* ---- the executor ---- */

static int local_open(struct executor **out, const struct executor_setup *setup,
                      struct error *err)
{
    struct local *local = calloc(1, sizeof *local);

    *out = NULL;
    if (local == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the executor local");
    local->head.type = &executor_local;
    local->setup = *setup;
    process_boot_id(local->boot);
    find_cores(local);
    *out = &local->head;
    return 0;
}

static void local_close(struct executor *executor)
{
    for (struct executor_task *task = executor->tasks, *next; task != NULL; task = next) {
        next = task->next;
        assert(!((const struct local_task *)task)->started);
        local_release(task);
    }
    free(executor);
}

const struct executor_type executor_local = {
    .name = "local",
    .open = local_open,
    .close = local_close,
    .free_slots = local_free_slots,
    .prepare = local_prepare,
    .start = local_start,
    .adopt = local_adopt,
    .poll = local_poll,
    .signal = local_signal,
    .release = local_release,
};
