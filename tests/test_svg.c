/* test_svg.c - pictures: escaping, numbers, the same bytes, well-formed XML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "chart.h"
#include "chart_parts.h"
#include "error.h"
#include "support/markup_check.h"
#include "number.h"
#include "picture.h"
#include "svg.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HOSTILE[] =
    "</text><script>alert('1')</script>&\"\x1b[31m\xff\xef\xbf\xbe]]>";

static void must(int rc, const struct error *err)
{
    if (rc != 0)
        fail_msg("%s", err->message);
}

/* A picture with a chart of each kind in which every text is this one; fresh. */
static char *draw_everything(const char *text)
{
    struct picture picture = { 0 };
    struct error err;
    char *svg;

    for (int kind = CHART_LINES; kind <= CHART_ROWS; kind++) {
        struct chart *chart = chart_create((enum chart_kind)kind, text, text, text);

        assert_non_null(chart);
        chart->x_scale = kind == CHART_LINES ? CHART_LINEAR : CHART_CATEGORIES;
        for (int s = 0; s < 2; s++)
            chart_add_series(chart, text, s);
        for (int i = 0; i < 3; i++) {
            struct chart_point point = chart_point_at(i, kind == CHART_LINES ? 0.25 * i : i);

            point.value = i;
            point.tooltip = point.label = text;
            point.low = i - 0.5;
            point.high = i + 0.5;
            chart_add_x_name(chart, text);
            chart_add_y_name(chart, text);
            chart_add_point(chart, i % 2, &point);
        }
        must(picture_add(&picture, chart, &err), &err);
    }
    must(picture_describe(&picture, text, text, &err), &err);
    must(picture_draw(&svg, &picture, true, &err), &err);
    picture_release(&picture);
    return svg;
}

static void texts_from_outside_stay_text(void **state)
{
    char *svg = draw_everything(HOSTILE);

    (void)state;
    assert_null(strstr(svg, "<script"));
    assert_null(strchr(svg, '\x1b'));
    assert_null(strstr(svg, "\xef\xbf\xbe"));
    assert_non_null(strstr(svg, "&lt;/text&gt;&lt;script&gt;alert(&#39;1&#39;)"));
    if (markup_fault(svg) != NULL)
        fail_msg("%s", markup_fault(svg));
    free(svg);
}

static void the_same_chart_gives_the_same_bytes_in_every_locale(void **state)
{
    static const char *const LOCALES[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "C.UTF-8" };
    char *plain = draw_everything("a b");

    (void)state;
    for (size_t i = 0; i < sizeof LOCALES / sizeof *LOCALES; i++) {
        setlocale(LC_ALL, LOCALES[i]); /* those that are installed */
        char *other = draw_everything("a b");

        assert_string_equal(plain, other);
        free(other);
    }
    setlocale(LC_ALL, "C");
    free(plain);
}

/* A mark of this style and the class of its line; fresh. */
static char *draw_style(int style)
{
    static const double POINTS[] = { 0, 0, 10, 10 };
    char line[SVG_CLASS_SIZE], *text;
    struct error err;
    struct svg *svg;

    must(svg_create(&svg, 10, 10, "a style", "", false, &err), &err);
    svg_mark(svg, style, 5, 5, 4, false, NULL);
    svg_path(svg, svg_series_class(line, style, "line"), POINTS, 2, false);
    must(svg_finish(svg, &text, &err), &err);
    return text;
}

static void every_style_is_told_apart_also_where_colours_come_again(void **state)
{
    char *drawn[SVG_REFERENCE + 1];

    (void)state;
    for (int s = 0; s <= SVG_REFERENCE; s++) {
        drawn[s] = draw_style(s);
        for (int earlier = 0; earlier < s; earlier++)
            assert_string_not_equal(drawn[earlier], drawn[s]);
    }
    /* the ninth has the first one's colour, but neither its mark nor its dash */
    assert_non_null(strstr(drawn[0], "<circle class=\"s0 mark\""));
    assert_non_null(strstr(drawn[SVG_SERIES], "<path class=\"s0 mark again\""));
    assert_non_null(strstr(drawn[SVG_SERIES], "class=\"s0 line again\""));
    assert_non_null(strstr(svg_style(), ".hf .again.line{stroke-dasharray"));
    assert_non_null(strstr(drawn[SVG_REFERENCE], "class=\"reference line\""));
    for (int s = 0; s <= SVG_REFERENCE; s++)
        free(drawn[s]);
}

/* 0 black to 1 white, of "#rrggbb" or "#rgb". */
static double luminance(const char *color)
{
    static const double WEIGHTS[] = { 0.2126, 0.7152, 0.0722 };
    int digits = (int)strspn(color + 1, "0123456789abcdef") / 3;
    double sum = 0;

    assert_true(color[0] == '#' && digits > 0);
    for (int i = 0; i < 3; i++) {
        char digit[3] = { color[1 + i * digits], color[i * digits + digits], '\0' };
        double level = (double)strtol(digit, NULL, 16) / 255;

        sum +=
            WEIGHTS[i] * (level <= 0.04045 ? level / 12.92 : pow((level + 0.055) / 1.055, 2.4));
    }
    return sum;
}

static double contrast(const char *a, const char *b)
{
    double x = luminance(a) + 0.05, y = luminance(b) + 0.05;

    return x > y ? x / y : y / x;
}

static const char *color_of(const char *style, const char *shape, const char *class_name)
{
    char rule[80];

    snprintf(rule, sizeof rule, ".hf %s.%s{fill:", shape, class_name);
    const char *at = strstr(style, rule);

    if (at == NULL)
        fail_msg("no rule %s", rule);
    return at + strlen(rule);
}

/* In light and in dark surroundings. */
static void a_heat_map_rises_from_the_ground_and_its_numbers_can_be_read(void **state)
{
    static const char *const GROUNDS[] = { "#fff", "#16181c" };
    const char *styles[] = { svg_heat_style(), strstr(svg_heat_style(), "@media") };

    (void)state;
    for (int scheme = 0; scheme < 2; scheme++) {
        double last = 0;

        for (int share = 0; share <= 100; share++) {
            char level[SVG_CLASS_SIZE];
            const char *cell =
                color_of(styles[scheme], "rect", svg_heat_class(level, share / 100.0));
            const char *number = color_of(styles[scheme], "text", level);

            assert_true(contrast(cell, number) >= 4.5);
            assert_true(contrast(cell, GROUNDS[scheme]) >= last);
            last = contrast(cell, GROUNDS[scheme]);
            assert_true(share > 0 || last < 1.2);
        }
        assert_true(last > 8);
    }
}

/* A map of two rows with a long text beside them: it stays clear of the title's note. */
static void the_text_beside_a_heat_map_begins_below_the_title(void **state)
{
    static const char NAME[] = "outer steps in training";
    struct chart *chart = chart_create(CHART_HEAT, NULL, "x", NAME);
    struct picture picture = { 0 };
    struct error err;
    double below, middle;
    char *svg;

    (void)state;
    assert_non_null(chart);
    chart_add_series(chart, "", 0);
    for (int i = 0; i < 2; i++) {
        struct chart_point point = chart_point_at(0, i);

        point.value = i;
        chart_add_x_name(chart, "1");
        chart_add_y_name(chart, "1");
        chart_add_point(chart, 0, &point);
    }
    must(picture_add(&picture, chart, &err), &err);
    must(picture_describe(&picture, "title", "One seed.", &err), &err);
    must(picture_draw(&svg, &picture, true, &err), &err);
    const char *group = strstr(svg, "<g transform=\"translate(");
    const char *text = strstr(svg, "\"middle\" transform=\"translate(");
    assert_true(group != NULL && text != NULL);
    assert_int_equal(sscanf(group, "<g transform=\"translate(%*f %lf", &below), 1);
    assert_int_equal(sscanf(text, "\"middle\" transform=\"translate(%*f %lf", &middle), 1);
    assert_true(below + middle - svg_text_width(NAME, 12) / 2 > 48); /* where the note ends */
    free(svg);
    picture_release(&picture);
}

/* A chart of single points with whiskers, each a series. */
static struct chart *scatter(const char *name, const double (*points)[3], int count)
{
    struct chart *chart = chart_create(CHART_LINES, NULL, "x", "y");

    assert_non_null(chart);
    for (int i = 0; i < count; i++) {
        struct chart_point point = chart_point_at(points[i][0], points[i][1]);

        point.low = points[i][1] - points[i][2];
        point.high = points[i][1] + points[i][2];
        chart_add_point(chart, chart_add_series(chart, name, 0), &point);
    }
    return chart;
}

/* Draws a chart and writes where its circles stand. */
static void draw_circles(double *out, int count, struct chart *chart)
{
    struct picture picture = { 0 };
    struct error err;
    char *svg;

    must(picture_add(&picture, chart, &err), &err);
    must(picture_describe(&picture, "t", "n", &err), &err);
    must(picture_draw(&svg, &picture, false, &err), &err);
    picture_release(&picture);
    const char *at = svg;

    for (int i = 0; i < count; i++) {
        at = strstr(at, " cx=\"");
        assert_non_null(at);
        at += strlen(" cx=\"");
        out[i] = atof(at);
    }
    free(svg);
}

/* The second meets the first, the fourth both; the third has other values, the last
 * another x. */
static void whiskers_that_would_meet_stand_side_by_side(void **state)
{
    static const double POINTS[][3] = {
        { 1, 0.3, 0.1 }, { 1, 0.35, 0.1 }, { 1, 0.9, 0.05 }, { 1, 0.3, 0.2 }, { 2, 0.3, 0.1 }
    };
    double x[5];

    (void)state;
    draw_circles(x, 5, scatter("", POINTS, 5));
    assert_true(x[1] - x[0] > 6);
    assert_true(x[2] == x[0]);
    assert_true(x[0] - x[3] > 6);
    assert_true(x[4] - x[1] > 100);
}

/* A band covers its marks' whiskers: a mark on it hides nothing. */
static void a_mark_on_a_band_stays_at_its_place(void **state)
{
    static const double POINTS[][3] = { { 1, 0.5, 0.4 }, { 1, 0.2, 0 }, { 2, 0.5, 0.4 } };
    struct chart *chart = scatter("", POINTS, 3);
    double x[3];

    (void)state;
    chart->series[0].band = true;
    draw_circles(x, 3, chart);
    assert_true(x[1] == x[0]);
}

/* Each is compared with all before it only while they are few. */
static void marks_of_a_cloud_stay_where_they_are(void **state)
{
    enum { EACH = 1001 };
    static double x[2 * EACH];
    struct chart *chart = chart_create(CHART_LINES, NULL, "x", "y");
    struct chart_point point = chart_point_at(1, 0.5);

    (void)state;
    for (int s = 0; s < 2; s++) {
        assert_int_equal(chart_add_series(chart, "", 0), s); /* circles */
        for (int i = 0; i < EACH; i++)
            chart_add_point(chart, s, &point);
    }
    draw_circles(x, 2 * EACH, chart);
    assert_true(x[EACH] == x[0]);
    assert_true(x[2 * EACH - 1] == x[0]);
}

/* Two charts of different ranges, whose names differ in length. */
static void aligned_charts_have_the_same_axes(void **state)
{
    static const double FEW[][3] = { { 1, 0.8, 0.1 }, { 2, 0.9, 0.1 } };
    static const double MANY[][3] = { { 0.5, 0.3, 0.1 }, { 8, 1.4, 0.1 } };
    struct picture picture = { 0 };
    struct error err;
    char *svg, *fields[2];

    (void)state;
    must(picture_add(&picture, scatter("a", FEW, 2), &err), &err);
    must(picture_add(&picture, scatter("a longer name", MANY, 2), &err), &err);
    must(picture_describe(&picture, "t", "n", &err), &err);
    picture_align(&picture);
    must(picture_draw(&svg, &picture, false, &err), &err);
    picture_release(&picture);
    fields[0] = strstr(svg, "<g ");
    fields[1] = fields[0] != NULL ? strstr(fields[0] + 1, "<g ") : NULL;
    for (int i = 0; i < 2; i++) {
        assert_non_null(fields[i]);
        fields[i] = strchr(fields[i], '>') + 1;
        *strstr(fields[i], "<circle") = '\0'; /* what comes before: the axes' names and lines */
        char *whisker = strstr(fields[i], "<line class=\"s0 thin\"");

        *whisker = '\0';
    }
    assert_non_null(strstr(fields[0], "axis"));
    assert_string_equal(fields[0], fields[1]);
    free(svg);
}

static int count_of(const char *text, const char *words)
{
    int count = 0;

    for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

/* From -0.3 to 0.9 in steps of 0.2: -0.4 to 1, of which the ends are rounded again to
 * steps of 0.5 if the axis chooses by itself. */
static void the_axis_of_differences_names_the_lines_of_its_grid(void **state)
{
    struct chart *chart = chart_create(CHART_ROWS, NULL, "difference", NULL);
    struct chart_point point = chart_point_at(0.3, 0);
    struct picture picture = { 0 };
    struct error err;
    char *svg;

    (void)state;
    assert_non_null(chart);
    point.low = -0.3;
    point.high = 0.88;
    chart_add_y_name(chart, "b - a");
    chart_add_series(chart, "", 0);
    chart_add_point(chart, 0, &point);
    must(picture_add(&picture, chart, &err), &err);
    must(picture_describe(&picture, "t", "n", &err), &err);
    must(picture_draw(&svg, &picture, false, &err), &err);
    assert_int_equal(count_of(svg, "class=\"grid\""), 8);
    assert_int_equal(count_of(svg, "class=\"small muted\""), 8);
    free(svg);
    picture_release(&picture);
}

/* The name of a row that is too long for the room beside it is cut at its end. */
static void a_long_name_of_a_row_stays_within_the_picture(void **state)
{
    static const char NAME[] = "/home/somebody/data/arc-agi-1-and-concept-arc";
    static const enum chart_kind KINDS[] = { CHART_HEAT, CHART_ROWS };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct chart *chart = chart_create(KINDS[i], NULL, "x", "data.path");
        struct chart_point point = chart_point_at(0, 0);
        struct picture picture = { 0 };
        struct error err;
        char *svg;

        assert_non_null(chart);
        point.value = 0.5;
        chart_add_x_name(chart, "1");
        chart_add_y_name(chart, NAME);
        if (KINDS[i] == CHART_ROWS) {
            chart_add_y_name(chart, "/home/somebody/data/arc-agi-1-and-concept-arc,"
                                    "/home/somebody/data/arc-agi-2/and/a/longer/path");
            point.y = 1;
        }
        chart_add_series(chart, "", 0);
        chart_add_point(chart, 0, &point);
        must(picture_add(&picture, chart, &err), &err);
        must(picture_describe(&picture, "t", "n", &err), &err);
        must(picture_draw(&svg, &picture, false, &err), &err);
        assert_non_null(strstr(svg, ">/home/somebody/data"));
        assert_non_null(strstr(svg, "\xe2\x80\xa6<"));
        free(svg);
        picture_release(&picture);
    }
}

static void numbers_are_rounded_and_trimmed(void **state)
{
    char text[NUMBER_TEXT_SIZE];

    (void)state;
    assert_string_equal(number_fixed(text, 0.51249, 3), "0.512");
    assert_string_equal(number_fixed(text, -0.0004, 3), "0.000");
    assert_string_equal(number_fixed(text, -1.5, 0), "-2");
    /* two sums of one mean */
    assert_true((0.1 + 0.7) / 64 < 0.0125);
    assert_string_equal(number_fixed(text, (0.1 + 0.7) / 64, 3), "0.013");
    assert_string_equal(number_fixed(text, -nextafter(0.0125, 0), 3), "-0.013");
    assert_string_equal(number_fixed(text, 0.0125, 3), "0.013");
    assert_string_equal(number_fixed(text, 0.01249999, 3), "0.012");
    assert_string_equal(number_fixed(text, (double)NAN, 3), "-");
    assert_string_equal(number_p(text, 0.0), "<0.0001");
    assert_string_equal(number_p(text, 0.000049), "<0.0001");
    assert_string_equal(number_p(text, 0.00005), "0.0001");
    assert_string_equal(number_p(text, 1.0), "1.0000");
    assert_string_equal(number_p(text, (double)NAN), "-");
    assert_string_equal(number_trimmed(text, 12.5, 3), "12.5");
    assert_string_equal(number_trimmed(text, 100, 3), "100");
    assert_string_equal(number_signed(text, 0.02, 3), "+0.020");
    assert_string_equal(number_signed(text, 0.0001, 3), "+1e-4");
    assert_string_equal(number_signed(text, -0.00049, 3), "-5e-4");
    assert_string_equal(number_signed(text, -1e-17, 3), "0.000"); /* of sums that are equal */
    assert_string_equal(number_measure(text, 0.0005, 3), "0.001");
    assert_string_equal(number_measure(text, 0.000499, 3), "5e-4");
    assert_string_equal(number_measure(text, 0.00096, 2), "1e-3");
    assert_string_equal(number_measure(text, 2.4e-7, 3), "2e-7");
    assert_string_equal(number_measure(text, 0.0, 3), "0.000");
    assert_string_equal(number_measure(text, (double)NAN, 3), "-");
    assert_string_equal(number_scaled(text, 3.3e21), "3.3 Z");
    assert_string_equal(number_scaled(text, 999.7), "1 k");
    assert_string_equal(number_scaled(text, 12), "12 ");
}

static void ticks_are_round_numbers_that_enclose_the_values(void **state)
{
    static const double RANGES[][2] = { { 0, 0.3 },   { 0, 1 },       { -0.07, 0.0203 },
                                        { 5, 5 },     { 0, 0 },       { 1e-7, 3e-7 },
                                        { 0, 12345 }, { -3e12, 4e12 } };

    (void)state;
    for (size_t i = 0; i < sizeof RANGES / sizeof *RANGES; i++) {
        struct scale scale = { .low = RANGES[i][0], .high = RANGES[i][1], .from = 100 };
        double ticks[SCALE_TICKS];
        int digits, count = scale_round(&scale, ticks, &digits);

        assert_true(count >= 2 && count <= SCALE_TICKS);
        assert_true(scale.low <= RANGES[i][0] + 1e-12 * fabs(RANGES[i][0]));
        assert_true(ticks[count - 1] >= RANGES[i][1] * (1 - 1e-9) - 1e-12);
        assert_true(scale_at(&scale, scale.low) == 100 && scale_at(&scale, scale.high) == 0);
    }
}

/* A chart of one series with these points; fresh SVG. */
static char *draw_points(enum chart_kind kind, enum chart_scale scale, bool share,
                         const struct chart_point *points, int count)
{
    struct chart *chart = chart_create(kind, NULL, "x", "y");
    struct picture picture = { 0 };
    struct error err;
    char *svg;

    assert_non_null(chart);
    chart->x_scale = scale;
    chart->y_is_share = share;
    chart_add_series(chart, "", 0);
    for (int i = 0; i < count; i++) {
        chart_add_x_name(chart, "name");
        chart_add_point(chart, 0, &points[i]);
        chart->y_reach = points[i].high > chart->y_reach ? points[i].high : chart->y_reach;
    }
    must(picture_add(&picture, chart, &err), &err);
    must(picture_describe(&picture, "title", "", &err), &err);
    must(picture_draw(&svg, &picture, true, &err), &err);
    picture_release(&picture);
    return svg;
}

static void a_short_logarithmic_axis_has_more_ticks_than_powers_of_ten(void **state)
{
    static const char *const TICKS[] = { ">1<", ">2<", ">5<", ">10<", ">20<", ">50<" };
    const struct chart_point points[] = { chart_point_at(1, 0), chart_point_at(64, 1) };
    char *svg = draw_points(CHART_LINES, CHART_LOGARITHMIC, false, points, 2);

    (void)state;
    for (size_t i = 0; i < sizeof TICKS / sizeof *TICKS; i++)
        if (strstr(svg, TICKS[i]) == NULL)
            fail_msg("no tick %s", TICKS[i]);
    assert_null(strstr(svg, ">100<"));
    free(svg);
}

static void a_logarithmic_axis_of_less_than_a_power_of_ten_has_round_numbers(void **state)
{
    static const char *const TICKS[] = { ">1.5<", ">2<", ">2.5<", ">3<", ">4<" };
    const struct chart_point points[] = { chart_point_at(1.2, 0), chart_point_at(4, 1) };
    char *svg = draw_points(CHART_LINES, CHART_LOGARITHMIC, false, points, 2);

    (void)state;
    for (size_t i = 0; i < sizeof TICKS / sizeof *TICKS; i++)
        if (strstr(svg, TICKS[i]) == NULL)
            fail_msg("no tick %s", TICKS[i]);
    assert_null(strstr(svg, ">1<")); /* before the field */
    free(svg);
}

/* The only mark of a bar of a nameless series is the one on the bar. */
static void what_has_no_name_has_no_mark_beside_the_field(void **state)
{
    struct chart_point point = chart_point_at(0, 0.875);
    char *svg = draw_points(CHART_BARS, CHART_CATEGORIES, true, &point, 1);
    int marks = 0;

    (void)state;
    for (const char *at = svg; (at = strstr(at, "<circle")) != NULL; at++)
        marks++;
    assert_int_equal(marks, 1);
    free(svg);
}

static void a_whisker_beyond_1_does_not_lengthen_the_axis_of_a_share(void **state)
{
    struct chart_point point = chart_point_at(0, 0.875);

    (void)state;
    point.low = 0.6;
    point.high = 1.15;
    char *share = draw_points(CHART_BARS, CHART_CATEGORIES, true, &point, 1);
    char *other = draw_points(CHART_BARS, CHART_CATEGORIES, false, &point, 1);

    assert_non_null(strstr(share, ">1.0<"));
    assert_null(strstr(share, ">1.2<"));
    assert_non_null(strstr(other, ">1.2<"));
    /* and has no cap where it is cut */
    assert_int_equal(count_of(share, "class=\"ink\""), 2);
    assert_int_equal(count_of(other, "class=\"ink\""), 3);
    free(share);
    free(other);
}

static void names_beside_the_field_do_not_overlap(void **state)
{
    struct side_label labels[8];

    (void)state;
    for (int i = 0; i < 8; i++)
        labels[i] = (struct side_label){ .y = 190 + i % 3, .height = 16, .series = i };
    spread_labels(labels, 8, 0, 200);
    for (int i = 1; i < 8; i++)
        assert_true(labels[i].y - labels[i - 1].y >= 16 - 1e-9);
    assert_true(labels[7].y + 8 <= 200 + 1e-9 && labels[0].y >= 8);
}

static void a_broken_text_is_no_markup(void **state)
{
    (void)state;
    assert_null(markup_fault("<a b=\"c\"><d/>&lt;</a>\n"));
    assert_non_null(markup_fault("<a><b></a></b>"));
    assert_non_null(markup_fault("<a b=\"<\"></a>"));
    assert_non_null(markup_fault("<a>&nbsp</a>"));
    assert_non_null(markup_fault("<a></a><a></a>"));
    assert_non_null(markup_fault("<a>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_from_outside_stay_text),
        cmocka_unit_test(the_same_chart_gives_the_same_bytes_in_every_locale),
        cmocka_unit_test(every_style_is_told_apart_also_where_colours_come_again),
        cmocka_unit_test(the_text_beside_a_heat_map_begins_below_the_title),
        cmocka_unit_test(a_heat_map_rises_from_the_ground_and_its_numbers_can_be_read),
        cmocka_unit_test(whiskers_that_would_meet_stand_side_by_side),
        cmocka_unit_test(a_mark_on_a_band_stays_at_its_place),
        cmocka_unit_test(marks_of_a_cloud_stay_where_they_are),
        cmocka_unit_test(aligned_charts_have_the_same_axes),
        cmocka_unit_test(the_axis_of_differences_names_the_lines_of_its_grid),
        cmocka_unit_test(a_long_name_of_a_row_stays_within_the_picture),
        cmocka_unit_test(numbers_are_rounded_and_trimmed),
        cmocka_unit_test(ticks_are_round_numbers_that_enclose_the_values),
        cmocka_unit_test(a_short_logarithmic_axis_has_more_ticks_than_powers_of_ten),
        cmocka_unit_test(a_logarithmic_axis_of_less_than_a_power_of_ten_has_round_numbers),
        cmocka_unit_test(what_has_no_name_has_no_mark_beside_the_field),
        cmocka_unit_test(a_whisker_beyond_1_does_not_lengthen_the_axis_of_a_share),
        cmocka_unit_test(names_beside_the_field_do_not_overlap),
        cmocka_unit_test(a_broken_text_is_no_markup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
