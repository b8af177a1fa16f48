/*
 * origin.h - where an experiment's results came from: data, programs, machines, spec;
 * and which of its runs failed.
 */
#ifndef RESULTS_ORIGIN_H
#define RESULTS_ORIGIN_H

#include <stdint.h>

#include "error.h"

struct store;

/* The source of the data as the first training that began said it ("builtin:arc-style,
 * generator seed 0"); "" where none has begun. Fresh. */
int origin_data(char **out, struct store *store, int64_t experiment_id,
                struct error *err) MUST_CHECK;

/* A group of attempts that the same program made on the same machine; texts owned, ""
 * where not known. */
struct origin_build {
    char *engine_version, *numeric_version, *git_commit, *compiler, *kernel_set, *blas, *cpu,
        *host;
    int attempts, runs;
    char *first_begun, *last_begun; /* times */
};
struct origin_builds {
    struct origin_build *items; /* owned */
    int count;
};
int origin_builds(struct origin_builds *out, struct store *store, int64_t experiment_id,
                  struct error *err) MUST_CHECK;
void origin_builds_release(struct origin_builds *builds);

/* A run whose last training failed, diverged or was cancelled; texts owned. */
struct origin_failure {
    char *arm, *hash, *state, *cause, *message;
    int64_t seed;
    int attempts;
};
struct origin_failures {
    struct origin_failure *items; /* owned */
    int count;
};
int origin_failures(struct origin_failures *out, struct store *store, int64_t experiment_id,
                    struct error *err) MUST_CHECK;
void origin_failures_release(struct origin_failures *failures);

/* What an experiment was queued as; texts owned. */
struct origin_spec {
    char *description, *spec_file, *spec_hash, *queued_at;
};
int origin_spec(struct origin_spec *out, struct store *store, int64_t experiment_id,
                struct error *err) MUST_CHECK;
void origin_spec_release(struct origin_spec *spec);

/* What the runs' trainings have taken so far: FLOPs of those that are done, seconds of
 * cores of all attempts. */
struct origin_cost {
    double flops, cpu_seconds;
    int trained;
};
int origin_cost(struct origin_cost *out, struct store *store, int64_t experiment_id,
                struct error *err) MUST_CHECK;

#endif
