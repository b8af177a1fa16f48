/*
 * data_progress.h - a line on a terminal that says how far the writing of data is.
 */
#ifndef WORKER_DATA_PROGRESS_H
#define WORKER_DATA_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct data_progress {
    bool drawn;    /* the line is to be drawn: standard error is a terminal */
    bool on_line;  /* it stands there */
    double next_s; /* monotonic time at which it is drawn again */
};

/* when: "auto", or "never" to draw nothing. */
void data_progress_begin(struct data_progress *progress, const char *when);
/* Draws "WHAT: DONE of TOTAL" over the line a few times a second, without numbers where
 * total is 0. progress: a struct data_progress (build_watch.h). */
void data_progress_tell(void *progress, const char *what, int64_t done, int64_t total);
/* Takes the line away. */
void data_progress_end(struct data_progress *progress);

#endif
