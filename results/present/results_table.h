/*
 * results_table.h - the tables of `hrmlab results`: an experiment's arms over their
 * seeds, or every seed and checkpoint, and scores without learning.
 */
#ifndef RESULTS_RESULTS_TABLE_H
#define RESULTS_RESULTS_TABLE_H

#include "baselines.h"
#include "columns.h"
#include "error.h"
#include "query.h"
#include "table.h"

/* Makes a row per arm and evaluation: means and deviations over the seeds that have
 * a value, and the outcomes of the others. */
int results_arms_table(struct table **out, const struct results *results,
                       const struct shown *shown, struct error *err) MUST_CHECK;
/* A row per seed and checkpoint; results as RESULTS_ALL loads them. */
int results_rows_table(struct table **out, const struct results *results,
                       const struct shown *shown, struct error *err) MUST_CHECK;
/* What copying the input and the untrained model score, on each data set. */
int results_baselines_table(struct table **out, const struct baselines *baselines,
                            const struct shown *shown, struct error *err) MUST_CHECK;
/* The same as rows of results_arms_table(), for CSV, which is one table. */
int results_add_baseline_rows(struct table *arms, const struct results *results,
                              const struct shown *shown, const struct baselines *baselines,
                              struct error *err) MUST_CHECK;

#endif
