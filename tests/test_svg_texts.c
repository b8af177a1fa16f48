/* test_svg_texts.c - texts of a picture, however long and many, stay apart and inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "chart.h"
#include "chart_parts.h"
#include "error.h"
#include "number.h"
#include "picture.h"
#include "svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int rc, const struct error *err)
{
    if (rc != 0)
        fail_msg("%s", err->message);
}

static int count_of(const char *text, const char *words)
{
    int count = 0;

    for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

struct box {
    double left, right, y;
    char text[200];
};

static double attribute(const char *element, const char *name)
{
    const char *at = strstr(element, name);

    assert_non_null(at);
    return strtod(at + strlen(name), NULL);
}

/* The horizontal texts of a picture, by the estimate of their widths. Returns their
 * number. */
static int find_texts(struct box *out, int most, const char *svg)
{
    double right = 0, down = 0;
    int count = 0;

    for (const char *at = svg; (at = strchr(at, '<')) != NULL; at++) {
        if (strncmp(at, "<g ", 3) == 0) {
            char *end;

            right = strtod(strchr(at, '(') + 1, &end);
            down = strtod(end, NULL);
        }
        if (strncmp(at, "</g>", 4) == 0)
            right = down = 0;
        if (strncmp(at, "<text x=", 8) != 0)
            continue;
        const char *close = strchr(at, '>');
        struct box *box = &out[count++];
        char tag[200];

        assert_true(count <= most);
        snprintf(tag, sizeof tag, "%.*s", (int)(close - at), at);
        snprintf(box->text, sizeof box->text, "%.*s", (int)strcspn(close + 1, "<"), close + 1);
        double size = strstr(tag, "small") != NULL   ? 11
                      : strstr(tag, "title") != NULL ? 15
                                                     : 12;
        double width = svg_text_width(box->text, size), x = attribute(tag, "x=\"") + right;

        box->left = strstr(tag, "middle") != NULL ? x - width / 2
                    : strstr(tag, "end") != NULL  ? x - width
                                                  : x;
        box->right = box->left + width;
        box->y = attribute(tag, " y=\"") + down;
    }
    return count;
}

/* That no text is beyond the picture or over another one. */
static void expect_texts_apart(const char *svg)
{
    enum { MOST = 1000 };
    struct box *boxes = calloc(MOST, sizeof *boxes);

    assert_non_null(boxes);
    int count = find_texts(boxes, MOST, svg);
    assert_true(count > 2);
    for (int i = 0; i < count; i++) {
        if (boxes[i].left < 0 || boxes[i].right > PICTURE_WIDTH)
            fail_msg("\"%s\" is from %.0f to %.0f", boxes[i].text, boxes[i].left,
                     boxes[i].right);
        for (int k = 0; k < i; k++)
            if (fabs(boxes[i].y - boxes[k].y) < 9 && boxes[i].left < boxes[k].right &&
                boxes[k].left < boxes[i].right)
                fail_msg("\"%s\" is over \"%s\"", boxes[i].text, boxes[k].text);
    }
    free(boxes);
}

/* A chart of count categories with these names, the number in each replaced; fresh SVG. */
static char *draw_named(enum chart_kind kind, int count, const char *format)
{
    char title[600];

    snprintf(title, sizeof title, "%s %s%s", format, format, format);
    struct chart *chart = chart_create(kind, title, "x", "y");
    struct picture picture = { 0 };
    struct error err;
    char *svg;

    assert_non_null(chart);
    chart->x_scale = CHART_CATEGORIES;
    chart->y_is_share = true;
    chart_add_series(chart, "", 0);
    chart_add_y_name(chart, "y");
    for (int i = 0; i < count; i++) {
        struct chart_point point = chart_point_at(i, kind == CHART_HEAT ? 0 : 0.5);
        char name[200];

        snprintf(name, sizeof name, "%s %d", format, i);
        chart_add_x_name(chart, name);
        point.value = 0.5;
        point.label = kind == CHART_HEAT ? "0.500" : NULL;
        chart_add_point(chart, 0, &point);
    }
    must(picture_add(&picture, chart, &err), &err);
    must(picture_describe(&picture, title, "a note", &err), &err);
    must(picture_draw(&svg, &picture, false, &err), &err);
    picture_release(&picture);
    return svg;
}

static void names_of_any_length_and_number_stay_apart_and_inside(void **state)
{
    static const char *const NAMES[] = {
        "n", "a name of some length",
        "data/a_directory_with_a_long_name/another/and/one/more/of/them/tasks_of_the_set.json",
        ("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xae\xe3\x83\x87\xe3\x83\xbc\xe3\x82\xbf"
         "\xe3\x82\xbb\xe3\x83\x83\xe3\x83\x88")
    };
    static const enum chart_kind KINDS[] = { CHART_LINES, CHART_BARS, CHART_HEAT };
    static const int COUNTS[] = { 1, 2, 6, 12, 40, 100 };

    (void)state;
    for (size_t n = 0; n < sizeof NAMES / sizeof *NAMES; n++)
        for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++)
            for (size_t c = 0; c < sizeof COUNTS / sizeof *COUNTS; c++) {
                char *svg = draw_named(KINDS[k], COUNTS[c], NAMES[n]);

                expect_texts_apart(svg);
                free(svg);
            }
}

static void short_names_are_all_there(void **state)
{
    char *svg = draw_named(CHART_HEAT, 12, "n");

    (void)state;
    assert_non_null(strstr(svg, ">n 10<"));
    assert_non_null(strstr(svg, ">n 11<"));
    assert_int_equal(count_of(svg, ">0.500<"), 12);
    free(svg);
}

/* Paths often begin alike, and what tells them apart would be cut. */
static void names_that_are_cut_keep_what_they_differ_in(void **state)
{
    static const char ALIKE[] = "data/a_directory_with_a_long_name/\xc3\xa4/tasks_of_set";
    static const enum chart_kind KINDS[] = { CHART_LINES, CHART_BARS, CHART_HEAT };

    (void)state;
    for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++) {
        char *svg = draw_named(KINDS[k], 9, ALIKE);

        for (int i = 0; i < 9; i++) {
            char name[40];

            snprintf(name, sizeof name, ">\xe2\x80\xa6%d</text>", i);
            assert_non_null(strstr(svg, name));
        }
        free(svg);
    }
    char first[] = "a/\xc3\xa4", second[] = "a/\xc3\xa5", *names[] = { first, second };

    assert_int_equal(shared_beginning(names, 2), 2); /* no half of a character */
    assert_int_equal(shared_beginning(names, 1), 0);
}

static void letters_of_east_asia_are_as_wide_as_high(void **state)
{
    (void)state;
    assert_true(svg_text_width("\xe6\x97\xa5\xe6\x9c\xac", 10) == 20);
    assert_true(svg_text_width("\xc3\xa9", 10) < 7);
}

/* A series' name of one word that is wider than its place. */
static void a_long_word_beside_the_field_is_broken(void **state)
{
    static const char WORD[] = "path=/home/somebody/data/arc-agi-1-and-concept-arc/evaluation";
    struct chart *chart = chart_create(CHART_LINES, NULL, "x", "y");
    struct chart_point point = chart_point_at(1, 0.5);
    struct picture picture = { 0 };
    struct error err;
    char *svg;

    (void)state;
    assert_non_null(chart);
    chart_add_series(chart, WORD, 0);
    chart_add_point(chart, 0, &point);
    must(picture_add(&picture, chart, &err), &err);
    must(picture_describe(&picture, "t", "n", &err), &err);
    must(picture_draw(&svg, &picture, false, &err), &err);
    expect_texts_apart(svg);
    assert_non_null(strstr(svg, ">path=/home/"));
    free(svg);
    picture_release(&picture);
}

/* More lines of names than the field beside them is high. */
static void long_names_beside_the_field_stay_apart_and_inside(void **state)
{
    static const char NAME[] =
        "/home/somebody/data/arc-agi-1-and-concept-arc/evaluation, with a "
        "puzzle embedding of its own and all augmentations";
    static const enum chart_kind KINDS[] = { CHART_LINES, CHART_BARS };

    (void)state;
    for (int k = 0; k < 4; k++) {
        struct picture picture = { .small = k % 2 == 1 };
        struct error err;
        char *svg;

        for (int c = 0; c < 2; c++) {
            struct chart *chart = chart_create(KINDS[k / 2], "a title", "x", "y");

            assert_non_null(chart);
            chart->x_scale = CHART_CATEGORIES;
            chart_add_x_name(chart, "1");
            for (int i = 0; i < SVG_SERIES; i++) {
                struct chart_point point = chart_point_at(0, 0.5);
                char name[200];

                snprintf(name, sizeof name, "%d %s", i, NAME);
                chart_add_series(chart, name, i);
                chart_add_point(chart, i, &point);
            }
            must(picture_add(&picture, chart, &err), &err);
        }
        must(picture_describe(&picture, "t", "n", &err), &err);
        must(picture_draw(&svg, &picture, true, &err), &err);
        expect_texts_apart(svg);
        free(svg);
        picture_release(&picture);
    }
}

/* A short number beside a long one, at values that occur. */
static void numbers_below_the_field_stay_apart(void **state)
{
    static const double VALUES[] = { 0.96875, 1.0 };

    (void)state;
    for (int i = 0; i <= 200; i++) {
        struct chart *chart = chart_create(CHART_LINES, NULL, "x", "y");
        struct picture picture = { 0 };
        struct error err;
        char *svg;

        assert_non_null(chart);
        chart_add_series(chart, "", 0);
        for (int v = 0; v < 2; v++) {
            struct chart_point point = chart_point_at(VALUES[v], 0.5);

            chart_add_point(chart, 0, &point);
            chart_add_x_tick(chart, point.x);
        }
        struct chart_point first = chart_point_at(1.0 - 0.01 * (i + 4), 0.5);

        chart_add_point(chart, 0, &first);
        must(picture_add(&picture, chart, &err), &err);
        must(picture_describe(&picture, "t", "n", &err), &err);
        must(picture_draw(&svg, &picture, false, &err), &err);
        expect_texts_apart(svg);
        free(svg);
        picture_release(&picture);
    }
}

/* Six bars in each of six narrow places: none reaches into the place beside it. */
static void bars_stay_in_their_category(void **state)
{
    struct chart *chart = chart_create(CHART_BARS, "t", "x", "y");
    struct picture picture = { .small = true };
    struct error err;
    char *svg;
    double last = 0;

    (void)state;
    assert_non_null(chart);
    chart->x_scale = CHART_CATEGORIES;
    for (int s = 0; s < 6; s++)
        chart_add_series(chart, "a name beside the field", s);
    for (int i = 0; i < 6; i++) {
        chart_add_x_name(chart, "1");
        for (int s = 0; s < 6; s++) {
            struct chart_point point = chart_point_at(i, 0.5);

            chart_add_point(chart, s, &point);
        }
    }
    must(picture_add(&picture, chart, &err), &err);
    struct chart *other = chart_create(CHART_BARS, "t", "x", "y");
    must(picture_add(&picture, other, &err), &err);
    must(picture_describe(&picture, "t", "n", &err), &err);
    must(picture_draw(&svg, &picture, false, &err), &err);
    /* the last bar of the first category, and the first of the second */
    const char *at = svg;

    for (int s = 0; s < 6; s++) {
        at = strstr(at, "bar\"");
        assert_non_null(at);
        last = attribute(at, "x=\"") + attribute(at, "width=\"");
        for (int i = 0; i < 6 && s < 5; i++)
            at = strstr(at + 1, "bar\"");
    }
    at = strstr(strstr(svg, "bar\"") + 1, "bar\"");
    assert_true(attribute(at, "x=\"") > last);
    free(svg);
    picture_release(&picture);
}

/* Where six decimals are zeros. */
static void an_axis_of_tiny_numbers_tells_them_apart(void **state)
{
    static const char *const TICKS[] = { ">1e-9<", ">1.4e-9<", ">2e-9<", ">4e-9<" };
    const struct chart_point points[] = { chart_point_at(1e-9, 1e-9),
                                          chart_point_at(2e-9, 2e-9),
                                          chart_point_at(4e-9, 1.5e-9) };
    char number[NUMBER_TEXT_SIZE];
    struct chart *chart = chart_create(CHART_LINES, NULL, "x", "y");
    struct picture picture = { 0 };
    struct error err;
    char *svg;

    (void)state;
    assert_non_null(chart);
    chart_add_series(chart, "", 0);
    for (int i = 0; i < 3; i++) {
        chart_add_point(chart, 0, &points[i]);
        chart_add_x_tick(chart, points[i].x);
        chart_add_x_name(chart, "a name of a category, of which numbers have no need");
    }
    must(picture_add(&picture, chart, &err), &err);
    must(picture_describe(&picture, "t", "n", &err), &err);
    must(picture_draw(&svg, &picture, false, &err), &err);
    picture_release(&picture);
    for (size_t i = 0; i < sizeof TICKS / sizeof *TICKS; i++)
        if (strstr(svg, TICKS[i]) == NULL)
            fail_msg("no tick %s in %s", TICKS[i], svg);
    assert_null(strstr(svg, ">0.000000<"));
    /* right below the numbers, not where names in two lines would have left it */
    assert_non_null(strstr(svg, "y=\"320\" text-anchor=\"middle\" class=\"muted\">x<"));
    free(svg);
    assert_string_equal(number_power(number, -2.5e-9, 2), "-2.5e-9");
    assert_string_equal(number_power(number, 9.999e-9, 2), "1e-8");
    assert_string_equal(number_power(number, 0, 2), "0");
    assert_string_equal(number_power(number, 3, 2), "3");
}

/* What is printed is cut between charts, not through them; a file is one picture. */
static void a_picture_that_is_higher_than_a_page_is_several(void **state)
{
    (void)state;
    for (int small = 0; small <= 1; small++) {
        struct picture picture = { .small = small != 0 };
        struct error err;
        char *parts, *whole;

        for (int i = 0; i < 7; i++) {
            struct chart *chart = chart_create(CHART_LINES, "a field", "x", "y");
            struct chart_point point = chart_point_at(1, 0.5);

            assert_non_null(chart);
            chart_add_series(chart, "", 0);
            chart_add_point(chart, 0, &point);
            must(picture_add(&picture, chart, &err), &err);
        }
        must(picture_describe(&picture, "a title", "a note", &err), &err);
        must(picture_draw(&parts, &picture, false, &err), &err);
        must(picture_draw(&whole, &picture, true, &err), &err);
        assert_int_equal(count_of(parts, "<svg "), small != 0 ? 2 : 4);
        assert_int_equal(count_of(whole, "<svg "), 1);
        assert_int_equal(count_of(parts, "class=\"title\""), 1);
        assert_int_equal(count_of(parts, ">a field<"), 7);
        for (const char *at = parts; (at = strstr(at, "<svg ")) != NULL; at++)
            assert_true(attribute(at, " height=\"") <= 1060);
        expect_texts_apart(whole);
        free(parts);
        free(whole);
        picture_release(&picture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_any_length_and_number_stay_apart_and_inside),
        cmocka_unit_test(short_names_are_all_there),
        cmocka_unit_test(names_that_are_cut_keep_what_they_differ_in),
        cmocka_unit_test(letters_of_east_asia_are_as_wide_as_high),
        cmocka_unit_test(a_long_word_beside_the_field_is_broken),
        cmocka_unit_test(long_names_beside_the_field_stay_apart_and_inside),
        cmocka_unit_test(numbers_below_the_field_stay_apart),
        cmocka_unit_test(bars_stay_in_their_category),
        cmocka_unit_test(an_axis_of_tiny_numbers_tells_them_apart),
        cmocka_unit_test(a_picture_that_is_higher_than_a_page_is_several),
    };

    return cmocka_run_group_tests_name("svg texts", tests, NULL, NULL);
}
