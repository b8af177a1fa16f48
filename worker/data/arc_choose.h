/*
 * arc_choose.h - which of the tasks that were read are trained on and tested.
 */
#ifndef WORKER_ARC_CHOOSE_H
#define WORKER_ARC_CHOOSE_H

#include "arc_load.h"

struct config;

struct arc_choice {
    /* owned: a sentence with the numbers of tasks trained on, tested and left out,
     * and the reasons */
    char *counts;
    int left_out; /* tasks read but not chosen */
    /* evaluation tasks of which a copy, under another name, is trained on */
    int leaked;
};

/* Fills trained, tested and named of all sets by data.train_sets and data.test_sets. */
int arc_choose_sets(struct arc_tasks *tasks, const struct config *config,
                    struct error *err) MUST_CHECK;

/* The name of a set, SOURCE/NAME where several sources have a set of this name.
 * Returns out. */
const char *arc_set_title(char out[2 * ARC_NAME_SIZE], const struct arc_tasks *tasks,
                          const struct arc_set *set);

/*
 * Applies data.train_sets, data.test_sets, data.duplicates, data.subset, data.tasks,
 * data.canvas and data.drop_leaked: fills the tasks' flags, takes away what is not
 * chosen, and sorts by name within training, then evaluation. A task that stands in
 * several chosen sets is taken once if it is the same set of pairs everywhere; it is an
 * evaluation task if one of those sets is tested. Where the pairs differ,
 * data.duplicates says whose are taken (the task is one still, and tested if one of the
 * sets is), or ERROR_FORMAT names both files.
 */
int arc_choose(struct arc_choice *out, struct arc_tasks *tasks, const struct config *config,
               struct error *err) MUST_CHECK;

#endif
