/*
 * progress.h - shows the progress of jobs: a live block on a terminal, otherwise
 * lines.
 */
#ifndef RUNNER_PROGRESS_H
#define RUNNER_PROGRESS_H

#include "recorder.h"

#include <stdbool.h>

struct progress {
    bool quiet, live, color;
    int lines_drawn; /* lines of the live block, which the next drawing overwrites */
    double next_at;  /* monotonic time of the next drawing */
    double started_at;
    double work_done, work_total; /* FLOPs of this session's jobs */
    int jobs_done, jobs_failed, jobs_total;
};

struct progress_job {
    const char *label;
    const struct recorder_progress *progress;
    double cost;
};

/* Live if stderr is a terminal and quiet is false. */
void progress_init(struct progress *progress, bool quiet, bool color);
/* Prints a permanent line above the live block. */
__attribute__((format(printf, 2, 3))) void progress_say(struct progress *progress,
                                                        const char *format, ...);
/* Redraws if due: twice per second if live, else every ten seconds. */
void progress_update(struct progress *progress, const struct progress_job *jobs, int count);
void progress_finish(struct progress *progress); /* clears the live block */

#endif
