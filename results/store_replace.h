/*
 * store_replace.h - a new results database in the place of the old one, all at once.
 *
 *   results.db.new    is being filled; what a crash leaves of it is ignored
 *   results.db.ready  is complete and will replace the old one. store_open() refuses
 *                     while it exists, since the old one may be half set aside
 *
 * The old database is not written to while it is held (store_hold); a process that had
 * it open finds that it has moved (store_begin). It is set aside as
 * results.db.before-TIME, together with its write-ahead log, which must not belong to
 * the next database of its name.
 */
#ifndef RESULTS_STORE_REPLACE_H
#define RESULTS_STORE_REPLACE_H

#include <stdbool.h>

#include "error.h"

struct store;
struct store_hold;

/* Keeps every other command from writing to the workspace's database until
 * store_let_go(). *held NULL: there is no database, or it is damaged and cannot be
 * written. ERROR_BUSY: another command is writing. */
int store_hold(struct store_hold **held, const char *workspace, struct error *err) MUST_CHECK;
void store_let_go(struct store_hold *held); /* NULL allowed */

/* A new and empty database, results.db.new. What was left under that name is
 * removed. */
int store_create(struct store **out, const char *workspace, struct error *err) MUST_CHECK;
/* Removes it again. */
void store_discard(const char *workspace);

/* Closes the new database, in any case, and puts it in place. *kept: the name the old
 * one has now, fresh; NULL: there was none. */
int store_replace(struct store *store, const char *workspace, char **kept,
                  struct error *err) MUST_CHECK;

/* Finishes a replacement that was interrupted (store_is_pending()); no harm when there
 * is none. The caller holds the workspace's lock. */
int store_finish_replacing(const char *workspace, char **kept, struct error *err) MUST_CHECK;

#endif
