/* test_text.c - what comes from outside does not steer a terminal: tables, messages, logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "human.h"
#include "text.h"
#include "text_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CSI "\xc2\x9b" /* U+009B, which begins a control sequence as ESC [ does */

static void stripping_cuts_between_characters(void **state)
{
    char out[5];

    (void)state;
    assert_string_equal(text_strip_controls(out, sizeof out, "abc\xc3\xa9"), "abc");
    assert_string_equal(text_strip_controls(out, sizeof out, "ab\xc3\xa9"), "ab\xc3\xa9");
    assert_string_equal(text_strip_controls(out, 1, "abc"), "");
    assert_string_equal(text_strip_controls(out, sizeof out, "\xc3"), "?");
    assert_string_equal(text_strip_controls(out, sizeof out, "a" CSI "b\x1b"), "ab");
}

static void controls_and_bytes_that_are_no_utf_8_become_question_marks(void **state)
{
    static const char *const cases[][2] = {
        { "plain \xc3\xa9 \xe2\x82\xac", "plain \xc3\xa9 \xe2\x82\xac" },
        { "a" CSI "31m\x1b[0m\x7f", "a?31m?[0m?" },
        { "\xc2\x80\xc2\x9f\xc2\xa0", "??\xc2\xa0" },
        { "\x9b"
          "31m\xff\xc3",
          "?31m??" },
        { "a\nb\tc\r", "a\nb\tc?" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[40];

        strcpy(text, cases[i][0]);
        text[text_make_printable(text, strlen(text), "\n\t")] = '\0';
        assert_string_equal(text, cases[i][1]);
    }
    char with_nul[] = "a\0b";
    assert_int_equal(text_make_printable(with_nul, 3, "\n"), 3);
    assert_memory_equal(with_nul, "a?b", 3);
}

static void printable_names_are_told_from_others(void **state)
{
    (void)state;
    assert_true(text_is_printable("00576224") && text_is_printable("\xc3\xa9"));
    assert_false(text_is_printable("b" CSI "31m") || text_is_printable("\n"));
    assert_false(text_is_printable("\xff") || text_is_printable("\xe2\x82"));
}

static void overlong_forms_surrogates_and_too_large_numbers_are_no_characters(void **state)
{
    static const struct {
        const char *text;
        size_t length;
    } cases[] = {
        { "\xc0\xaf", 0 },         { "\xe0\x9f\xbf", 0 },     { "\xe0\xa0\x80", 3 },
        { "\xed\x9f\xbf", 3 },     { "\xed\xa0\x80", 0 },     { "\xee\x80\x80", 3 },
        { "\xf0\x8f\xbf\xbf", 0 }, { "\xf0\x90\x80\x80", 4 }, { "\xf4\x8f\xbf\xbf", 4 },
        { "\xf4\x90\x80\x80", 0 }, { "\xf5\x80\x80\x80", 0 }, { "\x80", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(text_character(NULL, cases[i].text, strlen(cases[i].text)),
                         cases[i].length);
}

static void a_character_that_is_cut_off_is_left_for_later(void **state)
{
    static const char euro[] = "a\xe2\x82\xac";

    (void)state;
    assert_int_equal(text_whole_characters(euro, 4), 4);
    assert_int_equal(text_whole_characters(euro, 3), 1);
    assert_int_equal(text_whole_characters(euro, 2), 1);
    assert_int_equal(text_whole_characters(euro, 1), 1);
    assert_int_equal(text_whole_characters("\xc2", 1), 0);
    assert_int_equal(text_whole_characters("\x9b\x9b\x9b\x9b", 4), 4);
    assert_int_equal(text_whole_characters("", 0), 0);
}

static void messages_hold_no_controls(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(error_set(&err, ERROR_FORMAT, "no \"%s\"", "a" CSI "31m\n"), ERROR_FORMAT);
    assert_string_equal(err.message, "no \"a?31m?\"");
    error_prefix(&err, "%s", CSI);
    assert_string_equal(err.message, "?: no \"a?31m?\"");
}

static void a_terminal_counts_characters_and_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(text_columns("abc", 3), 3);
    assert_int_equal(text_columns("\xc3\xa9t\xc3\xa9", 5), 3);
    assert_int_equal(text_columns("a\xff", 2), 2);
}

static void quantities_have_the_unit_that_people_would_use(void **state)
{
    char out[HUMAN_SIZE];

    (void)state;
    assert_string_equal(human_duration(out, -1), "0s");
    assert_string_equal(human_duration(out, 59.6), "1m00s");
    assert_string_equal(human_duration(out, 3725), "1h02m");
    assert_string_equal(human_duration(out, 2.5 * 86400), "2.5 days");
    assert_string_equal(human_duration(out, 41 * 86400.0), "41 days");
    assert_string_equal(human_duration(out, 1000 * 3600.0), "42 days");
    assert_string_equal(human_duration(out, 142 * 365.25 * 86400), "142 years");
    assert_string_equal(human_flops(out, 0), "0.00 FLOP");
    assert_string_equal(human_flops(out, 80.1e12), "80.1 TFLOP");
    assert_string_equal(human_flops(out, 3282004420.4e12), "3.28 ZFLOP");
    assert_string_equal(human_flops(out, 999.9e9), "1.00 TFLOP");
    assert_string_equal(human_bytes(out, 1), "1 byte");
    assert_string_equal(human_bytes(out, 1536), "1.50 KiB");
    assert_string_equal(human_bytes(out, INT64_C(5) << 40), "5.00 TiB");
}

static void a_time_is_read_to_the_second(void **state)
{
    static const char *const cases[][2] = {
        { "2026-01-31T12:34:56.789Z", "2026-01-31 12:34:56Z" },
        { "2026-01-31 12:34:56Z", "2026-01-31 12:34:56Z" },
        { "2026-01-31T12:34:56.78", NULL },
        { "2026-01-31T12:34:56.7899", NULL },
        { "2026-o1-31T12:34:56.789Z", NULL },
        { "learning-rate.0123456.89", NULL },
        { "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[40];

        strcpy(text, cases[i][0]);
        assert_int_equal(text_shorten_time(text), cases[i][1] != NULL);
        assert_string_equal(text, cases[i][cases[i][1] != NULL]);
    }
}

/* What it does where memory runs out, test_allocations sees in reports. */
static void a_stream_writes_into_memory_texts_of_any_length(void **state)
{
    static const int COUNTS[] = { 0, 1, 5000, 100000 };

    (void)state;
    for (size_t c = 0; c < sizeof COUNTS / sizeof *COUNTS; c++) {
        char *text, expected[12];
        size_t size;
        FILE *out = text_stream_open(&text, &size);

        assert_non_null(out);
        for (int i = 0; i < COUNTS[c]; i++)
            fprintf(out, "%06d,", i);
        assert_null(text); /* until it is closed */
        assert_int_equal(fclose(out), 0);
        assert_int_equal(size, COUNTS[c] * 7);
        assert_int_equal(strlen(text), size);
        for (int i = 0; i < COUNTS[c]; i++) {
            snprintf(expected, sizeof expected, "%06d,", i);
            assert_memory_equal(text + (size_t)i * 7, expected, 7);
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stripping_cuts_between_characters),
        cmocka_unit_test(controls_and_bytes_that_are_no_utf_8_become_question_marks),
        cmocka_unit_test(printable_names_are_told_from_others),
        cmocka_unit_test(overlong_forms_surrogates_and_too_large_numbers_are_no_characters),
        cmocka_unit_test(a_character_that_is_cut_off_is_left_for_later),
        cmocka_unit_test(messages_hold_no_controls),
        cmocka_unit_test(a_terminal_counts_characters_and_not_bytes),
        cmocka_unit_test(quantities_have_the_unit_that_people_would_use),
        cmocka_unit_test(a_time_is_read_to_the_second),
        cmocka_unit_test(a_stream_writes_into_memory_texts_of_any_length),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
