/*
 * leak.h - tasks that stand in the data a second time, under whatever name.
 *
 * Two tasks are equal if they have the same pairs, demonstrations and tests together,
 * in whatever order; and the same up to augmentations if one of the 8 dihedral
 * transforms and a permutation of the colours 1 to 9 makes one the other. Where the
 * tests of one task are hidden, outputs of tests do not count.
 */
#ifndef WORKER_LEAK_H
#define WORKER_LEAK_H

#include "arc_load.h"

/* What a task is in a search: it may be both. */
enum leak_role { LEAK_SOUGHT = 1, LEAK_SEARCHED = 2 };

struct leak {
    int task, copy; /* indices of tasks: the one sought, the one found */
    bool equal;     /* otherwise only up to augmentations */
};

struct leaks {
    struct leak *list; /* owned; by task, then copy */
    int count;
    int tasks;       /* tasks sought that have a copy */
    int equal_tasks; /* of these, with an equal copy */
};

/*
 * Finds the copies of tasks that are LEAK_SOUGHT among those, others than themselves,
 * that are LEAK_SEARCHED.
 *   roles  (tasks->count) of each task
 */
int leaks_find(struct leaks *out, const struct arc_tasks *tasks, const uint8_t *roles,
               struct error *err) MUST_CHECK;
/* The copies of evaluation tasks among the tasks that are trained on and are no
 * evaluation tasks. */
int leaks_find_trained(struct leaks *out, const struct arc_tasks *tasks,
                       struct error *err) MUST_CHECK;
void leaks_release(struct leaks *leaks);

/* The same pairs in whatever order, as above. */
bool leak_is_equal(const struct arc_task *a, const struct arc_task *b);

#endif
