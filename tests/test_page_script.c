/* test_page_script.c - serve/page.js in a real browser: sorting, filtering,
 * pointing, and how a page that is open follows the database. Skipped where Debian's
 * Chromium is not installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "store.h"
#include "support/browser.h"
#include "support/opened.h"
#include "support/page_client.h"
#include "support/place.h"
#include "support/release_1.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct place place;
static struct page_server server;
static struct browser browser;

/* The first three experiments that are shown, from above. */
#define FIRST_THREE                                                                            \
    "[...document.querySelectorAll('tbody tr')].filter(row => !row.hidden).slice(0, 3)"        \
    ".map(row => row.cells[0].textContent).join()"
#define SHOWN "[...document.querySelectorAll('tbody tr')].filter(row => !row.hidden).length"
/* How the columns of the page's first table are sorted, except those that are not. */
#define SORTED                                                                                 \
    "[...document.querySelectorAll('table')[0].tHead.rows[0].cells]"                           \
    ".filter(th => th.ariaSort !== 'none')"                                                    \
    ".map(th => th.textContent + ' ' + th.ariaSort).join()"
#define BUTTON(title)                                                                          \
    "[...document.querySelectorAll('th button')].find(b => b.textContent === '" title "')"
#define LIVE "document.getElementById('live').textContent"

/* The experiment "t" of the first release, and 25 without jobs: e1 to e25. */
static void make_workspace(void)
{
    place_make(&place);
    assert_int_equal(mkdir(place.workspace, 0777), 0);
    release_1_write(place.workspace);
    store_close(opened_store(place.workspace, STORE_WRITE)); /* migrates */
    database_change(
        place.workspace,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25)"
        " INSERT INTO experiment (name, description, spec_hash, spec_file, queued_at)"
        " SELECT 'e' || i, '', '', '', '2026-01-01T00:00:00.000Z' FROM n");
}

static int start(void **state)
{
    (void)state;
    make_workspace();
    page_server_start(&server, place.workspace, NULL);
    if (browser_program() != NULL)
        browser_start(&browser, place.directory);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    if (browser_program() != NULL)
        browser_stop(&browser);
    kill(server.pid, SIGCONT); /* a test that failed may have left it stopped */
    assert_int_equal(page_server_stop(&server), 130);
    place_remove(&place);
    return 0;
}

/* Opens the page as someone who has the address; skips the test without a browser. */
static void open_page(const char *path)
{
    if (browser_program() == NULL) {
        print_message("skip: needs Debian's chromium or chromium-headless-shell\n");
        skip();
    }
    char *address = format_string("http://127.0.0.1:%d%s%ctoken=%s", server.port, path,
                                  strchr(path, '?') != NULL ? '&' : '?', server.token);

    browser_open(&browser, address);
    free(address);
}

/* Nothing was wrong in the page, and nothing was asked of others. */
static int expect_no_faults(void **state)
{
    (void)state;
    if (browser_program() == NULL)
        return 0;
    char *found = format_string("%s%s", browser.faults, browser.strays);

    /* those of the next test are its own */
    browser.faults[0] = browser.strays[0] = '\0';
    assert_string_equal(found, "");
    free(found);
    return 0;
}

/* What the console says of answers that did not come is no fault of the page. */
static void expect_lost_requests_alone(void)
{
    for (const char *line = browser.faults; *line != '\0'; line = strchr(line, '\n') + 1)
        if (strncmp(line, "Failed to load resource:", 24) != 0)
            fail_msg("%s", line);
    browser.faults[0] = '\0';
}

/* ---- tables ---- */

static void headings_sort_by_click_and_by_key(void **state)
{
    (void)state;
    open_page("/");
    browser_expect(&browser, FIRST_THREE, "t,e1,e2");
    browser_expect(&browser, SORTED, "");
    browser_click(&browser, BUTTON("experiment"));
    browser_expect(&browser, FIRST_THREE, "e1,e2,e3");
    browser_expect(&browser, SORTED, "experiment ascending");
    browser_click(&browser, BUTTON("experiment"));
    browser_expect(&browser, FIRST_THREE, "t,e25,e24");
    browser_expect(&browser, SORTED, "experiment descending");
    browser_press(&browser, "Tab"); /* to the next heading */
    browser_press(&browser, "Enter");
    browser_expect(&browser, SORTED, "jobs ascending");
    browser_expect(&browser, FIRST_THREE, "e25,e24,e23");
    browser_press(&browser, "Space");
    browser_expect(&browser, SORTED, "jobs descending");
    browser_expect(&browser, FIRST_THREE, "t,e25,e24");
    browser_expect(&browser, "document.activeElement === " BUTTON("jobs"), "true");
}

/* The order of cells in a column, ascending and descending. */
static void expect_order(const char *numeric, const char *cells, const char *up,
                         const char *down)
{
    for (int sign = 1; sign >= -1; sign -= 2) {
        char *order = format_string("%s.sort((a, b) => compare(valueOf(a, %s), valueOf(b, %s),"
                                    " %d)).join('; ')",
                                    cells, numeric, numeric, sign);

        browser_expect(&browser, order, sign > 0 ? up : down);
        free(order);
    }
}

static void cells_sort_by_size_and_what_is_missing_comes_last(void **state)
{
    (void)state;
    open_page("/");
    expect_order("true", "['2.5', '', '-0.1', '<0.0001', '10', '-', '+0.2 [-0.1, 0.5]']",
                 "-0.1; <0.0001; +0.2 [-0.1, 0.5]; 2.5; 10; ; -",
                 "10; 2.5; +0.2 [-0.1, 0.5]; <0.0001; -0.1; ; -");
    expect_order("true", "['[+0.1, +0.3]', '[-0.2, +0.3]', '[-0.1, +0.3]']",
                 "[-0.2, +0.3]; [-0.1, +0.3]; [+0.1, +0.3]",
                 "[+0.1, +0.3]; [-0.1, +0.3]; [-0.2, +0.3]");
    expect_order("true", "['9.5 MFLOP', '3.3 TFLOP', '900 FLOP', '12 GFLOP']",
                 "900 FLOP; 9.5 MFLOP; 12 GFLOP; 3.3 TFLOP",
                 "3.3 TFLOP; 12 GFLOP; 9.5 MFLOP; 900 FLOP");
    expect_order("false", "['0.5', 'all', '0.25', '16', '', 'e10', 'e9']",
                 "0.25; 0.5; 16; all; e9; e10; ", "e10; e9; all; 16; 0.5; 0.25; ");
    expect_order("false", "['2.5 days', '30s', '1h30m of work', '3 years', '45m10s']",
                 "30s; 45m10s; 1h30m of work; 2.5 days; 3 years",
                 "3 years; 2.5 days; 1h30m of work; 45m10s; 30s");
}

static void long_tables_have_a_filter(void **state)
{
    (void)state;
    open_page("/");
    browser_expect(&browser, "document.querySelectorAll('.filter').length", "1");
    browser_expect(&browser, SHOWN, "26");
    browser_click(&browser, "document.querySelector('.filter input')");
    browser_type(&browser, "E2");
    browser_expect(&browser, SHOWN, "7");
    browser_expect(&browser, FIRST_THREE, "e2,e20,e21");
    browser_type(&browser, "5");
    browser_expect(&browser, FIRST_THREE, "e25");
    open_page("/experiment/t");
    browser_expect(&browser, "document.querySelectorAll('#runs table').length", "1");
    browser_expect(&browser, "document.querySelectorAll('#runs .filter').length", "0");
}

/* ---- figures ---- */

static void what_is_pointed_at_in_a_figure_is_said(void **state)
{
    (void)state;
    open_page("/experiment/t");
    browser_expect(&browser, "document.querySelectorAll('svg * > title').length", "0");
    browser_expect(&browser, "getComputedStyle(tip).display", "none");
    browser_point(&browser, "document.querySelector('figure [data-tip]')");
    browser_expect(&browser, "getComputedStyle(tip).display", "block");
    browser_expect(&browser,
                   "tip.textContent.length > 0 && [...document.querySelectorAll("
                   "'figure [data-tip]')].some(e => e.dataset.tip === tip.textContent)",
                   "true");
    browser_expect(&browser,
                   "(r => r.left >= 0 && r.top >= 0 && r.right <= innerWidth &&"
                   " r.bottom <= innerHeight)(tip.getBoundingClientRect())",
                   "true");
    browser_point(&browser, "document.querySelector('h1')");
    browser_expect(&browser, "getComputedStyle(tip).display", "none");
}

/* ---- a page that is open ---- */

static void an_unchanged_page_is_left_alone(void **state)
{
    (void)state;
    open_page("/");
    browser_click(&browser, BUTTON("experiment"));
    free(browser_ask(&browser, "void (window.seen = document.querySelector('table'))"));
    /* the first one is whole, since there is no tag to ask with, and the same */
    browser_wait_for_answers(&browser, &browser.full, 1);
    browser_wait_for(&browser, LIVE, "live");
    browser_wait_for_answers(&browser, &browser.same, 2);
    browser_expect(&browser, LIVE, "live");
    browser_expect(&browser, "window.seen === document.querySelector('table')", "true");
    browser_expect(&browser, SORTED, "experiment ascending");
    browser_expect(&browser, FIRST_THREE, "e1,e2,e3");
    browser_expect(&browser, "document.activeElement === " BUTTON("experiment"), "true");
}

#define TAG(name, text)                                                                        \
    "INSERT INTO mark VALUES ('tag', '" name "', '', '', '" text "', '2026-01-01T00:00:00Z')"

/* A column comes and goes before the one by which the table is sorted, and that one
 * goes, too. */
static void a_changed_page_keeps_order_filter_and_focus(void **state)
{
    (void)state;
    open_page("/");
    browser_click(&browser, "document.querySelector('.filter input')");
    browser_type(&browser, "e1");
    free(browser_ask(&browser, "document.activeElement.setSelectionRange(1, 1)"));
    database_change(place.workspace, TAG("e12", "new") ";" TAG("e10", "old"));
    browser_wait_for(&browser, BUTTON("marks") " !== undefined", "true");
    browser_expect(&browser, "document.activeElement.value", "e1");
    browser_expect(&browser, "document.activeElement.selectionStart", "1");
    browser_expect(&browser, SHOWN, "11");
    browser_click(&browser, BUTTON("marks"));
    browser_expect(&browser, FIRST_THREE, "e12,e10,e1");
    free(
        browser_ask(&browser, "document.querySelector('a[href=\"/experiment/e10\"]').focus()"));
    database_change(place.workspace, "UPDATE mark SET text = 'zero' WHERE text = 'new'");
    browser_wait_for(&browser, FIRST_THREE, "e10,e12,e1");
    browser_expect(&browser, "document.activeElement.textContent", "e10");
    browser_expect(&browser, SORTED, "marks ascending");
    database_change(place.workspace, "DELETE FROM mark");
    browser_wait_for(&browser, BUTTON("marks") " === undefined", "true");
    browser_expect(&browser, SORTED, "");
    browser_wait_for(&browser, LIVE, "live");
    browser_expect(&browser, "document.activeElement.textContent", "e10");
}

static void what_is_chosen_in_a_form_stays(void **state)
{
    (void)state;
    open_page("/experiment/t");
    free(browser_ask(&browser, "document.getElementById('b').selectedIndex = 0;"
                               "document.getElementById('b').focus();"
                               "void (window.seen = document.getElementById('b'))"));
    database_change(place.workspace,
                    "UPDATE job SET state = 'failed', cause = 'exit 1', message ="
                    " 'it ended' WHERE job_id = 2");
    browser_wait_for(&browser, "document.body.textContent.includes('it ended')", "true");
    browser_expect(&browser, "window.seen === document.getElementById('b')", "true");
    browser_expect(&browser, "document.getElementById('b').selectedIndex", "0");
    browser_expect(&browser, "document.activeElement.id", "b");
    database_change(place.workspace,
                    "UPDATE job SET state = 'done', cause = NULL, message = NULL");
    browser_wait_for(&browser, "document.body.textContent.includes('it ended')", "false");
    browser_expect(&browser, "document.getElementById('b').selectedIndex", "0");
}

static void wide_tables_stay_where_they_were_moved_to(void **state)
{
    (void)state;
    open_page("/");
    free(browser_ask(&browser, "document.body.style.width = '20rem';"
                               "document.querySelector('.wide').scrollLeft = 50"));
    database_change(place.workspace, TAG("e12", "new"));
    browser_wait_for(&browser, BUTTON("marks") " !== undefined", "true");
    browser_expect(&browser, "document.querySelector('.wide').scrollLeft", "50");
    database_change(place.workspace, "DELETE FROM mark");
}

#define LONG_WORD                                                                              \
    "a_name_that_nobody_types_twice_and_a_name_that_nobody_types_twice_and_a_name_that_is_"    \
    "long"

static void words_that_are_wider_than_the_window_are_broken(void **state)
{
    static const char *const PATHS[] = { "/experiment/" LONG_WORD, "/experiment/x" LONG_WORD,
                                         "/" };

    (void)state;
    database_change(place.workspace, "UPDATE experiment SET name = '" LONG_WORD
                                     "', description = '" LONG_WORD "' WHERE name = 't'");
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        open_page(PATHS[i]);
        browser_wait_for(&browser, "document.body.textContent.includes('" LONG_WORD "')",
                         "true");
        browser_expect(&browser, "document.documentElement.scrollWidth <= innerWidth", "true");
    }
    expect_lost_requests_alone(); /* one of them is no page */
    database_change(place.workspace, "UPDATE experiment SET name = 't', description = ''"
                                     " WHERE name = '" LONG_WORD "'");
}

/* ---- the server goes away ---- */

static void an_answer_that_breaks_off_is_asked_for_again(void **state)
{
    (void)state;
    open_page("/");
    browser_wait_for(&browser, LIVE, "live");
    free(browser_ask(&browser,
                     "window.lost = 0; const whole = Response.prototype.text;"
                     "void (Response.prototype.text = function () {"
                     " if (this.status !== 200 || window.lost > 0) return whole.call(this);"
                     " window.lost++; return Promise.reject(new TypeError('lost')); })"));
    database_change(place.workspace, TAG("e12", "new"));
    browser_wait_for(&browser, BUTTON("marks") " !== undefined", "true");
    browser_expect(&browser, "window.lost", "1");
    browser_wait_for(&browser, LIVE, "live");
    database_change(place.workspace, "DELETE FROM mark");
}

static void a_server_that_stands_still_is_not_said_to_be_live(void **state)
{
    (void)state;
    open_page("/");
    browser_wait_for(&browser, LIVE, "live");
    assert_int_equal(kill(server.pid, SIGSTOP), 0);
    browser_wait_for(&browser, LIVE, "hrmlab serve does not answer");
    assert_int_equal(kill(server.pid, SIGCONT), 0);
    browser_wait_for(&browser, LIVE, "live");
    expect_lost_requests_alone();
}

static void a_page_goes_on_when_its_server_comes_back(void **state)
{
    (void)state;
    open_page("/");
    browser_click(&browser, BUTTON("experiment"));
    browser_wait_for(&browser, LIVE, "live");
    assert_int_equal(page_server_stop(&server), 130);
    browser_wait_for(&browser, LIVE, "hrmlab serve does not answer");
    browser_expect(&browser, FIRST_THREE, "e1,e2,e3");
    database_change(place.workspace, TAG("e12", "new"));
    page_server_start_again(&server, place.workspace);
    /* it has a new token */
    browser_wait_for(&browser, LIVE, "not live: reload the page to see why");
    char *enter =
        format_string("fetch('/?token=%s').then(reply => reply.status)", server.token);
    browser_expect(&browser, enter, "200");
    browser_wait_for(&browser, LIVE, "live");
    browser_wait_for(&browser, BUTTON("marks") " !== undefined", "true");
    browser_expect(&browser, FIRST_THREE, "e1,e2,e3");
    free(enter);
    database_change(place.workspace, "DELETE FROM mark");
    expect_lost_requests_alone();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(headings_sort_by_click_and_by_key, expect_no_faults),
        cmocka_unit_test_teardown(cells_sort_by_size_and_what_is_missing_comes_last,
                                  expect_no_faults),
        cmocka_unit_test_teardown(long_tables_have_a_filter, expect_no_faults),
        cmocka_unit_test_teardown(what_is_pointed_at_in_a_figure_is_said, expect_no_faults),
        cmocka_unit_test_teardown(an_unchanged_page_is_left_alone, expect_no_faults),
        cmocka_unit_test_teardown(a_changed_page_keeps_order_filter_and_focus,
                                  expect_no_faults),
        cmocka_unit_test_teardown(what_is_chosen_in_a_form_stays, expect_no_faults),
        cmocka_unit_test_teardown(wide_tables_stay_where_they_were_moved_to, expect_no_faults),
        cmocka_unit_test_teardown(words_that_are_wider_than_the_window_are_broken,
                                  expect_no_faults),
        cmocka_unit_test_teardown(an_answer_that_breaks_off_is_asked_for_again,
                                  expect_no_faults),
        cmocka_unit_test_teardown(a_server_that_stands_still_is_not_said_to_be_live,
                                  expect_no_faults),
        cmocka_unit_test_teardown(a_page_goes_on_when_its_server_comes_back, expect_no_faults),
    };

    return cmocka_run_group_tests_name("page.js", tests, start, stop);
}
