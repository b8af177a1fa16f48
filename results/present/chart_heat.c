/* chart_heat.c - draws a heat map: a number in each cell, on its colour. */
#include "chart_parts.h"

#include "number.h"

#include <math.h>
#include <stdio.h>

enum { UNDER = 50, ROW = 34, LEAST_LEFT = 44, MOST_LEFT = 170, MOST_COLUMN = 96 };

/* From this share of color_of() on white is read better than black; the contrast is 4.5
 * at least. */
static const double WHITE_FROM = 0.714;

double heat_height(const struct chart *chart, double width)
{
    (void)width;
    return field_top(chart) + ROW * chart->y_name_count + UNDER + LINE_HEIGHT;
}

/* From light to dark blue, uniform in lightness: readable without colours too. */
static unsigned color_of(double share)
{
    static const int STOPS[][3] = {
        { 0xf3, 0xf7, 0xfb }, { 0xc6, 0xdb, 0xef }, { 0x6b, 0xae, 0xd6 },
        { 0x21, 0x71, 0xb5 }, { 0x08, 0x30, 0x6b },
    };
    double at = share <= 0 ? 0 : share >= 1 ? 4 : share * 4;
    int below = at >= 4 ? 3 : (int)at;
    unsigned color = 0;

    for (int i = 0; i < 3; i++) {
        double level = STOPS[below][i] + (at - below) * (STOPS[below + 1][i] - STOPS[below][i]);

        color = color << 8 | (unsigned)lround(level);
    }
    return color;
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
                           field_top(chart) + ROW * chart->y_name_count };
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
                      double column, double share)
{
    if (!isfinite(point->value)) {
        svg_rect(svg, "absent", x + 1, y + 1, column - 2, ROW - 2, point->tooltip);
        return;
    }
    svg_cell(svg, color_of(share), x + 1, y + 1, column - 2, ROW - 2, point->tooltip);
    if (point->label != NULL)
        svg_text(svg, share > WHITE_FROM ? "small light" : "small dark", x + column / 2,
                 y + ROW / 2.0 + 4, SVG_MIDDLE, point->label);
}

void draw_heat(struct svg *svg, const struct chart *chart, double width)
{
    struct frame frame = make_frame(chart, width);
    double column =
        (frame.right - frame.left) / (chart->x_name_count > 0 ? chart->x_name_count : 1);
    struct scale x = {
        .low = -0.5, .high = chart->x_name_count - 0.5, .from = frame.left, .to = frame.right
    };
    double low, high;

    color_range(chart, &low, &high);
    if (chart->title != NULL)
        svg_text(svg, "panel", frame.left, 16, SVG_START, chart->title);
    for (int i = 0; i < chart->y_name_count; i++)
        svg_text(svg, "small muted", frame.left - 6, frame.top + ROW * (i + 0.5) + 4, SVG_END,
                 chart->y_names[i]);
    if (chart->y_title != NULL)
        svg_text_upwards(svg, "muted", 13, (frame.top + frame.bottom) / 2, chart->y_title);
    for (int s = 0; s < chart->series_count; s++)
        for (int i = 0; i < chart->series[s].count; i++) {
            const struct chart_point *point = &chart->series[s].points[i];
            double share = high > low ? (point->value - low) / (high - low) : 0.5;

            draw_cell(svg, point, frame.left + column * point->x, frame.top + ROW * point->y,
                      column, share);
        }
    draw_x_axis(svg, chart, &frame, &x);
}
