/* release_1.h - a workspace of the first release, and its database changed by SQL. */
#ifndef TESTS_RELEASE_1_H
#define TESTS_RELEASE_1_H

/* Writes results.db of tests/data/release_1.sql: two arms by arch.name, one seed, two
 * evaluations each, with 1 and 2 outer steps. The directory is there. */
void release_1_write(const char *directory);

/* Runs SQL in the directory's results.db by sqlite3 itself; a failure fails the test. */
void database_change(const char *directory, const char *sql);

#endif
