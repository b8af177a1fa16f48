/*
 * database.h - the workspace's database, for commands that write to it.
 */
#ifndef RUNNER_DATABASE_H
#define RUNNER_DATABASE_H

#include "error.h"
#include "workspace.h"

struct store;

/* Opens the database for writing; where there is none, the error is a reader's
 * (ERROR_ABSENT, ERROR_DATABASE), and nothing is made. One that store_require_sound()
 * finds damaged (ERROR_DATABASE, which names hrmlab rebuild) is not written to. Detects
 * a copied workspace and prints a note. */
int database_open(struct store **out, const struct workspace *workspace,
                  struct error *err) MUST_CHECK;
/* The same; where there is no database, a new one is made. */
int database_open_or_make(struct store **out, const struct workspace *workspace,
                          struct error *err) MUST_CHECK;

#endif
