/* chart_parts.c - scales, ticks, axes, labels beside the plot area. */
#include "chart_parts.h"

#include "number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_GAP = 18, MOST_TICK_DIGITS = 6, FEWEST_TICKS = 3, LEAST_NAME = 60 };

double field_top(const struct chart *chart)
{
    return chart->title != NULL && chart->title[0] != '\0' ? 34 : 14;
}

double scale_at(const struct scale *scale, double value)
{
    double low = scale->logarithmic ? log(scale->low) : scale->low;
    double high = scale->logarithmic ? log(scale->high) : scale->high;
    double at = scale->logarithmic ? log(value) : value;

    return high > low ? scale->from + (at - low) / (high - low) * (scale->to - scale->from)
                      : (scale->from + scale->to) / 2;
}

/* The smallest of 1, 2 or 5 times a power of ten that is at least step. */
static double round_step(double step)
{
    double power = pow(10, floor(log10(step)));

    return step <= power       ? power
           : step <= 2 * power ? 2 * power
           : step <= 5 * power ? 5 * power
                               : 10 * power;
}

int scale_round(struct scale *scale, double out[SCALE_TICKS], int *digits)
{
    int count = 0;

    if (!(scale->high > scale->low)) {
        double room = fabs(scale->low) > 0 ? fabs(scale->low) / 2 : 0.5;

        scale->low -= scale->low == 0 ? 0 : room;
        scale->high += room;
    }
    double step = round_step((scale->high - scale->low) / 6);

    /* a hair inside, so that 0.3 / 0.1 does not become 4 steps */
    double first = floor(scale->low / step + 1e-9), last = ceil(scale->high / step - 1e-9);

    scale->low = first * step;
    scale->high = last * step;
    for (double i = first; i <= last && count < SCALE_TICKS; i++)
        out[count++] = i * step;
    *digits = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
    *digits = *digits > MOST_TICK_DIGITS ? MOST_TICK_DIGITS : *digits;
    return count;
}

static void widen(double *low, double *high, bool *found, double value)
{
    if (!isfinite(value))
        return;
    *low = *found && *low < value ? *low : value;
    *high = *found && *high > value ? *high : value;
    *found = true;
}

bool chart_x_range(const struct chart *chart, double *low, double *high)
{
    bool found = false;

    for (int s = 0; s < chart->series_count; s++)
        for (int i = 0; i < chart->series[s].count; i++) {
            const struct chart_point *point = &chart->series[s].points[i];

            widen(low, high, &found, point->x);
            if (chart->kind == CHART_ROWS) {
                widen(low, high, &found, point->low);
                widen(low, high, &found, point->high);
            }
        }
    if (chart->x_most > chart->x_least) {
        widen(low, high, &found, chart->x_least);
        widen(low, high, &found, chart->x_most);
    }
    return found;
}

bool chart_y_range(const struct chart *chart, double *low, double *high)
{
    bool found = false;

    for (int s = 0; s < chart->series_count; s++)
        for (int i = 0; i < chart->series[s].count; i++) {
            const struct chart_point *point = &chart->series[s].points[i];

            widen(low, high, &found, point->y);
            widen(low, high, &found, point->low);
            widen(low, high, &found, point->high);
        }
    if (chart->kind == CHART_BARS)
        widen(low, high, &found, chart->y_reach);
    if (chart->y_most > chart->y_least) {
        widen(low, high, &found, chart->y_least);
        widen(low, high, &found, chart->y_most);
    }
    if (found && chart->y_is_share) {
        *low = 0;
        *high = *high > 1 ? 1 : *high;
    }
    return found;
}

/* The decimals of a factor, beside a power of ten, that tell the multiples of step
 * apart. */
static int factor_digits(const double *ticks, int count, double step)
{
    double largest = fmax(fabs(ticks[0]), fabs(ticks[count - 1]));

    return (int)ceil(log10(largest / step) - 1e-9);
}

void draw_y_axis(struct svg *svg, const struct chart *chart, const struct frame *frame,
                 const struct scale *scale, const double *ticks, int count, int digits)
{
    char text[NUMBER_TEXT_SIZE];
    double step = count > 1 ? ticks[1] - ticks[0] : 1;
    bool tiny = step < 1e-6 * (1 - 1e-9);

    for (int i = 0; i < count; i++) {
        double y = scale_at(scale, ticks[i]);

        svg_line(svg, "grid", frame->left, y, frame->right, y, NULL);
        if (fabs(ticks[i]) >= 1e5)
            number_scaled(text, ticks[i]);
        else if (tiny)
            number_power(text, ticks[i], factor_digits(ticks, count, step) + 1);
        else
            number_fixed(text, ticks[i], digits);
        svg_text(svg, "small muted", frame->left - 6, y + 4, SVG_END, text);
    }
    if (chart->y_title != NULL)
        svg_text_upwards(svg, "muted", 13, (frame->top + frame->bottom) / 2, chart->y_title);
}

void draw_cut(struct svg *svg, const char *class_name, double x, double y,
              enum svg_anchor anchor, double room, const char *text)
{
    char cut[300];

    snprintf(cut, sizeof cut, "%s", text);
    for (size_t length = strlen(cut); svg_text_width(cut, FONT_SIZE) > room && length > 4;) {
        length--;
        while (length > 4 && ((unsigned char)cut[length] & 0xc0) == 0x80)
            length--; /* removes a whole character */
        snprintf(cut + length, sizeof cut - length, "\xe2\x80\xa6");
    }
    svg_text(svg, class_name, x, y, anchor, cut);
}

size_t shared_beginning(char *const *names, int count)
{
    size_t length = count > 1 ? strlen(names[0]) : 0;

    for (int i = 1; i < count; i++)
        for (size_t k = 0; k < length; k++)
            if (names[i][k] != names[0][k])
                length = k;
    while (length > 0 && ((unsigned char)names[0][length] & 0xc0) == 0x80)
        length--; /* to the beginning of a character */
    return length;
}

void draw_name(struct svg *svg, const char *class_name, double x, double y,
               enum svg_anchor anchor, double room, const char *name, size_t shared)
{
    char rest[300];

    if (shared <= 1 || svg_text_width(name, FONT_SIZE) <= room) {
        draw_cut(svg, class_name, x, y, anchor, room, name);
        return;
    }
    snprintf(rest, sizeof rest, "\xe2\x80\xa6%s", name + shared);
    draw_cut(svg, class_name, x, y, anchor, room, rest);
}

void draw_chart_title(struct svg *svg, const struct chart *chart, double x, double width)
{
    /* the share of the room that bold letters leave */
    static const double BOLD = 0.92;

    if (chart->title != NULL)
        draw_cut(svg, "panel", x, 16, SVG_START, BOLD * (width - x), chart->title);
}

static bool has_x_names(const struct chart *chart)
{
    return chart->x_scale == CHART_CATEGORIES || chart->kind == CHART_HEAT;
}

static double longest_x_name(const struct chart *chart)
{
    double longest = 0;

    for (int i = 0; i < chart->x_name_count; i++)
        longest = fmax(longest, svg_text_width(chart->x_names[i], FONT_SIZE));
    return longest;
}

/* Whether the names of x do not fit side by side, so that every second one is drawn
 * lower. width: of a name's place. */
static bool x_names_are_crowded(const struct chart *chart, double width)
{
    return has_x_names(chart) && longest_x_name(chart) > width - 6;
}

static void draw_x_tick(struct svg *svg, const struct frame *frame, double x)
{
    svg_line(svg, "axis", x, frame->bottom, x, frame->bottom + 4, NULL);
}

/* Draws the names of x: in two lines where there is no room for one; what is too long
 * even so is cut, and of very many names only some are drawn. */
static void draw_x_names(struct svg *svg, const struct chart *chart, const struct frame *frame,
                         const struct scale *scale, bool crowded)
{
    enum { GAP = 2, MARGIN = 44 }; /* between two names; beside the field */
    double place = (frame->right - frame->left) / fmax(1, chart->x_name_count);
    double room = fmax(LEAST_NAME, fmin(2 * place - GAP, place + MARGIN));
    double longest = fmin(room, longest_x_name(chart));
    size_t shared = shared_beginning(chart->x_names, chart->x_name_count);
    int every = crowded ? (int)ceil((longest + GAP) / (2 * place) - 1e-9) : 1;

    for (int i = 0; i < chart->x_name_count; i++) {
        double lower = crowded && i / every % 2 == 1 ? LINE_HEIGHT - 2 : 0;

        draw_x_tick(svg, frame, scale_at(scale, i));
        if (i % every == 0)
            draw_name(svg, "small muted", scale_at(scale, i), frame->bottom + 17 + lower,
                      SVG_MIDDLE, room, chart->x_names[i], shared);
    }
}

/* A number on the x axis; scaled: with a decimal prefix. */
static void write_x_number(char text[NUMBER_TEXT_SIZE], double value, bool scaled)
{
    double unit = scaled ? 0.01 : 1e-6; /* of the last decimal */

    if (fabs(round(value / unit) * unit - value) > 1e-3 * fabs(value) && fabs(value) < 1)
        number_power(text, value, 2);
    else if (scaled)
        number_scaled(text, value);
    else
        number_trimmed(text, value, MOST_TICK_DIGITS);
}

/* Ticks of a logarithmic scale: powers of ten, over a short range their doubles and
 * fivefolds too. Returns their number. */
static int logarithmic_ticks(double out[SCALE_TICKS], const struct scale *scale)
{
    static const double BETWEEN[] = { 1, 2, 5 };
    int each = log10(scale->high / scale->low) < 3 ? 3 : 1, count = 0;
    int first = (int)floor(log10(scale->low) + 1e-9);
    int last = (int)floor(log10(scale->high) + 1e-9);

    for (int exponent = first; exponent <= last; exponent++)
        for (int i = 0; i < each; i++) {
            double tick = pow(10, exponent) * BETWEEN[i];

            if (tick >= scale->low * (1 - 1e-9) && tick <= scale->high * (1 + 1e-9) &&
                count < SCALE_TICKS)
                out[count++] = tick;
        }
    return count;
}

/* Leaves out the ticks that are not whole. Returns the number of those that are. */
static int keep_whole(double *ticks, int count)
{
    int kept = 0;

    for (int i = 0; i < count; i++)
        if (fabs(ticks[i] - round(ticks[i])) < 1e-9)
            ticks[kept++] = round(ticks[i]);
    return kept;
}

/* Chooses ticks at the values that occur, unless they would touch; otherwise at
 * powers of ten or, also where few of these are in range, round numbers. */
static void draw_x_numbers(struct svg *svg, const struct chart *chart,
                           const struct frame *frame, const struct scale *scale)
{
    double chosen[SCALE_TICKS], free_from = -1e9;
    const double *ticks = chart->x_ticks != NULL ? chart->x_ticks : scale->ticks;
    int count = chart->x_ticks != NULL ? chart->x_tick_count : scale->tick_count, digits = 0;
    bool scaled = fabs(scale->high) >= 1e5;
    struct scale copy = *scale;
    char text[NUMBER_TEXT_SIZE];

    if (ticks == NULL && scale->logarithmic) {
        count = logarithmic_ticks(chosen, scale);
        ticks = count >= FEWEST_TICKS ? chosen : NULL;
    }
    if (ticks == NULL) {
        count = scale_round(&copy, chosen, &digits);
        ticks = chosen;
    }
    if (ticks == chosen && chart->x_counts)
        count = keep_whole(chosen, count);
    for (int i = 0; i < count; i++) {
        double x = scale_at(scale, ticks[i]);

        if (x < frame->left - 0.5 || x > frame->right + 0.5)
            continue;
        write_x_number(text, ticks[i], scaled);
        double half = svg_text_width(text, FONT_SIZE) / 2;

        if (x - half < free_from)
            continue;
        free_from = x + half + 8;
        draw_x_tick(svg, frame, x);
        svg_text(svg, "small muted", x, frame->bottom + 17, SVG_MIDDLE, text);
    }
}

void draw_x_axis(struct svg *svg, const struct chart *chart, const struct frame *frame,
                 const struct scale *scale)
{
    double width = frame->right - frame->left;
    bool crowded = x_names_are_crowded(chart, width / fmax(1, chart->x_name_count));

    svg_line(svg, "axis", frame->left, frame->bottom, frame->right, frame->bottom, NULL);
    if (has_x_names(chart))
        draw_x_names(svg, chart, frame, scale, crowded);
    else
        draw_x_numbers(svg, chart, frame, scale);
    if (chart->x_title != NULL)
        svg_text(svg, "muted", (frame->left + frame->right) / 2,
                 frame->bottom + 36 + (crowded ? LINE_HEIGHT - 2 : 0), SVG_MIDDLE,
                 chart->x_title);
}

static int compare_labels(const void *a, const void *b)
{
    const struct side_label *x = a, *y = b;

    if (x->y != y->y)
        return x->y < y->y ? -1 : 1;
    return x->series - y->series;
}

void spread_labels(struct side_label *labels, int count, double top, double bottom)
{
    double edge = top;

    if (count == 0)
        return;
    qsort(labels, (size_t)count, sizeof *labels, compare_labels);
    for (int i = 0; i < count; i++) { /* downwards */
        double half = labels[i].height / 2;

        labels[i].y = labels[i].y - half < edge ? edge + half : labels[i].y;
        edge = labels[i].y + half;
    }
    edge = bottom > edge ? edge : bottom;
    /* shifts back labels that are beyond the bottom */
    for (int i = count - 1; i >= 0; i--) {
        double half = labels[i].height / 2;

        labels[i].y = labels[i].y + half > edge ? edge - half : labels[i].y;
        edge = labels[i].y - half;
    }
}

double side_labels_width(const struct chart *chart, double width)
{
    double widest = chart->names_width;

    for (int s = 0; s < chart->series_count; s++) {
        double wanted = chart->series[s].label[0] != '\0'
                            ? svg_text_width(chart->series[s].label, FONT_SIZE) + LABEL_GAP + 8
                            : 0;

        widest = wanted > widest ? wanted : widest;
    }
    return widest > 0.34 * width ? 0.34 * width : widest;
}

double side_labels_height(const struct chart *chart, double width)
{
    double room = side_labels_width(chart, width) - LABEL_GAP - 4, height = 0;

    for (int s = 0; s < chart->series_count; s++)
        height +=
            LINE_HEIGHT * draw_wrapped(NULL, "", 0, 0, room, FONT_SIZE, chart->series[s].label);
    return height;
}

void draw_side_labels(struct svg *svg, const struct chart *chart, struct side_label *labels,
                      int count, const struct frame *frame, double width)
{
    double room = width - frame->right - LABEL_GAP - 4;

    for (int i = 0; i < count; i++)
        labels[i].height = LINE_HEIGHT * draw_wrapped(NULL, "", 0, 0, room, FONT_SIZE,
                                                      chart->series[labels[i].series].label);
    spread_labels(labels, count, frame->top - BEYOND, frame->bottom + BEYOND);
    for (int i = 0; i < count; i++) {
        const struct chart_series *series = &chart->series[labels[i].series];
        double first = labels[i].y - labels[i].height / 2 + LINE_HEIGHT / 2.0;

        svg_mark(svg, series->style, frame->right + 10, first, 4, series->published, NULL);
        draw_wrapped(svg, "", frame->right + LABEL_GAP, first + 4, room, FONT_SIZE,
                     series->label);
    }
}

/* Bytes of the longest beginning of a word, of whole characters, that fits: to the end
 * of a part of it, if one ends in the second half. At least one character. */
static size_t fitting_length(const char *word, size_t length, double width, double size)
{
    char line[400];
    size_t taken = 0, part = 0;

    while (taken < length && taken + 4 < sizeof line) {
        size_t next = taken + 1;

        while (next < length && ((unsigned char)word[next] & 0xc0) == 0x80)
            next++;
        snprintf(line, sizeof line, "%.*s", (int)next, word);
        if (taken > 0 && svg_text_width(line, size) > width)
            break;
        taken = next;
        part = strchr("/_-=,", word[taken - 1]) != NULL ? taken : part;
    }
    return taken < length && part > taken / 2 ? part : taken;
}

int draw_wrapped(struct svg *svg, const char *class_name, double x, double y, double width,
                 double size, const char *text)
{
    const char *start = text;
    int lines = 0;

    while (*start != '\0') {
        size_t length = 0;
        char line[400];

        /* finds the last end of a word that still fits */
        for (size_t end = 0;; end++) {
            if (start[end] != ' ' && start[end] != '\0')
                continue;
            snprintf(line, sizeof line, "%.*s", (int)end, start);
            if (svg_text_width(line, size) > width) {
                length = length > 0 ? length : fitting_length(start, end, width, size);
                break;
            }
            length = end;
            if (start[end] == '\0')
                break;
        }
        snprintf(line, sizeof line, "%.*s", (int)length, start);
        if (svg != NULL)
            svg_text(svg, class_name, x, y + size * 4 / 3 * lines, SVG_START, line);
        lines++;
        start += length + strspn(start + length, " ");
    }
    return lines;
}
