/*
 * status_query.h - reading how far things are: jobs of experiments, one run in full.
 */
#ifndef RESULTS_STATUS_QUERY_H
#define RESULTS_STATUS_QUERY_H

#include "table.h"

struct error;
struct store;

struct status_counts {
    int total, queued, running, done, failed, cancelled;
};

/* The newest job of each kind of each run, counted; experiment NULL: of all. */
int status_count(struct store *store, struct status_counts *out, const char *experiment,
                 struct error *err);

/* A row per experiment. */
int status_table(struct store *store, struct table **out, struct error *err);

/* The run whose hash begins with prefix: hash and directory of its last attempt ("" none). */
int status_find_run(struct store *store, const char *prefix, char hash[65], char directory[160],
                    struct error *err);
/* What is known of a run, as tables: settings, attempts, evaluations. */
int status_run_tables(struct store *store, struct table *out[3], const char *hash,
                      struct error *err);

/* PRAGMA quick_check says ok. */
int status_check_database(struct store *store, bool *sound, struct error *err);

#endif
