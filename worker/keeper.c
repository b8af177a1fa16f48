/* keeper.c - forks the worker, waits for it, writes exit.json. */
#include "keeper.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "file.h"

enum {
    REAP_MS = 5000,   /* longest wait for killed descendants */
    OPEN_FILES = 256, /* limit of descriptors of a worker */
    STOPPED_EXIT_CODE = 130
};

struct worker_end {
    pid_t pid;
    int status;
    struct rusage usage;
    bool launches;              /* the child is a launcher of ranks */
    int lost_rank, lost_signal; /* of a rank that a signal ended; signal 0: none */
    /* values of oom_kills() shortly before the worker's end, and after it */
    long oom_before, oom_after;
    char started_at[CLOCK_ISO_SIZE], ended_at[CLOCK_ISO_SIZE];
};

static int check_directory(const char *directory, struct error *err)
{
    static const char *const NAMES[] = { "journal.jsonl", "exit.json" };
    struct stat st;

    if (stat(directory, &st) < 0)
        return error_set(err, ERROR_ABSENT, "%s: %s (expected an attempt's directory)",
                         directory, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return error_set(err, ERROR_FORMAT, "%s: not a directory", directory);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char *path = file_join(directory, NAMES[i]);
        bool exists = path != NULL && file_exists(path);

        if (path == NULL)
            return error_set(err, ERROR_NOMEM, "out of memory for a path");
        free(path);
        if (exists)
            return error_set(err, ERROR_FORMAT,
                             "%s: has a %s already; each attempt needs a directory of its own",
                             directory, NAMES[i]);
    }
    return 0;
}

/* Number of requests to stop; global, because signal handlers need it. */
static volatile sig_atomic_t stop_requests;

static void on_stop_signal(int signal_number)
{
    if (signal_number == SIGINT && stop_requests > 0)
        _exit(STOPPED_EXIT_CODE);
    stop_requests = 1;
}

bool keeper_stop_requested(void)
{
    return stop_requests != 0;
}

void keeper_become_worker(pid_t parent, const sigset_t *signals)
{
    struct sigaction action = { .sa_handler = on_stop_signal, .sa_flags = SA_RESTART };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* the parent died before prctl() took effect */
        _exit(1);
    /* The worker has its own process group, so that a terminal's signal reaches it
     * once, through the keeper, and not twice. */
    setpgid(0, 0);
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigprocmask(SIG_UNBLOCK, signals, NULL);
}

/* Reaps adopted descendants that have ended, but not the worker, whose usage wait4()
 * returns. */
static void reap_adopted(pid_t worker)
{
    siginfo_t info = { 0 };

    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0 &&
           info.si_pid != worker) {
        waitpid(info.si_pid, NULL, 0);
        info.si_pid = 0;
    }
}

/* The number after "oom_kill " in a file of such lines; -1: none. */
static long read_oom_kills(const char *path)
{
    FILE *file = fopen(path, "re");
    char line[128];
    long count = -1;

    while (file != NULL && count < 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "oom_kill %ld", &count) != 1)
            count = -1;
    if (file != NULL)
        fclose(file);
    return count;
}

/* How many processes the kernel has killed for lack of memory: in this cgroup or, if
 * the cgroup does not count them, on the machine. */
static long oom_kills(void)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[512] = "", path[600];
    long count = -1;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "0::/", 4) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.events", line + 3);
            count = read_oom_kills(path);
        }
    if (file != NULL)
        fclose(file);
    return count >= 0 ? count : read_oom_kills("/proc/vmstat");
}

/* Passes a request to stop on to the child, which is not reaped yet: the pid is still
 * its own. A launcher ends everything by SIGTERM, and passes SIGUSR1 on. */
static void ask_to_stop(const struct worker_end *end, int signal_number, bool again)
{
    if (!end->launches)
        kill(end->pid, signal_number);
    else
        kill(end->pid, again && signal_number == SIGINT ? SIGTERM : SIGUSR1);
}

/* Waits for the worker and forwards SIGTERM and SIGINT. All three signals are
 * blocked. */
static void wait_for(struct worker_end *end, const sigset_t *signals)
{
    /* Only kills within this time before the worker's end can have been its cause. */
    static const struct timespec LATELY = { .tv_sec = 10 }, SOON = { .tv_sec = 1 };
    bool asked = false;

    end->oom_before = oom_kills();
    while (wait4(end->pid, &end->status, WNOHANG, &end->usage) != end->pid) {
        bool repeats = end->launches && asked;
        int signal_number = sigtimedwait(signals, NULL, repeats ? &SOON : &LATELY);

        if (signal_number < 0 && errno == EAGAIN)
            end->oom_before = oom_kills();
        if (signal_number == SIGTERM || signal_number == SIGINT) {
            ask_to_stop(end, signal_number, asked);
            asked = true;
        } else if (signal_number < 0 && repeats) /* the launcher may not have listened
                                                  * yet */
            ask_to_stop(end, SIGTERM, true);
        else if (signal_number == SIGCHLD)
            reap_adopted(end->pid);
    }
    end->oom_after = oom_kills();
    clock_iso_now(end->ended_at);
}

/* Sends SIGKILL to every child of this process. */
static void kill_children(void)
{
    FILE *file;
    long pid;

    char *path = format_string("/proc/self/task/%ld/children", (long)getpid());
    file = path != NULL ? fopen(path, "re") : NULL;
    free(path);
    if (file == NULL)
        return;
    while (fscanf(file, "%ld", &pid) == 1)
        kill((pid_t)pid, SIGKILL);
    fclose(file);
}

/* Kills and reaps the worker's remaining descendants. PR_SET_CHILD_SUBREAPER makes
 * orphans children of this process. */
static void reap_descendants(pid_t worker)
{
    double limit = clock_monotonic_s() + REAP_MS / 1000.0;

    kill(-worker, SIGKILL);
    while (clock_monotonic_s() < limit) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);

        if (pid < 0 && errno == ECHILD)
            return;
        if (pid == 0) {
            kill_children();
            nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
        }
    }
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

/* Reads /proc/sys/kernel/random/boot_id; empty if it cannot be read. */
static void read_boot_id(char out[64])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    out[0] = '\0';
    if (file == NULL)
        return;
    if (fgets(out, 64, file) == NULL)
        out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    fclose(file);
}

static bool add(cJSON *root, const char *name, double value)
{
    return cJSON_AddNumberToObject(root, name, value) != NULL;
}

/* Newly allocated; NULL: no memory. */
static char *exit_text(const struct worker_end *end)
{
    cJSON *root = cJSON_CreateObject();
    bool lost = end->lost_signal > 0, signalled = lost || WIFSIGNALED(end->status);
    int signal_number = lost ? end->lost_signal : WTERMSIG(end->status);
    char boot_id[64], *text = NULL;

    read_boot_id(boot_id);
    bool whole = cJSON_AddStringToObject(root, "format", "hrmlab-exit-1") != NULL &&
                 add(root, "keeper_pid", (double)getpid()) &&
                 add(root, "worker_pid", (double)end->pid) &&
                 (signalled ? cJSON_AddNullToObject(root, "exit_status") != NULL
                            : add(root, "exit_status", WEXITSTATUS(end->status))) &&
                 add(root, "signal", signalled ? signal_number : 0) &&
                 (!lost || add(root, "rank", end->lost_rank)) &&
                 add(root, "user_seconds", seconds_of(end->usage.ru_utime)) &&
                 add(root, "system_seconds", seconds_of(end->usage.ru_stime)) &&
                 add(root, "peak_rss_mib", (double)end->usage.ru_maxrss / 1024.0) &&
                 add(root, "oom_kills", (double)(end->oom_after - end->oom_before)) &&
                 cJSON_AddStringToObject(root, "started_at", end->started_at) != NULL &&
                 cJSON_AddStringToObject(root, "ended_at", end->ended_at) != NULL &&
                 cJSON_AddStringToObject(root, "boot_id", boot_id) != NULL;
    if (whole)
        text = cJSON_Print(root);
    cJSON_Delete(root);
    return text;
}

/* Writes exit.json. While the disk is full it retries without a limit: without the
 * file the runner would not learn that the full disk was the cause. */
static int write_exit(const struct worker_end *end, const char *directory, struct error *err)
{
    char *path = file_join(directory, "exit.json");
    char *text = exit_text(end);
    int rc = path == NULL || text == NULL
                 ? error_set(err, ERROR_NOMEM, "out of memory for exit.json")
                 : file_write_atomic(path, text, strlen(text), err);

    while (rc == ERROR_NOSPACE) {
        sleep(1);
        rc = file_write_atomic(path, text, strlen(text), err);
    }
    cJSON_free(text);
    free(path);
    return rc;
}

/* Which rank was lost, if one was. */
static void read_lost(struct worker_end *end, const char *directory)
{
    enum { LIMIT = 100 };
    char *path = file_join(directory, KEEPER_LOST_FILE), *text = NULL;
    size_t size;

    if (path != NULL && file_read(&text, &size, path, LIMIT, NULL) == 0 &&
        sscanf(text, "%d %d", &end->lost_rank, &end->lost_signal) != 2)
        end->lost_signal = 0;
    free(text);
    free(path);
}

static int keep(int *exit_code, const char *directory, bool launches, keeper_worker_fn *worker,
                void *user, struct error *err)
{
    struct worker_end end = { .launches = launches };
    sigset_t signals;
    pid_t keeper = getpid();
    int rc = check_directory(directory, err);

    if (rc < 0)
        return rc;
    setsid(); /* fails for a group leader, which keeps its session: see keeper.h */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);

    clock_iso_now(end.started_at);
    fflush(NULL);
    end.pid = fork();
    if (end.pid < 0)
        return error_set(err, ERROR_SPAWN, "cannot start the worker: fork: %s",
                         strerror(errno));
    if (end.pid == 0) {
        keeper_become_worker(keeper, &signals);
        exit(worker(user));
    }
    wait_for(&end, &signals);
    reap_descendants(end.pid);
    if (launches)
        read_lost(&end, directory);
    *exit_code = WIFSIGNALED(end.status) ? 128 + WTERMSIG(end.status) : WEXITSTATUS(end.status);
    return write_exit(&end, directory, err);
}

int keeper_run(int *exit_code, const char *directory, keeper_worker_fn *worker, void *user,
               struct error *err)
{
    return keep(exit_code, directory, false, worker, user, err);
}

int keeper_run_launcher(int *exit_code, const char *directory, keeper_worker_fn *worker,
                        void *user, struct error *err)
{
    return keep(exit_code, directory, true, worker, user, err);
}

int keeper_pin_worker(const int *cpus, int count, struct error *err)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    for (int i = 0; i < count; i++)
        CPU_SET((size_t)cpus[i], &set);
    if (count > 0 && sched_setaffinity(0, sizeof set, &set) < 0)
        return error_set(err, ERROR_ENVIRONMENT,
                         "cannot pin to the cores of job.json (%d%s): %s", cpus[0],
                         count > 1 ? ", ..." : "", strerror(errno));
    return 0;
}

/* Limits open files: a worker opens a journal, a checkpoint and a data file.
 * Processes are not limited, because the kernel counts them per user and not per
 * job; they end with the keeper. */
static void limit_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max <= OPEN_FILES)
        return;
    limit.rlim_cur = limit.rlim_max = OPEN_FILES;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int keeper_limit_worker(double memory_gb, struct error *err)
{
    struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    limit_files();
#if !defined(__SANITIZE_ADDRESS__)
    if (memory_gb > 0.0) {
        rlim_t bytes = (rlim_t)(memory_gb * 1073741824.0);
        struct rlimit limit = { bytes, bytes };

        if (setrlimit(RLIMIT_AS, &limit) < 0)
            return error_set(err, ERROR_ENVIRONMENT, "cannot limit memory to %g GiB: %s",
                             memory_gb, strerror(errno));
    }
#else
    (void)memory_gb;
    (void)err;
#endif
    return 0;
}
