/*
 * replay.h - records and concludes attempts found on disk, by the code of the runner's
 * loop.
 */
#ifndef RUNNER_REPLAY_H
#define RUNNER_REPLAY_H

#include "error.h"
#include "options.h"
#include "record.h"
#include "workspace.h"

struct executor_type;
struct store;

struct replay;

/* types: a table such as EXECUTORS; the first is assumed to have started the
 * attempts. All arguments but out are borrowed until replay_close(). */
int replay_open(struct replay **out, struct store *store, const struct workspace *workspace,
                const struct options *options, const struct executor_type *const *types,
                struct error *err) MUST_CHECK;
/*
 * Records attempt number of the job's run, reads its journal and concludes it, which
 * sets the job's state. *alive: the attempt is still running; it is recorded as
 * starting for the next runner to adopt.
 */
int replay_attempt(struct replay *replay, const struct record_job *job, int number, bool *alive,
                   struct error *err) MUST_CHECK;
void replay_close(struct replay *replay); /* NULL allowed */

#endif
