/* arc_style_colours.c - families that recolour, count, compare or clean. */
#include "arc_style_draw.h"

static void draw_recolour(struct arc_style_pair *p, const struct arc_style_rule *rule,
                          struct random_stream *stream)
{
    draw_field(&p->input, 3, 6, stream);
    draw_scatter(&p->input, rule, 3, 2, stream);
    p->output = p->input;
    for (int i = 0; i < p->input.rows * p->input.columns; i++)
        p->output.cells[i] = (uint8_t)rule->map[p->input.cells[i]];
}

static void draw_swap_colours(struct arc_style_pair *p, const struct arc_style_rule *rule,
                              struct random_stream *stream)
{
    draw_field(&p->input, 3, 6, stream);
    draw_scatter(&p->input, rule, 2, 2, stream);
    p->output = p->input;
    for (int i = 0; i < p->input.rows * p->input.columns; i++)
        if (p->input.cells[i] != 0)
            p->output.cells[i] =
                (uint8_t)(rule->colour[0] + rule->colour[1] - p->input.cells[i]);
}

/* Cells of one colour stay, the others go. */
static void draw_keep_colour(struct arc_style_pair *p, const struct arc_style_rule *rule,
                             struct random_stream *stream)
{
    draw_field(&p->input, 4, 6, stream);
    draw_scatter(&p->input, rule, 3, 2, stream);
    p->output = p->input;
    for (int i = 0; i < p->input.rows * p->input.columns; i++)
        if (p->input.cells[i] != rule->colour[0])
            p->output.cells[i] = 0;
}

/* Foreground becomes background and the other way round. */
static void draw_invert(struct arc_style_pair *p, const struct arc_style_rule *rule,
                        struct random_stream *stream)
{
    draw_field(&p->input, 3, 6, stream);
    draw_scatter(&p->input, rule, 1, 2, stream);
    p->output = p->input;
    for (int i = 0; i < p->input.rows * p->input.columns; i++)
        p->output.cells[i] = (uint8_t)(p->input.cells[i] == 0 ? rule->colour[0] : 0);
}

/* The background takes a colour. */
static void draw_flood_background(struct arc_style_pair *p, const struct arc_style_rule *rule,
                                  struct random_stream *stream)
{
    draw_field(&p->input, 3, 6, stream);
    draw_scatter(&p->input, rule, 2, 3, stream);
    p->output = p->input;
    for (int i = 0; i < p->input.rows * p->input.columns; i++)
        if (p->input.cells[i] == 0)
            p->output.cells[i] = (uint8_t)rule->colour[3];
}

/* A bar as long as there are dots. */
static void draw_count_to_bar(struct arc_style_pair *p, const struct arc_style_rule *rule,
                              struct random_stream *stream)
{
    int count = draw_between(stream, 1, 5);

    draw_field(&p->input, 4, 5, stream);
    draw_dots(&p->input, rule->colour[0], count, stream);
    draw_blank(&p->output, 1, 5, 0);
    draw_rectangle(&p->output, 0, 0, 1, count, rule->colour[0]);
}

/* The whole grid in the colour there is most of. */
static void draw_majority(struct arc_style_pair *p, const struct arc_style_rule *rule,
                          struct random_stream *stream)
{
    int winner = (int)random_below(stream, 2);

    draw_field(&p->input, 3, 4, stream);
    int cells = p->input.rows * p->input.columns;
    draw_dots(&p->input, rule->colour[winner], cells / 2 + 2, stream);
    draw_dots(&p->input, rule->colour[1 - winner], cells / 4, stream);
    draw_blank(&p->output, p->input.rows, p->input.columns, rule->colour[winner]);
}

/* The largest of three columns of blocks changes colour. */
static void draw_mark_tallest(struct arc_style_pair *p, const struct arc_style_rule *rule,
                              struct random_stream *stream)
{
    int heights[3] = { 1, 2, 3 }, side = 5;

    for (int i = 0; i < 3; i++)
        heights[i] += (int)random_below(stream, 2) * (i == 2);
    random_shuffle(stream, heights, 3);
    draw_blank(&p->input, side, side, 0);
    p->output = p->input;
    for (int i = 0; i < 3; i++) {
        bool tallest = heights[i] >= 3;
        draw_rectangle(&p->input, side - heights[i], 2 * i, heights[i], 1, rule->colour[0]);
        draw_rectangle(&p->output, side - heights[i], 2 * i, heights[i], 1,
                       rule->colour[tallest]);
    }
}

/* Columns of blocks are put in order of height. */
static void draw_sort_columns(struct arc_style_pair *p, const struct arc_style_rule *rule,
                              struct random_stream *stream)
{
    int heights[5], n = draw_between(stream, 3, 5);

    draw_blank(&p->input, 5, n, 0);
    draw_blank(&p->output, 5, n, 0);
    for (int i = 0; i < n; i++) {
        heights[i] = draw_between(stream, 1, 5);
        draw_rectangle(&p->input, 5 - heights[i], i, heights[i], 1, rule->colour[0]);
    }
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            if (heights[j] < heights[i]) {
                int kept = heights[i];
                heights[i] = heights[j];
                heights[j] = kept;
            }
    for (int i = 0; i < n; i++)
        draw_rectangle(&p->output, 5 - heights[i], i, heights[i], 1, rule->colour[0]);
}

/* A block with single cells of noise around it; the noise goes. */
static void draw_remove_noise(struct arc_style_pair *p, const struct arc_style_rule *rule,
                              struct random_stream *stream)
{
    draw_field(&p->input, 5, 7, stream);
    int rows = draw_between(stream, 2, 3), columns = draw_between(stream, 2, 3);
    draw_rectangle(&p->input, draw_between(stream, 0, p->input.rows - rows),
                   draw_between(stream, 0, p->input.columns - columns), rows, columns,
                   rule->colour[0]);
    p->output = p->input;
    draw_dots(&p->input, rule->colour[1], draw_between(stream, 2, 4), stream);
}

/* Two panels beside each other are combined cell by cell: and, or, exclusive or. */
static void draw_combine_panels(struct arc_style_pair *p, const struct arc_style_rule *rule,
                                struct random_stream *stream)
{
    int side = 3;

    draw_blank(&p->input, side, 2 * side + 1, 0);
    draw_scatter(&p->input, rule, 1, 2, stream);
    draw_rectangle(&p->input, 0, side, side, 1, rule->colour[1]);
    draw_blank(&p->output, side, side, 0);
    for (int r = 0; r < side; r++)
        for (int c = 0; c < side; c++) {
            bool a = draw_get(&p->input, r, c) != 0,
                 b = draw_get(&p->input, r, c + side + 1) != 0;
            bool set = rule->choice % 3 == 0 ? a && b : rule->choice % 3 == 1 ? a || b : a != b;
            draw_set(&p->output, r, c, set ? rule->colour[2] : 0);
        }
}

/* Dots on even places of the checkerboard change colour. */
static void draw_checkerboard(struct arc_style_pair *p, const struct arc_style_rule *rule,
                              struct random_stream *stream)
{
    draw_field(&p->input, 3, 6, stream);
    draw_scatter(&p->input, rule, 1, 2, stream);
    p->output = p->input;
    for (int r = 0; r < p->input.rows; r++)
        for (int c = 0; c < p->input.columns; c++)
            if ((r + c) % 2 == rule->choice % 2 && draw_get(&p->input, r, c) != 0)
                draw_set(&p->output, r, c, rule->colour[1]);
}

const struct arc_style_family ARC_STYLE_COLOURS[] = {
    { "recolour", draw_recolour },
    { "swap_colours", draw_swap_colours },
    { "keep_colour", draw_keep_colour },
    { "invert", draw_invert },
    { "flood_background", draw_flood_background },
    { "count_to_bar", draw_count_to_bar },
    { "majority", draw_majority },
    { "mark_tallest", draw_mark_tallest },
    { "sort_columns", draw_sort_columns },
    { "remove_noise", draw_remove_noise },
    { "combine_panels", draw_combine_panels },
    { "checkerboard", draw_checkerboard },
};
const int ARC_STYLE_COLOUR_COUNT = sizeof ARC_STYLE_COLOURS / sizeof *ARC_STYLE_COLOURS;
