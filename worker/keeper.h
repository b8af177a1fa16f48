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

#include <stdbool.h>

#include "error.h"

/* The worker proper, run in the child. Returns its exit code. */
typedef int keeper_worker_fn(void *user);

/*
 * Becomes the keeper of directory (an attempt's, which exists and has no journal or
 * exit.json yet: ERROR_FORMAT else) in a session of its own, unless the process leads a
 * group already, as one started at a terminal does. Forks, runs worker(user) in the
 * child, waits, writes DIRECTORY/exit.json (on a full disk when there is room again).
 * *exit_code is the worker's, or 128 + the signal that ended it.
 */
int keeper_run(int *exit_code, const char *directory, keeper_worker_fn *worker, void *user,
               struct error *err) MUST_CHECK;

/* In the worker: SIGTERM or SIGINT has come once. The second one ends the process with
 * exit code 130 at once. */
bool keeper_stop_requested(void);

/* For the worker: pins this process to count cores; 0 leaves it as it is.
 * ERROR_ENVIRONMENT: a core that this machine does not have or may not be used. */
int keeper_pin_worker(const int *cpus, int count, struct error *err) MUST_CHECK;

/*
 * Called by the worker: limits its address space to memory_gb (0: no limit), and
 * forbids core dumps and more than 256 open files. Libraries that do not survive a
 * failed allocation must have allocated what they need before. Builds with
 * AddressSanitizer, which reserves terabytes of addresses, do not limit the address
 * space.
 */
int keeper_limit_worker(double memory_gb, struct error *err) MUST_CHECK;

#endif
