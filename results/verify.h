/*
 * verify.h - a run's stored results against those of a repetition, value by value.
 *
 * In one transaction, which the caller rolls back: verify_begin() takes the stored rows
 * aside, the repetition's journal is applied by record_event() as if the run were new,
 * and verify_compare() holds the two sets against each other. So neither a changed
 * value nor a row that is missing or too many on either side can be overlooked.
 */
#ifndef RESULTS_VERIFY_H
#define RESULTS_VERIFY_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "error.h"

struct store;

int verify_begin(struct store *store, int64_t run_id, struct error *err) MUST_CHECK;

/* The evaluation of this canonical text was asked for when the training began: its
 * results from before the end of training must be there, too. Those of an evaluation
 * that was asked for later may be missing, because they were never computed. */
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
