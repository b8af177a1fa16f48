/*
 * mark_file.h - marks.json of a workspace: notes, tags and what is kept, outside the
 * database, so that a rebuild restores them.
 */
#ifndef RUNNER_MARK_FILE_H
#define RUNNER_MARK_FILE_H

#include "error.h"
#include "workspace.h"

struct store;

/* Writes the marks of the store, in its transaction: before they are committed the file
 * has them. */
int mark_file_write(const struct workspace *workspace, struct store *store,
                    struct error *err) MUST_CHECK;
/* Adds the marks of the file to the store. Without a file: nothing. ERROR_FORMAT names
 * the file. */
int mark_file_read(const struct workspace *workspace, struct store *store,
                   struct error *err) MUST_CHECK;

#endif
