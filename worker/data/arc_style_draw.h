/*
 * arc_style_draw.h - small drawing tools shared by the families of built-in puzzles.
 */
#ifndef WORKER_ARC_STYLE_DRAW_H
#define WORKER_ARC_STYLE_DRAW_H

#include "arc_style.h"

/* A grid of one colour. */
void draw_blank(struct grid *grid, int rows, int columns, int colour);
/* Uniform in [low, high]. */
int draw_between(struct random_stream *stream, int low, int high);
int draw_get(const struct grid *grid, int r, int c);        /* -1 outside */
void draw_set(struct grid *grid, int r, int c, int colour); /* ignored outside */
void draw_rectangle(struct grid *grid, int r, int c, int rows, int columns, int colour);
/* Random cells: about one in `every` becomes one of the first count colours of the
 * rule. */
void draw_scatter(struct grid *grid, const struct arc_style_rule *rule, int count, int every,
                  struct random_stream *stream);
/* count cells of colour on background cells, if there is room. */
void draw_dots(struct grid *grid, int colour, int count, struct random_stream *stream);
int draw_count(const struct grid *grid, int colour);
/* A blank background of random size in [low, high]. */
void draw_field(struct grid *grid, int low, int high, struct random_stream *stream);

#endif
