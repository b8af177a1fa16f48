/*
 * executor.h - where attempts run: the interface between the runner's loop and whatever
 * starts workers.
 *
 * An executor is an entry of functions (struct executor_type) in the table EXECUTORS
 * (executors.h). A task is one attempt in an executor's hands. Its life:
 *
 *   prepare()  slots are taken; the place says how the attempt could be found. Nothing
 *              runs. The caller records the place and writes job.json.
 *   start()    asks for the worker. The worker may run at once, later, or not until a
 *              queue has room: the state is EXECUTOR_PENDING until it does.
 *   poll()     renews the states of all tasks of the executor at once. The loop polls
 *              several times a second: an executor that has to ask a server keeps an
 *              interval of its own, and calls a task gone when it knows the cause.
 *   signal()   asks the worker to stop, or kills it; without a loop, at the next
 *              poll().
 *   release()  the caller has seen the end, or does not want to know it: slots are free
 *              again. What still runs goes on.
 *
 * A caller that dies between two of these steps leaves the place in the database.
 * adopt() makes a task of it again: by the complete place, as it is after start(), or
 * by the place as it was before, when the worker may have been started or not.
 *
 * A place is one line of text that its executor alone understands. It is recorded after
 * prepare(), after start(), when poll() first finds the task running, and when the
 * executor says that it is new: one that is submitted in between is found by what was
 * recorded before. What an
 * attempt reports, the loop reads from its journal; how its worker ended, from
 * exit.json. An executor adds the causes that neither can tell.
 */
#ifndef RUNNER_EXECUTOR_H
#define RUNNER_EXECUTOR_H

#include "error.h"
#include "job_state.h"

#include <stdbool.h>
#include <uv.h>

enum { EXECUTOR_PLACE_SIZE = 640, EXECUTOR_HOST_SIZE = 100 };

enum executor_state {
    EXECUTOR_PREPARED, /* not started, or not by this process */
    EXECUTOR_PENDING,  /* started, but the worker is not running yet: no limit counts */
    EXECUTOR_RUNNING,
    EXECUTOR_GONE /* no process of the attempt is left, and nothing more is written */
};

enum executor_signal {
    EXECUTOR_STOP, /* SIGTERM: write a checkpoint and end */
    EXECUTOR_KILL  /* SIGKILL, to all of its processes */
};

struct config;
struct executor;

/* First member of each executor's own task struct. Callers only read it. */
struct executor_task {
    struct executor *executor;  /* borrowed */
    struct executor_task *next; /* of the executor's list */
    char *directory;            /* owned; the attempt's, absolute */
    int *cores;                 /* owned; cores to pin the worker to */
    int core_count;             /* 0: the executor does not choose cores */
    int ranks;                  /* processes of its worker; the caller sets it */
    char place[EXECUTOR_PLACE_SIZE];
    char host[EXECUTOR_HOST_SIZE]; /* where it runs; "": not known (yet) */
    char name[64];                 /* for messages: "pid 12" */
    enum executor_state state;     /* as of the last poll */
    /* Cause of the end of a task that is gone, as far as the executor knows it;
     * OUTCOME_NONE: nothing beyond exit.json. */
    enum outcome cause;
    double age_s;      /* of an adopted task: for how long it had been running */
    bool place_is_new; /* it changed after start() and is to be recorded */
    /* of a detached executor: the task is submitted, its state is known, and it goes on
     * without its caller */
    bool handed_over;
};

/* What an attempt needs. */
struct executor_needs {
    int threads;                      /* slots; more than exist: all of them */
    double memory_gb, time_limit_min; /* 0: no limit */
    /* It shall not begin before so many seconds have passed: of a detached executor,
     * whose caller does not wait for that itself. */
    double wait_s;
};

struct executor_setup {
    /* NULL: nothing will be started; tasks are only adopted, polled and signalled */
    uv_loop_t *loop;
    /* Nor signalled: tasks are only adopted, and none of their files is changed. */
    bool looks_on;
    /* Called on the loop when a poll would find a change; an executor that cannot
     * detect that does not call it. */
    void (*wake)(void *user);
    void *user;
    const char *program; /* hrmlab-worker */
    int slots;           /* number asked for; 0: all that exist */
};

/* Functions that return int return 0 or a negative error code and fill *err. */
struct executor_type {
    const char *name; /* attempt.executor */
    /* Its attempts go on when the runner is interrupted, and need none: any later one
     * adopts them. Otherwise they are asked to stop. */
    bool detached;
    int (*open)(struct executor **out, const struct executor_setup *setup, struct error *err);
    /* Releases remaining tasks; none of them may be started: the loop of the setup
     * no longer exists, so no handle can be closed. */
    void (*close)(struct executor *executor);
    /* Slots that an attempt with these settings takes, if that is not the number of its
     * threads; NULL: it is. */
    int (*cores)(const struct config *config);
    /* Number of executor->slots that no task uses. */
    int (*free_slots)(const struct executor *executor);
    int (*prepare)(struct executor *executor, struct executor_task **out, const char *directory,
                   const struct executor_needs *needs, struct error *err);
    /* After an error nothing runs. ERROR_FORMAT: the attempt's settings are at fault;
     * the task is gone. */
    int (*start)(struct executor_task *task, struct error *err);
    /* The task is running, pending or gone. Gone with OUTCOME_RESTARTED or
     * OUTCOME_NODE_FAILURE: its machine went down, and the end of the journal may be
     * lost; with OUTCOME_NEVER_STARTED: its caller died before start(). */
    int (*adopt)(struct executor *executor, struct executor_task **out, const char *directory,
                 const char *place, struct error *err);
    /* Whether the attempt in that directory was started by this executor, as its files
     * tell: then adopt() finds it without a place. NULL: files do not tell. */
    bool (*has_started)(const char *directory);
    /* The folder of the workspace that has the files of what was submitted; NULL: there
     * are none. And whether an attempt that has not ended needs the file of that name
     * there. */
    const char *folder;
    bool (*needs_file)(const char *directory, const char *place, const char *file);
    int (*poll)(struct executor *executor, struct error *err);
    void (*signal)(struct executor_task *task, enum executor_signal what);
    /* What would be submitted for count attempts in directories (absolute), each with
     * its config, as fresh text, for people; NULL: the executor submits nothing. */
    int (*preview)(char **out, const struct executor *executor, const char *const *directories,
                   const struct config *const *configs, int count, struct error *err);
    void (*release)(struct executor_task *task);
};

/* First member of each executor's own struct. Callers only read it. */
struct executor {
    const struct executor_type *type;
    int slots;                   /* threads that can run at the same time */
    struct executor_task *tasks; /* prepared or adopted, not yet released */
};

/* ---- for executors ---- */

/* Adds a task of that many bytes to the executor's list; NULL: no memory. */
struct executor_task *executor_add_task(struct executor *executor, size_t size,
                                        const char *directory) MUST_CHECK;
/* Removes the task from the list and frees what its first member owns. The executor
 * frees the task itself. */
void executor_drop_task(struct executor_task *task);

#endif
