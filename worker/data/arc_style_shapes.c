/* arc_style_shapes.c - families that outline, fill, crop, connect and extend shapes. */
#include "arc_style_draw.h"

/* A rectangle of colour[0] somewhere inside, sides from 2 to 4, a margin of margin
 * around. */
static void block(struct grid *grid, int *r, int *c, int *rows, int *columns, int margin,
                  const struct arc_style_rule *rule, struct random_stream *stream)
{
    draw_field(grid, 5, 7, stream);
    *rows = draw_between(stream, 2, 4 - margin);
    *columns = draw_between(stream, 2, 4 - margin);
    *r = draw_between(stream, margin, grid->rows - *rows - margin);
    *c = draw_between(stream, margin, grid->columns - *columns - margin);
    draw_rectangle(grid, *r, *c, *rows, *columns, rule->colour[0]);
}

static void draw_outline(struct arc_style_pair *p, const struct arc_style_rule *rule,
                         struct random_stream *stream)
{
    int r, c, rows, columns;

    block(&p->input, &r, &c, &rows, &columns, 1, rule, stream);
    p->output = p->input;
    draw_rectangle(&p->output, r - 1, c - 1, rows + 2, columns + 2, rule->colour[1]);
    draw_rectangle(&p->output, r, c, rows, columns, rule->colour[0]);
}

static void draw_hollow(struct arc_style_pair *p, const struct arc_style_rule *rule,
                        struct random_stream *stream)
{
    int rows = draw_between(stream, 3, 5), columns = draw_between(stream, 3, 5);

    draw_field(&p->input, 5, 7, stream);
    int r = draw_between(stream, 0, p->input.rows - rows);
    int c = draw_between(stream, 0, p->input.columns - columns);
    draw_rectangle(&p->input, r, c, rows, columns, rule->colour[0]);
    p->output = p->input;
    draw_rectangle(&p->output, r + 1, c + 1, rows - 2, columns - 2, 0);
}

static void draw_fill_inside(struct arc_style_pair *p, const struct arc_style_rule *rule,
                             struct random_stream *stream)
{
    int rows = draw_between(stream, 3, 5), columns = draw_between(stream, 3, 5);

    draw_field(&p->input, 5, 7, stream);
    int r = draw_between(stream, 0, p->input.rows - rows);
    int c = draw_between(stream, 0, p->input.columns - columns);
    draw_rectangle(&p->input, r, c, rows, columns, rule->colour[0]);
    draw_rectangle(&p->input, r + 1, c + 1, rows - 2, columns - 2, 0);
    p->output = p->input;
    draw_rectangle(&p->output, r + 1, c + 1, rows - 2, columns - 2, rule->colour[1]);
}

/* The block alone, cut out. */
static void draw_crop(struct arc_style_pair *p, const struct arc_style_rule *rule,
                      struct random_stream *stream)
{
    int r, c, rows, columns;

    block(&p->input, &r, &c, &rows, &columns, 0, rule, stream);
    draw_blank(&p->output, rows, columns, 0);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) {
            if (random_below(stream, 3) == 0)
                draw_set(&p->input, r + i, c + j, rule->colour[1]);
            draw_set(&p->output, i, j, draw_get(&p->input, r + i, c + j));
        }
}

/* Two dots in a row or column are joined. */
static void draw_connect(struct arc_style_pair *p, const struct arc_style_rule *rule,
                         struct random_stream *stream)
{
    bool flat = random_below(stream, 2) == 0;

    draw_field(&p->input, 5, 7, stream);
    int length = flat ? p->input.columns : p->input.rows;
    int line = draw_between(stream, 0, (flat ? p->input.rows : p->input.columns) - 1);
    int from = draw_between(stream, 0, length - 4),
        to = draw_between(stream, from + 3, length - 1);
    p->output = p->input;
    for (int i = from; i <= to; i++) {
        bool end = i == from || i == to;
        int r = flat ? line : i, c = flat ? i : line;
        draw_set(&p->output, r, c, rule->colour[!end]);
        if (end)
            draw_set(&p->input, r, c, rule->colour[0]);
    }
}

/* Dots become full rows, or full columns. */
static void draw_lines(struct arc_style_pair *p, const struct arc_style_rule *rule,
                       struct random_stream *stream)
{
    bool flat = rule->choice % 2 == 0;

    draw_field(&p->input, 4, 7, stream);
    draw_dots(&p->input, rule->colour[0], draw_between(stream, 1, 2), stream);
    p->output = p->input;
    for (int r = 0; r < p->input.rows; r++)
        for (int c = 0; c < p->input.columns; c++)
            if (draw_get(&p->input, r, c) != 0)
                draw_rectangle(&p->output, flat ? r : 0, flat ? 0 : c, flat ? 1 : p->input.rows,
                               flat ? p->input.columns : 1, rule->colour[0]);
}

/* A dot becomes a cross over the whole grid. */
static void draw_cross(struct arc_style_pair *p, const struct arc_style_rule *rule,
                       struct random_stream *stream)
{
    draw_field(&p->input, 4, 7, stream);
    int r = draw_between(stream, 0, p->input.rows - 1);
    int c = draw_between(stream, 0, p->input.columns - 1);
    draw_set(&p->input, r, c, rule->colour[0]);
    p->output = p->input;
    draw_rectangle(&p->output, r, 0, 1, p->input.columns, rule->colour[1]);
    draw_rectangle(&p->output, 0, c, p->input.rows, 1, rule->colour[1]);
    draw_set(&p->output, r, c, rule->colour[0]);
}

/* The four neighbours of each dot are painted. */
static void draw_plus(struct arc_style_pair *p, const struct arc_style_rule *rule,
                      struct random_stream *stream)
{
    draw_field(&p->input, 5, 7, stream);
    draw_dots(&p->input, rule->colour[0], draw_between(stream, 1, 2), stream);
    p->output = p->input;
    for (int r = 0; r < p->input.rows; r++)
        for (int c = 0; c < p->input.columns; c++) {
            if (draw_get(&p->input, r, c) == 0)
                continue;
            for (int way = 0; way < 4; way++) {
                int i = r + (way == 0) - (way == 1), j = c + (way == 2) - (way == 3);
                if (draw_get(&p->input, i, j) == 0)
                    draw_set(&p->output, i, j, rule->colour[1]);
            }
        }
}

/* A dot sends a diagonal to the lower right. */
static void draw_diagonal(struct arc_style_pair *p, const struct arc_style_rule *rule,
                          struct random_stream *stream)
{
    draw_field(&p->input, 4, 7, stream);
    int r = draw_between(stream, 0, p->input.rows - 2);
    int c = draw_between(stream, 0, p->input.columns - 2);
    draw_set(&p->input, r, c, rule->colour[0]);
    p->output = p->input;
    for (int i = 1; i < ARC_STYLE_SIDE; i++)
        draw_set(&p->output, r + i, c + i, rule->colour[0]);
}

/* The edge of the grid is painted. */
static void draw_border(struct arc_style_pair *p, const struct arc_style_rule *rule,
                        struct random_stream *stream)
{
    draw_field(&p->input, 4, 7, stream);
    for (int r = 1; r < p->input.rows - 1; r++)
        for (int c = 1; c < p->input.columns - 1; c++)
            if (random_below(stream, 3) == 0)
                draw_set(&p->input, r, c, rule->colour[1]);
    p->output = p->input;
    for (int r = 0; r < p->input.rows; r++)
        for (int c = 0; c < p->input.columns; c++)
            if (r == 0 || c == 0 || r == p->input.rows - 1 || c == p->input.columns - 1)
                draw_set(&p->output, r, c, rule->colour[0]);
}

/* A dot's shadow: everything below it. */
static void draw_drip(struct arc_style_pair *p, const struct arc_style_rule *rule,
                      struct random_stream *stream)
{
    draw_field(&p->input, 4, 7, stream);
    draw_dots(&p->input, rule->colour[0], draw_between(stream, 1, 3), stream);
    p->output = p->input;
    for (int c = 0; c < p->input.columns; c++)
        for (int r = 1; r < p->input.rows; r++)
            if (draw_get(&p->output, r, c) == 0 && draw_get(&p->output, r - 1, c) != 0)
                draw_set(&p->output, r, c, rule->colour[0]);
}

const struct arc_style_family ARC_STYLE_SHAPES[] = {
    { "outline", draw_outline },
    { "hollow", draw_hollow },
    { "fill_inside", draw_fill_inside },
    { "crop", draw_crop },
    { "connect", draw_connect },
    { "lines", draw_lines },
    { "cross", draw_cross },
    { "plus", draw_plus },
    { "diagonal", draw_diagonal },
    { "border", draw_border },
    { "drip", draw_drip },
};
const int ARC_STYLE_SHAPE_COUNT = sizeof ARC_STYLE_SHAPES / sizeof *ARC_STYLE_SHAPES;
