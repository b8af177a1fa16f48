/*
 * supervise.h - the loop that starts attempts, follows them and concludes them.
 */
#ifndef RUNNER_SUPERVISE_H
#define RUNNER_SUPERVISE_H

#include "error.h"
#include "job_state.h"
#include "options.h"
#include "workspace.h"

struct executor_type;
struct store;

struct supervise_result {
    int done, failed;          /* own jobs that ended */
    int causes[OUTCOME_COUNT]; /* numbers of failed jobs by cause */
    bool interrupted;
};

/*
 * Adds to *out, which the caller has set to zeros or to an earlier result of the
 * session. Works until experiment (NULL: all experiments) has no job that could run.
 * Jobs of other experiments with a higher priority go first meanwhile. The caller
 * holds the workspace's lock. First, attempts of an earlier runner are adopted or
 * concluded. types: a table such as EXECUTORS; the first one starts jobs. SIGINT or
 * SIGTERM: workers write a checkpoint and stop; a second one stops them at once.
 */
int supervise(struct supervise_result *out, struct store *store,
              const struct workspace *workspace, const struct options *options,
              const struct executor_type *const *types, const char *experiment,
              struct error *err) MUST_CHECK;

#endif
