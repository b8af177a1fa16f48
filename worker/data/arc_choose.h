/*
 * arc_choose.h - which of the tasks that were read are trained on and tested.
 */
#ifndef WORKER_ARC_CHOOSE_H
#define WORKER_ARC_CHOOSE_H

#include "arc_load.h"

struct config;

/*
 * Applies data.train_sets, data.test_sets, data.subset, data.tasks and data.canvas:
 * fills the tasks' flags, takes away what is not chosen, and sorts by name within
 * training, then evaluation. A task that stands in several chosen sets is taken once if
 * it is the same set of pairs everywhere; it is an evaluation task if one of those sets
 * is tested. Otherwise ERROR_FORMAT names both files.
 *   *counts  fresh text: how many tasks are trained on and tested, what was left
 *            out and why
 *   *left_out  tasks read but not chosen
 */
int arc_choose(struct arc_tasks *tasks, const struct config *config, char **counts,
               int *left_out, struct error *err) MUST_CHECK;

#endif
