/* command_watch.c - watch: how far the workspace is, drawn over in place. */
#include "clock.h"
#include "error.h"
#include "exit_code.h"
#include "file.h"
#include "live_query.h"
#include "live_screen.h"
#include "live_view.h"
#include "options.h"
#include "query.h"
#include "record.h"
#include "recorder.h"
#include "status_query.h"
#include "store.h"
#include "table.h"
#include "workspace.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH_WITHOUT_TERMINAL = 80 };

/* What is watched, and what was found in it last. */
struct watch {
    struct workspace workspace;
    struct store *store;
    char name[EXPERIMENT_NAME_SIZE];
    const char *experiment; /* name, or NULL: all */
    struct live live;
    struct record_job *jobs; /* owned; the labels of live.jobs are theirs */
    int job_count;
    struct recorder_progress progress[LIVE_JOBS];
};

static volatile sig_atomic_t stopped, continued;

static void on_signal(int number)
{
    if (number == SIGCONT)
        continued = 1;
    else if (number != SIGWINCH) /* which only ends a sleep */
        stopped = number;
}

/* Where the journal of the job's attempt is; *out fresh, NULL: it has none. */
static int find_journal(char **out, const struct watch *w, int64_t job_id,
                        const struct record_attempt *attempts, int count, struct error *err)
{
    *out = NULL;
    for (int i = 0; i < count; i++)
        if (attempts[i].job_id == job_id) {
            free(*out); /* a later attempt of the same job counts */
            *out =
                format_string("%s/%s/journal.jsonl", w->workspace.path, attempts[i].directory);
            if (*out == NULL)
                return error_no_memory(err, "a path");
        }
    return 0;
}

static int load_job(struct watch *w, const struct record_job *job,
                    const struct record_attempt *attempts, int count, struct error *err)
{
    struct live_job *out = &w->live.jobs[w->live.job_count];
    struct recorder_progress *progress = &w->progress[w->live.job_count];
    char *path;

    recorder_progress_init(progress);
    *out = (struct live_job){
        .label = job->label, .run_id = job->run_id, .cost = job->cost, .progress = progress
    };
    int rc = find_journal(&path, w, job->job_id, attempts, count, err);
    if (rc == 0 && path != NULL)
        rc = recorder_peek(progress, path, err);
    if (rc == 0)
        rc = live_curve(w->store, out->points, &out->point_count, job->run_id, err);
    free(path);
    if (rc == 0)
        w->live.job_count++;
    return rc;
}

static int load_jobs(struct watch *w, struct error *err)
{
    struct record_attempt *attempts = NULL;
    int count = 0;

    record_free_jobs(w->jobs, w->job_count);
    w->jobs = NULL;
    w->job_count = w->live.job_count = 0;
    int rc = record_busy_jobs(w->store, &w->jobs, &w->job_count, w->experiment, err);
    if (rc == 0)
        rc = record_open_attempts(w->store, &attempts, &count, err);
    for (int i = 0; i < w->job_count && w->live.job_count < LIVE_JOBS && rc == 0; i++)
        if (w->jobs[i].own && job_state_is_open(w->jobs[i].state))
            rc = load_job(w, &w->jobs[i], attempts, count, err);
    free(attempts);
    return rc;
}

/* The experiments that have something to do, where more than one has. */
static int load_groups(struct watch *w, struct error *err)
{
    char names[LIVE_GROUPS][EXPERIMENT_NAME_SIZE];
    int count = 0, rc = 0;

    w->live.group_count = 0;
    if (w->experiment == NULL)
        rc = live_experiments(w->store, names, LIVE_GROUPS, &count, err);
    for (int i = 0; i < count && count > 1 && rc == 0; i++) {
        struct live_group *group = &w->live.groups[i];

        memcpy(group->name, names[i], sizeof group->name);
        rc = status_count(w->store, &group->counts, group->name, err);
        if (rc == 0)
            rc = live_work(w->store, &group->work, group->name, err);
        w->live.group_count += rc == 0;
    }
    return rc;
}

/* All of it at one moment. */
static int load(struct watch *w, struct error *err)
{
    struct live *live = &w->live;
    double rate;
    int rc = store_begin(w->store, err);

    if (rc == 0)
        rc = status_count(w->store, &live->counts, w->experiment, err);
    if (rc == 0)
        rc = live_work(w->store, &live->work, w->experiment, err);
    if (rc == 0)
        rc = status_measured_rate(w->store, &rate, err);
    if (rc == 0)
        rc = load_groups(w, err);
    if (rc == 0)
        rc = load_jobs(w, err);
    if (rc == 0)
        rc = live_failures(w->store, live->failures, LIVE_FAILURES, &live->failure_count,
                           w->experiment, err);
    if (rc == 0)
        rc = workspace_holder(&w->workspace, live->runner, sizeof live->runner, err);
    store_rollback(w->store); /* nothing was written */
    if (rc < 0)
        return rc;
    live->rate = rate * live->counts.running;
    live->message_count = 0;
    if (live->runner[0] == '\0' && live->counts.queued + live->counts.running > 0)
        live_say(live, "no runner is at work here: hrmlab work works on what waits");
    return 0;
}

static bool is_over(const struct watch *w)
{
    return w->live.counts.queued + w->live.counts.running == 0;
}

static int draw(struct live_screen *screen, const struct watch *w, bool color,
                struct error *err)
{
    struct live_lines lines;
    int width, height;

    live_screen_size(screen, &width, &height);
    if (!live_view(&lines, &w->live, width, height))
        return error_no_memory(err, "the view");
    live_screen_draw(screen, &lines, color);
    live_lines_release(&lines);
    return 0;
}

/* Draws until nothing is left to do or a signal asks to stop. The database is read once
 * a second, less often where that takes long; a new size is answered at once. */
static int follow(struct watch *w, bool color, int *exit_code, struct error *err)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT };
    struct live_screen screen = { .out = stdout };
    double next_at = 0.0;
    int rc = 0;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &(struct sigaction){ .sa_handler = on_signal }, NULL);
    while (rc == 0 && stopped == 0) {
        double now = clock_monotonic_s();
        bool due = now >= next_at;

        if (continued) /* the shell has written below the view */
            live_screen_leave(&screen);
        if (due) {
            rc = load(w, err);
            next_at = now + 1.0 + 10.0 * (clock_monotonic_s() - now);
        }
        if (rc == 0 && (due || continued || live_screen_resized(&screen)))
            rc = draw(&screen, w, color, err);
        continued = 0;
        if (rc == 0 && is_over(w))
            break;
        nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    }
    if (stopped != 0) {
        fputc('\n', stdout); /* behind the ^C that the terminal shows */
        *exit_code = EXIT_STOPPED;
    }
    return rc;
}

static int print_once(struct watch *w, struct error *err)
{
    struct live_lines lines;
    int width = table_terminal_width(stdout);
    int rc = load(w, err);

    if (rc < 0)
        return rc;
    width = width > 0 ? width : WIDTH_WITHOUT_TERMINAL;
    if (!live_view(&lines, &w->live, width, 0))
        return error_no_memory(err, "the view");
    live_lines_print(&lines, stdout, width);
    live_lines_release(&lines);
    return 0;
}

int command_watch(const struct options *options, int *exit_code, struct error *err)
{
    struct watch *w = calloc(1, sizeof *w);

    if (w == NULL)
        return error_no_memory(err, "the view");
    w->workspace.lock_fd = -1;
    int rc = workspace_find(&w->workspace, options->workspace, err);
    if (rc == 0)
        rc = store_open(&w->store, w->workspace.path, STORE_READ, err);
    if (rc == 0 && options->argument_count > 0) {
        rc = experiment_find(w->store, w->name, options->arguments[0], err);
        w->experiment = w->live.experiment = w->name;
    }
    if (rc == 0)
        rc = isatty(STDOUT_FILENO) == 1 && !options->plain
                 ? follow(w, options_color(options), exit_code, err)
                 : print_once(w, err);
    record_free_jobs(w->jobs, w->job_count);
    store_close(w->store);
    workspace_close(&w->workspace);
    free(w);
    return rc;
}
