/*
 * task_table.h - tasks from hard to easy, and two arms against each other task by task.
 */
#ifndef RESULTS_TASK_TABLE_H
#define RESULTS_TASK_TABLE_H

#include <stdbool.h>

#include "cells.h"
#include "compare.h"
#include "error.h"
#include "table.h"

/* A row per task, the hardest first: the mean over the chosen cells, and the worst and
 * the best cell. chosen: (cells->count); note describes the choice, "" none. */
int task_table(struct table **out, const struct compare *compare, const struct cells *cells,
               const bool *chosen, const char *note, struct error *err) MUST_CHECK;

/* A row per task: the means over seeds in two cells of the comparison and second minus
 * first, the largest gain first; a note counts gains and losses. */
int task_pair_table(struct table **out, const struct compare *compare, int first, int second,
                    struct error *err) MUST_CHECK;

#endif
