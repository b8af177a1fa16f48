/* curve_plot.c - draws a panel of braille characters for each label. */
#include "curve_plot.h"

#include "braille.h"
#include "columns.h"
#include "error.h"
#include "file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAST_WIDTH = 40,
    MOST_WIDTH = 120,
    MARGIN = 9, /* columns for the numbers left of a panel */
    HEIGHT = 6, /* lines of a panel */
    DOTS_HIGH = 4 * HEIGHT,
    END_SIZE = 64
};

static const double NEAR_END = 0.95; /* as a share of the longest curve's steps */

/* What all panels share. */
struct frame {
    int columns; /* characters of a panel; twice as many dots */
    int64_t last_step;
    double low, high;
};

static struct frame find_frame(const struct curves *curves, int width)
{
    struct frame frame = { .low = (double)INFINITY, .high = -(double)INFINITY };

    width = width < LEAST_WIDTH ? LEAST_WIDTH : width > MOST_WIDTH ? MOST_WIDTH : width;
    frame.columns = width - MARGIN;
    for (int i = 0; i < curves->count; i++) {
        const struct curve *curve = &curves->items[i];

        for (int k = 0; k < curve->count; k++) {
            frame.low = fmin(frame.low, curve->points[k].value);
            frame.high = fmax(frame.high, curve->points[k].value);
        }
        if (curve->points[curve->count - 1].step > frame.last_step)
            frame.last_step = curve->points[curve->count - 1].step;
    }
    if (!(frame.high > frame.low)) { /* one value everywhere: in the middle */
        frame.low -= 0.5;
        frame.high += 0.5;
    }
    return frame;
}

/* The curve's value at a step between its first and last point, interpolated
 * linearly; NaN elsewhere. */
static double value_at(const struct curve *curve, double step)
{
    const struct curve_point *points = curve->points;
    int low = 0, high = curve->count - 1;

    if (step < (double)points[low].step || step > (double)points[high].step)
        return (double)NAN;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;

        if ((double)points[middle].step <= step)
            low = middle;
        else
            high = middle;
    }
    double span = (double)(points[high].step - points[low].step);
    double share = span > 0 ? (step - (double)points[low].step) / span : 0;
    return points[low].value + share * (points[high].value - points[low].value);
}

static int dot_of(const struct frame *frame, double value)
{
    double share = (frame->high - value) / (frame->high - frame->low);
    int y = (int)(share * (DOTS_HIGH - 1) + 0.5);

    return y < 0 ? 0 : y >= DOTS_HIGH ? DOTS_HIGH - 1 : y;
}

/* The mean of the last values: some seeds may have ended a step before others, or are
 * not done yet. */
static double mean_at_end(const struct curve *curves, int count)
{
    double sum = 0;

    for (int i = 0; i < count; i++)
        sum += curves[i].points[curves[i].count - 1].value;
    return sum / count;
}

/* Says where the curves that share a label end: runs that are not done or have
 * diverged end early; an epoch may take a seed some steps less. */
static void say_end(char text[END_SIZE], const struct frame *frame, const struct curve *curves,
                    int count)
{
    int64_t first = INT64_MAX, last = 0;

    for (int i = 0; i < count; i++) {
        int64_t step = curves[i].points[curves[i].count - 1].step;

        first = step < first ? step : first;
        last = step > last ? step : last;
    }
    if ((double)first >= NEAR_END * (double)frame->last_step)
        snprintf(text, END_SIZE, "at the end");
    else if (first == last)
        snprintf(text, END_SIZE, "at step %lld", (long long)last);
    else
        snprintf(text, END_SIZE, "at steps %lld to %lld", (long long)first, (long long)last);
}

/* Plots the curves first to last, which share a label. */
static void plot(struct braille *panel, const struct frame *frame, const struct curve *curves,
                 int count)
{
    int before = -1;

    for (int x = 0; x < 2 * frame->columns; x++) {
        double step = (double)frame->last_step * x / (2 * frame->columns - 1);
        double sum = 0, low = (double)INFINITY, high = -(double)INFINITY;
        int seeds = 0;

        for (int i = 0; i < count; i++) {
            double value = value_at(&curves[i], step);

            if (isnan(value))
                continue;
            sum += value;
            low = fmin(low, value);
            high = fmax(high, value);
            seeds++;
        }
        if (seeds == 0) {
            before = -1;
            continue;
        }
        int y = dot_of(frame, sum / seeds);
        braille_line(panel, x, before < 0 ? y : before, y);
        before = y;
        for (int dot = dot_of(frame, high); dot <= dot_of(frame, low) && x % 3 == 0; dot += 2)
            braille_set(panel, x, dot);
    }
}

/* Prints a number left of a panel, with as many digits as there is room for, at most
 * 4. */
static void print_number(FILE *out, double value)
{
    char text[MARGIN + 16];

    for (int digits = 4; digits > 0; digits--)
        if (snprintf(text, sizeof text, "%.*g", digits, value) < MARGIN)
            break;
    fprintf(out, "%*s ", MARGIN - 1, text);
}

static void print_panel(FILE *out, const struct braille *panel, const struct frame *frame)
{
    char line[BRAILLE_BYTES(MOST_WIDTH)];

    for (int row = 0; row < HEIGHT; row++) {
        if (row == 0)
            print_number(out, frame->high);
        else if (row == HEIGHT - 1)
            print_number(out, frame->low);
        else
            fprintf(out, "%*s ", MARGIN - 1, "");
        fprintf(out, "%s\n", braille_text(line, panel, row));
    }
}

int curves_draw(FILE *out, const struct curves *curves, int width, bool color,
                struct error *err)
{
    struct frame frame = find_frame(curves, width);
    struct braille panel;
    int rc = braille_init(&panel, frame.columns, HEIGHT, err);

    for (int i = 0, end; i < curves->count && rc == 0; i = end) {
        for (end = i + 1; end < curves->count; end++)
            if (strcmp(curves->items[i].label, curves->items[end].label) != 0)
                break;
        braille_clear(&panel);
        plot(&panel, &frame, &curves->items[i], end - i);
        double last = mean_at_end(&curves->items[i], end - i);
        char at[END_SIZE];

        say_end(at, &frame, &curves->items[i], end - i);
        char *title = format_string("%s: %s %.4g %s, %d seed%s", curves->items[i].label,
                                    curves->name, last, at, end - i, end - i == 1 ? "" : "s");

        if (title == NULL || table_print_paragraph(out, title, width, color) != 0)
            rc = error_no_memory(err, "curves");
        free(title);
        print_panel(out, &panel, &frame);
    }
    fprintf(out, "%*s0%*lld training steps\n", MARGIN, "", frame.columns - 16,
            (long long)frame.last_step);
    braille_release(&panel);
    if (rc == 0 && (fflush(out) != 0 || ferror(out)))
        return errno == EPIPE ? 0
                              : error_set(err, error_code_from_errno(errno),
                                          "cannot write the curves: %s", strerror(errno));
    return rc;
}

int curves_table(struct table **out, const struct curves *curves, const struct results *results,
                 struct error *err)
{
    static const struct table_column POINT[] = {
        { .name = "label", .type = TABLE_TEXT },
        { .name = "seed", .type = TABLE_INT },
        { .name = "series", .type = TABLE_TEXT },
        { .name = "step", .type = TABLE_INT },
        { .name = "value", .type = TABLE_REAL, .digits = -1 },
    };
    struct columns columns = { 0 };
    struct axes axes;
    int rc = axes_find(&axes, results, err);

    if (rc != 0)
        return rc;
    columns_add(&columns, (struct table_column){ .name = "experiment", .type = TABLE_TEXT });
    columns_add_axes(&columns, &axes);
    columns_add_all(&columns, POINT, sizeof POINT / sizeof *POINT);
    rc = columns_create_table(out, &columns, err);
    for (int i = 0; i < curves->count && rc == 0; i++)
        for (int k = 0; k < curves->items[i].count; k++) {
            const struct curve *curve = &curves->items[i];

            table_row(*out);
            table_text(*out, results->experiment);
            table_add_axes(*out, &axes, result_arm_shown(&results->arms[curve->arm]));
            table_text(*out, curve->label);
            table_int(*out, curve->seed);
            table_text(*out, curves->name);
            table_int(*out, curve->points[k].step);
            table_real(*out, curve->points[k].value);
        }
    axes_release(&axes);
    return rc;
}
