/* selection.h - which tests of a program run. */
#ifndef TESTS_SUPPORT_SELECTION_H
#define TESTS_SUPPORT_SELECTION_H

/* Those whose names match HRMLAB_ONLY (with * and ?), all where it is unset or empty. Call it
 * before cmocka_run_group_tests_name(). */
void select_tests(void);

#endif
