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

/* Series have styles: a colour, a mark and a dash, told apart without the colour, too.
 * SVG_SERIES colours; with the second half of SVG_STYLES they come again, with other
 * marks and dashes. SVG_REFERENCE is the style of what no arm has measured: published
 * values, a line to compare with. */
enum { SVG_SERIES = 8, SVG_STYLES = 2 * SVG_SERIES, SVG_REFERENCE = SVG_STYLES };

/* title and description say what the picture shows, for those who cannot see it.
 * standalone: with the style sheet and a background; otherwise the page around it
 * has svg_style() and svg_heat_style(). */
int svg_create(struct svg **out, double width, double height, const char *title,
               const char *description, bool standalone, struct error *err) MUST_CHECK;
/* Ends the picture, frees svg; *out is fresh text, the caller's to free. */
int svg_finish(struct svg *svg, char **out, struct error *err) MUST_CHECK;
void svg_destroy(struct svg *svg); /* NULL allowed */

/* The style sheet of all pictures, and what heat maps add to it. */
const char *svg_style(void);
const char *svg_heat_style(void);

/* What follows is moved by (x, y), until svg_end_group(). */
void svg_group(struct svg *svg, double x, double y);
void svg_end_group(struct svg *svg);

/* The classes of a series' shape, whose kind is "line", "thin", "band" or "bar". */
enum { SVG_CLASS_SIZE = 24 };
const char *svg_series_class(char out[SVG_CLASS_SIZE], int style, const char *kind);
/* The class of a heat map's cell and of the text in it. share: 0 for the lowest value
 * to 1 for the highest. */
const char *svg_heat_class(char out[SVG_CLASS_SIZE], double share);

/* class_name: of svg_style(): "axis", "grid", "zero", "ink", "faint", ... or of
 * svg_series_class(). tooltip: shown when pointed at; NULL: none. */
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
/* The mark of a style: circle, square, triangle, ... hollow: only its outline, for what
 * others have published. */
void svg_mark(struct svg *svg, int style, double x, double y, double radius, bool hollow,
              const char *tooltip);
void svg_text(struct svg *svg, const char *class_name, double x, double y,
              enum svg_anchor anchor, const char *text);
/* The same turned to be read from below upwards. */
void svg_text_upwards(struct svg *svg, const char *class_name, double x, double y,
                      const char *text);

/* About how wide the text is in a sans-serif font of this size. */
double svg_text_width(const char *text, double font_size);

#endif
