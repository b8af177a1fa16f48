/*
 * canvas.h - grids as token sequences on a square canvas, and back.
 *
 * Tokens: 0 PAD, 1 EOS, 2..11 the colours 0..9. EOS marks the row below a grid and the
 * column right of it, where the canvas has room; the cell diagonal to its corner stays
 * PAD.
 */
#ifndef WORKER_CANVAS_H
#define WORKER_CANVAS_H

#include "grid.h"

enum { TOKEN_PAD = 0, TOKEN_EOS = 1, TOKEN_COLOUR = 2, ARC_VOCABULARY = 12 };

/* tokens (side * side) out. The grid must fit at (row, column). */
void canvas_place(int32_t *tokens, const struct grid *grid, int row, int column, int side);

/* Crops the largest rectangle at the top left that has only colours (tokens 2 to
 * 11). Rows are scanned downwards and the width never grows; among equal areas the
 * first one is taken. The result may be 0 x 0. */
void canvas_crop(struct grid *out, const int32_t *tokens, int side);

/* The same of a rectangle that begins where a grid was put: at (row, column). */
void canvas_crop_at(struct grid *out, const int32_t *tokens, int row, int column, int side);

/* The first colour, row by row: where canvas_place() put a grid. side * side: none. */
int canvas_first(const int32_t *tokens, int side);

/* Finds the grid that canvas_place() put anywhere: it begins at the first colour,
 * row by row. 0 x 0: there is none. */
void canvas_find(struct grid *out, const int32_t *tokens, int side);

#endif
