/*
 * trajectory_table.h - tables of measures per outer step.
 */
#ifndef RESULTS_TRAJECTORY_TABLE_H
#define RESULTS_TRAJECTORY_TABLE_H

#include "error.h"
#include "query.h"
#include "table.h"
#include "trajectories.h"

/* Makes a row per arm, evaluation and outer step. For people, a residual is the mean
 * over the module calls of the step; JSON and CSV also have each call's. */
int trajectory_table(struct table **out, const struct results *results,
                     const struct trajectories *trajectories, struct error *err) MUST_CHECK;
/* Makes a row per arm, evaluation and bin of sigmoid(q_halt) that has rows. */
int calibration_table(struct table **out, const struct results *results,
                      const struct trajectories *trajectories, struct error *err) MUST_CHECK;

#endif
