/*
 * keeper.h - the small parent of a worker: it waits for the worker and records how it
 * ended.
 *
 * The keeper does nothing that could fail: it reads no data and does no arithmetic. It
 * forwards SIGTERM and SIGINT, kills processes that the worker leaves behind, and
 * writes exit.json, so that a runner that did not start the worker still learns how it
 * ended. When a keeper is killed, so is its worker (PR_SET_PDEATHSIG): an attempt
 * without a keeper and without exit.json has ended.
 */
#ifndef WORKER_KEEPER_H
#define WORKER_KEEPER_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "error.h"

/* The job itself, run in the child. Returns its exit code. */
typedef int keeper_worker_fn(void *user);

/*
 * Makes this process the keeper of directory, an attempt's, which exists and has no
 * journal or exit.json yet (otherwise ERROR_FORMAT). Starts a session, unless the
 * process leads a group already, as one started at a terminal does. Forks, runs
 * worker(user) in the child, waits, and writes DIRECTORY/exit.json (if the disk is
 * full, once there is room). *exit_code is the worker's, or 128 + the signal that
 * ended it.
 */
int keeper_run(int *exit_code, const char *directory, keeper_worker_fn *worker, void *user,
               struct error *err) MUST_CHECK;
/* The same of a worker that becomes a launcher of ranks: requests to stop reach it as
 * SIGUSR1, every second until it ends, and a SIGINT after the first as SIGTERM. A rank
 * that it has lost is named in exit.json. */
int keeper_run_launcher(int *exit_code, const char *directory, keeper_worker_fn *worker,
                        void *user, struct error *err) MUST_CHECK;

/* A rank whose worker was ended by a signal: "RANK SIGNAL\n", in the attempt's
 * directory. */
#define KEEPER_LOST_FILE "lost-rank"

/* In a child: dies with its parent, and receives SIGTERM and SIGINT as requests to
 * stop. *signals are blocked, and no longer. */
void keeper_become_worker(pid_t parent, const sigset_t *signals);

/* In the worker: whether SIGTERM or SIGINT was received. A SIGINT after either ends the
 * process with exit code 130 at once. SIGTERM is one request however often it comes: a
 * cluster's daemon sends it to every process of a job, and keepers pass theirs on. */
bool keeper_stop_requested(void);

/* In the worker: pins this process to count cores; count 0 changes nothing.
 * ERROR_ENVIRONMENT: a core that this machine does not have or that may not be used. */
int keeper_pin_worker(const int *cpus, int count, struct error *err) MUST_CHECK;

/*
 * In the worker: limits the address space to memory_gb (0: no limit) and open files to
 * 256, and disables core dumps. Libraries that do not survive a failed allocation must
 * allocate before this call. Builds with AddressSanitizer, which reserves terabytes of
 * addresses, do not limit the address space.
 */
int keeper_limit_worker(double memory_gb, struct error *err) MUST_CHECK;

#endif
