/*
 * garbage_collect.h - finds and deletes the files of a workspace that are no longer
 * needed.
 *
 * Files that an experiment needs are never deleted: the final checkpoint, journals,
 * job.json, exit.json, logs and submissions of its runs; nor are runs with open jobs
 * or live attempts, nor any file of runs that are kept, nor directories that the
 * database does not know, unless they are marked as removed, nor files of submissions
 * that an attempt needs which has not ended.
 */
#ifndef RUNNER_GARBAGE_COLLECT_H
#define RUNNER_GARBAGE_COLLECT_H

#include <stdint.h>

#include "error.h"
#include "workspace.h"

struct store;

enum garbage_reason {
    GARBAGE_RUNS,        /* runs of no experiment: directories and results */
    GARBAGE_CHECKPOINTS, /* of completed attempts, except the final checkpoint */
    /* answers of evaluations: without them hrmlab revote and pools have nothing */
    GARBAGE_PREDICTIONS,
    GARBAGE_SUPERSEDED, /* of attempts that a later one has superseded */
    GARBAGE_LEFTOVERS,  /* temporary files, and what an interrupted gc left */
    /* what executors wrote to submit attempts that have all ended */
    GARBAGE_SUBMISSIONS,
    /* verify/: of processes that are gone, also what was kept because it differs */
    GARBAGE_REPETITIONS,
    /* data/: cached facts about data, computed again when needed */
    GARBAGE_CACHES,
    GARBAGE_REASONS
};
const char *garbage_reason_text(enum garbage_reason reason);

struct garbage_summary {
    struct {
        int64_t items; /* runs for GARBAGE_RUNS, else files or directories */
        int64_t bytes; /* on disk */
    } of[GARBAGE_REASONS];
    int busy; /* runs skipped because they have open jobs */
    int kept; /* runs skipped because they are protected */
    /* run directories that the database does not know; they are not deleted */
    int unknown;
};

/*
 * Finds garbage and, with act, deletes it; the workspace's lock must then be held. It
 * may be interrupted at any point: what it has begun to delete is garbage to the next
 * call.
 */
int garbage_collect(struct garbage_summary *out, struct store *store,
                    const struct workspace *workspace, bool act, struct error *err) MUST_CHECK;

#endif
