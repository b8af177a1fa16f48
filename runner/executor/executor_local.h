/*
 * executor_local.h - runs attempts on this machine; a slot is a core.
 *
 * The keeper of an attempt is detached (its own session) and writes its output to the
 * attempt's log, so that it outlives the runner. A place is
 *
 *   [pid PID start TICKS ]boot BOOT
 *
 * with the keeper's pid and the kernel's start time of that process, and the id of the
 * machine's boot. Without a pid the keeper, if there is one, is found by its command
 * line. The cores to which the worker is pinned stand in its job.json.
 */
#ifndef RUNNER_EXECUTOR_LOCAL_H
#define RUNNER_EXECUTOR_LOCAL_H

#include "executor.h"

extern const struct executor_type executor_local;

#endif
