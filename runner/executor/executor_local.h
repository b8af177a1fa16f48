/*
 * executor_local.h - starting an attempt's keeper on this machine, and what can be
 * known of it.
 *
 * The keeper is detached (its own session) with its output in the attempt's log, so
 * that it outlives the runner.
 */
#ifndef RUNNER_EXECUTOR_LOCAL_H
#define RUNNER_EXECUTOR_LOCAL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "error.h"

/* Called once when a keeper that we started has exited, on the loop. */
typedef void executor_exit_fn(void *user);

struct executor_local {
    uv_process_t process; /* valid when started */
    /* by us, or at least tried: the handle is open until closed */
    bool started;
    bool exited; /* seen by the loop */
    int64_t pid, start_time;
    executor_exit_fn *on_exit;
    void *user;
};

/*
 * Starts "program run directory". *executor must stay where it is until
 * executor_local_close() has called back on the loop. On failure nothing runs and the
 * handle is being closed.
 */
int executor_local_start(struct executor_local *executor, uv_loop_t *loop, const char *program,
                         const char *directory, struct error *err) MUST_CHECK;
/* Takes over a keeper that another runner started. */
void executor_local_adopt(struct executor_local *executor, int64_t pid, int64_t start_time);

/* The keeper is alive; for adopted ones asked of /proc. */
bool executor_local_alive(const struct executor_local *executor);
/* Sends a signal to the keeper if it is alive (SIGTERM is passed on to the worker,
 * SIGKILL takes the worker along). */
void executor_local_signal(const struct executor_local *executor, int signal_number);

#endif
