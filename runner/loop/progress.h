/*
 * progress.h - what a person sees while jobs run: the live view on a terminal, lines
 * elsewhere.
 */
#ifndef RUNNER_PROGRESS_H
#define RUNNER_PROGRESS_H

#include "live_screen.h"
#include "live_view.h"

#include <stdbool.h>

struct store;

struct progress {
    bool quiet, drawn_live, color;
    struct live_screen screen;
    struct live live;
    double next_at; /* monotonic time of the next drawing */
    double started_at;
    double work_done, work_total; /* FLOPs of this session's jobs */
    int jobs_done, jobs_failed, jobs_total;
};

/* The live view where stderr is a terminal, unless quiet or plain lines are asked for.
 * experiment: borrowed; NULL: all. */
struct progress_setup {
    bool quiet, plain, color;
    const char *experiment;
};
void progress_init(struct progress *progress, const struct progress_setup *setup);
/* A line: among the last messages of the live view, or of the log. */
__attribute__((format(printf, 2, 3))) void progress_say(struct progress *progress,
                                                        const char *format, ...);
/* Whether it is time for the next drawing: twice a second and after a change of the
 * terminal's size, every ten seconds as plain lines. */
bool progress_is_due(const struct progress *progress);
/* Draws count of the running jobs, of which points and point_count are not yet known.
 * What the store cannot tell at the moment is left out. */
void progress_update(struct progress *progress, struct store *store,
                     const struct live_job *jobs, int count, int running);
/* The last view stays. */
void progress_finish(struct progress *progress);

#endif
