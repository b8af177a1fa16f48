/*
 * database.h - the workspace's database, for the commands that write.
 */
#ifndef RUNNER_DATABASE_H
#define RUNNER_DATABASE_H

#include "error.h"
#include "workspace.h"

struct store;

/* Opens it for writing once SQLite has found it sound: nothing is written to a damaged
 * one (ERROR_DATABASE, which names hrmlab rebuild). A copied workspace is noticed here,
 * and told of. */
int database_open(struct store **out, const struct workspace *workspace,
                  struct error *err) MUST_CHECK;

#endif
