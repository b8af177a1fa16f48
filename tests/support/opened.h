/*
 * opened.h - stores that are open, above all of a workspace of the first release: the store
 * alone, or with an export of everything in it. A failure fails the test.
 */
#ifndef TESTS_SUPPORT_OPENED_H
#define TESTS_SUPPORT_OPENED_H

#include "error.h"
#include "place.h"
#include "store.h"

struct export;

/* Fails the test with the message unless rc is 0. */
void must(int rc, const struct error *err);

/* The workspace in that directory. */
struct store *opened_store(const char *directory, enum store_mode mode);
/* The number that is the first column of the first row. */
int64_t opened_int(struct store *store, const char *sql);
/* The workspace of the first release in that directory, upgraded and then changed by SQL; for
 * reading. */
struct store *opened_in(const char *directory, const char *change);

struct opened {
    char directory[64];
    struct store *store; /* for writing */
};
/* Makes a directory below /tmp with release_1_write(). */
void opened_make(struct opened *opened);
/* Closes the store and removes the directory. */
void opened_remove(struct opened *opened);

struct opened_export {
    struct place place;
    struct store *store; /* for writing */
    struct export *export;
};
/* The same in the workspace of a place; changes: SQL that runs on the upgraded database
 * before the export is opened, or "". */
void opened_export_make(struct opened_export *opened, const char *changes);
void opened_export_remove(struct opened_export *opened);

#endif
