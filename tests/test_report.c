/* test_report.c - the report of an experiment: its numbers, its escapes, its forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "document.h"
#include "error.h"
#include "experiment_report.h"
#include "figure.h"
#include "file.h"
#include "number.h"
#include "store.h"
#include "support/markup_check.h"
#include "support/opened.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char SPEC[] = "{\"name\": \"t\", \"note\": \"<&>\"}\n";

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/test_report.XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    (void)state;
    return file_remove_tree(directory, NULL);
}

/* The workspace of the first release (two arms by arch.name, one seed), changed by
 * SQL. */
static void open_source(struct store **store, struct figure_source *source, const char *change,
                        enum metric metric)
{
    struct error err;

    *store = opened_in(directory, change);
    must(figure_source_open(source, *store, NULL, NULL, 0, metric, NULL, &err), &err);
}

static void make(struct report *report, struct figure_source *source, enum document_form form)
{
    struct error err;

    must(report_make(report, source, SPEC, form, "t", &err), &err);
}

/* The report of the workspace, changed by SQL. */
static void make_of(struct report *report, const char *change, enum metric metric,
                    enum document_form form)
{
    struct store *store;
    struct figure_source source;

    open_source(&store, &source, change, metric);
    make(report, &source, form);
    figure_source_close(&source);
    store_close(store);
}

static void published_values_on_any_data_stand_in_a_report_that_is_asked_for_them(void **state)
{
    struct store *store;
    struct figure_source source;
    struct report report;

    (void)state;
    open_source(&store, &source, "", METRIC_PASS_AT_2);
    for (int any = 0; any < 2; any++) {
        source.any_published = any;
        make(&report, &source, DOCUMENT_MARKDOWN);
        assert_int_equal(
            strstr(report.text, "hrmlab report t --published -o t.html shows") != NULL, !any);
        assert_int_equal(strstr(report.text, "| TRM without EMA |") != NULL, any);
        assert_int_equal(strstr(report.text, "TRM paper: Jolicoeur-Martineau") != NULL, any);
        report_release(&report);
    }
    figure_source_close(&source);
    store_close(store);
}

static void a_report_of_some_runs_says_so_and_how_it_is_made_again(void **state)
{
    static const char *const WHERES[] = { "arch.name=hrm", "seed<3" };
    struct store *store = opened_in(directory, "");
    struct figure_source source;
    struct report report;
    struct error err;

    (void)state;
    must(figure_source_open(&source, store, NULL, WHERES, 2, METRIC_PER_TOKEN_ACCURACY, NULL,
                            &err),
         &err);
    source.baseline = "arch.name=hrm";
    source.any_published = true;
    make(&report, &source, DOCUMENT_MARKDOWN);
    assert_non_null(
        strstr(report.text, "This report is of what meets arch.name=hrm, seed&lt;3;"));
    assert_non_null(strstr(report.text, "1 arm, seed 0: 1 run, done."));
    assert_non_null(strstr(report.text, "t, where arch.name=hrm, seed&lt;3]"));
    /* the measure that is asked for has one column */
    assert_non_null(
        strstr(report.text, "| seeds | token acc | sd | difference | exact rows |"));
    assert_non_null(strstr(report.text,
                           "    hrmlab results t --metric per_token_accuracy --where "
                           "'arch.name=hrm' --where 'seed<3'\n"));
    assert_non_null(strstr(report.text,
                           "    hrmlab report t --metric per_token_accuracy --where "
                           "'arch.name=hrm' --where 'seed<3' --baseline 'arch.name=hrm' "
                           "--published -o t.html\n"));
    report_release(&report);
    figure_source_close(&source);
    store_close(store);
}

static void a_report_is_one_well_formed_page_and_the_same_twice(void **state)
{
    static const char *const SECTIONS[] = { "finding",     "design", "arms",      "figures",
                                            "comparisons", "tasks",  "published", "cost",
                                            "failures",    "origin", "again" };
    struct store *store;
    struct figure_source source;
    struct report once, again;

    (void)state;
    open_source(&store, &source, "", METRIC_PASS_AT_2);
    make(&once, &source, DOCUMENT_HTML);
    make(&again, &source, DOCUMENT_HTML);
    assert_string_equal(once.text, again.text);
    if (markup_fault(once.text) != NULL)
        fail_msg("%s", markup_fault(once.text));
    for (size_t i = 0; i < sizeof SECTIONS / sizeof *SECTIONS; i++) {
        char section[64], link[64];

        snprintf(section, sizeof section, "<section id=\"%s\">", SECTIONS[i]);
        snprintf(link, sizeof link, "href=\"#%s\"", SECTIONS[i]);
        assert_non_null(strstr(once.text, section));
        assert_non_null(strstr(once.text, link));
    }
    /* a time is broken between day and hour, an introduction stays with its table */
    assert_non_null(strstr(once.text, "</span><wbr/><span class=\"t\">"));
    assert_non_null(strstr(once.text, "p:has(+.wide),"));
    /* the last line of the spec is no page of its own */
    assert_non_null(
        strstr(once.text, "orphans:4;widows:8}p:not(.note)+pre{break-inside:avoid}"));
    /* nothing that a browser would fetch or run */
    assert_null(strstr(once.text, "<script"));
    assert_null(strstr(once.text, "src="));
    assert_null(strstr(once.text, "url("));
    assert_null(strstr(once.text, "href=\"http"));
    assert_int_equal(once.picture_count, 0);
    assert_non_null(strstr(once.text, "&quot;note&quot;: &quot;&lt;&amp;&gt;&quot;"));
    report_release(&once);
    report_release(&again);
    figure_source_close(&source);
    store_close(store);
}

static void the_numbers_of_a_report_are_those_of_the_results(void **state)
{
    struct store *store;
    struct figure_source source;
    struct report report;
    int rows = 0;

    (void)state;
    open_source(&store, &source, "", METRIC_PER_TOKEN_ACCURACY);
    make(&report, &source, DOCUMENT_HTML);
    for (int i = 0; i < source.results->row_count; i++) {
        const struct result_row *row = &source.results->rows[i];
        char number[NUMBER_TEXT_SIZE], cell[NUMBER_TEXT_SIZE + 40];
        char best[NUMBER_TEXT_SIZE + 60];

        if (row->outer_steps != row->train_outer_steps)
            continue; /* not in the table of arms */
        snprintf(cell, sizeof cell, "<td class=\"n\">%s</td>",
                 number_fixed(number, result_value(source.results, row, METRIC_EXACT_ROWS), 3));
        if (strstr(report.text, cell) == NULL)
            fail_msg("no %s", cell);
        number_fixed(number, result_value(source.results, row, METRIC_PER_TOKEN_ACCURACY), 3);
        /* in its own column, before the spread that one seed has not */
        snprintf(cell, sizeof cell, ">%s</td><td class=\"n\">-</td>", number);
        snprintf(best, sizeof best, ">%s</strong></td><td class=\"n\">-</td>", number);
        assert_true(strstr(report.text, cell) != NULL || strstr(report.text, best) != NULL);
        rows++;
    }
    assert_int_equal(rows, 2);
    for (int i = 0; i < source.comparisons.count; i++) {
        char number[NUMBER_TEXT_SIZE], cell[NUMBER_TEXT_SIZE + 40];

        snprintf(cell, sizeof cell, "<td class=\"n\">%s</td>",
                 number_signed(number, source.comparisons.items[i].estimate.value, 3));
        assert_non_null(strstr(report.text, cell));
    }
    assert_true(source.comparisons.count > 0);
    report_release(&report);
    figure_source_close(&source);
    store_close(store);
}

#define HOSTILE                                                                                \
    "UPDATE experiment SET name = '</title><script>alert(1)</script>',"                        \
    " description = '\" onload=\"x\" <img src=x> | `a` [b](javascript:c) \n# d';"              \
    "UPDATE arm SET label = '<b>|', axes = '{\"arch.name\":\"</td><i>|x\"}' WHERE arm_id = 1;" \
    "UPDATE job SET state = 'failed', cause = 'crash', message = '<u>]]>&' WHERE run_id = 2;"  \
    "UPDATE task_outcome SET task = '<task>' || task;"                                         \
    "UPDATE attempt SET host = '<host>', compiler = '&'"

static void names_from_outside_stay_text_in_a_page(void **state)
{
    static const char *const TAGS[] = {
        "<script", "<img", "<b>", "<i>", "<u>", "<task", "<host"
    };
    struct report report;

    (void)state;
    make_of(&report, HOSTILE, METRIC_PASS_AT_2, DOCUMENT_HTML);
    for (size_t i = 0; i < sizeof TAGS / sizeof *TAGS; i++)
        if (strstr(report.text, TAGS[i]) != NULL)
            fail_msg("%s", TAGS[i]);
    assert_non_null(strstr(report.text, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_non_null(strstr(report.text, "&lt;host&gt;"));
    if (markup_fault(report.text) != NULL)
        fail_msg("%s", markup_fault(report.text));
    report_release(&report);
}

static void names_from_outside_stay_text_in_markdown(void **state)
{
    struct report report;

    (void)state;
    make_of(&report, HOSTILE, METRIC_PASS_AT_2, DOCUMENT_MARKDOWN);
    *strstr(report.text, "## To do it again") = '\0'; /* the spec stands there as it is */
    assert_null(strstr(report.text, "<"));
    assert_null(strstr(report.text, "\n# d"));
    assert_non_null(strstr(report.text, "\\`a\\` \\[b\\](javascript:c)"));
    assert_non_null(strstr(report.text, "\\|x"));
    report_release(&report);
}

/* On a narrow screen letters would be half as high: figures scroll, also by the keyboard. */
static void a_figure_is_not_made_smaller_than_it_can_be_read(void **state)
{
    struct report report;

    (void)state;
    make_of(&report, "", METRIC_PASS_AT_2, DOCUMENT_HTML);
    assert_non_null(strstr(report.text, "<figure class=\"wide\" tabindex=\"0\"><svg"));
    assert_null(strstr(report.text, "<figure><svg"));
    assert_non_null(strstr(report.text, ".wide>svg{min-width:36rem}"));
    assert_non_null(
        strstr(report.text, ".wide>svg{min-width:0;max-height:255mm}")); /* on paper */
    report_release(&report);
}

static void markdown_has_its_figures_in_files(void **state)
{
    struct report report;

    (void)state;
    make_of(&report, "", METRIC_PASS_AT_2, DOCUMENT_MARKDOWN);
    assert_true(report.picture_count > 3);
    for (int i = 0; i < report.picture_count; i++) {
        char link[100];

        snprintf(link, sizeof link, "](%s)", report.pictures[i].file_name);
        assert_non_null(strstr(report.text, link));
        assert_null(markup_fault(report.pictures[i].svg));
        assert_non_null(strstr(report.pictures[i].svg, "<style>")); /* stands alone */
    }
    report_release(&report);
}

static void a_failed_run_is_listed_with_its_cause(void **state)
{
    struct report report;

    (void)state;
    make_of(&report,
            "UPDATE job SET state = 'failed', cause = 'out of memory', message = 'killed'"
            " WHERE run_id = 2",
            METRIC_PASS_AT_2, DOCUMENT_HTML);
    const char *failures = strstr(report.text, "<section id=\"failures\">");

    assert_non_null(failures);
    assert_non_null(strstr(failures, "<td>failed</td><td>out of memory</td><td>killed</td>"));
    assert_non_null(strstr(report.text, "Not complete: 1 of 2 runs not done"));
    assert_non_null(strstr(report.text, "Not in the table, as nothing of it has finished: "
                                        "arch.name=transformer."));
    assert_non_null(strstr(report.text, "Without results: transformer."));
    report_release(&report);
}

static void nothing_finished_gives_a_report_that_says_so(void **state)
{
    struct report report;

    (void)state;
    make_of(&report,
            "UPDATE job SET state = 'failed', cause = 'crash'; DELETE FROM task_outcome;"
            "DELETE FROM metric; DELETE FROM evaluation;"
            "UPDATE attempt SET started_at = '2026-01-31T12:34:56.789Z'",
            METRIC_PASS_AT_2, DOCUMENT_HTML);
    assert_non_null(strstr(report.text, "No evaluation has finished yet."));
    assert_non_null(strstr(report.text, "Nothing can be compared: "));
    assert_non_null(strstr(report.text, "No outcomes of tasks are known."));
    assert_non_null(strstr(report.text, "done).")); /* no conditions were asked for */
    assert_non_null(strstr(report.text, "There is nothing to draw yet."));
    /* a time to the second, broken between day and hour alone */
    assert_non_null(strstr(report.text, "<span class=\"t\">2026-01-31 </span><wbr/>"
                                        "<span class=\"t\">12:34:56Z</span>"));
    assert_null(markup_fault(report.text));
    report_release(&report);
}

/* One arm, of which no attempt has begun. */
static void nothing_to_compare_and_nobody_who_ran_it_are_said(void **state)
{
    struct report report;

    (void)state;
    make_of(&report,
            "DELETE FROM evaluation; DELETE FROM attempt; DELETE FROM arm_run WHERE arm_id = 2;"
            "DELETE FROM arm WHERE arm_id = 2; UPDATE arm SET axes = '{}'",
            METRIC_PASS_AT_2, DOCUMENT_HTML);
    assert_non_null(strstr(report.text, "No program has said yet what it is."));
    assert_null(strstr(report.text, "Programs and machines that ran it"));
    assert_non_null(strstr(report.text, "hrmlab results t\nhrmlab report t -o t.html\n"));
    assert_null(markup_fault(report.text));
    report_release(&report);
}

/* 60 runs of the first arm, with the seeds 11 to 70, have failed. */
static void many_seeds_are_a_range_and_many_failures_are_counted(void **state)
{
    static const char RUNS[] =
        "CREATE TEMP TABLE n AS WITH RECURSIVE x (i) AS"
        " (SELECT 1 UNION ALL SELECT i + 1 FROM x WHERE i < 60) SELECT i FROM x;"
        "CREATE TEMP TABLE r AS SELECT run.*, i FROM run, n WHERE run_id = 1;"
        "UPDATE r SET run_id = 100 + i, seed = 10 + i, hash = printf('%064x', i);"
        "ALTER TABLE r DROP COLUMN i; INSERT INTO run SELECT * FROM r;"
        "INSERT INTO arm_run SELECT 1, 100 + i FROM n;"
        "CREATE TEMP TABLE j AS SELECT job.*, i FROM job, n WHERE run_id = 1;"
        "UPDATE j SET job_id = 100 + i, run_id = 100 + i, state = 'failed', cause = 'crash';"
        "ALTER TABLE j DROP COLUMN i; INSERT INTO job SELECT * FROM j;"
        "CREATE TEMP TABLE e AS SELECT evaluation.*, i FROM evaluation, n"
        " WHERE evaluation_id = 1;"
        "UPDATE e SET evaluation_id = 100 + i, run_id = 100 + i;"
        "ALTER TABLE e DROP COLUMN i; INSERT INTO evaluation SELECT * FROM e;"
        "INSERT INTO arm_evaluation SELECT 1, 100 + i FROM n;"
        "UPDATE run SET seed = 3 WHERE run_id = 2;";
    struct report report;

    (void)state;
    make_of(&report, RUNS, METRIC_PASS_AT_2, DOCUMENT_MARKDOWN);
    assert_non_null(strstr(report.text, "2 arms, seeds 0, 3, 11 to 70: 62 runs, 2 of them "
                                        "done."));
    assert_non_null(strstr(report.text, "10 more are in the table of runs"));
    report_release(&report);
}

/* Curves of 9 arms cannot be told apart; arms from 3 on are copies of the first. */
static void a_figure_of_too_many_arms_is_named_with_the_way_out(void **state)
{
    static const char ARMS[] =
        "WITH RECURSIVE n (i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 9)"
        " INSERT INTO arm SELECT i, 1, i, 'train.lr=' || i, json_object('train.lr', i) FROM n;"
        "INSERT INTO arm_run SELECT arm_id, 1 FROM arm WHERE arm_id > 2;"
        "INSERT INTO arm_evaluation SELECT arm_id, 1 FROM arm WHERE arm_id > 2;";
    struct report report;

    (void)state;
    make_of(&report, ARMS, METRIC_PASS_AT_2, DOCUMENT_HTML);
    assert_non_null(strstr(report.text, "loss_curves is not drawn: more than 8 arms have "
                                        "curves; choose by --where"));
    assert_null(strstr(report.text, "interim is not drawn")); /* does not apply at all */
    report_release(&report);
}

/* What is memorised is asked for beside what is generalised. */
static void both_splits_are_listed_and_named(void **state)
{
    static const char TRAIN[] =
        "UPDATE evaluation SET split = 'train', canonical = json_set(canonical,"
        " '$.\"eval.split\"', 'train', '$.\"eval.halt_max_steps\"', 1), outer_steps = 1"
        " WHERE outer_steps = 2;";
    struct report report;

    (void)state;
    make_of(&report, TRAIN, METRIC_PASS_AT_2, DOCUMENT_MARKDOWN);
    assert_non_null(strstr(report.text, "| hrm | test | 1 of 1 |"));
    assert_non_null(strstr(report.text, "| transformer | train | 1 of 1 |"));
    assert_non_null(strstr(report.text, "Before training on the train split: "));
    assert_non_null(strstr(report.text, "over the arms of the table above, test split: "));
    report_release(&report);
}

/* The spec gives every system a number of L cycles, and the transformer has none. */
static void an_arm_has_no_value_of_a_setting_without_effect(void **state)
{
    struct report report;

    (void)state;
    make_of(&report,
            "UPDATE arm SET axes = json_set(axes, '$.\"arch.L_cycles\"',"
            " iif(label = 'arch.name=hrm', 2, 1))",
            METRIC_PASS_AT_2, DOCUMENT_MARKDOWN);
    assert_non_null(strstr(report.text, "| hrm | 2 | 1 of 1 |"));
    assert_non_null(strstr(report.text, "| transformer | \\- | 1 of 1 |"));
    report_release(&report);
}

/* The spec gives it to one arm alone; the other would have that of its base. */
static void an_arm_has_no_value_of_its_bases_setting_without_effect(void **state)
{
    struct report report;

    (void)state;
    make_of(&report,
            "UPDATE arm SET axes = json_set(axes, '$.\"arch.L_cycles\"', 2)"
            " WHERE label = 'arch.name=hrm'",
            METRIC_PASS_AT_2, DOCUMENT_MARKDOWN);
    assert_non_null(strstr(report.text, "| hrm | 2 | 1 of 1 |"));
    assert_non_null(strstr(report.text, "| transformer | \\- | 1 of 1 |"));
    report_release(&report);
}

static void data_that_arms_do_not_share_are_not_said_of_all(void **state)
{
    struct report report;

    (void)state;
    make_of(&report,
            "UPDATE arm SET axes = json_set(axes, '$.\"data.path\"',"
            " iif(label = 'arch.name=hrm', 'x', 'y'))",
            METRIC_PASS_AT_2, DOCUMENT_MARKDOWN);
    assert_non_null(strstr(report.text, "Data: differs between arms, see below; 37 tasks"));
    report_release(&report);
}

/* Systems and outer steps at inference vary: a system's difference is a mean over steps. */
static void a_difference_in_one_setting_says_over_what_it_is_a_mean(void **state)
{
    static const char *const WORDS[] = {
        "A difference in one setting is the mean over the values of the others that both "
        "sides have.",                                                             /* finding */
        "drawn; means over the values of the other settings that both sides have", /* figure */
        "Differences in one setting, means over the values of the others that both sides "
        "have",                                                                   /* table */
        "1 seed, over tasks only: how other seeds would come out is not covered", /* finding */
        "over tasks only where there are fewer than 3 seeds"                      /* arms */
    };
    struct report report;

    (void)state;
    make_of(&report, "", METRIC_PER_TOKEN_ACCURACY, DOCUMENT_HTML);
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (strstr(report.text, WORDS[i]) == NULL)
            fail_msg("no \"%s\"", WORDS[i]);
    assert_non_null(strstr(report.text, "hrmlab compare t --axis arch.name "
                                        "--metric per_token_accuracy\n"));
    report_release(&report);
}

static void a_finding_without_a_shown_difference_says_why(void **state)
{
    static const struct {
        const char *change, *expected;
    } CASES[] = {
        { "", "nothing was solved anywhere, so that nothing can be said of what matters." },
        { "UPDATE measure_value SET value = 0.5 WHERE name = 'pass_at_2'",
          "all arms have the same value." },
        { "UPDATE measure_value SET value = evaluation_id / 10.0 WHERE name = 'pass_at_2'",
          "this experiment cannot tell its arms apart." },
    };

    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct report report;

        make_of(&report, CASES[i].change, METRIC_PASS_AT_2, DOCUMENT_MARKDOWN);
        if (strstr(report.text, CASES[i].expected) == NULL)
            fail_msg("no \"%s\"", CASES[i].expected);
        report_release(&report);
        must(file_remove_tree(directory, &err), &err);
        assert_int_equal(mkdir(directory, 0700), 0);
    }
}

/* The rate of learning has no figure of its own. 201 values are too many for one. */
static void a_setting_of_numbers_has_its_figure(void **state)
{
    struct report report;
    struct error err;

    (void)state;
    make_of(&report, "UPDATE arm SET axes = json_set('{}', '$.\"train.lr\"', arm_id)",
            METRIC_PER_TOKEN_ACCURACY, DOCUMENT_MARKDOWN);
    assert_non_null(strstr(report.text, "![token acc against train.lr "));
    assert_non_null(strstr(report.text, "](t-axis-train.lr.svg)"));
    assert_string_equal(report.pictures[0].file_name, "t-axis-train.lr.svg");
    report_release(&report);
    must(file_remove_tree(directory, &err), &err);
    assert_int_equal(mkdir(directory, 0700), 0);
    make_of(&report,
            "WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 201)"
            " INSERT INTO arm SELECT i, 1, i, 'a' || i, '{}' FROM n;"
            "INSERT INTO arm_run SELECT arm_id, 1 FROM arm WHERE arm_id > 2;"
            "INSERT INTO arm_evaluation SELECT arm_id, 1 FROM arm WHERE arm_id > 2;"
            "UPDATE arm SET axes = json_set('{}', '$.\"train.lr\"', arm_id)",
            METRIC_PER_TOKEN_ACCURACY, DOCUMENT_MARKDOWN);
    assert_null(strstr(report.text, "t-axis-train.lr.svg"));
    report_release(&report);
}

/* What a planned comparison tells apart is not said to be untold. */
static void arms_that_a_planned_difference_tells_apart_are_not_called_alike(void **state)
{
    struct report report;

    (void)state;
    make_of(&report, /* on the average over outer steps the arms are equal */
            "UPDATE task_outcome SET rank = iif(evaluation_id IN (SELECT evaluation_id FROM"
            " evaluation WHERE run_id = 3 - outer_steps), 1, NULL);"
            "INSERT INTO contrast SELECT experiment_id, 0, 'systems',"
            " '{\"arch.name\":\"hrm\",\"eval.halt_max_steps\":2}',"
            " '{\"arch.name\":\"transformer\",\"eval.halt_max_steps\":2}' FROM experiment;",
            METRIC_PASS_AT_2, DOCUMENT_MARKDOWN);
    assert_non_null(strstr(report.text, "of 1 difference 1 is shown after"));
    assert_non_null(strstr(report.text, " differences 0 are shown after"));
    assert_null(strstr(report.text, "cannot tell its arms apart"));
    report_release(&report);
}

/* A planned difference that is not shown says nothing of the others, which may be. */
static void planned_differences_are_listed_also_if_none_is_shown(void **state)
{
    struct report report;

    (void)state;
    make_of(&report,
            "INSERT INTO contrast SELECT experiment_id, 0, 'systems',"
            " '{\"arch.name\":\"hrm\"}', '{\"arch.name\":\"transformer\"}' FROM experiment;",
            METRIC_PASS_AT_2, DOCUMENT_MARKDOWN);
    const char *planned = strstr(report.text, "Planned beforehand");
    const char *all = strstr(report.text, "Each setting alone (pass@2, ");
    const char *verdict = strstr(report.text, "nothing was solved anywhere");
    assert_true(planned != NULL && all != NULL && verdict != NULL);
    assert_true(planned < all && all < verdict); /* that is of them all */
    assert_non_null(strstr(report.text, "hrmlab compare t\n"));
    report_release(&report);
}

/* Outer steps vary on both sides, and rollouts besides. */
static void the_finding_of_a_matrix_says_of_which_evaluations_it_is(void **state)
{
    struct report report;

    (void)state;
    make_of(&report,
            "UPDATE arm SET axes = json_set(axes, '$.\"arch.halt_max_steps\"', arm_id);"
            "UPDATE evaluation SET canonical = json_set(canonical, '$.\"eval.rollouts\"', 2)"
            " WHERE evaluation_id = 3",
            METRIC_PASS_AT_2, DOCUMENT_HTML);
    assert_non_null(strstr(report.text, "Of the evaluations, this is about those with "
                                        "eval.augmentations=all eval.act_inference=false "
                                        "eval.split=test eval.seed=0 eval.rollouts=1."));
    assert_null(strstr(report.text, "against arch.halt_max_steps")); /* they have a figure */
    report_release(&report);
}

/* The arms are on other data, and nothing else was evaluated. */
static void a_report_of_what_shares_no_task_says_so(void **state)
{
    static const char WORDS[] = "No two sides that could be compared have a task in common.";
    struct report report;

    (void)state;
    make_of(&report, "UPDATE task_outcome SET task = 'other' || task WHERE evaluation_id > 2",
            METRIC_PASS_AT_2, DOCUMENT_MARKDOWN);
    const char *finding = strstr(report.text, WORDS);
    assert_non_null(finding);
    assert_non_null(strstr(finding + 1, WORDS)); /* among the comparisons */
    report_release(&report);
}

static void the_spec_is_written_over_several_lines(void **state)
{
    struct report report;

    (void)state;
    make_of(&report, "", METRIC_PASS_AT_2, DOCUMENT_MARKDOWN);
    assert_non_null(strstr(report.text, "    {\n      \"name\": \"t\",\n"
                                        "      \"note\": \"<&>\"\n    }\n"));
    assert_true(strstr(report.text, "hrmlab verify RUN") < strstr(report.text, "<&>"));
    report_release(&report);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        TEST(published_values_on_any_data_stand_in_a_report_that_is_asked_for_them),
        TEST(a_report_of_some_runs_says_so_and_how_it_is_made_again),
        TEST(a_report_is_one_well_formed_page_and_the_same_twice),
        TEST(the_numbers_of_a_report_are_those_of_the_results),
        TEST(names_from_outside_stay_text_in_a_page),
        TEST(names_from_outside_stay_text_in_markdown),
        TEST(a_figure_is_not_made_smaller_than_it_can_be_read),
        TEST(markdown_has_its_figures_in_files),
        TEST(a_failed_run_is_listed_with_its_cause),
        TEST(nothing_finished_gives_a_report_that_says_so),
        TEST(nothing_to_compare_and_nobody_who_ran_it_are_said),
        TEST(many_seeds_are_a_range_and_many_failures_are_counted),
        TEST(a_figure_of_too_many_arms_is_named_with_the_way_out),
        TEST(both_splits_are_listed_and_named),
        TEST(an_arm_has_no_value_of_a_setting_without_effect),
        TEST(an_arm_has_no_value_of_its_bases_setting_without_effect),
        TEST(data_that_arms_do_not_share_are_not_said_of_all),
        TEST(a_difference_in_one_setting_says_over_what_it_is_a_mean),
        TEST(a_finding_without_a_shown_difference_says_why),
        TEST(a_setting_of_numbers_has_its_figure),
        TEST(arms_that_a_planned_difference_tells_apart_are_not_called_alike),
        TEST(planned_differences_are_listed_also_if_none_is_shown),
        TEST(the_finding_of_a_matrix_says_of_which_evaluations_it_is),
        TEST(a_report_of_what_shares_no_task_says_so),
        TEST(the_spec_is_written_over_several_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
