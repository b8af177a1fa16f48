/*
 * exit_code.h - what the exit status of hrmlab and of hrmlab-worker means.
 *
 * Both programs use the same numbers. hrmlab ends with EXIT_DONE to EXIT_ENVIRONMENT or
 * EXIT_STOPPED; the others are the worker's, and tell the runner what to do with the
 * job. The worker's list for people who read exit.json is in docs/formats.md.
 */
#ifndef COMMON_EXIT_CODE_H
#define COMMON_EXIT_CODE_H

enum exit_code {
    EXIT_DONE = 0,
    EXIT_SOME_FAILED = 1, /* hrmlab: the command did its work, but some runs failed */
    EXIT_BAD_INPUT = 2,   /* usage, a spec, a job.json or the data is wrong */
    EXIT_ENVIRONMENT = 3, /* disk, library, permission: nothing the user wrote */
    /* worker: the loss became infinite or NaN; a result, no error */
    EXIT_DIVERGED = 4,
    EXIT_DATA_CHANGED = 5, /* worker: the data is not that of the run's hash */
    EXIT_OUT_OF_MEMORY = 6,
    EXIT_DISK_FULL = 7,
    /* worker: the weights to evaluate are damaged or absent */
    EXIT_CHECKPOINT_DAMAGED = 8,
    EXIT_STOPPED = 130 /* interrupted or asked to stop; the state is safe */
};

#endif
