/*
 * migrations.h - upgrades the tables of older releases to those of schema.sql.
 */
#ifndef RESULTS_MIGRATIONS_H
#define RESULTS_MIGRATIONS_H

enum { SCHEMA_VERSION = 10 }; /* user_version of schema.sql */

/* MIGRATIONS[v]: the statements that upgrade version v to v + 1, run in one
 * transaction without enforcement of foreign keys: a table that others refer to can be
 * dropped and made anew with the same ids. They do not touch views and triggers,
 * because store.c drops and creates these after an upgrade. No release had
 * version 0. */
extern const char *const MIGRATIONS[SCHEMA_VERSION];

#endif
