/*
 * garbage.h - removing experiments, and what of the store nobody needs any more.
 *
 * All functions run in the caller's transaction.
 */
#ifndef RESULTS_GARBAGE_H
#define RESULTS_GARBAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct store;

/* A run as the collector of garbage sees it. */
struct garbage_run {
    int64_t run_id;
    char hash[65];
    bool wanted;          /* an experiment has it */
    bool busy;            /* a job of it is not over, or an attempt may be running */
    char checkpoint[256]; /* its final one, relative to the workspace; "": none */
};

/* Every run, fresh list; in the order of their ids. */
int garbage_runs(struct store *store, struct garbage_run **out, int *count,
                 struct error *err) MUST_CHECK;

/* Whether the store knows a run of that hash. */
int garbage_knows_run(struct store *store, bool *out, const char *hash,
                      struct error *err) MUST_CHECK;

/* Whether no experiment has the run and it is not busy. */
int garbage_is_unwanted(struct store *store, bool *out, int64_t run_id,
                        struct error *err) MUST_CHECK;
/* Deletes such a run with its jobs, attempts and results. */
int garbage_delete_run(struct store *store, int64_t run_id, struct error *err) MUST_CHECK;

/* An experiment that is to be removed. */
struct garbage_experiment {
    int64_t id;      /* 0: there is none of that name */
    char *spec_file; /* owned; relative to the workspace, "" */
    int runs;        /* that it has */
    /* of the runs that no other experiment has: jobs that are not over */
    int open;
};
int garbage_find_experiment(struct store *store, struct garbage_experiment *out,
                            const char *name, struct error *err) MUST_CHECK;

/* The hashes of the experiment's runs that no other experiment has: fresh list, each of
 * 64 digits and a NUL. */
int garbage_own_runs(struct store *store, char (**out)[65], int *count, int64_t experiment_id,
                     struct error *err) MUST_CHECK;

/* Deletes the experiment with its arms; its runs and their results stay. */
int garbage_delete_experiment(struct store *store, int64_t experiment_id,
                              struct error *err) MUST_CHECK;

#endif
