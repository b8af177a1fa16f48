/*
 * batch_order.h - the file that prescribes the batches of a training: a .npy array (S,
 * B) of <i8, the numbers of the examples of each of S batches.
 */
#ifndef WORKER_BATCH_ORDER_H
#define WORKER_BATCH_ORDER_H

#include "hash.h"
#include "npy.h"

struct batch_order {
    struct npy npy; /* owned */
    int steps, rows;
};

/* ERROR_FORMAT names the file, the byte and what was expected: another type or shape,
 * an example that is not below examples. */
int batch_order_open(struct batch_order *out, const char *path, int examples,
                     struct error *err) MUST_CHECK;
void batch_order_close(struct batch_order *order);

/* The example in a row of the batch of a step, both from 0. */
int batch_order_at(const struct batch_order *order, int64_t step, int row);

/* Adds the content of the file to a hash. */
int batch_order_hash(struct hash_state *state, const char *path, struct error *err) MUST_CHECK;

#endif
