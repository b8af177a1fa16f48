/* progress.c - the live view of a runner's own jobs, or lines of log about them. */
#include "progress.h"

#include "clock.h"
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PLAIN_BAR = 24 };
static const double LIVE_INTERVAL_S = 0.5, PLAIN_INTERVAL_S = 10.0;

void progress_init(struct progress *progress, const struct progress_setup *setup)
{
    memset(progress, 0, sizeof *progress);
    progress->quiet = setup->quiet;
    progress->color = setup->color;
    progress->drawn_live = !setup->quiet && !setup->plain && isatty(STDERR_FILENO);
    progress->screen.out = stderr;
    progress->live.experiment = setup->experiment;
    progress->started_at = clock_monotonic_s();
    if (!progress->drawn_live)
        progress->next_at = progress->started_at + PLAIN_INTERVAL_S;
}

void progress_say(struct progress *progress, const char *format, ...)
{
    char line[LIVE_LINE];
    va_list arguments;

    if (progress->quiet)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (!progress->drawn_live) {
        log_info("%s", line);
        return;
    }
    live_say(&progress->live, line);
    progress->next_at = 0.0;
}

bool progress_is_due(const struct progress *progress)
{
    if (progress->quiet)
        return false;
    return clock_monotonic_s() >= progress->next_at ||
           (progress->drawn_live && live_screen_resized(&progress->screen));
}

/* What the view says of all jobs together. */
static void take_totals(struct progress *progress, int running)
{
    struct live *live = &progress->live;
    double elapsed = clock_monotonic_s() - progress->started_at;

    live->counts = (struct status_counts){
        .total = progress->jobs_total,
        .done = progress->jobs_done,
        .failed = progress->jobs_failed,
        .running = running,
        .queued = progress->jobs_total - progress->jobs_done - running,
    };
    if (live->counts.queued < 0) /* other experiments' jobs run, too */
        live->counts.queued = 0;
    live->work = (struct live_work){ .done = progress->work_done,
                                     .open = progress->work_total - progress->work_done };
    live->rate = elapsed > 0.0 ? progress->work_done / elapsed : 0.0;
}

static void load_details(struct live *live, struct store *store)
{
    struct error ignored;

    for (int i = 0; i < live->job_count; i++) {
        struct live_job *job = &live->jobs[i];
        if (live_curve(store, job->points, &job->point_count, job->run_id, &ignored) < 0)
            job->point_count = 0;
    }
    if (live_failures(store, live->failures, LIVE_FAILURES, &live->failure_count,
                      live->experiment, &ignored) < 0)
        live->failure_count = 0;
    if (live->counts.failed < live->failure_count) /* of earlier sessions */
        live->counts.failed = live->failure_count;
}

static void draw(struct progress *progress)
{
    struct live_lines lines;
    int width, height;

    live_screen_size(&progress->screen, &width, &height);
    if (live_view(&lines, &progress->live, width, height))
        (void)live_screen_draw(&progress->screen, &lines, progress->color);
    live_lines_release(&lines);
}

void progress_update(struct progress *progress, struct store *store,
                     const struct live_job *jobs, int count, int running)
{
    struct live *live = &progress->live;
    char line[LIVE_LINE];

    progress->next_at =
        clock_monotonic_s() + (progress->drawn_live ? LIVE_INTERVAL_S : PLAIN_INTERVAL_S);
    live->job_count = count < LIVE_JOBS ? count : LIVE_JOBS;
    memcpy(live->jobs, jobs, (size_t)live->job_count * sizeof *jobs);
    take_totals(progress, running);
    if (progress->drawn_live) {
        load_details(live, store);
        draw(progress);
        return;
    }
    for (int i = 0; i < live->job_count; i++) {
        live_describe_job(line, sizeof line, &live->jobs[i]);
        log_info("%s", line);
    }
    live_describe_total(line, sizeof line, live, PLAIN_BAR);
    log_info("%s", line);
}

void progress_finish(struct progress *progress)
{
    if (progress->drawn_live && progress->screen.drawn > 0) {
        progress->live.job_count = 0;
        take_totals(progress, 0);
        draw(progress);
    }
    live_screen_leave(&progress->screen);
}
