/* figure_arms.c - figures with a mark, a line or a row per arm or difference. */
#include "figure_kinds.h"

#include "error.h"
#include "file.h"
#include "number.h"
#include "svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 80, DIGITS = 3 };

/* The chosen evaluation of each arm. */
struct choice {
    bool *shown; /* owned */
    int count;   /* number of shown cells */
    char note[300];
};

static int choose(struct choice *out, const struct cells *cells, struct error *err)
{
    *out = (struct choice){ .shown = calloc((size_t)cells->count + 1, sizeof(bool)) };
    if (out->shown == NULL)
        return error_no_memory(err, "a figure");
    cells_choose(out->shown, cells, NULL, 0, out->note);
    for (int i = 0; i < cells->count; i++)
        out->count += out->shown[i];
    return out->count > 0 ? 0
                          : error_set(err, ERROR_ABSENT, "no evaluation%s has finished yet",
                                      results_conditions(cells->results));
}

static bool is_share(enum metric metric)
{
    return strcmp(METRICS[metric].unit, "share") == 0;
}

/* Number of arms with a shown cell; cells are in the order of arms. */
static int count_arms(const struct cells *cells, const bool *shown)
{
    int arms = 0, last = -1;

    for (int i = 0; i < cells->count; i++)
        if (shown[i] && cells->items[i].row->arm != last) {
            last = cells->items[i].row->arm;
            arms++;
        }
    return arms;
}

/* The name of a cell's series: its arm's, or with too many arms (many) its value on the
 * first training axis with words, or on any. Newly allocated or NULL. */
static char *series_name(const struct cells *cells, const struct cell *cell, bool many)
{
    int axis = -1;

    if (!many)
        return cells_label(cells, cell, NULL, 0);
    for (int a = cells->axis_count - 1; a >= 0; a--)
        if (!cells->axes[a].of_evaluation && (axis < 0 || !cells->axes[a].numeric) &&
            cells->axes[a].count <= SVG_SERIES)
            axis = a;
    return axis >= 0 ? cells_value_label(cells, cell, axis) : strdup("");
}

/* The series of a cell, added if new. */
static int series_of(struct chart *chart, const struct cells *cells, const struct cell *cell,
                     bool many)
{
    char *label = series_name(cells, cell, many);
    int series = 0;

    if (label == NULL) {
        chart->out_of_memory = true;
        return 0;
    }
    while (series < chart->series_count && strcmp(chart->series[series].label, label) != 0)
        series++;
    if (series == chart->series_count)
        series = chart_add_series(chart, label, series);
    free(label);
    return series;
}

/* Draws a mark for each shown cell at x(cell). */
static int draw_scatter(struct picture *picture, const struct cells *cells,
                        const struct choice *choice, struct chart *chart, const double *x,
                        const char *x_name, struct error *err)
{
    bool many = count_arms(cells, choice->shown) > SVG_SERIES;
    int rc = chart == NULL ? error_no_memory(err, "a figure") : 0;

    if (rc == 0)
        chart->y_is_share = is_share(cells->metric);
    for (int i = 0; i < cells->count && rc == 0; i++) {
        const struct cell *cell = &cells->items[i];
        struct chart_point point = chart_point_at(x[i], cell->mean);
        char number[NUMBER_TEXT_SIZE];

        if (!choice->shown[i] || !isfinite(x[i]))
            continue;
        char *label = cells_label(cells, cell, NULL, 0);
        char *place = label == NULL ? NULL
                                    : format_string("%s, %s%s", label,
                                                    number_scaled(number, x[i]), x_name);
        char *tooltip = place != NULL ? describe_cell(cells, cell, place) : NULL;
        int series = series_of(chart, cells, cell, many);

        if (isfinite(cell->deviation)) {
            point.low = cell->mean - cell->deviation;
            point.high = cell->mean + cell->deviation;
        }
        point.tooltip = tooltip;
        chart_add_point(chart, series, &point);
        free(label);
        free(place);
        free(tooltip);
        rc = tooltip == NULL || chart->out_of_memory ? error_no_memory(err, "a figure") : 0;
    }
    if (rc == 0)
        rc = note_cells(picture, cells, choice->shown,
                        "whiskers: \xc2\xb1 1 standard deviation over seeds; marks that would "
                        "meet stand side by side",
                        choice->note, err);
    if (rc == 0)
        return picture_add(picture, chart, err);
    chart_destroy(chart);
    return rc;
}

/* Whether the shown cells differ in x. */
static bool spread_of(const struct cells *cells, const struct choice *choice, const double *x,
                      double *low, double *high)
{
    bool found = false;

    for (int i = 0; i < cells->count; i++) {
        if (!choice->shown[i] || !isfinite(x[i]))
            continue;
        *low = found && *low < x[i] ? *low : x[i];
        *high = found && *high > x[i] ? *high : x[i];
        found = true;
    }
    return found && *high > *low;
}

int make_flops(struct picture *out, struct figure_source *source, struct error *err)
{
    const struct cells *cells = source->cells;
    struct choice choice;
    double *x = calloc((size_t)cells->count + 1, sizeof *x), low = 0, high = 0;
    int rc = choose(&choice, cells, err);

    if (rc == 0 && x == NULL)
        rc = error_no_memory(err, "a figure");
    for (int i = 0; i < cells->count && rc == 0; i++)
        x[i] = cells->items[i].flops;
    if (rc == 0 && !spread_of(cells, &choice, x, &low, &high))
        rc = error_set(err, ERROR_ABSENT, "all arms need the same FLOPs");
    if (rc == 0) {
        struct chart *chart = chart_create(CHART_LINES, NULL, "FLOPs of one training",
                                           METRICS[cells->metric].title);

        if (chart != NULL)
            chart->x_scale = high / low > 20 ? CHART_LOGARITHMIC : CHART_LINEAR;
        rc = draw_scatter(out, cells, &choice, chart, x, "FLOP", err);
    }
    free(choice.shown);
    free(x);
    return rc;
}

/* Computes the mean outer steps used by each cell. */
static void steps_of(double *x, const struct cells *cells)
{
    for (int i = 0; i < cells->count; i++) {
        const struct cell *cell = &cells->items[i];
        double sum = 0;
        int known = 0;

        for (int r = 0; r < cell->planned; r++) {
            double steps = result_value(cells->results, &cell->row[r], METRIC_MEAN_OUTER_STEPS);

            sum += isfinite(steps) ? steps : 0;
            known += isfinite(steps);
        }
        x[i] = known > 0 ? sum / known : (double)NAN;
    }
}

/* Whether any evaluation uses fewer outer steps than allowed. */
static bool stops_early(const struct cells *cells, const double *x)
{
    for (int i = 0; i < cells->count; i++)
        if (x[i] < (double)cells->items[i].row->outer_steps - 1e-6)
            return true;
    return false;
}

/* Shows all evaluations, because they differ in the steps that they use. */
int make_steps_used(struct picture *out, struct figure_source *source, struct error *err)
{
    static const char *const KEYS[] = { "eval.halt_max_steps", "eval.act_inference" };
    const struct cells *cells = source->cells;
    struct choice choice;
    double *x = calloc((size_t)cells->count + 1, sizeof *x), low = 0, high = 0;
    int rc = choose(&choice, cells, err);

    if (rc == 0 && x == NULL)
        rc = error_no_memory(err, "a figure");
    if (rc == 0)
        rc = figure_need(source, &(enum metric){ METRIC_MEAN_OUTER_STEPS }, 1, err);
    if (rc == 0) {
        cells_choose(choice.shown, cells, KEYS, 2, choice.note);
        steps_of(x, cells);
    }
    if (rc == 0 && !(spread_of(cells, &choice, x, &low, &high) && stops_early(cells, x)))
        rc = error_set(err, ERROR_ABSENT,
                       "every evaluation uses all of its outer steps (eval.act_inference)");
    if (rc == 0) {
        struct chart *chart =
            chart_create(CHART_LINES, NULL, "outer steps used, mean over rows",
                         METRICS[cells->metric].title);

        if (chart != NULL)
            chart->x_scale = low > 0 && high / low > 6 ? CHART_LOGARITHMIC : CHART_LINEAR;
        rc = draw_scatter(out, cells, &choice, chart, x, "outer steps", err);
    }
    free(choice.shown);
    free(x);
    return rc;
}

/* A point at the mean pass@k of a cell's seeds, with the deviation. */
static struct chart_point pass_point(const struct cells *cells, const struct cell *cell,
                                     enum metric metric)
{
    struct chart_point point = chart_point_at(METRICS[metric].rank, (double)NAN);
    double sum = 0, squares = 0;
    int known = 0;

    for (int pass = 0; pass < 2; pass++)
        for (int r = 0; r < cell->planned; r++) {
            double value = result_value(cells->results, &cell->row[r], metric);

            if (!isfinite(value) || strcmp(cell->row[r].checkpoint, "last") != 0)
                continue;
            if (pass == 0) {
                sum += value;
                known++;
            } else {
                squares += (value - sum / known) * (value - sum / known);
            }
        }
    if (known == 0)
        return point;
    point.y = sum / known;
    if (known > 1) {
        double deviation = sqrt(squares / (known - 1));

        point.low = point.y - deviation;
        point.high = point.y + deviation;
    }
    return point;
}

static const enum metric KS[] = { METRIC_PASS_AT_1,  METRIC_PASS_AT_2,   METRIC_PASS_AT_5,
                                  METRIC_PASS_AT_10, METRIC_PASS_AT_100, METRIC_PASS_AT_1000 };
enum { K_COUNT = sizeof KS / sizeof *KS };

static int add_pass_line(struct chart *chart, const char *label, const struct cells *cells,
                         const struct cell *cell, struct error *err)
{
    int series = chart_add_series(chart, label, chart->series_count);

    if (chart->out_of_memory)
        return error_no_memory(err, "a figure");
    chart_join_points(chart, series, true);
    for (int k = 0; k < K_COUNT; k++) {
        struct chart_point point = pass_point(cells, cell, KS[k]);
        char number[NUMBER_TEXT_SIZE];
        char *tooltip = format_string("%s, %s: %s", label, METRICS[KS[k]].title,
                                      number_measure(number, point.y, DIGITS));

        if (tooltip == NULL)
            return error_no_memory(err, "a figure");
        point.tooltip = tooltip;
        if (isfinite(point.y)) {
            chart_add_x_tick(chart, point.x);
            chart_add_point(chart, series, &point);
        }
        free(tooltip);
    }
    return 0;
}

/* Whether more answers solve no more tasks in any arm. */
static bool is_flat(const struct chart *chart)
{
    for (int s = 0; s < chart->series_count; s++)
        for (int i = 1; i < chart->series[s].count; i++)
            if (chart->series[s].points[i].y > chart->series[s].points[0].y)
                return false;
    return true;
}

int make_pass_at_k(struct picture *out, struct figure_source *source, struct error *err)
{
    const struct cells *cells = source->cells;
    struct choice choice;
    struct chart *chart = chart_create(CHART_LINES, NULL, "answers allowed, k", "pass@k");
    int rc = choose(&choice, cells, err);

    if (rc == 0 && chart == NULL)
        rc = error_no_memory(err, "a figure");
    if (rc == 0 && choice.count > SVG_SERIES)
        rc = error_set(err, ERROR_FORMAT,
                       "%d arms, at most %d can be told apart; choose by "
                       "--where",
                       choice.count, SVG_SERIES);
    if (rc == 0)
        rc = figure_need(source, KS, K_COUNT, err);
    if (rc == 0) {
        chart->x_scale = CHART_LOGARITHMIC;
        chart->y_is_share = true;
    }
    for (int i = 0; i < cells->count && rc == 0; i++) {
        if (!choice.shown[i])
            continue;
        char *label = cells_label(cells, &cells->items[i], NULL, 0);

        rc = label == NULL ? error_no_memory(err, "a figure")
                           : add_pass_line(chart, label, cells, &cells->items[i], err);
        free(label);
    }
    if (rc == 0 && is_flat(chart))
        rc = error_set(err, ERROR_ABSENT, "more answers solve no more: pass@k is pass@1");
    if (rc == 0)
        rc = note_cells(out, cells, choice.shown,
                        "bands: \xc2\xb1 1 standard deviation over seeds", choice.note, err);
    if (rc == 0)
        rc = picture_add(out, chart, err);
    else
        chart_destroy(chart);
    free(choice.shown);
    return rc;
}

/* Adds the row of this name: a mark per seed, a line at their mean. */
static int add_seed_row(struct chart *chart, const char *name, const struct cells *cells,
                        const struct cell *cell, struct error *err)
{
    int row = chart_add_y_name(chart, name);
    const char *comma = name[0] != '\0' ? ", " : "";
    char number[NUMBER_TEXT_SIZE];
    struct chart_point mean = chart_point_at(cell->mean, row);
    char *tooltip = describe_cell(cells, cell, name);

    if (tooltip == NULL)
        return error_no_memory(err, "a figure");
    mean.tooltip = tooltip;
    mean.label = number_measure(number, cell->mean, DIGITS);
    chart_add_point(chart, 0, &mean);
    free(tooltip);
    for (int i = 0; i < cell->count; i++) {
        struct chart_point point = chart_point_at(cell->values[i], row);
        int same = 0;

        for (int k = 0; k < i; k++)
            same += cell->values[k] == cell->values[i];
        /* equal values are drawn below each other */
        point.y += same > 2 ? 0.3 : 0.15 * same;

        tooltip = format_string("%s%sseed %lld: %s", name, comma, (long long)cell->seeds[i],
                                number_measure(number, cell->values[i], DIGITS));
        point.minor = true;
        point.tooltip = tooltip;
        chart_add_point(chart, 0, &point);
        free(tooltip);
        if (tooltip == NULL)
            return error_no_memory(err, "a figure");
    }
    return 0;
}

int make_seeds(struct picture *out, struct figure_source *source, struct error *err)
{
    const struct cells *cells = source->cells;
    struct choice choice;
    struct chart *chart = chart_create(CHART_ROWS, NULL, METRICS[cells->metric].title, NULL);
    int rc = choose(&choice, cells, err), most = 0;

    for (int i = 0; i < cells->count && rc == 0; i++)
        if (choice.shown[i] && cells->items[i].count > most)
            most = cells->items[i].count;
    if (rc == 0 && chart == NULL)
        rc = error_no_memory(err, "a figure");
    if (rc == 0 && most < 2)
        rc = error_set(err, ERROR_ABSENT, "no arm has two seeds with results");
    if (rc == 0 && choice.count > MOST_ROWS)
        rc = error_set(err, ERROR_FORMAT, "%d arms, at most %d rows; choose by --where",
                       choice.count, MOST_ROWS);
    if (rc == 0)
        chart_add_series(chart, "", 0);
    for (int i = 0; i < cells->count && rc == 0; i++) {
        if (!choice.shown[i])
            continue;
        char *label = cells_label(cells, &cells->items[i], NULL, 0);

        rc = label == NULL ? error_no_memory(err, "a figure")
                           : add_seed_row(chart, label, cells, &cells->items[i], err);
        free(label);
    }
    if (rc == 0)
        rc = note_cells(out, cells, choice.shown, "a mark for each seed, a line at their mean",
                        choice.note, err);
    if (rc == 0)
        rc = picture_add(out, chart, err);
    else
        chart_destroy(chart);
    free(choice.shown);
    return rc;
}

/* Adds a difference with its interval, and both as text. */
static int add_difference(struct chart *chart, const struct comparison *item, struct error *err)
{
    const struct estimate *e = &item->estimate;
    enum verdict verdict = comparison_verdict(item);
    int row = chart_add_y_name(chart, item->label);
    struct chart_point point = chart_point_at(e->value, row);
    char value[NUMBER_TEXT_SIZE], low[NUMBER_TEXT_SIZE], high[NUMBER_TEXT_SIZE];
    char p[NUMBER_TEXT_SIZE], *label, *tooltip;

    number_signed(value, e->value, DIGITS);
    number_signed(low, e->low, DIGITS);
    number_signed(high, e->high, DIGITS);
    label = isfinite(e->low) ? format_string("%s [%s, %s]", value, low, high) : strdup(value);
    tooltip =
        format_string("%s%s%s: %s [%s, %s], p (Holm) %s, %s, %d seed%s, %d task%s", item->group,
                      item->group[0] != '\0' ? ", " : "", item->label, value, low, high,
                      number_p(p, item->p_holm), verdict_name(verdict), e->seeds,
                      e->seeds == 1 ? "" : "s", e->tasks, e->tasks == 1 ? "" : "s");
    point.low = e->low;
    point.high = e->high;
    point.verdict = verdict == VERDICT_HIGHER  ? CHART_HIGHER
                    : verdict == VERDICT_LOWER ? CHART_LOWER
                                               : CHART_OPEN;
    point.label = label;
    point.tooltip = tooltip;
    chart_add_point(chart, 0, &point);
    bool fails = label == NULL || tooltip == NULL;

    free(label);
    free(tooltip);
    return fails ? error_no_memory(err, "a figure") : 0;
}

/* The number of differences of which the interval does not cover other seeds. */
static int count_over_tasks(const struct comparison_list *list)
{
    int count = 0;

    for (int i = 0; i < list->count; i++)
        count += list->items[i].estimate.tasks_only;
    return count;
}

int make_differences(struct picture *out, struct figure_source *source, struct error *err)
{
    const struct comparison_list *list = &source->comparisons;
    int rc = figure_compare(source, err);

    if (rc == 0 && list->count == 0)
        rc = error_set(err, ERROR_ABSENT,
                       list->impossible > 0
                           ? "no two sides that could be compared have a task in common"
                           : "there are no two arms to compare");
    if (rc == 0 && list->count > MOST_ROWS)
        rc = error_set(err, ERROR_FORMAT, "%d differences, at most %d rows; choose by --where",
                       list->count, MOST_ROWS);
    if (rc != 0)
        return rc;
    char *axis = format_string("difference in %s", METRICS[source->compare->metric].title);
    int narrow = count_over_tasks(list);
    char *note = format_string(
        "95 %% intervals, not corrected; coloured where the difference is shown after Holm's "
        "correction for the %d difference%s drawn%s%s.",
        list->count, list->count == 1 ? "" : "s",
        figure_averages_settings(source)
            ? "; means over the values of the other settings that both sides have"
            : "",
        narrow == 0             ? ""
        : narrow == list->count ? "; over tasks only (fewer than 3 seeds)"
                                : "; over tasks only where there are fewer than 3 seeds");
    struct chart *chart = axis != NULL ? chart_create(CHART_ROWS, NULL, axis, NULL) : NULL;

    rc = axis == NULL || note == NULL || chart == NULL ? error_no_memory(err, "a figure")
                                                       : picture_describe(out, NULL, note, err);
    free(axis);
    free(note);
    if (rc == 0) {
        chart->zero_line = true;
        chart_add_series(chart, "", 0);
    }
    for (int i = 0; i < list->count && rc == 0; i++) {
        const char *group = list->items[i].group;

        if (group[0] != '\0' && (i == 0 || strcmp(group, list->items[i - 1].group) != 0))
            chart_add_y_name(chart, group); /* a heading */
        rc = add_difference(chart, &list->items[i], err);
    }
    if (rc == 0)
        return picture_add(out, chart, err);
    chart_destroy(chart);
    return rc;
}
