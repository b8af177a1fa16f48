/* command_run.c - run, queue and work. */
#include "clock.h"
#include "database.h"
#include "enqueue.h"
#include "error.h"
#include "executors.h"
#include "exit_code.h"
#include "file.h"
#include "log.h"
#include "options.h"
#include "plan_words.h"
#include "run_spec.h"
#include "status_query.h"
#include "store.h"
#include "supervise.h"
#include "workspace.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Reads and plans a spec: all faults of spec and data are found before the workspace
 * is changed. */
static int read_plan(struct plan **out, const struct options *options, const char *path,
                     struct error *err)
{
    struct spec *spec;
    int rc = spec_read(&spec, path, options->workspace, options->sets, options->set_count, err);

    *out = NULL;
    return rc < 0 ? rc
                  : plan_create(out, spec, options->worker_program, options->workspace, err);
}

/* Prints what changed in an existing experiment, in one line. */
static void tell_of_known(const struct enqueue_summary *summary, const struct plan *plan)
{
    if (!summary->known)
        return;
    if (summary->added > 0)
        log_info("%s exists: %d run%s added to its %d", plan->spec->name, summary->added,
                 summary->added == 1 ? "" : "s", plan->run_count - summary->added);
    else if (summary->changed)
        log_info("%s exists with the same runs; updated to this spec", plan->spec->name);
    if (summary->forgotten > 0)
        log_info("%s asks for %lld evaluation%s less than before; the results stay in the "
                 "database",
                 plan->spec->name, (long long)summary->forgotten,
                 summary->forgotten == 1 ? "" : "s");
}

static int queue_plan(struct enqueue_summary *summary, struct store *store,
                      const struct workspace *workspace, struct plan *plan,
                      const struct options *options, struct error *err)
{
    int rc = options->as_new ? enqueue_plan_as_new(summary, store, workspace, plan, err)
                             : enqueue_plan(summary, store, workspace, plan, err);

    if (rc < 0)
        return rc;
    tell_of_known(summary, plan);
    log_info("%s: %d arm%s, %d run%s", plan->spec->name, plan->spec->arm_count,
             plan->spec->arm_count == 1 ? "" : "s", plan->run_count,
             plan->run_count == 1 ? "" : "s");
    for (int i = 0; i < ENQUEUE_NEEDS; i++)
        if (summary->counts[i] > 0)
            log_info("  %d of %d: %s", summary->counts[i], plan->run_count,
                     enqueue_need_text((enum enqueue_need)i));
    plan_tell_of_dropped(plan);
    plan_tell_of_inactive_axes(plan);
    plan_tell_of_inactive_sets(plan, options->sets, options->set_count);
    plan_tell_of_idle_threads(plan);
    plan_tell_of_long_warm_ups(plan);
    plan_tell_of_few_evaluations(plan);
    plan_tell_of_few_tests(plan);
    plan_tell_of_equal_rollouts(plan);
    plan_tell_of_untrained_halting(plan);
    plan_tell_of_unused_excludes(plan);
    plan_tell_of_leaks(plan);
    return 0;
}

static volatile sig_atomic_t follow_stopped;

static void on_follow_signal(int signal_number)
{
    (void)signal_number;
    follow_stopped = 1;
}

/* Prints what a runner that follows another one is waiting for. */
static int tell_of_wait(struct store *store, const struct status_counts *counts,
                        const char *experiment, struct error *err)
{
    struct status_ahead ahead;
    char before[360] = "";
    int open = counts->queued + counts->running;
    int rc = status_ahead(store, &ahead, experiment, err);

    if (rc < 0)
        return rc;
    if (ahead.at_work + ahead.first > 0)
        snprintf(
            before, sizeof before,
            "; before %s: %lld job%s running and %lld queued with a higher priority, of %s",
            open == 1 ? "it" : "them", (long long)ahead.at_work, ahead.at_work == 1 ? "" : "s",
            (long long)ahead.first, ahead.names);
    log_info("waiting for %d job%s of %s (%d running, %d queued)%s", open, open == 1 ? "" : "s",
             experiment, counts->running, counts->queued, counts->queued > 0 ? before : "");
    return 0;
}

/* Waits while another runner is running, until this experiment has no open jobs
 * (*held stays false) or that runner ends (this process is the runner then). */
static int follow(struct store *store, struct workspace *workspace, const char *experiment,
                  bool *held, char *holder, int holder_size, struct error *err)
{
    struct sigaction action = { .sa_handler = on_follow_signal };

    log_info("another runner (%s) is running here; following it (Ctrl-C: stop following)",
             holder);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    for (int told = -1;;) {
        struct status_counts counts;
        int rc = status_count(store, &counts, experiment, err);
        if (rc < 0)
            return rc;
        if (counts.queued + counts.running != told) {
            told = counts.queued + counts.running;
            rc = tell_of_wait(store, &counts, experiment, err);
            if (rc < 0)
                return rc;
        }
        if (follow_stopped)
            return error_set(err, ERROR_STOPPED, "no longer following; the runner continues");
        if (counts.queued + counts.running == 0)
            return 0;
        rc = workspace_lock(workspace, held, holder, holder_size, err);
        if (rc < 0 || *held)
            return rc;
        nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
    }
}

/* Waits until a full disk has room again; the workers pause by themselves. */
static int wait_for_space(const struct workspace *workspace, struct error *err)
{
    struct error ignored;
    int rc = ERROR_NOSPACE;

    log_warning("%s: paused; nothing is lost, and it continues when there is room",
                err->message);
    follow_stopped = 0;
    signal(SIGINT, on_follow_signal);
    signal(SIGTERM, on_follow_signal);
    while (rc == ERROR_NOSPACE && !follow_stopped) {
        nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
        rc = file_probe_space(workspace->path, &ignored);
    }
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    if (follow_stopped || rc == ERROR_NOSPACE)
        return error_set(err, ERROR_STOPPED,
                         "stopped while the disk is full; the state is safe");
    log_info("there is room again");
    return 0;
}

/* Formats causes as "2 out of memory, 1 hang", the most frequent first. */
static void describe_causes(char *out, size_t size, const int counts[OUTCOME_COUNT])
{
    int left[OUTCOME_COUNT];
    size_t used = 0;

    out[0] = '\0';
    memcpy(left, counts, sizeof left);
    while (used < size) {
        int most = 0;
        for (int i = 1; i < OUTCOME_COUNT; i++)
            if (left[i] > left[most])
                most = i;
        if (left[most] == 0)
            break;
        used += (size_t)snprintf(
            out + used, size - used, "%s%d %s", used > 0 ? ", " : "", left[most],
            most == OUTCOME_NONE ? "without a cause" : outcome_name((enum outcome)most));
        left[most] = 0;
    }
}

/* Runs the jobs of experiment (NULL: all), or follows the runner that runs them. The
 * lock may be held already. */
static int work_on(struct store *store, struct workspace *workspace,
                   const struct options *options, const char *experiment, int *exit_code,
                   struct error *err)
{
    struct supervise_result result = { 0 };
    struct status_counts counts = { 0 };
    char holder[WORKSPACE_HOLDER] = "";
    bool held = workspace->lock_fd >= 0;
    int rc = held ? 0 : workspace_lock(workspace, &held, holder, sizeof holder, err);

    if (rc == 0 && !held && experiment == NULL)
        return error_set(
            err, ERROR_BUSY,
            "workspace %s: the runner %s is running already; hrmlab status shows it",
            workspace->path, holder);
    if (rc == 0 && !held)
        rc = follow(store, workspace, experiment, &held, holder, sizeof holder, err);
    if (rc == 0 && held && file_is_on_network(workspace->path))
        log_warning("%s is on a network file system: use runners on one host only",
                    workspace->path);
    while (rc == 0 && held) {
        rc = supervise(&result, store, workspace, options, EXECUTORS, experiment, err);
        if (rc != ERROR_NOSPACE)
            break;
        /* What it has counted apart, it restarts as after a crash. */
        rc = wait_for_space(workspace, err);
    }
    if (rc == 0 && result.interrupted)
        rc = error_set(err, ERROR_STOPPED,
                       "stopped; the state is safe: the same command continues from here");
    if (rc == 0)
        rc = status_count(store, &counts, experiment, err);
    if (rc < 0)
        return rc;
    int failed = experiment != NULL ? counts.failed : result.failed;
    const char *target = experiment != NULL ? experiment : "all";
    int diverged = 0;
    if (experiment != NULL) {
        rc = status_causes(store, result.causes, experiment, err);
        diverged = result.causes[OUTCOME_DIVERGED];
        result.causes[OUTCOME_DIVERGED] = 0;
    }
    if (rc < 0)
        return rc;
    if (diverged > 0)
        log_warning("%d of %d jobs diverged, which is a result: no other try would end "
                    "otherwise",
                    diverged, counts.total);
    if (failed > 0) {
        char causes[300];
        describe_causes(causes, sizeof causes, result.causes);
        log_warning("%d of %d jobs failed (%s); hrmlab show RUN shows one, hrmlab retry %s "
                    "queues them again",
                    failed, counts.total, causes, target);
    }
    if (experiment != NULL && counts.cancelled > 0)
        log_warning("%d of %d jobs cancelled; hrmlab retry %s queues them again",
                    counts.cancelled, counts.total, target);
    if (experiment != NULL && counts.queued > 0)
        log_warning("%d of %d jobs still queued", counts.queued, counts.total);
    if (experiment != NULL) {
        struct status_counts all;
        rc = status_count(store, &all, NULL, err);
        if (rc < 0)
            return rc;
        int others = all.queued - counts.queued;

        if (others > 0)
            log_info("%d job%s of other experiments stay%s queued; hrmlab work runs %s", others,
                     others == 1 ? "" : "s", others == 1 ? "s" : "",
                     others == 1 ? "it" : "them");
    }
    if (failed > 0 || (experiment != NULL && counts.cancelled + counts.queued > 0))
        *exit_code = EXIT_SOME_FAILED;
    return 0;
}

int run_spec(const struct options *options, run_spec_check *check, int *exit_code,
             struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    struct enqueue_summary summary = { 0 };
    struct plan *plan = NULL;
    int rc = read_plan(&plan, options, options->arguments[0], err);
    if (rc == 0)
        rc = check != NULL ? workspace_find(&workspace, options->workspace, err)
                           : workspace_open(&workspace, options->workspace, err);
    if (rc == 0)
        rc = check != NULL ? database_open(&store, &workspace, err)
                           : database_open_or_make(&store, &workspace, err);
    if (rc == 0 && check != NULL)
        rc = check(plan, store, &workspace, err);
    if (rc == 0)
        rc = queue_plan(&summary, store, &workspace, plan, options, err);
    if (rc == 0 && summary.jobs == 0 && summary.counts[NEED_WAIT] == 0) {
        int diverged = summary.counts[NEED_NOTHING_DIVERGED];
        int runs = summary.counts[NEED_NOTHING] + diverged;
        log_info("nothing to do: %s%d run%s in the store, trained and evaluated%s",
                 runs == 1 ? "the " : "all ", runs, runs == 1 ? " is" : "s are",
                 diverged > 0 ? " (or diverged)" : "");
    } else if (rc == 0)
        rc = work_on(store, &workspace, options, plan->spec->name, exit_code, err);
    if (rc == 0)
        log_info("see: hrmlab results %s", plan->spec->name);
    plan_destroy(plan);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}

int command_run(const struct options *options, int *exit_code, struct error *err)
{
    if (options->dry_run)
        return command_plan(options, exit_code, err);
    if ((options->given & OPTION_BIT(OPTION_FORMAT)) != 0)
        return error_set(err, ERROR_FORMAT, "run: --format is for --dry-run");
    return run_spec(options, NULL, exit_code, err);
}

/* Refuses an executor whose jobs do not go on without this process. */
static int check_leaving(const char *executor, struct error *err)
{
    return executor_is_detached(executor)
               ? 0
               : error_set(err, ERROR_FORMAT,
                           "--executor %s: its jobs need hrmlab while they run; use hrmlab run "
                           "or work",
                           executor);
}

/* Makes this process the runner before it queues what it is to submit: another runner
 * would start it where that one starts jobs. */
static int lock_for_submitting(struct workspace *workspace, struct error *err)
{
    char holder[WORKSPACE_HOLDER] = "";
    bool held = false;
    int rc = workspace_lock(workspace, &held, holder, sizeof holder, err);

    if (rc == 0 && !held)
        rc = error_set(err, ERROR_BUSY,
                       "workspace %s: the runner %s is running, and starts what is queued; "
                       "nothing was queued: stop it, or leave the runs to it (hrmlab queue "
                       "without --executor)",
                       workspace->path, holder);
    return rc;
}

int command_queue(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    struct plan **plans = calloc((size_t)options->argument_count + 1, sizeof *plans);
    int rc = plans == NULL ? error_set(err, ERROR_NOMEM, "no memory for plans") : 0;

    if (rc == 0 && options->executor != NULL)
        rc = check_leaving(options->executor, err);

    for (int i = 0; i < options->argument_count && rc == 0; i++)
        rc = read_plan(&plans[i], options, options->arguments[i], err);
    if (rc == 0)
        rc = workspace_open(&workspace, options->workspace, err);
    if (rc == 0 && options->executor != NULL)
        rc = lock_for_submitting(&workspace, err);
    if (rc == 0)
        rc = database_open_or_make(&store, &workspace, err);
    for (int i = 0; i < options->argument_count && rc == 0; i++) {
        struct enqueue_summary summary = { 0 };
        rc = queue_plan(&summary, store, &workspace, plans[i], options, err);
    }
    for (int i = 0; plans != NULL && i < options->argument_count; i++)
        plan_destroy(plans[i]);
    free(plans);
    if (rc == 0 && options->executor != NULL) {
        struct options leaving = *options;
        leaving.leave = true;
        rc = work_on(store, &workspace, &leaving, NULL, exit_code, err);
    } else if (rc == 0) {
        log_info("hrmlab work runs the queued jobs");
    }
    store_close(store);
    workspace_close(&workspace);
    return rc;
}

int command_work(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    struct status_counts counts;
    int rc = workspace_find(&workspace, options->workspace, err);

    if (rc == 0)
        rc = database_open(&store, &workspace, err);
    if (rc == 0)
        rc = status_count(store, &counts, NULL, err);
    if (rc == 0 && counts.queued + counts.running == 0)
        log_info("nothing is queued in %s", workspace.path);
    if (rc == 0)
        rc = work_on(store, &workspace, options, NULL, exit_code, err);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}

int command_sync(const struct options *options, int *exit_code, struct error *err)
{
    struct options leaving = *options;

    leaving.leave = true;
    for (int i = 0; EXECUTORS[i] != NULL && leaving.executor == NULL; i++)
        if (EXECUTORS[i]->detached)
            leaving.executor = EXECUTORS[i]->name;
    int rc = check_leaving(leaving.executor, err);
    return rc < 0 ? rc : command_work(&leaving, exit_code, err);
}
