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
 * Whichever thread ends the second of two neighbours adds the right one to the left
 * one, so few buffers are in use at a time: one per thread and one per level of the
 * tree. When the last lane has ended, all threads share the last addition.
 *
 * A lane is worked through in chunks of rows. A thread takes the chunks of a lane one
 * after the other; one that finds no further lane takes chunks of another thread's. The
 * forward passes of a lane's chunks may run at the same time, since rows are
 * independent; their backward passes, which add to the lane's gradient, wait for each
 * other, in the order of rows (lanes_await()):
 *
 *     thread 0   forward 0 | backward 0 | forward 2 | backward 2
 *     thread 1   forward 1 | (waits)    | backward 1 | forward 3 | backward 3
 *
 * Of several processes (ranks.h) each has a subtree: 1/R of the lanes, one after the
 * other. There the gradients of a lane are given in pieces (pieces.h), each as soon as
 * it is final and added along the tree by itself. So the sum of the first pieces can be
 * sent to other ranks while the last lane's backward pass goes on.
 */
#ifndef MODEL_LANES_H
#define MODEL_LANES_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "pieces.h"

struct lanes;
struct kernels;

struct block_sum;

enum { LANES_MOST = 1024 };

/* The lanes from first on, `count` of them, a power of two. */
struct lane_range {
    int first, count;
};

/* How the rows of a batch are dealt: to lanes, and within a lane to chunks of at most
 * chunk_rows, which do not cross a multiple of micro_rows. */
struct lane_deal {
    int lanes, rows, micro_rows, chunk_rows;
};

/* Rows of a lane from first to end - 1, whose gradient is to be added to `gradient`. */
struct lane_chunk {
    int lane, first, end;
    float *gradient;
};

/* Allocates what counts the lanes of that range, and the buffers, of all pieces each,
 * for that many threads; pieces are borrowed. Adds their size to *sum. ERROR_NOMEM: the
 * message names the block and its MiB. */
int lanes_create(struct lanes **out, struct lane_range range, struct lane_deal deal,
                 int threads, const struct pieces *pieces, const struct kernels *kernels,
                 struct block_sum *sum, struct error *err) MUST_CHECK;
void lanes_destroy(struct lanes *lanes);

/* The first of `rows` rows that belongs to a lane of `count`; lane = count: `rows`. */
int lanes_first_row(int count, int lane, int rows);
/* The number of chunks of the lanes of a range. */
int lanes_chunks(struct lane_deal deal, struct lane_range range);

/* Begins a sum: no chunk is taken, all buffers are free. */
void lanes_begin(struct lanes *lanes);
/* The next chunk that no thread has taken, of the lane of *chunk if there is one (none:
 * lane = -1). Waits for a buffer where needed. false: there is none, or the sum is
 * abandoned. */
bool lanes_take(struct lanes *lanes, struct lane_chunk *chunk);
/* Waits until all chunks of the lane before this one were given. About every 50 ms it
 * calls goes_on(context). false: that returned false, or the sum is abandoned. */
bool lanes_await(struct lanes *lanes, const struct lane_chunk *chunk,
                 bool (*goes_on)(void *context), void *context);
/* After lanes_await(), within the backward pass: early piece `piece` of the chunk's
 * gradient was added. That of a lane's last chunk is added to its neighbours', unless
 * an earlier piece is still to be given: then lanes_give() does it. */
void lanes_give_piece(struct lanes *lanes, const struct lane_chunk *chunk, int piece);
/* After lanes_await(): the gradient of the chunk was added. The last chunk of a lane
 * adds the lane's to its neighbours'. */
void lanes_give(struct lanes *lanes, const struct lane_chunk *chunk);
/* Abandons the sum: nothing is taken or awaited any more until lanes_begin(). */
void lanes_abandon(struct lanes *lanes);
/* The number of early pieces that are summed over all lanes of the range, the first
 * ones; their sums are in *sum. */
int lanes_early_pieces(struct lanes *lanes, float **sum);
/* After all chunks were given: the last addition of the other pieces, of the floats
 * from first to end - 1, so that threads can share it. */
void lanes_add_last(struct lanes *lanes, size_t first, size_t end);
/* The sum over all lanes of the range, after the last addition. Valid until
 * lanes_begin(). */
float *lanes_sum(const struct lanes *lanes);
/* Any buffer, for use between lanes_create() and lanes_begin(). */
float *lanes_any(const struct lanes *lanes);

#endif
