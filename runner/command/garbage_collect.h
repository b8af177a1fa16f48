/*
 * garbage_collect.h - finds and deletes the files of a workspace that are no longer
 * needed.
 *
 * It keeps what an experiment needs: the final checkpoint, journals, job.json,
 * exit.json, logs and submissions of its runs. It does not touch runs with open jobs or
 * live attempts, nor directories that the database does not know, unless they are
 * marked as removed.
 */
#ifndef RUNNER_GARBAGE_COLLECT_H
#define RUNNER_GARBAGE_COLLECT_H

#include <stdint.h>

#include "error.h"
#include "workspace.h"

struct store;

enum garbage_reason {
    GARBAGE_RUNS,        /* runs of no experiment: directory and results */
    GARBAGE_CHECKPOINTS, /* of the attempt that finished: all but the final one */
    GARBAGE_SUPERSEDED,  /* checkpoints of attempts that another one has superseded */
    GARBAGE_LEFTOVERS,   /* files that were not finished, parts of an interrupted gc */
    /* data/: cached descriptions of data, made again when needed */
    GARBAGE_CACHES,
    GARBAGE_REASONS
};
const char *garbage_reason_text(enum garbage_reason reason);

struct garbage_summary {
    struct {
        int64_t items; /* runs for GARBAGE_RUNS, else files or directories */
        int64_t bytes; /* on disk */
    } of[GARBAGE_REASONS];
    int busy;    /* runs that were passed over, since they have work that is not over */
    int unknown; /* run directories that the database does not know, which stay */
};

/*
 * Finds the garbage, and deletes it where act is set; the workspace's lock must be held
 * then. It may be interrupted at any place: what it had begun to delete is garbage to
 * the next call.
 */
int garbage_collect(struct garbage_summary *out, struct store *store,
                    const struct workspace *workspace, bool act, struct error *err) MUST_CHECK;

#endif
