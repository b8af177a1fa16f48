/*
 * verify.h - a run's stored results against those of a repetition, value by value.
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

/* Marks the evaluation with this canonical text as one that the training was started
 * with, so that results from before the end of training are expected, too. An
 * evaluation that was added later has none. */
int verify_expect(struct store *store, const char *canonical, struct error *err) MUST_CHECK;

struct verify_result {
    int compared;    /* values that were stored */
    int differences; /* of them or beside them */
    char first[480]; /* the first difference for people; "" */
};
int verify_compare(struct store *store, struct verify_result *out, int64_t run_id,
                   struct error *err) MUST_CHECK;

/* The run's evaluations that have results, or whose job is done and must have left
 * some, as objects for job.json: added to list where they are not in it. */
int verify_add_evaluations(struct store *store, cJSON *list, int64_t run_id,
                           struct error *err) MUST_CHECK;

/* The directory of the run's first training attempt, relative to the workspace. */
int verify_first_attempt(struct store *store, char directory[160], int64_t run_id,
                         struct error *err) MUST_CHECK;

#endif
