/*
 * cost_table.h - what trainings and evaluations took and cost, for `results --price`.
 */
#ifndef RESULTS_COST_TABLE_H
#define RESULTS_COST_TABLE_H

#include "error.h"
#include "query.h"
#include "table.h"

/*
 * Makes a row per arm and evaluation, means over the seeds that have finished, at a
 * price per core-hour in any currency. results: as RESULTS_LAST or RESULTS_ROWS loads
 * them.
 *
 * A training's job took so much processor time, of which its training steps and its
 * evaluations have shares by their wall time; an evaluation's inference took the wall
 * time of its pass on as many cores. Cost per task: divided by the tasks that are
 * scored.
 */
int cost_table(struct table **out, const struct results *results, double price,
               struct error *err) MUST_CHECK;

#endif
