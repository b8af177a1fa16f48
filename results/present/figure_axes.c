/* figure_axes.c - figures of a measure against one or two axes. */
#include "figure_kinds.h"

#include "error.h"
#include "file.h"
#include "number.h"
#include "published.h"
#include "short_key.h"
#include "svg.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of an ablation most combinations are a single point, which is not drawn. */
enum { MOST_LABELS = 1000, MOST_CHARTS = 16, DIGITS = 3 };

/* More bars than these need the whole width. */
enum { MOST_SMALL_BARS = 16, NAMED_ARMS = 6 };

static const char TRAIN_STEPS[] = "arch.halt_max_steps";
static const char EVAL_STEPS[] = "eval.halt_max_steps";

/* A shown cell as a point of a figure. */
struct place {
    const struct cell *cell;
    char *label;  /* owned: name of its series or chart */
    int category; /* index among the combinations of x that occur */
    double x;     /* the number, or the index of the category */
    int series;
};

struct places {
    struct place *items; /* owned */
    int count;
    char *labels[MOST_LABELS]; /* borrowed from the items, in their order */
    int label_count;
    char note[300];
};

static void places_release(struct places *places)
{
    for (int i = 0; i < places->count; i++)
        free(places->items[i].label);
    free(places->items);
    *places = (struct places){ 0 };
}

char *describe_cell(const struct cells *cells, const struct cell *cell, const char *label)
{
    char mean[NUMBER_TEXT_SIZE], spread[NUMBER_TEXT_SIZE], value[NUMBER_TEXT_SIZE];
    char seeds[200] = "";
    size_t used = 0;
    int listed = 0;

    for (; listed < cell->count && used + 20 < sizeof seeds; listed++)
        used +=
            (size_t)snprintf(seeds + used, sizeof seeds - used, "%s%s", listed > 0 ? ", " : "",
                             number_measure(value, cell->values[listed], DIGITS));
    return format_string(
        "%s%s%s %s%s%s (%d seed%s: %s%s)", label, label[0] != '\0' ? ": " : "",
        METRICS[cells->metric].title, number_measure(mean, cell->mean, DIGITS),
        isfinite(cell->deviation) ? " \xc2\xb1 " : "",
        isfinite(cell->deviation) ? number_measure(spread, cell->deviation, DIGITS) : "",
        cell->count, cell->count == 1 ? "" : "s", seeds, listed < cell->count ? ", ..." : "");
}

/* Appends text to *list, which is freed and NULL without memory. */
static void append(char **list, const char *text)
{
    char *longer = *list != NULL ? format_string("%s%s", *list, text) : NULL;

    free(*list);
    *list = longer;
}

/* " Without results: hrm, lr=10; hrm, lr=20.", of arms of which no evaluation has any;
 * "": there are none. Newly allocated; NULL: no memory. */
static char *name_missing(const struct cells *cells)
{
    char *list = strdup("");
    int missing = 0;

    for (int i = 0, end; i < cells->count && list != NULL; i = end) {
        bool any = false;

        for (end = i;
             end < cells->count && cells->items[end].row->arm == cells->items[i].row->arm;
             end++)
            any = any || cells->items[end].count > 0;
        if (any || ++missing > NAMED_ARMS)
            continue;
        char *label = cells_label(cells, &cells->items[i], NULL, 0);

        append(&list, missing == 1 ? " Without results: " : "; ");
        append(&list, label != NULL ? label : "");
        free(label);
    }
    if (missing > 0)
        append(&list, missing > NAMED_ARMS ? "; ..." : ".");
    return list;
}

int note_cells(struct picture *picture, const struct cells *cells, const bool *shown,
               const char *spread, const char *chosen, struct error *err)
{
    int fewest = 0, most = 0;

    for (int i = 0; i < cells->count; i++)
        if (shown[i]) {
            int count = cells->items[i].count;

            fewest = fewest == 0 || count < fewest ? count : fewest;
            most = count > most ? count : most;
        }
    char seeds[40];

    if (fewest == most)
        snprintf(seeds, sizeof seeds, "%d seed%s", most, most == 1 ? "" : "s");
    else
        snprintf(seeds, sizeof seeds, "%d to %d seeds", fewest, most);
    char *missing = name_missing(cells), *note = NULL;

    if (missing != NULL)
        note = format_string("%s %s%s%s%s%s.%s", most > 1 ? "Mean over" : "", seeds,
                             most > 1 ? ", " : "", most > 1 ? spread : "",
                             chosen[0] != '\0' ? "; " : "", chosen, missing);
    int rc = note == NULL ? error_no_memory(err, "a figure")
                          : picture_describe(picture, NULL, note + strspn(note, " "), err);

    free(note);
    free(missing);
    return rc;
}

static int refuse_combinations(int most, struct error *err)
{
    return error_set(err, ERROR_FORMAT,
                     "more than %d combinations of the other settings; choose by --where",
                     most);
}

static int refuse_axis(const struct figure_source *source, const char *keys, struct error *err)
{
    return error_set(err, ERROR_ABSENT, "experiment \"%.80s\" does not vary %s",
                     source->results->experiment, keys);
}

/* The number of a label, which is added if new; -1: there are too many. */
static int label_number(struct places *places, char *label)
{
    for (int i = 0; i < places->label_count; i++)
        if (strcmp(places->labels[i], label) == 0)
            return i;
    if (places->label_count == MOST_LABELS)
        return -1;
    places->labels[places->label_count] = label;
    return places->label_count++;
}

/* Gives a place its label, which it takes, and the series of that label. */
static int name_place(struct places *places, struct place *place, char *label,
                      struct error *err)
{
    free(place->label);
    place->label = label;
    if (label == NULL)
        return error_no_memory(err, "a figure");
    place->series = label_number(places, label);
    return place->series < 0 ? refuse_combinations(MOST_LABELS, err) : 0;
}

/* Leaves out of the labels what has no effect in any place of a series. It is part of
 * the label until then: the series of "L_cycles=2" over systems has a transformer,
 * too. */
static int shorten_labels(struct places *places, const struct cells *cells,
                          const char *const *keys, int key_count, struct error *err)
{
    size_t axes = (size_t)cells->axis_count;
    bool *told = calloc((size_t)places->label_count * axes + 1, sizeof *told);
    int rc = told == NULL ? error_no_memory(err, "a figure") : 0;

    for (int i = 0; i < places->count && rc == 0; i++) {
        const struct place *place = &places->items[i];

        for (int a = 0; a < cells->axis_count; a++)
            if (cells_axis_is_told(cells, a, keys, key_count) &&
                cell_has_effect(cells, place->cell, a))
                told[(size_t)place->series * axes + (size_t)a] = true;
    }
    places->label_count = 0;
    for (int i = 0; i < places->count && rc == 0; i++) {
        struct place *place = &places->items[i];
        const bool *of_series = told + (size_t)place->series * axes;

        rc = name_place(places, place, cells_label_told(cells, place->cell, of_series), err);
    }
    free(told);
    return rc;
}

/* Collects the shown cells, labelled by their values on the axes that are not in
 * keys. */
static int find_places(struct places *out, const struct figure_source *source, bool *shown,
                       const char *const *keys, int key_count, struct error *err)
{
    const struct cells *cells = source->cells;
    bool *told = calloc((size_t)cells->axis_count + 1, sizeof *told);
    int rc = told == NULL ? error_no_memory(err, "a figure") : 0;

    *out = (struct places){ 0 };
    cells_choose(shown, cells, keys, key_count, out->note);
    out->items = calloc((size_t)cells->count + 1, sizeof *out->items);
    if (rc == 0 && out->items == NULL)
        rc = error_no_memory(err, "a figure");
    for (int a = 0; a < cells->axis_count && rc == 0; a++)
        told[a] = cells_axis_is_told(cells, a, keys, key_count);
    for (int i = 0; i < cells->count && rc == 0; i++) {
        if (!shown[i])
            continue;
        struct place *place = &out->items[out->count++];

        *place = (struct place){ .cell = &cells->items[i] };
        rc = name_place(out, place, cells_label_told(cells, place->cell, told), err);
    }
    free(told);
    if (rc == 0)
        rc = shorten_labels(out, cells, keys, key_count, err);
    if (rc == 0 && out->count == 0)
        rc = error_set(err, ERROR_ABSENT, "no evaluation%s has finished yet",
                       results_conditions(cells->results));
    return rc;
}

/* Names the categories of x that occur, in the order of the axes, and assigns the
 * cells to them. Titles of ticks are "1" or "2 x 1". */
static int place_x(struct places *places, struct chart *chart, const struct cells *cells,
                   const int *axes, int axis_count, bool numeric, struct error *err)
{
    int second = axis_count > 1 ? cells->axes[axes[1]].count : 1;
    int size = cells->axes[axes[0]].count * second;
    int *number = calloc((size_t)size, sizeof *number);

    if (number == NULL)
        return error_no_memory(err, "a figure");
    for (int i = 0; i < places->count; i++) {
        const int *at = places->items[i].cell->at;

        places->items[i].category = at[axes[0]] * second + (axis_count > 1 ? at[axes[1]] : 0);
        number[places->items[i].category] = 1;
    }
    for (int c = 0; c < size; c++) {
        if (number[c] == 0)
            continue;
        const char *first = cells->axes[axes[0]].values[c / second];
        char *name = axis_count == 1 ? strdup(first)
                                     : format_string("%s \xc3\x97 %s", first,
                                                     cells->axes[axes[1]].values[c % second]);

        chart->out_of_memory = chart->out_of_memory || name == NULL;
        number[c] = name != NULL ? chart_add_x_name(chart, name) : 0;
        free(name);
    }
    for (int i = 0; i < places->count; i++) {
        struct place *place = &places->items[i];

        place->category = number[place->category];
        place->x =
            numeric ? cells->axes[axes[0]].numbers[place->cell->at[axes[0]]] : place->category;
    }
    free(number);
    return chart->out_of_memory ? error_no_memory(err, "a figure") : 0;
}

/* Uses a logarithmic scale for numbers that span more than a factor of 6, with ticks
 * at the points. */
static void choose_scale(struct chart *chart)
{
    double low = (double)INFINITY, high = -(double)INFINITY;

    for (int s = 0; s < chart->series_count && chart->x_scale == CHART_LINEAR; s++)
        for (int i = 0; i < chart->series[s].count; i++) {
            double x = chart->series[s].points[i].x;

            low = x < low ? x : low;
            high = x > high ? x : high;
            chart_add_x_tick(chart, x);
        }
    if (chart->x_scale == CHART_LINEAR && low > 0 && high / low > 6)
        chart->x_scale = CHART_LOGARITHMIC;
}

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->series != y->series)
        return x->series - y->series;
    return x->category - y->category;
}

static int count_series(const struct places *places, int series)
{
    int count = 0;

    for (int i = 0; i < places->count; i++)
        count += places->items[i].series == series;
    return count;
}

/* name: of the place on the x axis. */
static int add_place(struct chart *chart, int series, const struct cells *cells,
                     const struct place *place, const char *name, struct error *err)
{
    const struct cell *cell = place->cell;
    struct chart_point point = chart_point_at(place->x, cell->mean);
    char *label = format_string("%s%s%s %s", place->label, place->label[0] != '\0' ? ", " : "",
                                chart->x_title, name);
    char *tooltip = label != NULL ? describe_cell(cells, cell, label) : NULL;

    if (isfinite(cell->deviation)) {
        point.low = cell->mean - cell->deviation;
        point.high = cell->mean + cell->deviation;
    }
    point.tooltip = tooltip;
    chart_add_point(chart, series, &point);
    free(label);
    free(tooltip);
    return tooltip == NULL ? error_no_memory(err, "a figure") : 0;
}

/* Adds the series with their points. Series of a single point are left out if others
 * have more: in an ablation, the arms that change something else. */
static int add_places(struct chart *chart, struct places *places, const struct cells *cells,
                      int *drawn, struct error *err)
{
    int most = 0, rc = 0;

    qsort(places->items, (size_t)places->count, sizeof *places->items, compare_places);
    for (int s = 0; s < places->label_count; s++) {
        int count = count_series(places, s);

        most = count > most ? count : most;
    }
    if (most < 2)
        return error_set(err, ERROR_ABSENT, "fewer than two of its values have results");
    *drawn = 0;
    for (int i = 0, end; i < places->count && rc == 0; i = end) {
        int series;

        for (end = i + 1; end < places->count; end++)
            if (places->items[end].series != places->items[i].series)
                break;
        if (end - i < 2)
            continue;
        if (++*drawn > SVG_SERIES)
            return refuse_combinations(SVG_SERIES, err);
        series = chart_add_series(chart, places->items[i].label, *drawn - 1);
        if (chart->kind == CHART_LINES)
            chart_join_points(chart, series, true);
        for (int k = i; k < end && rc == 0 && !chart->out_of_memory; k++)
            rc = add_place(chart, series, cells, &places->items[k],
                           chart->x_names[places->items[k].category], err);
    }
    return rc;
}

/* Adds what others have published. chart NULL: in words alone. */
static int add_published(struct picture *picture, struct chart *chart,
                         const struct figure_source *source, const struct axis_request *request,
                         struct error *err)
{
    const struct published_place place = { source->data, source->any_published,
                                           source->cells->metric };

    return published_show(picture, chart, request->marked, request->told, &place, err);
}

int draw_axis(struct picture *picture, struct figure_source *source,
              const struct axis_request *request, struct error *err)
{
    const struct cells *cells = source->cells;
    int axes[2] = { 0 }, drawn = 0, rc;

    for (int i = 0; i < request->key_count; i++) {
        axes[i] = cells_find_axis(cells, request->keys[i]);
        if (axes[i] < 0)
            return refuse_axis(source, request->keys[i], err);
    }
    bool numeric = request->key_count == 1 && cells->axes[axes[0]].numeric && !request->bars;
    bool *shown = calloc((size_t)cells->count + 1, sizeof *shown);
    struct chart *chart = chart_create(request->bars ? CHART_BARS : CHART_LINES, NULL,
                                       request->x_title, METRICS[cells->metric].title);
    struct places places = { 0 };

    rc = shown == NULL || chart == NULL
             ? error_no_memory(err, "a figure")
             : find_places(&places, source, shown, request->keys, request->key_count, err);
    if (rc == 0) {
        chart->y_is_share = strcmp(METRICS[cells->metric].unit, "share") == 0;
        rc = place_x(&places, chart, cells, axes, request->key_count, numeric, err);
    }
    if (rc == 0) {
        chart->x_scale = numeric ? CHART_LINEAR : CHART_CATEGORIES;
        rc = add_places(chart, &places, cells, &drawn, err);
    }
    if (rc == 0)
        rc = note_cells(picture, cells, shown,
                        request->bars ? "whiskers: \xc2\xb1 1 standard deviation over seeds"
                                      : "bands: \xc2\xb1 1 standard deviation over seeds",
                        places.note, err);
    if (rc == 0)
        rc = add_published(picture, chart, source, request, err);
    if (rc == 0)
        choose_scale(chart);
    if (rc == 0)
        rc = picture_add(picture, chart, err);
    else
        chart_destroy(chart);
    places_release(&places);
    free(shown);
    return rc;
}

/* ---- two axes ---- */

/* The title of an axis: "outer steps in training". */
static char *axis_title(const char *key)
{
    if (strcmp(key, TRAIN_STEPS) == 0)
        return strdup("outer steps in training");
    if (strcmp(key, EVAL_STEPS) == 0)
        return strdup("outer steps at inference");
    if (strcmp(key, "data.num_aug") == 0)
        return strdup("augmentations trained on");
    if (strcmp(key, "eval.augmentations") == 0)
        return strdup("variants voted over");
    return strdup(key);
}

/* "hrm, outer steps in training 1, outer steps at inference 4". Newly allocated; NULL:
 * no memory. */
static char *pair_label(const struct cells *cells, const struct place *place, int rows,
                        int cols)
{
    const struct cell_axis *row_axis = &cells->axes[rows], *col_axis = &cells->axes[cols];
    char *row_title = axis_title(row_axis->key), *col_title = axis_title(col_axis->key);
    char *label = row_title == NULL || col_title == NULL
                      ? NULL
                      : format_string("%s%s%s %s, %s %s", place->label,
                                      place->label[0] != '\0' ? ", " : "", row_title,
                                      row_axis->values[place->cell->at[rows]], col_title,
                                      col_axis->values[place->cell->at[cols]]);

    free(row_title);
    free(col_title);
    return label;
}

/* A number in a cell: "0.512". */
static int add_pair_cell(struct chart *chart, const struct cells *cells, int rows, int cols,
                         const struct place *place, struct error *err)
{
    const struct cell *cell = place->cell;
    struct chart_point point = chart_point_at(cell->at[cols], cell->at[rows]);
    char *label = pair_label(cells, place, rows, cols);
    char *tooltip = label != NULL ? describe_cell(cells, cell, label) : NULL;
    char number[NUMBER_TEXT_SIZE];

    point.value = cell->mean;
    point.label = number_measure(number, cell->mean, DIGITS);
    point.tooltip = tooltip;
    if (chart->kind == CHART_BARS) {
        point.x = cell->at[rows];
        point.y = cell->mean;
        point.label = NULL;
        if (isfinite(cell->deviation)) {
            point.low = cell->mean - cell->deviation;
            point.high = cell->mean + cell->deviation;
        }
    }
    chart_add_point(chart, chart->kind == CHART_BARS ? cell->at[cols] : 0, &point);
    free(label);
    free(tooltip);
    return tooltip == NULL ? error_no_memory(err, "a figure") : 0;
}

static struct chart *create_pair_chart(const struct cells *cells, int rows, int cols, bool bars,
                                       const char *label)
{
    char *row_title = axis_title(cells->axes[rows].key);
    char *col_title = axis_title(cells->axes[cols].key);
    struct chart *chart = NULL;

    if (row_title != NULL && col_title != NULL)
        chart = bars ? chart_create(CHART_BARS, label, row_title, METRICS[cells->metric].title)
                     : chart_create(CHART_HEAT, label, col_title, row_title);
    for (int i = 0; chart != NULL && i < cells->axes[rows].count; i++) {
        if (bars)
            chart_add_x_name(chart, cells->axes[rows].values[i]);
        else
            chart_add_y_name(chart, cells->axes[rows].values[i]);
    }
    for (int i = 0; chart != NULL && i < cells->axes[cols].count; i++) {
        char *name = format_string(bars ? "%s %s" : "%s", cells->axes[cols].values[i],
                                   bars ? "at inference" : "");

        chart->out_of_memory = chart->out_of_memory || name == NULL;
        if (name != NULL && bars)
            chart_add_series(chart, name, i);
        else if (name != NULL)
            chart_add_x_name(chart, name);
        free(name);
    }
    if (chart != NULL && bars)
        chart->x_scale = CHART_CATEGORIES;
    if (chart != NULL && !bars)
        chart_add_series(chart, "", 0);
    free(row_title);
    free(col_title);
    return chart;
}

/* The range of values for the colours that all charts share. */
static void value_range(const struct places *places, double *low, double *high)
{
    *low = (double)INFINITY;
    *high = -(double)INFINITY;
    for (int i = 0; i < places->count; i++) {
        const struct cell *cell = places->items[i].cell;

        assert(cell != NULL);
        double mean = cell->mean;
        *low = mean < *low ? mean : *low;
        *high = mean > *high ? mean : *high;
    }
}

/* The highest end of a bar or whisker in any chart. */
static double highest_whisker(const struct places *places)
{
    double highest = 0;

    for (int i = 0; i < places->count; i++) {
        const struct cell *cell = places->items[i].cell;
        double reach = cell->mean + (isfinite(cell->deviation) ? cell->deviation : 0);

        highest = reach > highest ? reach : highest;
    }
    return highest;
}

static int add_pair_chart(struct picture *picture, const struct places *places, int label,
                          const struct cells *cells, int rows, int cols, bool bars,
                          struct error *err)
{
    struct chart *chart = create_pair_chart(cells, rows, cols, bars, places->labels[label]);
    int rc = chart == NULL ? error_no_memory(err, "a figure") : 0;

    if (rc == 0) {
        value_range(places, &chart->color_low, &chart->color_high);
        chart->y_reach = highest_whisker(places);
        chart->y_is_share = strcmp(METRICS[cells->metric].unit, "share") == 0;
    }
    for (int i = 0; i < places->count && rc == 0; i++)
        if (places->items[i].series == label)
            rc = add_pair_cell(chart, cells, rows, cols, &places->items[i], err);
    if (rc == 0)
        return picture_add(picture, chart, err);
    chart_destroy(chart);
    return rc;
}

int draw_axis_pair(struct picture *picture, struct figure_source *source, const char *rows_key,
                   const char *cols_key, bool bars, struct error *err)
{
    const struct cells *cells = source->cells;
    const char *keys[] = { rows_key, cols_key };
    int rows = cells_find_axis(cells, rows_key), cols = cells_find_axis(cells, cols_key);

    if (rows < 0 || cols < 0)
        return refuse_axis(source, rows < 0 ? rows_key : cols_key, err);
    if (bars && cells->axes[cols].count > SVG_SERIES)
        return error_set(err, ERROR_FORMAT, "%s has more than %d values; choose by --where",
                         cols_key, SVG_SERIES);
    bool *shown = calloc((size_t)cells->count + 1, sizeof *shown);
    struct places places = { 0 };
    int rc = shown == NULL ? error_no_memory(err, "a figure")
                           : find_places(&places, source, shown, keys, 2, err);

    picture->small =
        !bars || cells->axes[rows].count * cells->axes[cols].count <= MOST_SMALL_BARS;
    if (rc == 0 && places.label_count > MOST_CHARTS)
        rc = refuse_combinations(MOST_CHARTS, err);
    for (int i = 0; i < places.label_count && rc == 0; i++)
        rc = add_pair_chart(picture, &places, i, cells, rows, cols, bars, err);
    if (rc == 0)
        rc = note_cells(picture, cells, shown,
                        bars ? "whiskers: \xc2\xb1 1 standard deviation over seeds"
                             : "the bluer, the higher",
                        places.note, err);
    places_release(&places);
    free(shown);
    return rc;
}

/* ---- the figures ---- */

static bool varies(const struct figure_source *source, const char *key)
{
    return cells_find_axis(source->cells, key) >= 0;
}

int make_outer_steps(struct picture *out, struct figure_source *source, struct error *err)
{
    bool trained = varies(source, TRAIN_STEPS);
    const struct axis_request request = {
        .keys = { trained ? TRAIN_STEPS : EVAL_STEPS },
        .key_count = 1,
        .x_title = trained ? "outer steps in training" : "outer steps at inference",
        /* only for equal steps in training and at inference */
        .marked = trained ? "outer loop" : NULL,
        .told = varies(source, "arch.name") ? "architecture" : NULL,
    };

    return draw_axis(out, source, &request, err);
}

int make_inner_cycles(struct picture *out, struct figure_source *source, struct error *err)
{
    bool high = varies(source, "arch.H_cycles"), low = varies(source, "arch.L_cycles");
    struct axis_request request = {
        .keys = { "arch.H_cycles", "arch.L_cycles" },
        .key_count = 2,
        .x_title = "inner cycles, H \xc3\x97 L",
        .marked = "inner cycles",
        .told = "inner cycles",
    };

    if (!high && !low)
        return refuse_axis(source, "arch.H_cycles or arch.L_cycles", err);
    if (!high || !low) {
        request.keys[0] = high ? "arch.H_cycles" : "arch.L_cycles";
        request.key_count = 1;
        request.x_title = request.keys[0];
    }
    return draw_axis(out, source, &request, err);
}

int make_act(struct picture *out, struct figure_source *source, struct error *err)
{
    const struct axis_request request = { .keys = { "arch.act_enabled" },
                                          .key_count = 1,
                                          .bars = true,
                                          .x_title = "ACT in training",
                                          .told = "act" };

    return draw_axis(out, source, &request, err);
}

static int draw_train_inference(struct picture *out, struct figure_source *source, bool bars,
                                struct error *err)
{
    const struct axis_request request = { .told = "train versus inference" };
    int rc = draw_axis_pair(out, source, TRAIN_STEPS, EVAL_STEPS, bars, err);

    return rc == 0 ? add_published(out, NULL, source, &request, err) : rc;
}

int make_train_inference(struct picture *out, struct figure_source *source, struct error *err)
{
    return draw_train_inference(out, source, true, err);
}

int make_train_inference_map(struct picture *out, struct figure_source *source,
                             struct error *err)
{
    return draw_train_inference(out, source, false, err);
}

int make_augmentations(struct picture *out, struct figure_source *source, struct error *err)
{
    bool voted = varies(source, "eval.augmentations");
    struct axis_request request = { .keys = { "eval.augmentations" },
                                    .key_count = 1,
                                    .x_title = "variants voted over",
                                    .told = "augmentations" };

    if (!voted) {
        request.keys[0] = "data.num_aug";
        request.x_title = "augmentations trained on";
        request.marked = "augmentations";
    }
    if (!voted && !varies(source, "data.num_aug"))
        return refuse_axis(source, "data.num_aug or eval.augmentations", err);
    return draw_axis(out, source, &request, err);
}

/* Lists the axes: "arch.name, data.num_aug". */
static void list_axes(char *out, size_t size, const struct cells *cells)
{
    size_t used = 0;

    snprintf(out, size, "nothing");
    for (int i = 0; i < cells->axis_count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 cells->axes[i].key);
}

/* Completes a key, which must be an axis; NULL: it was not given. */
static int require_axis(const char **key, const struct figure_source *source,
                        const char *option, struct error *err)
{
    char list[400];
    int rc = *key != NULL ? short_key_complete(key, source->results, option, err) : 0;

    if (rc != 0 || (*key != NULL && varies(source, *key)))
        return rc;
    list_axes(list, sizeof list, source->cells);
    return error_set(err, ERROR_FORMAT, "%s %.60s: experiment \"%.80s\" varies %s", option,
                     *key != NULL ? *key : "KEY is needed", source->results->experiment, list);
}

/* Titles a figure of settings that were asked for: "pass@2 against arch.name -
 * demo". */
static int name_settings(struct picture *picture, const struct figure_source *source,
                         const char *first, const char *second, struct error *err)
{
    char *subject = figure_subject(source);
    char *title =
        subject == NULL
            ? NULL
            : format_string("%s%s%s against %s \xe2\x80\x93 %s", METRICS[source->metric].title,
                            second != NULL ? ": " : "", second != NULL ? first : "",
                            second != NULL ? second : first, subject);
    int rc = title == NULL ? error_no_memory(err, "a figure")
                           : picture_describe(picture, title, NULL, err);

    free(subject);
    free(title);
    return rc;
}

int make_axis(struct picture *out, struct figure_source *source, struct error *err)
{
    int rc = require_axis(&source->axis, source, "--axis", err);

    if (rc != 0)
        return rc;
    struct axis_request request = { .keys = { source->axis }, .key_count = 1 };
    char *title = axis_title(source->axis);

    /* a line between words would say that there is something between them */
    request.bars = !source->cells->axes[cells_find_axis(source->cells, source->axis)].numeric;
    request.x_title = title;
    rc = title == NULL ? error_no_memory(err, "a figure")
                       : name_settings(out, source, source->axis, NULL, err);
    if (rc == 0)
        rc = draw_axis(out, source, &request, err);
    free(title);
    return rc;
}

int make_pivot(struct picture *out, struct figure_source *source, struct error *err)
{
    int rc = require_axis(&source->rows, source, "--rows", err);

    if (rc == 0)
        rc = require_axis(&source->cols, source, "--cols", err);
    if (rc == 0 && strcmp(source->rows, source->cols) == 0)
        rc = error_set(err, ERROR_FORMAT, "--rows and --cols are both %s", source->rows);
    if (rc == 0)
        rc = name_settings(out, source, source->rows, source->cols, err);
    return rc == 0 ? draw_axis_pair(out, source, source->rows, source->cols, false, err) : rc;
}
