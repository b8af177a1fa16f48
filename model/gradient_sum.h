/*
 * gradient_sum.h - the sum of the gradients of all ranks, piece by piece, while the
 * backward pass goes on.
 *
 * A piece is added in rounds, along the upper part of the tree of lanes.h. In each a
 * rank meets its neighbour at the next level of the tree, and each adds up half of what
 * both have; then the rounds backwards, in which they swap sums. A rank sends and
 * receives 2 (1 - 1/R) of the gradients, whatever R. Pieces come one after the other,
 * so that all ranks make the same swaps in the same order, each when it gets to it.
 */
#ifndef MODEL_GRADIENT_SUM_H
#define MODEL_GRADIENT_SUM_H

#include "error.h"
#include "exchange.h"
#include "pieces.h"

struct gradient_sum;
struct kernels;

/* For several ranks. exchange, pieces and kernels are borrowed. ERROR_NOMEM. */
int gradient_sum_create(struct gradient_sum **out, const struct exchange *exchange,
                        const struct pieces *pieces, const struct kernels *kernels,
                        struct error *err) MUST_CHECK;
void gradient_sum_destroy(struct gradient_sum *sum);

/* Begins a sum: no piece is added. */
void gradient_sum_begin(struct gradient_sum *sum);
/* Adds what can be added without waiting of the first `count` pieces of `gradients`,
 * which are final. */
void gradient_sum_advance(struct gradient_sum *sum, float *gradients, int count);
/* Ends a sum: waits until the first `count` pieces are added. gradients then holds
 * theirs. */
void gradient_sum_finish(struct gradient_sum *sum, float *gradients, int count);
/* The number of pieces that this rank has added or is adding. */
int gradient_sum_begun(const struct gradient_sum *sum);

#endif
