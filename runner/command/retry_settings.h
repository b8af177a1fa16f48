/*
 * retry_settings.h - `retry --set`: how jobs are executed from now on.
 */
#ifndef RUNNER_RETRY_SETTINGS_H
#define RUNNER_RETRY_SETTINGS_H

#include <stdint.h>

#include "error.h"

struct store;

/*
 * Puts set_count "key=value" overrides over the execution settings of each of the jobs,
 * in the caller's transaction. Only what belongs to a job can be set: resources,
 * retries, the place of the data, checkpoints. Everything else would be another run:
 * ERROR_FORMAT.
 */
int retry_apply_settings(struct store *store, const int64_t *job_ids, int count,
                         const char *const *sets, int set_count, struct error *err) MUST_CHECK;

#endif
