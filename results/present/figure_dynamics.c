/*
 * figure_dynamics.c - figures of what happens over the outer steps: forward residuals,
 * calibration of q_halt, halting rules.
 */
#include "figure_kinds.h"

#include "error.h"
#include "evaluation_keys.h"
#include "file.h"
#include "number.h"
#include "svg.h"
#include "trajectories.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 3, BINS = 10, MOST_WHISKERS = 24 };

/* Whether an evaluation is drawn: of its arm the one of the test split with the most
 * outer steps, the first of several. */
static bool is_drawn(const struct trajectories *all, int item)
{
    const struct result_row *row = all->items[item].row;

    for (int i = 0; i < all->count; i++) {
        const struct result_row *other = all->items[i].row;

        if (other->arm == row->arm && !other->train_split &&
            (other->outer_steps > row->outer_steps ||
             (other->outer_steps == row->outer_steps && i < item)))
            return false;
    }
    return !row->train_split;
}

/* "hrm, 4" of the arm that an evaluation belongs to. Fresh or NULL. */
static char *label_of(const struct figure_source *source, const struct trajectory_mean *mean)
{
    const struct cells *cells = source->cells;

    for (int i = 0; i < cells->count; i++)
        if (cells->items[i].row->arm == mean->row->arm) {
            char *label = cells_label(cells, &cells->items[i], NULL, 0);

            if (label == NULL || label[0] != '\0')
                return label;
            free(label);
            break;
        }
    return strdup(source->results->arms[mean->row->arm].label);
}

/* Draws one evaluation into a chart. */
typedef int draw_fn(struct chart *chart, const char *label, const struct trajectory_mean *mean,
                    enum metric measure, struct error *err);

/* Adds a point with a tooltip to the last series. */
static int add_point(struct chart *chart, const char *label, double x, double y,
                     struct error *err)
{
    struct chart_point point = chart_point_at(x, y);
    char one[NUMBER_TEXT_SIZE], other[NUMBER_TEXT_SIZE];
    char *tooltip = format_string("%s: %s at %s", label, number_fixed(other, y, DIGITS),
                                  number_fixed(one, x, DIGITS));

    if (tooltip == NULL)
        return error_no_memory(err, "a figure");
    point.tooltip = tooltip;
    chart_add_point(chart, chart->series_count - 1, &point);
    free(tooltip);
    return 0;
}

static int begin_line(struct chart *chart, const char *label, struct error *err)
{
    int series = chart_add_series(chart, label, chart->series_count % SVG_SERIES);

    if (chart->out_of_memory)
        return error_no_memory(err, "a figure");
    chart->series[series].line = true;
    return 0;
}

/* Draws every evaluation that is_drawn() and has the measure; *drawn counts them. */
static int draw_all(struct chart *chart, int *drawn, const struct figure_source *source,
                    const struct trajectories *all, enum metric measure, draw_fn *draw,
                    struct error *err)
{
    int rc = chart == NULL ? error_no_memory(err, "a figure") : 0;

    *drawn = 0;
    for (int i = 0; i < all->count && rc == 0 && *drawn < SVG_SERIES; i++) {
        const struct trajectory_mean *mean = &all->items[i];

        if (!is_drawn(all, i) || mean->lists[measure - METRIC_COUNT].count == 0)
            continue;
        char *label = label_of(source, mean);
        rc = label == NULL ? error_no_memory(err, "a figure") : begin_line(chart, label, err);
        if (rc == 0)
            rc = draw(chart, label, mean, measure, err);
        free(label);
        *drawn += 1;
    }
    return rc;
}

static int note_drawn(struct picture *out, const struct trajectories *all, struct error *err)
{
    int arms = 0;
    char note[200];

    for (int i = 0; i < all->count; i++)
        arms += is_drawn(all, i);
    snprintf(note, sizeof note,
             "Means over rows and seeds of each arm's evaluation with the most outer steps%s.",
             arms > SVG_SERIES ? "; of the first eight arms" : "");
    return picture_describe(out, NULL, note, err);
}

static int error_without_lists(struct error *err)
{
    return error_set(err, ERROR_ABSENT, "no evaluation with eval.trajectory has finished");
}

/* ---- forward residuals ---- */

/* A point per module call; x in outer steps. */
static int draw_residual(struct chart *chart, const char *label,
                         const struct trajectory_mean *mean, enum metric measure,
                         struct error *err)
{
    int calls = trajectory_calls(mean, measure), rc = 0;
    int count = mean->lists[measure - METRIC_COUNT].count;

    for (int i = 1; i <= count && calls > 0 && rc == 0; i++) {
        double value = trajectory_value(mean, measure, i);

        if (isfinite(value))
            rc = add_point(chart, label, (double)i / calls, value, err);
    }
    return rc;
}

int make_residuals(struct picture *out, struct figure_source *source, struct error *err)
{
    static const struct {
        enum metric measure;
        const char *title;
    } STATES[] = { { VECTOR_RESIDUAL_H, "zH, the slow state" },
                   { VECTOR_RESIDUAL_L, "zL, the fast state" },
                   { VECTOR_RESIDUAL_LAYER, "layers of a direct transformer" } };
    enum { STATE_COUNT = sizeof STATES / sizeof *STATES };
    struct trajectories all;
    int total = 0;
    int rc = trajectories_load(&all, source->store, source->results, err);

    for (int s = 0; s < STATE_COUNT && rc == 0; s++) {
        int drawn;
        struct chart *chart = chart_create(CHART_LINES, STATES[s].title, "outer step",
                                           "change / norm of the state");

        rc = draw_all(chart, &drawn, source, &all, STATES[s].measure, draw_residual, err);
        total += drawn;
        if (rc == 0 && drawn > 0)
            rc = picture_add(out, chart, err);
        else
            chart_destroy(chart);
    }
    if (rc == 0)
        rc = total > 0 ? note_drawn(out, &all, err) : error_without_lists(err);
    trajectories_release(&all);
    return rc;
}

/* ---- calibration ---- */

static int draw_bins(struct chart *chart, const char *label, const struct trajectory_mean *mean,
                     enum metric measure, struct error *err)
{
    int rc = 0;

    for (int bin = 1; bin <= BINS && rc == 0; bin++) {
        double stated = trajectory_value(mean, VECTOR_Q_BIN_MEAN, bin);
        double exact = trajectory_value(mean, measure, bin);

        if (isfinite(stated) && isfinite(exact))
            rc = add_point(chart, label, stated, exact, err);
    }
    return rc;
}

int make_calibration(struct picture *out, struct figure_source *source, struct error *err)
{
    struct chart *chart =
        chart_create(CHART_LINES, NULL, "probability that the model states, sigmoid(q_halt)",
                     "share of exact rows");
    struct trajectories all;
    int drawn = 0;
    int rc = trajectories_load(&all, source->store, source->results, err);

    if (rc == 0)
        rc = draw_all(chart, &drawn, source, &all, VECTOR_Q_BIN_EXACT, draw_bins, err);
    if (rc == 0 && drawn == 0)
        rc = error_without_lists(err);
    if (rc == 0)
        rc = begin_line(chart, "as stated", err);
    if (rc == 0) {
        chart->y_is_share = true;
        rc = add_point(chart, "as stated", 0, 0, err);
    }
    if (rc == 0)
        rc = add_point(chart, "as stated", 1, 1, err);
    if (rc == 0)
        rc = note_drawn(out, &all, err);
    if (rc == 0)
        rc = picture_add(out, chart, err);
    else
        chart_destroy(chart);
    trajectories_release(&all);
    return rc;
}

/* ---- halting rules ---- */

/* The series of an evaluation's halting rule, added if new. */
static int series_of_rule(struct chart *chart, const struct result_row *row)
{
    char *rule = evaluation_key_text(row->evaluation, EVALUATION_HALT_RULE);
    const char *name = row->act_inference ? "ACT" : rule != NULL ? rule : "max";
    int series = 0;

    while (series < chart->series_count && strcmp(chart->series[series].label, name) != 0)
        series++;
    if (series == chart->series_count)
        series = chart_add_series(chart, name, series % SVG_SERIES);
    free(rule);
    return series;
}

/* Mean number of outer steps that the rows of a cell use; NaN: not known. */
static double steps_used(const struct cell *cell)
{
    double sum = 0;
    int known = 0;

    for (int r = 0; r < cell->planned; r++) {
        double steps = cell->row[r].values[METRIC_MEAN_OUTER_STEPS];

        sum += isfinite(steps) ? steps : 0;
        known += isfinite(steps);
    }
    return known > 0 ? sum / known : (double)NAN;
}

/* Whether the figure shows the cell. */
static bool has_rule(const struct cell *cell)
{
    return cell->count > 0 && !cell->row->train_split && isfinite(steps_used(cell));
}

static int draw_rule(struct chart *chart, const struct cells *cells, const struct cell *cell,
                     bool whiskers, struct error *err)
{
    struct chart_point point = chart_point_at(steps_used(cell), cell->mean);
    int series = series_of_rule(chart, cell->row);
    char number[NUMBER_TEXT_SIZE], *label = cells_label(cells, cell, NULL, 0);
    char *place = label == NULL || chart->out_of_memory
                      ? NULL
                      : format_string("%s%s%s, %s of %lld outer steps", label,
                                      label[0] != '\0' ? ", " : "", chart->series[series].label,
                                      number_fixed(number, point.x, 2),
                                      (long long)cell->row->outer_steps);
    char *tooltip = place == NULL ? NULL : describe_cell(cells, cell, place);

    if (whiskers && isfinite(cell->deviation)) {
        point.low = cell->mean - cell->deviation;
        point.high = cell->mean + cell->deviation;
    }
    point.tooltip = tooltip;
    chart_add_point(chart, series, &point);
    int rc = tooltip == NULL || chart->out_of_memory ? error_no_memory(err, "a figure") : 0;
    free(label);
    free(place);
    free(tooltip);
    return rc;
}

int make_halting_rules(struct picture *out, struct figure_source *source, struct error *err)
{
    const struct cells *cells = source->cells;
    struct chart *chart = chart_create(CHART_LINES, NULL, "outer steps used, mean over rows",
                                       METRICS[cells->metric].title);
    int rc = chart == NULL ? error_no_memory(err, "a figure") : 0, shown = 0;

    for (int i = 0; i < cells->count; i++)
        shown += has_rule(&cells->items[i]);
    if (rc == 0) {
        chart->x_scale = CHART_LOGARITHMIC; /* nothing uses less than one step */
        chart->y_is_share = strcmp(METRICS[cells->metric].unit, "share") == 0;
    }
    for (int i = 0; i < cells->count && rc == 0; i++)
        if (has_rule(&cells->items[i]))
            rc = draw_rule(chart, cells, &cells->items[i], shown <= MOST_WHISKERS, err);
    if (rc == 0 && chart->series_count < 2)
        rc = error_set(err, ERROR_ABSENT,
                       "all evaluations have the same halting rule (eval.halt_rule, "
                       "eval.act_inference)");
    if (rc == 0)
        rc = picture_describe(out, NULL,
                              shown <= MOST_WHISKERS
                                  ? "A mark per arm and evaluation; whiskers: \xc2\xb1 1 "
                                    "standard deviation over seeds."
                                  : "A mark per arm and evaluation.",
                              err);
    if (rc == 0)
        return picture_add(out, chart, err);
    chart_destroy(chart);
    return rc;
}
