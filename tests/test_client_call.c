/* test_client_call.c - client programs: what they print, how they end, and what they leave behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client_call.h"
#include "error.h"

#include <stdio.h>
#include <string.h>

/* What is kept of an answer. */
struct kept {
    int calls, exit_status;
    bool late;
    double duration_s;
    char output[100], errors[512];
};

static void keep(void *user, const struct client_answer *answer)
{
    struct kept *kept = user;

    kept->calls++;
    kept->exit_status = answer->exit_status;
    kept->late = answer->late;
    kept->duration_s = answer->duration_s;
    snprintf(kept->output, sizeof kept->output, "%s", answer->output);
    snprintf(kept->errors, sizeof kept->errors, "%s", answer->errors);
}

/* The answer of a shell's commands, that are given so many seconds. */
static struct kept ask_shell(const char *commands, double limit_s)
{
    const char *const argv[] = { "sh", "-c", commands, NULL };
    struct kept kept = { 0 };
    struct error err;

    assert_int_equal(client_call_wait(argv, NULL, limit_s, keep, &kept, &err), 0);
    assert_int_equal(kept.calls, 1);
    return kept;
}

static void output_and_status_are_those_of_the_program(void **state)
{
    struct kept kept = ask_shell("echo 12; exit 3", 60.0);

    (void)state;
    assert_string_equal(kept.output, "12\n");
    assert_int_equal(kept.exit_status, 3);
    assert_false(kept.late);
}

/* It is not waited for: the answer is there, and complete. */
static void a_process_left_behind_does_not_hold_up_the_answer(void **state)
{
    struct kept kept = ask_shell("sleep 20 & echo 12", 60.0);

    (void)state;
    assert_string_equal(kept.output, "12\n");
    assert_int_equal(kept.exit_status, 0);
    assert_false(kept.late);
    assert_true(kept.duration_s < 15.0);
}

static void a_program_that_takes_too_long_is_killed(void **state)
{
    struct kept kept = ask_shell("echo 12; sleep 20 & sleep 20", 0.3);

    (void)state;
    assert_int_equal(kept.exit_status, -1);
    assert_true(kept.late);
    assert_true(kept.duration_s < 15.0);
}

static void a_program_that_is_not_there_has_no_answer(void **state)
{
    static const char *const argv[] = { "/no/such/program", NULL };
    struct kept kept = { 0 };
    struct error err;

    (void)state;
    assert_int_equal(client_call_wait(argv, NULL, 60.0, keep, &kept, &err), ERROR_SPAWN);
    assert_int_equal(kept.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_status_are_those_of_the_program),
        cmocka_unit_test(a_process_left_behind_does_not_hold_up_the_answer),
        cmocka_unit_test(a_program_that_takes_too_long_is_killed),
        cmocka_unit_test(a_program_that_is_not_there_has_no_answer),
    };

    return cmocka_run_group_tests_name("client_call", tests, NULL, NULL);
}
