/* test_mistakes.c - what a user types wrong: one message each, and nothing is ignored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/place.h"
#include "support/release_1.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS = 8 };

/* Runs the words and expects the exit code and the text in what it prints to stderr; of a
 * failure, one line. */
static void expect(const struct place *place, int code, const char *text,
                   const char *const *words)
{
    char *out, *errors;
    int got = place_run(place, words, &out, &errors);

    if (got != code || strstr(errors, text) == NULL)
        print_error("%s %s: exit %d, expected %d and \"%s\":\n%s", words[0],
                    words[1] != NULL ? words[1] : "", got, code, text, errors);
    assert_int_equal(got, code);
    assert_non_null(strstr(errors, text));
    if (code != 0)
        assert_ptr_equal(strchr(errors, '\n'), errors + strlen(errors) - 1);
    free(out);
    free(errors);
}

/* Expects success, and that the text is not in what it prints to stderr. */
static void expect_silence(const struct place *place, const char *text,
                           const char *const *words)
{
    char *out, *errors;

    assert_int_equal(place_run(place, words, &out, &errors), 0);
    assert_null(strstr(errors, text));
    free(out);
    free(errors);
}

static void write_spec(const struct place *place, const char *text)
{
    struct error err = { 0 };

    assert_int_equal(file_write_atomic(place->spec, text, strlen(text), &err), 0);
}

static void a_mistake_in_a_spec_is_named_with_its_remedy(void **state)
{
    static const struct {
        const char *spec, *message;
    } cases[] = {
        { "{\"name\" \"a\"}", "column 9: a colon is missing before this" },
        { "{\"name\" = \"a\"}", "column 9: '=' in place of ':'" },
        { "{\"set\": {\"train.max_steps\": 0x10}}",
          "malformed number; JSON has plain decimal" },
        { "{\"set\": {\"train.max_steps\": 1_000}}",
          "malformed number; JSON has plain decimal" },
        { "{\"set\": {\"train\": {\"lr\": 1}}}",
          "\"train\" is a group of settings; name each" },
        { "{\"set\": {\"train.lr\": [0.1, 0.2]}}", "a list of values belongs in \"grid\"" },
        { "{\"resources\": {\"thread\": 2}}",
          "unknown setting \"thread\"; did you mean \"threads\"?" },
        { "{\"resources\": {\"resources.threads\": 2}}", "did you mean \"threads\"?" },
        { "{\"retries\": {\"zzzzzzzzz\": 2}}",
          "`hrmlab axes` lists what begins with \"retries.\"" },
    };
    struct place place;

    (void)state;
    place_make(&place);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const words[] = { "plan", place.spec, NULL };
        write_spec(&place, cases[i].spec);
        expect(&place, 2, cases[i].message, words);
    }
    place_remove(&place);
}

static void a_rule_that_excludes_nothing_is_warned_about(void **state)
{
    struct place place;
    char *out, *errors;

    (void)state;
    place_make(&place);
    write_spec(&place,
               "{\"name\": \"t\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
               " \"arch.num_heads\": 2}, \"grid\": {\"train.lr\": [0.01, 0.02]},"
               " \"exclude\": [{\"train.lr\": 0.01}, {\"train.lr\": 0.03}]}");
    const char *const words[] = { "plan", place.spec, NULL };
    assert_int_equal(place_run(&place, words, &out, &errors), 0);
    assert_non_null(strstr(errors, "rule 2 of \"exclude\" matches no cell"));
    assert_null(strstr(errors, "rule 1 of"));
    free(out);
    free(errors);
    place_remove(&place);
}

/* Of a workspace with one queued experiment, t. */
static void a_mistake_on_the_command_line_is_named(void **state)
{
    static const struct {
        const char *words[WORDS];
        const char *message;
    } cases[] = {
        { { "results", "t", "--where", "train.lr==1" }, "there is no \"==\"; expected =, !=" },
        { { "results", "t", "--where", "train.lr=>1" }, "there is no \"=>\"" },
        { { "results", "t", "--where", "train.lrr=1" },
          "(did you mean \"train.lr\"?); known are" },
        { { "results", "t", "--where", "train.batch_size=1" },
          "(did you mean \"train.global_batch_size\"?); known are" },
        { { "results", "t", "--where", "pas_at_2>0" },
          "(did you mean \"pass_at_2\"?); known are" },
        { { "results", "t", "--where", "halt_max_step=2" },
          "(did you mean \"halt_max_steps\"?); known are" },
        { { "compare", "t", "--where", "pass_at_2>0", "--axis", "train.lr" },
          "only hrmlab results takes conditions on measures" },
        { { "results", "t", "--where", "resources.threads=1" },
          "changes how a job is executed" },
        { { "results", "t", "--experiment", "other" }, "two experiments are named: t and" },
        { { "results", "t", "--metric", "pass_at2" },
          "(did you mean \"pass_at_2\"?); expected" },
        { { "results", "t", "--metric=" }, "--metric needs a value: M" },
        { { "report", "t", "--format", "markdown", "-o", "x.html" }, "which is HTML" },
        { { "compare", "t", "arch.name=hrm" }, "one arm is given (arch.name=hrm); two are" },
        { { "show", "abc" }, "abc: expected the first 4 or more digits" },
        { { "show", "zzzz" }, "zzzz: expected the first 4 or more digits (0-9, a-f)" },
        { { "logs", "t" }, "t: expected the first 4 or more digits" },
        { { "retry", "t" }, "none of its 2 jobs is failed, cancelled or quarantined" },
        { { "cancel", "nothing" }, "nothing: no such experiment or run" },
        { { "results", "-tiny" }, "unknown option -tiny" },
        { { "plot", "t", "--figure", "loss" }, "(did you mean \"loss_curves\"?)" },
        { { "plot", "t", "--axis", "train.lr" }, "--axis is for --figure axis" },
        { { "plot", "t", "--figure", "axis", "--rows", "arch.name" },
          "are for --figure pivot" },
        { { "plot", "t", "--figure", "seeds", "--format", "csv" }, "for the list of figures" },
        { { "plot", "t", "--figure", "all", "-o", "x.pdf" },
          "--figure all: -o x.pdf: expected a directory" },
        { { "plot", "t", "--figure", "all", "-o", "/dev/null/x" },
          "--figure all: no figure is possible yet; hrmlab plot t says why" },
        { { "axes", "arch.nmae" }, "begins so (did you mean \"arch.name\"?); expected" },
        { { "axes", "schema", "--format", "csv" }, "axes schema is JSON" },
        { { "data", "check", "builtin:sudoku", "--set", "data.path=x" },
          "data.path is SOURCE" },
        { { "data", "order", "builtin:sudoku", "-o", "/" }, "expected a file, not a folder" },
        { { "report", "t", "-o", "/" }, "report -o /: expected a file, not a folder" },
        { { "report", "t", "--format", "markdown", "-o", "/tmp" },
          "report -o /tmp: expected a file, not a folder" },
        { { "work", "--max-fails", "1", "--keep-going" }, "contradict each other" },
        { { "data", "check", "builtin:sudoku", "--svg", "x.svg" },
          "data check has no option --svg" },
        { { "data", "show", "builtin:sudoku", "-o", "-" },
          "-o -: tasks are drawn as SVG; expected a name that ends in .svg" },
        { { "show", "last", "--task", "t", "--svg", "x.png" },
          "--svg x.png: tasks are drawn as SVG" },
        { { "data", "show", "builtin:sudoku", "-o", "x.svg" },
          "data show: -o or --svg draws tasks; name at least one" },
        { { "data", "order", "builtin:sudoku", "--layout", "csv", "-o", "x" },
          "no option --layout" },
        { { "data", "check", "builtin:sudoku", "some" }, "names of tasks are for data show" },
    };
    struct place place;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(&place, 2, cases[i].message, cases[i].words);
    static const char *const work[] = { "work", NULL };
    struct place elsewhere = place;
    snprintf(elsewhere.workspace, sizeof elsewhere.workspace, "/nowhere");
    expect(&elsewhere, 2, "workspace /nowhere: No such file", work);
    elsewhere.workspace[0] = '\0';
    expect(&elsewhere, 2, "--workspace needs a value: DIR", work);
    place_remove(&place);
}

static void an_override_that_changes_nothing_is_warned_about(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    const char *const words[] = { "plan", place.spec, "--set", "data.maze_side=9", NULL };
    expect(&place, 0, "--set data.maze_side changes nothing: ", words);
    const char *const patience[] = { "plan", place.spec, "--set", "eval.halt_patience=3",
                                     NULL };
    expect(&place, 0,
           "--set eval.halt_patience changes nothing: eval.halt_rule=max makes it inactive in "
           "every evaluation",
           patience);
    const char *const format[] = { "run", place.spec, "--format", "csv", NULL };
    expect(&place, 2, "run: --format is for --dry-run", format);
    place_remove(&place);
}

static void what_would_be_computed_for_nothing_is_said_before(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    const char *const none[] = { "plan", place.spec, "--set", "eval.pool_checkpoints=4", NULL };
    expect(&place, 2, "no evaluation is possible: that of arm ", none);
    const char *const slow[] = { "plan", place.spec, "--set", "train.lr_warmup_steps=9000",
                                 NULL };
    expect(&place, 0, "train.lr_warmup_steps = 9000, but it makes ", slow);
    const char *const raw[] = { "plan", place.spec, "--set", "eval.weights=raw", NULL };
    expect(&place, 2, "with train.ema_rate = 0 the model has no other weights", raw);
    const char *const late[] = { "plan", place.spec, "--set", "train.eval_interval=90000",
                                 NULL };
    expect(&place, 0, "it is evaluated once, at its end", late);
    const char *const pool[] = { "plan",  place.spec,
                                 "--set", "train.eval_interval=1",
                                 "--set", "eval.pool_checkpoints=9999",
                                 NULL };
    expect(&place, 0, "all of which are pooled then", pool);
    const char *const tests[] = { "plan", place.spec, "--set", "data.test_tasks=900000", NULL };
    expect(&place, 0, "data.test_tasks = 900000, but there are ", tests);
    const char *const same[] = { "plan", place.spec, "--set", "eval.rollouts=4", NULL };
    expect(&place, 0, "eval.rollouts = 4 passes are all the same", same);
    static const char *const untrained[][2] = {
        { "arch.act_enabled=false", "arch.act_enabled = false trains no q_continue" },
        { "arch.halt_max_steps=1", "arch.halt_max_steps = 1 trains no q_continue" },
    };
    static const char *const rules[] = { "eval.act_inference=true", "eval.halt_rule=q" };
    for (int i = 0; i < 4; i++) {
        const char *const halts[] = { "plan",  place.spec,   "--set", untrained[i / 2][0],
                                      "--set", rules[i % 2], NULL };
        expect(&place, 0, untrained[i / 2][1], halts);
    }
    static const char *const trained[] = { "arch.act_enabled=true", "arch.name=trm" };
    for (int i = 0; i < 2; i++) {
        const char *const halts[] = { "plan",     place.spec, "--set",
                                      trained[i], "--set",    "eval.act_inference=true",
                                      NULL };
        expect_silence(&place, "q_continue", halts);
    }
    place_remove(&place);
}

static void a_spec_named_without_its_ending_is_found_for_the_message(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    char *dot = strrchr(place.spec, '.');
    *dot = '\0';
    const char *const words[] = { "plan", place.spec, NULL };
    expect(&place, 2, ".json\"?", words);
    *dot = '.';
    place_remove(&place);
}

static void blanks_around_a_key_do_not_count(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    const char *const words[] = { "plan", place.spec, "--set", " train.max_steps = 7", NULL };
    expect(&place, 0, "to be trained", words);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    const char *const where[] = { "results", "t", "--where", " train.lr > 5", NULL };
    expect(&place, 0, "has no rows that meet the conditions", where);
    const char *const all[] = { "results", "t", "--where", "train.lr < 5 ", NULL };
    expect(&place, 0, "2 of 2 runs not done", all);
    const char *const measure[] = { "results", "t", "--where", "pass_at_2 > 0.5", NULL };
    expect(&place, 0, "no row meets the conditions on measures", measure);
    place_remove(&place);
}

/* It counts as done: without a word a run of nothing else would look like a success. */
static void run_says_how_many_trainings_diverged(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    database_change(place.workspace,
                    "UPDATE job SET state = 'done', cause = 'diverged' WHERE job_id = 1");
    const char *const words[] = { "run", place.spec, NULL };
    expect(&place, 0, "1 of 2 jobs diverged, which is a result", words);
    const char *const status[] = { "status", NULL }, *const watch[] = { "watch", "--plain",
                                                                        NULL };
    expect(&place, 0, "1 of the 2 jobs done has diverged", status);
    char *view = place_text(&place, 0, watch);
    place_expect_words(view, "2 of 2 jobs done (1 diverged)");
    free(view);
    place_remove(&place);
}

static void watch_says_of_each_experiment_how_many_trainings_diverged(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    write_spec(&place, "{\"name\": \"second\", \"set\": {\"data.canvas\": 8, "
                       "\"arch.hidden_size\": 16, \"arch.num_heads\": 2}}");
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    database_change(place.workspace,
                    "UPDATE job SET state = 'done', cause = 'diverged' WHERE job_id = 1");
    const char *const words[] = { "watch", "--plain", NULL };
    char *view = place_text(&place, 0, words);
    place_expect_words(view, "t                    1 of 2 jobs done (1 diverged)\n");
    place_expect_words(view, "second               0 of 1 jobs done\n");
    free(view);
    place_remove(&place);
}

/* A spec that is kept must be read back by rebuild. */
static void a_description_is_utf_8(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    const char *const words[] = { "queue", place.spec, "--set", "description=caf\xe9", NULL };
    expect(&place, 2, "--set description: the byte 0xe9 is not UTF-8", words);
    place_remove(&place);
}

static void work_on_an_empty_queue_says_so(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "cancel", "all", NULL)), 0);
    const char *const words[] = { "work", NULL };
    expect(&place, 0, "nothing is queued in ", words);
    place_remove(&place);
}

static void a_spec_that_cannot_be_read_is_bad_input(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    const char *const words[] = { "plan", "/proc/self/mem", NULL };
    expect(&place, 2, "/proc/self/mem cannot be read: ", words);
    place_remove(&place);
}

static void another_program_in_place_of_the_worker_is_named(void **state)
{
    struct place place;
    const char *worker = getenv("HRMLAB_WORKER");
    char *before = worker != NULL ? strdup(worker) : NULL;

    (void)state;
    place_make(&place);
    setenv("HRMLAB_WORKER", "/bin/true", 1);
    const char *const words[] = { "plan", place.spec, NULL };
    expect(&place, 3, "/bin/true does not answer as hrmlab-worker does; HRMLAB_WORKER", words);
    if (before != NULL)
        setenv("HRMLAB_WORKER", before, 1);
    else
        unsetenv("HRMLAB_WORKER");
    free(before);
    place_remove(&place);
}

static void a_deleted_database_is_not_taken_for_an_empty_workspace(void **state)
{
    struct place place;
    char path[100];

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    snprintf(path, sizeof path, "%s/results.db", place.workspace);
    assert_int_equal(unlink(path), 0);
    const char *const status[] = { "status", NULL };
    expect(&place, 2, "nothing was queued in this workspace yet", status);
    snprintf(path, sizeof path, "%s/runs/0123", place.workspace);
    assert_int_equal(mkdir(path, 0777), 0);
    expect(&place, 3, "the workspace has runs; hrmlab rebuild makes a new one", status);
    const char *const queue[] = { "queue", place.spec, NULL };
    expect(&place, 0, "hrmlab rebuild restores them", queue);
    expect(&place, 0, "2 jobs are queued", status);
    place_remove(&place);
}

/* Of all commands that need something to be there. */
static void commands_that_refuse_leave_nothing_in_an_empty_workspace(void **state)
{
    static const char *const COMMANDS[][4] = {
        { "gc", "--force" },
        { "gc" },
        { "cancel", "all" },
        { "retry", "all" },
        { "keep", "t" },
        { "note", "t", "seen" },
        { "tag", "t", "seen" },
        { "remove", "t" },
        { "verify", "0123" },
        { "work" },
        { "sync" },
        { "status" },
        { "results" },
        { "report" },
        { "logs", "0123" },
        { "export", "/dev/null" },
    };
    struct place place;

    (void)state;
    place_make(&place);
    assert_int_equal(mkdir(place.workspace, 0700), 0);
    const char *const revote[] = { "revote", place.spec, NULL };
    const char *const rebuild[] = { "rebuild", NULL };
    char data[100], broken[100];
    struct error err;
    snprintf(data, sizeof data, "data.path=%s/tasks", place.directory);
    snprintf(broken, sizeof broken, "%s/tasks/evaluation", place.directory);
    assert_int_equal(file_make_directories(broken, &err), 0);
    snprintf(broken, sizeof broken, "%s/tasks/training", place.directory);
    assert_int_equal(file_make_directories(broken, &err), 0);
    snprintf(broken, sizeof broken, "%s/tasks/training/broken.json", place.directory);
    assert_int_equal(file_write_atomic(broken, "{", 1, &err), 0);
    const char *const plan[] = { "plan", place.spec, "--set", data, NULL };
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        expect(&place, 2, "nothing was queued in this workspace yet", COMMANDS[i]);
        if (rmdir(place.workspace) != 0)
            fail_msg("hrmlab %s has left files in an empty workspace", COMMANDS[i][0]);
        assert_int_equal(mkdir(place.workspace, 0700), 0);
    }
    expect(&place, 2, "nothing was queued in this workspace yet", revote);
    expect(&place, 2, "neither specs nor attempts to rebuild from", rebuild);
    expect(&place, 2, "broken.json: line 1", plan);
    assert_int_equal(rmdir(place.workspace), 0);
    place_remove(&place);
}

static void data_that_were_moved_can_be_given_their_new_place(void **state)
{
    static const char TASK[] = "{\"train\": [{\"input\": [[1]], \"output\": [[2]]}],"
                               " \"test\": [{\"input\": [[3]], \"output\": [[2]]}]}";
    struct place place;
    struct error err = { 0 };
    char path[60], task[100], moved[100];

    (void)state;
    place_make(&place);
    snprintf(path, sizeof path, "%s/tasks", place.directory);
    snprintf(task, sizeof task, "%s/task.json", path);
    snprintf(moved, sizeof moved, "data.path=%s/moved", place.directory);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(file_write_atomic(task, TASK, strlen(TASK), &err), 0);
    write_spec(&place,
               "{\"name\": \"t\", \"set\": {\"data.path\": \"tasks\", \"data.canvas\": 2,"
               " \"arch.hidden_size\": 16, \"arch.num_heads\": 2, \"train.max_steps\": 1,"
               " \"train.global_batch_size\": 1, \"data.num_aug\": 0}}");
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    assert_int_equal(rename(path, moved + strlen("data.path=")), 0);
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 1);
    assert_true(place_output_has(&place, "if it was moved: hrmlab retry RUN --set data.path="));
    assert_int_equal(place_finish(place_start(&place, "retry", "t", "--set", moved, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 0);
    place_expect(&place, "SELECT state FROM job", "done");
    place_remove(&place);
}

static void results_without_scores_say_where_the_answers_are(void **state)
{
    static const char TASKS[] =
        "{\"aaaa0001\": {\"train\": [{\"input\": [[1]], \"output\": [[2]]}],"
        " \"test\": [{\"input\": [[3]]}]}}";
    struct place place;
    struct error err = { 0 };
    char path[100], *out, *errors;

    (void)state;
    place_make(&place);
    snprintf(path, sizeof path, "%s/test_challenges.json", place.directory);
    assert_int_equal(file_write_atomic(path, TASKS, strlen(TASKS), &err), 0);
    write_spec(
        &place,
        "{\"name\": \"t\", \"set\": {\"data.path\": \"test_challenges.json\","
        " \"data.canvas\": 2, \"arch.hidden_size\": 16, \"arch.num_heads\": 2,"
        " \"train.max_steps\": 1, \"train.global_batch_size\": 1, \"data.num_aug\": 0}}");
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    const char *const words[] = { "results", "t", NULL };
    assert_int_equal(place_run(&place, words, &out, &errors), 0);
    assert_non_null(strstr(out, "the answers are in submission.json"));
    free(out);
    free(errors);
    const char *const show[] = { "show", "last", NULL };
    assert_int_equal(place_run(&place, show, &out, &errors), 0);
    assert_non_null(strstr(out, "submission.json"));
    free(out);
    free(errors);
    place_remove(&place);
}

static void a_pipe_is_written_to_and_not_replaced(void **state)
{
    struct place place;
    struct error err = { 0 };
    struct stat status;
    char path[100], got[4] = "";

    (void)state;
    place_make(&place);
    snprintf(path, sizeof path, "%s/pipe", place.directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR);
    assert_int_equal(file_write_output(path, "abc", 3, &err), 0);
    assert_int_equal(read(fd, got, 3), 3);
    assert_string_equal(got, "abc");
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    close(fd);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistake_in_a_spec_is_named_with_its_remedy),
        cmocka_unit_test(a_rule_that_excludes_nothing_is_warned_about),
        cmocka_unit_test(a_mistake_on_the_command_line_is_named),
        cmocka_unit_test(an_override_that_changes_nothing_is_warned_about),
        cmocka_unit_test(what_would_be_computed_for_nothing_is_said_before),
        cmocka_unit_test(a_spec_named_without_its_ending_is_found_for_the_message),
        cmocka_unit_test(blanks_around_a_key_do_not_count),
        cmocka_unit_test(run_says_how_many_trainings_diverged),
        cmocka_unit_test(watch_says_of_each_experiment_how_many_trainings_diverged),
        cmocka_unit_test(a_description_is_utf_8),
        cmocka_unit_test(work_on_an_empty_queue_says_so),
        cmocka_unit_test(a_spec_that_cannot_be_read_is_bad_input),
        cmocka_unit_test(another_program_in_place_of_the_worker_is_named),
        cmocka_unit_test(a_deleted_database_is_not_taken_for_an_empty_workspace),
        cmocka_unit_test(commands_that_refuse_leave_nothing_in_an_empty_workspace),
        cmocka_unit_test(data_that_were_moved_can_be_given_their_new_place),
        cmocka_unit_test(results_without_scores_say_where_the_answers_are),
        cmocka_unit_test(a_pipe_is_written_to_and_not_replaced),
    };

    return cmocka_run_group_tests_name("mistakes", tests, NULL, NULL);
}
