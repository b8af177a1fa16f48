/*
 * removed_mark.h - the mark in a run's directory that no experiment wants the run any
 * more.
 *
 * The file runs/HASH/removed, empty. It counts only where no experiment has the run: a
 * run that is queued again is wanted, marked or not. A rebuild leaves marked runs out
 * that no spec leads to, instead of making an experiment of them; gc may delete them.
 */
#ifndef RUNNER_REMOVED_MARK_H
#define RUNNER_REMOVED_MARK_H

#include <stdbool.h>

#include "error.h"
#include "workspace.h"

/* Marks the run, if it has a directory. */
int removed_mark_set(const struct workspace *workspace, const char *hash,
                     struct error *err) MUST_CHECK;
bool removed_mark_is_set(const struct workspace *workspace, const char *hash);

#endif
