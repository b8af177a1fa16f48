/*
 * data_draw.h - draws pairs of grids in a terminal and as SVG.
 */
#ifndef WORKER_DATA_DRAW_H
#define WORKER_DATA_DRAW_H

#include <stdio.h>

#include "kind.h"

/* What the terminal shows: characters only, or squares of 256 or 2^24 colours. */
enum draw_depth { DRAW_PLAIN, DRAW_256, DRAW_24_BIT };

/* Chooses by --color (always, never, or auto: whether out is a terminal), COLORTERM,
 * TERM and NO_COLOR. */
enum draw_depth draw_depth_of(FILE *out, const char *color);
/* Columns of the terminal out; 80 if unknown. */
int draw_width_of(FILE *out);

/* Draws the input and, unless it is NULL, the output: side by side if width columns
 * have room for both, otherwise one below the other. */
void draw_pair(FILE *out, const struct data_kind *kind, const struct grid *input,
               const struct grid *output, enum draw_depth depth, int width);

/* A grid with its caption; cells that differ from those of the solution (NULL: none is
 * known) are marked. All are borrowed. */
struct draw_item {
    const struct grid *grid;
    const char *caption;
    const struct grid *solution;
};
/* Draws grids side by side, as many as width columns have room for, then the next ones
 * below. */
void draw_items(FILE *out, const struct data_kind *kind, const struct draw_item *items,
                int count, enum draw_depth depth, int width);

/* SVG of a column of pairs: begin, each pair with its title, end. draw_svg_add()
 * sums the sizes of all pairs before that. */
struct draw_svg {
    int width, height; /* pixels */
    int at;            /* top of the next pair */
};
void draw_svg_add(struct draw_svg *svg, const struct grid *input, const struct grid *output);
void draw_svg_begin(FILE *out, const struct draw_svg *svg);
void draw_svg_pair(FILE *out, struct draw_svg *svg, const struct data_kind *kind,
                   const char *title, const struct grid *input, const struct grid *output);
/* The same for lists of grids. */
void draw_svg_add_items(struct draw_svg *svg, const struct draw_item *items, int count);
void draw_svg_items(FILE *out, struct draw_svg *svg, const struct data_kind *kind,
                    const char *title, const struct draw_item *items, int count);
void draw_svg_end(FILE *out);

#endif
