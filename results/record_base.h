/*
 * record_base.h - jobs of runs that begin with the final weights of another run, their
 * base.
 *
 * All functions run in the caller's transaction.
 */
#ifndef RESULTS_RECORD_BASE_H
#define RESULTS_RECORD_BASE_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "error.h"

struct store;

/* SQL condition on a job j of a run r: its training can begin, since it has no base or
 * the base is trained and not being trained again. */
#define RECORD_BASE_READY                                                                      \
    "(r.base_hash IS NULL OR j.kind <> 'train' OR EXISTS (SELECT 1 FROM run b"                 \
    " JOIN checkpoint c USING (run_id) WHERE b.hash = r.base_hash AND NOT EXISTS"              \
    " (SELECT 1 FROM job k WHERE k.run_id = b.run_id AND k.kind = 'train'"                     \
    "  AND k.state IN ('queued', 'starting', 'running'))))"

/* A queued training whose base has no weights and no job that would make them. */
struct record_baseless {
    int64_t job_id;
    char base_hash[65];
    char why[80]; /* how the base's training ended; "": it was never queued */
};
/* The first such jobs, at most most. */
int record_baseless_jobs(struct store *store, struct record_baseless *out, int most, int *count,
                         struct error *err) MUST_CHECK;

/* The settings of a run for a job.json, newly allocated: its training's job_config, its
 * seed, and, where the text says INIT_RUN_UNKNOWN, its base. base_hash: "": none. */
int record_run_config(cJSON **out, const char *job_config, int64_t seed, const char *base_hash,
                      struct error *err) MUST_CHECK;

/* Adds the member init_from to the job.json of a training of the run: where the weights
 * that it begins with are. A run that begins with the seed's has none. */
int record_add_init(struct store *store, cJSON *job, int64_t run_id,
                    struct error *err) MUST_CHECK;

/* Queues the training of the base of the job's run again, unless the base has weights
 * or a job. A run without a base: nothing. */
int record_requeue_base(struct store *store, int64_t job_id, struct error *err) MUST_CHECK;

/* The run id of the run's base; 0: it has none, or the base is being trained. */
int record_base_of(struct store *store, int64_t *base, int64_t run_id,
                   struct error *err) MUST_CHECK;

#endif
