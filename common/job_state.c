/* job_state.c - one table of names for each kind of state. */
#include "job_state.h"

#include "exit_code.h"

#include <assert.h>
#include <string.h>

static const char *const JOB_STATES[JOB_STATE_COUNT] = {
    [JOB_QUEUED] = "queued",           [JOB_STARTING] = "starting",
    [JOB_RUNNING] = "running",         [JOB_DONE] = "done",
    [JOB_FAILED] = "failed",           [JOB_CANCELLED] = "cancelled",
    [JOB_QUARANTINED] = "quarantined",
};

static const char *const ATTEMPT_STATES[ATTEMPT_STATE_COUNT] = {
    [ATTEMPT_STARTING] = "starting",
    [ATTEMPT_RUNNING] = "running",
    [ATTEMPT_ENDED] = "ended",
    [ATTEMPT_SUPERSEDED] = "superseded",
    [ATTEMPT_QUARANTINED] = "quarantined",
};

static const char *const REQUEST_KINDS[REQUEST_KIND_COUNT] = {
    [REQUEST_CANCEL] = "cancel",
    [REQUEST_RETRY] = "retry",
};

enum { NO_CODE = -1 };

static const struct {
    const char *name;
    int exit_code;
} OUTCOMES[OUTCOME_COUNT] = {
    [OUTCOME_NONE] = { "", NO_CODE },
    [OUTCOME_DONE] = { "done", EXIT_DONE },
    [OUTCOME_DIVERGED] = { "diverged", EXIT_DIVERGED },
    [OUTCOME_FAILED] = { "failed", NO_CODE },
    [OUTCOME_STOPPED] = { "stopped", EXIT_STOPPED },
    [OUTCOME_CANCELLED] = { "cancelled", NO_CODE },
    [OUTCOME_SUPERSEDED] = { "superseded", NO_CODE },
    [OUTCOME_QUARANTINED] = { "quarantined", NO_CODE },
    [OUTCOME_JOURNAL] = { "journal", NO_CODE },
    [OUTCOME_BAD_JOB] = { "bad job", EXIT_BAD_INPUT },
    [OUTCOME_ENVIRONMENT] = { "environment", EXIT_ENVIRONMENT },
    [OUTCOME_DATA_CHANGED] = { "data changed", EXIT_DATA_CHANGED },
    [OUTCOME_OUT_OF_MEMORY] = { "out of memory", EXIT_OUT_OF_MEMORY },
    [OUTCOME_DISK_FULL] = { "disk full", EXIT_DISK_FULL },
    [OUTCOME_CHECKPOINT_DAMAGED] = { "checkpoint damaged", EXIT_CHECKPOINT_DAMAGED },
    [OUTCOME_CRASH] = { "crash", NO_CODE },
    [OUTCOME_KILLED] = { "killed", NO_CODE },
    [OUTCOME_NO_RESULT] = { "exit without a result", NO_CODE },
    [OUTCOME_NO_BEGINNING] = { "its beginning is missing", NO_CODE },
    [OUTCOME_HANG] = { "hang", NO_CODE },
    [OUTCOME_TIME_LIMIT] = { "time limit", NO_CODE },
    [OUTCOME_ENDLESS_OUTPUT] = { "endless output", NO_CODE },
    [OUTCOME_LOST] = { "lost worker", NO_CODE },
    [OUTCOME_NEVER_STARTED] = { "never started", NO_CODE },
    [OUTCOME_RESTARTED] = { "machine restarted", NO_CODE },
    [OUTCOME_NODE_FAILURE] = { "node failure", NO_CODE },
    [OUTCOME_LAUNCH_FAILURE] = { "launch failure", NO_CODE },
    [OUTCOME_PREEMPTED] = { "preempted", NO_CODE },
    [OUTCOME_JOB_TIME_OUT] = { "job time-out", NO_CODE },
    [OUTCOME_BASE_FAILED] = { "base failed", NO_CODE },
};

/* The index of name among count names; -1: it is not there. */
static int find_name(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

const char *job_state_name(enum job_state state)
{
    assert((unsigned)state < JOB_STATE_COUNT);
    return JOB_STATES[state];
}

bool job_state_parse(enum job_state *out, const char *name)
{
    int index = find_name(JOB_STATES, JOB_STATE_COUNT, name);

    if (index >= 0)
        *out = (enum job_state)index;
    return index >= 0;
}

bool job_state_is_open(enum job_state state)
{
    return (JOB_IN(state) & JOBS_OPEN) != 0;
}

const char *attempt_state_name(enum attempt_state state)
{
    assert((unsigned)state < ATTEMPT_STATE_COUNT);
    return ATTEMPT_STATES[state];
}

bool attempt_state_parse(enum attempt_state *out, const char *name)
{
    int index = find_name(ATTEMPT_STATES, ATTEMPT_STATE_COUNT, name);

    if (index >= 0)
        *out = (enum attempt_state)index;
    return index >= 0;
}

const char *outcome_name(enum outcome outcome)
{
    assert((unsigned)outcome < OUTCOME_COUNT);
    return OUTCOMES[outcome].name;
}

enum outcome outcome_parse(const char *name)
{
    for (int i = 0; i < OUTCOME_COUNT; i++)
        if (strcmp(OUTCOMES[i].name, name) == 0)
            return (enum outcome)i;
    return OUTCOME_NONE;
}

int outcome_exit_code(enum outcome outcome)
{
    assert((unsigned)outcome < OUTCOME_COUNT);
    return OUTCOMES[outcome].exit_code;
}

enum outcome outcome_of_exit(int exit_code)
{
    for (int i = 0; i < OUTCOME_COUNT; i++)
        if (OUTCOMES[i].exit_code == exit_code && exit_code != NO_CODE)
            return (enum outcome)i;
    return OUTCOME_CRASH;
}

const char *request_kind_name(enum request_kind kind)
{
    assert((unsigned)kind < REQUEST_KIND_COUNT);
    return REQUEST_KINDS[kind];
}

bool request_kind_parse(enum request_kind *out, const char *name)
{
    int index = find_name(REQUEST_KINDS, REQUEST_KIND_COUNT, name);

    if (index >= 0)
        *out = (enum request_kind)index;
    return index >= 0;
}
