/* picture.c - arranges charts below each other, or two by two. */
#include "picture.h"

#include "chart_parts.h"
#include "error.h"
#include "file.h"
#include "svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN = 14, GAP = 10, TITLE_SIZE = 15, TITLE_LINE = 20, TITLE_HEIGHT = 24 };
enum { FIELD = PICTURE_WIDTH - 2 * MARGIN };

/* What a page of A4 has room for, in a report that is printed. */
enum { PAGE_HEIGHT = 1050 };

/* The share of the width that a note is given: some fonts are wider than the
 * estimate. Bold ones are, which titles have. */
static const double CAREFUL = 0.94, BOLD = 0.86;

void picture_release(struct picture *picture)
{
    for (int i = 0; i < picture->count; i++)
        chart_destroy(picture->charts[i]);
    free(picture->charts);
    free(picture->title);
    free(picture->note);
    *picture = (struct picture){ 0 };
}

static int replace(char **text, const char *with, struct error *err)
{
    char *copy = with != NULL ? strdup(with) : NULL;

    if (with == NULL)
        return 0;
    if (copy == NULL)
        return error_no_memory(err, "a figure");
    free(*text);
    *text = copy;
    return 0;
}

int picture_describe(struct picture *picture, const char *title, const char *note,
                     struct error *err)
{
    int rc = replace(&picture->title, title, err);

    return rc == 0 ? replace(&picture->note, note, err) : rc;
}

int picture_add(struct picture *picture, struct chart *chart, struct error *err)
{
    struct chart **charts =
        chart == NULL ? NULL
                      : realloc(picture->charts, ((size_t)picture->count + 1) * sizeof(chart));

    if (charts == NULL) {
        chart_destroy(chart);
        return error_no_memory(err, "a figure");
    }
    picture->charts = charts;
    charts[picture->count++] = chart;
    return 0;
}

void picture_align(struct picture *picture)
{
    double x_least = (double)INFINITY, x_most = -(double)INFINITY, y_most = 0, names = 0;

    for (int i = 0; i < picture->count; i++) {
        double x[2] = { x_least, x_most }, y[2] = { 0, y_most };
        double width = side_labels_width(picture->charts[i], PICTURE_WIDTH - 2 * MARGIN);

        chart_x_range(picture->charts[i], &x[0], &x[1]);
        chart_y_range(picture->charts[i], &y[0], &y[1]);
        x_least = x[0] < x_least ? x[0] : x_least;
        x_most = x[1] > x_most ? x[1] : x_most;
        y_most = y[1] > y_most ? y[1] : y_most;
        names = width > names ? width : names;
    }
    for (int i = 0; i < picture->count; i++) {
        struct chart *chart = picture->charts[i];

        chart->x_least = x_least;
        chart->x_most = x_most;
        chart->y_most = y_most;
        chart->names_width = names;
    }
}

/* Where things are in a picture. */
struct layout {
    int columns;  /* of charts */
    double width; /* of a chart */
    double note;  /* where the note begins */
    double top;   /* of the first charts, below title and note */
};

static struct layout lay_out(const struct picture *picture)
{
    const char *title = picture->title != NULL ? picture->title : "";
    const char *note = picture->note != NULL ? picture->note : "";
    int columns = picture->small && picture->count > 1 ? 2 : 1;
    int titles = draw_wrapped(NULL, "", 0, 0, BOLD * FIELD, TITLE_SIZE, title);
    int notes = draw_wrapped(NULL, "", 0, 0, CAREFUL * FIELD, FONT_SIZE, note);
    double below = MARGIN + TITLE_HEIGHT + TITLE_LINE * (titles > 1 ? titles - 1 : 0);
    int width = (FIELD - GAP * (columns - 1)) / columns;

    return (struct layout){ columns, width, below, below + LINE_HEIGHT * notes + GAP };
}

/* Height of the row of charts that begins with this chart. */
static double row_height(const struct picture *picture, int first, int columns, double width)
{
    double highest = 0;

    for (int i = first; i < first + columns && i < picture->count; i++) {
        double height = chart_height(picture->charts[i], width);

        highest = height > highest ? height : highest;
    }
    return highest;
}

/* The end of the charts from first on that are drawn together, rows of them that are
 * not higher than a page; at least a row. top: what is above them. */
static int end_of_part(const struct picture *picture, int first, int columns, double width,
                       double top)
{
    double height = top;
    int end = first;

    while (end < picture->count) {
        height += row_height(picture, end, columns, width) + GAP;
        if (end > first && height > PAGE_HEIGHT)
            break;
        end += columns;
    }
    return end < picture->count ? end : picture->count;
}

/* Draws the charts first to end - 1; the title and the note above the first chart. */
static int draw_part(char **out, const struct picture *picture, int first, int end,
                     bool standalone, struct error *err)
{
    const struct layout layout = lay_out(picture);
    const char *title = picture->title != NULL ? picture->title : "";
    const char *note = picture->note != NULL ? picture->note : "";
    double top = first == 0 ? layout.top : GAP, height = top;
    struct svg *svg;
    int rc;

    *out = NULL;
    for (int i = first; i < end; i += layout.columns)
        height += row_height(picture, i, layout.columns, layout.width) + GAP;
    rc = svg_create(&svg, PICTURE_WIDTH, height + MARGIN / 2.0, title, note, standalone, err);
    if (rc != 0)
        return rc;
    if (first == 0) {
        draw_wrapped(svg, "title", MARGIN, MARGIN + 12, BOLD * FIELD, TITLE_SIZE, title);
        draw_wrapped(svg, "muted", MARGIN, layout.note + 6, CAREFUL * FIELD, FONT_SIZE, note);
    }
    for (int i = first; i < end && rc == 0; i++) {
        int column = (i - first) % layout.columns;

        svg_group(svg, MARGIN + column * (layout.width + GAP), top);
        rc = chart_draw(svg, picture->charts[i], layout.width, err);
        svg_end_group(svg);
        if (column == layout.columns - 1)
            top += row_height(picture, i - column, layout.columns, layout.width) + GAP;
    }
    if (rc != 0) {
        svg_destroy(svg);
        return rc;
    }
    return svg_finish(svg, out, err);
}

int picture_draw(char **out, const struct picture *picture, bool standalone, struct error *err)
{
    const struct layout layout = lay_out(picture);
    char *drawn = NULL;
    int rc = 0, first = 0;

    do {
        int end = standalone ? picture->count
                             : end_of_part(picture, first, layout.columns, layout.width,
                                           first == 0 ? layout.top : GAP);
        char *part = NULL, *longer = NULL;

        rc = draw_part(&part, picture, first, end, standalone, err);
        if (rc == 0 && drawn != NULL) {
            longer = format_string("%s%s", drawn, part);
            rc = longer == NULL ? error_no_memory(err, "a figure") : 0;
            free(drawn);
            free(part);
            drawn = longer;
        } else if (rc == 0) {
            drawn = part;
        }
        first = end;
    } while (rc == 0 && first < picture->count);
    if (rc != 0) {
        free(drawn);
        drawn = NULL;
    }
    *out = drawn;
    return rc;
}
