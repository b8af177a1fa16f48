/* arc_style_draw.c - small drawing tools shared by the families of built-in puzzles. */
#include "arc_style_draw.h"

#include <string.h>

void draw_blank(struct grid *grid, int rows, int columns, int colour)
{
    grid->rows = (uint8_t)rows;
    grid->columns = (uint8_t)columns;
    memset(grid->cells, colour, (size_t)rows * (size_t)columns);
}

int draw_between(struct random_stream *stream, int low, int high)
{
    return low + (int)random_below(stream, (uint64_t)(high - low + 1));
}

int draw_get(const struct grid *grid, int r, int c)
{
    if (r < 0 || c < 0 || r >= grid->rows || c >= grid->columns)
        return -1;
    return grid->cells[r * grid->columns + c];
}

void draw_set(struct grid *grid, int r, int c, int colour)
{
    if (r >= 0 && c >= 0 && r < grid->rows && c < grid->columns)
        grid->cells[r * grid->columns + c] = (uint8_t)colour;
}

void draw_rectangle(struct grid *grid, int r, int c, int rows, int columns, int colour)
{
    for (int i = r; i < r + rows; i++)
        for (int j = c; j < c + columns; j++)
            draw_set(grid, i, j, colour);
}

void draw_scatter(struct grid *grid, const struct arc_style_rule *rule, int count, int every,
                  struct random_stream *stream)
{
    for (int i = 0; i < grid->rows * grid->columns; i++)
        if (random_below(stream, (uint64_t)every) == 0)
            grid->cells[i] = (uint8_t)rule->colour[random_below(stream, (uint64_t)count)];
}

void draw_dots(struct grid *grid, int colour, int count, struct random_stream *stream)
{
    int cells = grid->rows * grid->columns;

    for (int tries = 0; count > 0 && tries < 200; tries++) {
        int at = (int)random_below(stream, (uint64_t)cells);
        if (grid->cells[at] != 0)
            continue;
        grid->cells[at] = (uint8_t)colour;
        count--;
    }
}

int draw_count(const struct grid *grid, int colour)
{
    int count = 0;

    for (int i = 0; i < grid->rows * grid->columns; i++)
        count += grid->cells[i] == colour;
    return count;
}

void draw_field(struct grid *grid, int low, int high, struct random_stream *stream)
{
    int rows = draw_between(stream, low, high);

    draw_blank(grid, rows, draw_between(stream, low, high), 0);
}
