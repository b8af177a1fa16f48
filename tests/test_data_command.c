/* test_data_command.c - hrmlab data: what it draws, counts, writes, and refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"

#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char room[64]; /* the directory of a test */

static int make_room(void **state)
{
    (void)state;
    snprintf(room, sizeof room, "/tmp/hrmlab-data-command-XXXXXX");
    return mkdtemp(room) == NULL;
}

static int remove_room(void **state)
{
    struct error err;

    (void)state;
    return file_remove_tree(room, &err);
}

/* The file NAME of the test's directory, and removes it; fresh. */
static char *take(const char *name)
{
    struct error err;
    char *path = file_join(room, name), *text;
    size_t size;

    assert_int_equal(file_read(&text, &size, path, 1 << 20, &err), 0);
    remove(path);
    free(path);
    return text;
}

/* Runs hrmlab data with these words (NULL-terminated); its exit code. */
static int data(const char *const *words, char **out, char **errors)
{
    const char *build = getenv("HRMLAB_BUILD");
    char command[2000];
    size_t used = (size_t)snprintf(command, sizeof command, "%s/hrmlab data",
                                   build != NULL ? build : "build/asan");

    for (; *words != NULL; words++)
        used += (size_t)snprintf(command + used, sizeof command - used, " '%s'", *words);
    snprintf(command + used, sizeof command - used, " >%s/out 2>%s/errors", room, room);
    int status = system(command);
    *out = take("out");
    *errors = take("errors");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect(const char *const *words, const char *text)
{
    char *out, *errors;
    int code = data(words, &out, &errors);

    if (code != 0 || strstr(out, text) == NULL)
        fail_msg("exit %d\n%s%slacks \"%s\"", code, out, errors, text);
    free(out);
    free(errors);
}

/* Exit 2 and one line. */
static void refuse(const char *const *words, const char *text)
{
    char *out, *errors;
    int code = data(words, &out, &errors);

    if (code != 2 || strstr(errors, text) == NULL ||
        strchr(errors, '\n') != errors + strlen(errors) - 1)
        fail_msg("exit %d\n%s lacks \"%s\"", code, errors, text);
    free(out);
    free(errors);
}

static const char TASK[] =
    "{\"train\":[{\"input\":[[0,1]],\"output\":[[2,0],[3,4]]}],\"test\":[{\"input\":[[5]]}]}";

static void put(const char *name, const char *content)
{
    struct error err = { 0 };
    char *path = file_join(room, name), *folder = strdup(path);

    *strrchr(folder, '/') = '\0';
    assert_int_equal(file_make_directories(folder, &err), 0);
    assert_int_equal(file_write_atomic(path, content, strlen(content), &err), 0);
    free(folder);
    free(path);
}

static void tasks_are_drawn_as_the_terminal_can(void **state)
{
    static const struct {
        const char *color, *color_term, *term, *text;
    } cases[] = {
        { "never", "truecolor", "xterm-256color", "    . 1  ->  2 .\n             3 4\n" },
        { "auto", "truecolor", "xterm-256color", "    . 1  ->  2 .\n" }, /* no terminal */
        { "always", "truecolor", "xterm", "\033[48;2;0;116;217m  \033[0m" },
        { "always", "", "xterm-256color", "\033[48;5;32m  \033[0m" },
    };

    (void)state;
    put("evaluation/small.json", TASK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("COLORTERM", cases[i].color_term, 1);
        setenv("TERM", cases[i].term, 1);
        expect((const char *[]){ "show", room, "small", "--color", cases[i].color, NULL },
               cases[i].text);
    }
    expect((const char *[]){ "show", room, "small", NULL }, "test 1, its output is hidden");
}

static void a_task_may_be_named_like_a_setting(void **state)
{
    (void)state;
    put("evaluation/data.num_aug=1.json", TASK);
    put("evaluation/--svg.json", TASK);
    expect((const char *[]){ "show", room, "data.num_aug=1", NULL }, "data.num_aug=1 (tested)");
    expect((const char *[]){ "show", room, "--", "--svg", NULL }, "--svg (tested)");
    refuse((const char *[]){ "show", room, "data.num_aug=2", NULL },
           "no task \"data.num_aug=2\"");
}

static void boards_are_drawn_with_their_boxes(void **state)
{
    (void)state;
    expect((const char *[]){ "show", "builtin:sudoku", "sudoku-0000000", "--set",
                             "data.sudoku_side=6", NULL },
           "-------+------     -------+------\n");
}

static void an_svg_file_has_the_squares_of_the_tasks(void **state)
{
    struct error err;
    char *path = file_join(room, "small.svg"), *text;
    size_t size;

    (void)state;
    put("evaluation/small.json", TASK);
    expect((const char *[]){ "show", room, "small", "-o", path, NULL }, "");
    assert_int_equal(file_read(&text, &size, path, 1 << 20, &err), 0);
    assert_non_null(strstr(text, "small, demonstration 1"));
    assert_non_null(strstr(text, "fill=\"#0074d9\""));
    assert_non_null(strstr(text, "</svg>\n"));
    free(text);
    free(path);
}

static void squares_without_a_colour_are_light_or_dark_as_their_surroundings(void **state)
{
    struct error err;
    char *path = file_join(room, "board.svg"), *text;
    size_t size;

    (void)state;
    expect((const char *[]){ "show", "builtin:sudoku", "sudoku-0000000", "--set",
                             "data.sudoku_side=6", "--svg", path, NULL },
           "");
    assert_int_equal(file_read(&text, &size, path, 1 << 20, &err), 0);
    assert_non_null(strstr(text, "<rect class=\"square plain\" x="));
    assert_non_null(strstr(text, "<path class=\"box\" d="));
    assert_non_null(strstr(text, "@media screen and (prefers-color-scheme:dark){"));
    assert_non_null(strstr(text, " viewBox=\"0 0 ")); /* scaled in a page, not cut */
    assert_null(strstr(text, "=\"#"));                /* every colour is of the style sheet */
    free(text);
    free(path);
}

static void counts_are_those_of_the_specs_data(void **state)
{
    (void)state;
    expect((const char *[]){ "show", "experiments/demo_arc.json", NULL },
           "37 tasks trained on, 37 tested");
    expect((const char *[]){ "show", "experiments/demo_arc.json", "--set", "data.num_aug=3",
                             NULL },
           "37, of 148 variants, at most");
    setenv("HRMLAB_EXPERIMENTS", "experiments", 1);
    expect((const char *[]){ "show", "demo_arc", NULL }, "37 tasks trained on, 37 tested");
    unsetenv("HRMLAB_EXPERIMENTS");
    expect((const char *[]){ "check", "builtin:sudoku", NULL }, "content ");
}

static void boards_are_written_as_csv_files_that_read_back(void **state)
{
    char *path = file_join(room, "boards"), *out, *errors;

    (void)state;
    expect((const char *[]){ "build", "builtin:sudoku", "-o", path, "--layout", "csv", "--set",
                             "data.sudoku_side=6", "--set", "data.sudoku_train=30", "--set",
                             "data.sudoku_test=10", NULL },
           "generated 30 puzzles trained on, 10 tested");
    expect((const char *[]){ "show", path, NULL },
           "read 40 puzzles (0 below data.min_difficulty left out); 30 of 30 trained on");
    expect((const char *[]){ "show", path, "train-0000002", NULL }, "-------+------");
    /* ratings are the backtracks of the generator */
    assert_int_equal(
        data((const char *[]){ "show", path, "--set", "data.min_difficulty=1", NULL }, &out,
             &errors),
        0);
    assert_null(strstr(out, "(0 below data.min_difficulty"));
    free(out);
    free(errors);
    expect((const char *[]){ "build", "builtin:maze", "-o", path, "--layout", "csv", "--set",
                             "data.maze_train=5", "--set", "data.maze_test=2", NULL },
           "generated 5 mazes trained on, 2 tested");
    expect((const char *[]){ "show", path, NULL }, "mazes 9 x 9 from CSV");
    refuse(
        (const char *[]){ "build", "builtin:arc-style", "-o", path, "--layout", "csv", NULL },
        "are no boards with a rating");
    free(path);
}

static void a_part_of_a_built_directory_is_not_taken_for_it(void **state)
{
    static const char *const PARTS[] = { "built/train", "built/test/all__inputs.npy" };
    char *path = file_join(room, "built");

    (void)state;
    expect((const char *[]){ "build", "builtin:sudoku", "-o", path, NULL }, "");
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        char *part = file_join(room, PARTS[i]);

        refuse((const char *[]){ "check", part, NULL },
               "expected the folder above, which holds train/ and test/");
        free(part);
    }
    free(path);
}

static void the_order_of_a_spec_is_replayed_from_where_the_spec_lies(void **state)
{
    char *order = file_join(room, "order.npy"), *spec = file_join(room, "s.json");
    char *other = file_join(room, "other.json");

    (void)state;
    put("s.json", "{\"name\":\"s\",\"set\":{\"data.path\":\"builtin:sudoku\","
                  "\"train.max_steps\":7},\"seeds\":1}");
    expect((const char *[]){ "order", spec, "-o", order, NULL },
           "7 batches of 64 examples, of 200");
    put("other.json", "{\"name\":\"o\",\"set\":{\"data.path\":\"builtin:sudoku\",\"data."
                      "batch_order\":\"order.npy\",\"train.max_steps\":7},\"seeds\":1}");
    expect((const char *[]){ "show", other, NULL }, "content ");
    expect((const char *[]){ "show", other, NULL }, "data, 512 bytes for the puzzle embedding");
    refuse((const char *[]){ "show", other, "--set", "data.sudoku_train=3", NULL },
           "expected one of 0 to 2, as the data have");
    free(order);
    free(spec);
    free(other);
}

/* In a directory of the published code they are two tasks of one name. */
static void tests_are_drawn_beside_what_is_trained_on(void **state)
{
    char *built = file_join(room, "built"), *svg = file_join(room, "pairs.svg"), *text;
    struct error err;
    size_t size;

    (void)state;
    put("arc/evaluation/small.json", "{\"train\":[{\"input\":[[1]],\"output\":[[2]]}],\"test\":"
                                     "[{\"input\":[[3]],\"output\":[[4]]}]}");
    char *source = file_join(room, "arc");
    expect((const char *[]){ "build", source, "-o", built, NULL }, "1 groups of 1 puzzles");
    expect((const char *[]){ "show", built, "small", NULL },
           "small (trained on)\n  demonstration 1\n    1  ->  2\n"
           "small (tested)\n  test 1\n    3  ->  4\n");
    expect((const char *[]){ "show", built, "small", "--svg", svg, NULL }, "");
    char *again = file_join(room, "again");
    refuse((const char *[]){ "build", built, "-o", again, "--layout", "arc", NULL },
           "the task small has 1 demonstrations and 0 tests here");
    free(again);
    again = file_join(room, "again/training/small.json");
    assert_false(file_exists(again));
    free(again);
    assert_int_equal(file_read(&text, &size, svg, 1 << 20, &err), 0);
    assert_non_null(strstr(text, "small, demonstration 1"));
    assert_non_null(strstr(text, "small, test 1"));
    free(text);
    free(source);
    free(built);
    free(svg);
}

/* What `hrmlab data build` of 30 puzzles writes to a terminal; fresh. */
static char *build_on_a_terminal(const char *name, const char *quiet)
{
    char *path = file_join(room, name), *words, *text = calloc(1, 8192);
    const char *build = getenv("HRMLAB_BUILD");
    int master, slave, status;
    size_t got = 0;

    words = format_string("exec %s/hrmlab data build builtin:sudoku -o %s %s",
                          build != NULL ? build : "build/asan", path, quiet);
    assert_non_null(words);
    assert_non_null(text);
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(slave, STDERR_FILENO);
        close(STDOUT_FILENO);
        open("/dev/null", O_WRONLY);
        close(master);
        execl("/bin/sh", "sh", "-c", words, (char *)NULL);
        _exit(127);
    }
    close(slave);
    for (ssize_t n; (n = read(master, text + got, 8191 - got)) > 0;)
        got += (size_t)n;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(master);
    free(words);
    free(path);
    return text;
}

static void a_build_says_on_a_terminal_how_far_it_is(void **state)
{
    char *text = build_on_a_terminal("a", ""), *quiet = build_on_a_terminal("b", "--quiet");
    char *path = file_join(room, "c"), *out, *errors;

    (void)state;
    assert_non_null(strstr(text, "\r\033[Kreading the data"));
    assert_non_null(strstr(text, "\r\033[Kexamples of train/all: 0 of 200"));
    assert_string_equal(text + strlen(text) - 4, "\r\033[K");
    assert_string_equal(quiet, "");
    assert_int_equal(
        data((const char *[]){ "build", "builtin:sudoku", "-o", path, NULL }, &out, &errors),
        0);
    assert_string_equal(errors, "");
    free(text);
    free(quiet);
    free(path);
    free(out);
    free(errors);
}

static void what_cannot_be_done_is_said_in_one_line(void **state)
{
    (void)state;
    put("two.json", "{\"name\":\"two\",\"grid\":{\"data.num_aug\":[0,1]},\"seeds\":1}");
    char *two = file_join(room, "two.json");
    refuse((const char *[]){ "shwo", "builtin:sudoku", NULL }, "did you mean \"show\"?");
    refuse((const char *[]){ "show", two, NULL }, "its arms have different data");
    refuse((const char *[]){ "show", "/no/such/place", NULL }, "/no/such/place: No such file");
    refuse((const char *[]){ "show", "builtin:sudoku", "other", NULL },
           "no task \"other\" in builtin:sudoku");
    refuse((const char *[]){ "show", "builtin:sudoku", "--svg", "x.svg", NULL },
           "name at least one");
    refuse((const char *[]){ "build", "builtin:sudoku", NULL }, "expected --output");
    refuse((const char *[]){ "build", "builtin:sudoku", "-o", room, "--layout", "x", NULL },
           "--layout x: expected one of");
    char *named = file_join(room, "x_challenges.json"), *output = file_join(room, "out.d");
    put("x_challenges.json", "{\"a\":{\"train\":[{\"input\":[[1]],\"output\":[[2]]}],\"test\":"
                             "[{\"input\":[[1]]}]},\"b/c\":{\"train\":[{\"input\":[[3]],"
                             "\"output\":[[2]]}],\"test\":[{\"input\":[[1]]}]}}");
    refuse((const char *[]){ "build", named, "-o", output, "--layout", "arc", NULL },
           "the task b/c cannot be the file b/c.json");
    free(named);
    free(output);
    refuse((const char *[]){ "check", "builtin:sudoku", "--set", "data.sudoku_sied=4", NULL },
           "data.sudoku_sied");
    free(two);
}

/* A disk that is full, when what is shown does not reach it. */
static void what_cannot_be_written_is_no_success(void **state)
{
    static const char *const commands[] = { "show", "check" };
    const char *build = getenv("HRMLAB_BUILD");
    char command[300];

    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        snprintf(command, sizeof command,
                 "%s/hrmlab data %s builtin:maze --set data.maze_train=1 --set "
                 "data.maze_test=1 >/dev/full 2>%s/errors",
                 build != NULL ? build : "build/asan", commands[i], room);
        int status = system(command);
        char *errors = take("errors");
        assert_int_equal(WEXITSTATUS(status), 3);
        assert_non_null(strstr(errors, "standard output cannot be written"));
        free(errors);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tasks_are_drawn_as_the_terminal_can, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(a_task_may_be_named_like_a_setting, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(boards_are_drawn_with_their_boxes, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(
            squares_without_a_colour_are_light_or_dark_as_their_surroundings, make_room,
            remove_room),
        cmocka_unit_test_setup_teardown(an_svg_file_has_the_squares_of_the_tasks, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(counts_are_those_of_the_specs_data, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(boards_are_written_as_csv_files_that_read_back,
                                        make_room, remove_room),
        cmocka_unit_test_setup_teardown(a_part_of_a_built_directory_is_not_taken_for_it,
                                        make_room, remove_room),
        cmocka_unit_test_setup_teardown(
            the_order_of_a_spec_is_replayed_from_where_the_spec_lies, make_room, remove_room),
        cmocka_unit_test_setup_teardown(tests_are_drawn_beside_what_is_trained_on, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(a_build_says_on_a_terminal_how_far_it_is, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(what_cannot_be_done_is_said_in_one_line, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_no_success, make_room,
                                        remove_room),
    };

    return cmocka_run_group_tests_name("data command", tests, NULL, NULL);
}
