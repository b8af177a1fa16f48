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

#endif
