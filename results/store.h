/*
 * store.h - the results database: opening, transactions, statements. All SQL is in this
 * folder.
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
 * Checks application_id and user_version: a foreign file or one of a newer release is
 * ERROR_DATABASE with a message. One of an older release is brought up to date first,
 * also for a reader; where it is damaged or may not be written to it is ERROR_DATABASE,
 * too. WAL, synchronous=FULL, foreign keys; on a network file system (statfs)
 * journal_mode=TRUNCATE. */
int store_open(struct store **out, const char *workspace, enum store_mode mode,
               struct error *err) MUST_CHECK;
/* The same for a file of another name. */
int store_open_file(struct store **out, const char *workspace, const char *name,
                    enum store_mode mode, struct error *err) MUST_CHECK;
/* ERROR_DATABASE when WORKSPACE/results.db is recognised as another program's or a
 * newer release's, as far as it can be read; 0 also when there is none. */
int store_check_owner(const char *workspace, struct error *err) MUST_CHECK;
/* The same with a schema of another version, for the tests of upgrades: migrations[v]
 * brings a database of version v to v + 1; a new one is made from schema.sql as
 * ever. */
struct store_schema {
    int version;
    const char *const *migrations; /* (version) */
};
int store_open_schema(struct store **out, const char *workspace, enum store_mode mode,
                      const struct store_schema *schema, struct error *err) MUST_CHECK;
/* Whether the directory's file system is one where WAL's shared memory cannot be
 * trusted. */
bool store_on_network(const char *directory);
void store_close(struct store *store); /* NULL allowed */

/* A complete new database that has not yet taken the old one's place
 * (store_replace.h). */
#define STORE_READY "results.db.ready"
/* Whether it exists: a replacement was interrupted. */
int store_is_pending(bool *out, const char *workspace, struct error *err) MUST_CHECK;

/* Whether PRAGMA quick_check finds the database sound; and the same as an error, for
 * callers that are about to write. */
int store_is_sound(struct store *store, bool *sound, struct error *err) MUST_CHECK;
int store_require_sound(struct store *store, struct error *err) MUST_CHECK;

/* BEGIN IMMEDIATE (or BEGIN for a reader, a consistent view); COMMIT; ROLLBACK (never
 * fails). ERROR_BUSY, too, when the file was replaced since it was opened: what is
 * written to it would be lost. */
int store_begin(struct store *store, struct error *err) MUST_CHECK;
int store_commit(struct store *store, struct error *err) MUST_CHECK;
void store_rollback(struct store *store);

/* For the modules of results/ only: the connection, its prepared statements, and
 * SQLite's last result as our error. */
sqlite3 *store_connection(struct store *store);
struct statement_cache *store_statements(struct store *store);
int store_error(struct store *store, const char *what, struct error *err) MUST_CHECK;

#endif
