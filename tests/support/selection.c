/* selection.c - which tests of a program run: those whose names match HRMLAB_ONLY (with * and
 * ?), all where it is unset or empty. Linked to every test program; none has to call it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

__attribute__((constructor)) static void select_tests(void)
{
    const char *only = getenv("HRMLAB_ONLY");

    if (only != NULL && only[0] != '\0')
        cmocka_set_test_filter(only);
}
