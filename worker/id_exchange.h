/*
 * id_exchange.h - a random bijection that gives every puzzle id one of another task.
 */
#ifndef WORKER_ID_EXCHANGE_H
#define WORKER_ID_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "random.h"

/*
 * Draws map (count), a permutation of 0 .. count - 1 with owners[map[i]] != owners[i]
 * for every i, from the stream. owners (count): which task each id is of; ids of one
 * task need not stand together. There is one if and only if no task has more than half
 * of the ids: *most, the largest number of one task, is at most count / 2. False: there
 * is none (map is then undefined), or no memory (*most is then 0).
 */
bool id_exchange_draw(int32_t *map, int *most, const uint64_t *owners, int count,
                      struct random_stream *stream);

#endif
