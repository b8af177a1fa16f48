/*
 * evaluate_pass.h - one inference pass over the rows of a split.
 */
#ifndef WORKER_EVALUATE_PASS_H
#define WORKER_EVALUATE_PASS_H

#include "error.h"
#include "evaluate.h"
#include "halt_rule.h"
#include "puzzle_ids.h"
#include "scores.h"
#include "trajectory.h"

/* The rows of a split that a pass evaluates. */
struct evaluate_rows {
    int *numbers; /* ascending; NULL: all of the split */
    int count;
};

/* What a pass has to do. */
struct evaluate_order {
    enum data_split split;
    struct evaluate_rows rows;
    const struct puzzle_way *way; /* borrowed; the rows' puzzle ids */
    /* borrowed; a row leaves at the first step at which it halts by this rule, which is
     * that of all requests; NULL: rows stay to the end */
    const struct halt_rule *leave;
    const struct score_request *requests; /* borrowed */
    int count;
    /* borrowed; follows the first outer steps, while the engine records residuals;
     * NULL: nothing is followed */
    struct trajectory *trajectory;
    int trajectory_steps;
};

/*
 * Feeds those rows of the split, in stored order and batches of the engine's size,
 * through as many outer steps as the requests need, and adds each request's predictions
 * to scores: of a row those of the request's outer step, or of an earlier one at which
 * the row halts by the request's rule. Reports progress. ERROR_STOPPED as
 * evaluate_run().
 */
int evaluate_pass(const struct evaluate_context *context, struct scores *scores,
                  const struct evaluate_order *order, struct error *err) MUST_CHECK;

#endif
