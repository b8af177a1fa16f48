/*
 * lanes.h - the gradients of a batch, summed in a fixed number of lanes and a fixed
 * order, so that every number of threads gives the same bits.
 *
 * The rows of a batch are dealt to L lanes, a power of two, in contiguous blocks. The
 * gradient of a lane is the sum over its rows in ascending order, by one thread. Lanes
 * are added pairwise along a binary tree:
 *
 *     lane  0   1   2   3
 *            \ /     \ /
 *           0 + 1   2 + 3
 *               \   /
 *              the sum
 *
 * Whichever thread ends the second of two neighbours adds them (a + b and b + a have
 * the same bits), so few buffers are in use at a time: one per thread and one per level
 * of the tree.
 *
 * Of several processes (ranks.h) each has a subtree: 1/R of the lanes, one after the
 * other.
 */
#ifndef MODEL_LANES_H
#define MODEL_LANES_H

#include <stddef.h>

#include "error.h"

struct lanes;
struct kernels;

struct block_sum;

enum { LANES_MOST = 1024 };

/* The lanes from first on, `count` of them, a power of two. */
struct lane_range {
    int first, count;
};

/* Allocates what counts these lanes, and the buffers, `floats` zeros each, for that
 * many threads. Adds their size to *sum. ERROR_NOMEM: the message names the block and
 * its MiB. */
int lanes_create(struct lanes **out, struct lane_range range, int threads, size_t floats,
                 const struct kernels *kernels, struct block_sum *sum,
                 struct error *err) MUST_CHECK;
void lanes_destroy(struct lanes *lanes);

/* The first of `rows` rows that belongs to a lane of `count`; lane = count: `rows`. */
int lanes_first_row(int count, int lane, int rows);

/* Begins a sum: no lane is taken, all buffers are free. */
void lanes_begin(struct lanes *lanes);
/* The next lane that no thread has taken, with a buffer for its gradient, filled with
 * zeros; -1: there is none, or the sum is abandoned. Waits for a buffer where
 * needed. */
int lanes_take(struct lanes *lanes, float **gradient);
/* Takes the finished gradient of a lane back and adds it to its neighbours'. */
void lanes_give(struct lanes *lanes, int lane, float *gradient);
/* Abandons the sum: lanes_take() returns -1 until lanes_begin(). */
void lanes_abandon(struct lanes *lanes);
/* The sum over all lanes of the range, after the last was given. Valid until
 * lanes_begin(). */
float *lanes_sum(const struct lanes *lanes);
/* Any buffer, for use between lanes_create() and lanes_begin(). */
float *lanes_any(const struct lanes *lanes);

#endif
