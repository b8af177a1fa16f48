/* work.c - the heartbeat, progress and stop requests of this process. */
#include "work.h"

#include <math.h>
#include <stddef.h>

#include "clock.h"
#include "fence.h"
#include "keeper.h"
#include "log.h"
#include "report.h"

/* A training step with more than this left is abandoned when a stop is requested. */
static const double WORTH_FINISHING_S = 0.5;
/* Steps longer than this report their progress. */
static const double LONG_STEP_S = 2.0;
static const double LOG_INTERVAL_S = 60.0;

/* The name of each phase in progress events, and its description. */
static const struct {
    const char *word, *doing;
} PHASES[] = {
    [WORK_LOAD] = { "load", "loading data" },
    [WORK_TRAIN] = { "train", "training" },
    [WORK_EVALUATE] = { "evaluate", "evaluating" },
    [WORK_VOTE] = { "vote", "voting" },
};

static struct {
    enum work_phase phase;
    struct report *report; /* borrowed; NULL: nothing is reported */
    const char *directory; /* borrowed; the attempt's */
    struct report_progress progress;
    double logged_s; /* monotonic time of the last line in the log */
    /* monotonic time of the current estimate of the remaining time */
    double estimated_s;
    bool in_step;
    double step_began_s;         /* monotonic */
    double step_share;           /* completed share of the current or abandoned step */
    double part_begin, part_end; /* of an evaluation's step */
    int64_t units_before;        /* units of the step at the last call of its watch */
    /* a failure of the journal, which the watch cannot return */
    struct error fault;
} work;

void work_open(struct report *report, const char *directory)
{
    work.report = report;
    work.directory = directory;
    work.in_step = false;
    work.step_share = 0.0;
    work.fault = (struct error){ 0 };
    work.logged_s = clock_monotonic_s();
    work_set_phase(WORK_LOAD, 0, 0);
}

void work_set_phase(enum work_phase phase, int64_t step, int64_t total_steps)
{
    work.phase = phase;
    work.progress = (struct report_progress){
        .phase = PHASES[phase].word,
        .step = step,
        .total_steps = total_steps,
        .loss = REPORT_UNKNOWN,
        .accuracy = REPORT_UNKNOWN,
        .exact_accuracy = REPORT_UNKNOWN,
        .steps_per_s = REPORT_UNKNOWN,
        .eta_s = REPORT_UNKNOWN,
        .step_share = REPORT_UNKNOWN,
        .part_done = REPORT_UNKNOWN,
        .part_total = REPORT_UNKNOWN,
    };
}

void work_set_step(int64_t step, int64_t total_steps)
{
    work.progress.step = step;
    work.progress.total_steps = total_steps;
}

void work_set_part(double done, double next, double total)
{
    work.part_begin = work.progress.part_done = done;
    work.part_end = next;
    work.progress.part_total = total;
}

void work_set_training(double loss, double accuracy, double exact_accuracy, double steps_per_s,
                       double eta_s)
{
    work.progress.loss = loss;
    work.progress.accuracy = accuracy;
    work.progress.exact_accuracy = exact_accuracy;
    work.progress.steps_per_s = steps_per_s;
    work.progress.eta_s = eta_s;
    work.estimated_s = clock_monotonic_s();
}

/* Logs a line each minute in which nothing else was logged. */
static void log_minute(double now)
{
    const struct report_progress *p = &work.progress;

    if (now - work.logged_s < LOG_INTERVAL_S)
        return;
    work.logged_s = now;
    if (isfinite(p->step_share))
        log_info("step %lld of %lld: %.0f %% of the step done", (long long)p->step + 1,
                 (long long)p->total_steps, 100.0 * p->step_share);
    else if (isfinite(p->part_total))
        log_info("%s: %.0f of %.0f done", PHASES[work.phase].doing, floor(p->part_done),
                 p->part_total);
}

int work_check_fence(struct error *err)
{
    int newer = work.directory != NULL ? fence_newer_attempt(work.directory) : 0;

    if (newer < 0)
        return error_no_memory(err, "a list of attempts");
    return newer == 0
               ? 0
               : error_set(err, ERROR_STOPPED,
                           "attempt %d has taken the place of this one, which stops", newer);
}

/* Counts units of work and reports when it is due. */
static int count(int64_t units, struct error *err)
{
    double now;

    work.report->heartbeat += units;
    if (!report_progress_due(work.report))
        return 0;
    now = clock_monotonic_s();
    log_minute(now);
    struct report_progress progress = work.progress;
    progress.eta_s = fmax(0.0, progress.eta_s - (now - work.estimated_s));
    if (!isfinite(work.progress.eta_s))
        progress.eta_s = REPORT_UNKNOWN;
    int rc = report_progress(work.report, &progress, err);
    return rc < 0 ? rc : work_check_fence(err);
}

int work_done(int64_t units, struct error *err)
{
    int rc;

    if (work.report == NULL)
        return 0;
    rc = count(units, err);
    if (rc == 0 && keeper_stop_requested())
        rc = error_set(err, ERROR_STOPPED, "stopped while %s", PHASES[work.phase].doing);
    return rc;
}

void work_begin_step(void)
{
    work.in_step = true;
    work.step_began_s = clock_monotonic_s();
    work.step_share = 0.0;
    work.units_before = 0;
}

void work_end_step(void)
{
    work.in_step = false;
    work.progress.step_share = REPORT_UNKNOWN;
}

/* Whether the current step is to be abandoned. */
static bool is_abandoned(void)
{
    double elapsed = clock_monotonic_s() - work.step_began_s;

    if (!keeper_stop_requested())
        return false;
    return !work.in_step ||
           elapsed * (1.0 - work.step_share) > WORTH_FINISHING_S * work.step_share;
}

bool work_watch(void *unused, int64_t done, int64_t total)
{
    int64_t units = done > work.units_before ? done - work.units_before : done;

    (void)unused;
    if (work.report == NULL)
        return false;
    work.units_before = done;
    work.step_share = (double)done / (double)total;
    if (work.in_step && clock_monotonic_s() - work.step_began_s > LONG_STEP_S)
        work.progress.step_share = work.step_share;
    if (!work.in_step)
        work.progress.part_done =
            work.part_begin + (work.part_end - work.part_begin) * work.step_share;
    return count(units, &work.fault) < 0 || is_abandoned();
}

int work_why_abandoned(struct error *err, const char *message)
{
    if (work.fault.code != 0)
        return error_set(err, work.fault.code, "%s", work.fault.message);
    return error_set(err, ERROR_STOPPED, "%s", message);
}

double work_step_share(void)
{
    return work.step_share;
}
