/*
 * progress.h - what a person sees while jobs run: a live block on a terminal, lines
 * elsewhere.
 */
#ifndef RUNNER_PROGRESS_H
#define RUNNER_PROGRESS_H

#include "recorder.h"

#include <stdbool.h>

struct progress {
    bool quiet, live, color;
    int lines_drawn; /* of the live block, to be drawn over */
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

/* live when stderr is a terminal and quiet is not asked for. */
void progress_init(struct progress *progress, bool quiet, bool color);
/* A line that stays; above the live block. */
__attribute__((format(printf, 2, 3))) void progress_say(struct progress *progress,
                                                        const char *format, ...);
/* Redraws when it is time: twice a second live, every ten seconds as plain lines. */
void progress_update(struct progress *progress, const struct progress_job *jobs, int count);
void progress_finish(struct progress *progress); /* clears the live block */

#endif
