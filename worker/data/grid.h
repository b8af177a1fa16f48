/*
 * grid.h - a rectangle of cells up to 30 x 30, and what can be done to it.
 */
#ifndef WORKER_GRID_H
#define WORKER_GRID_H

#include "hash.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    GRID_MAX_SIDE = 30,
    GRID_MAX_CELLS = GRID_MAX_SIDE * GRID_MAX_SIDE,
    GRID_COLOURS = 10,
    GRID_TRANSFORMS = 8
};

struct grid {
    uint8_t rows, columns;         /* 0 x 0: empty */
    uint8_t cells[GRID_MAX_CELLS]; /* row-major, rows * columns of them used */
};

bool grid_equal(const struct grid *a, const struct grid *b);
uint64_t grid_fingerprint(const struct grid *grid); /* XXH3 of shape and cells */

/*
 * The 8 dihedral transforms: 0 identity; 1, 2, 3 quarter turns counter-clockwise; 4
 * left-right; 5 up-down; 6 transpose; 7 quarter turn then left-right. out may not be
 * in.
 */
void grid_transform(struct grid *out, const struct grid *in, int transform);
int grid_inverse_transform(int transform);

/* Replaces colour c by map[c]. */
void grid_recolour(struct grid *grid, const uint8_t map[GRID_COLOURS]);

/* SHA-256 of one byte each for rows and columns followed by the cells, as the published
 * data sets hash a grid (an empty grid: two zero bytes). */
void grid_hash(char hex[HASH_HEX_SIZE], const struct grid *grid);

#endif
