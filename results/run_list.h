/*
 * run_list.h - the runs of an experiment, as a table.
 */
#ifndef RESULTS_RUN_LIST_H
#define RESULTS_RUN_LIST_H

#include "error.h"
#include "table.h"

struct store;

/* A row per arm and run: seed, state of the training, steps, hash; at most so many, and
 * a note that counts the others. */
int run_list(struct table **out, struct store *store, const char *experiment, int most,
             struct error *err) MUST_CHECK;

#endif
