/*
 * export_folder.h - a folder that is there whole or not at all.
 *
 * Files are written to a hidden folder beside it, synced, and the hidden folder is
 * renamed. What a killed process leaves hidden, the next export to that place removes.
 */
#ifndef RUNNER_EXPORT_FOLDER_H
#define RUNNER_EXPORT_FOLDER_H

#include <stdbool.h>
#include <stdio.h>

#include "error.h"

struct export_folder {
    char *path;   /* owned: where the folder will be */
    char *hidden; /* owned: where it is written; NULL: not begun */
    int lock_fd;  /* of the hidden folder; -1: none */
    bool replace; /* path is an earlier export, to be replaced */
};

/*
 * Begins a folder at path. ERROR_FORMAT: something is there already; with force, an
 * earlier export, and nothing but what its export.json lists, is replaced at the end,
 * an empty folder always. ERROR_BUSY: another process is writing the same.
 */
int export_folder_begin(struct export_folder *out, const char *path, bool force,
                        struct error *err) MUST_CHECK;

/* Opens a new file; folders in its name are made. */
int export_folder_create(const struct export_folder *folder, FILE **out, const char *name,
                         struct error *err) MUST_CHECK;
/* Syncs and closes it. */
int export_folder_close(FILE *file, const char *name, struct error *err) MUST_CHECK;

/* Puts the folder in its place. */
int export_folder_finish(struct export_folder *folder, struct error *err) MUST_CHECK;
/* Removes what was not put in its place, and frees the members. */
void export_folder_release(struct export_folder *folder);

#endif
