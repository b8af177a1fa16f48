/* test_side_by_side.c - tasks and diff: arms and runs beside each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/place.h"
#include "support/release_1.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct place place;

/* The workspace of the first release: hrm and transformer, one seed, outer steps 1 and 2 at
 * inference, 37 tasks. At 1 outer step hrm alone solves cross-0's two tests, the transformer alone
 * crop-0, both solve drip-0. */
static int open_workspace(void **state)
{
    static const char CHANGE[] =
        "UPDATE task_outcome SET rank = NULL;"
        "UPDATE task_outcome SET rank = 1 WHERE (evaluation_id = 1 AND task IN ('cross-0',"
        " 'drip-0')) OR (evaluation_id = 3 AND task IN ('crop-0', 'drip-0'));";
    struct error err;

    (void)state;
    place_make(&place);
    assert_int_equal(file_make_directories(place.workspace, &err), 0);
    release_1_write(place.workspace);
    database_change(place.workspace, CHANGE);
    return 0;
}

static int close_workspace(void **state)
{
    (void)state;
    place_remove(&place);
    return 0;
}

/* Runs hrmlab with the words; its output, or where it fails its message, fresh. */
static char *run(int code, const char *const *words)
{
    return place_text(&place, code, words);
}

static void tasks_come_from_hard_to_easy_with_the_arms_that_differ(void **state)
{
    const char *const words[] = { "tasks", "--where", "eval.halt_max_steps=1", NULL };
    const char *const csv[] = { "tasks",    "--where", "eval.halt_max_steps=1",
                                "--format", "csv",     NULL };
    char *text = run(0, words), *table = run(0, csv);

    (void)state;
    place_expect_words(text, "37 tasks: 34 have 0 in every arm and seed, 1 has 1 in all");
    place_expect_words(
        text, "crop-0               0.500  0.000  hrm          1.000  transformer     2\n"
              "cross-0              0.500  0.000  transformer  1.000  hrm             2\n"
              "drip-0               1.000  1.000               1.000                  2\n");
    place_expect_words(table,
                       "task,mean,worst,worst_arm,best,best_arm,arms\nborder-0,0,0,,0,,2\n");
    free(text);
    free(table);
}

static void two_arms_are_set_against_each_other_task_by_task(void **state)
{
    const char *const words[] = { "tasks", "t", "name=hrm,eval.halt_max_steps=1",
                                  "arch.name=transformer,eval.halt_max_steps=1", NULL };
    const char *const unknown[] = { "tasks", "t", "arch.name=hrm", "mlp", NULL };
    const char *const short_key[] = { "tasks", "t", "arch.name=hrm", "lrr=3", NULL };
    char *text = run(0, words), *message = run(2, unknown), *key = run(2, short_key);

    (void)state;
    place_expect_words(text, "crop-0               0.000   1.000       1.000\n");
    place_expect_words(
        text, "cross-0              1.000   0.000      -1.000\n37 tasks: 1 gained, 1 lost, "
              "35 equal, of which 34 are 0 in both");
    place_expect_words(message, "no arm \"mlp\" in experiment \"t\"");
    place_expect_words(key, "arm lrr=3: unknown key \"lrr\"");
    free(text);
    free(message);
    free(key);
}

static void two_names_are_said_to_be_taken_for_arms(void **state)
{
    const char *const words[] = { "tasks", "t", "other", NULL };

    (void)state;
    place_change(&place, "INSERT INTO experiment (name, description, spec_hash, spec_file,"
                         " queued_at) VALUES ('other', '', '', '', '')");
    char *message = run(2, words);
    place_change(&place, "DELETE FROM experiment WHERE name = 'other'");
    place_expect_words(message, "tasks: \"t\" and \"other\" are taken for two arms: say which "
                                "experiment: other, t");
    free(message);
}

/* Else it would read as if the experiment had no results, or one value of the axis. */
static void what_conditions_leave_out_is_not_said_of_the_experiment(void **state)
{
    const char *const axis[] = { "compare",       "t", "--axis", "arch.name", "--where",
                                 "arch.name=hrm", NULL };
    const char *const tasks[] = { "tasks", "t", "--where", "eval.halt_max_steps=7", NULL };
    const char *const seeds[] = { "plot",     "t",     "--where", "eval.halt_max_steps=7",
                                  "--figure", "flops", NULL };
    const char *const report[] = { "report",   "t",        "--where", "eval.halt_max_steps=7",
                                   "--format", "markdown", NULL };
    char *one = run(2, axis), *none = run(2, tasks), *figure = run(2, seeds);
    char *page = run(0, report);

    (void)state;
    place_expect_words(one, "--axis arch.name: what meets the conditions has only one value");
    place_expect_words(none, "no finished evaluation that meets the conditions to compare");
    place_expect_words(figure, "no evaluation that meets the conditions has finished yet");
    place_expect_words(page, "No evaluation that meets the conditions has finished yet.");
    free(one);
    free(none);
    free(figure);
    free(page);
}

static void diff_lists_what_differs_and_results_beside_it(void **state)
{
    const char *const runs[] = { "diff", "ec881332", "c4d382ae", NULL };
    const char *const arms[] = {
        "diff", "t:arch.name=hrm", "arch.name=transformer", "--format", "csv", NULL
    };
    const char *const absent[] = { "diff", "ffffffff", "c4d382ae", NULL };
    char *text = run(0, runs), *table = run(0, arms), *message = run(2, absent);

    (void)state;
    place_expect_words(text, "first: run ec881332");
    place_expect_words(text, "settings  arch.name ");
    assert_null(strstr(text, "train.lr "));
    place_expect_words(table, "settings,arch.name,hrm,transformer,,false,,\n");
    place_expect_words(table, "settings,train.lr,0.01,0.01,,true,,\n");
    place_expect_words(
        table, "\"token acc, inference 1, voted all\",0.387908369007042,0.377243686467359,");
    place_expect_words(message, "no run whose hash begins with \"ffffffff\"");
    free(text);
    free(table);
    free(message);
}

/* Changes the database before a command has upgraded it. */
static void one_task_is_said_to_be_one(void **state)
{
    const char *const importance[] = { "importance", "t", "--where", "eval.halt_max_steps=1",
                                       NULL };
    const char *const tasks[] = { "tasks", "t", NULL };
    const char *const both[] = { "tasks", "t", "name=hrm,eval.halt_max_steps=2",
                                 "name=transformer,eval.halt_max_steps=2", NULL };

    (void)state;
    place_change(&place, "CREATE TABLE kept AS SELECT * FROM task_outcome;"
                         "DELETE FROM task_outcome WHERE task <> 'crop-0'");
    char *shares = run(0, importance), *list = run(0, tasks);
    char *pair = run(0, both);

    place_change(&place, "DELETE FROM task_outcome;"
                         "INSERT INTO task_outcome SELECT * FROM kept; DROP TABLE kept");

    place_expect_words(shares, "no intervals: there is one task and one seed");
    place_expect_words(list, "\n1 task: 1 has 0 in every arm and seed, 0 have 1 in all");
    place_expect_words(pair, "\n1 task: 0 gained, 0 lost, 1 equal, of which 1 is 0 in both");
    free(shares);
    free(pair);
    free(list);
}

static void figures_have_one_slash_before_their_names(void **state)
{
    char directory[PATH_MAX], *out, *said;

    (void)state;
    snprintf(directory, sizeof directory, "%s/figures/", place.workspace);
    const char *const words[] = { "plot", "t", "--figure", "all", "-o", directory, NULL };
    assert_int_equal(place_run(&place, words, &out, &said), 0);
    place_expect_words(said, "/figures/outer_steps.svg");
    assert_null(strstr(said, "//"));
    free(out);
    free(said);
}

/* tasks and importance take no --axis. */
static void a_measure_of_rows_is_said_to_be_compared_by_another_one(void **state)
{
    static const char *const COMMANDS[] = { "tasks", "importance", "compare" };

    (void)state;
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        const char *words[] = { COMMANDS[i],
                                "t",
                                "--where",
                                "eval.halt_max_steps=1",
                                "--metric",
                                "per_token_accuracy",
                                i == 2 ? "--axis" : NULL,
                                "arch.name",
                                NULL };
        char *table, *said;

        if (place_run(&place, words, &table, &said) != 0)
            fail_msg("%s: %s", COMMANDS[i], said);
        place_expect_words(said,
                           "per_token_accuracy is a mean over rows, which are not recorded "
                           "one by one; compared per task is task_token_accuracy (");
        words[5] = "pass_at_2";
        free(table);
        free(said);
        /* both arms solve two tasks, which importance refuses to explain */
        assert_int_equal(place_run(&place, words, &table, &said), i == 1 ? 2 : 0);
        assert_null(strstr(said, "compared per task"));
        free(table);
        free(said);
    }
}

static void small_trainings_of_different_work_are_not_equal(void **state)
{
    const char *const runs[] = { "diff", "ec881332", "c4d382ae", "--format", "csv", NULL };

    (void)state;
    place_change(&place, "UPDATE training SET train_flops = training_id * 1.25e8");
    char *text = run(0, runs);

    place_expect_words(text, "cost,\"training TFLOP\",0.000");
    assert_null(strstr(text, "\"training TFLOP\",0.0,0.0"));
    free(text);
}

/* 3 to 20 outer steps at inference, too: the more, the better the second run is. */
static void of_many_evaluations_those_are_shown_that_matter(void **state)
{
    static const char MORE[] =
        "WITH RECURSIVE n (steps) AS (SELECT 3 UNION ALL SELECT steps + 1 FROM n"
        " WHERE steps < 20) INSERT INTO evaluation SELECT 100 * run_id + steps, run_id,"
        " replace(canonical, 'steps\":1', 'steps\":' || steps), steps, 0, 0, 0, 'test'"
        " FROM evaluation, n WHERE outer_steps = 1;"
        "INSERT INTO evaluation_result SELECT evaluation_id, 3, 'last', 0.5, 0.5, 0, 1,"
        " outer_steps, p, p, p, p, p, p, p, p, 37, 42, 1 FROM (SELECT evaluation_id,"
        " outer_steps, run_id * outer_steps / 100.0 AS p FROM evaluation"
        " WHERE evaluation_id > 100);"
        "UPDATE run SET data_hash = 'f' || substr(data_hash, 2) WHERE run_id = 1;";
    static const char APART[] =
        "UPDATE evaluation SET outer_steps = outer_steps + 20, canonical = replace(canonical,"
        " 'steps\":' || outer_steps, 'steps\":' || (outer_steps + 20))"
        " WHERE evaluation_id BETWEEN 103 AND 112;";
    const char *const diff[] = { "diff", "ec881332", "c4d382ae", NULL };
    const char *const diff_all[] = { "diff", "ec881332", "c4d382ae", "--all", NULL };
    const char *const show[] = { "show", "c4d382ae", NULL };
    const char *const show_all[] = { "show", "c4d382ae", "--all", NULL };

    close_workspace(state);
    open_workspace(state); /* anew: not upgraded yet */
    database_change(place.workspace, MORE);
    char *differences = run(0, diff), *all_differences = run(0, diff_all);
    char *shown = run(0, show), *all_shown = run(0, show_all);

    place_expect_words(differences,
                       "f1dbc51a4a31 "); /* a whole hash is wider than a terminal */
    assert_null(strstr(differences, "b1dbc51a4a316"));
    place_expect_words(
        differences,
        "pass@2, inference 20, voted all  0.200         0.400              0.200\n");
    place_expect_words(differences, "pass@2, inference 9, voted all");
    assert_null(strstr(differences, "pass@2, inference 8, voted all"));
    assert_null(strstr(differences, "token acc"));
    place_expect_words(differences,
                       "the evaluations whose pass@2 differs most; --all adds 8 other");
    place_expect_words(all_differences, "token acc, inference 8,");
    assert_null(strstr(all_differences, "--all adds"));
    place_expect_words(shown, "\n   3  last                 20");
    place_expect_words(shown, "\n   3  last                  9");
    assert_null(strstr(shown, "\n   3  last                  8"));
    place_expect_words(
        shown, "10 other evaluations, earlier or with a lower pass@2 (--all lists them)");
    assert_null(strstr(shown, "\narch.rms_norm_eps"));
    place_expect_words(shown, "\narch.name ");
    place_expect_words(shown, " settings have their defaults (--all lists them)");
    place_expect_words(all_shown, "\n   3  last                  8");
    place_expect_words(all_shown, "\narch.rms_norm_eps");
    place_expect_words(all_shown,
                       "\narch.act_enabled               true\n"); /* the database has 1 */
    assert_null(strstr(all_shown, "--all lists"));
    database_change(place.workspace,
                    APART); /* ten are of the first run alone, ten of the second */
    free(differences);
    differences = run(0, diff);
    place_expect_words(differences, "pass@2, inference 13, voted all");
    assert_null(strstr(differences, "pass@2, inference 12, voted all"));
    assert_null(strstr(differences, "pass@2, inference 23, voted all"));
    place_expect_words(differences, "--all adds 20 other");
    free(differences);
    free(all_differences);
    free(shown);
    free(all_shown);
}

/* Another experiment "u" has the same runs. */
static void arms_of_other_experiments_are_compared_and_a_report_has_its_baseline(void **state)
{
    const char *const pair[] = { "compare",
                                 "t:arch.name=hrm,eval.halt_max_steps=1",
                                 "u:arch.name=transformer,eval.halt_max_steps=1",
                                 "--format",
                                 "csv",
                                 NULL };
    const char *const all[] = { "compare",  "t",   "--baseline", "u:arch.name=hrm",
                                "--format", "csv", NULL };
    const char *const report[] = {
        "report", "t", "--baseline", "arch.name=transformer", "--format", "markdown", NULL
    };
    const char *const people[] = { "compare", pair[1], pair[2], NULL };
    const char *const same[] = { "compare", "t", "--baseline", "u:arch.name=hrm", NULL };
    const char *const bare[][4] = { { "diff", "t", "u", NULL }, { "compare", "x", "y", NULL } };

    (void)state;
    place_change(&place, "INSERT INTO experiment (experiment_id, name, description, spec_hash,"
                         " spec_file, queued_at) SELECT 2, 'u', '', spec_hash, '', queued_at"
                         " FROM experiment");
    place_change(&place,
                 "INSERT INTO arm SELECT arm_id + 10, 2, position, label, axes FROM arm");
    place_change(&place, "INSERT INTO arm_run SELECT arm_id + 10, run_id FROM arm_run");
    place_change(&place, "INSERT INTO arm_evaluation SELECT arm_id + 10, evaluation_id FROM"
                         " arm_evaluation");
    char *text = run(0, pair);
    place_expect_words(text, "u: arch.name=transformer - arch.name=hrm");
    free(text);
    text = run(0, people);
    place_expect_words(text,
                       "the arms of the two experiments differ in arch.H_layers (1; 2), ");
    place_expect_words(text, "arch.name (hrm;\ntransformer)");
    assert_null(strstr(text, "the data"));
    assert_null(strstr(text, "different lengths"));
    free(text);
    place_change(&place, "UPDATE training SET data_hash = 'other', numeric_version = '9',"
                         " total_steps = total_steps + 5 WHERE training_id = 2");
    text = run(0, people);
    place_expect_words(text, "trainings of different lengths are compared, of ");
    place_expect_words(text, "the data, the engine's numeric version (");
    free(text);
    place_change(&place,
                 "UPDATE training SET data_hash = n.data_hash, numeric_version ="
                 " n.numeric_version, total_steps = training.total_steps - 5"
                 " FROM training n WHERE n.training_id = 1 AND training.training_id = 2");
    text = run(0, same);
    assert_null(strstr(text, "experiments differ"));
    free(text);
    text = run(0, all);
    place_expect_words(text, "arch.name=transformer - u: arch.name=hrm");
    place_expect_words(text,
                       "arch.name=hrm - u: arch.name=hrm"); /* the same run: no difference */
    free(text);
    text = run(0, report);
    place_expect_words(text, "Difference: to arch.name=transformer");
    free(text);
    text = run(2, bare[0]);
    place_expect_words(text, "\"t\" is an experiment; expected an arm of it (\"t:LABEL\" or");
    free(text);
    text = run(2, bare[1]);
    place_expect_words(text, "\"x\" is taken for an arm (EXPERIMENT:ARM): say which");
    free(text);
    place_change(&place, "DELETE FROM arm_evaluation WHERE arm_id > 10");
    place_change(&place, "DELETE FROM arm_run WHERE arm_id > 10");
    place_change(&place, "DELETE FROM arm WHERE arm_id > 10");
    place_change(&place, "DELETE FROM experiment WHERE experiment_id = 2");
}

/* What is recorded besides changes no number: such an evaluation is compared with one that
 * records nothing. */
static void evaluations_that_record_their_trajectory_are_compared_with_others(void **state)
{
    const char *const pair[] = { "compare", "t:arch.name=hrm", "arch.name=transformer", NULL };
    const char *const all[] = { "compare", "t", "--baseline", "arch.name=hrm", NULL };
    const char *const words[] = { "diff", "t:arch.name=hrm", "arch.name=transformer", NULL };

    (void)state;
    place_change(&place, "UPDATE evaluation SET canonical = json_set(canonical,"
                         " '$.\"eval.trajectory\"', json('true')) WHERE run_id = 2");
    for (int i = 0; i < 2; i++) {
        char *text = run(0, i == 0 ? pair : all);
        place_expect_words(text, "infer 1,");
        place_expect_words(text, "infer 2,");
        assert_null(strstr(text, "trajectory"));
        free(text);
    }
    char *text = run(0, words);
    place_expect_words(text, "pass@2, inference 1, voted all ");
    assert_null(strstr(text, "trajectory"));
    free(text);
    place_change(&place, "UPDATE evaluation SET canonical = json_remove(canonical,"
                         " '$.\"eval.trajectory\"') WHERE run_id = 2");
}

/* The second arm has no result of two outer steps. */
static void an_axis_says_which_cells_have_no_partner(void **state)
{
    const char *const words[] = { "compare", "t", "--axis", "arch.name", NULL };
    char *text = run(0, words);

    (void)state;
    assert_null(strstr(text, "of them differ"));
    free(text);
    place_change(&place, "UPDATE evaluation_result SET checkpoint = 'interim'"
                         " WHERE evaluation_id = 4 AND checkpoint = 'last'");
    text = run(0, words);
    place_expect_words(
        text, "arch.name: transformer has 1 cell and hrm has 2; 1 pair of them differs in");
    place_expect_words(text,
                       "\nhrm           0.054      1\n"); /* the cell that has a partner */
    free(text);
    place_change(&place, "UPDATE evaluation_result SET checkpoint = 'last'"
                         " WHERE evaluation_id = 4 AND checkpoint = 'interim'");
}

static void an_axis_of_seeds_is_refused_for_what_seeds_are(void **state)
{
    const char *const words[] = { "compare", "t", "--axis", "train.seed", NULL };
    char *text = run(2, words);

    (void)state;
    place_expect_words(text, "seeds are not compared, every comparison is made over them");
    free(text);
}

/* "name" is arch.name alone; of two settings called halt_max_steps, neither is an axis. */
static void settings_are_known_without_their_groups(void **state)
{
    static const struct {
        const char *words[10];
        int status;
        const char *said;
    } CASES[] = {
        { { "compare", "t", "--axis", "name", NULL }, 0, "arch.name: transformer" },
        { { "results", "t", "--rows", "name", "--cols", "eval.halt_max_steps", NULL },
          0,
          "by arch.name and halt_max_steps" },
        { { "plot", "t", "--figure", "axis", "--axis", "name", NULL },
          0,
          "pass@2 against arch.name" },
        { { "compare", "t", "--axis", "halt_max_steps", NULL },
          2,
          "--axis: halt_max_steps is arch.halt_max_steps or eval.halt_max_steps: say which" },
        { { "results", "t", "--rows", "name", "--cols", "halt_max_steps", NULL },
          2,
          "--cols: halt_max_steps is arch.halt_max_steps or eval.halt_max_steps: say which" },
        { { "plot", "t", "--figure", "pivot", "--rows", "halt_max_steps", "--cols", "name",
            NULL },
          2,
          "--rows: halt_max_steps is arch.halt_max_steps or eval.halt_max_steps: say which" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *text = run(CASES[i].status, CASES[i].words);

        place_expect_words(text, CASES[i].said);
        free(text);
    }
}

/* The second arm gets the first one's run, too, and of its own one no result of two outer
 * steps. */
static void diff_says_over_how_many_runs_a_mean_is(void **state)
{
    const char *const table[] = { "diff", "t:arch.name=hrm", "arch.name=transformer", NULL };
    const char *const csv[] = {
        "diff", "t:arch.name=hrm", "arch.name=transformer", "--format", "csv", NULL
    };

    (void)state;
    place_change(&place, "INSERT INTO arm_run VALUES (2, 1)");
    place_change(&place, "UPDATE evaluation_result SET checkpoint = 'interim'"
                         " WHERE evaluation_id = 4 AND checkpoint = 'last'");
    char *text = run(0, table), *numbers = run(0, csv);
    place_expect_words(text, "second: t: arch.name=transformer (2 runs)");
    place_expect_words(text, "0.000 (1 of 2 runs)");
    place_expect_words(numbers, ",equal,first_runs,second_runs\n");
    place_expect_words(numbers, "\"pass@2, inference 1, voted all\",0,0,0,true,1,2\n");
    place_expect_words(numbers, "\"pass@2, inference 2, voted all\",0,0,0,true,1,1\n");
    free(text);
    free(numbers);
    place_change(&place, "UPDATE evaluation_result SET checkpoint = 'last'"
                         " WHERE evaluation_id = 4 AND checkpoint = 'interim'");
    place_change(&place, "DELETE FROM arm_run WHERE arm_id = 2 AND run_id = 1");
}

/* Two kinds of data, one per arm. */
static void importance_says_that_data_of_several_kinds_are_not_estimated(void **state)
{
    const char *const words[] = { "importance", NULL };

    (void)state;
    place_change(&place, "UPDATE arm SET axes = json_object('data.path', 'kind' || arm_id)");
    place_change(&place,
                 "UPDATE task_outcome SET task = 'other' || task WHERE evaluation_id > 2");
    char *text = run(2, words);
    place_expect_words(text, "importance: the values of data.path have no task in common");
    place_expect_words(text, "--where data.path=VALUE chooses one kind");
    free(text);
    place_change(&place, "UPDATE arm SET axes = json_object('arch.name', iif(arm_id = 1, 'hrm',"
                         " 'transformer'))");
    place_change(&place, "UPDATE task_outcome SET task = substr(task, length('other') + 1)"
                         " WHERE evaluation_id > 2");
}

/* The last test: it takes results away. */
static void importance_is_refused_where_the_grid_is_not_full(void **state)
{
    const char *const words[] = { "importance", NULL };
    char *text = run(0, words);

    (void)state;
    place_expect_words(text, "arch.name x eval.halt_max_steps  interaction");
    free(text);
    place_change(&place, "DELETE FROM task_outcome WHERE evaluation_id IN (3, 4)");
    place_change(&place, "DELETE FROM evaluation_result WHERE evaluation_id IN (3, 4)");
    text = run(2, words);
    place_expect_words(text, "importance needs a full grid");
    place_expect_words(text, "arch.name=transformer");
    place_expect_words(text, "has no result");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_come_from_hard_to_easy_with_the_arms_that_differ),
        cmocka_unit_test(two_arms_are_set_against_each_other_task_by_task),
        cmocka_unit_test(two_names_are_said_to_be_taken_for_arms),
        cmocka_unit_test(what_conditions_leave_out_is_not_said_of_the_experiment),
        cmocka_unit_test(diff_lists_what_differs_and_results_beside_it),
        cmocka_unit_test(arms_of_other_experiments_are_compared_and_a_report_has_its_baseline),
        cmocka_unit_test(evaluations_that_record_their_trajectory_are_compared_with_others),
        cmocka_unit_test(an_axis_says_which_cells_have_no_partner),
        cmocka_unit_test(an_axis_of_seeds_is_refused_for_what_seeds_are),
        cmocka_unit_test(settings_are_known_without_their_groups),
        cmocka_unit_test(diff_says_over_how_many_runs_a_mean_is),
        cmocka_unit_test(one_task_is_said_to_be_one),
        cmocka_unit_test(figures_have_one_slash_before_their_names),
        cmocka_unit_test(small_trainings_of_different_work_are_not_equal),
        cmocka_unit_test(a_measure_of_rows_is_said_to_be_compared_by_another_one),
        cmocka_unit_test(importance_says_that_data_of_several_kinds_are_not_estimated),
        cmocka_unit_test(importance_is_refused_where_the_grid_is_not_full),
        cmocka_unit_test(of_many_evaluations_those_are_shown_that_matter),
    };

    return cmocka_run_group_tests_name("side_by_side", tests, open_workspace, close_workspace);
}
