/*
 * slurm_tasks.h - the state of the executor slurm, shared by its files.
 *
 *   executor_slurm.c  the functions of struct executor_type
 *   slurm_batch.c     attempts that are alike, until they are submitted together
 *   slurm_calls.c     which client program is called when
 *   slurm_submit.c    submissions and what sbatch answers
 *   slurm_follow.c    what lists of jobs mean for the tasks, and how these end
 *   slurm_place.c     the place of a task, and the files shared with its job
 *   slurm_environment.c  what of the user's environment client programs are given
 *   slurm_script.c    the script of a batch
 *   slurm_parameters.c  options of sbatch that the user gives
 *   slurm_jobs.c      lists of jobs as the client programs print them
 */
#ifndef RUNNER_SLURM_TASKS_H
#define RUNNER_SLURM_TASKS_H

#include "client_call.h"
#include "executor.h"
#include "slurm_batch.h"
#include "slurm_jobs.h"
#include "slurm_place.h"

enum slurm_step {
    SLURM_PREPARED,
    SLURM_TO_SUBMIT,
    SLURM_SUBMITTING,
    SLURM_UNSURE, /* it may have been submitted or not: the next lists tell */
    SLURM_SUBMITTED
};

/* How the end of an attempt was or is to be asked for. */
enum slurm_end {
    SLURM_GOES_ON,
    SLURM_END_SOON, /* SIGTERM to the script: a checkpoint, then the end */
    SLURM_END_NOW
};

/* Whether the job of a task ever got a node, as far as it matters. */
enum slurm_node { SLURM_NODE_UNKNOWN, SLURM_NODE_ASKED, SLURM_NODE_NEVER, SLURM_NODE_ONCE };

struct slurm_task {
    struct executor_task head;
    enum slurm_step step;
    struct slurm_place place;
    int slots;     /* cores of its job */
    double wait_s; /* its job shall not begin before */
    int missing;   /* lists in a row that lacked its job */
    /* monotonic time of the last list that had its job; 0: none did */
    double seen_at;
    bool begun_while_waiting; /* the last list had its job waiting, but it had begun */
    bool asking;              /* sacct is asked for the job now */
    bool over;   /* the job or the attempt is over, or Slurm does not know the job */
    bool voided; /* no job will begin it: it is gone once its job need not be ended */
    enum slurm_node node;
    double over_at; /* monotonic time at which that was seen */
    enum outcome cause;
    /* how the end was asked for, and how the call that runs now asks */
    enum slurm_end wanted, sent, sending;
};

struct slurm {
    struct executor head;
    struct executor_setup setup;
    bool calling;                  /* a client program is running */
    double pace;                   /* all waiting times are multiplied by it */
    struct slurm_batch *batches;   /* owned, in the order of submission */
    int array_size;                /* jobs that an array may have; 0: not known */
    int part_size;                 /* jobs to submit at once; 0: all */
    int first, jobs;               /* of the part that sbatch submits now: its jobs */
    client_done_fn *submit_answer; /* what takes its answer */
    int refusals;                  /* submissions in a row that a limit has refused */
    double submit_at;              /* monotonic; nothing is submitted before */
    struct slurm_jobs listed;      /* owned; the last list */
    double listed_at;              /* monotonic time of it; 0: none */
    double list_at, interval_s;    /* of the next list */
    int failures;                  /* calls in a row that failed */
    double again_at;               /* monotonic time before which nothing is called */
    bool ends_wait;                /* scancel has failed: until the next list comes */
    bool no_accounting;            /* Slurm says that it keeps none */
    int past_failures;             /* calls of sacct in a row that failed */
    double past_at;                /* monotonic time before which sacct is not called */
    struct error fault;            /* for the next poll; code 0: none */
};

static inline struct slurm_task *slurm_next_task(struct executor_task *from)
{
    while (from != NULL && from->state == EXECUTOR_GONE)
        from = from->next;
    return (struct slurm_task *)from;
}

/* All tasks that are not gone. */
#define EACH_SLURM_TASK(task, slurm)                                                           \
    for (struct slurm_task *task = slurm_next_task((slurm)->head.tasks); task != NULL;         \
         task = slurm_next_task(task->head.next))

/* All tasks, also those that are gone. */
#define EVERY_SLURM_TASK(task, slurm)                                                          \
    for (struct slurm_task *task = (struct slurm_task *)(slurm)->head.tasks; task != NULL;     \
         task = (struct slurm_task *)task->head.next)

/* ---- slurm_calls.c ---- */

/* Calls the client program that is due, unless one is running. */
void slurm_calls_next(struct slurm *slurm);
/* Without a loop: ends all jobs that are to be ended, unless scancel fails. */
void slurm_calls_end(struct slurm *slurm);
/* For a task that was adopted: waits for a list of the jobs, unless the last one is
 * fresh, and takes the task's state from it. Without an answer it stays pending. */
int slurm_calls_ask(struct slurm *slurm, struct slurm_task *task, struct error *err) MUST_CHECK;

/* ---- slurm_submit.c ---- */

/* What sbatch, or the question before it, is called with. */
struct slurm_call {
    const char *argv[12]; /* NULL at the end */
    char *texts[8];       /* owned; words of argv */
    client_done_fn *done;
};
/* The next call that a submission needs. False: nothing is to be submitted, or a fault
 * of the executor is set. The caller makes the call and releases it. */
bool slurm_submit_next(struct slurm_call *out, struct slurm *slurm);
void slurm_call_release(struct slurm_call *call);
/* The call could not be made. */
void slurm_submit_undo(struct slurm *slurm);

/* ---- slurm_follow.c ---- */

/* Whether the task's job was cancelled before it began, and it matters who did that. */
bool slurm_is_doubtful(const struct slurm_task *task);
/* Whether lists tell about the task. */
bool slurm_is_listed(const struct slurm_task *task);
/* The task's job in a list; NULL: it is not there. A controller that has lost its
 * latest jobs gives their numbers away again: a job with another name is another
 * one. */
const struct slurm_job *slurm_task_find(const struct slurm_task *task,
                                        const struct slurm_jobs *jobs);
/* Whether jobs, which lack the task's job, tell that it was cancelled by itself while
 * it waited in an array, which Slurm forgets at once: others of the array are there.
 * past: they are all jobs that ever were; otherwise those that have not been over for
 * long. */
bool slurm_was_taken_off(const struct slurm_task *task, const struct slurm_jobs *jobs,
                         bool past);
/* Takes the task's state from the last list. */
void slurm_follow_one(struct slurm *slurm, struct slurm_task *task);
/* Applies the last list to all tasks. Returns whether anything has changed. */
bool slurm_follow_all(struct slurm *slurm);
/* The task's job, or the attempt, is over. */
void slurm_task_over(struct slurm_task *task, enum outcome cause);
/* The task has ended. */
void slurm_task_gone(struct slurm_task *task, enum outcome cause);
/* A list says that the task's job is over. */
void slurm_task_job_over(struct slurm_task *task, const struct slurm_job *job);
/* How the end that is wanted of the task is to be asked for, if it was not yet. What
 * waits has nothing to write: its job is cancelled. A job that is shared is only told,
 * and goes on; it is cancelled when none of its attempts will be begun. */
enum slurm_end slurm_end_of(const struct slurm *slurm, const struct slurm_task *task);
/* Ends the tasks that are over, once what their workers wrote can be seen. */
void slurm_tasks_conclude(struct slurm *slurm);
/* Writes the task's place, and its name for messages, from what is known of its job. */
void slurm_task_name(struct slurm_task *task);
/* The task has this job. */
void slurm_task_set_job(struct slurm_task *task, const char *job);
const char *slurm_why_failed(const struct client_answer *answer);
/* Whether the program gives one of these words (NULL at the end) as its reason. */
bool slurm_says_one(const struct client_answer *answer, const char *const *words);
/* Of a call that failed: whether the controller did not answer, so that nothing can be
 * concluded. */
bool slurm_is_unanswered(const struct client_answer *answer);
/* Whether sacct will tell how jobs ended that no list has any more. After several
 * failures in a row it counts as absent until it is asked again. */
bool slurm_has_accounting(const struct slurm *slurm);
/* Seconds until the next call, after so many failures in a row. */
double slurm_pause_s(const struct slurm *slurm, int failures);
/* A call has failed, or has been answered. */
void slurm_note_failure(struct slurm *slurm, const char *program, const char *why);
void slurm_note_success(struct slurm *slurm);

#endif
