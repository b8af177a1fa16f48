/*
 * chart_parts.h - scales, ticks and axes, shared by all kinds of charts.
 */
#ifndef RESULTS_CHART_PARTS_H
#define RESULTS_CHART_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "chart.h"
#include "error.h"
#include "svg.h"

/* Maps values to pixels. */
struct scale {
    double low, high; /* values at the ends */
    double from, to;  /* pixels at the ends */
    bool logarithmic;
    const double *ticks; /* borrowed; NULL: chosen where the axis is drawn */
    int tick_count;
};

double scale_at(const struct scale *scale, double value);

/* Widens low and high to round numbers and writes the ticks between them to out
 * (room for SCALE_TICKS). digits: decimals of a tick's text. Returns the number of
 * ticks. */
enum { SCALE_TICKS = 12 };
int scale_round(struct scale *scale, double out[SCALE_TICKS], int *digits);

/* Edges of the plot area. */
struct frame {
    double left, right, top, bottom; /* pixels of the field's edges */
};

enum { FONT_SIZE = 12, LINE_HEIGHT = 16 };

/* How far labels beside the plot area may reach beyond it, above and below. */
enum { BEYOND = 8 };

/* The top of the plot area, below the chart's title if it has one. */
double field_top(const struct chart *chart);

/* The smallest and the largest value along x or y, intervals included; false: there
 * is none. */
bool chart_x_range(const struct chart *chart, double *low, double *high);
bool chart_y_range(const struct chart *chart, double *low, double *high);

/* Draws the y axis with its grid, ticks and title at the left of the frame. */
void draw_y_axis(struct svg *svg, const struct chart *chart, const struct frame *frame,
                 const struct scale *scale, const double *ticks, int count, int digits);
/* Draws the x axis with ticks or names, and its title. */
void draw_x_axis(struct svg *svg, const struct chart *chart, const struct frame *frame,
                 const struct scale *scale);
/* Draws text at (x, y); what does not fit into room pixels is cut off, and an ellipsis
 * says so. */
void draw_cut(struct svg *svg, const char *class_name, double x, double y,
              enum svg_anchor anchor, double room, const char *text);
/* Bytes that all names begin with, whole characters; 0: there is only one name. */
size_t shared_beginning(char *const *names, int count);
/* The same, but what all names begin with is left out first: shared bytes. */
void draw_name(struct svg *svg, const char *class_name, double x, double y,
               enum svg_anchor anchor, double room, const char *name, size_t shared);
/* Draws the chart's title, if it has one, from x on; width: of the chart. */
void draw_chart_title(struct svg *svg, const struct chart *chart, double x, double width);

/* A label beside the plot area, drawn as close to y as the other labels allow. */
struct side_label {
    double y;
    double height; /* of its lines */
    int series;
};
/* Sorts the labels by y and moves them apart, between top and bottom if there is
 * room. */
void spread_labels(struct side_label *labels, int count, double top, double bottom);
/* Draws the names of the series at the right of the frame, with their marks, as
 * close to y of each label as the other labels allow. */
void draw_side_labels(struct svg *svg, const struct chart *chart, struct side_label *labels,
                      int count, const struct frame *frame, double width);
/* The width of these labels in a chart of this width, and the height of all. */
double side_labels_width(const struct chart *chart, double width);
double side_labels_height(const struct chart *chart, double width);

/* Draws text in lines of at most width pixels, beginning at (x, y); a word that is
 * wider is broken. size: of the font; a line is a third higher. Returns the number of
 * lines. svg NULL: only counts them. */
int draw_wrapped(struct svg *svg, const char *class_name, double x, double y, double width,
                 double size, const char *text);

double lines_height(const struct chart *chart, double width);
double heat_height(const struct chart *chart, double width);
double rows_height(const struct chart *chart);
int draw_lines(struct svg *svg, const struct chart *chart, double width,
               struct error *err) MUST_CHECK;
int draw_bars(struct svg *svg, const struct chart *chart, double width,
              struct error *err) MUST_CHECK;
void draw_heat(struct svg *svg, const struct chart *chart, double width);
void draw_rows(struct svg *svg, const struct chart *chart, double width);

#endif
