/*
 * job_state.h - the states of jobs and attempts, how attempts end, and their names.
 *
 * The names are those of the database (schema.sql) and of the journal, and what people
 * read. An outcome is how an attempt ended; it is the cause of its job's state where
 * that needs one: why it failed, diverged, or is queued again.
 */
#ifndef COMMON_JOB_STATE_H
#define COMMON_JOB_STATE_H

#include <stdbool.h>

enum job_state {
    JOB_QUEUED,
    JOB_STARTING, /* an attempt is recorded; whether its worker runs is not known */
    JOB_RUNNING,
    JOB_DONE,
    JOB_FAILED,
    JOB_CANCELLED,
    JOB_QUARANTINED, /* its journal is at fault: it waits for a person */
    JOB_STATE_COUNT
};

/* A set of job states: JOB_IN(JOB_DONE) | JOB_IN(JOB_FAILED). */
#define JOB_IN(state) (1U << (state))
enum {
    JOBS_OPEN = JOB_IN(JOB_QUEUED) | JOB_IN(JOB_STARTING) | JOB_IN(JOB_RUNNING),
    /* what `hrmlab retry` queues again */
    JOBS_TO_RETRY = JOB_IN(JOB_FAILED) | JOB_IN(JOB_CANCELLED) | JOB_IN(JOB_QUARANTINED)
};

const char *job_state_name(enum job_state state);
/* False: there is no state of that name, and *out stays. */
bool job_state_parse(enum job_state *out, const char *name);
/* It is queued, starting or running. */
bool job_state_is_open(enum job_state state);

enum attempt_state {
    ATTEMPT_STARTING,
    ATTEMPT_RUNNING,
    ATTEMPT_ENDED,
    ATTEMPT_SUPERSEDED, /* a newer attempt took its place, or its job was over */
    ATTEMPT_QUARANTINED,
    ATTEMPT_STATE_COUNT
};
const char *attempt_state_name(enum attempt_state state);
bool attempt_state_parse(enum attempt_state *out, const char *name);

enum outcome {
    OUTCOME_NONE, /* not over, or no cause is needed; its name is "" */
    OUTCOME_DONE,
    OUTCOME_DIVERGED, /* the loss became infinite or NaN; a result */
    OUTCOME_FAILED,   /* in a journal's end event: its error event says why */
    OUTCOME_STOPPED,  /* asked to stop, at a checkpoint */
    OUTCOME_CANCELLED,
    OUTCOME_SUPERSEDED,
    OUTCOME_QUARANTINED,
    OUTCOME_JOURNAL, /* why a job is quarantined */
    /* causes that the worker names by its exit code: outcome_exit_code() */
    OUTCOME_BAD_JOB,
    OUTCOME_ENVIRONMENT,
    OUTCOME_DATA_CHANGED,
    OUTCOME_OUT_OF_MEMORY,
    OUTCOME_DISK_FULL,
    OUTCOME_CHECKPOINT_DAMAGED,
    /* causes that the runner finds out */
    OUTCOME_CRASH,
    OUTCOME_KILLED, /* by a SIGKILL that the runner did not send */
    OUTCOME_NO_RESULT,
    OUTCOME_NO_BEGINNING,
    OUTCOME_HANG,
    OUTCOME_TIME_LIMIT,
    OUTCOME_ENDLESS_OUTPUT,
    OUTCOME_LOST,
    OUTCOME_NEVER_STARTED,
    OUTCOME_RESTARTED,
    /* causes that only an executor can know: the machine went away, or was wanted for
     * something else */
    OUTCOME_NODE_FAILURE,
    OUTCOME_LAUNCH_FAILURE, /* its job got a node, which could not start it */
    OUTCOME_PREEMPTED,
    OUTCOME_JOB_TIME_OUT, /* of the job in which it ran: the next one goes on from it */
    /* the run whose weights it begins with has none and is not being trained */
    OUTCOME_BASE_FAILED,
    OUTCOME_COUNT
};
const char *outcome_name(enum outcome outcome);
/* OUTCOME_NONE: there is none of that name. */
enum outcome outcome_parse(const char *name);

/* With which code (exit_code.h) a worker ends that ends in this way; -1: no worker says
 * so. */
int outcome_exit_code(enum outcome outcome);
/* The outcome that a worker's exit code stands for; OUTCOME_CRASH for an unknown one. A
 * code of 0 is OUTCOME_DONE: whether it is true, the journal tells. */
enum outcome outcome_of_exit(int exit_code);

/* What other commands ask of the runner. */
enum request_kind { REQUEST_CANCEL, REQUEST_RETRY, REQUEST_KIND_COUNT };
const char *request_kind_name(enum request_kind kind);
bool request_kind_parse(enum request_kind *out, const char *name);

#endif
