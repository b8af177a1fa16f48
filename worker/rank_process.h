/*
 * rank_process.h - the processes of a worker that has several ranks.
 *
 *     keeper                      hrmlab-worker --ranks=N run DIR, on the attempt's
 *                                 machine
 *       launcher                  mpirun, or what HRMLAB_LAUNCHER says
 * process of a rank hrmlab-worker rank DIR, wherever the launcher starts it the rank's
 * worker rank 0: the job, journal and checkpoints; others: rank_serve()
 *
 * The process of a rank waits for its worker. When a signal ends the worker, the
 * process notes that in DIR (KEEPER_LOST_FILE; the first one only), so that the keeper
 * can say which rank was lost whatever the launcher says; then it fails, and the
 * launcher ends all others.
 */
#ifndef WORKER_RANK_PROCESS_H
#define WORKER_RANK_PROCESS_H

#include "error.h"

struct blas_environment;

struct rank_launch {
    const char *directory; /* borrowed; the attempt's */
    int ranks;
};

/* A keeper_worker_fn: replaces this process by the launcher of a struct rank_launch.
 * Returns an exit code, having written to the journal why it could not. */
int rank_launch(void *launch);

/*
 * Runs a rank's worker in a child and waits for it. *exit_code is its exit code, or 128
 * + the signal that ended it. SIGUSR1, SIGTERM and SIGINT ask rank 0's to stop, once.
 * ERROR_ENVIRONMENT: no launcher has started this process.
 */
int rank_process_run(int *exit_code, const char *directory,
                     const struct blas_environment *environment, struct error *err) MUST_CHECK;

#endif
