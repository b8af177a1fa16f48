/*
 * evaluate_pass.h - one inference pass over the rows of a split.
 */
#ifndef WORKER_EVALUATE_PASS_H
#define WORKER_EVALUATE_PASS_H

#include "error.h"
#include "evaluate.h"
#include "scores.h"

/* The rows of a split that a pass is over. */
struct evaluate_rows {
    int *numbers; /* ascending; NULL: all of the split */
    int count;
};

/*
 * Feeds those rows of the split, in stored order and batches of the engine's size,
 * through as many outer steps as the requests need, and adds each request's predictions
 * to scores. act_inference: a row leaves at its first step that passes the system's
 * halting test, which then counts for every request that would have gone on. Reports
 * progress. ERROR_STOPPED as evaluate_run().
 */
int evaluate_pass(const struct evaluate_context *context, struct scores *scores,
                  enum data_split split, const struct evaluate_rows *rows, bool act_inference,
                  const struct score_request *requests, int count,
                  struct error *err) MUST_CHECK;

#endif
