/* test_describe.c - how long an answer of hrmlab-worker is waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "describe_client.h"
#include "error.h"

enum { QUIET_MS = 1500 };
static const double SECONDS = 2.0; /* that a child computes, longer than that */

/* A child that writes "[]" to fd[1] after it has computed, or sleeps until it is killed. */
static pid_t start_child(const int fd[2], bool computes)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0) {
        close(fd[1]);
        return pid;
    }
    while (!computes)
        pause();
    while ((double)clock() / CLOCKS_PER_SEC < SECONDS)
        continue;
    _exit(write(fd[1], "[]", 2) == 2 ? 0 : 1);
}

static int read_child(char **text, bool computes, struct error *err)
{
    int fd[2];
    size_t size = 0;

    assert_int_equal(pipe(fd), 0);
    pid_t pid = start_child(fd, computes);
    int rc = describe_read(text, &size, fd[0], pid, QUIET_MS, "the worker", err);
    close(fd[0]);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return rc;
}

static void an_answer_that_is_computed_is_waited_for(void **state)
{
    struct error err = { 0 };
    char *text = NULL;

    (void)state;
    if (read_child(&text, true, &err) != 0)
        fail_msg("%s", err.message);
    assert_string_equal(text, "[]");
    free(text);
}

static void a_worker_that_does_nothing_is_given_up(void **state)
{
    struct error err = { 0 };
    char *text = NULL;

    (void)state;
    assert_int_equal(read_child(&text, false, &err), ERROR_SPAWN);
    assert_non_null(strstr(err.message, "the worker does not answer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_is_computed_is_waited_for),
        cmocka_unit_test(a_worker_that_does_nothing_is_given_up),
    };

    return cmocka_run_group_tests_name("describe", tests, NULL, NULL);
}
