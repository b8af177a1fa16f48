/* test_serve.c - the live pages: who is let in, what they hold, that they follow, the sandbox. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "names.h"
#include "number.h"
#include "sandbox.h"
#include "store.h"
#include "support/markup_check.h"
#include "support/opened.h"
#include "support/page_client.h"
#include "support/place.h"
#include "support/release_1.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static struct place place;
static struct page_server server;

static void change_database(const char *sql)
{
    database_change(place.workspace, sql);
}

/* The workspace of the first release: the experiment "t", two arms by arch.name, one
 * seed. */
static void make_workspace(void)
{
    place_make(&place);
    assert_int_equal(mkdir(place.workspace, 0777), 0);
    release_1_write(place.workspace);
    store_close(opened_store(place.workspace, STORE_WRITE)); /* migrates */
}

static int start(void **state)
{
    (void)state;
    make_workspace();
    page_server_start(&server, place.workspace, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    assert_int_equal(page_server_stop(&server), 130);
    place_remove(&place);
    return 0;
}

static void expect_status(const char *method, const char *path, const char *headers, int status)
{
    struct page_reply reply;

    page_send(&reply, &server, method, path, headers);
    if (reply.status != status)
        fail_msg("%s %.80s: status %d, expected %d", method, path, reply.status, status);
    page_reply_release(&reply);
}

static void a_wrong_host_method_or_token_is_refused(void **state)
{
    static const char *const HOSTS[] = { "evil.example", "127.0.0.1.evil.example",
                                         "localhost:80:80", "127.0.0.1:x", "[::1].example" };
    char good[120], bad[200], other[40];

    (void)state;
    snprintf(good, sizeof good, "Host: localhost:%d\r\nCookie: a=b; hrmlab_%d=%s\r\n",
             server.port, server.port, server.token);
    expect_status("GET", "/", good, 200);
    expect_status("HEAD", "/", good, 200);
    expect_status("POST", "/", good, 405);
    expect_status("DELETE", "/experiment/t", good, 405);
    expect_status("GET", "/", "Host: localhost\r\n", 403);
    expect_status("GET", "/page.js", "Host: localhost\r\n", 403);
    for (size_t i = 0; i < sizeof HOSTS / sizeof *HOSTS; i++) {
        snprintf(bad, sizeof bad, "Host: %s\r\nCookie: hrmlab_%d=%s\r\n", HOSTS[i], server.port,
                 server.token);
        expect_status("GET", "/", bad, 403);
    }
    /* each digit counts, and the length */
    for (size_t i = 0; i <= strlen(server.token); i++) {
        snprintf(other, sizeof other, "%s", server.token);
        other[i] = other[i] == '0' ? '1' : '0';
        snprintf(bad, sizeof bad, "Host: localhost\r\nCookie: hrmlab_%d=%.33s\r\n", server.port,
                 other);
        expect_status("GET", "/", bad, 403);
    }
    snprintf(bad, sizeof bad, "/?token=%.31s", server.token);
    expect_status("GET", bad, good, 403);
}

static void the_token_of_the_address_becomes_a_cookie_that_scripts_do_not_get(void **state)
{
    struct page_reply reply;
    char path[120], expected[120];

    (void)state;
    snprintf(path, sizeof path, "/compare?a=x&token=%s&b=y", server.token);
    page_send(&reply, &server, "GET", path, "Host: 127.0.0.1\r\n");
    char *location = page_header(&reply, "Location"),
         *cookie = page_header(&reply, "Set-Cookie");
    assert_int_equal(reply.status, 303);
    assert_string_equal(location, "/compare?a=x&b=y");
    snprintf(expected, sizeof expected, "hrmlab_%d=%s; HttpOnly; SameSite=Strict; Path=/",
             server.port, server.token);
    assert_string_equal(cookie, expected);
    free(location);
    free(cookie);
    page_reply_release(&reply);
    snprintf(path, sizeof path, "//evil.example/?token=%s", server.token);
    page_send(&reply, &server, "GET", path, "Host: 127.0.0.1\r\n");
    location = page_header(&reply, "Location");
    assert_string_equal(location, "/evil.example/");
    free(location);
    page_reply_release(&reply);
    /* however its name is encoded: it would lead to itself */
    snprintf(path, sizeof path, "/queue?%%74oke%%6E=%s&token2=x", server.token);
    page_send(&reply, &server, "GET", path, "Host: 127.0.0.1\r\n");
    assert_int_equal(reply.status, 303);
    location = page_header(&reply, "Location");
    assert_string_equal(location, "/queue?token2=x");
    free(location);
    page_reply_release(&reply);
}

static void a_page_may_load_from_its_server_alone(void **state)
{
    static const char *const EXPECTED[][2] = {
        { "X-Content-Type-Options", "nosniff" },
        { "Referrer-Policy", "no-referrer" },
        { "Content-Type", "text/html; charset=utf-8" },
        { "Content-Security-Policy",
          "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
          "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" },
    };
    struct page_reply reply;

    (void)state;
    page_get(&reply, &server, "/experiment/t", "");
    for (size_t i = 0; i < sizeof EXPECTED / sizeof *EXPECTED; i++) {
        char *value = page_header(&reply, EXPECTED[i][0]);

        assert_string_equal(value, EXPECTED[i][1]);
        free(value);
    }
    /* what that policy would block */
    assert_null(strstr(reply.body, "<style"));
    assert_null(strstr(reply.body, "style=\""));
    assert_null(strstr(reply.body, "onclick"));
    assert_null(strstr(reply.body, "href=\"http"));
    page_reply_release(&reply);
}

static void what_is_no_address_says_so(void **state)
{
    static const struct {
        const char *path;
        int status;
    } CASES[] = { { "/nothing", 404 },
                  { "/experiment", 404 },
                  { "/experiment/nope", 404 },
                  { "/experiment/t/x/y/z", 400 },
                  { "/%zz", 400 },
                  { "/%", 400 },
                  { "/experiment/a%00b", 400 },
                  { "/?a=%1", 400 },
                  { "/figure/t/nope.svg", 404 } };
    struct page_reply reply;
    char longest[6000] = "/";

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        page_get(&reply, &server, CASES[i].path, "");
        if (reply.status != CASES[i].status)
            fail_msg("%s: %d, expected %d", CASES[i].path, reply.status, CASES[i].status);
        if (CASES[i].status == 400)
            assert_non_null(strstr(reply.body, "at most 4 parts and 8 values"));
        page_reply_release(&reply);
    }
    page_get(&reply, &server, "/experiment/nope", "");
    assert_non_null(strstr(reply.body, "there are: t"));
    assert_non_null(strstr(reply.body, "/experiment/NAME"));
    page_reply_release(&reply);
    memset(longest + 1, 'a', sizeof longest - 2);
    page_get(&reply, &server, longest, "");
    assert_int_equal(reply.status, 414);
    page_reply_release(&reply);
}

/* Gets the page, whatever its status, until it has these words: pages of before are good
 * for a while. For at most a minute; its body, fresh. */
static char *wait_for_words(const char *path, const char *words)
{
    struct page_reply reply;

    for (int i = 0; i < 300; i++) {
        page_get(&reply, &server, path, "");
        if (strstr(reply.body, words) != NULL) {
            free(reply.headers);
            return reply.body;
        }
        page_reply_release(&reply);
        place_sleep_ms(200);
    }
    fail_msg("%s does not have \"%s\"", path, words);
    return NULL;
}

/* A cell of the database's number stands in the page. */
static void expect_number(const char *body, const char *sql, int digits)
{
    char *value = place_ask(&place, sql), number[NUMBER_TEXT_SIZE];
    char *cell = format_string(">%s<", number_fixed(number, strtod(value, NULL), digits));

    if (value[0] == '\0' || strstr(body, cell) == NULL)
        fail_msg("%s: %s is not in the page", sql, cell);
    free(cell);
    free(value);
}

static void pages_hold_the_numbers_of_the_database(void **state)
{
    static const char *const ARMS[] = { "hrm", "transformer" };
    char *body = page_body(&server, "/");

    (void)state;
    assert_null(markup_fault(body));
    assert_non_null(strstr(body, "<a href=\"/experiment/t\">t</a>"));
    assert_non_null(strstr(body, "2 of 2 jobs done"));
    free(body);
    body = page_body(&server, "/experiment/t");
    if (markup_fault(body) != NULL)
        fail_msg("%s", markup_fault(body));
    for (int i = 0; i < 2; i++) {
        char *sql = format_string("SELECT per_token_accuracy FROM v_results WHERE arm ="
                                  " 'arch.name=%s' AND eval_outer_steps = train_outer_steps",
                                  ARMS[i]);

        expect_number(body, sql, 3);
        free(sql);
        sql =
            format_string("SELECT run_hash FROM v_results WHERE arm = 'arch.name=%s'", ARMS[i]);
        char *hash = place_ask(&place, sql), *link = format_string("href=\"/run/%s\"", hash);
        assert_non_null(strstr(body, link));
        free(link);
        free(hash);
        free(sql);
    }
    free(body);
}

/* Writes the answers of a run as its worker would. */
static void write_submission(const char *hash, const char *text)
{
    struct error err;
    char *directory = format_string("%s/runs/%s/attempts/1", place.workspace, hash);
    char *path = format_string("%s/submission.json", directory);

    assert_int_equal(file_make_directories(directory, &err), 0);
    assert_int_equal(file_write_atomic(path, text, strlen(text), &err), 0);
    free(directory);
    free(path);
}

static void runs_and_tasks_have_pages_with_what_is_stored(void **state)
{
    char *hash = place_ask(&place, "SELECT hash FROM run ORDER BY run_id LIMIT 1");
    char *path = format_string("/run/%.12s", hash), *body = page_body(&server, path);

    (void)state;
    assert_null(markup_fault(body));
    assert_non_null(strstr(body, hash));
    expect_number(body,
                  "SELECT per_token_accuracy FROM v_results JOIN run ON hash = run_hash"
                  " ORDER BY run_id LIMIT 1",
                  3);
    assert_non_null(strstr(body, "<a href=\"/task/t/border-0\">border-0</a>"));
    assert_non_null(strstr(body, "<a href=\"/experiment/t\">t</a>"));
    assert_non_null(strstr(body, "<title>Training loss</title>"));
    assert_non_null(strstr(body, "<figure class=\"wide\"")); /* scrolls on narrow screens */
    assert_non_null(strstr(body, ">token loss in training, nats</text>"));
    assert_null(strstr(body, "as a file"));
    free(body);
    body = page_body(&server, "/task/t/crop-0");
    assert_non_null(strstr(body, "No answers are kept as files"));
    assert_null(strstr(body, "the answers with most votes"));
    free(body);
    /* one grid to draw, and what is none */
    write_submission(hash, "{\"border-0\": [{\"attempt_1\": [[1, 2], [0, 9]], "
                           "\"attempt_2\": [[1, 10]]}, {\"attempt_1\": 5}, "
                           "{\"attempt_1\": [[3]], \"attempt_2\": [[3]]}, "
                           "{\"attempt_1\": [[3]], \"attempt_2\": [[4]]}]}");
    body = page_body(&server, "/task/t/border-0");
    assert_null(markup_fault(body));
    assert_non_null(strstr(body, "test 1, answer 1"));
    assert_non_null(strstr(body, "fill=\"#0074d9\""));
    assert_non_null(strstr(body, "the answers with most votes"));
    assert_null(strstr(body, "test 1, answer 2"));
    assert_non_null(strstr(body, "test 3, answer 1"));
    assert_null(strstr(body, "test 3, answer 2")); /* the same again */
    assert_non_null(strstr(body, "test 4, answer 2"));
    char *cells = place_ask(&place, "SELECT '<td>test</td><td class=\"n\">' || (1 + test_index)"
                                    " || '</td>' FROM task_outcome WHERE task = 'border-0'");

    assert_non_null(strstr(body, cells)); /* tests are counted from 1, as in drawings */
    free(cells);
    char *link = format_string("<a href=\"/run/%s\">%.12s</a>", hash, hash);

    assert_non_null(strstr(body, link)); /* a short name for the whole hash */
    free(link);
    char *rows = place_ask(&place, "SELECT count(*) FROM task_outcome WHERE task = 'border-0'");
    int links = 0;
    for (const char *at = body; (at = strstr(at, "href=\"/run/")) != NULL; at++)
        links++;
    assert_int_equal(links, atoi(rows));
    free(rows);
    free(body);
    free(path);
    free(hash);
}

/* Two evaluations of a run may differ in no more than, say, eval.act_inference. */
static void an_evaluation_is_told_by_everything_that_it_has_set(void **state)
{
    static const char WORDS[] = "<td>act_inference true, weights raw</td>";
    char *body = page_body(&server, "/task/t/border-0");

    (void)state;
    assert_null(strstr(body, "other settings"));
    free(body);
    change_database("UPDATE evaluation SET canonical = json_set(canonical,"
                    " '$.\"eval.act_inference\"', json('true'), '$.\"eval.weights\"', 'raw')"
                    " WHERE evaluation_id = (SELECT min(evaluation_id) FROM task_outcome)");
    char *hash = place_ask(&place, "SELECT hash FROM evaluation v JOIN run USING (run_id)"
                                   " WHERE v.canonical LIKE '%raw%'");
    char *path = format_string("/run/%s", hash);

    free(wait_for_words("/task/t/border-0", WORDS));
    free(wait_for_words(path, WORDS));
    free(path);
    free(hash);
    change_database("UPDATE evaluation SET canonical = json_set(json_remove(canonical,"
                    " '$.\"eval.weights\"'), '$.\"eval.act_inference\"', json('false'))");
}

static void any_two_arms_are_compared_and_a_wrong_name_is_said(void **state)
{
    struct page_reply reply;
    char *body = page_body(&server, "/compare");

    (void)state;
    assert_non_null(strstr(body, "value=\"t:arch.name=hrm\""));
    free(body);
    body = page_body(&server, "/compare?a=t%3Aarch.name%3Dhrm+eval.halt_max_steps%3D1&b="
                              "t%3Aarch.name%3Dtransformer+eval.halt_max_steps%3D1"
                              "&metric=per_token_accuracy");
    assert_null(markup_fault(body));
    assert_non_null(strstr(body, "id=\"difference\""));
    expect_number(body,
                  "SELECT avg(a) FROM (SELECT avg(per_token_accuracy) AS a FROM task_outcome"
                  " JOIN evaluation USING (evaluation_id) JOIN setting USING (run_id)"
                  " WHERE key = 'arch.name' AND value = 'hrm' AND outer_steps = 1"
                  " GROUP BY task)",
                  3);
    assert_non_null(strstr(body, "id=\"differs\""));
    free(body);
    page_get(&reply, &server, "/compare?a=t:arch.name%3Dhrm&b=t:nope", "");
    assert_int_equal(reply.status, 404);
    assert_non_null(strstr(reply.body, "value=\"t:nope\""));
    assert_non_null(strstr(reply.body, "no arm &quot;nope&quot;"));
    page_reply_release(&reply);
}

/* With 3 to 20 outer steps at inference, too: not all results are listed. */
static void a_comparison_names_the_fields_of_its_page(void **state)
{
    static const char MORE[] =
        "WITH RECURSIVE n (steps) AS (SELECT 3 UNION ALL SELECT steps + 1 FROM n"
        " WHERE steps < 20) INSERT INTO evaluation SELECT 100 * run_id + steps, run_id,"
        " replace(canonical, 'steps\":1', 'steps\":' || steps), steps, 0, 0, 0, 'test'"
        " FROM evaluation, n WHERE outer_steps = 1;"
        "INSERT INTO evaluation_result SELECT evaluation_id, 3, 'last', 37, 42, 0.5, p, p, 1,"
        " p, p FROM (SELECT evaluation_id, run_id * outer_steps / 100.0 AS p FROM evaluation"
        " WHERE evaluation_id > 100);"
        "INSERT INTO measure_value SELECT evaluation_id, 3, name, 0, run_id * outer_steps / "
        "100.0"
        " FROM evaluation, (SELECT 'pass_at_2' AS name UNION SELECT 'per_token_accuracy')"
        " WHERE evaluation_id > 100";
    static const char LESS[] = "DELETE FROM measure_value WHERE evaluation_id > 100;"
                               "DELETE FROM evaluation_result WHERE evaluation_id > 100;"
                               "DELETE FROM evaluation WHERE evaluation_id > 100";
    static const struct {
        const char *query, *words;
    } CASES[] = {
        { "b=t:arch.name%3Dtransformer&metric=pass_at_2",
          "the field measure chooses by which" },
        { "b=t:arch.name%3Dtransformer&metric=per_token_accuracy", "whose token acc differs" },
        { "b=t:arch.name%3Dtransformer&metric=vote_margin",
          ">vote_margin is not kept per task" },
        { "b=t:arch.halt_max_steps%3D2&metric=pass_at_2", "; add KEY=VALUE; hrmlab compare" },
    };

    (void)state;
    change_database(MORE);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *path = format_string("/compare?a=t:arch.name%%3Dhrm&%s", CASES[i].query);
        char *body = wait_for_words(path, CASES[i].words);

        assert_null(strstr(body, "(--"));
        assert_null(strstr(body, " --all"));
        assert_null(strstr(body, "--metric"));
        free(body);
        free(path);
    }
    change_database(LESS);
}

/* What a reader's button "Compare" asks for stands in the page: two arms, a measure. */
static void the_page_of_an_experiment_leads_to_the_comparison_of_two_of_its_arms(void **state)
{
    char *body = page_body(&server, "/experiment/t");

    (void)state;
    assert_null(markup_fault(body));
    assert_non_null(strstr(body, "<a href=\"#compare\">"));
    const char *form = strstr(body, "<form method=\"get\" action=\"/compare\">");
    assert_non_null(form);
    const char *from = strstr(form, "<select id=\"a\" name=\"a\">");
    const char *to = strstr(form, "<select id=\"b\" name=\"b\">");
    assert_non_null(from);
    assert_non_null(to);
    assert_non_null(strstr(from, "value=\"t:arch.name=hrm\" selected=\"selected\""));
    assert_non_null(strstr(to, "value=\"t:arch.name=transformer\" selected=\"selected\""));
    assert_non_null(strstr(form, "value=\"pass_at_2\" selected=\"selected\""));
    free(body);
    body = page_body(&server, "/compare?a=t%3Aarch.name%3Dhrm&b=t%3Aarch.name%3Dtransformer"
                              "&metric=pass_at_2");
    assert_non_null(strstr(body, "id=\"difference\""));
    free(body);
}

static void the_queue_shows_what_waits_where_what_runs_and_what_failed(void **state)
{
    (void)state;
    change_database("UPDATE job SET state = 'queued' WHERE job_id = 1;"
                    "UPDATE job SET state = 'failed', cause = 'out of memory', message ="
                    " 'it was killed' WHERE job_id = 2");
    char *body = wait_for_words("/queue", "0 of 2 jobs done, 1 failed");
    assert_null(markup_fault(body));
    assert_non_null(strstr(body, "no runner is at work here"));
    assert_non_null(strstr(body, "<td>out of memory</td><td>it was killed</td>"));
    const char *running = strstr(body, "id=\"places\"");
    const char *queued = strstr(body, "id=\"queued\"");
    assert_non_null(running);
    assert_non_null(strstr(running, "There are none."));
    assert_non_null(queued);
    assert_true(strstr(running, "There are none.") < queued);
    assert_true(strstr(body, "id=\"failures\"") < queued); /* above what may be long */
    assert_non_null(strstr(queued, "<a href=\"/experiment/t\">t</a>"));
    free(body);
    change_database("UPDATE job SET state = 'running' WHERE job_id = 1;"
                    "UPDATE attempt SET state = 'running', host = 'machine-7', cpus = '3'"
                    " WHERE job_id = 1");
    free(wait_for_words("/queue", "<td>machine-7</td><td>3</td>"));
    change_database("UPDATE job SET state = 'done', cause = NULL, message = NULL;"
                    "UPDATE attempt SET state = 'ended'");
}

static void a_figure_is_a_file_of_its_own(void **state)
{
    char *page = page_body(&server, "/experiment/t");
    const char *link = strstr(page, "href=\"/figure/t/");
    struct page_reply reply;

    (void)state;
    assert_non_null(link);
    char *path = strndup(link + 6, strcspn(link + 6, "\""));
    page_get(&reply, &server, path, "");
    char *type = page_header(&reply, "Content-Type");
    assert_int_equal(reply.status, 200);
    assert_string_equal(type, "image/svg+xml");
    assert_null(markup_fault(reply.body));
    free(type);
    free(path);
    free(page);
    page_reply_release(&reply);
}

/* Gets the page until it is another one than that of the tag, for at most a minute. */
static char *wait_for_change(const char *path, const char *tag)
{
    char *header = format_string("If-None-Match: %s\r\n", tag);
    struct page_reply reply;

    for (int i = 0; i < 300; i++) {
        page_get(&reply, &server, path, header);
        if (reply.status == 200)
            break;
        assert_int_equal(reply.status, 304);
        assert_string_equal(reply.body, "");
        page_reply_release(&reply);
        place_sleep_ms(200);
    }
    if (reply.body == NULL)
        fail_msg("%s does not change", path);
    char *body = strdup(reply.body);
    page_reply_release(&reply);
    free(header);
    return body;
}

static void an_unchanged_page_is_not_sent_again_and_a_changed_one_is(void **state)
{
    struct page_reply reply;
    char *again;

    (void)state;
    page_get(&reply, &server, "/experiment/t", "");
    char *tag = page_header(&reply, "ETag");
    assert_non_null(tag);
    page_reply_release(&reply);
    again = format_string("If-None-Match: \"x\", %s\r\n", tag);
    page_get(&reply, &server, "/experiment/t", again);
    assert_int_equal(reply.status, 304);
    page_reply_release(&reply);
    free(again);
    change_database("UPDATE experiment SET description = 'Another question.'");
    char *body = wait_for_change("/experiment/t", tag);
    assert_non_null(strstr(body, "Another question."));
    free(body);
    free(tag);
}

static void names_notes_and_tags_cannot_become_markup(void **state)
{
    static const char BAD[] = "<script>alert(1)</script>";
#define ENCODED "%3Cscript%3Ealert(1)%3C%2Fscript%3E"
    static const char *const PATHS[] = { "/",
                                         "/experiment/" ENCODED,
                                         "/queue",
                                         "/run/last",
                                         "/task/" ENCODED "/border-0",
                                         "/task/" ENCODED "/" ENCODED,
                                         "/compare?a=" ENCODED "&b=%22%3E" ENCODED,
                                         "/experiment/x" ENCODED };

    (void)state;
    change_database(
        "UPDATE experiment SET name = '<script>alert(1)</script>', description = "
        "'<script>alert(1)</script> & \"x\"';"
        "UPDATE arm SET label = label || ' <script>alert(1)</script>' WHERE position = 0;"
        "INSERT INTO mark SELECT k.value, e.name, '', '', '<script>alert(1)</script>', 'now'"
        " FROM experiment e, json_each('[\"note\", \"tag\"]') k;"
        "UPDATE task_outcome SET task = '<script>alert(1)</script>' WHERE task = 'crop-0';"
        "UPDATE job SET state = 'failed', cause = '<script>alert(1)</script>', message ="
        " '\"><script>alert(1)</script>' WHERE job_id = 1");
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        char *body = wait_for_words(PATHS[i], "&lt;script&gt;alert(1)");

        assert_null(strstr(body, BAD));
        if (markup_fault(body) != NULL)
            fail_msg("%s: %s", PATHS[i], markup_fault(body));
        free(body);
    }
}

static void a_database_that_was_replaced_is_not_shown(void **state)
{
    struct page_reply reply;
    char from[80], to[80];

    (void)state;
    snprintf(from, sizeof from, "%s/results.db", place.workspace);
    snprintf(to, sizeof to, "%s/results.db.before", place.workspace);
    assert_int_equal(rename(from, to), 0);
    page_get(&reply, &server, "/", "");
    assert_int_equal(reply.status, 503);
    assert_non_null(strstr(reply.body, "start it again"));
    page_reply_release(&reply);
    page_get(&reply, &server, "/page.css", ""); /* the page that says so has its style */
    assert_int_equal(reply.status, 200);
    page_reply_release(&reply);
    assert_int_equal(rename(to, from), 0);
}

/* ---- where it listens ---- */

static void a_socket_is_for_its_owner_alone_and_can_be_taken_over(void **state)
{
    struct page_server local;
    struct stat status;
    char path[80];

    (void)state;
    make_workspace();
    snprintf(path, sizeof path, "%s/page", place.directory);
    for (int i = 0; i < 2; i++) { /* the second one finds what the first has left */
        page_server_start(&local, place.workspace, path);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
        char *body = page_body(&local, "/");
        assert_non_null(strstr(body, "Experiments"));
        free(body);
        assert_int_equal(page_server_stop(&local), 130);
    }
    place_remove(&place);
}

static void a_port_in_use_and_bad_words_are_said(void **state)
{
    char port[16], *out, *errors;

    (void)state;
    snprintf(port, sizeof port, "%d", server.port);
    const struct {
        const char *words[4];
        int code;
        const char *said;
    } CASES[] = {
        { { "serve", "--port", port, NULL },
          3,
          "Address already in use; --port names another" },
        { { "serve", "--port", "70000", NULL }, 2, "--port 70000: expected a number from 1" },
        { { "serve", "--socket", "/dev/null", NULL }, 3, "there is a file that is no socket" },
        { { "status", "--port", "1", NULL }, 2, "--port is for serve" },
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        int code = place_run(&place, CASES[i].words, &out, &errors);

        if (code != CASES[i].code || strstr(errors, CASES[i].said) == NULL)
            fail_msg("%d: %s", code, errors);
        assert_string_equal(out, "");
        free(out);
        free(errors);
    }
}

/* ---- the sandbox ---- */

/* More connections than the server takes, none of which asks for anything whole. Is killed. */
static pid_t crowd(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        for (int i = 0; i < 300; i++)
            dprintf(page_connect(&server), "GET / HTTP/1.1\r\n");
        for (;;)
            pause();
    }
    return pid;
}

static int count_open(pid_t pid)
{
    struct names names = { 0 };
    struct error err;
    char path[60];

    snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
    assert_int_equal(names_read(&names, path, &err), 0);
    int count = names.count;
    names_release(&names);
    return count;
}

/* As many connections as it takes, and then all of them end at the same moment. */
static void a_server_that_was_full_takes_connections_again(void **state)
{
    const struct timeval limit = { .tv_sec = 60 };
    pid_t pid = crowd();
    char answer[8];
    int tries = 0;

    (void)state;
    while (count_open(server.pid) < 256 && tries++ < 3000)
        usleep(20000);
    assert_true(tries < 3000);
    assert_int_equal(kill(server.pid, SIGSTOP), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(kill(server.pid, SIGCONT), 0);
    int fd = page_connect(&server);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    dprintf(fd, "GET / HTTP/1.1\r\n\r\n");
    assert_true(read(fd, answer, sizeof answer) > 0);
    close(fd);
}

/* A number of /proc/PID/status. */
static long status_number(pid_t pid, const char *name)
{
    char path[40], line[256];
    long value = -1;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name), NULL, 10);
    fclose(file);
    return value;
}

/* What is possible within, as bits; in a child, since nothing leads out again. */
enum { READS_INSIDE = 1, READS_OUTSIDE = 2, WRITES = 4, SOCKETS = 8, FORKS = 16 };

static int possible_inside(void)
{
    struct sandbox sandbox;
    char inside[80];
    int fd, found = 0;

    snprintf(inside, sizeof inside, "%s/results.db", place.workspace);
    sandbox_enter_reading(&sandbox, place.workspace);
    if (!sandbox_is_whole(&sandbox))
        return -1;
    fd = open(inside, O_RDONLY);
    found |= fd >= 0 ? READS_INSIDE : 0;
    found |= open("/etc/passwd", O_RDONLY) >= 0 ? READS_OUTSIDE : 0;
    found |= open(inside, O_RDWR) >= 0 ? WRITES : 0;
    found |= rename(inside, place.spec) == 0 ? WRITES : 0;
    found |= socket(AF_INET, SOCK_STREAM, 0) >= 0 ? SOCKETS : 0;
    found |= connect(fd, NULL, 0) == 0 || errno != EACCES ? SOCKETS : 0;
    found |= fork() >= 0 ? FORKS : 0;
    return found;
}

static void the_server_reads_the_workspace_and_can_do_nothing_else(void **state)
{
    struct sandbox here;
    int status;

    (void)state;
    sandbox_probe(&here);
    if (!sandbox_is_whole(&here)) {
        print_message("skip: this machine has no whole sandbox\n");
        skip();
    }
    assert_int_equal(status_number(server.pid, "NoNewPrivs:"), 1);
    assert_int_equal(status_number(server.pid, "Seccomp:"), 2);
    pid_t pid = fork();
    if (pid == 0)
        _exit(possible_inside());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), READS_INSIDE);
}

int main(void)
{
    const struct CMUnitTest shared[] = {
        cmocka_unit_test(a_wrong_host_method_or_token_is_refused),
        cmocka_unit_test(the_token_of_the_address_becomes_a_cookie_that_scripts_do_not_get),
        cmocka_unit_test(a_page_may_load_from_its_server_alone),
        cmocka_unit_test(what_is_no_address_says_so),
        cmocka_unit_test(pages_hold_the_numbers_of_the_database),
        cmocka_unit_test(a_figure_is_a_file_of_its_own),
        cmocka_unit_test(runs_and_tasks_have_pages_with_what_is_stored),
        cmocka_unit_test(an_evaluation_is_told_by_everything_that_it_has_set),
        cmocka_unit_test(any_two_arms_are_compared_and_a_wrong_name_is_said),
        cmocka_unit_test(a_comparison_names_the_fields_of_its_page),
        cmocka_unit_test(the_page_of_an_experiment_leads_to_the_comparison_of_two_of_its_arms),
        cmocka_unit_test(a_server_that_was_full_takes_connections_again),
        cmocka_unit_test(a_port_in_use_and_bad_words_are_said),
        cmocka_unit_test(the_server_reads_the_workspace_and_can_do_nothing_else),
        cmocka_unit_test(a_database_that_was_replaced_is_not_shown),
        cmocka_unit_test(an_unchanged_page_is_not_sent_again_and_a_changed_one_is),
        cmocka_unit_test(the_queue_shows_what_waits_where_what_runs_and_what_failed),
        cmocka_unit_test(names_notes_and_tags_cannot_become_markup),
    };
    const struct CMUnitTest own[] = {
        cmocka_unit_test(a_socket_is_for_its_owner_alone_and_can_be_taken_over),
    };

    int failed = cmocka_run_group_tests_name("serve", shared, start, stop);
    return failed + cmocka_run_group_tests_name("serve, its own", own, NULL, NULL);
}
