/*
 * live_view.h - how far work is, as the lines of `watch` and of `run` on a terminal.
 */
#ifndef RUNNER_LIVE_VIEW_H
#define RUNNER_LIVE_VIEW_H

#include "live_query.h"
#include "live_screen.h"
#include "recorder.h"
#include "status_query.h"

#include <stdint.h>

/* A job that a worker is at. */
struct live_job {
    const char *label; /* borrowed: "experiment: arm seed N" */
    const char *hash;  /* borrowed: of its run */
    int64_t run_id;
    double cost;                              /* expected FLOPs */
    const struct recorder_progress *progress; /* borrowed */
    struct curve_point points[LIVE_POINTS];   /* of its loss so far */
    int point_count;
};

struct live_group {
    char name[EXPERIMENT_NAME_SIZE];
    struct status_counts counts;
    int diverged; /* of the jobs done */
    struct live_work work;
};

enum { LIVE_JOBS = 64, LIVE_GROUPS = 8, LIVE_FAILURES = 8, LIVE_MESSAGES = 3 };

struct live {
    const char *experiment;      /* borrowed; NULL: all of them */
    char runner[200];            /* that is at work; "" none, or it needs no mention */
    struct status_counts counts; /* of jobs */
    int diverged;                /* of the jobs done */
    int elsewhere;               /* open ones that go on without a runner, in Slurm */
    struct live_work work;
    double rate; /* FLOPs per second of all workers, while no job tells; 0: not known */
    struct live_group groups[LIVE_GROUPS]; /* experiments, where there are several */
    int group_count;
    struct live_job jobs[LIVE_JOBS];
    int job_count;
    struct live_failure failures[LIVE_FAILURES];
    int failure_count;
    char messages[LIVE_MESSAGES][LIVE_LINE]; /* the newest last */
    int message_count;
};

/* FLOPs per second of one running job at the rate of its present attempt, the mean of
 * live->jobs, of which those that do not tell their remaining time (they start, or wait
 * for their turn in a job that they share) add nothing; 0: none tells. */
double live_worker_rate(const struct live *live);

/* One line: "arch.name=hrm seed 0: train 12/400 loss 0.812 ... ETA 3m05s". */
void live_describe_job(char *out, size_t size, const struct live_job *job);
/* "train 12/400 loss 0.812 acc 0.530 3.1 steps/s ETA 3m05s", "starting". */
void live_describe_progress(char *out, size_t size, const struct recorder_progress *progress);
/* "12 of 30 jobs done (1 diverged), 2 failed, ETA 3m05s"; *share: of the work that is
 * done, in [0, 1]. */
void live_describe_share(char *out, size_t size, double *share, const struct live *live);
/* One line: "[####----]  37 %, 12 of 30 jobs done, 2 failed, ETA 3m05s". bar: its
 * columns; of fewer than three it is left out. */
void live_describe_total(char *out, size_t size, const struct live *live, int bar);

/* Adds a message, for which the oldest makes room. */
void live_say(struct live *live, const char *text);

/* All as lines for a terminal of this width and height; what has no room is counted.
 * height 0: as many lines as there are. false: no memory. */
bool live_view(struct live_lines *out, const struct live *live, int width, int height);

#endif
