/*
 * store.h - the results database: opening, transactions, statements. All SQL is in
 * this folder.
 */
#ifndef RESULTS_STORE_H
#define RESULTS_STORE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct statement_cache;
struct store;

enum store_mode {
    STORE_READ,  /* existing database, query_only; ERROR_ABSENT when there is none */
    STORE_WRITE, /* created from schema.sql when absent */
};

/* Opens WORKSPACE/results.db, unless a replacement was interrupted (store_replace.h).
 * Checks application_id and user_version: a file of another program or of a newer
 * release is ERROR_DATABASE, and so is what is no regular file. A database of an older
 * release is upgraded first, also for a reader; ERROR_DATABASE if it is damaged or may
 * not be written to. Uses WAL, synchronous=FULL and foreign keys; on a network file
 * system (statfs) journal_mode=TRUNCATE. */
int store_open(struct store **out, const char *workspace, enum store_mode mode,
               struct error *err) MUST_CHECK;
/* Likewise, for a file of another name. */
int store_open_file(struct store **out, const char *workspace, const char *name,
                    enum store_mode mode, struct error *err) MUST_CHECK;
/* migrations[v] upgrades a database from version v to v + 1. */
struct store_schema {
    int version;
    const char *const *migrations; /* (version) */
};
/* store_open() with another schema version, for tests of upgrades. A new database is
 * always created from schema.sql. */
int store_open_schema(struct store **out, const char *workspace, enum store_mode mode,
                      const struct store_schema *schema, struct error *err) MUST_CHECK;
/* ERROR_DATABASE if WORKSPACE/results.db can be recognised as another program's or a
 * newer release's, or is no regular file; 0 also if there is no such file. */
int store_check_owner(const char *workspace, struct error *err) MUST_CHECK;
void store_close(struct store *store); /* NULL allowed */

/* Whether threads may have open stores, each its own, at a time: SQLite can be built
 * without. */
bool store_allows_threads(void);

/* Whether PRAGMA quick_check finds the database sound. */
int store_is_sound(struct store *store, bool *sound, struct error *err) MUST_CHECK;
/* Whether nobody has changed the file since a writer closed it that had found it sound
 * (soundness.h). */
bool store_is_as_left(const struct store *store);
/* For callers that are about to write: ERROR_DATABASE if it is damaged. Does not read a
 * file that is as left; closing this one notes its state again. */
int store_require_sound(struct store *store, struct error *err) MUST_CHECK;

/* BEGIN IMMEDIATE (for a reader BEGIN, for a consistent view); COMMIT; ROLLBACK, which
 * never fails. store_begin() is ERROR_BUSY also if the file was replaced since it was
 * opened, because writes to it would be lost. */
int store_begin(struct store *store, struct error *err) MUST_CHECK;
int store_commit(struct store *store, struct error *err) MUST_CHECK;
/* Leaves the write-ahead log before a large transaction into a database that has next
 * to nothing: all of it would be written twice. Nothing happens where somebody else has
 * the database open. store_start_log() goes back to it; if that fails, the next writer
 * does. */
void store_leave_log(struct store *store);
void store_start_log(struct store *store);
void store_rollback(struct store *store);

/* For a reader: a number that changes when another process has committed something, and
 * whether the file was replaced or removed since it was opened, so that what is read is
 * of the past. */
int store_data_version(struct store *store, int64_t *out, struct error *err) MUST_CHECK;
bool store_is_replaced(struct store *store);

/* For the modules of results/ only: the connection, its prepared statements, and
 * SQLite's last result as one of our errors. */
sqlite3 *store_connection(struct store *store);
struct statement_cache *store_statements(struct store *store);
int store_error(struct store *store, const char *what, struct error *err) MUST_CHECK;

#endif
