/* test_steps.c - show --task: a model's answers after each outer step, and the votes, as the
 * evaluation counted them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define OF_LAST                                                                                \
    " FROM task_outcome o JOIN evaluation v USING (evaluation_id) WHERE v.outer_steps = 2"     \
    " AND v.run_id = (SELECT run_id FROM attempt ORDER BY attempt_id DESC LIMIT 1)"            \
    " ORDER BY rank IS NULL, task LIMIT 1"

static void answers_are_drawn_step_by_step_with_the_votes_of_the_evaluation(void **state)
{
    struct place place;
    struct error err;
    char svg[100], *drawn;
    size_t size;

    (void)state;
    place_make(&place);
    const char *const train[] = { "run",   place.spec,      "--set", "train.max_steps=20",
                                  "--set", "arch.name=hrm", NULL };
    free(place_text(&place, 0, train));
    char *task = place_ask(&place, "SELECT task" OF_LAST);
    char *votes = place_ask(&place, "SELECT 'votes of ' || predictions || ' variant'"
                                    " || iif(predictions = 1, '', 's')" OF_LAST);
    char *place_of = place_ask(&place, "SELECT iif(rank > 0 AND rank < 6, rank || '. ' || votes"
                                       " || ' vote', '')" OF_LAST);
    snprintf(svg, sizeof svg, "%s/steps.svg", place.directory);
    const char *const steps[] = { "show", "last", "--task", task, "--steps", NULL };
    const char *const last[] = { "show", "last", "--task", task, NULL };
    const char *const file[] = { "show", "last", "--task", task, "--steps", "-o", svg, NULL };
    const char *const both[] = {
        "show", "last", "--task", task, "-o", svg, "--svg", svg, NULL
    };
    const char *const absent[] = { "show", "last", "--task", "nothing", NULL };
    const char *const lone[] = { "show", "last", "--steps", NULL };

    char *text = place_text(&place, 0, steps);
    place_expect_words(text, "input");
    place_expect_words(text, "step 1:");
    place_expect_words(text, "step 2:");
    place_expect_words(text, votes);
    place_expect_words(
        text, "q: sigmoid(q_halt), the probability that the model states of being right\n");
    place_expect_words(text, place_of);
    free(text);
    text = place_text(&place, 0, last);
    assert_null(strstr(text, "step 1:"));
    place_expect_words(text, "step 2:");
    free(text);
    free(place_text(&place, 0, file));
    assert_int_equal(file_read(&drawn, &size, svg, 1 << 24, &err), 0);
    place_expect_words(drawn, "step 1:");
    place_expect_words(drawn, "class=\"wrong "); /* twenty steps teach little */
    place_expect_words(drawn, "prefers-color-scheme:dark");
    assert_null(strstr(drawn, "fill=\"#ffffff\"")); /* no white ground in the dark */
    free(drawn);
    text = place_text(&place, 2, both);
    place_expect_words(text, "-o and --svg are both given");
    free(text);
    text = place_text(&place, 2, absent);
    place_expect_words(text, "no task \"nothing\" is tested; the first one is border-0");
    free(text);
    text = place_text(&place, 2, lone);
    place_expect_words(text, "--steps, --output and --svg need --task");
    free(text);
    free(task);
    free(votes);
    free(place_of);
    place_remove(&place);
}

static void a_report_draws_the_answers_that_were_kept_with_their_votes(void **state)
{
    struct place place;
    struct error err;
    char page[100], *html;
    size_t size;

    (void)state;
    place_make(&place);
    const char *const train[] = { "run",   place.spec,      "--set", "train.max_steps=20",
                                  "--set", "arch.name=hrm", NULL };
    free(place_text(&place, 0, train));
    char *voters = place_ask(&place, "SELECT ' of ' || predictions || ' vote'" OF_LAST);
    snprintf(page, sizeof page, "%s/report.html", place.directory);
    const char *const report[] = { "report", "-o", page, NULL };

    free(place_text(&place, 0, report));
    assert_int_equal(file_read(&html, &size, page, 64 << 20, &err), 0);
    place_expect_words(html, "Best arm: ");
    place_expect_words(html, ">input</text>");
    place_expect_words(html, ">solution</text>");
    place_expect_words(html, voters);
    free(html);
    char *file = file_join(place.directory, "report.md");
    const char *const markdown[] = { "report", "--format", "markdown", "-o", file, NULL };

    free(place_text(&place, 0, markdown));
    assert_int_equal(file_read(&html, &size, file, 64 << 20, &err), 0);
    free(file);
    place_expect_words(html, "Best arm: ");
    place_expect_words(html, "\n       input "); /* in characters, in a block of code */
    place_expect_words(html, voters);
    free(html);
    /* without files to draw from, or a place for drawings, the report is whole but for them;
     * what is missing without a need is told */
    setenv("TMPDIR", "/nonexistent", 1);
    free(place_text(&place, 3, report));
    unsetenv("TMPDIR");
    assert_int_equal(file_read(&html, &size, page, 64 << 20, &err), 0);
    place_expect_words(html, "Hardest");
    place_expect_words(html, "Answers are missing here: ");
    assert_null(strstr(html, "Best arm: "));
    free(html);
    /* nor where the worker that draws is killed */
    static const char SCRIPT[] = "#!/bin/sh\nkill -KILL $$\n";
    char *real = strdup(getenv("HRMLAB_WORKER")),
         *killed = file_join(place.directory, "killed");

    assert_int_equal(file_write_atomic(killed, SCRIPT, sizeof SCRIPT - 1, &err), 0);
    assert_int_equal(chmod(killed, 0700), 0);
    setenv("HRMLAB_WORKER", killed, 1);
    char *why = place_text(&place, 3, report);

    setenv("HRMLAB_WORKER", real, 1);
    place_expect_words(why, "no answers are drawn: ");
    place_expect_words(why, "killed answers ended by signal 9");
    assert_int_equal(file_read(&html, &size, page, 64 << 20, &err), 0);
    place_expect_words(html, "Hardest");
    place_expect_words(html, "Answers are missing here: ");
    free(html);
    free(why);
    free(killed);
    free(real);
    char *remove = format_string("rm %s/runs/*/attempts/*/answers-*", place.workspace);

    assert_int_equal(system(remove), 0);
    free(remove);
    free(place_text(&place, 0, report));
    assert_int_equal(file_read(&html, &size, page, 64 << 20, &err), 0);
    place_expect_words(html, "Hardest");
    assert_null(strstr(html, "Best arm: "));
    assert_null(strstr(html, "Answers"));
    free(html);
    free(voters);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_drawn_step_by_step_with_the_votes_of_the_evaluation),
        cmocka_unit_test(a_report_draws_the_answers_that_were_kept_with_their_votes),
    };

    return cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}
