/* figure_curves.c - figures against the training step. */
#include "figure_kinds.h"

#include "curve_query.h"
#include "error.h"
#include "file.h"
#include "number.h"
#include "statistics.h"
#include "svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value of one seed of an arm. Seeds share a point of the curve where their places
 * are equal: of a metric the step, of interim evaluations their number, because an
 * epoch takes one seed a step more than another. */
struct sample {
    int arm;
    int64_t place, step, seed;
    double value;
};

struct samples {
    struct sample *items; /* owned; once sorted by arm, place, seed */
    int count, capacity;
};

static int add_sample(struct samples *samples, const struct sample *sample, struct error *err)
{
    if (samples->count == samples->capacity) {
        int capacity = samples->capacity > 0 ? 2 * samples->capacity : 64;
        struct sample *larger = realloc(samples->items, (size_t)capacity * sizeof *larger);

        if (larger == NULL)
            return error_no_memory(err, "a figure");
        samples->items = larger;
        samples->capacity = capacity;
    }
    samples->items[samples->count++] = *sample;
    return 0;
}

static int compare_samples(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;

    if (x->arm != y->arm)
        return x->arm - y->arm;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return x->seed < y->seed ? -1 : x->seed > y->seed;
}

/* Adds an arm's point: the mean over its seeds, and their spread. */
static int add_place(struct chart *chart, int series, const struct sample *samples, int count,
                     const char *label, struct error *err)
{
    double *values = calloc((size_t)count, sizeof *values), step = 0;
    char number[NUMBER_TEXT_SIZE];

    if (values == NULL)
        return error_no_memory(err, "a figure");
    for (int i = 0; i < count; i++) {
        values[i] = samples[i].value;
        step += (double)samples[i].step / count;
    }
    struct chart_point point = chart_point_at(step, statistics_mean(values, count));
    double deviation = statistics_deviation(values, count);
    char *tooltip =
        format_string("%s, step %.0f: %s (%d seed%s)", label, step,
                      number_measure(number, point.y, 4), count, count == 1 ? "" : "s");

    if (isfinite(deviation)) {
        point.low = point.y - deviation;
        point.high = point.y + deviation;
    }
    point.tooltip = tooltip;
    chart_add_point(chart, series, &point);
    free(tooltip);
    free(values);
    return tooltip == NULL ? error_no_memory(err, "a figure") : 0;
}

/* Adds the samples of one arm as a series. *most: the largest number of seeds of
 * a point. */
static int add_curve(struct chart *chart, const struct sample *samples, int count,
                     const char *label, int *most, struct error *err)
{
    int series = chart_add_series(chart, label, chart->series_count), rc = 0;

    if (chart->out_of_memory)
        return error_no_memory(err, "a figure");
    chart_join_points(chart, series, true);
    for (int i = 0, end; i < count && rc == 0; i = end) {
        for (end = i + 1; end < count; end++)
            if (samples[end].place != samples[i].place)
                break;
        *most = end - i > *most ? end - i : *most;
        rc = add_place(chart, series, samples + i, end - i, label, err);
    }
    return rc;
}

/* The label of this arm's cells. */
static char *arm_label(const struct cells *cells, int arm)
{
    for (int i = 0; i < cells->count; i++)
        if (cells->items[i].row->arm == arm)
            return cells_label(cells, &cells->items[i], NULL, 0);
    return NULL;
}

/* Adds a series per arm that has samples. */
static int add_curves(struct chart *chart, const struct cells *cells,
                      const struct samples *samples, int *most, struct error *err)
{
    int rc = 0;

    for (int i = 0, end; i < samples->count && rc == 0; i = end) {
        for (end = i + 1; end < samples->count; end++)
            if (samples->items[end].arm != samples->items[i].arm)
                break;
        if (chart->series_count == SVG_SERIES)
            return error_set(err, ERROR_FORMAT,
                             "more than %d arms have curves; choose by --where", SVG_SERIES);
        char *label = arm_label(cells, samples->items[i].arm);

        rc = label == NULL ? error_no_memory(err, "a figure")
                           : add_curve(chart, samples->items + i, end - i, label, most, err);
        free(label);
    }
    return rc;
}

static int draw_curves(struct picture *picture, const struct figure_source *source,
                       struct samples *samples, const char *y_title, bool share,
                       const char *chosen, struct error *err)
{
    struct chart *chart = chart_create(CHART_LINES, NULL, "training step", y_title);
    int rc = chart == NULL ? error_no_memory(err, "a figure") : 0, most = 0;

    if (rc == 0 && samples->count > 0)
        qsort(samples->items, (size_t)samples->count, sizeof *samples->items, compare_samples);
    if (rc == 0) {
        chart->y_is_share = share;
        chart->x_counts = true;
        rc = add_curves(chart, source->cells, samples, &most, err);
    }
    char *note = format_string("%s%s%s.",
                               most > 1 ? "Mean over seeds; bands: \xc2\xb1 1 "
                                          "standard deviation over seeds"
                                        : "One seed",
                               chosen[0] != '\0' ? "; " : "", chosen);

    if (rc == 0)
        rc = note == NULL ? error_no_memory(err, "a figure")
                          : picture_describe(picture, NULL, note, err);
    free(note);
    if (rc == 0)
        return picture_add(picture, chart, err);
    chart_destroy(chart);
    return rc;
}

/* Draws a metric of training. */
static int make_curves(struct picture *picture, struct figure_source *source, const char *name,
                       const char *y_title, bool share, struct error *err)
{
    struct samples samples = { 0 };
    struct curves curves;
    int rc = curves_load(&curves, source->store, source->results, name, err);

    if (rc != 0)
        return rc;
    for (int i = 0; i < curves.count; i++)
        for (int k = 0; k < curves.items[i].count && rc == 0; k++) {
            const struct sample sample = { .arm = curves.items[i].arm,
                                           .seed = curves.items[i].seed,
                                           .place = curves.items[i].points[k].step,
                                           .step = curves.items[i].points[k].step,
                                           .value = curves.items[i].points[k].value };

            rc = add_sample(&samples, &sample, err);
        }
    if (rc == 0)
        rc = draw_curves(picture, source, &samples, y_title, share, "", err);
    curves_release(&curves);
    free(samples.items);
    return rc;
}

int make_loss_curves(struct picture *out, struct figure_source *source, struct error *err)
{
    return make_curves(out, source, "train/lm_loss", "token loss in training, nats", false,
                       err);
}

int make_accuracy_curves(struct picture *out, struct figure_source *source, struct error *err)
{
    return make_curves(out, source, "train/accuracy", "per-token accuracy in training", true,
                       err);
}

static int error_no_interim(struct error *err)
{
    return error_set(err, ERROR_ABSENT,
                     "there are no interim evaluations (train.eval_interval is 0 or longer "
                     "than the training)");
}

/* Adds the measure at every checkpoint of the cell's evaluation. *from: before the
 * arm's first row; moved forward to it, for the next cell. */
static int add_checkpoints(struct samples *samples, bool *interim, const struct results *all,
                           int *from, const struct cell *cell, enum metric metric,
                           struct error *err)
{
    int64_t place = 0;
    int before = -1, rc = 0;

    while (*from < all->row_count && all->rows[*from].arm < cell->row->arm)
        ++*from;
    for (int i = *from; i < all->row_count && all->rows[i].arm == cell->row->arm && rc == 0;
         i++) {
        const struct result_row *row = &all->rows[i];
        double value = result_value(all, row, metric);

        if (strcmp(row->evaluation, cell->row->evaluation) != 0 || row->checkpoint[0] == '\0' ||
            isnan(value))
            continue;
        place = before >= 0 && all->rows[before].seed == row->seed ? place + 1 : 0;
        before = i;
        const struct sample sample = { row->arm,
                                       strcmp(row->checkpoint, "last") == 0 ? INT64_MAX : place,
                                       row->step, row->seed, value };

        *interim = *interim || strcmp(row->checkpoint, "interim") == 0;
        rc = add_sample(samples, &sample, err);
    }
    return rc;
}

/* Draws the checkpoints of the shown cells. */
static int draw_interim(struct picture *out, const struct figure_source *source,
                        const struct results *all, const bool *shown, const char *note,
                        struct error *err)
{
    const struct cells *cells = source->cells;
    struct samples samples = { 0 };
    bool interim = false;
    int from = 0, rc = 0;

    for (int i = 0; i < cells->count && rc == 0; i++)
        if (shown[i])
            rc = add_checkpoints(&samples, &interim, all, &from, &cells->items[i],
                                 cells->metric, err);
    if (rc == 0 && !interim)
        rc = error_no_interim(err);
    if (rc == 0)
        rc = draw_curves(out, source, &samples, METRICS[source->metric].title,
                         strcmp(METRICS[source->metric].unit, "share") == 0, note, err);
    free(samples.items);
    return rc;
}

int make_interim(struct picture *out, struct figure_source *source, struct error *err)
{
    const struct cells *cells = source->cells;
    struct results *all = NULL;
    bool *shown = NULL, any;
    char note[300];
    int rc = results_have_interim(&any, source->store, source->results, err);

    if (rc == 0 && !any)
        rc = error_no_interim(err);
    if (rc == 0)
        rc = results_load(&all, source->store, source->results->experiment, source->wheres,
                          source->where_count, RESULTS_ALL, err);
    if (rc == 0) {
        shown = calloc((size_t)cells->count + 1, sizeof *shown);
        rc = shown == NULL ? error_no_memory(err, "a figure") : 0;
    }
    if (rc == 0) {
        cells_choose(shown, cells, NULL, 0, note);
        rc = draw_interim(out, source, all, shown, note, err);
    }
    results_destroy(all);
    free(shown);
    return rc;
}
