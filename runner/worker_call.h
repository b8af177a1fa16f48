/*
 * worker_call.h - runs hrmlab-worker in the foreground, for commands whose work is its.
 */
#ifndef RUNNER_WORKER_CALL_H
#define RUNNER_WORKER_CALL_H

#include "error.h"

/* Runs the words, a NULL-terminated command line, to its end; it prints by itself.
 * *exit_code: that of hrmlab for its end. ERROR_SPAWN, ERROR_ENVIRONMENT. */
int worker_call(char *const *words, int *exit_code, struct error *err) MUST_CHECK;

#endif
