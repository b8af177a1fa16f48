/*
 * fake_worker.c - a worker that misbehaves on command, for the runner's tests.
 *
 * "fake_worker run DIR" follows docs/formats.md without an engine: it writes journal and exit.json
 * itself. FAKE_WORKER_MODE says how: ok, crash, silent (exit 0, no result), garbage, after_end,
 * fail_once (crashes on the first attempt), other_value (a metric that contradicts attempt 1),
 * slow (a metric and a heartbeat every 20 ms, for a second, or as long as there is a file
 * FAKE_WORKER_HOLD), half (dies within a line), other_run (a journal of another run), other_file (a
 * final checkpoint that is another file), flood (prints for ever), endless_line (a journal line without end), skip (goes on from an attempt that nobody
 * knows), long_step (heartbeats for five seconds, and no step), hang_once (stands still in the
 * first attempt), last_words (says why on its standard error and dies), lost_rank (of its first
 * attempt rank 1 is killed, and rank 0 asked to stop by the launcher), any (one of those that fail, or ok, drawn anew by each attempt, which says so on its
 * output).
 * FAKE_WORKER_COMMIT: the git commit that its provenance names.
 * Everything else ("describe", "probe") is handed to the real worker, FAKE_WORKER_REAL.
 */
#include "clock.h"
#include "error.h"
#include "file.h"
#include "journal.h"
#include "json.h"
#include "measure.h"
#include "random.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct journal_writer journal;

static void say(const char *type, cJSON *body)
{
    struct error err;

    if (journal_append(&journal, type, body, true, &err) < 0) {
        fprintf(stderr, "fake_worker: %s\n", err.message);
        exit(3);
    }
}

static void write_raw(const char *text)
{
    if (write(journal.fd, text, strlen(text)) < 0)
        exit(3);
}

static void say_metric(int step, double value)
{
    cJSON *body = cJSON_CreateObject(), *values;

    cJSON_AddNumberToObject(body, "step", step);
    values = cJSON_AddObjectToObject(body, "values");
    cJSON_AddNumberToObject(values, "train/lm_loss", value);
    say("metric", body);
}

static void say_beat(int heartbeat)
{
    cJSON *body = cJSON_CreateObject();

    cJSON_AddNumberToObject(body, "heartbeat", heartbeat);
    say("progress", body);
}

/* A share that hardly another run has: results of runs must not be exchanged. */
static double of_this_run(const cJSON *job)
{
    char digits[9] = "";

    strncat(digits, json_member(job, "run_hash")->valuestring, 8);
    return (double)strtoul(digits, NULL, 16) / 4294967296.0;
}

static void say_results(const cJSON *job)
{
    const cJSON *evaluation;

    cJSON_ArrayForEach(evaluation, json_member(job, "evaluations"))
    {
        cJSON *body = cJSON_CreateObject();
        cJSON_AddNumberToObject(body, "step", 2);
        cJSON_AddStringToObject(body, "checkpoint", "last");
        cJSON_AddItemToObject(body, "evaluation", cJSON_Duplicate(evaluation, 1));
        for (int i = 0; i < METRIC_RECORDED; i++)
            cJSON_AddNumberToObject(body, METRICS[i].name,
                                    i == METRIC_PER_TOKEN_ACCURACY ? of_this_run(job) : 0.5);
        cJSON_AddNumberToObject(body, "tasks", 1);
        cJSON_AddNumberToObject(body, "rows_count", 1);
        cJSON_AddNumberToObject(body, "seconds", 0.5);
        say("evaluation", body);
    }
}

/* message: NULL: none. */
static void say_end(const char *status, const char *message)
{
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "status", status);
    if (message != NULL)
        cJSON_AddStringToObject(body, "message", message);
    cJSON_AddNumberToObject(body, "step", 2);
    cJSON_AddStringToObject(body, "weights_hash", "0");
    say("end", body);
}

/* Whether somebody wants slow workers to stay. */
static bool is_held(void)
{
    const char *hold = getenv("FAKE_WORKER_HOLD");

    return hold != NULL && file_exists(hold);
}

static void say_begin(const cJSON *job, const char *mode, int64_t attempt)
{
    const cJSON *hash = json_member(job, "run_hash");
    cJSON *begin = cJSON_CreateObject();

    cJSON_AddStringToObject(begin, "kind", json_member(job, "kind")->valuestring);
    cJSON_AddStringToObject(begin, "run_hash",
                            strcmp(mode, "other_run") == 0 ? "0123456789abcdef"
                                                           : hash->valuestring);
    cJSON_AddNumberToObject(begin, "attempt", (double)attempt);
    cJSON_AddNumberToObject(begin, "total_steps", 2);
    cJSON_AddNumberToObject(begin, "parameters", 1);
    cJSON_AddNumberToObject(begin, "puzzle_parameters", 1);
    cJSON_AddNumberToObject(begin, "train_flops", 1);
    cJSON *provenance = cJSON_AddObjectToObject(begin, "provenance");
    cJSON_AddStringToObject(provenance, "kernel_set", "none");
    if (getenv("FAKE_WORKER_COMMIT") != NULL)
        cJSON_AddStringToObject(provenance, "git_commit", getenv("FAKE_WORKER_COMMIT"));
    say("begin", begin);
}

/* The steps; some modes do not come to their end. */
static void train(const char *mode, int64_t attempt)
{
    if (strcmp(mode, "skip") == 0) {
        cJSON *resume = cJSON_CreateObject();
        cJSON_AddNumberToObject(resume, "step", 1);
        cJSON_AddStringToObject(resume, "from", "attempts/7/checkpoint-0.safetensors");
        say("resume", resume);
    }
    say_metric(1, strcmp(mode, "other_value") == 0 && attempt > 1 ? 2.0 : 1.0);
    for (int i = 1; strcmp(mode, "slow") == 0 && (i < 50 || is_held()); i++) {
        say_beat(i);
        say_metric(1 + i, 1.0);
        usleep(20000);
    }
    /* A step of five seconds that works all the time; and a worker that stands still. */
    for (int i = 1; strcmp(mode, "long_step") == 0 && i < 50; i++) {
        say_beat(i);
        usleep(100000);
    }
    if (strcmp(mode, "hang_once") == 0 && attempt == 1) {
        say_beat(1);
        for (;;)
            pause();
    }
}

/* What a faulty worker writes and how it dies; others come back. */
static void misbehave(const char *mode, int64_t attempt)
{
    bool first_fails = strcmp(mode, "fail_once") == 0 || strcmp(mode, "other_value") == 0;

    if (strcmp(mode, "garbage") == 0)
        write_raw("this is no event\n");
    if (strcmp(mode, "half") == 0)
        write_raw("{\"h\":\"0123456789abcdef\",\"n\":2,\"t\":\"2026-11-2");
    while (strcmp(mode, "flood") == 0)
        if (puts("a line that nobody wants, again and again and again and again and again") < 0)
            exit(3);
    while (strcmp(mode, "endless_line") == 0)
        write_raw("a line that nobody wants, again and again and again and again and again");
    if (strcmp(mode, "crash") == 0 || strcmp(mode, "half") == 0 ||
        (first_fails && attempt == 1))
        abort();
    if (strcmp(mode, "lost_rank") == 0 && attempt == 1) {
        say_end("stopped", "stopped at step 1");
        raise(SIGKILL);
    }
    if (strcmp(mode, "last_words") == 0) {
        fprintf(stderr, "a first line\nlibmissing.so.3: cannot open shared object\033[2J file");
        for (int i = 0; i < 200; i++) /* more than a message has room for */
            fputs("\xc3\xa4", stderr);
        fputs("\n", stderr);
        abort();
    }
}

/* Writes safetensors without any tensor, and says so. */
static void write_checkpoint(const char *directory, const char *mode)
{
    struct error err;
    char *final = file_join(directory, "final.safetensors");
    cJSON *checkpoint = cJSON_CreateObject();

    error_ignore(file_write_atomic(final, "\2\0\0\0\0\0\0\0{}", 10, &err));
    cJSON_AddNumberToObject(checkpoint, "step", 2);
    cJSON_AddStringToObject(checkpoint, "file",
                            strcmp(mode, "other_file") == 0 ? "../../../../../../../etc/passwd"
                                                            : "final.safetensors");
    cJSON_AddStringToObject(checkpoint, "weights_hash", "0");
    cJSON_AddTrueToObject(checkpoint, "final");
    say("checkpoint", checkpoint);
    free(final);
}

/* The worker's part; returns its exit code. */
static int work(const char *directory, const char *mode)
{
    struct error err;
    cJSON *job = NULL;
    char *job_file = file_join(directory, "job.json");
    char *journal_file = file_join(directory, "journal.jsonl");
    int64_t attempt;
    int rc = json_read_file(&job, job_file, JSON_SPEC_LIMIT, &err);

    if (rc == 0)
        rc = json_get_int(&attempt, job, "attempt", "job.json", &err);
    if (rc == 0)
        rc = journal_open(&journal, journal_file, &err);
    free(job_file);
    free(journal_file);
    if (rc < 0) {
        fprintf(stderr, "fake_worker: %s\n", err.message);
        cJSON_Delete(job);
        return 3;
    }
    say_begin(job, mode, attempt);
    train(mode, attempt);
    misbehave(mode, attempt);
    if (strcmp(mode, "silent") != 0) {
        say_results(job);
        write_checkpoint(directory, mode);
        say_end("done", NULL);
        if (strcmp(mode, "after_end") == 0)
            say_metric(1, 3.0);
    }
    cJSON_Delete(job);
    return 0;
}

static const char *draw_mode(void)
{
    static const char *const MODES[] = { "ok",   "crash",     "silent",    "garbage",
                                         "half", "after_end", "other_run", "endless_line",
                                         "ok",   "flood" };
    struct random_stream stream = random_stream((uint64_t)getpid(), "mode", 0);
    const char *mode = MODES[random_below(&stream, sizeof MODES / sizeof *MODES)];

    printf("mode %s.\n", mode);
    fflush(stdout);
    return mode;
}

static pid_t child;

static void pass_on(int number)
{
    kill(child, number);
}

/* The keeper's part: signals for the child, exit.json from its wait status. */
static int keep(const char *directory, const char *mode)
{
    char text[300];
    struct error err;
    int status;

    if (strcmp(mode, "any") == 0)
        mode = draw_mode();
    pid_t parent = getpid();
    child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* as the real one: a flood ends with its keeper */
        if (getppid() != parent)          /* it has ended before */
            _exit(3);
        _exit(work(directory, mode));
    }
    signal(SIGTERM, pass_on);
    signal(SIGINT, pass_on);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status))
        snprintf(text, sizeof text,
                 "{\"format\":\"hrmlab-exit-1\",\"exit_status\":%d,\"signal\":0,"
                 "\"user_seconds\":0.1,\"system_seconds\":0,\"peak_rss_mib\":1}",
                 WEXITSTATUS(status));
    else
        snprintf(text, sizeof text,
                 "{\"format\":\"hrmlab-exit-1\",\"exit_status\":null,\"signal\":%d,%s"
                 "\"user_seconds\":0.1,\"system_seconds\":0,\"peak_rss_mib\":1}",
                 WTERMSIG(status), strcmp(mode, "lost_rank") == 0 ? "\"rank\":1," : "");
    char *path = file_join(directory, "exit.json");
    int rc = path == NULL ? 3 : file_write_atomic(path, text, strlen(text), &err);
    free(path);
    return rc < 0 ? 3 : 0;
}

int main(int argc, char **argv)
{
    const char *mode = getenv("FAKE_WORKER_MODE"), *real = getenv("FAKE_WORKER_REAL");

    if (argc == 3 && strcmp(argv[1], "run") == 0)
        return keep(argv[2], mode != NULL ? mode : "ok");
    if (real == NULL)
        return 3;
    argv[0] = strdup(real);
    execv(real, argv);
    return 3;
}
