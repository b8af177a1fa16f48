/*
 * arc_repeated.h - keeps one task of those that share a name, in several sets.
 */
#ifndef WORKER_ARC_REPEATED_H
#define WORKER_ARC_REPEATED_H

#include "arc_load.h"

/* Numbers of tasks left out because another task of their name was taken. */
struct arc_repeated {
    int same;      /* it has the same pairs */
    int tested;    /* of these, taken as an evaluation task, its tests not trained on */
    int different; /* it has other pairs */
};

/*
 * Keeps one task of each name: it is trained on and tested if any of them was to be. If
 * their pairs differ, duplicates (the value of data.duplicates) says what
 * is done: "first" and "last" take the task of the first or the last set, in the order
 * in which they were read, but one with solutions before one with hidden tests;
 * "refuse" is ERROR_FORMAT, and both files are named. Tasks left out are released and
 * stay in their places, without pairs.
 */
int arc_merge_repeated(struct arc_repeated *out, struct arc_tasks *tasks,
                       const char *duplicates, struct error *err) MUST_CHECK;

#endif
