/*
 * workspace.h - the directory everything is written to, and the lock of its one runner.
 */
#ifndef RUNNER_WORKSPACE_H
#define RUNNER_WORKSPACE_H

#include <stdbool.h>

#include "error.h"

struct workspace {
    char *path;  /* owned; absolute */
    int lock_fd; /* -1: not held */
};

/* Makes the directory and its parts where they are missing. */
int workspace_open(struct workspace *out, const char *path, struct error *err) MUST_CHECK;
/* The same for reading: ERROR_ABSENT when there is none, ERROR_FORMAT when the path is
 * that of a file, ERROR_IO when it cannot be reached. */
int workspace_find(struct workspace *out, const char *path, struct error *err) MUST_CHECK;
void workspace_close(struct workspace *workspace); /* gives the lock back */

/*
 * Takes the runner's lock. *held false: another runner has it, and holder (at least
 * WORKSPACE_HOLDER bytes) names it. ERROR_ENVIRONMENT: the lock cannot be taken for
 * another reason, because this file system has no locks. A process that only looks
 * (workspace_holder) is waited for. A lock left behind by a runner of another host, or
 * from before a restart, is taken over with a line in the log.
 */
enum { WORKSPACE_HOLDER = 200 };
int workspace_lock(struct workspace *workspace, bool *held, char *holder, int holder_size,
                   struct error *err) MUST_CHECK;

/* The holder of the lock, "" when there is none; does not take the lock. holder: at
 * least WORKSPACE_HOLDER bytes. ERROR_ENVIRONMENT: this file system has no locks. */
int workspace_holder(const struct workspace *workspace, char *holder, int holder_size,
                     struct error *err) MUST_CHECK;

/* workspace/name, fresh; NULL: no memory. */
char *workspace_path(const struct workspace *workspace, const char *name);

#endif
