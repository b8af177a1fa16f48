/*
 * database.h - the workspace's database, for the commands that write.
 */
#ifndef RUNNER_DATABASE_H
#define RUNNER_DATABASE_H

#include "error.h"
#include "workspace.h"

struct store;

/* Opens the database for writing, after a check that it is sound: nothing is written to
 * a damaged one (ERROR_DATABASE, which names hrmlab rebuild). Detects a copied
 * workspace and prints a note. */
int database_open(struct store **out, const struct workspace *workspace,
                  struct error *err) MUST_CHECK;

#endif
