/*
 * command_verify.c - verify: trains a run again from scratch, aside, and compares every metric,
 * every evaluation and the weights with what is stored, bit for bit.
 *
 * The comparison is the recorder's own: the fresh journal is applied to the database inside a
 * transaction, where values that contradict stored ones are an error, and rolled back.
 */
#include "error.h"
#include "file.h"
#include "journal.h"
#include "json.h"
#include "log.h"
#include "options.h"
#include "record.h"
#include "status_query.h"
#include "store.h"
#include "workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOB_LIMIT = 16 << 20 };
static const size_t JOURNAL_LIMIT = (size_t)1 << 30;

static volatile sig_atomic_t worker_pid;
static volatile sig_atomic_t stopped;

static void on_signal(int signal_number)
{
    stopped = 1;
    if (worker_pid > 0)
        kill((pid_t)worker_pid, signal_number);
}

/* The job of the run's training as it was, as the first attempt of a run of its own. */
static int write_job(const struct workspace *workspace, const struct status_final *final,
                     const char *directory, struct error *err)
{
    char *from = format_string("%s/%s/job.json", workspace->path, final->directory);
    char *to = file_join(directory, "job.json"), *text = NULL;
    cJSON *job = NULL;
    int rc = from == NULL || to == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path")
                                        : json_read_file(&job, from, JOB_LIMIT, err);

    if (rc == 0) {
        cJSON_ReplaceItemInObjectCaseSensitive(job, "attempt", cJSON_CreateNumber(1));
        cJSON_ReplaceItemInObjectCaseSensitive(job, "cpus", cJSON_CreateArray());
        text = cJSON_Print(job);
        rc = text == NULL ? error_set(err, ERROR_NOMEM, "no memory for a job")
                          : file_make_directories(directory, err);
    }
    if (rc == 0)
        rc = file_write_atomic(to, text, strlen(text), err);
    cJSON_free(text);
    cJSON_Delete(job);
    free(from);
    free(to);
    return rc;
}

/* Runs the worker to its end. */
static int train_again(const struct options *options, const struct status_final *final,
                       const char *directory, struct error *err)
{
    char *log_path = file_join(directory, "log");
    int status = 0;

    if (log_path == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a path");
    setenv("HRMLAB_KERNELS", final->kernel_set, 1); /* others give other bits */
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(log_path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (fd >= 0) {
            dup2(fd, STDOUT_FILENO);
            dup2(fd, STDERR_FILENO);
        }
        execl(options->worker_program, options->worker_program, "run", directory, (char *)NULL);
        _exit(127);
    }
    worker_pid = pid;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    worker_pid = 0;
    int rc = 0;
    if (pid < 0)
        rc = error_set(err, ERROR_SPAWN, "a worker cannot be started: %s", strerror(errno));
    else if (stopped)
        rc = error_set(err, ERROR_STOPPED, "stopped; nothing was changed");
    else if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 4))
        rc = error_set(err, ERROR_ENVIRONMENT, "the worker ended with %d; its log is %s",
                       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                       log_path);
    free(log_path);
    return rc;
}

struct findings {
    int metrics, evaluations;
    char weights_hash[65];
};

static void note(struct findings *findings, const struct journal_event *event)
{
    const cJSON *hash = json_member(event->body, "weights_hash");

    findings->metrics += strcmp(event->type, "metric") == 0;
    findings->evaluations += strcmp(event->type, "evaluation") == 0;
    if (strcmp(event->type, "end") == 0 && cJSON_IsString(hash))
        snprintf(findings->weights_hash, sizeof findings->weights_hash, "%s",
                 hash->valuestring);
}

/* ERROR_DAMAGED: a value differs from the stored one. */
static int compare_journal(struct findings *findings, struct store *store,
                           const struct status_final *final, const char *directory,
                           struct error *err)
{
    const struct record_attempt attempt = { .attempt_id = final->attempt_id,
                                            .run_id = final->run_id,
                                            .job_id = final->job_id,
                                            .number = 1 };
    char *path = file_join(directory, "journal.jsonl"), *data = NULL;
    size_t size = 0;
    int rc = path == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path")
                          : file_read(&data, &size, path, JOURNAL_LIMIT, err);

    if (rc == 0)
        rc = store_begin(store, err);
    for (size_t at = 0; rc == 0 && at < size;) {
        struct journal_event event;
        size_t used;
        enum journal_status status = journal_next(&event, &used, data + at, size - at, -1, err);
        if (status != JOURNAL_EVENT) {
            rc = status == JOURNAL_BAD ? ERROR_DAMAGED : 0;
            break;
        }
        note(findings, &event);
        /* Where it began and what it ran on is its own affair. */
        if (strcmp(event.type, "metric") == 0 || strcmp(event.type, "evaluation") == 0 ||
            strcmp(event.type, "baseline") == 0 || strcmp(event.type, "outcome") == 0)
            rc = record_event(store, &attempt, event.type, event.body, err);
        cJSON_Delete(event.body);
        at += used;
    }
    store_rollback(store);
    free(data);
    free(path);
    return rc;
}

int command_verify(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    struct status_final final = { 0 };
    struct findings findings = { 0 };
    char hash[65], last[160], *top = NULL, *directory = NULL;
    int rc = workspace_find(&workspace, options->workspace, err);

    if (rc == 0)
        rc = store_open(&store, workspace.path, STORE_WRITE, err);
    if (rc == 0)
        rc = status_find_run(store, options->arguments[0], hash, last, err);
    if (rc == 0)
        rc = status_find_final(store, &final, hash, err);
    if (rc == 0) {
        top = format_string("%s/verify/%.12s-%ld", workspace.path, hash, (long)getpid());
        directory = top == NULL ? NULL : format_string("%s/%s/attempts/1", top, hash);
        rc = directory == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path")
                               : write_job(&workspace, &final, directory, err);
    }
    if (rc == 0) {
        log_info("run %.12s: training again from scratch with the %s kernels", hash,
                 final.kernel_set);
        rc = train_again(options, &final, directory, err);
    }
    if (rc == 0)
        rc = compare_journal(&findings, store, &final, directory, err);
    bool differs = rc == ERROR_DAMAGED;
    if (differs) {
        log_error("run %.12s DIFFERS: %s; kept in %s", hash, err->message, top);
    } else if (rc == 0 && strcmp(findings.weights_hash, final.weights_hash) != 0) {
        differs = true;
        log_error("run %.12s DIFFERS: weights %.12s, stored are %.12s; kept in %s", hash,
                  findings.weights_hash, final.weights_hash, top);
    } else if (rc == 0) {
        log_info("run %.12s is the same bit for bit: %d metric events, %d evaluations, weights "
                 "%.12s",
                 hash, findings.metrics, findings.evaluations, findings.weights_hash);
    }
    if (differs) {
        *exit_code = 1;
        rc = 0;
    } else if (top != NULL) {
        struct error ignored;
        file_remove_tree(top, &ignored);
        *strrchr(top, '/') = '\0';
        rmdir(top); /* unless others are in it */
    }
    free(directory);
    free(top);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}
