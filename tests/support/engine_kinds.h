/*
 * engine_kinds.h - small engines that differ in what the engine's code branches on.
 */
#ifndef TESTS_ENGINE_KINDS_H
#define TESTS_ENGINE_KINDS_H

#include "engine.h"

/* Rows, tokens of a grid, tokens of the vocabulary, identifiers, widths, pairs of a context,
 * which tests' arrays have too; how many kinds there are. */
enum {
    KINDS_ROWS = 6,
    KINDS_TOKENS = 11,
    KINDS_VOCABULARY = 7,
    KINDS_IDENTIFIERS = 9,
    KINDS_PUZZLE_WIDTH = 20,
    KINDS_WIDTH = 16,
    KINDS_PAIRS = 2,
    KINDS_COUNT = 13,
};

/* Two H layers, target values every second step, a puzzle embedding wider than the network. */
struct engine_config engine_kinds_plain(enum system_id system);
/* Kind 0 to KINDS_COUNT - 1: every system; wide enough for packed weights; in bfloat16; with
 * averages; with mlp_t; with longer gradients; with a context of KINDS_PAIRS pairs. Kind 2 is
 * HRM, wide, in float32. */
struct engine_config engine_kinds_config(int kind);
/* An engine with the weights of that seed; to be destroyed. A fault fails the test. */
struct engine *engine_kinds_create(const struct engine_config *config, uint64_t seed);

#endif
