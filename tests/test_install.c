/* test_install.c - what an installed hrmlab finds and prints: shipped specs by name, man
 * pages; descriptors that programs do not inherit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "commands.h"
#include "error.h"
#include "file.h"
#include "spec_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char room[] = "/tmp/hrmlab-install-XXXXXX";

static int make_room(void **state)
{
    char path[200];
    struct error err;

    (void)state;
    if (mkdtemp(room) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/wonder.json", room);
    setenv("HRMLAB_EXPERIMENTS", room, 1);
    return file_write_atomic(path, "{}", 2, &err);
}

static int remove_room(void **state)
{
    struct error err;

    (void)state;
    unsetenv("HRMLAB_EXPERIMENTS");
    return file_remove_tree(room, &err);
}

static void a_shipped_spec_is_found_by_its_name(void **state)
{
    char expected[200], *path;
    struct error err;

    (void)state;
    snprintf(expected, sizeof expected, "%s/wonder.json", room);
    assert_int_equal(spec_place_find(&path, "wonder", &err), 0);
    assert_string_equal(path, expected);
    free(path);
}

/* A folder of that name is no spec. */
static void a_shipped_spec_is_found_beside_a_folder_of_its_name(void **state)
{
    struct error err;
    char *path, expected[300], here[1000];

    (void)state;
    snprintf(expected, sizeof expected, "%s/wonder.json", room);
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(room), 0);
    assert_int_equal(mkdir("wonder", 0700), 0);
    assert_int_equal(mkdir("other", 0700), 0);
    assert_int_equal(spec_place_find(&path, "wonder", &err), 0);
    assert_string_equal(path, expected);
    free(path);
    assert_int_equal(spec_place_find(&path, "other", &err), 0);
    assert_string_equal(path, "other");
    free(path);
    assert_int_equal(rmdir("wonder"), 0);
    assert_int_equal(rmdir("other"), 0);
    assert_int_equal(chdir(here), 0);
}

static void a_path_or_a_pipe_is_taken_as_it_is(void **state)
{
    static const char *const GIVEN[] = { "-", "experiments/demo.json", "Makefile", "tests" };
    struct error err;
    char *path;

    (void)state;
    for (size_t i = 0; i < sizeof GIVEN / sizeof *GIVEN; i++) {
        assert_int_equal(spec_place_find(&path, GIVEN[i], &err), 0);
        assert_string_equal(path, GIVEN[i]);
        free(path);
    }
}

static void a_missing_spec_is_named_with_the_nearest(void **state)
{
    static const char *const GIVEN[][2] = {
        { "wander", "wander: no such spec; did you mean \"wonder\"?" },
        { "elsewhere/wonder", "no such spec" },
        { "wonder.jsn", "no such spec" }
    };
    struct error err;
    char *path;

    (void)state;
    for (size_t i = 0; i < sizeof GIVEN / sizeof *GIVEN; i++) {
        assert_int_equal(spec_place_find(&path, GIVEN[i][0], &err), ERROR_FORMAT);
        assert_null(path);
        if (strstr(err.message, GIVEN[i][1]) == NULL)
            fail_msg("%s", err.message);
    }
}

/* Every option that a command takes stands in its page, and no line is taken for a
 * request of troff that is none. */
static void every_command_has_a_man_page(void **state)
{
    (void)state;
    for (const struct command *command = COMMANDS; command->name != NULL; command++) {
        char *text = NULL, title[60];
        size_t size;
        FILE *page = open_memstream(&text, &size);

        assert_non_null(page);
        commands_print_man(command, page);
        fclose(page);
        snprintf(title, sizeof title, ".TH HRMLAB\\-%s 1", command->name);
        assert_int_equal(strncmp(text, title, strlen(title)), 0);
        for (int i = 0; i < OPTION_COUNT; i++) {
            char name[60];
            bool takes = ((command->options | COMMAND_COMMON) & OPTION_BIT(i)) != 0;

            if (strchr(OPTIONS[i].name, '-') != NULL)
                continue; /* its dash is written \- */
            snprintf(name, sizeof name, "\\-\\-%s\\fR", OPTIONS[i].name);
            if ((strstr(text, name) != NULL) != takes)
                fail_msg("%s: %s", command->name, name);
        }
        for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
            line += *line == '\n';
            if (*line == '.' && (line[1] < 'A' || line[1] > 'Z'))
                fail_msg("%s: %.40s", command->name, line);
        }
        free(text);
    }
}

/* A shell that runs neither make nor hrmlab says which pager they would have. */
static void the_demo_waits_for_no_key(void **state)
{
    static const char SHELL[] = "#!/bin/sh\ncase $2 in *hrmlab*|*make*)"
                                " echo \"pager: $HRMLAB_PAGER.\" ;;"
                                " *) exec /bin/sh \"$@\" ;; esac\n";
    char path[200], command[400], line[200];
    struct error err;
    int lines = 0;

    (void)state;
    snprintf(path, sizeof path, "%s/shell", room);
    assert_int_equal(file_write_atomic(path, SHELL, sizeof SHELL - 1, &err), 0);
    assert_int_equal(chmod(path, 0700), 0);
    snprintf(command, sizeof command,
             "env -u MAKEFLAGS -u HRMLAB_PAGER make -s demo SHELL=%s 2>/dev/null", path);
    FILE *make = popen(command, "r");
    assert_non_null(make);
    for (; fgets(line, sizeof line, make) != NULL; lines++)
        assert_string_equal(line, "pager: cat.\n");
    pclose(make);
    assert_true(lines > 3);
}

static void descriptors_of_the_caller_are_not_inherited(void **state)
{
    (void)state;
    int fd = open("Makefile", O_RDONLY), low = open("Makefile", O_RDONLY);

    assert_true(fd > 2 && low > fd);
    file_close_on_exec(low);
    assert_int_equal(fcntl(fd, F_GETFD), 0);
    assert_int_equal(fcntl(low, F_GETFD), FD_CLOEXEC);
    file_close_on_exec(3);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(1, F_GETFD), 0);
    /* also where they cannot be listed */
    struct rlimit usual, none = { 3, 3 };

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    none.rlim_max = usual.rlim_max;
    fcntl(fd, F_SETFD, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    file_close_on_exec(3);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    close(low);
}

/* A descriptor that close() does not know, as those that valgrind has in a process; -1: none. */
static int foreign = -1;

int close(int fd)
{
    if (fd != foreign)
        return (int)syscall(SYS_close, fd);
    errno = EBADF;
    return -1;
}

static void all_descriptors_from_one_on_are_closed_but_the_spared_one(void **state)
{
    enum { FIRST = 200, SPARED = 350, FOREIGN = 400, LAST = 600, LIMIT_S = 20 };

    (void)state;
    for (int fd = FIRST; fd <= LAST; fd++)
        assert_int_equal(dup2(0, fd), fd);
    foreign = FOREIGN;
    alarm(LIMIT_S);
    file_close_from(FIRST, SPARED);
    alarm(0);
    foreign = -1;
    for (int fd = FIRST; fd <= LAST; fd++)
        assert_int_equal(fcntl(fd, F_GETFD) >= 0, fd == SPARED || fd == FOREIGN);
    assert_true(fcntl(0, F_GETFD) >= 0);
    close(SPARED);
    close(FOREIGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shipped_spec_is_found_by_its_name),
        cmocka_unit_test(a_shipped_spec_is_found_beside_a_folder_of_its_name),
        cmocka_unit_test(a_path_or_a_pipe_is_taken_as_it_is),
        cmocka_unit_test(a_missing_spec_is_named_with_the_nearest),
        cmocka_unit_test(every_command_has_a_man_page),
        cmocka_unit_test(the_demo_waits_for_no_key),
        cmocka_unit_test(descriptors_of_the_caller_are_not_inherited),
        cmocka_unit_test(all_descriptors_from_one_on_are_closed_but_the_spared_one),
    };

    return cmocka_run_group_tests_name("install", tests, make_room, remove_room);
}
