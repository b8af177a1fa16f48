/*
 * ranks.h - one engine shared by several processes.
 *
 * Rank 0's engine is the one that its caller sees. The others repeat all that changes
 * an engine's state: rank 0 sends each of them an order, with its data, before it does
 * the same itself (serve.c carries them out). So parameters, moments, averages and the
 * puzzle embedding are the same everywhere; only rows are shared out:
 *
 *   training    rank r of R has lanes r L/R to (r+1) L/R - 1, and their rows. Its sum
 *               over these is a node of the tree of lanes.h; ranks add theirs along the
 *               rest of the tree (gradient_sum.h).
 *   evaluation  rank r has parts r C/R to (r+1) C/R - 1 of C equal parts, whose bounds
 *               do not depend on R
 *
 * So the bits are those of one process. States, logits and other large values of a row
 * stay with its rank until rank 0's caller reads them.
 *
 * All ranks apply the optimizer, each to everything. That takes as few bytes as sending
 * weights from those that apply it to a part (gradients go round in place of weights),
 * and moments and averages need not be gathered for checkpoints and evaluations.
 */
#ifndef MODEL_RANKS_H
#define MODEL_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "exchange.h"
#include "lanes.h"

struct engine;
struct engine_batch;
struct engine_config;
struct ranks;

/* What a rank has of the rows of a batch: from first to end - 1. */
struct row_range {
    int first, end;
};

/* How the rows of an evaluation are dealt: into equal parts (lanes_first_row()), of
 * which a rank has those from first to end - 1. */
struct row_parts {
    int rows, parts, first, end;
};

enum order_kind {
    ORDER_END, /* no further order comes */
    ORDER_CREATE,
    ORDER_DESTROY,
    ORDER_INITIALISE,
    ORDER_STATE_SET,
    ORDER_PUZZLE_SET,
    ORDER_FREEZE,
    ORDER_SET_CYCLES,
    ORDER_RECORD_RESIDUALS,
    ORDER_RECORD_CHANGE,
    ORDER_ACCUMULATE,
    ORDER_APPLY,
    ORDER_EVALUATE_BEGIN,
    ORDER_EVALUATE_RAW,
    ORDER_EVALUATE_PERTURB,
    ORDER_EVALUATE_STEP,
    ORDER_EVALUATE_KEEP,
    ORDER_GATHER_OUTPUT,
    ORDER_GATHER_STATE,
    ORDER_KINDS
};

/* One call to be repeated. What its numbers mean is in serve.c. */
struct order {
    int32_t kind, a, b;
    uint64_t seed;
    double x, y;
};

/* Allocates what an engine's configuration needs for its ranks; *out is NULL where
 * there is one. ERROR_NOMEM. */
int ranks_create(struct ranks **out, const struct engine_config *config,
                 struct error *err) MUST_CHECK;
void ranks_destroy(struct ranks *ranks);

/* Whether orders are given: this is rank 0 of several. NULL: one process. */
bool ranks_orders(const struct exchange *exchange);
/* Sends an order to all others. */
void ranks_order(const struct exchange *exchange, struct order order);
/* Sends rank 0's data to all others. On those it fills `data`. */
void ranks_broadcast(const struct exchange *exchange, void *data, size_t bytes);
/* The same of rank 0, whose data are constant. */
void ranks_hand_out(const struct exchange *exchange, const void *data, size_t bytes);
/* Sends a batch, as ORDER_ACCUMULATE and ORDER_EVALUATE_BEGIN need it. */
void ranks_hand_out_batch(const struct engine *engine, const struct engine_batch *batch,
                          int rows);
/* Called by all ranks after something that may fail: returns the first failure of any
 * of them, and its message. */
int ranks_agree(const struct exchange *exchange, int rc, struct error *err) MUST_CHECK;

/* This rank's lanes. */
struct lane_range ranks_lanes(const struct engine *engine);
/* How a training batch is dealt to lanes and chunks of rows. */
struct lane_deal ranks_lane_deal(const struct engine *engine);
/* This rank's rows in training; its parts and rows of an evaluation of `rows` rows. */
struct row_range ranks_train_rows(const struct engine *engine);
struct row_parts ranks_evaluate_parts(const struct engine *engine, int rows);
struct row_range ranks_evaluate_rows(const struct engine *engine, int rows);

/* ---- A step. ---- */

/* Begins a step that all ranks take. */
void ranks_begin_step(struct ranks *ranks);
/* Rank 0: the units of work that others have reported since the last call. */
int64_t ranks_listen(struct ranks *ranks);
/* Rank 0: asks all others, once, to abandon the step. */
void ranks_stop(struct ranks *ranks);
/* Others: reports units of work. true: the step is to be abandoned. */
bool ranks_report(struct ranks *ranks, int64_t units);
/* Others: this rank has ended its part. */
void ranks_end(struct ranks *ranks);
/* Others: whether ranks_conclude() need not wait. */
bool ranks_have_verdict(const struct ranks *ranks);
/* Rank 0: whether all others have ended their parts. */
bool ranks_have_ended(const struct ranks *ranks);
/* After all have ended, by all ranks: whether the step counts. stopped: this rank has
 * abandoned it. */
bool ranks_conclude(struct ranks *ranks, bool stopped);
/* By all ranks, after the step's end: the largest of their numbers. */
int ranks_most(const struct ranks *ranks, int number);

/* Fills `values`, an array by row of the training batch, with all ranks' rows. */
void ranks_share_train(const struct engine *engine, void *values, size_t row_bytes);
/* The same of the rows of the evaluation. */
void ranks_share_evaluate(const struct engine *engine, void *values, size_t row_bytes);
/* The same as either, for rank 0 alone: of the last step's rows. */
void ranks_gather(const struct engine *engine, bool train, void *values, size_t row_bytes);
/* Moves a row's values to where it belongs after carry_keep_rows(): row `from` of an
 * evaluation of `before` rows becomes row `to` of one of `after`. */
void ranks_move_row(const struct engine *engine, float *values, size_t floats, int from,
                    int before, int to, int after);

#endif
