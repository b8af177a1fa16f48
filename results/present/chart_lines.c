/* chart_lines.c - draws lines over numbers or categories, and bars. */
#include "chart_parts.h"

#include "error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_HEIGHT = 270, LEFT = 64, UNDER = 50, FREE_RIGHT = 16, MANY = 16, NAMED = 5 };

/* Marks of two series that are nearer are moved apart by ASIDE, up to half of TURNS
 * times to each side. */
enum { NEAR = 5, ASIDE = 8, TURNS = 11 };

/* More marks than these are a cloud, in which none is moved: there is no room, and each
 * is compared with all before it. */
enum { MOST_MOVED = 2000 };

/* The height of the plot area: more where the names beside it need it. */
static double field_height(const struct chart *chart, double width)
{
    return fmax(FIELD_HEIGHT, side_labels_height(chart, width) - 2 * BEYOND);
}

double lines_height(const struct chart *chart, double width)
{
    return field_top(chart) + field_height(chart, width) + UNDER +
           (chart->x_scale == CHART_CATEGORIES ? LINE_HEIGHT : 0);
}

static struct frame make_frame(const struct chart *chart, double width)
{
    double labels = side_labels_width(chart, width);

    return (struct frame){ LEFT, width - (labels > FREE_RIGHT ? labels : FREE_RIGHT),
                           field_top(chart), field_top(chart) + field_height(chart, width) };
}

static struct scale make_x_scale(const struct chart *chart, const struct frame *frame)
{
    struct scale scale = {
        .from = frame->left, .to = frame->right, .low = -0.5, .high = chart->x_name_count - 0.5
    };

    if (chart->x_scale == CHART_CATEGORIES)
        return scale;
    chart_x_range(chart, &scale.low, &scale.high);
    scale.logarithmic = chart->x_scale == CHART_LOGARITHMIC;
    if (!(scale.high > scale.low)) {
        scale.high = scale.logarithmic ? scale.high * 2 : scale.high + 0.5;
        scale.low = scale.logarithmic ? scale.low / 2 : scale.low - 0.5;
    }
    scale.from += 12; /* keeps marks away from the edges */
    scale.to -= 12;
    return scale;
}

/* The position of the end of an interval, limited to the range of a share. */
static double y_at(const struct chart *chart, const struct scale *y, double value)
{
    if (chart->y_is_share)
        value = value < 0 ? 0 : value > 1 ? 1 : value;
    return scale_at(y, value);
}

/* Computes the y scale and draws its axis. */
static struct scale draw_y_scale(struct svg *svg, const struct chart *chart,
                                 const struct frame *frame)
{
    struct scale scale = { .low = 0, .high = 1, .from = frame->bottom, .to = frame->top };
    double ticks[SCALE_TICKS];
    int digits;

    chart_y_range(chart, &scale.low, &scale.high);
    int count = scale_round(&scale, ticks, &digits);

    draw_y_axis(svg, chart, frame, &scale, ticks, count, digits);
    return scale;
}

/* Draws consecutive points that have an interval as an area. */
static int draw_band(struct svg *svg, const struct chart *chart,
                     const struct chart_series *series, const struct scale *x,
                     const struct scale *y, struct error *err)
{
    double *points = calloc((size_t)series->count * 4 + 4, sizeof *points);
    char class_name[SVG_CLASS_SIZE];
    int start = 0;

    if (points == NULL)
        return error_no_memory(err, "a figure");
    svg_series_class(class_name, series->style, "band");
    while (start < series->count) {
        int end = start;

        while (end < series->count && isfinite(series->points[end].low))
            end++;
        int length = end - start;

        for (int i = 0; i < length; i++) {
            const struct chart_point *point = &series->points[start + i];
            int back = 2 * length - 1 - i;

            points[2 * i] = points[2 * back] = scale_at(x, point->x);
            points[2 * i + 1] = y_at(chart, y, point->low);
            points[2 * back + 1] = y_at(chart, y, point->high);
        }
        svg_path(svg, class_name, points, 2 * length, true);
        start = end + 1;
    }
    free(points);
    return 0;
}

static int draw_joined(struct svg *svg, const struct chart_series *series,
                       const struct scale *x, const struct scale *y, struct error *err)
{
    double *points = calloc((size_t)series->count * 2 + 2, sizeof *points);
    char class_name[SVG_CLASS_SIZE];
    int count = 0;

    if (points == NULL)
        return error_no_memory(err, "a figure");
    for (int i = 0; i < series->count; i++)
        if (!series->points[i].minor) {
            points[2 * count] = scale_at(x, series->points[i].x);
            points[2 * count++ + 1] = scale_at(y, series->points[i].y);
        }
    svg_series_class(class_name, series->style, "line");
    svg_path(svg, class_name, points, count, false);
    free(points);
    return 0;
}

/* An end that leaves the range of a share is cut there and left open. */
static void draw_whisker(struct svg *svg, const char *class_name, const struct chart *chart,
                         const struct chart_point *point, double x, const struct scale *y)
{
    const double ends[] = { point->low, point->high };
    double at[2];

    for (int i = 0; i < 2; i++)
        at[i] = y_at(chart, y, ends[i]);
    svg_line(svg, class_name, x, at[0], x, at[1], NULL);
    for (int i = 0; i < 2; i++)
        if (!chart->y_is_share || (ends[i] >= 0 && ends[i] <= 1))
            svg_line(svg, class_name, x - 3, at[i], x + 3, at[i], NULL);
}

/* Radius of a point's mark. On a line with many points only some have a visible
 * mark; the others only have a tooltip. */
static double mark_radius(const struct chart_series *series, int index)
{
    int every = series->count / NAMED;

    if (series->points[index].minor)
        return 2;
    if (!series->line || series->count <= MANY)
        return 4.5;
    return (index + series->style % SVG_SERIES * every / SVG_SERIES) % every == every / 2 ? 4.5
                                                                                          : 1.2;
}

/* Where a mark with its whisker stands. */
struct place {
    double x, top, bottom;
    int series;
};

/* Moves a mark aside until it hides none of another series; back if there is no
 * room. */
static double free_x(const struct place *mark, const struct place *placed, int count)
{
    for (int turn = 0; turn < TURNS; turn++) { /* 0, 1, -1, 2, -2, ... times ASIDE */
        double x = mark->x + ASIDE * (turn % 2 == 0 ? -turn / 2 : turn / 2 + 1);
        int meets = 0;

        for (int i = 0; i < count && meets == 0; i++)
            meets = placed[i].series != mark->series && fabs(placed[i].x - x) < NEAR &&
                    placed[i].top < mark->bottom && mark->top < placed[i].bottom;
        if (meets == 0)
            return x;
    }
    return mark->x;
}

/* Places the marks of all series, in their order; those on a line stay at their x.
 * Newly allocated; NULL: no memory. */
static struct place *place_marks(const struct chart *chart, const struct scale *x,
                                 const struct scale *y)
{
    int total = 0, count = 0;

    for (int s = 0; s < chart->series_count; s++)
        total += chart->series[s].count;
    struct place *places = calloc((size_t)total + 1, sizeof *places);

    for (int s = 0; s < chart->series_count && places != NULL; s++)
        for (int i = 0; i < chart->series[s].count; i++) {
            const struct chart_point *point = &chart->series[s].points[i];
            bool whisker = !chart->series[s].band && isfinite(point->low);
            struct place *place = &places[count];

            *place = (struct place){
                .x = scale_at(x, point->x),
                .top = y_at(chart, y, whisker ? point->high : point->y) - NEAR / 2.0,
                .bottom = y_at(chart, y, whisker ? point->low : point->y) + NEAR / 2.0,
                .series = s,
            };
            if (!chart->series[s].line && total <= MOST_MOVED)
                place->x = free_x(place, places, count);
            count++;
        }
    return places;
}

static void draw_marks(struct svg *svg, const struct chart *chart,
                       const struct chart_series *series, const struct place *places,
                       const struct scale *y)
{
    char whisker[SVG_CLASS_SIZE];

    for (int i = 0; i < series->count; i++) {
        const struct chart_point *point = &series->points[i];
        double at_x = places[i].x, at_y = scale_at(y, point->y);

        if (!series->band && isfinite(point->low))
            draw_whisker(svg, svg_series_class(whisker, series->style, "thin"), chart, point,
                         at_x, y);
        svg_mark(svg, series->style, at_x, at_y, mark_radius(series, i),
                 series->published || point->minor, point->tooltip);
        if (point->label != NULL)
            svg_text(svg, "small", at_x + 8, at_y - 6, SVG_START, point->label);
    }
}

/* The index of the last point that is not a mark of a single seed; -1: none. */
static int last_point(const struct chart_series *series)
{
    for (int i = series->count - 1; i >= 0; i--)
        if (!series->points[i].minor)
            return i;
    return -1;
}

int draw_lines(struct svg *svg, const struct chart *chart, double width, struct error *err)
{
    struct frame frame = make_frame(chart, width);
    struct scale x = make_x_scale(chart, &frame), y;
    struct side_label *labels = calloc((size_t)chart->series_count + 1, sizeof *labels);
    struct place *places = NULL;
    int rc = labels == NULL ? error_no_memory(err, "a figure") : 0, named = 0, before = 0;

    draw_chart_title(svg, chart, frame.left, width);
    y = draw_y_scale(svg, chart, &frame);
    draw_x_axis(svg, chart, &frame, &x);
    places = place_marks(chart, &x, &y);
    rc = places == NULL ? error_no_memory(err, "a figure") : rc;
    for (int s = 0; s < chart->series_count && rc == 0; s++) {
        const struct chart_series *series = &chart->series[s];
        int last = last_point(series);

        if (series->band)
            rc = draw_band(svg, chart, series, &x, &y, err);
        if (rc == 0 && series->line)
            rc = draw_joined(svg, series, &x, &y, err);
        if (rc == 0)
            draw_marks(svg, chart, series, places + before, &y);
        if (rc == 0 && last >= 0 && series->label[0] != '\0')
            labels[named++] =
                (struct side_label){ .y = scale_at(&y, series->points[last].y), .series = s };
        before += series->count;
    }
    if (rc == 0)
        draw_side_labels(svg, chart, labels, named, &frame, width);
    free(labels);
    free(places);
    return rc;
}

/* Draws the bars of one series, the index-th of count in each category. */
static void draw_bars_of(struct svg *svg, const struct chart *chart, int index,
                         const struct scale *x, const struct scale *y)
{
    const struct chart_series *series = &chart->series[index];
    int count = chart->series_count;
    double slot = (scale_at(x, 1) - scale_at(x, 0)) * 0.8 / count;
    double bar = slot > 44 ? 44 : slot * 0.9, apart = bar + 2 < slot ? bar + 2 : slot;
    double radius = bar > 10 ? 3.5 : bar > 5 ? 2.5 : bar / 2;
    char class_name[SVG_CLASS_SIZE];

    svg_series_class(class_name, series->style, "bar");
    for (int i = 0; i < series->count; i++) {
        const struct chart_point *point = &series->points[i];
        double middle = scale_at(x, point->x) + (index - (count - 1) / 2.0) * apart;
        double top = scale_at(y, point->y > 0 ? point->y : 0);
        double bottom = scale_at(y, point->y > 0 ? 0 : point->y);

        if (!isfinite(point->y))
            continue;
        svg_rect(svg, class_name, middle - bar / 2, top, bar, bottom - top, point->tooltip);
        svg_mark(svg, series->style, middle, scale_at(y, point->y), radius, false,
                 point->tooltip);
        if (isfinite(point->low))
            draw_whisker(svg, "ink", chart, point, middle, y);
    }
}

int draw_bars(struct svg *svg, const struct chart *chart, double width, struct error *err)
{
    struct frame frame = make_frame(chart, width);
    struct scale x = make_x_scale(chart, &frame), y;
    struct side_label *labels = calloc((size_t)chart->series_count + 1, sizeof *labels);
    int named = 0;

    if (labels == NULL)
        return error_no_memory(err, "a figure");
    draw_chart_title(svg, chart, frame.left, width);
    y = draw_y_scale(svg, chart, &frame);
    for (int s = 0; s < chart->series_count; s++) {
        draw_bars_of(svg, chart, s, &x, &y);
        if (chart->series[s].label[0] != '\0')
            labels[named++] =
                (struct side_label){ .y = frame.top + LINE_HEIGHT * s, .series = s };
    }
    draw_x_axis(svg, chart, &frame, &x);
    draw_side_labels(svg, chart, labels, named, &frame, width);
    free(labels);
    return 0;
}
