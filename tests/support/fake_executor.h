/*
 * fake_executor.h - an executor for tests that behaves as a cluster's queue may: starts come late,
 * ends are told late and in another order, attempts are lost, with causes from outside. Below it
 * are the real workers of the executor local.
 */
#ifndef TESTS_SUPPORT_FAKE_EXECUTOR_H
#define TESTS_SUPPORT_FAKE_EXECUTOR_H

#include "executor.h"

extern const struct executor_type fake_executor; /* its name is "fake" */

enum { FAKE_STARTS = 64 };

/* What becomes of the attempt that is the number-th to be started, from 0 on. */
struct fake_loss {
    int number;
    enum outcome cause; /* OUTCOME_PREEMPTED: asked to stop first; any other: killed */
};

/* The plan of all fake executors of this process, and what they did. */
struct fake_script {
    int start_delay; /* polls until a worker starts: 1 to so many, in turn; 0: at once */
    bool reorder;    /* every other end is told after the next one */
    const struct fake_loss *losses;
    int loss_count;
    /* The process ends, as by kill -9, in the start of the first attempt: before anything
     * is started, or when it is running. */
    bool die_before_start, die_after_start;

    int started;       /* workers */
    int started_twice; /* attempts that were started again */
    int lost;
    int polls_pending; /* polls that found a task pending */
    int reordered;     /* ends told after that of a worker which ended later */
    char directories[FAKE_STARTS][200];
};
extern struct fake_script fake_script;

#endif
