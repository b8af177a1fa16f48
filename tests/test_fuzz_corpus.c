/* test_fuzz_corpus.c - the committed inputs of every fuzz target, findings included, once each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

static void replay(const char *target)
{
    const char *build = getenv("HRMLAB_BUILD");
    char command[400];

    snprintf(command, sizeof command, "%s/fuzz_%s tests/fuzz/corpus/%s/* >/dev/null",
             build != NULL ? build : "build/asan", target, target);
    if (system(command) != 0)
        fail_msg("%s", command);
}

#define TARGET(name)                                                                           \
    static void name##_inputs_are_taken(void **state)                                          \
    {                                                                                          \
        (void)state;                                                                           \
        replay(#name);                                                                         \
    }
TARGET(spec)
TARGET(settings)
TARGET(journal)
TARGET(checkpoint)
TARGET(arc)
TARGET(csv)
TARGET(gzip)
TARGET(maze)
TARGET(built)
TARGET(job)
TARGET(exit)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spec_inputs_are_taken),
        cmocka_unit_test(settings_inputs_are_taken),
        cmocka_unit_test(journal_inputs_are_taken),
        cmocka_unit_test(checkpoint_inputs_are_taken),
        cmocka_unit_test(arc_inputs_are_taken),
        cmocka_unit_test(csv_inputs_are_taken),
        cmocka_unit_test(gzip_inputs_are_taken),
        cmocka_unit_test(maze_inputs_are_taken),
        cmocka_unit_test(built_inputs_are_taken),
        cmocka_unit_test(job_inputs_are_taken),
        cmocka_unit_test(exit_inputs_are_taken),
    };

    return cmocka_run_group_tests_name("fuzz corpus", tests, NULL, NULL);
}
