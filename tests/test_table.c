/* test_table.c - tables for people and programs: alignment, escaping, control characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "error.h"
#include "file.h"
#include "json.h"
#include "table.h"

static const struct table_column COLUMNS[] = {
    { .name = "arm", .type = TABLE_TEXT },
    { .name = "seeds", .type = TABLE_INT },
    { .name = "pass_at_2", .title = "pass@2", .type = TABLE_REAL, .digits = 3 },
    { .name = "hash", .type = TABLE_TEXT, .machine_only = true },
    { .name = "spread", .type = TABLE_TEXT, .people_only = true },
};
enum { COLUMN_COUNT = sizeof COLUMNS / sizeof *COLUMNS };

static struct table *make_table(void)
{
    struct table *table;

    assert_int_equal(table_create(&table, COLUMNS, COLUMN_COUNT, NULL), 0);
    return table;
}

static void add_row(struct table *table, const char *arm, int64_t seeds, double value)
{
    table_row(table);
    table_text(table, arm);
    table_int(table, seeds);
    table_real(table, value);
    table_text(table, "abc");
    table_text(table, "x");
}

/* What table_print gives, fresh. */
static char *printed(struct table *table, enum output_format format, bool color)
{
    struct error err;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    assert_int_equal(table_print(table, out, format, color, &err), 0);
    fclose(out);
    return text;
}

static void expect_print(struct table *table, enum output_format format, const char *expected)
{
    char *text = printed(table, format, false);

    assert_string_equal(text, expected);
    free(text);
}

static void columns_line_up_and_numbers_stand_right(void **state)
{
    struct table *table = make_table();

    (void)state;
    add_row(table, "base", 3, 0.25);
    add_row(table, "a longer arm", 12, -0.5);
    table_set_caption(table, "caption");
    table_add_note(table, "a note");
    expect_print(table, FORMAT_TABLE,
                 "caption\n"
                 "arm           seeds  pass@2  spread\n"
                 "base              3   0.250  x\n"
                 "a longer arm     12  -0.500  x\n"
                 "a note\n");
    table_destroy(table);
}

static void a_table_without_rows_prints_its_headings(void **state)
{
    struct table *table = make_table();

    (void)state;
    expect_print(table, FORMAT_CSV, "arm,seeds,pass_at_2,hash\n");
    expect_print(table, FORMAT_TABLE, "arm  seeds  pass@2  spread\n");
    expect_print(table, FORMAT_MARKDOWN,
                 "| arm | seeds | pass@2 | spread |\n| --- | ---: | ---: | --- |\n");
    table_destroy(table);
}

static void csv_quotes_what_needs_it_and_keeps_every_digit(void **state)
{
    struct table *table = make_table();

    (void)state;
    add_row(table, "say \"hi\", you", 1, 0.1);
    add_row(table, "plain", 2, 1.0 / 3);
    table_row(table);
    expect_print(table, FORMAT_CSV,
                 "arm,seeds,pass_at_2,hash\n"
                 "\"say \"\"hi\"\", you\",1,0.1,abc\n"
                 "plain,2,0.3333333333333333,abc\n"
                 ",,,\n");
    table_destroy(table);
}

static void markdown_escapes_what_it_would_interpret(void **state)
{
    struct table *table = make_table();

    (void)state;
    add_row(table, "a|b_c", 1, 0.5);
    expect_print(table, FORMAT_MARKDOWN,
                 "| arm | seeds | pass@2 | spread |\n"
                 "| --- | ---: | ---: | --- |\n"
                 "| a\\|b\\_c | 1 | 0.500 | x |\n");
    table_set_caption(table, "arms of a_b");
    table_add_note(table, "beware of <b>, of `code` and of *");
    table_add_note(table, "~gone~ &lt;");
    expect_print(table, FORMAT_MARKDOWN,
                 "**arms of a\\_b**\n"
                 "\n"
                 "| arm | seeds | pass@2 | spread |\n"
                 "| --- | ---: | ---: | --- |\n"
                 "| a\\|b\\_c | 1 | 0.500 | x |\n"
                 "\nbeware of \\<b\\>, of \\`code\\` and of \\*  \n"
                 "\\~gone\\~ \\&lt;  \n");
    table_destroy(table);
}

static void json_reads_back_equal(void **state)
{
    struct table *table = make_table();
    const char *arm = "quote \" slash \\ tab \t bell \a \xc3\xa9";
    struct error err;
    cJSON *root;

    (void)state;
    add_row(table, arm, -7, 0.1 + 0.2);
    add_row(table, "nan", 1, (double)NAN);
    table_add_note(table, "a note");
    char *text = printed(table, FORMAT_JSON, false);

    assert_int_equal(json_parse(&root, text, strlen(text), "table", &err), 0);
    assert_string_equal(json_member(root, "format")->valuestring, "hrmlab-table-2");
    const cJSON *rows = json_member(root, "rows");

    assert_int_equal(cJSON_GetArraySize(rows), 2);
    const cJSON *row = cJSON_GetArrayItem(rows, 0);

    assert_string_equal(json_member(row, "arm")->valuestring, arm);
    assert_true(json_member(row, "pass_at_2")->valuedouble == 0.1 + 0.2);
    assert_true(json_member(row, "seeds")->valuedouble == -7);
    assert_string_equal(json_member(row, "hash")->valuestring, "abc");
    assert_null(json_member(row, "spread"));
    assert_true(cJSON_IsNull(json_member(cJSON_GetArrayItem(rows, 1), "pass_at_2")));
    assert_string_equal(cJSON_GetArrayItem(json_member(root, "notes"), 0)->valuestring,
                        "a note");
    cJSON_Delete(root);
    free(text);
    table_destroy(table);
}

static void control_characters_never_reach_the_terminal(void **state)
{
    static const enum output_format FORMATS[] = { FORMAT_TABLE, FORMAT_CSV, FORMAT_MARKDOWN,
                                                  FORMAT_JSON };
    struct table *table = make_table();

    (void)state;
    add_row(table,
            "red\033[31m\r\n\x7f\xc2\x9b"
            "31m bad \xff utf8",
            1, 0.5);
    table_set_caption(table, "cap\033]0;title\a");
    table_add_note(table, "note\033[2J");
    for (size_t f = 0; f < sizeof FORMATS / sizeof *FORMATS; f++) {
        char *text = printed(table, FORMATS[f], false);

        for (const char *p = text; *p != '\0'; p++)
            if (((unsigned char)*p < 0x20 && *p != '\n') || *p == 0x7f)
                fail_msg("format %d has control character %d", (int)FORMATS[f], *p);
        assert_null(strstr(text, "\xc2\x9b"));
        assert_null(strstr(text, "\xff"));
        free(text);
    }
    table_destroy(table);
}

static void colours_only_where_they_are_allowed(void **state)
{
    struct table *table = make_table();

    (void)state;
    add_row(table, "base", 1, 0.5);
    table_mark(table, TABLE_GOOD);
    char *plain = printed(table, FORMAT_TABLE, false);
    char *colored = printed(table, FORMAT_TABLE, true);

    assert_null(strchr(plain, '\033'));
    assert_non_null(strchr(colored, '\033'));
    free(plain);
    free(colored);
    table_destroy(table);
}

static void several_tables_are_one_json_document(void **state)
{
    struct table *tables[2] = { make_table(), make_table() };
    const char *const members[2] = { "rows", "differences" };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct error err;
    cJSON *root;

    (void)state;
    add_row(tables[0], "one", 1, 0.5);
    add_row(tables[1], "two", 1, 0.5);
    assert_int_equal(table_print_all(tables, members, 2, out, FORMAT_JSON, false, &err), 0);
    fclose(out);
    assert_int_equal(json_parse(&root, text, size, "tables", &err), 0);
    assert_int_equal(cJSON_GetArraySize(json_member(root, "rows")), 1);
    const cJSON *row = cJSON_GetArrayItem(json_member(root, "differences"), 0);

    assert_string_equal(json_member(row, "arm")->valuestring, "two");
    cJSON_Delete(root);
    free(text);
    table_destroy(tables[0]);
    table_destroy(tables[1]);
}

static void a_full_disk_is_an_error_with_its_code(void **state)
{
    struct table *table = make_table();
    struct error err;
    FILE *out = fopen("/dev/full", "w");

    (void)state;
    if (out == NULL)
        skip();
    add_row(table, "base", 1, 0.5);
    assert_int_equal(table_print(table, out, FORMAT_TABLE, false, &err), ERROR_NOSPACE);
    fclose(out);
    table_destroy(table);
}

/* What a terminal so wide shows of the table, which ends; fresh. */
static char *shown_at(struct table *table, int width)
{
    struct winsize size = { .ws_row = 24, .ws_col = (unsigned short)width };
    struct error err = { 0 };
    int master, slave;
    size_t got = 0, room = 16384;
    char *text = calloc(1, room);

    assert_non_null(text);
    assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
    FILE *out = fdopen(slave, "w");
    assert_non_null(out);
    assert_int_equal(table_print(table, out, FORMAT_TABLE, false, &err), 0);
    table_destroy(table);
    fcntl(master, F_SETFL, O_NONBLOCK);
    for (ssize_t n; (n = read(master, text + got, room - 1 - got)) > 0;)
        got += (size_t)n;
    fclose(out);
    close(master);
    return text;
}

static void expect_lines_within(const char *text, int width)
{
    while (*text != '\0') {
        int length = (int)strcspn(text, "\r\n");

        if (length > width)
            fail_msg("%d columns on %d: %.*s", length, width, length, text);
        text += length + (int)strspn(text + length, "\r\n");
    }
}

/* Three rows of six columns, one of them empty. */
static char *show_at(int width)
{
    static const struct table_column columns[] = {
        { .name = "lr", .type = TABLE_REAL, .digits = -1, .fold = true },
        { .name = "same", .type = TABLE_TEXT, .fold = true },
        { .name = "nothing", .type = TABLE_TEXT, .fold = true },
        { .name = "a_long_heading_of_text", .type = TABLE_TEXT },
        { .name = "less", .title = "less important", .type = TABLE_INT, .drop = 1 },
        { .name = "least", .title = "least important", .type = TABLE_INT, .drop = 2 },
    };
    struct error err = { 0 };
    struct table *table;

    assert_int_equal(table_create(&table, columns, 6, &err), 0);
    for (int i = 0; i < 3; i++) {
        table_row(table);
        table_real(table, 0.001 * (i + 1));
        table_text(table, "value");
        table_empty(table);
        table_text(table, "words that stay whole");
        table_int(table, i);
        table_int(table, 10 * i);
    }
    return shown_at(table, width);
}

static void a_narrow_terminal_gets_the_columns_that_matter(void **state)
{
    static const int widths[] = { 80, 60, 50, 36 };

    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        char *text = show_at(widths[i]);
        assert_non_null(strstr(text, "in all rows: same value"));
        assert_null(strstr(text, "nothing"));
        assert_non_null(strstr(text, "words that stay whole")); /* in one line */
        expect_lines_within(text, widths[i]);
        free(text);
    }
    char *wide = show_at(80), *narrow = show_at(50), *narrowest = show_at(36);
    assert_null(strstr(wide, "not shown"));
    assert_non_null(strstr(narrow, "not shown at this width: least important"));
    assert_null(strstr(narrow, "least important, "));
    assert_non_null(strstr(narrowest, "least\r\nimportant, less important"));
    free(wide);
    free(narrow);
    free(narrowest);
}

static void a_grid_of_means_goes_over_its_spreads_before_it_is_too_wide(void **state)
{
    enum { STEPS = 7 };
    static const char *const NAMES[STEPS] = { "1", "2", "4", "8", "16", "32", "64" };
    struct table_column columns[STEPS + 1] = { { .name = "trained", .type = TABLE_INT } };

    (void)state;
    for (int i = 0; i < STEPS; i++)
        columns[i + 1] =
            (struct table_column){ .name = NAMES[i], .type = TABLE_TEXT, .tight = true };
    for (int width = 80; width <= 120; width += 40) {
        struct table *table;

        assert_int_equal(table_create(&table, columns, STEPS + 1, NULL), 0);
        table_row(table);
        table_int(table, 16);
        for (int i = 0; i < STEPS; i++)
            table_text(table, "0.870 +-0.069");
        char *text = shown_at(table, width);

        expect_lines_within(text, width);
        assert_int_equal(strstr(text, "0.870 +-0.069") != NULL, width == 120);
        free(text);
    }
}

static void texts_wrap_between_words_and_never_inside(void **state)
{
    static const char WORDS[] = "a sentence of several words, one of which is "
                                "extraordinarily-long-and-stays-in-one-piece, wraps";
    static const struct table_column columns[] = {
        { .name = "check", .type = TABLE_TEXT },
        { .name = "finding", .type = TABLE_TEXT },
    };

    (void)state;
    for (int width = 56; width <= 120; width += 8) {
        struct table *table;
        char word[64];

        assert_int_equal(table_create(&table, columns, 2, NULL), 0);
        table_row(table);
        table_text(table, "machine");
        table_text(table, WORDS);
        table_set_caption(table, WORDS);
        table_add_note(table, WORDS);
        char *text = shown_at(table, width);

        expect_lines_within(text, width);
        for (const char *at = WORDS; *at != '\0'; at += strspn(at, " ")) {
            size_t length = strcspn(at, " ");

            snprintf(word, sizeof word, "%.*s", (int)length, at);
            assert_non_null(strstr(text, word));
            at += length;
        }
        free(text);
    }
}

/* A name takes more than the line has beside the other columns, or more than the line. */
static void a_word_is_broken_only_where_nothing_else_gives_way(void **state)
{
    static const int LENGTHS[] = { 30, 60, 96 };
    static const struct table_column columns[] = {
        { .name = "experiment", .type = TABLE_TEXT },
        { .name = "cancelled", .type = TABLE_INT, .drop = 1 },
        { .name = "finding", .type = TABLE_TEXT },
        { .name = "interval", .type = TABLE_TEXT, .whole = true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof LENGTHS / sizeof *LENGTHS; i++) {
        char name[100] = "";
        struct table *table;

        for (int c = 0; c < LENGTHS[i]; c++)
            name[c] = c == 40 ? '-' : "abcdefghij"[c % 10];
        assert_int_equal(table_create(&table, columns, 4, NULL), 0);
        table_row(table);
        table_text(table, name);
        table_int(table, 7);
        table_text(table, "some words here");
        table_text(table, "[-0.225, -0.053]");
        char *text = shown_at(table, 80);

        expect_lines_within(text, 80);
        assert_int_equal(strstr(text, name) != NULL, LENGTHS[i] < 60);
        /* nor into many pieces while there is a column that can be hidden */
        assert_int_equal(strstr(text, "not shown at this width") != NULL, LENGTHS[i] >= 60);
        assert_non_null(strstr(text, "[-0.225, -0.053]"));
        free(text);
    }
}

/* Six rows with a short text, one with a long one: the width goes to the six. */
static void a_line_is_shared_so_that_the_rows_take_few_lines(void **state)
{
    static const char SHORT[] = "aaaa bbbb cccc dddd eeee";
    static const struct table_column columns[] = {
        { .name = "arm", .type = TABLE_TEXT },
        { .name = "state", .type = TABLE_TEXT },
    };
    struct table *table;
    int lines = 0;

    (void)state;
    assert_int_equal(table_create(&table, columns, 2, NULL), 0);
    for (int i = 0; i < 7; i++) {
        table_row(table);
        table_text(table, i < 6 ? SHORT : "one");
        table_text(table, i < 6 ? "done" : "gone and lost and cut and to be done once more");
    }
    char *text = shown_at(table, 40);

    expect_lines_within(text, 40);
    assert_non_null(strstr(text, SHORT)); /* in one line */
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 1 + 6 + 4); /* the heading; six; "gone and lost / ..." */
    free(text);
}

static void one_row_tells_its_lesser_columns_in_a_line(void **state)
{
    static const struct table_column columns[] = {
        { .name = "name", .type = TABLE_TEXT },
        { .name = "p", .type = TABLE_REAL, .digits = 4, .drop = 2 },
        { .name = "seeds", .type = TABLE_INT, .fold = true, .drop = 1 },
    };
    struct table *table;

    (void)state;
    assert_int_equal(table_create(&table, columns, 3, NULL), 0);
    table_row(table);
    table_text(table, "eleven-long");
    table_real(table, 0.5);
    table_int(table, 3);
    char *text = shown_at(table, 16);

    assert_string_equal(text,
                        "seeds 3\r\nname\r\neleven-long\r\nnot shown at\r\nthis width: p\r\n");
    free(text);
}

static void rows_of_one_group_stand_below_its_name(void **state)
{
    static const struct table_column columns[] = {
        { .name = "group", .type = TABLE_TEXT, .section = true },
        { .name = "value", .type = TABLE_INT },
    };
    struct table *table;

    (void)state;
    assert_int_equal(table_create(&table, columns, 2, NULL), 0);
    for (int i = 0; i < 3; i++) {
        table_row(table);
        table_text(table, i < 2 ? "one group" : "another");
        table_int(table, i);
    }
    expect_print(table, FORMAT_CSV,
                 "group,value\n\"one group\",0\n\"one group\",1\nanother,2\n");
    char *text = shown_at(table, 40);

    assert_string_equal(text, "value\r\none group\r\n    0\r\n    1\r\nanother\r\n    2\r\n");
    free(text);
}

static void programs_get_true_and_false_and_a_line_per_object(void **state)
{
    static const struct table_column columns[] = {
        { .name = "act", .type = TABLE_BOOL },
        { .name = "steps", .type = TABLE_INT },
    };
    struct table *table;

    (void)state;
    assert_int_equal(table_create(&table, columns, 2, NULL), 0);
    table_row(table);
    table_bool(table, true);
    table_int(table, 4);
    table_row(table);
    table_bool(table, false);
    table_empty(table);
    expect_print(table, FORMAT_JSON_LINES,
                 "{\"act\": true, \"steps\": 4}\n{\"act\": false, \"steps\": null}\n");
    expect_print(table, FORMAT_CSV, "act,steps\ntrue,4\nfalse,\n");
    table_destroy(table);
}

static void latex_has_a_tabular_with_its_own_characters_escaped(void **state)
{
    struct table *table = make_table();

    (void)state;
    add_row(table, "a_b & 50 %", 1, -0.5);
    table_set_caption(table, "x < y");
    table_add_note(table, "n^2");
    expect_print(
        table, FORMAT_LATEX,
        "% needs \\usepackage{booktabs}\n"
        "\\begin{table}\n\\centering\n\\caption{x $<$ y}\n"
        "\\begin{tabular}{lrrl}\n\\toprule\n"
        "arm & seeds & pass@2 & spread \\\\\n\\midrule\n"
        "a\\_b \\& 50 \\% & 1 & $-0.500$ & x \\\\\n\\bottomrule\n"
        "\\end{tabular}\n\n\\smallskip{\\small n\\textasciicircum{}2}\n\\end{table}\n");
    table_destroy(table);
}

/* What follows the end of a line and looks like its argument, and two hyphens. */
static void latex_takes_no_text_for_its_own(void **state)
{
    static const struct table_column TEXTS[] = { { .name = "arm", .type = TABLE_TEXT },
                                                 { .name = "b", .type = TABLE_TEXT } };
    struct table *table;
    struct error err;

    (void)state;
    assert_int_equal(table_create(&table, TEXTS, 2, &err), 0);
    table_row(table);
    table_text(table, "[[0,1,2]]");
    table_text(table, "[1]");
    table_row(table);
    table_text(table, "* a-b");
    table_text(table, "--where");
    expect_print(table, FORMAT_LATEX,
                 "% needs \\usepackage{booktabs}\n"
                 "\\begin{table}\n\\centering\n\\begin{tabular}{ll}\n\\toprule\n"
                 "arm & b \\\\\n\\midrule\n"
                 "{}[[0,1,2]] & [1] \\\\\n"
                 "{}* a-b & -{}-where \\\\\n\\bottomrule\n"
                 "\\end{tabular}\n\\end{table}\n");
    table_destroy(table);
}

/* A float of more than a page is cut, and one of 1500 rows stops LaTeX ("Dimension too large"). */
static void latex_of_more_than_a_page_goes_on_on_the_next(void **state)
{
    static const struct table_column STEP[] = { { .name = "step", .type = TABLE_INT } };
    static const char HEAD[] = "\\toprule\nstep \\\\\n\\midrule\n";
    struct table *table;
    struct error err;
    char *rows = strdup("");

    (void)state;
    assert_int_equal(table_create(&table, STEP, 1, &err), 0);
    for (int i = 0; i < 60; i++) {
        char *longer = format_string("%s%d \\\\\n", rows, i);

        table_row(table);
        table_int(table, i);
        free(rows);
        rows = longer;
    }
    table_set_caption(table, "all");
    table_add_note(table, "n");
    char *text = format_string("%% needs \\usepackage{booktabs,longtable}\n"
                               "\\begin{longtable}{r}\n\\caption{all} \\\\\n"
                               "%s\\endfirsthead\n%s\\endhead\n%s\\bottomrule\n"
                               "\\end{longtable}\n\n\\smallskip{\\small n}\n",
                               HEAD, HEAD, rows);
    expect_print(table, FORMAT_LATEX, text);
    free(text);
    free(rows);
    table_destroy(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_line_up_and_numbers_stand_right),
        cmocka_unit_test(a_table_without_rows_prints_its_headings),
        cmocka_unit_test(csv_quotes_what_needs_it_and_keeps_every_digit),
        cmocka_unit_test(markdown_escapes_what_it_would_interpret),
        cmocka_unit_test(json_reads_back_equal),
        cmocka_unit_test(control_characters_never_reach_the_terminal),
        cmocka_unit_test(colours_only_where_they_are_allowed),
        cmocka_unit_test(several_tables_are_one_json_document),
        cmocka_unit_test(a_full_disk_is_an_error_with_its_code),
        cmocka_unit_test(a_narrow_terminal_gets_the_columns_that_matter),
        cmocka_unit_test(a_grid_of_means_goes_over_its_spreads_before_it_is_too_wide),
        cmocka_unit_test(texts_wrap_between_words_and_never_inside),
        cmocka_unit_test(a_word_is_broken_only_where_nothing_else_gives_way),
        cmocka_unit_test(a_line_is_shared_so_that_the_rows_take_few_lines),
        cmocka_unit_test(one_row_tells_its_lesser_columns_in_a_line),
        cmocka_unit_test(rows_of_one_group_stand_below_its_name),
        cmocka_unit_test(programs_get_true_and_false_and_a_line_per_object),
        cmocka_unit_test(latex_has_a_tabular_with_its_own_characters_escaped),
        cmocka_unit_test(latex_takes_no_text_for_its_own),
        cmocka_unit_test(latex_of_more_than_a_page_goes_on_on_the_next),
    };

    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
