/*
 * braille.h - a small drawing of dots for the terminal: a character is two dots wide
 * and four high.
 */
#ifndef RESULTS_BRAILLE_H
#define RESULTS_BRAILLE_H

#include <stddef.h>

#include "curve_query.h"
#include "error.h"

struct braille {
    /* owned (rows, columns); the dots of each character as bits */
    unsigned char *cells;
    int columns, rows; /* in characters */
};

/* Without dots. */
int braille_init(struct braille *out, int columns, int rows, struct error *err) MUST_CHECK;
void braille_release(struct braille *drawing);
void braille_clear(struct braille *drawing);

/* x in [0, 2 x columns), y in [0, 4 x rows) from the top. */
void braille_set(struct braille *drawing, int x, int y);
/* The dots of column x from y = from to the one at to, both included. */
void braille_line(struct braille *drawing, int x, int from, int to);

/* One line of the drawing as UTF-8 without the blanks at its end; out has room for
 * BRAILLE_BYTES(columns). Returns out. */
#define BRAILLE_BYTES(columns) (3 * (size_t)(columns) + 1)
char *braille_text(char *out, const struct braille *drawing, int row);

/* A curve one line high, from its lowest to its highest value, scaled so that step end
 * is at the right. columns characters at most; out has room for
 * BRAILLE_BYTES(columns). */
enum { SPARKLINE_MOST = 40 };
char *sparkline(char *out, int columns, const struct curve_point *points, int count,
                int64_t end);

#endif
