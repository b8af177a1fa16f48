/*
 * execute.h - executes a job inside its keeper, from job.json to its `end` event.
 */
#ifndef WORKER_EXECUTE_H
#define WORKER_EXECUTE_H

struct blas_environment;
struct exchange;

struct execute_request {
    const char *directory;                      /* borrowed; the attempt's */
    const struct blas_environment *environment; /* borrowed */
    const struct exchange *exchange;            /* borrowed; NULL: one process */
};

/* Runs the job of a struct execute_request. A keeper_worker_fn: returns an exit code
 * of docs/formats.md. */
int execute_job(void *request);

#endif
