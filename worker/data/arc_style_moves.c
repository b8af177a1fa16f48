/* arc_style_moves.c - families that move, mirror, repeat or scale what is there. */
#include "arc_style_draw.h"

#include <string.h>

/* Scattered cells of up to three colours. */
static void scattered(struct grid *in, const struct arc_style_rule *rule, int low, int high,
                      struct random_stream *stream)
{
    draw_field(in, low, high, stream);
    draw_scatter(in, rule, 3, 2, stream);
}

static void draw_mirror_lr(struct arc_style_pair *p, const struct arc_style_rule *rule,
                           struct random_stream *stream)
{
    scattered(&p->input, rule, 3, 5, stream);
    grid_transform(&p->output, &p->input, 4);
}

static void draw_mirror_ud(struct arc_style_pair *p, const struct arc_style_rule *rule,
                           struct random_stream *stream)
{
    scattered(&p->input, rule, 3, 5, stream);
    grid_transform(&p->output, &p->input, 5);
}

static void draw_half_turn(struct arc_style_pair *p, const struct arc_style_rule *rule,
                           struct random_stream *stream)
{
    scattered(&p->input, rule, 3, 5, stream);
    grid_transform(&p->output, &p->input, 2);
}

static void draw_quarter_turn(struct arc_style_pair *p, const struct arc_style_rule *rule,
                              struct random_stream *stream)
{
    scattered(&p->input, rule, 3, 5, stream);
    grid_transform(&p->output, &p->input, rule->choice % 2 == 0 ? 1 : 3);
}

static void draw_transpose(struct arc_style_pair *p, const struct arc_style_rule *rule,
                           struct random_stream *stream)
{
    scattered(&p->input, rule, 3, 5, stream);
    grid_transform(&p->output, &p->input, 6);
}

/* Everything one step in the task's direction; what leaves is lost. */
static void draw_shift(struct arc_style_pair *p, const struct arc_style_rule *rule,
                       struct random_stream *stream)
{
    static const int dr[4] = { 0, 0, 1, -1 }, dc[4] = { 1, -1, 0, 0 };
    int way = rule->choice % 4;

    draw_field(&p->input, 4, 6, stream);
    draw_scatter(&p->input, rule, 2, 4, stream);
    draw_blank(&p->output, p->input.rows, p->input.columns, 0);
    for (int r = 0; r < p->input.rows; r++)
        for (int c = 0; c < p->input.columns; c++)
            draw_set(&p->output, r + dr[way], c + dc[way], draw_get(&p->input, r, c));
}

/* Every row moves right by one and comes in again at the left. */
static void draw_cycle_rows(struct arc_style_pair *p, const struct arc_style_rule *rule,
                            struct random_stream *stream)
{
    scattered(&p->input, rule, 3, 5, stream);
    p->output = p->input;
    for (int r = 0; r < p->input.rows; r++)
        for (int c = 0; c < p->input.columns; c++)
            draw_set(&p->output, r, (c + 1) % p->input.columns, draw_get(&p->input, r, c));
}

/* Cells fall to the bottom, or to the left, keeping their order. */
static void fall(struct grid *out, const struct grid *in, bool down)
{
    int lines = down ? in->columns : in->rows, length = down ? in->rows : in->columns;

    draw_blank(out, in->rows, in->columns, 0);
    for (int line = 0; line < lines; line++)
        for (int i = length - 1, to = length - 1; i >= 0; i--) {
            int from = down ? i : length - 1 - i;
            int colour = down ? draw_get(in, from, line) : draw_get(in, line, from);
            if (colour == 0)
                continue;
            if (down)
                draw_set(out, to, line, colour);
            else
                draw_set(out, line, length - 1 - to, colour);
            to--;
        }
}

static void draw_gravity_down(struct arc_style_pair *p, const struct arc_style_rule *rule,
                              struct random_stream *stream)
{
    draw_field(&p->input, 4, 6, stream);
    draw_scatter(&p->input, rule, 1, 3, stream);
    fall(&p->output, &p->input, true);
}

static void draw_gravity_left(struct arc_style_pair *p, const struct arc_style_rule *rule,
                              struct random_stream *stream)
{
    draw_field(&p->input, 4, 6, stream);
    draw_scatter(&p->input, rule, 1, 3, stream);
    fall(&p->output, &p->input, false);
}

static void draw_scale_up(struct arc_style_pair *p, const struct arc_style_rule *rule,
                          struct random_stream *stream)
{
    draw_field(&p->input, 2, 4, stream);
    draw_scatter(&p->input, rule, 2, 2, stream);
    draw_blank(&p->output, 2 * p->input.rows, 2 * p->input.columns, 0);
    for (int r = 0; r < p->output.rows; r++)
        for (int c = 0; c < p->output.columns; c++)
            draw_set(&p->output, r, c, draw_get(&p->input, r / 2, c / 2));
}

/* The input, and beside it itself or its mirror image. */
static void draw_double_width(struct arc_style_pair *p, const struct arc_style_rule *rule,
                              struct random_stream *stream)
{
    draw_field(&p->input, 2, 4, stream);
    draw_scatter(&p->input, rule, 2, 2, stream);
    int C = p->input.columns;
    draw_blank(&p->output, p->input.rows, 2 * C, 0);
    for (int r = 0; r < p->input.rows; r++)
        for (int c = 0; c < 2 * C; c++)
            draw_set(&p->output, r, c,
                     draw_get(&p->input, r,
                              c < C              ? c
                              : rule->choice % 2 ? c - C
                                                 : 2 * C - 1 - c));
}

static void draw_stack_twice(struct arc_style_pair *p, const struct arc_style_rule *rule,
                             struct random_stream *stream)
{
    draw_field(&p->input, 2, 4, stream);
    draw_scatter(&p->input, rule, 2, 2, stream);
    draw_blank(&p->output, 2 * p->input.rows, p->input.columns, 0);
    for (int r = 0; r < p->output.rows; r++)
        for (int c = 0; c < p->output.columns; c++)
            draw_set(&p->output, r, c, draw_get(&p->input, r % p->input.rows, c));
}

/* The left half is given; the right half is completed to its mirror image. */
static void draw_complete_symmetry(struct arc_style_pair *p, const struct arc_style_rule *rule,
                                   struct random_stream *stream)
{
    int half = draw_between(stream, 2, 3), rows = draw_between(stream, 3, 6);

    draw_blank(&p->input, rows, 2 * half, 0);
    draw_scatter(&p->input, rule, 2, 2, stream);
    p->output = p->input;
    for (int r = 0; r < rows; r++)
        for (int c = half; c < 2 * half; c++) {
            draw_set(&p->input, r, c, 0);
            draw_set(&p->output, r, c, draw_get(&p->output, r, 2 * half - 1 - c));
        }
}

/* The first row is repeated downwards. */
static void draw_repeat_row(struct arc_style_pair *p, const struct arc_style_rule *rule,
                            struct random_stream *stream)
{
    draw_field(&p->input, 3, 6, stream);
    for (int c = 0; c < p->input.columns; c++)
        draw_set(&p->input, 0, c, rule->colour[random_below(stream, 3)]);
    p->output = p->input;
    for (int r = 1; r < p->input.rows; r++)
        memcpy(p->output.cells + r * p->input.columns, p->output.cells, p->input.columns);
}

const struct arc_style_family ARC_STYLE_MOVES[] = {
    { "mirror_lr", draw_mirror_lr },
    { "mirror_ud", draw_mirror_ud },
    { "half_turn", draw_half_turn },
    { "quarter_turn", draw_quarter_turn },
    { "transpose", draw_transpose },
    { "shift", draw_shift },
    { "cycle_rows", draw_cycle_rows },
    { "gravity_down", draw_gravity_down },
    { "gravity_left", draw_gravity_left },
    { "scale_up", draw_scale_up },
    { "double_width", draw_double_width },
    { "stack_twice", draw_stack_twice },
    { "complete_symmetry", draw_complete_symmetry },
    { "repeat_row", draw_repeat_row },
};
const int ARC_STYLE_MOVE_COUNT = sizeof ARC_STYLE_MOVES / sizeof *ARC_STYLE_MOVES;
