/*
 * command_verify.c - verify: trains a run again in a separate directory and compares
 * every metric, evaluation, task outcome, baseline, the end and the weights with the
 * stored ones, bit for bit. What only one side has is a difference too.
 *
 * The new journal replaces the stored results inside a transaction, which is rolled
 * back (verify.h).
 */
#include "database.h"
#include "error.h"
#include "exit_code.h"
#include "file.h"
#include "hash.h"
#include "journal.h"
#include "json.h"
#include "log.h"
#include "options.h"
#include "record.h"
#include "record_base.h"
#include "recorder.h"
#include "settings.h"
#include "status_query.h"
#include "store.h"
#include "verify.h"
#include "workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const size_t JOURNAL_LIMIT = (size_t)1 << 30;

static volatile sig_atomic_t worker_pid;
static volatile sig_atomic_t stopped;

static void on_signal(int signal_number)
{
    stopped = 1;
    if (worker_pid > 0)
        kill((pid_t)worker_pid, signal_number);
}

/* Replaces the job's member by value; value is deleted on failure. Without memory,
 * cJSON would insert it without its name. */
static int replace_member(cJSON *job, const char *key, cJSON *value, struct error *err)
{
    if (json_member(job, key) == NULL) {
        cJSON_Delete(value);
        return error_set(err, ERROR_FORMAT, "the run's job.json has no \"%s\"", key);
    }
    if (value == NULL || !cJSON_ReplaceItemInObjectCaseSensitive(job, key, value))
        cJSON_Delete(value);
    return json_member(job, key) == value ? 0
                                          : error_set(err, ERROR_NOMEM, "no memory for a job");
}

/* Builds the job.json of the repetition: the run's training as the first attempt of
 * a separate run, with all evaluations that the run has now. */
static int write_job(struct store *store, const struct workspace *workspace,
                     const struct status_final *final, const char *directory, struct error *err)
{
    char *from = format_string("%s/%s/job.json", workspace->path, final->directory);
    char *to = file_join(directory, "job.json"), *text = NULL;
    cJSON *job = NULL;
    int rc = from == NULL || to == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path")
                                        : json_read_file(&job, from, JSON_JOB_LIMIT, err);

    cJSON *evaluations = cJSON_GetObjectItemCaseSensitive(job, "evaluations");
    if (rc == 0 && !cJSON_IsObject(json_member(job, "config")))
        rc = error_set(err, ERROR_FORMAT, "%s: config: expected an object", from);
    if (rc == 0 && !cJSON_IsArray(evaluations))
        rc = error_set(err, ERROR_FORMAT, "%s: evaluations: expected a list", from);
    if (rc == 0)
        rc = record_job_settings(store, cJSON_GetObjectItemCaseSensitive(job, "config"),
                                 final->job_id, err);
    if (rc == 0)
        rc = verify_add_evaluations(store, evaluations, final->run_id, err);
    if (rc == 0)
        rc = record_add_init(store, job, final->run_id, err);
    if (rc == 0)
        rc = replace_member(job, "attempt", cJSON_CreateNumber(1), err);
    if (rc == 0)
        rc = replace_member(job, "cpus", cJSON_CreateArray(), err);
    if (rc == 0) {
        text = json_print(job);
        rc = text == NULL ? error_set(err, ERROR_NOMEM, "no memory for a job")
                          : file_make_directories(directory, err);
    }
    if (rc == 0)
        rc = file_write_atomic(to, text, strlen(text), err);
    free(text);
    cJSON_Delete(job);
    free(from);
    free(to);
    return rc;
}

/* Runs the worker until it ends. */
static int train_again(const struct options *options, const struct status_final *final,
                       const char *directory, struct error *err)
{
    char *log_path = file_join(directory, "log");
    int status = 0;

    if (log_path == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a path");
    setenv("HRMLAB_KERNELS", final->kernel_set, 1); /* other kernels give other bits */
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* nobody would look at its results */
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
        rc = error_set(err, ERROR_ENVIRONMENT, "the worker ended with %d (%s); its log is %s",
                       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                       WIFEXITED(status) ? outcome_name(outcome_of_exit(WEXITSTATUS(status)))
                                         : strsignal(WTERMSIG(status)),
                       log_path);
    free(log_path);
    return rc;
}

/* Facts in the new journal besides its results. */
struct repetition {
    int metrics, evaluations;
    char weights_hash[65];
    enum outcome status; /* as its end event reports it */
    char diverged[128];  /* recorder_diverged_text(); "" */
};

static void note(struct repetition *out, const struct journal_event *event)
{
    const cJSON *hash = json_member(event->body, "weights_hash");
    const cJSON *status = json_member(event->body, "status");

    out->metrics += strcmp(event->type, "metric") == 0;
    out->evaluations += strcmp(event->type, "evaluation") == 0;
    if (strcmp(event->type, "diverged") == 0)
        recorder_diverged_text(out->diverged, sizeof out->diverged, event->body);
    if (strcmp(event->type, "end") != 0)
        return;
    if (cJSON_IsString(hash))
        snprintf(out->weights_hash, sizeof out->weights_hash, "%s", hash->valuestring);
    if (cJSON_IsString(status))
        out->status = outcome_parse(status->valuestring);
}

/* Stores the results of the new journal in the database. Where the training began,
 * and on which machine, is not compared. */
static int apply_journal(struct repetition *out, struct store *store,
                         const struct status_final *final, const char *path, struct error *err)
{
    static const char *const types[] = { "metric", "evaluation", "baseline", "outcome",
                                         "vector" };
    const struct record_attempt attempt = { .attempt_id = final->attempt_id,
                                            .run_id = final->run_id,
                                            .job_id = final->job_id,
                                            .number = 1 };
    char *data = NULL;
    size_t size = 0;
    int rc = file_read(&data, &size, path, JOURNAL_LIMIT, err);

    for (size_t at = 0; rc == 0 && at < size;) {
        struct journal_event event;
        size_t used;
        enum journal_status status = journal_next(&event, &used, data + at, size - at, -1, err);
        if (status != JOURNAL_EVENT) {
            rc = status == JOURNAL_PARTIAL ? 0 : (int)err->code;
            break;
        }
        note(out, &event);
        for (size_t i = 0; i < sizeof types / sizeof *types && rc == 0; i++)
            if (strcmp(event.type, types[i]) == 0)
                rc = record_event(store, &attempt, event.type, event.body, err);
        cJSON_Delete(event.body);
        at += used;
    }
    free(data);
    return rc;
}

/* Marks the evaluations with which the run's training was started. */
static int expect_evaluations(struct store *store, const struct workspace *workspace,
                              const struct status_final *final, struct error *err)
{
    char first[160];
    cJSON *job = NULL;
    int rc = verify_first_attempt(store, first, final->run_id, err);
    char *path = rc == 0 ? format_string("%s/%s/job.json", workspace->path, first) : NULL;

    if (rc == 0 && path == NULL)
        rc = error_set(err, ERROR_NOMEM, "no memory for a path");
    if (rc == 0)
        rc = json_read_file(&job, path, JSON_JOB_LIMIT, err);
    const cJSON *list = json_member(job, "evaluations");
    for (const cJSON *item = list != NULL ? list->child : NULL; item != NULL && rc == 0;
         item = item->next) {
        char *canonical = json_canonical(item);
        rc = canonical == NULL ? error_set(err, ERROR_NOMEM, "no memory for an evaluation")
                               : verify_expect(store, canonical, err);
        free(canonical);
    }
    cJSON_Delete(job);
    free(path);
    return rc;
}

static int compare_results(struct repetition *out, struct verify_result *result,
                           struct store *store, const struct workspace *workspace,
                           const struct status_final *final, const char *directory,
                           struct error *err)
{
    char *path = file_join(directory, "journal.jsonl");
    int rc = path == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path")
                          : store_begin(store, err);

    if (rc == 0) {
        rc = verify_begin(store, final->run_id, err);
        if (rc == 0)
            rc = expect_evaluations(store, workspace, final, err);
        if (rc == 0)
            rc = apply_journal(out, store, final, path, err);
        if (rc == 0)
            rc = verify_compare(store, result, final->run_id, err);
        store_rollback(store);
    }
    free(path);
    return rc;
}

/* Describes how the two ends differ, in text; "": they do not. */
static void compare_ends(char *text, size_t size, const struct repetition *again,
                         const struct status_final *final)
{
    text[0] = '\0';
    if (again->status != final->outcome)
        snprintf(text, size, "it ends with \"%s\", stored is \"%s\"",
                 outcome_name(again->status), outcome_name(final->outcome));
    else if (strcmp(again->diverged, final->message) != 0 && final->outcome == OUTCOME_DIVERGED)
        snprintf(text, size, "it diverges with %s, stored is %s", again->diverged,
                 final->message[0] != '\0' ? final->message : "nothing about it");
    else if (final->outcome != OUTCOME_DIVERGED && /* its end says no weights */
             strcmp(again->weights_hash, final->weights_hash) != 0)
        snprintf(text, size, "weights %.12s, stored are %.12s", again->weights_hash,
                 final->weights_hash);
}

/* Prints the findings. Returns whether the repetition differs from what is stored. */
static bool report(const char *hash, const struct repetition *again,
                   const struct verify_result *result, const struct status_final *final,
                   const char *kept)
{
    char ends[300];

    compare_ends(ends, sizeof ends, again, final);
    if (result->differences > 0)
        log_error("run %.12s DIFFERS: %s; %d of %d stored values differ or one side has no "
                  "such value; kept in %s",
                  hash, result->first, result->differences, result->compared, kept);
    if (ends[0] != '\0')
        log_error("run %.12s DIFFERS: %s; kept in %s", hash, ends, kept);
    if (result->differences > 0 || ends[0] != '\0')
        return true;
    log_info("run %.12s is the same bit for bit: %d metric events, %d evaluations, %d values, "
             "%s%.*s",
             hash, again->metrics, again->evaluations, result->compared,
             again->diverged[0] != '\0' ? "diverged with " : "weights ",
             again->diverged[0] != '\0' ? 120 : HASH_SHORT,
             again->diverged[0] != '\0' ? again->diverged : again->weights_hash);
    return false;
}

int command_verify(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    struct status_final final = { 0 };
    struct repetition again = { 0 };
    struct verify_result result = { 0 };
    char hash[65], last[160], *top = NULL, *directory = NULL;
    bool differs = false;
    int rc = workspace_find(&workspace, options->workspace, err);

    if (rc == 0)
        rc = database_open(&store, &workspace, err);
    if (rc == 0)
        rc = status_find_run(store, options->arguments[0], hash, last, err);
    if (rc == 0)
        rc = status_find_final(store, &final, hash, err);
    if (rc == 0) {
        top = format_string("%s/verify/%.12s-%ld", workspace.path, hash, (long)getpid());
        directory = top == NULL ? NULL : file_join(top, "attempts/1");
        rc = directory == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path")
                               : write_job(store, &workspace, &final, directory, err);
    }
    if (rc == 0) {
        log_info("run %.12s: training again from scratch with the %s kernels", hash,
                 final.kernel_set);
        rc = train_again(options, &final, directory, err);
    }
    if (rc == 0)
        rc = compare_results(&again, &result, store, &workspace, &final, directory, err);
    if (rc == 0)
        differs = report(hash, &again, &result, &final, top);
    if (differs) {
        *exit_code = EXIT_SOME_FAILED;
    } else if (top != NULL && (rc == 0 || rc == ERROR_STOPPED)) {
        /* otherwise the log remains, because it has the reason */
        error_ignore(file_remove_tree(top, NULL));
        *strrchr(top, '/') = '\0';
        rmdir(top); /* fails if other repetitions are in it */
    }
    free(directory);
    free(top);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}
