/*
 * leak.h - finds tasks that occur more than once in the data, under any name.
 *
 * Two tasks are equal if they have the same multiset of pairs, demonstrations and
 * tests together; they are equal up to augmentations if one of the 8 dihedral
 * transforms and a permutation of the colours 1 to 9 turns one into the other. If the
 * tests of one task are hidden, outputs of tests are not compared.
 */
#ifndef WORKER_LEAK_H
#define WORKER_LEAK_H

#include "arc_load.h"

/* Roles of a task in a search; a task may have both. */
enum leak_role { LEAK_SOUGHT = 1, LEAK_SEARCHED = 2 };

struct leak {
    int task, copy; /* indices: the task sought, the copy found */
    bool equal;     /* otherwise only up to augmentations */
};

struct leaks {
    struct leak *list; /* owned; by task, then copy */
    int count;
    int tasks;       /* number of tasks sought that have a copy */
    int equal_tasks; /* of these, those with an equal copy */
};

/*
 * Finds copies of the tasks that are LEAK_SOUGHT among the other tasks that are
 * LEAK_SEARCHED.
 *   roles  (tasks->count) enum leak_role of each task
 */
int leaks_find(struct leaks *out, const struct arc_tasks *tasks, const uint8_t *roles,
               struct error *err) MUST_CHECK;
/* Finds copies of evaluation tasks among the tasks that are trained on and are not
 * evaluation tasks. */
int leaks_find_trained(struct leaks *out, const struct arc_tasks *tasks,
                       struct error *err) MUST_CHECK;
void leaks_release(struct leaks *leaks);

/* Whether two tasks are equal as defined above. */
bool leak_is_equal(const struct arc_task *a, const struct arc_task *b);

#endif
