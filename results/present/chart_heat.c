/* chart_heat.c - draws a heat map: a number in each cell, on its colour. */
#include "chart_parts.h"

#include "number.h"

#include <math.h>
#include <stdio.h>

enum {
    UNDER = 50,
    ROW = 34,
    OVERHANG = 18,
    LEAST_LEFT = 44,
    MOST_LEFT = 170,
    MOST_COLUMN = 96,
    SMALL = 11 /* the font of a number */
};

/* The height of all rows: of the text beside them, too, which may reach a little beyond
 * both ends. */
static double field_height(const struct chart *chart)
{
    double rows = ROW * chart->y_name_count;
    double title =
        chart->y_title != NULL ? svg_text_width(chart->y_title, FONT_SIZE) - 2 * OVERHANG : 0;

    return title > rows ? title : rows;
}

double heat_height(const struct chart *chart, double width)
{
    (void)width;
    return field_top(chart) + field_height(chart) + UNDER + LINE_HEIGHT;
}

static struct frame make_frame(const struct chart *chart, double width)
{
    double left = LEAST_LEFT, column;

    for (int i = 0; i < chart->y_name_count; i++) {
        double wanted = svg_text_width(chart->y_names[i], FONT_SIZE) + 34;

        left = wanted > left ? wanted : left;
    }
    left = left > MOST_LEFT ? MOST_LEFT : left;
    column = (width - left - 12) / (chart->x_name_count > 0 ? chart->x_name_count : 1);
    column = column > MOST_COLUMN ? MOST_COLUMN : column;
    return (struct frame){ left, left + column * chart->x_name_count, field_top(chart),
                           field_top(chart) + field_height(chart) };
}

/* The values at the two ends of the colours. */
static void color_range(const struct chart *chart, double *low, double *high)
{
    bool found = false;

    *low = chart->color_low;
    *high = chart->color_high;
    if (*high > *low)
        return;
    for (int s = 0; s < chart->series_count; s++)
        for (int i = 0; i < chart->series[s].count; i++) {
            double value = chart->series[s].points[i].value;

            if (!isfinite(value))
                continue;
            *low = found && *low < value ? *low : value;
            *high = found && *high > value ? *high : value;
            found = true;
        }
}

static void draw_cell(struct svg *svg, const struct chart_point *point, double x, double y,
                      double column, double row, double share)
{
    char level[SVG_CLASS_SIZE], text[SVG_CLASS_SIZE + 8];

    if (!isfinite(point->value)) {
        svg_rect(svg, "absent", x + 1, y + 1, column - 2, row - 2, point->tooltip);
        return;
    }
    svg_rect(svg, svg_heat_class(level, share), x + 1, y + 1, column - 2, row - 2,
             point->tooltip);
    snprintf(text, sizeof text, "small %s", level);
    /* in a narrow cell the tooltip alone has the number */
    if (point->label != NULL && svg_text_width(point->label, SMALL) <= column - 2)
        svg_text(svg, text, x + column / 2, y + row / 2 + 4, SVG_MIDDLE, point->label);
}

void draw_heat(struct svg *svg, const struct chart *chart, double width)
{
    struct frame frame = make_frame(chart, width);
    double column =
        (frame.right - frame.left) / (chart->x_name_count > 0 ? chart->x_name_count : 1);
    double row =
        (frame.bottom - frame.top) / (chart->y_name_count > 0 ? chart->y_name_count : 1);
    struct scale x = {
        .low = -0.5, .high = chart->x_name_count - 0.5, .from = frame.left, .to = frame.right
    };
    size_t shared = shared_beginning(chart->y_names, chart->y_name_count);
    double low, high;

    color_range(chart, &low, &high);
    draw_chart_title(svg, chart, frame.left, width);
    for (int i = 0; i < chart->y_name_count; i++)
        draw_name(svg, "small muted", frame.left - 6, frame.top + row * (i + 0.5) + 4, SVG_END,
                  frame.left - 28, chart->y_names[i], shared);
    if (chart->y_title != NULL)
        svg_text_upwards(svg, "muted", 13, (frame.top + frame.bottom) / 2, chart->y_title);
    for (int s = 0; s < chart->series_count; s++)
        for (int i = 0; i < chart->series[s].count; i++) {
            const struct chart_point *point = &chart->series[s].points[i];
            double share = high > low ? (point->value - low) / (high - low) : 0.5;

            draw_cell(svg, point, frame.left + column * point->x, frame.top + row * point->y,
                      column, row, share);
        }
    draw_x_axis(svg, chart, &frame, &x);
}
