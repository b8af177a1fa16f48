/* canvas.c - places grids on the canvas and crops answers from it. */
#include "canvas.h"

#include <assert.h>
#include <string.h>

void canvas_place(int32_t *tokens, const struct grid *grid, int row, int column, int side)
{
    int bottom = row + grid->rows, right = column + grid->columns;

    assert(row >= 0 && column >= 0 && bottom <= side && right <= side);
    memset(tokens, 0, (size_t)side * (size_t)side * sizeof *tokens);
    for (int r = 0; r < grid->rows; r++)
        for (int c = 0; c < grid->columns; c++)
            tokens[(row + r) * side + column + c] =
                TOKEN_COLOUR + grid->cells[r * grid->columns + c];
    if (bottom < side)
        for (int c = column; c < right; c++)
            tokens[bottom * side + c] = TOKEN_EOS;
    if (right < side)
        for (int r = row; r < bottom; r++)
            tokens[r * side + right] = TOKEN_EOS;
}

static bool is_colour(int32_t token)
{
    return token >= TOKEN_COLOUR && token < ARC_VOCABULARY;
}

void canvas_crop(struct grid *out, const int32_t *tokens, int side)
{
    canvas_crop_at(out, tokens, 0, 0, side);
}

void canvas_crop_at(struct grid *out, const int32_t *tokens, int row, int column, int side)
{
    int best_area = 0, best_rows = 0, best_columns = 0, width = side - column;
    const int32_t *corner = tokens + row * side + column;

    for (int r = 0; r < side - row && width > 0; r++) {
        int c = 0;
        while (c < width && is_colour(corner[r * side + c]))
            c++;
        width = c;
        if ((r + 1) * width > best_area) {
            best_area = (r + 1) * width;
            best_rows = r + 1;
            best_columns = width;
        }
    }
    out->rows = (uint8_t)best_rows;
    out->columns = (uint8_t)best_columns;
    for (int r = 0; r < best_rows; r++)
        for (int c = 0; c < best_columns; c++)
            out->cells[r * best_columns + c] = (uint8_t)(corner[r * side + c] - TOKEN_COLOUR);
}

int canvas_first(const int32_t *tokens, int side)
{
    int first = 0;

    while (first < side * side && !is_colour(tokens[first]))
        first++;
    return first;
}

void canvas_find(struct grid *out, const int32_t *tokens, int side)
{
    int first = canvas_first(tokens, side), rows = 0, columns = 0;
    int row = first / side, column = first % side;
    if (row < side)
        while (column + columns < side && is_colour(tokens[first + columns]))
            columns++;
    while (row + rows < side && is_colour(tokens[(row + rows) * side + column]))
        rows++;
    out->rows = (uint8_t)rows;
    out->columns = (uint8_t)columns;
    for (int i = 0; i < rows * columns; i++) {
        int32_t token = tokens[(row + i / columns) * side + column + i % columns];
        out->cells[i] = (uint8_t)(is_colour(token) ? token - TOKEN_COLOUR : 0);
    }
}
