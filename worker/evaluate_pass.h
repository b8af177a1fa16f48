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

/* The parameters of a pass. */
struct evaluate_order {
    enum data_split split;
    struct evaluate_rows rows;
    const struct puzzle_way *way; /* borrowed; the rows' puzzle ids */
    /* borrowed; all requests have this rule, and a row leaves the batch at the first
     * step at which it halts by it; NULL: rows stay to the end */
    const struct halt_rule *leave;
    const struct score_request *requests; /* borrowed */
    int count;
    /* which rollout of every row this is, from 0, and the noise on its initial
     * states */
    int rollout;
    double noise;
    uint64_t noise_seed;
    /* borrowed; records the first outer steps, with residuals from the engine; NULL:
     * nothing is recorded */
    struct trajectory *trajectory;
    int trajectory_steps;
    bool keep_steps; /* note the answers of all steps, as scores_keep_steps()
                      * announced */
};

/*
 * Evaluates the rows in stored order, in batches of the engine's size, for as many
 * outer steps as the requests need. Adds each row's prediction to scores: that of the
 * request's last outer step, or of an earlier one at which the row halts by the
 * request's rule. Reports progress. ERROR_STOPPED as evaluate_run().
 */
int evaluate_pass(const struct evaluate_context *context, struct scores *scores,
                  const struct evaluate_order *order, struct error *err) MUST_CHECK;

#endif
