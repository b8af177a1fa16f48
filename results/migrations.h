/*
 * migrations.h - from the tables of older releases to those of schema.sql.
 */
#ifndef RESULTS_MIGRATIONS_H
#define RESULTS_MIGRATIONS_H

enum { SCHEMA_VERSION = 4 }; /* user_version of schema.sql */

/* MIGRATIONS[v]: the statements that bring version v to v + 1, run in one transaction.
 * They leave views alone, because store.c drops and makes all views after an upgrade.
 * No release had version 0. */
extern const char *const MIGRATIONS[SCHEMA_VERSION];

#endif
