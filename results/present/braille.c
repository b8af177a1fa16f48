/* braille.c - dots as the characters U+2800 to U+28FF. */
#include "braille.h"

#include "error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int braille_init(struct braille *out, int columns, int rows, struct error *err)
{
    *out = (struct braille){ .columns = columns, .rows = rows };
    out->cells = calloc((size_t)columns * (size_t)rows, 1);
    return out->cells == NULL ? error_no_memory(err, "curves") : 0;
}

void braille_release(struct braille *drawing)
{
    free(drawing->cells);
    drawing->cells = NULL;
}

void braille_clear(struct braille *drawing)
{
    memset(drawing->cells, 0, (size_t)drawing->columns * (size_t)drawing->rows);
}

void braille_set(struct braille *drawing, int x, int y)
{
    /* Bits of a braille character: the left column from the top, then the right one. */
    static const unsigned char BITS[4][2] = {
        { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 }
    };

    assert(x >= 0 && x < 2 * drawing->columns && y >= 0 && y < 4 * drawing->rows);
    drawing->cells[(y / 4) * drawing->columns + x / 2] |= BITS[y % 4][x % 2];
}

void braille_line(struct braille *drawing, int x, int from, int to)
{
    int step = from < to ? 1 : -1;

    for (int y = from; y != to; y += step)
        braille_set(drawing, x, y);
    braille_set(drawing, x, to);
}

char *braille_text(char *out, const struct braille *drawing, int row)
{
    const unsigned char *line = drawing->cells + row * drawing->columns;
    int used = drawing->columns;
    char *at = out;

    while (used > 0 && line[used - 1] == 0)
        used--;
    for (int i = 0; i < used; i++) {
        unsigned number = 0x2800U + line[i];

        if (line[i] == 0) {
            *at++ = ' ';
            continue;
        }
        *at++ = (char)0xe2; /* U+2800 and up, as UTF-8 */
        *at++ = (char)(0x80U | (number >> 6 & 0x3fU));
        *at++ = (char)(0x80U | (number & 0x3fU));
    }
    *at = '\0';
    return out;
}

char *sparkline(char *out, int columns, const struct curve_point *points, int count,
                int64_t end)
{
    unsigned char cells[SPARKLINE_MOST] = { 0 };
    struct braille drawing = { .cells = cells, .columns = columns, .rows = 1 };
    double low = (double)INFINITY, high = -(double)INFINITY;
    int before = -1, x_before = -1;

    assert(columns <= SPARKLINE_MOST);
    for (int i = 0; i < count; i++) {
        low = fmin(low, points[i].value);
        high = fmax(high, points[i].value);
    }
    for (int i = 0; i < count; i++) {
        double share = end > 0 ? (double)points[i].step / (double)end : 0.0;
        int x = (int)(share * (2 * columns - 1) + 0.5);
        int y = high > low ? (int)((high - points[i].value) / (high - low) * 3 + 0.5) : 2;

        x = x < 0 ? 0 : x >= 2 * columns ? 2 * columns - 1 : x;
        for (int between = x_before + 1; before >= 0 && between < x; between++)
            braille_set(&drawing, between, before);
        braille_line(&drawing, x, before < 0 ? y : before, y);
        before = y;
        x_before = x;
    }
    return braille_text(out, &drawing, 0);
}
