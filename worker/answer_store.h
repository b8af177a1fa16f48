/*
 * answer_store.h - the distinct answers to one test input, each stored once.
 *
 * Most variants and outer steps give one of a small number of answers. So a prediction
 * is stored as the number of its answer, and each distinct grid once.
 */
#ifndef WORKER_ANSWER_STORE_H
#define WORKER_ANSWER_STORE_H

#include "error.h"
#include "grid.h"

/* A zeroed store is empty. */
struct answer_store {
    struct grid **grids;    /* owned, as grid_copy_small() makes them */
    uint64_t *fingerprints; /* owned: per grid */
    int32_t *places;        /* owned: hash table, number + 1 of a grid, 0: free */
    int count, room;        /* room: length of places, a power of two, or 0 */
};

/* Returns the number of answer, which is added if it is new, or ERROR_NOMEM (the
 * store is unchanged). */
int answer_store_add(struct answer_store *store, const struct grid *answer,
                     struct error *err) MUST_CHECK;
void answer_store_release(struct answer_store *store);

#endif
