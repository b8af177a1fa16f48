/*
 * arc_style.h - our own ARC-style puzzles: families of simple rules, tasks drawn from a
 * seed.
 *
 * A family is a rule with parameters; a task fixes them (colours, directions, ...) and
 * shows three demonstrations and a test or two. Everything fits a canvas of 8 x 8.
 */
#ifndef WORKER_ARC_STYLE_H
#define WORKER_ARC_STYLE_H

#include "arc_style_draw.h"

enum { ARC_STYLE_MAX_PAIRS = 5 };

struct arc_style_task {
    char name[48];
    int demonstrations, tests;
    struct arc_style_pair pairs[ARC_STYLE_MAX_PAIRS]; /* demonstrations, then tests */
};

int arc_style_family_count(void);
const char *arc_style_family_name(int family);

/* Makes task number index (>= 0) of a family. Equal arguments give equal tasks. */
void arc_style_make(struct arc_style_task *out, uint64_t generator_seed, int family, int index);

#endif
