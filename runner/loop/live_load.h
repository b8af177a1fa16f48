/*
 * live_load.h - finds out how far work is, for whoever shows it without doing it.
 */
#ifndef RUNNER_LIVE_LOAD_H
#define RUNNER_LIVE_LOAD_H

#include "error.h"
#include "live_view.h"
#include "record.h"
#include "workspace.h"

struct store;

/* What is shown, and what was found in it last. Zeroed at first, its borrowed members
 * set. */
struct live_source {
    const struct workspace *workspace; /* borrowed */
    struct store *store;               /* borrowed */
    struct live live;                  /* live.experiment: borrowed; NULL: all */
    struct record_job *jobs;           /* owned; has the labels and hashes of
                                        * live.jobs */
    int job_count;
    struct recorder_progress progress[LIVE_JOBS];
};

/* Loads all of it anew: counts and work from the database, in the caller's transaction,
 * progress from the journals of running attempts, the runner from the workspace's
 * lock. */
int live_load(struct live_source *source, struct error *err) MUST_CHECK;
void live_source_release(struct live_source *source);

#endif
