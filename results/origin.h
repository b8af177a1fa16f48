/*
 * origin.h - where an experiment's results come from (data, programs, machines, spec),
 * and which of its runs failed.
 */
#ifndef RESULTS_ORIGIN_H
#define RESULTS_ORIGIN_H

#include <stdint.h>

#include "error.h"

struct id_list;
struct run_facts;
struct store;

/* runs: those of the experiment. */

/* The source of the data as reported by the first training ("builtin:arc-style,
 * generator seed 0"); "" if none has begun. Newly allocated. */
int origin_data(char **out, struct store *store, const struct id_list *runs,
                struct error *err) MUST_CHECK;

/* Attempts by the same program on the same machine; texts owned, "" if unknown. */
struct origin_build {
    char *engine_version, *numeric_version, *git_commit, *compiler, *kernel_set, *blas, *cpu,
        *host;
    int attempts, runs;
    int64_t last_run;               /* of its last attempt */
    char *first_begun, *last_begun; /* times */
};
struct origin_builds {
    struct origin_build *items; /* owned */
    int count;
    double cpu_seconds; /* of cores, by all attempts */
};
int origin_builds(struct origin_builds *out, struct store *store, const struct id_list *runs,
                  struct error *err) MUST_CHECK;
void origin_builds_release(struct origin_builds *builds);

/* A run whose last training failed, diverged or was cancelled; texts owned. */
struct origin_failure {
    char *arm, *hash, *state, *cause, *message;
    int64_t arm_position, seed;
    int attempts;
};
struct origin_failures {
    struct origin_failure *items; /* owned */
    int count;
};
int origin_failures(struct origin_failures *out, struct store *store,
                    const struct run_facts *runs, int64_t experiment_id,
                    struct error *err) MUST_CHECK;
void origin_failures_release(struct origin_failures *failures);

/* How the experiment was queued; texts owned. */
struct origin_spec {
    char *description, *spec_file, *spec_hash, *queued_at;
};
int origin_spec(struct origin_spec *out, struct store *store, int64_t experiment_id,
                struct error *err) MUST_CHECK;
void origin_spec_release(struct origin_spec *spec);
/* Reads the queued spec of an experiment from the workspace; *text, newly allocated, is
 * NULL if it is no longer there. */
int origin_spec_text(char **text, struct store *store, const char *workspace,
                     int64_t experiment_id, struct error *err) MUST_CHECK;

/* What the completed trainings computed. */
struct origin_cost {
    double flops;
    int trained;
};
struct origin_cost origin_cost(const struct run_facts *runs);

#endif
