/*
 * evaluation_changes.h - lets a test change the views evaluation and arm_evaluation as if
 * they were tables: one evaluation can get other settings than those of other runs.
 */
#ifndef TESTS_SUPPORT_EVALUATION_CHANGES_H
#define TESTS_SUPPORT_EVALUATION_CHANGES_H

#include <sqlite3.h>

/* Of this connection. Does nothing to a database in which they are tables, as before
 * version 8. */
void evaluation_changes_allow(sqlite3 *db);

#endif
