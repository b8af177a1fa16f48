/*
 * removed_mark.h - marks a run's directory as no longer needed by any experiment.
 *
 * The mark is an empty file, runs/HASH/removed. It counts only while no experiment has
 * the run: a run that is queued again is needed, marked or not. A rebuild skips marked
 * runs that no spec contains, instead of making an experiment of them; gc may delete
 * them.
 */
#ifndef RUNNER_REMOVED_MARK_H
#define RUNNER_REMOVED_MARK_H

#include <stdbool.h>

#include "error.h"
#include "workspace.h"

/* Marks the run, if it has a directory. */
int removed_mark_set(const struct workspace *workspace, const char *hash,
                     struct error *err) MUST_CHECK;
/* *set: it is marked. The only error is ERROR_NOMEM. */
int removed_mark_find(bool *set, const struct workspace *workspace, const char *hash,
                      struct error *err) MUST_CHECK;

#endif
