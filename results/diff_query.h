/*
 * diff_query.h - in what two runs, or two sets of runs such as arms, differ: settings,
 * data, provenance, cost, results.
 */
#ifndef RESULTS_DIFF_QUERY_H
#define RESULTS_DIFF_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "measure.h"
#include "table.h"

struct store;

/* One side. */
struct diff_side {
    char name[200]; /* for the caption: the arm's label, or a run's hash */
    char *runs;     /* owned; a JSON list of run_ids */
    int run_count;
};
void diff_side_release(struct diff_side *side);

/* A run by the beginning of its hash, or "last". Errors of status_find_run(). */
int diff_find_run(struct diff_side *out, struct store *store, const char *name,
                  struct error *err) MUST_CHECK;
/* An arm as arm_find() knows it, of "EXPERIMENT:ARM" or of the experiment (NULL: the
 * only one there is). */
int diff_find_arm(struct diff_side *out, struct store *store, const char *experiment,
                  const char *name, struct error *err) MUST_CHECK;

struct diff_form {
    const enum metric *metrics; /* borrowed */
    int metric_count;
    /* with the facts that are equal on both sides, and all results; otherwise, where
     * many evaluations differ, those that do most, in the first measure */
    bool all;
    /* hashes by their beginning, results to the decimals of tables; else in full */
    bool people;
    bool page; /* notes name what a page has instead of options */
};

/*
 * A row per fact: its aspect, its name, its value on each side; values that differ
 * within a side are listed. Results are means over the runs of a side
 * at the last checkpoint.
 */
int diff_table(struct table **out, struct store *store, const struct diff_side *first,
               const struct diff_side *second, const struct diff_form *form,
               struct error *err) MUST_CHECK;

#endif
