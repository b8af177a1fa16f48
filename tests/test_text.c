/* test_text.c - what comes from outside does not steer a terminal: tables, messages, logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "text.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stripping_cuts_between_characters),
        cmocka_unit_test(controls_and_bytes_that_are_no_utf_8_become_question_marks),
        cmocka_unit_test(printable_names_are_told_from_others),
        cmocka_unit_test(overlong_forms_surrogates_and_too_large_numbers_are_no_characters),
        cmocka_unit_test(a_character_that_is_cut_off_is_left_for_later),
        cmocka_unit_test(messages_hold_no_controls),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
