/* chart.c - the data of a chart: series, points, names. */
#include "chart.h"

#include "chart_parts.h"
#include "error.h"
#include "svg.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static char *copy_text(struct chart *chart, const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    chart->out_of_memory = chart->out_of_memory || (text != NULL && copy == NULL);
    return copy;
}

struct chart *chart_create(enum chart_kind kind, const char *title, const char *x_title,
                           const char *y_title)
{
    struct chart *chart = calloc(1, sizeof *chart);

    if (chart == NULL)
        return NULL;
    chart->kind = kind;
    chart->title = copy_text(chart, title);
    chart->x_title = copy_text(chart, x_title);
    chart->y_title = copy_text(chart, y_title);
    return chart;
}

void chart_destroy(struct chart *chart)
{
    if (chart == NULL)
        return;
    for (int s = 0; s < chart->series_count; s++) {
        struct chart_series *series = &chart->series[s];

        for (int i = 0; i < series->count; i++) {
            free((void *)(uintptr_t)series->points[i].tooltip);
            free((void *)(uintptr_t)series->points[i].label);
        }
        free(series->points);
        free(series->label);
    }
    for (int i = 0; i < chart->x_name_count; i++)
        free(chart->x_names[i]);
    for (int i = 0; i < chart->y_name_count; i++)
        free(chart->y_names[i]);
    free(chart->x_names);
    free(chart->y_names);
    free(chart->x_ticks);
    free(chart->series);
    free(chart->title);
    free(chart->x_title);
    free(chart->y_title);
    free(chart);
}

/* Makes room for one more item; array is the address of the pointer. */
static bool grow(struct chart *chart, void *array, int count, size_t size)
{
    void *old, *larger;

    if (chart->out_of_memory)
        return false;
    if (count != 0 && (count & (count - 1)) != 0)
        return true;
    memcpy(&old, array, sizeof old);
    larger = realloc(old, (count == 0 ? 1 : 2 * (size_t)count) * size);
    if (larger == NULL) {
        chart->out_of_memory = true;
        return false;
    }
    memcpy(array, &larger, sizeof larger);
    // cppcheck-suppress memleak ; *array owns it
    return true;
}

static int add_name(struct chart *chart, char ***names, int *count, const char *name)
{
    if (!grow(chart, names, *count, sizeof **names))
        return 0;
    (*names)[*count] = copy_text(chart, name);
    if ((*names)[*count] == NULL)
        return 0;
    return (*count)++;
}

int chart_add_x_name(struct chart *chart, const char *name)
{
    return add_name(chart, &chart->x_names, &chart->x_name_count, name);
}

int chart_add_y_name(struct chart *chart, const char *name)
{
    return add_name(chart, &chart->y_names, &chart->y_name_count, name);
}

int chart_add_series(struct chart *chart, const char *label, int style)
{
    if (!grow(chart, &chart->series, chart->series_count, sizeof *chart->series))
        return 0;
    struct chart_series *series = &chart->series[chart->series_count];

    *series =
        (struct chart_series){ .label = copy_text(chart, label),
                               .style = style == SVG_REFERENCE ? style : style % SVG_STYLES };
    return chart->series_count++;
}

void chart_join_points(struct chart *chart, int index, bool band)
{
    if (chart->out_of_memory)
        return;
    assert(index < chart->series_count);
    chart->series[index].line = true;
    chart->series[index].band = band;
}

void chart_add_point(struct chart *chart, int index, const struct chart_point *point)
{
    if (chart->out_of_memory)
        return;
    assert(index < chart->series_count);
    struct chart_series *series = &chart->series[index];

    if (!grow(chart, &series->points, series->count, sizeof *series->points))
        return;
    struct chart_point *added = &series->points[series->count++];

    *added = *point;
    added->tooltip = copy_text(chart, point->tooltip);
    added->label = copy_text(chart, point->label);
}

void chart_add_x_tick(struct chart *chart, double x)
{
    for (int i = 0; i < chart->x_tick_count; i++)
        if (chart->x_ticks[i] == x)
            return;
    if (!grow(chart, &chart->x_ticks, chart->x_tick_count, sizeof *chart->x_ticks))
        return;
    int at = chart->x_tick_count++;

    while (at > 0 && chart->x_ticks[at - 1] > x) { /* ascending */
        chart->x_ticks[at] = chart->x_ticks[at - 1];
        at--;
    }
    chart->x_ticks[at] = x;
}

struct chart_point chart_point_at(double x, double y)
{
    return (struct chart_point){
        .x = x, .y = y, .low = (double)NAN, .high = (double)NAN, .value = (double)NAN
    };
}

double chart_height(const struct chart *chart, double width)
{
    if (chart->out_of_memory)
        return 0; /* chart_draw() reports it */
    switch (chart->kind) {
    case CHART_HEAT:
        return heat_height(chart, width);
    case CHART_ROWS:
        return rows_height(chart);
    case CHART_LINES:
    case CHART_BARS:
        break;
    }
    return lines_height(chart, width);
}

int chart_draw(struct svg *svg, const struct chart *chart, double width, struct error *err)
{
    if (chart->out_of_memory)
        return error_no_memory(err, "a figure");
    switch (chart->kind) {
    case CHART_LINES:
        return draw_lines(svg, chart, width, err);
    case CHART_BARS:
        return draw_bars(svg, chart, width, err);
    case CHART_HEAT:
        draw_heat(svg, chart, width);
        break;
    case CHART_ROWS:
        draw_rows(svg, chart, width);
        break;
    }
    return 0;
}
