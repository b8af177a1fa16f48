/*
 * arc_check.h - what stands twice in ARC data: tasks of one set in another, evaluation
 * tasks that are trained on, tasks of one name with different pairs.
 */
#ifndef WORKER_ARC_CHECK_H
#define WORKER_ARC_CHECK_H

#include "arc_load.h"

#include <stdio.h>

struct config;

/*
 * Writes what stands twice in tasks, all sets as they were read, to out.
 * data.train_sets and data.test_sets say which copies of evaluation tasks are trained
 * on. Fills the flags of the sets.
 */
int arc_check(FILE *out, struct arc_tasks *tasks, const struct config *config,
              struct error *err) MUST_CHECK;

#endif
