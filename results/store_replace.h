/*
 * store_replace.h - a new results database in the place of the old one, all at once.
 *
 *   results.db.new    is being filled; what a crash leaves of it means nothing
 *   results.db.ready  is complete: from here on it replaces the old one. store_open() refuses
 *                     while it is there, since the old one may be half set aside
 *
 * The old database is never written to, by nobody while it is held (store_hold); whoever had it open
 * finds that it has moved (store_begin). It is set aside as results.db.before-TIME, with its
 * write-ahead log, which must not be there any more when another database takes its name.
 */
#ifndef RESULTS_STORE_REPLACE_H
#define RESULTS_STORE_REPLACE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "error.h"

struct store;

/* Keeps every other command from writing to the workspace's database, until store_let_go(). *held
 * NULL: there is none, or nobody writes to it since it is damaged. ERROR_BUSY: somebody is. */
int store_hold(sqlite3 **held, const char *workspace, struct error *err) MUST_CHECK;
void store_let_go(sqlite3 *held); /* NULL allowed */

/* A new and empty database, results.db.new. What was left under that name is removed. */
int store_create(struct store **out, const char *workspace, struct error *err) MUST_CHECK;
/* Removes it again. */
void store_discard(const char *workspace);

/* Closes the new database, in any case, and puts it in place. *kept: the name the old one has
 * now, fresh; NULL: there was none. */
int store_replace(struct store *store, const char *workspace, char **kept,
                  struct error *err) MUST_CHECK;

/* Whether a replacement was interrupted; and finishes it (no harm when there is none). The caller
 * holds the workspace's lock. */
int store_is_pending(bool *out, const char *workspace, struct error *err) MUST_CHECK;
int store_finish_replacing(const char *workspace, char **kept, struct error *err) MUST_CHECK;

#endif
