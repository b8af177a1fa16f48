/*
 * soundness.h - whether the files of the database are files, and it is damaged.
 */
#ifndef RESULTS_SOUNDNESS_H
#define RESULTS_SOUNDNESS_H

#include <sqlite3.h>
#include <stdbool.h>

#include "error.h"

/* ERROR_DATABASE: in the place of the database, or of a file that SQLite makes beside
 * it, is a directory, a FIFO (SQLite would wait for ever for its other end) or the
 * like. */
int soundness_check_files(const char *database, struct error *err) MUST_CHECK;

/* Reads the whole database: PRAGMA quick_check. Returns SQLITE_OK and *sound, or
 * SQLite's error, which is SQLITE_NOMEM or the connection's last one. */
int soundness_check(sqlite3 *db, bool *sound);

/*
 * A large database takes long to read. So the last writer to close it notes in which
 * state it left the file, beside it in DATABASE.sound: its size, inode and the time of
 * its last change. A file that is still in that state was changed by nobody since. What
 * damaged it while the writer had it open is not seen; `hrmlab doctor --full` reads it.
 */

/* Whether the file is in the state that was noted. */
bool soundness_is_noted(const char *database);
/* Notes the state of the file, which was found sound before this process changed it.
 * If that fails, the next writer reads the file. */
void soundness_note(const char *database);

#endif
