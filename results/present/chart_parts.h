/*
 * chart_parts.h - what the kinds of charts share: scales, ticks, axes.
 */
#ifndef RESULTS_CHART_PARTS_H
#define RESULTS_CHART_PARTS_H

#include <stdbool.h>

#include "chart.h"
#include "error.h"
#include "svg.h"

/* From values to pixels. */
struct scale {
    double low, high; /* values at the ends */
    double from, to;  /* pixels at the ends */
    bool logarithmic;
};

double scale_at(const struct scale *scale, double value);

/* Widens low and high to round numbers and sets out (room for SCALE_TICKS) to the ticks
 * between them. digits: how many a tick's text needs. Returns how many ticks. */
enum { SCALE_TICKS = 12 };
int scale_round(struct scale *scale, double out[SCALE_TICKS], int *digits);

/* Sizes of what stands around the field in which the data is drawn. */
struct frame {
    double left, right, top, bottom; /* pixels of the field's edges */
};

enum { FONT_SIZE = 12, LINE_HEIGHT = 16 };

/* Where the field begins, below the chart's title where it has one. */
double field_top(const struct chart *chart);

/* The smallest and the largest of what is drawn along x or y, intervals included;
 * false: there is nothing. */
bool chart_x_range(const struct chart *chart, double *low, double *high);
bool chart_y_range(const struct chart *chart, double *low, double *high);

/* The y axis with its grid, ticks and title, at the left of the frame. */
void draw_y_axis(struct svg *svg, const struct chart *chart, const struct frame *frame,
                 const struct scale *scale, const double *ticks, int count, int digits);
/* The x axis with ticks or names, and its title. */
void draw_x_axis(struct svg *svg, const struct chart *chart, const struct frame *frame,
                 const struct scale *scale);
/* Whether the names of x do not fit side by side and are drawn one step lower in turn.
 */
bool x_names_are_crowded(const struct chart *chart, double width);

/* A name beside the field: drawn with its middle as near to y as the others let it. */
struct side_label {
    double y;
    double height; /* of its lines */
    int series;
};
/* Sorts the labels by y and moves them apart, between top and bottom as far as there is
 * room. */
void spread_labels(struct side_label *labels, int count, double top, double bottom);
/* The names of the series at the right of the frame, with their marks, as near to y of
 * each label as the others let it. */
void draw_side_labels(struct svg *svg, const struct chart *chart, struct side_label *labels,
                      int count, const struct frame *frame, double width);
/* The width that they take of a chart that is this wide. */
double side_labels_width(const struct chart *chart, double width);

/* text into lines of at most width pixels, drawn from (x, y) on; returns how many. With
 * svg NULL only counts. */
int draw_wrapped(struct svg *svg, const char *class_name, double x, double y, double width,
                 const char *text);

double lines_height(const struct chart *chart);
double heat_height(const struct chart *chart, double width);
double rows_height(const struct chart *chart);
int draw_lines(struct svg *svg, const struct chart *chart, double width,
               struct error *err) MUST_CHECK;
int draw_bars(struct svg *svg, const struct chart *chart, double width,
              struct error *err) MUST_CHECK;
void draw_heat(struct svg *svg, const struct chart *chart, double width);
void draw_rows(struct svg *svg, const struct chart *chart, double width);

#endif
