/*
 * supervise.h - the loop that starts attempts, follows them and draws conclusions.
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
    int done, failed;          /* own jobs that ended in this session */
    int causes[OUTCOME_COUNT]; /* of those that failed */
    bool interrupted;
};

/*
 * Works until no job of experiment (NULL: of any) is left that could run; jobs of other
 * experiments with a higher priority go first meanwhile. The caller
 * holds the workspace's lock. Attempts that an earlier runner left are adopted or
 * concluded first. types: a table such as EXECUTORS, of which the first starts what is
 * next. SIGINT or SIGTERM: workers checkpoint and stop; again: at once.
 */
int supervise(struct supervise_result *out, struct store *store,
              const struct workspace *workspace, const struct options *options,
              const struct executor_type *const *types, const char *experiment,
              struct error *err) MUST_CHECK;

#endif
