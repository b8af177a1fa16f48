/*
 * task_query.h - the outcomes of tasks, test by test, and the runs whose answers are
 * kept as files.
 */
#ifndef RESULTS_TASK_QUERY_H
#define RESULTS_TASK_QUERY_H

#include <stdbool.h>

#include "error.h"
#include "query.h"
#include "table.h"

struct store;

/* A row per arm, seed, evaluation and test of the task, at most so many. ERROR_ABSENT:
 * the experiment has no outcome of such a task. */
int task_outcomes(struct table **out, struct store *store, const char *experiment,
                  const char *task, int most, struct error *err) MUST_CHECK;

/* A row per test of the run's evaluation with most augmentations and outer steps, the
 * worst first, at most so many; the caption names it. *out NULL: the run has none. */
int run_outcomes(struct table **out, struct store *store, const char *hash, int most,
                 struct error *err) MUST_CHECK;

/* The first experiment that the run belongs to; "": none. */
int run_experiment(struct store *store, char out[EXPERIMENT_NAME_SIZE], const char *hash,
                   struct error *err) MUST_CHECK;

/* A run of the experiment with outcomes of the task, and where its answers may be. */
struct task_answerer {
    char label[200]; /* "arm seed N" */
    char hash[65];
    /* of its last attempt that was done, relative to the workspace */
    char directory[160];
};
int task_answerers(struct store *store, struct task_answerer *out, int most, int *count,
                   const char *experiment, const char *task, struct error *err) MUST_CHECK;
/* The run of this hash as one of them; *found false: it is none. */
int task_answerer_find(struct store *store, struct task_answerer *out, bool *found,
                       const char *experiment, const char *task, const char *hash,
                       struct error *err) MUST_CHECK;

#endif
