/*
 * retry_settings.h - `retry --set`: changes how jobs are executed.
 */
#ifndef RUNNER_RETRY_SETTINGS_H
#define RUNNER_RETRY_SETTINGS_H

#include <stdint.h>

#include "error.h"

struct store;

/*
 * Applies set_count "key=value" overrides to the execution settings of each of the
 * jobs, in the caller's transaction. Only settings that belong to a job are allowed:
 * resources, retries, the place of the data, checkpoints. Any other would make another
 * run: ERROR_FORMAT.
 */
int retry_apply_settings(struct store *store, const int64_t *job_ids, int count,
                         const char *const *sets, int set_count, struct error *err) MUST_CHECK;

#endif
