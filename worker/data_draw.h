/*
 * data_draw.h - pairs of grids for people: in a terminal, and as SVG.
 */
#ifndef WORKER_DATA_DRAW_H
#define WORKER_DATA_DRAW_H

#include <stdio.h>

#include "kind.h"

/* What the terminal shows: characters alone, or squares of 256 or 2^24 colours. */
enum draw_depth { DRAW_PLAIN, DRAW_256, DRAW_24_BIT };

/* By --color (always, never, auto: whether out is a terminal), COLORTERM, TERM and
 * NO_COLOR. */
enum draw_depth draw_depth_of(FILE *out, const char *color);
/* Columns of the terminal out; 80 where they are not known. */
int draw_width_of(FILE *out);

/* The input and, unless it is NULL, the output: beside each other where width columns
 * have room for both, else below each other. */
void draw_pair(FILE *out, const struct data_kind *kind, const struct grid *input,
               const struct grid *output, enum draw_depth depth, int width);

/* SVG of a column of pairs: begin, each pair with its title, end. The sizes of all are
 * added up first: draw_svg_add(). */
struct draw_svg {
    int width, height; /* pixels */
    int at;            /* of the next pair, from the top */
};
void draw_svg_add(struct draw_svg *svg, const struct grid *input, const struct grid *output);
void draw_svg_begin(FILE *out, const struct draw_svg *svg);
void draw_svg_pair(FILE *out, struct draw_svg *svg, const struct data_kind *kind,
                   const char *title, const struct grid *input, const struct grid *output);
void draw_svg_end(FILE *out);

#endif
