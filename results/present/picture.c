/* picture.c - arranges charts below each other, or two by two. */
#include "picture.h"

#include "chart_parts.h"
#include "error.h"
#include "svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN = 14, GAP = 10, TITLE_SIZE = 15, TITLE_LINE = 20, TITLE_HEIGHT = 24 };

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

int picture_draw(char **out, const struct picture *picture, bool standalone, struct error *err)
{
    const char *note = picture->note != NULL ? picture->note : "";
    const char *title = picture->title != NULL ? picture->title : "";
    int columns = picture->small && picture->count > 1 ? 2 : 1, rc = 0;
    double field = PICTURE_WIDTH - 2 * MARGIN, width = (field - GAP * (columns - 1)) / columns;
    double line = CAREFUL * field, bold = BOLD * field;
    int titles = draw_wrapped(NULL, "", 0, 0, bold, TITLE_SIZE, title);
    double below = MARGIN + TITLE_HEIGHT + TITLE_LINE * (titles > 1 ? titles - 1 : 0);
    double top =
        below + LINE_HEIGHT * draw_wrapped(NULL, "", 0, 0, line, FONT_SIZE, note) + GAP;
    double height = top;
    struct svg *svg;

    *out = NULL;
    for (int i = 0; i < picture->count; i += columns)
        height += row_height(picture, i, columns, width) + GAP;
    rc = svg_create(&svg, PICTURE_WIDTH, height + MARGIN / 2.0, title, note, standalone, err);
    if (rc != 0)
        return rc;
    draw_wrapped(svg, "title", MARGIN, MARGIN + 12, bold, TITLE_SIZE, title);
    draw_wrapped(svg, "muted", MARGIN, below + 6, line, FONT_SIZE, note);
    for (int i = 0; i < picture->count && rc == 0; i++) {
        svg_group(svg, MARGIN + (i % columns) * (width + GAP), top);
        rc = chart_draw(svg, picture->charts[i], width, err);
        svg_end_group(svg);
        if (i % columns == columns - 1)
            top += row_height(picture, i - columns + 1, columns, width) + GAP;
    }
    if (rc != 0) {
        svg_destroy(svg);
        return rc;
    }
    return svg_finish(svg, out, err);
}
