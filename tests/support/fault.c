/* fault.c - faults by the environment of programs, and looking at what they left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fault.h"

#include "error.h"
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *fault_retries = "retries.max=50";
char *fault_undisturbed; /* what the database says when nothing happens */
struct random_stream fault_stream;

bool fault_is_long(void)
{
    return getenv("HRMLAB_LONG") != NULL;
}

void fault_begin(struct fault *f)
{
    struct error err = { 0 };

    place_make(&f->place);
    snprintf(f->mark, sizeof f->mark, "%s/mark", f->place.directory);
    snprintf(f->log, sizeof f->log, "%s/log", f->place.directory);
    snprintf(f->boot, sizeof f->boot, "%s/boot", f->place.directory);
    assert_int_equal(mkdir(f->log, 0777), 0);
    assert_int_equal(file_write_atomic(f->boot, "boot-1\n", 7, &err), 0);
}

void fault_end(struct fault *f)
{
    place_remove(&f->place);
}

void fault_arm(const struct fault *f, const char *program, int n, const char *action)
{
    char at[100];

    snprintf(at, sizeof at, "%s:%d:%s", program, n, action);
    setenv("LD_PRELOAD", place_shim(), 1);
    setenv("FAULT_ROOT", f->place.workspace, 1);
    setenv("FAULT_AT", at, 1);
    setenv("FAULT_MARK", f->mark, 1);
    setenv("FAULT_BOOT", f->boot, 1);
}

void fault_disarm(void)
{
    unsetenv("LD_PRELOAD");
    unsetenv("FAULT_ROOT");
    unsetenv("FAULT_AT");
    unsetenv("FAULT_MARK");
    unsetenv("FAULT_LOG");
    unsetenv("FAULT_BOOT");
    unsetenv("FAULT_COUNT");
    unsetenv("FAULT_STACKS");
}

pid_t fault_start_run(const struct fault *f)
{
    return place_start(&f->place, "run", f->place.spec, "--set", fault_retries, "--set",
                       "retries.delay=0", "--jobs", "2", NULL);
}

void fault_expect_end(const struct fault *f, const char *what, int n, const char *expected)
{
    int code = place_finish(fault_start_run(f));

    if (code != 0)
        fail_msg("%s at call %d: the next run ends with %d, see %s/out (HRMLAB_KEEP=1)", what,
                 n, code, f->place.directory);
    place_expect(&f->place, "PRAGMA integrity_check", "ok");
    char *state = place_ask(&f->place, PLACE_STATE);
    if (strcmp(state, expected) != 0) {
        size_t same = 0;
        while (state[same] != '\0' && state[same] == expected[same])
            same++;
        fail_msg("%s at call %d: another result: %.200s\nexpected: %.200s\nsee %s", what, n,
                 state + same, expected + same, f->place.directory);
    }
    free(state);
}

void fault_expect_recovery(const struct fault *f, const char *what, int n)
{
    fault_expect_end(f, what, n, fault_undisturbed);
}

bool fault_struck(const struct fault *f)
{
    return file_exists(f->mark);
}

void fault_learn_undisturbed(void)
{
    struct fault f;

    fault_begin(&f);
    int code = place_finish(fault_start_run(&f));
    if (code != 0)
        fail_msg("undisturbed: exit %d, see %s/out", code, f.place.directory);
    free(fault_undisturbed);
    fault_undisturbed = place_ask(&f.place, PLACE_STATE);
    assert_non_null(strstr(fault_undisturbed, "once 2 open 0 without 0"));
    fault_end(&f);
}

int fault_read_number(const char *path)
{
    struct error err = { 0 };
    char *text;
    size_t size;

    if (file_read(&text, &size, path, 100, &err) < 0)
        fail_msg("%s", err.message);
    int number = atoi(text);
    free(text);
    return number;
}

int fault_use_real_worker(void **state)
{
    (void)state;
    place_use_release(NULL);
    setenv("HRMLAB_SANDBOX", "off", 1); /* the shim writes its mark and log elsewhere */
    fault_learn_undisturbed();
    return 0;
}

int fault_use_null_worker_again(void **state)
{
    (void)state;
    unsetenv("HRMLAB_SANDBOX");
    fault_disarm();
    place_use_release("ok");
    fault_learn_undisturbed();
    return 0;
}

int fault_set_up(void **state)
{
    (void)state;
    place_use_release("ok");
    fault_stream = random_stream((uint64_t)getpid(), "faults", 0);
    fault_learn_undisturbed();
    return 0;
}

int fault_tear_down(void **state)
{
    (void)state;
    free(fault_undisturbed);
    return 0;
}
