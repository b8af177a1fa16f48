/*
 * importance_table.h - which axes of an experiment matter: shares of the variance of
 * its results.
 */
#ifndef RESULTS_IMPORTANCE_TABLE_H
#define RESULTS_IMPORTANCE_TABLE_H

#include <stdbool.h>

#include "cells.h"
#include "compare.h"
#include "error.h"
#include "table.h"

/*
 * A row per axis, per pair of axes, for higher interactions and for the seed, the
 * largest share first. All axes of training and of evaluation are used where every
 * combination was evaluated, otherwise those of training, each arm in one evaluation
 * (chosen, by cells_choose(); note describes it). ERROR_FORMAT: combinations or seeds
 * are missing, and the message names one; nothing varies.
 */
int importance_table(struct table **out, const struct compare *compare,
                     const struct cells *cells, const bool *chosen, const char *note,
                     struct error *err) MUST_CHECK;

#endif
