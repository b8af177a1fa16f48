/*
 * rank_group.h - ranks that share an engine as threads of one process: messages go
 * through queues in memory. Tests of the engine need no MPI so.
 */
#ifndef TESTS_RANK_GROUP_H
#define TESTS_RANK_GROUP_H

#include "exchange.h"

enum { RANK_GROUP_MOST = 8 };

struct rank_group;

/* Starts ranks 1 to count - 1, which serve (engine_serve()). A test that cannot goes on
 * no further. */
struct rank_group *rank_group_start(int count);
/* What rank 0's engine is created with. */
const struct exchange *rank_group_exchange(const struct rank_group *group);
/* The swaps of sums that rank 0 has started, and those of them that it started while its
 * part of a step, on one thread, went on. */
void rank_group_count_swaps(const struct rank_group *group, int *all, int *early);
/* Dismisses the ranks, waits for them, and checks that no message was left over. */
void rank_group_end(struct rank_group *group);

#endif
