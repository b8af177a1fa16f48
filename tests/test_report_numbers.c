/* test_report_numbers.c - every number of a report is that of the database: computed here
 * from SQL, and none is left over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "support/markup_check.h"
#include "support/recorded_demo.h"
#include "support/report_facts.h"

/* Results without the regularity of tests/data/screens.sql, in which wrong cells could
 * have right numbers; and data of which something is published. */
static const char VARIED[] =
    "UPDATE task_outcome SET rank = CASE (evaluation_id * 7 + unicode(substr(task, -1)) * 5)"
    "  % 6 WHEN 0 THEN 3 WHEN 1 THEN 2 ELSE 1 END WHERE rank IS NOT NULL;"
    "UPDATE measure_value SET value = (SELECT avg(coalesce(o.rank"
    "  <= CAST(substr(name, 9) AS INTEGER), 0)) FROM task_outcome o"
    "  WHERE o.evaluation_id = measure_value.evaluation_id)"
    " WHERE step > 0 AND name GLOB 'pass_at_[0-9]*' AND name NOT GLOB '*strict';"
    "UPDATE measure_value SET value = value * 0.87 + evaluation_id / 900.0"
    " WHERE step > 0 AND name IN ('exact_rows', 'per_token_accuracy');"
    "UPDATE metric SET value = value * 1.0137 + run_id / 1000.0;"
    "UPDATE baseline SET pass_at_2 = 0.0431;"
    "UPDATE attempt SET provenance = '{\"data\":{\"source\":\"data/arc-agi-1\"}}'";

static struct place place;
static struct report_facts facts;
static char *html, *markdown;

/* format: NULL: HTML. */
static void write_report(char **text, const char *format)
{
    char *path = file_join(place.directory, "report"), *out, *errors;
    const char *const words[] = {
        "report", "demo", "-o", path, format != NULL ? "--format" : NULL, format, NULL
    };
    struct error err;
    size_t size;

    if (place_run(&place, words, &out, &errors) != 0)
        fail_msg("report: %s", errors);
    if (file_read(text, &size, path, 1 << 24, &err) != 0)
        fail_msg("%s", err.message);
    free(path);
    free(out);
    free(errors);
}

static int make_reports(void **state)
{
    (void)state;
    recorded_demo_make(&place);
    place_change(&place, VARIED);
    write_report(&html, NULL);
    write_report(&markdown, "markdown");
    facts_open(&facts, &place);
    if (markup_fault(html) != NULL)
        fail_msg("%s", markup_fault(html));
    report_page_read(&facts.page, html);
    return 0;
}

static int remove_reports(void **state)
{
    (void)state;
    facts_close(&facts);
    free(html);
    free(markdown);
    place_remove(&place);
    return 0;
}

static void every_number_of_a_report_is_that_of_the_database(void **state)
{
    const struct figure_facts figure_facts = { &facts.outcomes, facts.db, facts.others,
                                               facts.other_count };
    int figures = 0;

    (void)state;
    for (int i = 0; i < facts.page.count;) {
        const struct page_item *item = &facts.page.items[i];

        facts.check.place = item->section;
        if (item->kind == PAGE_PICTURE) {
            i += check_figure(&facts.check, &figure_facts, item, facts.page.count - i);
            figures++;
            continue;
        }
        if (item->kind == PAGE_WORDS && strcmp(item->tag, "th") == 0)
            check_skip(&facts.check, item->text);
        else if (item->kind == PAGE_WORDS)
            check_words(&facts, item);
        else if (item->kind == PAGE_CELL)
            check_cell(&facts, item);
        else if (item->kind == PAGE_CODE)
            check_code(&facts, item->text);
        i++;
    }
    if (getenv("HRMLAB_SHOW") != NULL)
        print_message("%d figures; numbers: %d equal, %d in heads of columns (\"pass@2\", "
                      "\"95 %% interval\") not looked at, %d left over, %d faults\n",
                      figures, facts.check.matched, facts.check.skipped, facts.check.unmatched,
                      facts.check.faults);
    assert_int_equal(facts.check.faults, 0);
    assert_int_equal(facts.check.unmatched, 0);
    assert_true(figures >= 9);
    assert_true(facts.check.matched > 3000);
}

/* The numbers of a text, one after the other, without what Markdown adds. */
static char *list_numbers(const char *text)
{
    char *out = calloc(strlen(text) + 2, 1);
    size_t used = 0;

    assert_non_null(out);
    for (const char *at = text; *at != '\0'; at++)
        if (strchr("0123456789.", *at) != NULL)
            out[used++] = *at;
        else if (used > 0 && out[used - 1] != ' ')
            out[used++] = ' ';
    return out;
}

/* What the page has of words and cells, figures and code aside, is in Markdown in the
 * same order. */
static void markdown_has_the_numbers_of_the_page(void **state)
{
    char *rest = list_numbers(markdown), *at = rest;
    int found = 0;

    (void)state;
    for (int i = 0; i < facts.page.count; i++) {
        const struct page_item *item = &facts.page.items[i];

        if ((item->kind != PAGE_WORDS && item->kind != PAGE_CELL) ||
            strcmp(item->tag, "caption") == 0 || count_numbers(item->text) == 0)
            continue;
        char *numbers = list_numbers(item->text), *begin = numbers + strspn(numbers, " ");

        begin[strcspn(begin, "") - (begin[strlen(begin) - 1] == ' ')] = '\0';
        char *next = strstr(at, begin);

        if (next == NULL)
            fail_msg("%s: Markdown has no \"%s\"", item->section, item->text);
        at = next + strlen(begin);
        found++;
        free(numbers);
    }
    assert_true(found > 300);
    free(rest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_of_a_report_is_that_of_the_database),
        cmocka_unit_test(markdown_has_the_numbers_of_the_page),
    };

    return cmocka_run_group_tests(tests, make_reports, remove_reports);
}
