/*
 * enqueue.h - a plan into the store: what is new, what is there already, and why.
 */
#ifndef RUNNER_ENQUEUE_H
#define RUNNER_ENQUEUE_H

#include "error.h"
#include "plan.h"
#include "queue.h"
#include "workspace.h"

struct store;

enum enqueue_need {
    NEED_TRAINING,        /* no such training yet */
    NEED_RETRAINING,      /* trained, but its final checkpoint is gone or has another size */
    NEED_AGAIN,           /* failed or was cancelled earlier */
    NEED_EVALUATION,      /* trained; some evaluations are missing */
    NEED_WAIT,            /* queued or running already */
    NEED_NOTHING,         /* trained and evaluated */
    NEED_NOTHING_DIVERGED /* its training diverged: a result */
};
enum { ENQUEUE_NEEDS = NEED_NOTHING_DIVERGED + 1 };

/* What a run of the plan needs, and its id (0: it is not in the store). store may be NULL:
 * nothing is there. */
int enqueue_need(enum enqueue_need *out, int64_t *run_id, struct store *store,
                 const struct workspace *workspace, const struct plan *plan,
                 const struct plan_run *run, struct error *err) MUST_CHECK;
/* "trained and evaluated already", ... */
const char *enqueue_need_text(enum enqueue_need need);

struct enqueue_summary {
    char *name;                /* owned; the experiment's name in the store */
    bool renamed;              /* the spec's own name belongs to other settings or other data */
    int counts[ENQUEUE_NEEDS]; /* runs by need */
    int jobs;                  /* queued now */
};

/* Writes the resolved spec to specs/, then queues everything in one transaction. */
int enqueue_plan(struct enqueue_summary *out, struct store *store,
                 const struct workspace *workspace, const struct plan *plan,
                 struct error *err) MUST_CHECK;
/* The same for runs that were found on disk and belong to no spec. */
int enqueue_found(struct enqueue_summary *out, struct store *store,
                  const struct workspace *workspace, const struct plan *plan,
                  struct error *err) MUST_CHECK;

#endif
