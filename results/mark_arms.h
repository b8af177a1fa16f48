/*
 * mark_arms.h - marks of arms whose labels change: an axis that is added to an
 * experiment is in the labels of the arms that it had, too.
 *
 * Read before the arms are made anew and written afterwards, in the caller's
 * transaction.
 */
#ifndef RESULTS_MARK_ARMS_H
#define RESULTS_MARK_ARMS_H

#include <stdint.h>

#include "error.h"

struct store;

struct mark_arms {
    struct marked_arm {
        char *label; /* owned */
        int64_t run_id;
    } * items; /* owned */
    int count;
};

/* Reads which arms of the experiment have marks, and a run of each; release it after an
 * error, too. */
int mark_arms_read(struct mark_arms *out, struct store *store, int64_t experiment_id,
                   struct error *err) MUST_CHECK;
/* Gives the marks the labels of the arms that have these runs now. *moved: how many
 * arms are labelled anew. */
int mark_arms_write(const struct mark_arms *arms, int *moved, struct store *store,
                    int64_t experiment_id, struct error *err) MUST_CHECK;
void mark_arms_release(struct mark_arms *arms);

#endif
