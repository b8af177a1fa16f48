/*
 * job_list.h - the jobs that have not ended, as a table.
 */
#ifndef RESULTS_JOB_LIST_H
#define RESULTS_JOB_LIST_H

#include "error.h"
#include "table.h"

struct store;

/* Jobs that are starting or running, with where they run; a row per job. */
int job_list_running(struct table **out, struct store *store, struct error *err) MUST_CHECK;
/* Queued jobs in the order in which they would start, at most so many, and a note that
 * counts the others. */
int job_list_queued(struct table **out, struct store *store, int most,
                    struct error *err) MUST_CHECK;

#endif
