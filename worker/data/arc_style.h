/*
 * arc_style.h - our own ARC-style puzzles: families of simple rules, tasks drawn from a
 * seed.
 *
 * A family is a rule with parameters; a task fixes them (colours, directions, ...) and
 * shows three demonstrations and a test or two. Everything fits a canvas of 8 x 8.
 */
#ifndef WORKER_ARC_STYLE_H
#define WORKER_ARC_STYLE_H

#include "grid.h"
#include "random.h"

enum { ARC_STYLE_MAX_PAIRS = 5, ARC_STYLE_SIDE = 8 };

struct arc_style_pair {
    struct grid input, output;
};

struct arc_style_task {
    char name[48];
    int demonstrations, tests;
    struct arc_style_pair pairs[ARC_STYLE_MAX_PAIRS]; /* demonstrations, then tests */
};

int arc_style_family_count(void);
const char *arc_style_family_name(int family);

/* Task number index >= 0 of a family; the same for the same three numbers. */
void arc_style_make(struct arc_style_task *out, uint64_t generator_seed, int family, int index);

/* For the families' files: what a task fixes, and the table of rules. */
struct arc_style_rule {
    int colour[4]; /* four distinct colours from 1 to 9 */
    int map[10];   /* a permutation of the colours, 0 fixed, no other colour fixed */
    int choice;    /* in [0, 2^16) */
};

/* Draws one pair. The driver draws again when the output is empty, equals the input's
 * twin in the task, or changes nothing in all pairs. */
typedef void arc_style_fn(struct arc_style_pair *pair, const struct arc_style_rule *rule,
                          struct random_stream *stream);

struct arc_style_family {
    const char *name;
    arc_style_fn *draw;
};

extern const struct arc_style_family ARC_STYLE_MOVES[], ARC_STYLE_COLOURS[], ARC_STYLE_SHAPES[];
extern const int ARC_STYLE_MOVE_COUNT, ARC_STYLE_COLOUR_COUNT, ARC_STYLE_SHAPE_COUNT;

#endif
