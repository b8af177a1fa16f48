/*
 * garbage.h - finds and deletes experiments and runs that are no longer needed.
 *
 * All functions run in the caller's transaction.
 */
#ifndef RESULTS_GARBAGE_H
#define RESULTS_GARBAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct store;

/* A run, as far as garbage collection needs it. */
struct garbage_run {
    int64_t run_id;
    char hash[65];
    /* an experiment contains it, or a run that is needed begins with its weights */
    bool wanted;
    bool kept; /* protected: it, an arm or an experiment that contains it (mark.h) */
    /* one of its jobs has not ended, or an attempt may still run */
    bool busy;
    char checkpoint[256]; /* final checkpoint, relative to the workspace; "": none */
};

/* All runs in the order of their ids, as a fresh list. */
int garbage_runs(struct store *store, struct garbage_run **out, int *count,
                 struct error *err) MUST_CHECK;

/* Whether the store has a run of that hash. */
int garbage_knows_run(struct store *store, bool *out, const char *hash,
                      struct error *err) MUST_CHECK;

/* Whether no experiment contains the run, it is neither kept nor busy, and no such run
 * begins with its weights. */
int garbage_is_unwanted(struct store *store, bool *out, int64_t run_id,
                        struct error *err) MUST_CHECK;
/* Deletes such a run with its jobs, attempts and results. */
int garbage_delete_run(struct store *store, int64_t run_id, struct error *err) MUST_CHECK;

/* An experiment to remove. */
struct garbage_experiment {
    int64_t id;      /* 0: there is none of that name */
    char *spec_file; /* owned; relative to the workspace, "" */
    int runs;        /* number of its runs */
    /* jobs that have not ended, of runs that no other experiment contains */
    int open;
};
int garbage_find_experiment(struct store *store, struct garbage_experiment *out,
                            const char *name, struct error *err) MUST_CHECK;

/* The hashes of those runs of the experiment that no other experiment contains: a fresh
 * list, each of 64 digits and a NUL. */
int garbage_own_runs(struct store *store, char (**out)[65], int *count, int64_t experiment_id,
                     struct error *err) MUST_CHECK;

/* Deletes the experiment with its arms; its runs and their results stay. */
int garbage_delete_experiment(struct store *store, int64_t experiment_id,
                              struct error *err) MUST_CHECK;

#endif
