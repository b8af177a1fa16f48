/* chart_rows.c - draws a row per difference or arm, with its interval or its seeds. */
#include "chart_parts.h"

#include <math.h>
#include <stddef.h>

enum { UNDER = 50, ROW = 24, RIGHT = 14, INSET = 8 };

double rows_height(const struct chart *chart)
{
    return field_top(chart) + ROW * chart->y_name_count + UNDER;
}

/* Width of the texts to the right of the rows. */
static double texts_width(const struct chart *chart)
{
    double widest = 0;

    for (int s = 0; s < chart->series_count; s++)
        for (int i = 0; i < chart->series[s].count; i++) {
            const char *label = chart->series[s].points[i].label;
            double width = label != NULL ? svg_text_width(label, FONT_SIZE) + 12 : 0;

            widest = width > widest ? width : widest;
        }
    return widest;
}

static struct frame make_frame(const struct chart *chart, double width)
{
    double left = 20;

    for (int i = 0; i < chart->y_name_count; i++) {
        double wanted = svg_text_width(chart->y_names[i], FONT_SIZE) + 14;

        left = wanted > left ? wanted : left;
    }
    left = left > 0.5 * width ? 0.5 * width : left;
    return (struct frame){ left, width - RIGHT - texts_width(chart), field_top(chart),
                           field_top(chart) + ROW * chart->y_name_count };
}

/* Whether a row is a heading: it has no point. */
static bool is_heading(const struct chart *chart, int row)
{
    for (int s = 0; s < chart->series_count; s++)
        for (int i = 0; i < chart->series[s].count; i++)
            if (lround(chart->series[s].points[i].y) == row)
                return false;
    return true;
}

/* Bytes that the names of all rows but the headings begin with. */
static size_t shared_by_rows(const struct chart *chart)
{
    char *pair[2] = { NULL, NULL };
    size_t shared = 0;

    for (int i = 0; i < chart->y_name_count; i++) {
        if (is_heading(chart, i))
            continue;
        bool second = pair[0] != NULL && pair[1] == NULL;

        pair[pair[0] != NULL] = chart->y_names[i];
        if (pair[1] == NULL)
            continue;
        size_t both = shared_beginning(pair, 2);
        shared = second || both < shared ? both : shared;
    }
    return shared;
}

static void draw_row_name(struct svg *svg, const struct chart *chart, int row,
                          const struct frame *frame, size_t shared)
{
    const char *name = chart->y_names[row];
    double y = frame->top + ROW * (row + 0.5) + 4;

    if (is_heading(chart, row))
        draw_cut(svg, "panel", 4, y, SVG_START, frame->right - 4, name);
    else
        draw_name(svg, "small", frame->left - 8, y, SVG_END, frame->left - 12, name, shared);
}

static void draw_point(struct svg *svg, const struct chart_series *series,
                       const struct chart_point *point, const struct frame *frame,
                       const struct scale *x)
{
    static const char *const CLASSES[] = {
        [CHART_OPEN] = "open", [CHART_HIGHER] = "higher", [CHART_LOWER] = "lower"
    };
    const char *class_name = CLASSES[point->verdict];
    double y = frame->top + ROW * (point->y + 0.5), at = scale_at(x, point->x);

    if (isfinite(point->low)) {
        svg_line(svg, class_name, scale_at(x, point->low), y, scale_at(x, point->high), y,
                 point->tooltip);
        svg_rect(svg, class_name, at - 3, y - 3, 6, 6, point->tooltip);
    } else if (point->minor) {
        svg_mark(svg, series->style, at, y, 4, true, point->tooltip);
    } else {
        svg_line(svg, "ink", at, y - 7, at, y + 7, point->tooltip);
    }
    if (point->label != NULL)
        svg_text(svg, "small", frame->right + 10, y + 4, SVG_START, point->label);
}

void draw_rows(struct svg *svg, const struct chart *chart, double width)
{
    struct frame frame = make_frame(chart, width);
    struct scale x = {
        .low = 0, .high = 0, .from = frame.left + INSET, .to = frame.right - INSET
    };
    double ticks[SCALE_TICKS];
    int digits;

    chart_x_range(chart, &x.low, &x.high);
    if (chart->zero_line) {
        x.low = x.low > 0 ? 0 : x.low;
        x.high = x.high < 0 ? 0 : x.high;
    }
    int count = scale_round(&x, ticks, &digits);
    size_t shared = shared_by_rows(chart);

    x.ticks = ticks; /* the axis names the lines of the grid */
    x.tick_count = count;
    draw_chart_title(svg, chart, 4, width);
    for (int i = 0; i < count; i++) {
        double at = scale_at(&x, ticks[i]);

        svg_line(svg, "grid", at, frame.top, at, frame.bottom, NULL);
    }
    if (chart->zero_line)
        svg_line(svg, "zero", scale_at(&x, 0), frame.top - 4, scale_at(&x, 0), frame.bottom,
                 NULL);
    for (int i = 0; i < chart->y_name_count; i++)
        draw_row_name(svg, chart, i, &frame, shared);
    for (int s = 0; s < chart->series_count; s++)
        for (int i = 0; i < chart->series[s].count; i++)
            draw_point(svg, &chart->series[s], &chart->series[s].points[i], &frame, &x);
    draw_x_axis(svg, chart, &frame, &x);
}
