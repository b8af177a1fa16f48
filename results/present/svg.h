/*
 * svg.h - a picture written as SVG: lines, boxes, marks and text, each of a class that
 * the style sheet colours for light and dark surroundings.
 *
 * Lengths are pixels at 96 per inch, y runs downwards. Shapes never fail visibly:
 * running out of memory is kept and returned by svg_finish(). The same calls give the
 * same bytes, whatever the locale.
 */
#ifndef RESULTS_SVG_H
#define RESULTS_SVG_H

#include <stdbool.h>

#include "error.h"

struct svg;

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

/* Series have colours, marks and dashes of their own: told apart without the colour,
 * too. */
enum { SVG_SERIES = 8 };

/* title and description say what the picture shows, for those who cannot see it.
 * standalone: with the style sheet and a background; otherwise the page around it has
 * svg_style(). */
int svg_create(struct svg **out, double width, double height, const char *title,
               const char *description, bool standalone, struct error *err) MUST_CHECK;
/* Ends the picture, frees svg; *out is fresh text, the caller's to free. */
int svg_finish(struct svg *svg, char **out, struct error *err) MUST_CHECK;
void svg_destroy(struct svg *svg); /* NULL allowed */

/* The style sheet of all pictures. */
const char *svg_style(void);

/* What follows is moved by (x, y), until svg_end_group(). */
void svg_group(struct svg *svg, double x, double y);
void svg_end_group(struct svg *svg);

/* class_name: of svg_style(): "axis", "grid", "zero", "ink", "faint", ... or
 * "s0" to "s7". tooltip: shown when pointed at; NULL: none. */
void svg_line(struct svg *svg, const char *class_name, double x1, double y1, double x2,
              double y2, const char *tooltip);
void svg_rect(struct svg *svg, const char *class_name, double x, double y, double width,
              double height, const char *tooltip);
/* A box of this colour, 0xRRGGBB. */
void svg_cell(struct svg *svg, unsigned color, double x, double y, double width, double height,
              const char *tooltip);
/* points: x, y, x, y, ... of count points. A line, or a closed area. */
void svg_path(struct svg *svg, const char *class_name, const double *points, int count,
              bool closed);
/* The mark of a series (0 to SVG_SERIES - 1): circle, square, triangle, ... hollow:
 * only its outline, for what others have published. */
void svg_mark(struct svg *svg, int series, double x, double y, double radius, bool hollow,
              const char *tooltip);
void svg_text(struct svg *svg, const char *class_name, double x, double y,
              enum svg_anchor anchor, const char *text);
/* The same turned to be read from below upwards. */
void svg_text_upwards(struct svg *svg, const char *class_name, double x, double y,
                      const char *text);

/* About how wide the text is in a sans-serif font of this size. */
double svg_text_width(const char *text, double font_size);

#endif
