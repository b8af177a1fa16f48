/*
 * chart.h - charts as data, and their drawing: lines with bands, bars, heat maps, rows
 * of intervals.
 *
 * Texts are copied. Functions that add something do not report a lack of memory;
 * chart_draw() does. The drawing depends only on what was added.
 */
#ifndef RESULTS_CHART_H
#define RESULTS_CHART_H

#include <stdbool.h>

#include "error.h"

struct svg;

enum chart_kind {
    CHART_LINES, /* x and y; a line for each series, or points alone */
    CHART_BARS,  /* x: index of a category; in each a bar for each series */
    CHART_HEAT,  /* x, y: indices of categories; value: the colour and the number */
    CHART_ROWS   /* y: index of a category, drawn as a row; x with an interval */
};

enum chart_scale {
    CHART_LINEAR,
    CHART_LOGARITHMIC, /* all x > 0 */
    CHART_CATEGORIES   /* x: index of a category */
};

/* Colour of a point of CHART_ROWS: the verdict on the difference. */
enum chart_verdict { CHART_OPEN, CHART_HIGHER, CHART_LOWER };

struct chart_point {
    double x, y;
    double low, high; /* interval of y (CHART_ROWS: of x); NaN: none */
    double value;     /* CHART_HEAT: NaN: no value */
    enum chart_verdict verdict;
    bool minor;          /* a small mark: one seed of several */
    const char *tooltip; /* NULL: none */
    const char *label;   /* beside the point or the row, in the cell; NULL: none */
};

struct chart_series {
    char *label; /* owned; "": without a name */
    int style;   /* 0 to SVG_STYLES - 1, or SVG_REFERENCE */
    bool line;   /* points are joined in the order in which they were added */
    bool band;   /* low and high are drawn as an area instead of whiskers */
    bool published;
    struct chart_point *points; /* owned, their texts too */
    int count;
};

struct chart {
    enum chart_kind kind;
    char *title; /* owned, as are the texts below; NULL: none */
    char *x_title, *y_title;
    enum chart_scale x_scale;
    char **x_names, **y_names; /* categories */
    int x_name_count, y_name_count;
    double *x_ticks; /* owned; NULL: chosen automatically */
    int x_tick_count;
    bool x_counts; /* x is a number of something: chosen ticks are whole */
    /* the axis begins at 0; intervals are cut at 0 and 1 */
    bool y_is_share;
    double y_reach; /* CHART_BARS: the axis reaches at least this value */
    /* CHART_LINES: the axes cover at least this, and names beside the field take at
     * least so many pixels; equal ends: nothing is asked for */
    double x_least, x_most, y_least, y_most, names_width;
    bool zero_line; /* CHART_ROWS: a line at x = 0 */
    /* CHART_HEAT: range of the scale; equal: the range of the values */
    double color_low, color_high;
    struct chart_series *series; /* owned */
    int series_count;
    bool out_of_memory;
};

/* NULL: no memory. Texts may be NULL. */
struct chart *chart_create(enum chart_kind kind, const char *title, const char *x_title,
                           const char *y_title);
void chart_destroy(struct chart *chart); /* NULL allowed */
/* Returns the name's index. */
int chart_add_x_name(struct chart *chart, const char *name);
int chart_add_y_name(struct chart *chart, const char *name);
/* Adds a series and returns its index. style: SVG_REFERENCE, or a number, which is
 * counted modulo SVG_STYLES. */
int chart_add_series(struct chart *chart, const char *label, int style);
/* Joins the points of a series by a line, with band their intervals too. */
void chart_join_points(struct chart *chart, int series, bool band);
void chart_add_point(struct chart *chart, int series, const struct chart_point *point);
/* Adds a tick of x. With any, ticks are drawn exactly at these values. */
void chart_add_x_tick(struct chart *chart, double x);

/* A point without interval, label and tooltip. */
struct chart_point chart_point_at(double x, double y);

/* Height of the chart at this width, in pixels. */
double chart_height(const struct chart *chart, double width);
/* Draws the chart with its upper left corner at (0, 0). */
int chart_draw(struct svg *svg, const struct chart *chart, double width,
               struct error *err) MUST_CHECK;

#endif
