/*
 * small_network.h - a network that a test trains in milliseconds.
 */
#ifndef TESTS_SMALL_NETWORK_H
#define TESTS_SMALL_NETWORK_H

#include "engine.h"

/* Sizes that tests choose; their arrays have them, too. */
struct small_network {
    int batch, tokens, vocabulary, identifiers, width;
};

/* Two heads, one layer per stack, 2 x 2 cycles, 3 outer steps with ACT; the puzzle
 * embedding is as wide as the network. Tests change what they are about. */
struct engine_config small_network(enum system_id system, struct small_network sizes);

/* The engine with the first weights of a fixed seed; a test that gets none fails. */
struct engine *small_network_create(const struct engine_config *config);

/* Room for a batch. */
struct small_rows {
    int32_t inputs[2048], labels[2048], identifiers[16];
};

/* Fills it with random rows, each step others; a third of the labels is ignored. */
struct engine_batch small_network_batch(struct small_rows *rows, struct small_network sizes,
                                        int step);

/* Weights, averages, moments and carry are the same, to the bit. */
void expect_same_states(const struct engine *a, const struct engine *b);
void copy_states(struct engine *to, const struct engine *from);

#endif
