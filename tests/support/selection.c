/* selection.c - which tests of a program run. */
#include "support/selection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

void select_tests(void)
{
    const char *only = getenv("HRMLAB_ONLY");

    if (only != NULL && only[0] != '\0')
        cmocka_set_test_filter(only);
}
