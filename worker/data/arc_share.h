/*
 * arc_share.h - a random share of the chosen tasks and of their pairs: data.task_share,
 * data.test_tasks and data.pair_share.
 *
 * What is drawn depends on data.generator_seed and on the names of the tasks, so that a
 * smaller share is part of a larger one, and other sources do not change the choice.
 */
#ifndef WORKER_ARC_SHARE_H
#define WORKER_ARC_SHARE_H

#include "arc_load.h"

struct config;

struct arc_share {
    int untrained;       /* tasks outside the evaluation set that are left out */
    int untested;        /* evaluation tasks that are left out */
    int pairs, of_pairs; /* pairs left out, of how many that would be trained on */
};

/* Takes tasks away by data.task_share and data.test_tasks; then, once all tasks are
 * chosen, pairs by data.pair_share. Flags of tasks must be filled, *out zero before the
 * first. */
int arc_share_tasks(struct arc_share *out, struct arc_tasks *tasks, const struct config *config,
                    struct error *err) MUST_CHECK;
int arc_share_pairs(struct arc_share *out, struct arc_tasks *tasks, const struct config *config,
                    struct error *err) MUST_CHECK;

#endif
