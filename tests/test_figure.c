/* test_figure.c - figures of an experiment: what they show, what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "figure.h"
#include "figure_kinds.h"
#include "file.h"
#include "support/markup_check.h"
#include "support/opened.h"
#include "number.h"
#include "picture_file.h"
#include "store.h"
#include "svg.h"
#include "table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char directory[64];
static struct store *store;
static struct figure_source source;

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/test_figure.XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    (void)state;
    return file_remove_tree(directory, NULL);
}

/* The workspace of the first release (two arms by arch.name, one seed, evaluated with 1
 * and 2 outer steps), changed by SQL. */
static void open_source(const char *change, enum metric metric)
{
    struct error err;

    store = opened_in(directory, change);
    must(figure_source_open(&source, store, NULL, NULL, 0, metric, NULL, &err), &err);
}

static void close_source(void)
{
    figure_source_close(&source);
    store_close(store);
}

/* The figure of this name as SVG; fresh. */
static char *draw(const char *name)
{
    const struct figure *figure;
    struct picture picture;
    struct error err;
    char *svg;

    must(figure_find(&figure, name, &err), &err);
    must(figure_make(&picture, figure, &source, &err), &err);
    must(picture_draw(&svg, &picture, true, &err), &err);
    picture_release(&picture);
    return svg;
}

/* What is said of a figure that the experiment does not allow. */
static void expect_refusal(const char *name, const char *words)
{
    const struct figure *figure;
    struct picture picture;
    struct error err;

    must(figure_find(&figure, name, &err), &err);
    int rc = figure_make(&picture, figure, &source, &err);

    assert_true(rc == ERROR_ABSENT || rc == ERROR_FORMAT);
    if (strstr(err.message, words) == NULL)
        fail_msg("%s: %s", name, err.message);
}

/* Five answers solve more than one. */
#define MORE_SOLVED "UPDATE measure_value SET value = 0.5 WHERE name = 'pass_at_5';"

/* Two seeds of one arm instead of two arms. */
#define ONE_ARM                                                                                \
    "UPDATE run SET seed = 1 WHERE run_id = 2;"                                                \
    "INSERT INTO arm_run SELECT 1, 2;"                                                         \
    "DELETE FROM arm_run WHERE arm_id = 2;"                                                    \
    "DELETE FROM arm WHERE arm_id = 2;"

static void every_possible_figure_is_well_formed_and_the_same_twice(void **state)
{
    int drawn = 0;

    (void)state;
    open_source("", METRIC_PASS_AT_2);
    source.axis = source.rows = "arch.name";
    source.cols = "eval.halt_max_steps";
    for (const struct figure *figure = FIGURES; figure->name != NULL; figure++) {
        struct picture picture;
        struct error err;

        if (figure_make(&picture, figure, &source, &err) != 0)
            continue;
        picture_release(&picture);
        char *once = draw(figure->name), *again = draw(figure->name);

        if (markup_fault(once) != NULL)
            fail_msg("%s: %s", figure->name, markup_fault(once));
        assert_string_equal(once, again);
        free(once);
        free(again);
        drawn++;
    }
    assert_true(drawn >= 7);
    close_source();
}

static void a_figure_has_the_numbers_of_the_database(void **state)
{
    (void)state;
    open_source("", METRIC_PER_TOKEN_ACCURACY);
    source.rows = "arch.name";
    source.cols = "eval.halt_max_steps";
    char *svg = draw("pivot");

    assert_non_null(strstr(svg, ": arch.name against eval.halt_max_steps \xe2\x80\x93"));
    assert_non_null(strstr(svg, "<rect class=\"v15\"")); /* the highest */
    assert_non_null(strstr(svg, "small v0\""));          /* the lowest */

    assert_int_equal(source.results->row_count, 4);
    for (int i = 0; i < source.results->row_count; i++) {
        char number[NUMBER_TEXT_SIZE], text[160];

        number_fixed(
            number,
            result_value(source.results, &source.results->rows[i], METRIC_PER_TOKEN_ACCURACY),
            3);
        snprintf(text, sizeof text, "token acc %s (1 seed: %s)", number, number);
        assert_non_null(strstr(svg, text));
        snprintf(text, sizeof text, ">%s</text>", number);
        assert_non_null(strstr(svg, text));
    }
    free(svg);
    close_source();
}

/* Of the numbers below the field there is one at least, and all are whole. */
static void expect_whole_ticks(const char *svg)
{
    static const char TICK[] = " text-anchor=\"middle\" class=\"small muted\">";
    int count = 0;

    for (const char *at = svg; (at = strstr(at, TICK)) != NULL; count++) {
        at += strlen(TICK);
        if (at[strspn(at, "0123456789")] != '<')
            fail_msg("%.10s is not whole", at);
    }
    assert_true(count > 0);
}

/* The first release's transformer has no L cycles. */
static void a_label_names_no_setting_without_effect(void **state)
{
    (void)state;
    open_source("UPDATE arm SET axes = json_set(axes, '$.\"arch.L_cycles\"', 2);"
                "INSERT INTO arm SELECT 3, experiment_id, 2, label || ' 4', json_set(axes,"
                " '$.\"arch.L_cycles\"', 4) FROM arm WHERE arm_id = 1;"
                "INSERT INTO arm_run SELECT 3, 1; INSERT INTO arm_evaluation"
                " SELECT 3, evaluation_id FROM arm_evaluation WHERE arm_id = 1",
                METRIC_PASS_AT_2);
    for (int i = 0; i < 2; i++) {
        char *text = draw(i == 0 ? "outer_steps" : "loss_curves");

        assert_non_null(strstr(text, ">hrm, L_cycles=4</text>"));
        assert_non_null(strstr(text, ">transformer</text>"));
        free(text);
    }
    source.axis = "arch.name";
    char *systems = draw("axis"); /* bars over systems are of all that have this value */
    assert_true(strstr(systems, "L_cycles=2") != NULL && strstr(systems, "s0 bar\"") != NULL);
    assert_true(strstr(systems, "L_cycles=4") == NULL && strstr(systems, "s0 line\"") == NULL);
    free(systems);
    close_source();
}

static void steps_of_a_short_training_are_whole_numbers(void **state)
{
    static const char *const NAMES[] = { "loss_curves", "accuracy_curves" };

    (void)state;
    open_source("", METRIC_PASS_AT_2); /* 3 steps */
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char *svg = draw(NAMES[i]);

        expect_whole_ticks(svg);
        free(svg);
    }
    close_source();
}

static void seeds_are_averaged_and_each_is_shown(void **state)
{
    const struct cell *cell;
    char number[NUMBER_TEXT_SIZE];

    (void)state;
    open_source(ONE_ARM, METRIC_PER_TOKEN_ACCURACY);
    assert_int_equal(source.cells->count, 2);
    cell = &source.cells->items[0];
    assert_int_equal(cell->count, 2);
    assert_true(fabs(cell->mean - (cell->values[0] + cell->values[1]) / 2) < 1e-12);
    assert_true(fabs(cell->deviation - fabs(cell->values[0] - cell->values[1]) / sqrt(2)) <
                1e-12);
    char *svg = draw("seeds");

    for (int i = 0; i < 2; i++)
        assert_non_null(strstr(svg, number_fixed(number, source.cells->items[1].values[i], 3)));
    free(svg);
    close_source();
}

/* Twenty arms that change something else are a combination each, and no line. */
static void
an_axis_of_an_ablation_is_drawn_however_many_arms_change_something_else(void **state)
{
    (void)state;
    open_source("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)"
                " INSERT INTO arm SELECT 100 + i, experiment_id, 100 + i, 'train.lr=' || i,"
                "  json_object('train.lr', i) FROM experiment, n;"
                "INSERT INTO arm_run SELECT arm_id, 1 FROM arm WHERE arm_id > 100;"
                "INSERT INTO arm_evaluation SELECT arm_id, evaluation_id FROM arm, evaluation"
                " WHERE arm_id > 100 AND run_id = 1;",
                METRIC_PER_TOKEN_ACCURACY);
    source.axis = "arch.name";
    char *svg = draw("axis");

    assert_non_null(strstr(svg, ">transformer</text>"));
    assert_null(strstr(svg, "lr=20"));
    free(svg);
    source.rows = "arch.name";
    source.cols = "eval.halt_max_steps";
    expect_refusal("pivot", "more than 16 combinations");
    source.cols = "arch.name";
    expect_refusal("pivot", "--rows and --cols are both arch.name");
    close_source();
}

/* Beside each other their whiskers would meet. */
static void many_bars_have_the_whole_width(void **state)
{
    static const char *const NAMES[] = { "train_inference", "train_inference_map" };
    struct picture picture;
    struct error err;

    (void)state;
    open_source("WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 12)"
                " INSERT INTO arm SELECT 100 + i, experiment_id, 100 + i, 'steps=' || i,"
                "  json_object('arch.halt_max_steps', i) FROM experiment, n;"
                "INSERT INTO arm_run SELECT arm_id, 1 FROM arm WHERE arm_id > 100;"
                "INSERT INTO arm_evaluation SELECT arm_id, evaluation_id FROM arm, evaluation"
                " WHERE arm_id > 100 AND run_id = 1;",
                METRIC_PER_TOKEN_ACCURACY);
    for (int i = 0; i < 2; i++) {
        const struct figure *figure;

        must(figure_find(&figure, NAMES[i], &err), &err);
        must(figure_make(&picture, figure, &source, &err), &err);
        assert_int_equal(picture.small, i == 1);
        picture_release(&picture);
    }
    close_source();
}

/* Epochs of two seeds end at steps that differ by one: still one point, of two seeds. */
static void interim_evaluations_of_seeds_meet_at_their_number(void **state)
{
    static const char INTERIM[] =
        ONE_ARM "INSERT INTO evaluation_result (evaluation_id, step, checkpoint, tasks, "
                "rows_count, seconds) SELECT e.evaluation_id, 1 + (run_id = 2),"
                " 'interim', tasks, rows_count, seconds FROM evaluation_result"
                " JOIN evaluation e USING (evaluation_id) WHERE checkpoint = 'last';"
                "INSERT INTO measure_value SELECT evaluation_id, 1 + (run_id = 2),"
                " 'per_token_accuracy', 0, iif(run_id = 2, 0.75, 0.25) FROM evaluation;";

    (void)state;
    open_source("", METRIC_PER_TOKEN_ACCURACY);
    expect_refusal("interim", "train.eval_interval is 0 or longer than the training");
    close_source();
    assert_int_equal(file_remove_tree(directory, NULL), 0);
    assert_int_equal(mkdir(directory, 0777), 0);
    open_source(INTERIM, METRIC_PER_TOKEN_ACCURACY);
    char *svg = draw("interim");
    if (strstr(svg, ": 0.5000 (2 seeds)") == NULL)
        fail_msg("%s", svg);
    assert_null(strstr(svg, "(1 seed)"));
    free(svg);
    close_source();
}

static void names_from_outside_stay_text_in_a_figure(void **state)
{
    (void)state;
    open_source("UPDATE experiment SET name = '<script>alert(1)</script>&\"';"
                "UPDATE arm SET axes = '{\"arch.name\":\"</title><b onload=x>\"}'"
                " WHERE arm_id = 1",
                METRIC_PASS_AT_2);
    for (const struct figure *figure = FIGURES; figure->name != NULL; figure++) {
        struct picture picture;
        struct error err;

        if (figure->asked || figure_make(&picture, figure, &source, &err) != 0)
            continue;
        picture_release(&picture);
        char *svg = draw(figure->name);

        assert_null(strstr(svg, "<script"));
        assert_null(strstr(svg, "<b "));
        assert_non_null(strstr(svg, "&lt;script&gt;"));
        if (markup_fault(svg) != NULL)
            fail_msg("%s: %s", figure->name, markup_fault(svg));
        free(svg);
    }
    close_source();
}

static void an_unknown_figure_is_refused_with_the_nearest(void **state)
{
    const struct figure *figure;
    struct error err;

    (void)state;
    assert_int_equal(figure_find(&figure, "outer_step", &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "did you mean \"outer_steps\"?"));
    assert_non_null(strstr(err.message, "pass_at_k"));
}

static void what_the_experiment_does_not_vary_is_refused_with_the_reason(void **state)
{
    (void)state;
    open_source("", METRIC_PASS_AT_2);
    expect_refusal("inner_cycles", "does not vary arch.H_cycles or arch.L_cycles");
    expect_refusal("train_inference", "does not vary arch.halt_max_steps");
    expect_refusal("seeds", "no arm has two seeds");
    expect_refusal("pass_at_k", "more answers solve no more");
    expect_refusal("steps_used", "uses all of its outer steps");
    expect_refusal("axis", "varies arch.name, eval.halt_max_steps");
    source.axis = "train.lr";
    expect_refusal("axis", "--axis train.lr: experiment");
    close_source();
}

static void a_figure_of_a_loss_does_not_stop_at_one(void **state)
{
    (void)state;
    open_source("", METRIC_LM_LOSS);
    char *svg = draw("outer_steps");

    assert_non_null(strstr(svg, "token loss"));
    free(svg);
    expect_refusal("differences", "not kept per task");
    close_source();
}

static void published_values_stand_beside_data_that_is_like_theirs(void **state)
{
    /* the arms differ in their outer steps, so that the axis is there */
    static const char STEPS[] =
        "UPDATE arm SET axes = json_object('arch.halt_max_steps', arm_id);";

    (void)state;
    open_source(STEPS, METRIC_PASS_AT_2);
    char *data = source.data;
    const struct figure *figure;
    struct picture picture;
    struct error err;

    must(figure_find(&figure, "outer_steps", &err), &err);
    static char files[] = "ARC tasks from files", mine[] = "boards of my own",
                built_in[] = "builtin:arc-style, generator seed 0";
    source.data = files;
    must(figure_make(&picture, figure, &source, &err), &err);
    assert_non_null(strstr(picture.note, "published by ARC Prize"));
    picture_release(&picture);
    for (int i = 0; i < 2; i++) {
        source.data = i == 0 ? built_in : mine;
        must(figure_make(&picture, figure, &source, &err), &err);
        assert_null(strstr(picture.note, "published"));
        picture_release(&picture);
    }
    source.data = NULL;
    free(data);
    close_source();
}

/* Marks where they have a position in the chart, words where they are differences. */
static void published_values_stand_beside_any_data_when_that_is_asked_for(void **state)
{
    static const char STEPS[] =
        "UPDATE arm SET axes = json_object('arch.halt_max_steps', arm_id);";
    static char built_in[] = "builtin:sudoku, 4 x 4";
    static const char *const SAID[][2] = {
        { "outer_steps", "Hollow marks: published by ARC Prize" },
        { "train_inference", "inference with 1: more than 15 points" },
        { "train_inference_map", "read side by side, do not subtract" },
    };

    (void)state;
    open_source(STEPS, METRIC_PASS_AT_2);
    char *data = source.data;

    source.data = built_in;
    for (int any = 0; any < 2; any++)
        for (size_t i = 0; i < sizeof SAID / sizeof *SAID; i++) {
            const struct figure *figure;
            struct picture picture;
            struct error err;

            source.any_published = any;
            must(figure_find(&figure, SAID[i][0], &err), &err);
            must(figure_make(&picture, figure, &source, &err), &err);
            assert_int_equal(strstr(picture.note, SAID[i][1]) != NULL, any);
            assert_int_equal(strstr(picture.note, built_in) != NULL, any);
            picture_release(&picture);
        }
    source.data = NULL;
    free(data);
    close_source();
}

static void a_list_of_seeds_that_is_cut_says_so(void **state)
{
    double values[40];
    struct cells cells = { .metric = METRIC_PASS_AT_2 };
    struct cell cell = { .values = values, .mean = 0.5, .deviation = (double)NAN };

    (void)state;
    for (int i = 0; i < 40; i++)
        values[i] = 0.5;
    for (cell.count = 2; cell.count <= 40; cell.count += 38) {
        char *text = describe_cell(&cells, &cell, "");

        assert_non_null(text);
        assert_non_null(strstr(text, cell.count == 2 ? ", 0.500)" : ", 0.500, ...)"));
        free(text);
    }
}

/* The note of the figure of differences; fresh. */
static char *note_of_differences(void)
{
    const struct figure *figure;
    struct picture picture;
    struct error err;

    must(figure_find(&figure, "differences", &err), &err);
    must(figure_make(&picture, figure, &source, &err), &err);
    char *note = strdup(picture.note);
    picture_release(&picture);
    assert_non_null(note);
    return note;
}

static void differences_say_which_intervals_cover_other_seeds(void **state)
{
    static const char *const ENDS[] = { " settings that both sides have.",
                                        "over tasks only where there are fewer than 3 seeds.",
                                        "over tasks only (fewer than 3 seeds)." };
    struct error err;

    (void)state;
    open_source("", METRIC_PASS_AT_2);
    must(figure_compare(&source, &err), &err);
    assert_int_equal(source.comparisons.count, 2);
    for (int narrow = 0; narrow < 3; narrow++) {
        for (int i = 0; i < 2; i++)
            source.comparisons.items[1 - i].estimate.tasks_only = i < narrow;
        char *note = note_of_differences();
        size_t length = strlen(note), end = strlen(ENDS[narrow]);
        if (length < end || strcmp(note + length - end, ENDS[narrow]) != 0)
            fail_msg("%d of 2 over tasks only: %s", narrow, note);
        free(note);
    }
    close_source();
}

static const struct chart_series *series_named(const struct chart *chart, const char *label)
{
    for (int s = 0; s < chart->series_count; s++)
        if (strcmp(chart->series[s].label, label) == 0)
            return &chart->series[s];
    fail_msg("no series \"%s\"", label);
    return NULL;
}

/* Lists as evaluations with eval.trajectory record them: two calls per outer step. */
static void what_happens_over_the_outer_steps_is_drawn_where_it_was_recorded(void **state)
{
    static const char LISTS[] =
        "INSERT INTO measure_value SELECT v.evaluation_id, x.step, l.column1, l.column2,"
        " l.column3 FROM evaluation v JOIN evaluation_result x USING (evaluation_id),"
        " (VALUES ('residual_h', 1, 0.5), ('residual_h', 2, 0.25), ('residual_h', 3, 0.125),"
        "  ('residual_h', 4, 0.75), ('q_bin_mean', 3, 0.25), ('q_bin_exact', 3, 0.625),"
        "  ('q_bin_mean', 8, 0.775), ('q_bin_exact', 8, 0.875)) l"
        " WHERE x.checkpoint = 'last' AND v.outer_steps = 2;"
        "UPDATE evaluation SET act_inference = 1,"
        " canonical = json_set(canonical, '$.\"eval.trajectory\"', json('true'))"
        " WHERE outer_steps = 2;";

    (void)state;
    open_source("", METRIC_PASS_AT_2);
    expect_refusal("residuals", "no evaluation with eval.trajectory has finished");
    expect_refusal("calibration", "no evaluation with eval.trajectory has finished");
    expect_refusal("halting_rules", "all evaluations have the same halting rule");
    close_source();
    assert_int_equal(file_remove_tree(directory, NULL), 0);
    assert_int_equal(mkdir(directory, 0777), 0);
    open_source(LISTS, METRIC_PER_TOKEN_ACCURACY);
    char *residuals = draw("residuals"), *calibration = draw("calibration");
    char *rules = draw("halting_rules");
    assert_non_null(strstr(residuals, "hrm: 0.125 at 1.500")); /* the third call: step 1.5 */
    assert_non_null(strstr(residuals, "transformer: 0.750 at 2.000"));
    expect_whole_ticks(residuals);
    assert_non_null(strstr(calibration, "hrm: 0.625 at 0.250"));
    assert_non_null(strstr(calibration, "as stated"));
    assert_non_null(strstr(rules, ", ACT, "));
    assert_non_null(strstr(rules, " of 2 outer steps: ")); /* used, of those allowed */
    /* on the axis of y: a share has an end */
    assert_null(strstr(rules, "text-anchor=\"end\" class=\"small muted\">1.2<"));
    assert_non_null(strstr(rules, ">max<"));
    free(residuals);
    free(calibration);
    free(rules);

    const struct figure *figure;
    struct picture picture;
    struct error err;
    must(figure_find(&figure, "halting_rules", &err), &err);
    must(figure_make(&picture, figure, &source, &err), &err);
    assert_int_equal(picture.count, 2); /* a field per arm, with its name */
    assert_string_equal(picture.charts[0]->title, "hrm");
    assert_string_equal(picture.charts[1]->title, "transformer");
    for (int rule = 0; rule < 2; rule++)
        assert_int_equal(
            picture.charts[0]->series[rule].style,
            series_named(picture.charts[1], picture.charts[0]->series[rule].label)->style);
    assert_true(picture.charts[0]->y_most == picture.charts[1]->y_most);
    picture_release(&picture);
    close_source();
}

/* With ACT the evaluations with one outer step are asked for twice, with lists both. */
static void a_figure_of_lists_says_which_of_equal_evaluations_it_draws(void **state)
{
    static const char TWICE[] =
        "UPDATE evaluation SET outer_steps = 1, act_inference = 1, canonical ="
        " json_set(canonical, '$.\"eval.halt_max_steps\"', 1, '$.\"eval.act_inference\"',"
        " json('true')) WHERE outer_steps = 2;"
        "UPDATE evaluation SET canonical = json_set(canonical, '$.\"eval.trajectory\"',"
        " json('true'));"
        "INSERT INTO measure_value SELECT evaluation_id, step, 'residual_h', 1, 0.5"
        " FROM evaluation_result WHERE checkpoint = 'last';";
    const struct figure *figure;
    struct picture picture;
    struct error err;

    (void)state;
    open_source(TWICE, METRIC_PASS_AT_2);
    must(figure_find(&figure, "residuals", &err), &err);
    must(figure_make(&picture, figure, &source, &err), &err);
    assert_int_equal(picture.charts[0]->series_count, 2); /* each arm once */
    assert_string_equal(
        picture.note, "Means over rows and seeds of each arm's evaluation with the most outer "
                      "steps; of several the first, infer 1, voted all "
                      "(--where chooses another).");
    picture_release(&picture);
    close_source();
}

/* The slow state of both arms, the fast one of the second alone. */
static void an_arm_has_one_style_in_all_charts_of_a_figure(void **state)
{
    static const char LISTS[] =
        "INSERT INTO measure_value SELECT v.evaluation_id, x.step, l.column1, l.column2,"
        " l.column3 FROM evaluation v JOIN evaluation_result x USING (evaluation_id),"
        " (VALUES ('residual_h', 1, 0.5), ('residual_l', 1, 0.25), ('q_bin_mean', 3, 0.25),"
        "  ('q_bin_exact', 3, 0.625)) l"
        " WHERE x.checkpoint = 'last' AND v.outer_steps = 2"
        " AND (l.column1 <> 'residual_l' OR v.run_id = 2);"
        "UPDATE evaluation SET"
        " canonical = json_set(canonical, '$.\"eval.trajectory\"', json('true'))"
        " WHERE outer_steps = 2;";
    const struct figure *figure;
    struct picture picture;
    struct error err;

    (void)state;
    open_source(LISTS, METRIC_PASS_AT_2);
    must(figure_find(&figure, "residuals", &err), &err);
    must(figure_make(&picture, figure, &source, &err), &err);
    assert_int_equal(picture.count, 2);
    const struct chart *slow = picture.charts[0], *fast = picture.charts[1];
    assert_int_equal(slow->series_count, 2);
    assert_int_equal(fast->series_count, 1);
    assert_int_not_equal(slow->series[0].style, slow->series[1].style);
    assert_int_equal(fast->series[0].style, series_named(slow, fast->series[0].label)->style);
    assert_int_not_equal(fast->series[0].style, 0); /* not merely the first of its chart */
    picture_release(&picture);

    must(figure_find(&figure, "calibration", &err), &err);
    must(figure_make(&picture, figure, &source, &err), &err);
    assert_int_equal(picture.charts[0]->series[0].style, SVG_REFERENCE); /* under the arms */
    picture_release(&picture);
    close_source();
}

/* Arms that differ in two settings: one of them alone would name two arms alike. */
static void an_arm_has_the_same_name_and_style_in_curves_and_among_costs(void **state)
{
    static const char TWO_AXES[] =
        "UPDATE arm SET axes = json_set(axes, '$.\"arch.halt_max_steps\"', arm_id);"
        "UPDATE training SET train_flops = training_id * 1e12;" MORE_SOLVED;
    const struct figure *figure;
    struct picture costs, passes;
    struct error err;

    (void)state;
    open_source(TWO_AXES, METRIC_PASS_AT_2);
    must(figure_find(&figure, "flops", &err), &err);
    must(figure_make(&costs, figure, &source, &err), &err);
    must(figure_find(&figure, "pass_at_k", &err), &err);
    must(figure_make(&passes, figure, &source, &err), &err);
    assert_int_equal(costs.charts[0]->series_count, 2);
    for (int s = 0; s < 2; s++) {
        const struct chart_series *series = &costs.charts[0]->series[s];

        assert_non_null(strstr(series->label, ", ")); /* both settings */
        assert_int_equal(series->style, series_named(passes.charts[0], series->label)->style);
    }
    picture_release(&costs);
    picture_release(&passes);
    close_source();
}

/* One rule has a patience, of the usual size. */
static void what_only_one_halting_rule_has_is_no_axis_unless_it_was_set(void **state)
{
    (void)state;
    open_source("UPDATE evaluation SET canonical = json_set(canonical, '$.\"eval.halt_rule\"',"
                " 'stable') WHERE outer_steps = 2",
                METRIC_PASS_AT_2);
    assert_true(cells_find_axis(source.cells, "eval.halt_rule") >= 0);
    assert_int_equal(cells_find_axis(source.cells, "eval.halt_patience"), -1);
    close_source();
}

/* The evaluation with two outer steps is drawn; epsilon belongs to the rule "residual". */
static void a_note_names_settings_of_the_halting_rule_that_was_chosen(void **state)
{
    static const char RULE[] =
        "UPDATE evaluation SET canonical = json_set(canonical, '$.\"eval.halt_rule\"',"
        " 'residual', '$.\"eval.halt_epsilon\"', 0.25) WHERE outer_steps = ";
    const struct figure *figure;
    struct error err;

    (void)state;
    must(figure_find(&figure, "pass_at_k", &err), &err);
    for (int steps = 1; steps <= 2; steps++) {
        char *change = format_string("%s%d;%s", RULE, steps, MORE_SOLVED);
        struct picture picture;

        open_source(change, METRIC_PASS_AT_2);
        must(figure_make(&picture, figure, &source, &err), &err);
        assert_non_null(strstr(picture.note,
                               steps == 1 ? "eval.halt_rule max" : "eval.halt_rule residual"));
        assert_int_equal(strstr(picture.note, "eval.halt_epsilon") != NULL, steps == 2);
        picture_release(&picture);
        close_source();
        free(change);
        assert_int_equal(file_remove_tree(directory, NULL), 0);
        assert_int_equal(mkdir(directory, 0777), 0);
    }
}

static void the_list_says_which_figures_are_possible(void **state)
{
    struct table *table;
    struct error err;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    open_source("", METRIC_PASS_AT_2);
    must(figure_list(&table, &source, &err), &err);
    must(table_print(table, out, FORMAT_CSV, false, &err), &err);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "pass_at_k,"));
    assert_non_null(strstr(text, "\ninner_cycles,,no,"));
    assert_non_null(strstr(text, "\npivot,,with,"));
    table_destroy(table);
    free(text);
    close_source();
}

static void a_picture_is_written_by_the_ending_of_its_name(void **state)
{
    struct error err;
    char *svg = file_join(directory, "a.svg"), *png = file_join(directory, "a.png"), *data;
    size_t size;

    (void)state;
    assert_int_equal(picture_check_name("a.jpg", &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "ends in .svg, .png or .pdf"));
    must(picture_check_name("a.pdf", &err), &err);
    open_source("", METRIC_PASS_AT_2);
    char *text = draw("loss_curves");

    close_source();
    must(picture_write(text, svg, &err), &err);
    must(file_read(&data, &size, svg, 1 << 20, &err), &err);
    assert_string_equal(data, text);
    free(data);
    int rc = picture_write(text, png, &err);

    if (rc != 0) {
        assert_int_equal(rc, ERROR_ENVIRONMENT);
        assert_non_null(strstr(err.message, "librsvg2-bin"));
        assert_false(file_exists(png));
    } else {
        must(file_read(&data, &size, png, 1 << 24, &err), &err);
        assert_true(size > 100 && memcmp(data, "\x89PNG", 4) == 0);
        free(data);
    }
    free(text);
    free(svg);
    free(png);
}

static void a_missing_converter_is_named(void **state)
{
    struct error err;
    char *png = file_join(directory, "b.png"), *path = strdup(getenv("PATH"));

    (void)state;
    setenv("PATH", directory, 1);
    assert_int_equal(picture_write("<svg/>", png, &err), ERROR_ENVIRONMENT);
    setenv("PATH", path, 1);
    assert_non_null(strstr(err.message, "rsvg-convert is needed for .png and not installed"));
    assert_false(file_exists(png));
    free(path);
    free(png);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        TEST(every_possible_figure_is_well_formed_and_the_same_twice),
        TEST(a_figure_has_the_numbers_of_the_database),
        TEST(a_label_names_no_setting_without_effect),
        TEST(steps_of_a_short_training_are_whole_numbers),
        TEST(seeds_are_averaged_and_each_is_shown),
        TEST(an_axis_of_an_ablation_is_drawn_however_many_arms_change_something_else),
        TEST(many_bars_have_the_whole_width),
        TEST(interim_evaluations_of_seeds_meet_at_their_number),
        TEST(names_from_outside_stay_text_in_a_figure),
        TEST(an_unknown_figure_is_refused_with_the_nearest),
        TEST(what_the_experiment_does_not_vary_is_refused_with_the_reason),
        TEST(a_figure_of_a_loss_does_not_stop_at_one),
        TEST(published_values_stand_beside_data_that_is_like_theirs),
        TEST(published_values_stand_beside_any_data_when_that_is_asked_for),
        cmocka_unit_test(a_list_of_seeds_that_is_cut_says_so),
        TEST(differences_say_which_intervals_cover_other_seeds),
        TEST(a_figure_of_lists_says_which_of_equal_evaluations_it_draws),
        TEST(what_happens_over_the_outer_steps_is_drawn_where_it_was_recorded),
        TEST(an_arm_has_one_style_in_all_charts_of_a_figure),
        TEST(what_only_one_halting_rule_has_is_no_axis_unless_it_was_set),
        TEST(a_note_names_settings_of_the_halting_rule_that_was_chosen),
        TEST(an_arm_has_the_same_name_and_style_in_curves_and_among_costs),
        TEST(the_list_says_which_figures_are_possible),
        TEST(a_picture_is_written_by_the_ending_of_its_name),
        TEST(a_missing_converter_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
