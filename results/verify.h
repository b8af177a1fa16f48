/*
 * verify.h - compares a run's stored results with those of a repetition, value by
 * value.
 *
 * It works in one transaction, which the caller rolls back: verify_begin() copies the
 * stored rows and deletes them, record_event() applies the repetition's journal as if
 * the run were new, and verify_compare() compares the two sets. So it finds every
 * changed value and every row that is missing on either side.
 */
#ifndef RESULTS_VERIFY_H
#define RESULTS_VERIFY_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "error.h"

struct store;

int verify_begin(struct store *store, int64_t run_id, struct error *err) MUST_CHECK;

/* Marks the evaluation with this canonical text as one with which the training was
 * started, so that results from before the end of training are expected too. An
 * evaluation that was added later has none. */
int verify_expect(struct store *store, const char *canonical, struct error *err) MUST_CHECK;

struct verify_result {
    int compared;    /* number of stored values */
    int differences; /* number of differing or additional values */
    char first[480]; /* a description of the first difference; "" */
};
int verify_compare(struct store *store, struct verify_result *out, int64_t run_id,
                   struct error *err) MUST_CHECK;

/* Adds the run's evaluations that have results, or whose job is done and must have
 * left some, to list, as objects for job.json, unless they are in it. */
int verify_add_evaluations(struct store *store, cJSON *list, int64_t run_id,
                           struct error *err) MUST_CHECK;

/* The directory of the run's first training attempt, relative to the workspace. */
int verify_first_attempt(struct store *store, char directory[160], int64_t run_id,
                         struct error *err) MUST_CHECK;

#endif
