/*
 * run_spec.h - what the commands that queue a spec and run it to its end share.
 */
#ifndef RUNNER_RUN_SPEC_H
#define RUNNER_RUN_SPEC_H

#include "error.h"
#include "options.h"
#include "plan.h"
#include "workspace.h"

struct store;

/* Looks at a plan before anything is queued; a failure ends the command. */
typedef int run_spec_check(const struct plan *plan, struct store *store,
                           const struct workspace *workspace, struct error *err);

/* Queues the spec that the arguments name and runs it to its end, or follows the runner
 * that does. check may be NULL. */
int run_spec(const struct options *options, run_spec_check *check, int *exit_code,
             struct error *err) MUST_CHECK;

#endif
