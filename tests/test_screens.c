/* test_screens.c - the screens of docs/screens: what the commands that read print on terminals of
 * 80, 100 and 120 columns, from a fixed workspace. HRMLAB_WRITE_SCREENS=1 writes them again
 * (`make screens`). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "file.h"
#include "json.h"
#include "support/place.h"
#include "support/recorded_demo.h"
#include "text.h"

enum { WIDTHS = 3, MOST_WORDS = 10 };
static const int WIDTH[WIDTHS] = { 80, 100, 120 };

/* Two arms, by what differs. */
#define SMALL "arch.name=hrm arch.halt_max_steps=1"
#define LARGE "arch.name=hrm arch.halt_max_steps=4"

static const struct screen {
    const char *file;
    const char *words[MOST_WORDS]; /* ended by NULL; RUN: the hash of the first run */
} SCREENS[] = {
    { "plan", { "plan", "inner_cycles", "--jobs", "2" } },
    { "status", { "status" } },
    { "watch", { "watch", "--plain" } },
    { "results", { "results" } },
    { "results-seeds",
      { "results", "--all", "--where", "arch.name=hrm", "--where", "arch.halt_max_steps=4" } },
    { "results-pivot", { "results", "--rows", "arch.name", "--cols", "arch.halt_max_steps" } },
    { "compare", { "compare" } },
    { "compare-matrix", { "compare", "--matrix" } },
    { "compare-axis", { "compare", "--axis", "arch.name" } },
    { "compare-arms", { "compare", "demo", SMALL, LARGE } },
    { "tasks", { "tasks" } },
    { "tasks-arms", { "tasks", "demo", SMALL, LARGE } },
    { "importance", { "importance", "--where", "train.seed<3" } },
    { "diff", { "diff", SMALL, LARGE } },
    { "curves", { "curves" } },
    { "plot", { "plot" } },
    { "show", { "show", "RUN" } },
    { "note", { "note" } },
    { "tag", { "tag" } },
};
enum { SCREEN_COUNT = sizeof SCREENS / sizeof *SCREENS };

static struct place place;
static char run[13]; /* the beginning of its hash */

static int make_workspace(void **state)
{
    (void)state;
    char *experiments = realpath("experiments", NULL);

    recorded_demo_make(&place);
    setenv("HRMLAB_EXPERIMENTS", experiments, 1); /* specs by their names */
    setenv("HRMLAB_KERNELS", "base", 1);          /* what a worker needs differs between sets */
    free(experiments);
    char *hash = place_ask(&place, "SELECT hash FROM run WHERE run_id = 1");

    snprintf(run, sizeof run, "%s", hash);
    free(hash);
    return 0;
}

static int remove_workspace(void **state)
{
    (void)state;
    place_remove(&place);
    return 0;
}

/* hrmlab with the screen's words on a terminal of that width. */
static pid_t start(int *master, const struct screen *screen, int width)
{
    struct winsize size = { .ws_row = 50, .ws_col = (unsigned short)width };
    /* the screens show no path that differs from one run to the next */
    char *argv[MOST_WORDS + 6] = { realpath(place_hrmlab(), NULL), strdup("--workspace"),
                                   strdup(strrchr(place.workspace, '/') + 1), strdup("--color"),
                                   strdup("never") };
    int count = 5;

    for (int i = 0; screen->words[i] != NULL; i++)
        argv[count++] = strdup(strcmp(screen->words[i], "RUN") == 0 ? run : screen->words[i]);
    pid_t pid = forkpty(master, NULL, NULL, &size);

    assert_true(pid >= 0);
    if (pid == 0) {
        if (chdir(place.directory) == 0)
            execv(argv[0], argv);
        _exit(127);
    }
    for (int i = 0; i < count; i++)
        free(argv[i]);
    return pid;
}

/* Appends all that comes from the terminal, without the carriage returns that it adds. */
static void read_screen(FILE *out, int master)
{
    char bytes[4096];
    ssize_t count;

    while ((count = read(master, bytes, sizeof bytes)) > 0 || (count < 0 && errno == EINTR))
        for (ssize_t i = 0; i < count; i++)
            if (bytes[i] != '\r')
                fputc(bytes[i], out);
    close(master);
}

static void write_command(FILE *out, const struct screen *screen, int width)
{
    fprintf(out, "[%d columns]\n$ hrmlab", width);
    for (int i = 0; screen->words[i] != NULL; i++) {
        const char *quote = strpbrk(screen->words[i], " <") != NULL ? "'" : "";

        fprintf(out, " %s%s%s", quote,
                strcmp(screen->words[i], "RUN") == 0 ? run : screen->words[i], quote);
    }
    fputc('\n', out);
}

/* Gives the directory, of which mkdtemp() has made up the end, the name of its pattern. */
static void hide_directory(char *text)
{
    size_t length = strlen(place.directory);

    for (char *at = text; (at = strstr(at, place.directory)) != NULL; at += length)
        memset(at + length - 6, 'X', 6);
}

/* The screen at every width, each under its command; newly allocated. */
static char *take_screens(const struct screen *screen)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int masters[WIDTHS];
    pid_t pids[WIDTHS];

    assert_non_null(out);
    for (int i = 0; i < WIDTHS; i++)
        pids[i] = start(&masters[i], screen, WIDTH[i]);
    for (int i = 0; i < WIDTHS; i++) {
        if (i > 0)
            fputc('\n', out);
        write_command(out, screen, WIDTH[i]);
        read_screen(out, masters[i]);
        assert_int_equal(place_finish(pids[i]), 0);
    }
    assert_int_equal(fclose(out), 0);
    hide_directory(text);
    return text;
}

/* No line has more columns than the heading before it says. */
static void expect_lines_fit(const char *file, const char *text)
{
    int width = 0;

    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        int given = 0, end = 0;

        if (sscanf(line, "[%d columns]%n", &given, &end) == 1 && end > 0)
            width = given;
        else if (line[0] != '$' && text_columns(line, length) > width)
            fail_msg("%s: more than %d columns: %.*s", file, width, (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static void check_screen(const struct screen *screen)
{
    char path[100], *expected = NULL, *text = take_screens(screen);
    struct error err;
    size_t size;

    snprintf(path, sizeof path, "docs/screens/%s.txt", screen->file);
    expect_lines_fit(screen->file, text);
    if (getenv("HRMLAB_WRITE_SCREENS") != NULL) {
        FILE *out = fopen(path, "w");

        assert_non_null(out);
        assert_true(fputs(text, out) >= 0);
        assert_int_equal(fclose(out), 0);
    } else {
        if (file_read(&expected, &size, path, 1 << 20, &err) != 0)
            fail_msg("%s", err.message);
        assert_string_equal(text, expected);
    }
    free(expected);
    free(text);
}

static void screens_are_as_in_the_documentation_and_no_line_is_too_long(void **state)
{
    (void)state;
    for (int i = 0; i < SCREEN_COUNT; i++)
        check_screen(&SCREENS[i]);
}

static void both_measures_stay_beside_a_wide_state_at_80_columns(void **state)
{
    static const struct screen RESULTS = { "results", { "results" } };
    char *text = take_screens(&RESULTS), *heading = strstr(text, "halt_max_steps");

    (void)state;
    assert_non_null(heading);
    heading[strcspn(heading, "\n")] = '\0'; /* of 80 columns, the first */
    assert_non_null(strstr(heading, "state"));
    assert_non_null(strstr(heading, "pass@2"));
    assert_non_null(strstr(heading, "token acc"));
    free(text);
}

/* No two members of the object have one name. */
static void expect_names_differ(const char *file, const cJSON *object)
{
    for (const cJSON *a = object->child; a != NULL; a = a->next)
        for (const cJSON *b = a->next; b != NULL; b = b->next)
            if (strcmp(a->string, b->string) == 0)
                fail_msg("%s: two members are called %s", file, a->string);
}

/* What hrmlab writes for the screen in another format, fresh. */
static char *in_format(const struct screen *screen, const char *format)
{
    const char *words[MOST_WORDS + 3];
    int count = 0;

    for (; screen->words[count] != NULL; count++)
        words[count] = strcmp(screen->words[count], "RUN") == 0 ? run : screen->words[count];
    words[count++] = "--format";
    words[count++] = format;
    words[count] = NULL;
    return place_text(&place, 0, words);
}

static void check_json(const struct screen *screen)
{
    char *text = in_format(screen, "json");
    struct error err;
    cJSON *root;

    if (json_parse(&root, text, strlen(text), screen->file, &err) != 0)
        fail_msg("%s", err.message);
    assert_true(cJSON_IsArray(json_member(root, "rows")));
    expect_names_differ(screen->file, root);
    for (const cJSON *table = root->child; table != NULL; table = table->next)
        if (cJSON_IsArray(table) && cJSON_IsObject(table->child))
            expect_names_differ(screen->file, table->child);
    cJSON_Delete(root);
    free(text);
}

/* Where an object says of which table it is, all do. */
static void check_json_lines(const struct screen *screen)
{
    char *text = in_format(screen, "jsonl"), *rest = text;
    bool named = strncmp(text, "{\"table\"", strlen("{\"table\"")) == 0;

    for (char *line; (line = strsep(&rest, "\n")) != NULL && line[0] != '\0';) {
        struct error err;
        cJSON *object;

        if (json_parse(&object, line, strlen(line), screen->file, &err) != 0)
            fail_msg("%s", err.message);
        expect_names_differ(screen->file, object);
        if (named != cJSON_IsString(json_member(object, "table")))
            fail_msg("%s: of which table: %s", screen->file, line);
        cJSON_Delete(object);
    }
    free(text);
}

static void every_screen_is_json_of_which_no_two_names_are_alike(void **state)
{
    (void)state;
    for (int i = 0; i < SCREEN_COUNT; i++) {
        if (strcmp(SCREENS[i].file, "watch") == 0)
            continue;
        check_json(&SCREENS[i]);
        check_json_lines(&SCREENS[i]);
    }
}

/* Changes the workspace: all evaluations have recorded what their outer steps changed. */
static void trajectories_fit_the_terminal_and_name_arms_by_their_axes(void **state)
{
    static const struct screen TRAJECTORIES = { "trajectories", { "results", "--trajectory" } };

    (void)state;
    place_change(&place,
                 "UPDATE evaluation SET"
                 " canonical = json_set(canonical, '$.\"eval.trajectory\"', json('true'))");
    place_change(&place, "INSERT INTO measure_value"
                         " SELECT evaluation_id, step, name, 1, 0.5 FROM evaluation_result,"
                         " (SELECT 'step_token_accuracy' AS name UNION ALL SELECT 'residual_h'"
                         "  UNION ALL SELECT 'residual_l' UNION ALL SELECT 'residual_layer'"
                         "  UNION ALL SELECT 'q_bin_rows' UNION ALL SELECT 'q_bin_mean')"
                         " WHERE checkpoint = 'last'");
    char *text = take_screens(&TRAJECTORIES);

    expect_lines_fit(TRAJECTORIES.file, text);
    place_expect_words(text, "\nhalt_max_steps  name         infer  seeds  step  token acc");
    place_expect_words(text, "\nhalt_max_steps  name         infer  seeds  bin   rows  mean q");
    free(text);
    check_json(&TRAJECTORIES);
    check_json_lines(&TRAJECTORIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(screens_are_as_in_the_documentation_and_no_line_is_too_long),
        cmocka_unit_test(both_measures_stay_beside_a_wide_state_at_80_columns),
        cmocka_unit_test(every_screen_is_json_of_which_no_two_names_are_alike),
        cmocka_unit_test(trajectories_fit_the_terminal_and_name_arms_by_their_axes),
    };

    return cmocka_run_group_tests(tests, make_workspace, remove_workspace);
}
