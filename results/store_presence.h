/*
 * store_presence.h - whether a workspace has a database, before it is opened.
 */
#ifndef RESULTS_STORE_PRESENCE_H
#define RESULTS_STORE_PRESENCE_H

#include <stdbool.h>

#include "error.h"

/* A complete new database that has not yet taken the old one's place
 * (store_replace.h). */
#define STORE_READY "results.db.ready"
/* Whether that file exists, because a replacement was interrupted. */
int store_is_pending(bool *out, const char *workspace, struct error *err) MUST_CHECK;
/* *lost: the workspace has runs but no database: the database was deleted. The only
 * error is ERROR_NOMEM. */
int store_find_lost(bool *lost, const char *workspace, struct error *err) MUST_CHECK;

/* ERROR_DATABASE where a replacement was interrupted, and (present) where the database
 * was deleted. */
int store_check_workspace(const char *workspace, bool present, struct error *err) MUST_CHECK;
/* ERROR_ABSENT where there is no such database file. */
int store_check_file(const char *path, struct error *err) MUST_CHECK;
/* Both checks, for those who make no database. */
int store_require_present(const char *workspace, struct error *err) MUST_CHECK;

#endif
