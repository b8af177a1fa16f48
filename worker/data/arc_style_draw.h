/*
 * arc_style_draw.h - small drawing tools shared by the families of built-in puzzles.
 */
#ifndef WORKER_ARC_STYLE_DRAW_H
#define WORKER_ARC_STYLE_DRAW_H

#include "grid.h"
#include "random.h"

enum { ARC_STYLE_SIDE = 8 };

struct arc_style_pair {
    struct grid input, output;
};

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
