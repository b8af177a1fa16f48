/*
 * enqueue.h - stores a plan: which of its runs are new, and what existing ones need.
 */
#ifndef RUNNER_ENQUEUE_H
#define RUNNER_ENQUEUE_H

#include "error.h"
#include "plan.h"
#include "queue.h"
#include "workspace.h"

struct store;

enum enqueue_need {
    NEED_TRAINING, /* not trained yet */
    /* trained, but its final checkpoint is missing or has another size */
    NEED_RETRAINING,
    NEED_AGAIN,           /* failed or was cancelled */
    NEED_EVALUATION,      /* trained; some evaluations are missing */
    NEED_WAIT,            /* queued or running already */
    NEED_NOTHING,         /* trained and evaluated */
    NEED_NOTHING_DIVERGED /* its training diverged: a result */
};
enum { ENQUEUE_NEEDS = NEED_NOTHING_DIVERGED + 1 };

/* Determines what a run of the plan needs, and its id (0: it is not in the store).
 * store may be NULL: nothing is stored. */
int enqueue_need(enum enqueue_need *out, int64_t *run_id, struct store *store,
                 const struct workspace *workspace, const struct plan *plan,
                 const struct plan_run *run, struct error *err) MUST_CHECK;
/* A text such as "trained and evaluated already". */
const char *enqueue_need_text(enum enqueue_need need);

struct enqueue_summary {
    int counts[ENQUEUE_NEEDS]; /* runs by need */
    int jobs;                  /* queued now */
    bool known;                /* whether an experiment of this name existed */
    /* and whether its spec has changed */
    bool changed;
    int added; /* runs that it did not have */
    /* number of evaluations, over all runs, that it no longer asks for */
    int64_t forgotten;
    /* runs that it has and the plan lacks: the reason why nothing was queued */
    int vanishing;
};

/*
 * Writes the resolved spec to specs/, then queues everything in one transaction. An
 * experiment that exists is updated (description, priority, execution settings) and
 * extended by new runs; all jobs of its runs get its execution settings. ERROR_FORMAT,
 * and nothing is changed, if the experiment has runs that the plan lacks.
 */
int enqueue_plan(struct enqueue_summary *out, struct store *store,
                 const struct workspace *workspace, const struct plan *plan,
                 struct error *err) MUST_CHECK;
/* Likewise, beside an existing experiment of that name: the plan is renamed to the
 * first free suffix -2, -3, ..., unless the name is free or the experiment is the
 * same. */
int enqueue_plan_as_new(struct enqueue_summary *out, struct store *store,
                        const struct workspace *workspace, struct plan *plan,
                        struct error *err) MUST_CHECK;
/* Likewise, for runs that were found on disk and belong to no spec. */
int enqueue_found(struct enqueue_summary *out, struct store *store,
                  const struct workspace *workspace, const struct plan *plan,
                  struct error *err) MUST_CHECK;

#endif
