/*
 * client_call.h - runs a client program such as squeue on an event loop, without a
 * shell, within a time limit, and collects what it prints.
 */
#ifndef RUNNER_CLIENT_CALL_H
#define RUNNER_CLIENT_CALL_H

#include "error.h"

#include <stdbool.h>
#include <uv.h>

struct client_answer {
    int exit_status;   /* -1: a signal ended the program, also at the time limit */
    bool late;         /* it was killed at the time limit */
    char *output;      /* standard output as text; never NULL */
    char errors[512];  /* standard error, or its end, as one line of printable text */
    double duration_s; /* from the start to the end */
};

/* The answer is borrowed for the time of the call. */
typedef void client_done_fn(void *user, const struct client_answer *answer);

/*
 * Starts argv[0], found by PATH, with these arguments (NULL at the end, copied), in
 * that environment (the same; NULL: the runner's own), and returns at once. done is
 * called once on the loop when the program has ended and its output is complete, or a
 * second later where a process that it has left behind holds that open; not after an
 * error. ERROR_SPAWN: it cannot be started.
 */
int client_call(uv_loop_t *loop, const char *const *argv, char **environment, double limit_s,
                client_done_fn *done, void *user, struct error *err) MUST_CHECK;

/* The same on a loop of its own: done has been called when this returns. */
int client_call_wait(const char *const *argv, char **environment, double limit_s,
                     client_done_fn *done, void *user, struct error *err) MUST_CHECK;

#endif
