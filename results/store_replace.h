/*
 * store_replace.h - replaces the results database by a new one, atomically.
 *
 *   results.db.new    is being filled; after a crash it is ignored
 *   results.db.ready  is complete and will replace the old one. store_open() refuses to
 *     open a database while it exists, because the old one may be partly renamed
 *
 * Nobody writes to the old database while it is held (store_hold). A process that has
 * it open detects that it was renamed (store_begin). The old database becomes
 * results.db.before-TIME, and its write-ahead log is renamed with it, because it must
 * not be applied to the new database.
 */
#ifndef RESULTS_STORE_REPLACE_H
#define RESULTS_STORE_REPLACE_H

#include <stdbool.h>

#include "error.h"

struct store;
struct store_hold;

/* Prevents every other command from writing to the workspace's database until
 * store_let_go(). *held NULL: there is no database, or it is damaged and cannot be
 * written. ERROR_BUSY: another command is writing. */
int store_hold(struct store_hold **held, const char *workspace, struct error *err) MUST_CHECK;
void store_let_go(struct store_hold *held); /* NULL allowed */

/* Creates a new, empty database, results.db.new. Existing files of that name are
 * removed. */
int store_create(struct store **out, const char *workspace, struct error *err) MUST_CHECK;
/* Removes that database. */
void store_discard(const char *workspace);

/* Closes the new database, also on failure, and puts it in place. *kept: the new
 * name of the old database, newly allocated; NULL: there was none. */
int store_replace(struct store *store, const char *workspace, char **kept,
                  struct error *err) MUST_CHECK;

/* Completes an interrupted replacement (store_is_pending()), if there is one. The
 * caller holds the workspace's lock. */
int store_finish_replacing(const char *workspace, char **kept, struct error *err) MUST_CHECK;

#endif
