/*
 * bench_scheduler.c - what the runner adds to a job: `bench scheduler`.
 *
 * Null workers (fake_worker.c: keeper, journal, syncs, no engine), two at a time, started by
 * `hrmlab work` from a queue, and by a bare loop here that makes the same forks, the same files
 * and as many syncs per job, counted by faults/shim.c; in turn, medians of several rounds.
 */
#include "bench.h"
#include "clock.h"
#include "error.h"
#include "faults/shim.h"
#include "file.h"

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 5, JOBS = 400, COUNTED_JOBS = 100, JOB_FILE_SYNCS = 2 };

extern char **environ;

static char *run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The first line that a shell command prints, fresh; its failure ends the program. */
static char *run(const char *format, ...)
{
    char command[1000], line[200] = "";
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        bench_fail("%s", command);
    if (fgets(line, sizeof line, pipe) != NULL)
        line[strcspn(line, "\n")] = '\0';
    if (pclose(pipe) != 0)
        bench_fail("failed: %s", command);
    return strdup(line);
}

static pid_t start(char *const argv[])
{
    pid_t pid;

    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0)
        bench_fail("start %s", argv[0]);
    return pid;
}

/* A workspace with that many null runs in its queue. */
static void make_queue(const char *directory, int jobs)
{
    char text[400], path[200];
    struct error err;

    snprintf(text, sizeof text,
             "{\"name\": \"null\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
             " \"arch.num_heads\": 2, \"train.max_steps\": 2}, \"seeds\": %d}",
             jobs);
    snprintf(path, sizeof path, "%s/null.json", directory);
    if (file_write_atomic(path, text, strlen(text), &err) < 0)
        bench_fail("%s", err.message);
    free(run("rm -rf %s/ws; build/hrmlab --quiet --workspace %s/ws queue %s 2>&1", directory,
             directory, path));
}

static pid_t start_work(const char *directory)
{
    char workspace[200];
    char *argv[] = {
        (char[]){ "build/hrmlab" }, (char[]){ "--quiet" }, (char[]){ "--workspace" }, workspace,
        (char[]){ "work" },         (char[]){ "--jobs" },  (char[]){ "2" },           NULL
    };

    snprintf(workspace, sizeof workspace, "%s/ws", directory);
    return start(argv);
}

/* Syncs in the logs of the shim: the runner's, and all others'. */
static void count_syncs(const char *log, pid_t runner, double *own, double *others)
{
    DIR *directory = opendir(log);

    *own = *others = 0.0;
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char path[600];
        struct shim_record record;
        snprintf(path, sizeof path, "%s/%s", log, entry->d_name);
        FILE *file = strstr(entry->d_name, ".log") != NULL ? fopen(path, "rb") : NULL;
        while (file != NULL && fread(&record, sizeof record, 1, file) == 1) {
            if (record.kind == SHIM_SYNC)
                *(atoi(entry->d_name) == (int)runner ? own : others) += 1.0 / COUNTED_JOBS;
            fseek(file, (long)record.old_length, SEEK_CUR);
        }
        if (file != NULL)
            fclose(file);
    }
    if (directory != NULL)
        closedir(directory);
}

static void learn_syncs(const char *directory, double *own, double *others)
{
    char log[200], root[200], shim[1100], here[1000];
    int status;

    make_queue(directory, COUNTED_JOBS);
    snprintf(log, sizeof log, "%s/log", directory);
    snprintf(root, sizeof root, "%s/ws", directory);
    if (getcwd(here, sizeof here) == NULL || mkdir(log, 0777) < 0)
        bench_fail("%s", log);
    snprintf(shim, sizeof shim, "%s/build/fault_shim.so", here);
    setenv("FAULT_LOG", log, 1);
    setenv("FAULT_ROOT", root, 1);
    setenv("LD_PRELOAD", shim, 1);
    pid_t pid = start_work(directory);
    unsetenv("LD_PRELOAD");
    waitpid(pid, &status, 0);
    count_syncs(log, pid, own, others);
}

/* User and system time of the process alone, in seconds; waited-for children left out. */
static void read_times(pid_t pid, double *user, double *system)
{
    char path[64], text[600] = "";
    unsigned long u, s;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return;
    if (fgets(text, sizeof text, file) != NULL && strrchr(text, ')') != NULL &&
        sscanf(strrchr(text, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
               &u, &s) == 2 &&
        u + s > 0) {
        *user = (double)u / (double)sysconf(_SC_CLK_TCK);
        *system = (double)s / (double)sysconf(_SC_CLK_TCK);
    }
    fclose(file);
}

/* Jobs per second of the runner. */
static double time_runner(const char *directory, double *user, double *system)
{
    int status;

    make_queue(directory, JOBS);
    double began = clock_monotonic_s();
    pid_t pid = start_work(directory);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        read_times(pid, user, system);
        usleep(5000);
    }
    double seconds = clock_monotonic_s() - began;
    if (status != 0)
        bench_fail("hrmlab work failed; its workspace is %s/ws", directory);
    return JOBS / seconds;
}

/* One job of the bare loop, up to its start. */
static pid_t start_bare(const char *directory, int number, const char *job, size_t size)
{
    char attempt[300], file[320];
    char *argv[] = { (char[]){ "build/fake_worker" }, (char[]){ "run" }, attempt, NULL };
    struct error err;

    snprintf(attempt, sizeof attempt, "%s/bare/runs/%d/attempts/1", directory, number);
    snprintf(file, sizeof file, "%s/job.json", attempt);
    if (file_make_directories(attempt, &err) < 0 ||
        file_write_atomic(file, job, size, &err) < 0)
        bench_fail("%s", err.message);
    return start(argv);
}

static void write_and_sync(int fd, int times)
{
    static const char page[4096];

    for (int i = 0; i < times; i++)
        if (write(fd, page, sizeof page) < 0 || fdatasync(fd) < 0)
            bench_fail("the bare loop's file");
}

/* Jobs per second of a loop that keeps nothing but its children. */
static double time_bare(const char *directory, int syncs, const char *job, size_t size)
{
    char path[200];
    int started = 0, running = 0, before = syncs / 2, status;

    free(run("rm -rf %s/bare; mkdir -p %s/bare", directory, directory));
    snprintf(path, sizeof path, "%s/bare/log", directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
    double began = clock_monotonic_s();
    while (started < JOBS || running > 0) {
        for (; running < 2 && started < JOBS; running++) {
            write_and_sync(fd, before);
            start_bare(directory, started++, job, size);
        }
        if (wait(&status) < 0 || status != 0)
            bench_fail("a null worker failed");
        write_and_sync(fd, syncs - before);
        running--;
    }
    double seconds = clock_monotonic_s() - began;
    close(fd);
    return JOBS / seconds;
}

void bench_scheduler(void)
{
    char directory[] = "/tmp/hrmlab-bench-XXXXXX";
    double own, others, user = 0, system = 0, runner[ROUNDS], bare[ROUNDS], ratio[ROUNDS];
    struct error err;
    char *job;
    size_t size;

    if (mkdtemp(directory) == NULL)
        bench_fail("%s", directory);
    setenv("HRMLAB_WORKER", "build/fake_worker", 1);
    setenv("FAKE_WORKER_REAL", "build/hrmlab-worker", 1);
    setenv("FAKE_WORKER_MODE", "ok", 1);
    learn_syncs(directory, &own, &others);
    char *path = run("ls -d %s/ws/runs/*/attempts/1/job.json | head -n 1", directory);
    if (file_read(&job, &size, path, 1 << 20, &err) < 0)
        bench_fail("%s", err.message);
    int syncs = (int)(own + 0.5) - JOB_FILE_SYNCS;
    for (int i = 0; i < ROUNDS; i++) {
        bare[i] = time_bare(directory, syncs > 0 ? syncs : 0, job, size);
        runner[i] = time_runner(directory, &user, &system);
        ratio[i] = runner[i] / bare[i];
    }
    printf("null jobs, two at a time, %d rounds of %d, medians\n", ROUNDS, JOBS);
    printf("syncs per job: runner %.1f, null worker and keeper %.1f\n", own, others);
    printf("bare loop, same forks and syncs: %.0f jobs/s\n", bench_median(bare, ROUNDS));
    printf("hrmlab work:                     %.0f jobs/s, %.0f %% of it\n",
           bench_median(runner, ROUNDS), 100 * bench_median(ratio, ROUNDS));
    printf("runner's CPU per job: %.2f ms user, %.2f ms system (forks and syncs included)\n",
           1e3 * user / JOBS, 1e3 * system / JOBS);
    free(job);
    free(path);
    free(run("rm -rf %s", directory));
}
