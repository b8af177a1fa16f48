/*
 * arc_shape.h - the pairs of a task without their colours: by them tasks are compared
 * up to the order of pairs, the dihedral transforms, and permutations of the colours
 * 1 to 9.
 */
#ifndef WORKER_ARC_SHAPE_H
#define WORKER_ARC_SHAPE_H

#include "arc_task.h"

/* A pair whose colours other than 0 are numbered in the order in which they appear,
 * the input row by row, then the output. */
struct pair_shape {
    uint64_t key;                  /* hash of the grids with renumbered colours */
    uint8_t colours[GRID_COLOURS]; /* the colours that appear, in that order */
    int count;                     /* number of colours */
};

struct arc_shape {
    struct pair_shape *pairs; /* owned; as those of the task */
    int count;
    uint64_t sum; /* sum of the keys: a hash of the multiset of pairs */
};

/* Computes the shape of a task under a transform. test_outputs false leaves out the
 * outputs of tests. Returns 0 or ERROR_NOMEM. */
int arc_shape_make(struct arc_shape *out, const struct arc_task *task, int transform,
                   bool test_outputs) MUST_CHECK;
void arc_shape_release(struct arc_shape *shape);

/* map[c] is the image of colour c; ARC_UNUSED for a colour that the task does not
 * have. */
enum { ARC_UNUSED = 0xff };
typedef uint8_t colour_map[GRID_COLOURS];

enum { ARC_GAVE_UP = -1000 };

/*
 * Finds permutations of the colours that make the pairs of a those of b, as multisets.
 *   maps  (most) the first ones found, all different
 * Returns how many there are, most + 1 for more than most, ARC_GAVE_UP where the search
 * takes too long, or ERROR_NOMEM.
 */
int arc_shape_match(colour_map *maps, int most, const struct arc_shape *a,
                    const struct arc_shape *b) MUST_CHECK;

#endif
