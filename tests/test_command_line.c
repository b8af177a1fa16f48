/* test_command_line.c - what a user types wrong is said before anything starts; long plans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/place.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void bad_input_stops_before_anything_starts(void **state)
{
    static const char *const cases[][2] = {
        { "{\"grid\": {\"arch.num_head\": [2]}}", "did you mean \"arch.num_heads\"" },
        { "{\"set\": {\"data.path\": \"/nowhere\"}}", "/nowhere" },
        { "{\"set\": {\"train.lr\": 1}", "line 1, column" },
        { "{\"name\": \"two\", \"grid\": {\"data.tasks\": [\"border-0\", \"nothing\"]}}",
          "two: data.tasks=nothing: data.tasks: there is no task \"nothing\"" },
        /* 4 epochs of 6 examples are a batch of 24, 2 of them are none */
        { "{\"set\": {\"data.path\": \"builtin:sudoku\", \"data.sudoku_train\": 6,"
          " \"train.epochs\": 4, \"train.eval_interval\": 2,"
          " \"train.global_batch_size\": 24, \"arch.num_heads\": 4}}",
          "a stream of 2 epochs of 6 examples" },
    };
    struct error err = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct place place;
        place_make(&place);
        assert_int_equal(file_write_atomic(place.spec, cases[i][0], strlen(cases[i][0]), &err),
                         0);
        assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 2);
        assert_true(place_output_has(&place, cases[i][1]));
        char path[80];
        snprintf(path, sizeof path, "%s/runs", place.workspace);
        DIR *runs = opendir(path);
        for (struct dirent *entry; runs != NULL && (entry = readdir(runs)) != NULL;)
            assert_int_equal(entry->d_name[0], '.');
        if (runs != NULL)
            closedir(runs);
        place_remove(&place);
    }
}

static int count_lines(const char *text)
{
    int count = 0;

    for (; (text = strchr(text, '\n')) != NULL; text++)
        count++;
    return count;
}

/* Two thousand runs are nothing to read, but a program gets them all. */
static void a_long_plan_is_cut_for_people(void **state)
{
    static const char SPEC[] =
        "{\"name\": \"many\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
        " \"arch.num_heads\": 2}, \"grid\": {\"train.lr\": [0.01, 0.02]}, \"seeds\": 1000}";
    struct place place;
    struct error err = { 0 };
    char *out, *errors;

    (void)state;
    place_make(&place);
    assert_int_equal(file_write_atomic(place.spec, SPEC, strlen(SPEC), &err), 0);
    const char *const people[] = { "plan", place.spec, NULL };
    assert_int_equal(place_run(&place, people, &out, &errors), 0);
    assert_int_equal(count_lines(out), 1 + 1000);
    assert_non_null(strstr(errors, "the first 1000 of 2000 runs are listed"));
    assert_non_null(strstr(errors, "2000 trainings needed"));
    free(out);
    free(errors);
    const char *const program[] = { "plan", place.spec, "--format", "csv", NULL };
    assert_int_equal(place_run(&place, program, &out, &errors), 0);
    assert_int_equal(count_lines(out), 1 + 2000);
    assert_null(strstr(errors, "are listed"));
    free(out);
    free(errors);
    place_remove(&place);
}

static void slips_of_the_command_line_are_named(void **state)
{
    struct place place, elsewhere;

    (void)state;
    place_make(&place);
    elsewhere = place;
    snprintf(elsewhere.workspace, sizeof elsewhere.workspace, "/proc/hrmlab");
    assert_int_equal(place_finish(place_start(&elsewhere, "run", place.spec, NULL)), 3);
    snprintf(elsewhere.workspace, sizeof elsewhere.workspace, "/etc/passwd");
    assert_int_equal(place_finish(place_start(&elsewhere, "status", NULL)), 2);
    assert_true(place_output_has(&place, "/etc/passwd: not a directory"));
    assert_false(place_output_has(&place, "hrmlab run SPEC"));
    assert_int_equal(place_finish(place_start(&elsewhere, "doctor", NULL)), 3);
    assert_true(place_output_has(&place, "/etc/passwd: not a directory"));
    snprintf(elsewhere.workspace, sizeof elsewhere.workspace, "/etc/passwd/x");
    assert_int_equal(place_finish(place_start(&elsewhere, "plan", place.spec, NULL)), 2);
    assert_true(place_output_has(&place, "/etc/passwd/x: Not a directory"));
    snprintf(elsewhere.workspace, sizeof elsewhere.workspace, "%s/empty", place.directory);
    assert_int_equal(place_finish(place_start(&elsewhere, "doctor", NULL)), 0);
    assert_int_equal(mkdir(elsewhere.workspace, 0700), 0);
    assert_int_equal(place_finish(place_start(&elsewhere, "doctor", NULL)), 0);
    assert_true(place_output_has(&place, "none yet; hrmlab run SPEC makes it"));
    assert_int_equal(
        place_finish(place_start(&place, "results", "t", "--set", "train.lr=1", NULL)), 2);
    assert_true(
        place_output_has(&place, "--set is for run, queue, plan, retry, revote and data"));
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, "--dry-run", NULL)),
                     2);
    assert_true(place_output_has(&place, "--dry-run is for run"));
    assert_int_equal(access(place.workspace, F_OK), -1); /* nothing was queued */
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "status", "t", NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "status", "other", NULL)), 2);
    assert_true(
        place_output_has(&place, "no experiment \"other\" in this workspace; there are: t"));
    assert_int_equal(place_finish(place_start(&place, "plan", place.spec, "--set",
                                              "data.path=/etc/passwd/x", NULL)),
                     2);
    assert_true(place_output_has(&place, "Not a directory; give a directory of ARC tasks"));
    place_remove(&place);
}

/* A fault of the command line is found before the workspace is there. */
static void an_executor_that_cannot_be_is_refused_before_anything_is_queued(void **state)
{
    static const char *const words[][3] = {
        { "run", "clouds", "there is no such executor; there are: local, slurm" },
        { "queue", "clouds", "there is no such executor; there are: local, slurm" },
        { "queue", "local", "--executor local: its jobs need hrmlab while they run" },
    };
    struct place place;

    (void)state;
    place_make(&place);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *const line[] = { words[i][0], place.spec, "--executor", words[i][1], NULL };
        char *out, *errors;

        assert_int_equal(place_run(&place, line, &out, &errors), 2);
        assert_non_null(strstr(errors, words[i][2]));
        free(out);
        free(errors);
    }
    assert_int_equal(access(place.workspace, F_OK), -1);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "sync", "--executor", "local", NULL)), 2);
    place_remove(&place);
}

/* A runner at work would start the jobs, and not where they were meant to be. */
static void nothing_is_queued_to_be_submitted_beside_a_runner(void **state)
{
    struct place place;
    char path[100];

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    snprintf(path, sizeof path, "%s/lock", place.workspace);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, "--set", "name=u",
                                              "--executor", "slurm", NULL)),
                     3);
    assert_true(place_output_has(&place, "nothing was queued"));
    place_expect(&place, "SELECT group_concat(name) FROM experiment", "t");
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--set", "name=u", NULL)), 0);
    place_expect(&place, "SELECT group_concat(name) FROM experiment", "t,u");
    close(fd);
    place_remove(&place);
}

static void a_link_that_leads_nowhere_is_named(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    assert_int_equal(symlink("nowhere", place.workspace), 0);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 3);
    assert_true(place_output_has(&place, "ws: a link of that name leads to nothing"));
    place_remove(&place);
}

/* libuv ends a program by abort() where it cannot open a pipe. */
static void too_few_open_files_are_named(void **state)
{
    const char *hrmlab = place_hrmlab();
    struct error err = { 0 };
    struct place place;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    char *path = file_join(place.directory, "few");
    char *const commands[] = {
        format_string("%s work -w %s", hrmlab, place.workspace),
        format_string("%s probe", place_worker()),
        format_string("%s-serve -w %s", hrmlab, place.workspace),
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char *line = format_string("(ulimit -n 9; exec %s) >%s 2>&1", commands[i], path), *text;
        size_t size;
        int status = system(line);

        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 3);
        assert_int_equal(file_read(&text, &size, path, 1 << 16, &err), 0);
        if (strstr(text, "the limit of open files (ulimit -n) is too low") == NULL)
            fail_msg("%s: %s", line, text);
        free(text);
        free(line);
        free(commands[i]);
    }
    free(path);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_input_stops_before_anything_starts),
        cmocka_unit_test(a_long_plan_is_cut_for_people),
        cmocka_unit_test(slips_of_the_command_line_are_named),
        cmocka_unit_test(an_executor_that_cannot_be_is_refused_before_anything_is_queued),
        cmocka_unit_test(nothing_is_queued_to_be_submitted_beside_a_runner),
        cmocka_unit_test(a_link_that_leads_nowhere_is_named),
        cmocka_unit_test(too_few_open_files_are_named),
    };

    return cmocka_run_group_tests_name("command_line", tests, NULL, NULL);
}
