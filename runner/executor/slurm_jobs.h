/*
 * slurm_jobs.h - what Slurm's clients print about jobs: lists and states.
 */
#ifndef RUNNER_SLURM_JOBS_H
#define RUNNER_SLURM_JOBS_H

#include "error.h"
#include "job_state.h"

#include <stdbool.h>

/* The formats that the functions below read: for squeue --format and sacct --format.
 * The name of a user's other job may have several lines, so that a job ends with a
 * bar. */
#define SLURM_QUEUE_FORMAT "--format=%i|%T|%M|%N|%j|"
#define SLURM_QUEUE_END "|\n"
#define SLURM_PAST_FORMAT "--format=JobID,State,NodeList,JobName"

enum slurm_phase {
    SLURM_WAITING, /* no process of it runs, but may later */
    SLURM_RUNNING,
    SLURM_SUSPENDED,
    SLURM_OVER,
    SLURM_UNKNOWN /* a state that this table lacks */
};

struct slurm_state {
    const char *name; /* "NODE_FAIL" */
    enum slurm_phase phase;
    /* of SLURM_OVER: why it ended; OUTCOME_NONE: exit.json says how */
    enum outcome cause;
};

/* The state of that name, of which sacct prints more: "CANCELLED by 0". Never NULL. */
const struct slurm_state *slurm_state_find(const char *name);

struct slurm_job {
    char id[100];
    const struct slurm_state *state; /* borrowed from a static table */
    double age_s;                    /* how long it has been running */
    char nodes[100];                 /* "": none */
    char name[100];
};

struct slurm_jobs {
    struct slurm_job *items; /* owned; by id */
    int count;
};

/*
 * Reads what squeue (SLURM_QUEUE_FORMAT) or, if past, sacct (SLURM_PAST_FORMAT)
 * printed. ERROR_FORMAT: a line that is none of these, so that nothing may be concluded
 * from a job that is not listed.
 */
int slurm_jobs_read(struct slurm_jobs *out, const char *text, bool past,
                    struct error *err) MUST_CHECK;
void slurm_jobs_release(struct slurm_jobs *jobs);
/* By the job's id: "12", or "12_3" in an array, of which sacct has those that were
 * cancelled while they waited as one: "12_[3,5]". NULL: it is not there. */
const struct slurm_job *slurm_jobs_find(const struct slurm_jobs *jobs, const char *id);
/* The job of that number in a batch (slurm_place.h), of whose name and array index the
 * latter is made up. NULL: it is not there. */
const struct slurm_job *slurm_jobs_find_named(const struct slurm_jobs *jobs, const char *name,
                                              int number);

/* Whether Slurm says, in a log of several jobs, that it has ended the one of this
 * number for its memory: "error: StepId=12.batch exceeded memory limit (9 > 8), being
 * killed". */
bool slurm_ended_for_memory(const char *log, long number);

/* Whether Slurm has put the job back into the queue, by lines "ID COUNT". */
bool slurm_was_put_back(const char *text, const char *id);

/* The job id that sbatch --parsable printed ("12" or "12;cluster"); false: none. */
bool slurm_read_job_id(char out[32], const char *text);

#endif
