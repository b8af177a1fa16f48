/*
 * figure_dynamics.c - figures of what happens over the outer steps: forward residuals,
 * calibration of q_halt, halting rules.
 */
#include "figure_kinds.h"

#include "error.h"
#include "evaluation_keys.h"
#include "evaluation_words.h"
#include "file.h"
#include "number.h"
#include "svg.h"
#include "text_set.h"
#include "text_stream.h"
#include "trajectories.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 3, BINS = 10, MOST_WHISKERS = 24, MOST_ARMS = 8 };

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
    char *tooltip = format_string("%s: %s at %s", label, number_measure(other, y, DIGITS),
                                  number_measure(one, x, DIGITS));

    if (tooltip == NULL)
        return error_no_memory(err, "a figure");
    point.tooltip = tooltip;
    chart_add_point(chart, chart->series_count - 1, &point);
    free(tooltip);
    return 0;
}

static int begin_line(struct chart *chart, const char *label, int style, struct error *err)
{
    int series = chart_add_series(chart, label, style);

    if (chart->out_of_memory)
        return error_no_memory(err, "a figure");
    chart_join_points(chart, series, false);
    return 0;
}

/* The arms of a figure, each with one style in all of its charts. */
struct drawn_arms {
    int *styles; /* owned: of each evaluation; -1: not drawn */
    int count;   /* of the arms that could be drawn: styles are given to SVG_STYLES */
};

static bool has_list(const struct trajectory_mean *mean, const enum metric *measures, int count)
{
    for (int m = 0; m < count; m++)
        if (mean->lists[measures[m] - METRIC_COUNT].count > 0)
            return true;
    return false;
}

/* Gives a style to every evaluation that is_drawn() and has one of the measures. */
static int choose_arms(struct drawn_arms *out, const struct trajectories *all,
                       const enum metric *measures, int count, struct error *err)
{
    *out = (struct drawn_arms){ .styles = calloc((size_t)all->count + 1, sizeof(int)) };
    if (out->styles == NULL)
        return error_no_memory(err, "a figure");
    for (int i = 0; i < all->count; i++) {
        bool drawn = is_drawn(all, i) && has_list(&all->items[i], measures, count);

        out->styles[i] = drawn && out->count < SVG_STYLES ? out->count : -1;
        out->count += drawn;
    }
    return 0;
}

/* Draws the arms that have the measure; *drawn counts them. */
static int draw_arms(struct chart *chart, int *drawn, const struct drawn_arms *arms,
                     const struct figure_source *source, const struct trajectories *all,
                     enum metric measure, draw_fn *draw, struct error *err)
{
    int rc = chart == NULL ? error_no_memory(err, "a figure") : 0;

    *drawn = 0;
    for (int i = 0; i < all->count && rc == 0; i++) {
        const struct trajectory_mean *mean = &all->items[i];

        if (arms->styles[i] < 0 || !has_list(mean, &measure, 1))
            continue;
        char *label = label_of(source, mean);
        rc = label == NULL ? error_no_memory(err, "a figure")
                           : begin_line(chart, label, arms->styles[i], err);
        if (rc == 0)
            rc = draw(chart, label, mean, measure, err);
        free(label);
        *drawn += 1;
    }
    return rc;
}

/* Another evaluation of the test split of the same arm with as many outer steps; -1:
 * there is none. */
static int rival_of(const struct trajectories *all, int item)
{
    const struct result_row *row = all->items[item].row;

    for (int i = 0; i < all->count; i++) {
        const struct result_row *other = all->items[i].row;

        if (i != item && other->arm == row->arm && !other->train_split &&
            other->outer_steps == row->outer_steps)
            return i;
    }
    return -1;
}

/* Writes which of several evaluations are drawn, each once: "; of several the first,
 * infer 4, voted all". */
static int write_chosen(FILE *to, const struct drawn_arms *arms, const struct trajectories *all)
{
    struct text_set said = { 0 };
    int rc = 0;

    for (int i = 0; i < all->count && rc == 0; i++) {
        int rival = arms->styles[i] < 0 ? -1 : rival_of(all, i);

        if (rival < 0)
            continue;
        char *words = evaluation_words_of(all->items[i].row, all->items[rival].row->evaluation);
        bool known = words == NULL || text_set_find(&said, words) >= 0;

        if (!known)
            fprintf(to, "%s%s", said.count > 0 ? ", or " : "; of several the first, ", words);
        rc = words == NULL || text_set_add(&said, words) == NULL ? -1 : 0;
        free(words);
    }
    if (said.count > 0)
        fputs(" (--where chooses another)", to);
    text_set_release(&said);
    return rc;
}

static int note_drawn(struct picture *out, const struct drawn_arms *arms,
                      const struct trajectories *all, struct error *err)
{
    char *note = NULL;
    size_t size = 0;
    FILE *to = text_stream_open(&note, &size);

    if (to == NULL)
        return error_no_memory(err, "a figure");
    fputs("Means over rows and seeds of each arm's evaluation with the most outer steps", to);
    int rc = write_chosen(to, arms, all);
    if (arms->count > SVG_STYLES)
        fprintf(to, "; the first %d of %d arms", SVG_STYLES, arms->count);
    fputc('.', to);
    rc = fclose(to) != 0 || rc != 0 ? error_no_memory(err, "a figure")
                                    : picture_describe(out, NULL, note, err);
    free(note);
    return rc;
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

/* Adds a chart of one state, unless no arm has it. */
static int add_state(struct picture *out, const struct drawn_arms *arms,
                     const struct figure_source *source, const struct trajectories *all,
                     enum metric measure, const char *title, struct error *err)
{
    struct chart *chart =
        chart_create(CHART_LINES, title, "outer step", "change / norm of the state");
    int drawn, rc = draw_arms(chart, &drawn, arms, source, all, measure, draw_residual, err);

    if (chart != NULL)
        chart->x_counts = true;
    if (rc == 0 && drawn > 0)
        return picture_add(out, chart, err);
    chart_destroy(chart);
    return rc;
}

int make_residuals(struct picture *out, struct figure_source *source, struct error *err)
{
    static const enum metric STATES[] = { VECTOR_RESIDUAL_H, VECTOR_RESIDUAL_L,
                                          VECTOR_RESIDUAL_LAYER };
    static const char *const TITLES[] = { "zH, the slow state", "zL, the fast state",
                                          "layers of a direct transformer" };
    enum { STATE_COUNT = sizeof STATES / sizeof *STATES };
    struct drawn_arms arms = { 0 };
    struct trajectories all;
    int rc = trajectories_load(&all, source->store, source->results, err);

    if (rc == 0)
        rc = choose_arms(&arms, &all, STATES, STATE_COUNT, err);
    for (int s = 0; s < STATE_COUNT && rc == 0; s++)
        rc = add_state(out, &arms, source, &all, STATES[s], TITLES[s], err);
    picture_align(out);
    if (rc == 0)
        rc = arms.count > 0 ? note_drawn(out, &arms, &all, err) : error_without_lists(err);
    free(arms.styles);
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

/* The line on which the model is right as often as it states. */
static int add_diagonal(struct chart *chart, struct error *err)
{
    int rc = chart == NULL ? error_no_memory(err, "a figure")
                           : begin_line(chart, "as stated", SVG_REFERENCE, err);

    if (rc == 0)
        rc = add_point(chart, "as stated", 0, 0, err);
    return rc == 0 ? add_point(chart, "as stated", 1, 1, err) : rc;
}

int make_calibration(struct picture *out, struct figure_source *source, struct error *err)
{
    static const enum metric EXACT = VECTOR_Q_BIN_EXACT;
    struct chart *chart =
        chart_create(CHART_LINES, NULL, "probability that the model states, sigmoid(q_halt)",
                     "share of exact rows");
    struct drawn_arms arms = { 0 };
    struct trajectories all;
    int drawn = 0;
    int rc = trajectories_load(&all, source->store, source->results, err);

    if (rc == 0)
        rc = choose_arms(&arms, &all, &EXACT, 1, err);
    if (rc == 0)
        rc = add_diagonal(chart, err); /* first: its marks hide none of the arms */
    if (rc == 0)
        rc = draw_arms(chart, &drawn, &arms, source, &all, EXACT, draw_bins, err);
    if (rc == 0 && drawn == 0)
        rc = error_without_lists(err);
    if (rc == 0) {
        chart->y_is_share = true;
        rc = note_drawn(out, &arms, &all, err);
    }
    if (rc == 0)
        rc = picture_add(out, chart, err);
    else
        chart_destroy(chart);
    free(arms.styles);
    trajectories_release(&all);
    return rc;
}

/* ---- halting rules ---- */

/* The series of an evaluation's halting rule, added if new; -1: no memory. A rule has
 * one style in all charts: rules are those met so far. */
static int series_of_rule(struct chart *chart, struct text_set *rules,
                          const struct result_row *row)
{
    char *rule = evaluation_key_text(row->evaluation, EVALUATION_HALT_RULE);
    const char *name = row->act_inference ? "ACT" : rule != NULL ? rule : "max";
    bool added = text_set_add(rules, name) != NULL;
    int series = 0;

    while (series < chart->series_count && strcmp(chart->series[series].label, name) != 0)
        series++;
    if (added && series == chart->series_count)
        series = chart_add_series(chart, name, text_set_find(rules, name));
    free(rule);
    return added ? series : -1;
}

/* Mean number of outer steps that the rows of a cell use; NaN: not known. */
static double steps_used(const struct cells *cells, const struct cell *cell)
{
    double sum = 0;
    int known = 0;

    for (int r = 0; r < cell->planned; r++) {
        double steps = result_value(cells->results, &cell->row[r], METRIC_MEAN_OUTER_STEPS);

        sum += isfinite(steps) ? steps : 0;
        known += isfinite(steps);
    }
    return known > 0 ? sum / known : (double)NAN;
}

/* Whether the figure shows the cell. */
static bool has_rule(const struct cells *cells, const struct cell *cell)
{
    return cell->count > 0 && !cell->row->train_split && isfinite(steps_used(cells, cell));
}

static int draw_rule(struct chart *chart, struct text_set *rules, const struct cells *cells,
                     const struct cell *cell, bool whiskers, struct error *err)
{
    struct chart_point point = chart_point_at(steps_used(cells, cell), cell->mean);
    int series = series_of_rule(chart, rules, cell->row);
    char number[NUMBER_TEXT_SIZE], *label = cells_label(cells, cell, NULL, 0);
    char *place = label == NULL || series < 0 || chart->out_of_memory
                      ? NULL
                      : format_string("%s%s%s, %s of %lld outer steps", label,
                                      label[0] != '\0' ? ", " : "", chart->series[series].label,
                                      number_measure(number, point.x, 2),
                                      (long long)cell->row->outer_steps);
    char *tooltip = place == NULL ? NULL : describe_cell(cells, cell, place);
    int rc = tooltip == NULL ? error_no_memory(err, "a figure") : 0;

    if (whiskers && isfinite(cell->deviation)) {
        point.low = cell->mean - cell->deviation;
        point.high = cell->mean + cell->deviation;
    }
    point.tooltip = tooltip;
    if (rc == 0)
        chart_add_point(chart, series, &point);
    free(label);
    free(place);
    free(tooltip);
    return rc;
}

/* Adds a chart of the cells first to end - 1, which are of one arm, named unless it is
 * the only one. */
static int add_rules(struct picture *out, struct text_set *rules, const struct cells *cells,
                     int first, int end, bool whiskers, struct error *err)
{
    char *label = cells_label(cells, &cells->items[first], NULL, 0);
    struct chart *chart =
        label == NULL
            ? NULL
            : chart_create(CHART_LINES, label[0] != '\0' ? label : NULL,
                           "outer steps used, mean over rows", METRICS[cells->metric].title);
    int rc = chart == NULL ? error_no_memory(err, "a figure") : 0;

    free(label);
    if (rc < 0)
        return rc;
    chart->x_scale = CHART_LOGARITHMIC; /* nothing uses less than one step */
    chart->y_is_share = strcmp(METRICS[cells->metric].unit, "share") == 0;
    for (int i = first; i < end && rc == 0; i++)
        if (has_rule(cells, &cells->items[i]))
            rc = draw_rule(chart, rules, cells, &cells->items[i], whiskers, err);
    if (rc == 0)
        return picture_add(out, chart, err);
    chart_destroy(chart);
    return rc;
}

/* The end of the cells of one arm from first on; *shown: how many have a rule. */
static int end_of_arm(const struct cells *cells, int first, int *shown)
{
    int end = first;

    *shown = 0;
    for (; end < cells->count && cells->items[end].row->arm == cells->items[first].row->arm;
         end++)
        *shown += has_rule(cells, &cells->items[end]);
    return end;
}

static int note_rules(struct picture *out, int arms, bool whiskers, struct error *err)
{
    char left[60] = "";

    if (arms > MOST_ARMS)
        snprintf(left, sizeof left, " The first %d of %d arms.", MOST_ARMS, arms);
    char *note = format_string(
        "%s mark per evaluation, those that would meet side by side%s.%s",
        arms > 1 ? "A field per arm, and in it a" : "A",
        whiskers ? "; whiskers: \xc2\xb1 1 standard deviation over seeds" : "", left);
    int rc = note == NULL ? error_no_memory(err, "a figure")
                          : picture_describe(out, NULL, note, err);

    free(note);
    return rc;
}

int make_halting_rules(struct picture *out, struct figure_source *source, struct error *err)
{
    const struct cells *cells = source->cells;
    struct text_set rules = { 0 };
    int rc = figure_need(source, &(enum metric){ METRIC_MEAN_OUTER_STEPS }, 1, err);
    int most = 0, arms = 0, shown;

    for (int i = 0; i < cells->count && rc == 0;) {
        i = end_of_arm(cells, i, &shown);
        most = shown > most ? shown : most;
    }
    for (int i = 0, end; i < cells->count && rc == 0; i = end) {
        end = end_of_arm(cells, i, &shown);
        arms += shown > 0;
        if (shown > 0 && arms <= MOST_ARMS)
            rc = add_rules(out, &rules, cells, i, end, most <= MOST_WHISKERS, err);
    }
    if (rc == 0 && rules.count < 2)
        rc = error_set(err, ERROR_ABSENT,
                       "all evaluations have the same halting rule (eval.halt_rule, "
                       "eval.act_inference)");
    if (rc == 0 && out->count > 1)
        picture_align(out);
    if (rc == 0)
        rc = note_rules(out, arms, most <= MOST_WHISKERS, err);
    text_set_release(&rules);
    return rc;
}
