/*
 * golden_stray.h - weights whose gradient is rounding noise, and the other way they can go.
 *
 * AdamATan2 and sign-SGD do not see the size of a gradient. Where it is nothing but rounding
 * noise its sign, and with it an update of the whole learning rate, depends on the order of
 * summation, and everything after that step differs by more than rounding. Such a stray is
 * proved, not assumed: the replay turns the suspected element's update round and goes on; if
 * that was it, all later tensors match again within their ordinary limits.
 */
#ifndef TESTS_GOLDEN_STRAY_H
#define TESTS_GOLDEN_STRAY_H

#include "engine.h"

#include <stdbool.h>
#include <stddef.h>

enum { GOLDEN_CANDIDATES = 48, GOLDEN_MOST_FLIPS = 6 };

/* Element `element` of engine state `state`, whose update of step t (from 0) is in doubt. */
struct golden_flip {
    int t, state;
    size_t element;
    double doubt; /* size of its gradient beside the tensor's largest: smaller, more doubtful */
};

/* The most doubtful elements of one replay, ascending. */
struct golden_candidates {
    struct golden_flip items[GOLDEN_CANDIDATES];
    int count;
};

/* The engine's state that is the average of state `parameter`, or -1. */
int golden_find_average(const struct engine *engine, int parameter);

/* After training step t: adds the doubtful elements of state (a parameter with `elements`
 * elements named name) to candidates. scratch: room for three times its elements. */
void golden_stray_collect(struct golden_candidates *candidates, const struct engine *engine,
                          const struct engine_config *config, int t, int state, float *scratch);
/* The same for the puzzle embedding, state. scratch: room for (B, E). */
void golden_stray_collect_puzzle(struct golden_candidates *candidates,
                                 const struct engine *engine,
                                 const struct engine_config *config, int t, int state,
                                 float *scratch);

/* After training step flip->t: turns the element's update round. result_lr, result_puzzle_lr:
 * the rates of that step. scratch: room for the largest state. */
void golden_stray_flip(struct engine *engine, const struct engine_config *config,
                       const struct golden_flip *flip, const struct engine_result *result,
                       float *scratch);

#endif
