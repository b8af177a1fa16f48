/*
 * slurm_tasks.h - the state of the executor slurm, shared by its files.
 *
 *   executor_slurm.c  the functions of struct executor_type
 *   slurm_calls.c     which client program is called when, and what its answer means
 *   slurm_place.c     the place of a task
 *   slurm_script.c    the batch script of an attempt
 *   slurm_jobs.c      lists of jobs as the client programs print them
 */
#ifndef RUNNER_SLURM_TASKS_H
#define RUNNER_SLURM_TASKS_H

#include "executor.h"
#include "slurm_jobs.h"

enum slurm_step {
    SLURM_PREPARED,
    SLURM_TO_SUBMIT,
    SLURM_SUBMITTING,
    SLURM_UNSURE, /* it may have been submitted or not: the next lists tell */
    SLURM_SUBMITTED
};

/* How the end of a job was or is to be asked for. */
enum slurm_end {
    SLURM_GOES_ON,
    SLURM_END_SOON, /* SIGTERM to the script: a checkpoint, then the end */
    SLURM_END_NOW
};

enum { SLURM_NAME_SIZE = 100 };

struct slurm_task {
    struct executor_task head;
    enum slurm_step step;
    char job_name[SLURM_NAME_SIZE];
    char job[32];   /* its id; "": not known */
    char *script;   /* owned; path */
    int slots;      /* cores that it counts for */
    int missing;    /* lists in a row that lacked it */
    bool asked;     /* sacct is asked for it, or was */
    bool over;      /* Slurm says that the job is over, or does not know it any more */
    double over_at; /* monotonic time at which that was seen */
    enum outcome cause;
    enum slurm_end wanted, sent;
};

struct slurm {
    struct executor head;
    struct executor_setup setup;
    int used;                      /* slots of all tasks */
    bool calling;                  /* a client program is running */
    struct slurm_task *submitting; /* borrowed; the one that sbatch submits */
    struct slurm_jobs listed;      /* owned; the last list */
    double listed_at;              /* monotonic time of it; 0: none */
    double list_at, interval_s;    /* of the next list */
    int failures;                  /* calls in a row that failed */
    double again_at;               /* monotonic time before which nothing is called */
    bool no_accounting;            /* sacct does not work here */
    struct error fault;            /* for the next poll; code 0: none */
};

/* Calls the client program that is due, unless one is running. */
void slurm_calls_next(struct slurm *slurm);
/* For a task that was adopted: waits for a list of the jobs, unless the last one is
 * fresh, and takes the task's state from it. Without an answer it stays pending. */
int slurm_calls_ask(struct slurm *slurm, struct slurm_task *task, struct error *err) MUST_CHECK;
/* Writes the task's place, and its name for messages, from what is known of its job. */
void slurm_task_write_place(struct slurm_task *task);
/* The reverse; text of another form leaves the task's job without name and id. */
void slurm_task_read_place(struct slurm_task *task, const char *text);
/* The task has this job. */
void slurm_task_set_job(struct slurm_task *task, const char *job);
/* Ends the tasks whose jobs are over, once what their workers wrote can be seen. */
void slurm_tasks_conclude(struct slurm *slurm);

#endif
