/*
 * task_score.h - how hard each task is for the arms of an experiment, and how much the
 * arms differ in it.
 */
#ifndef RESULTS_TASK_SCORE_H
#define RESULTS_TASK_SCORE_H

#include <stdbool.h>

#include "cells.h"
#include "compare.h"

struct task_score {
    const char *task; /* borrowed of the comparison */
    double mean;      /* over the chosen cells' means; NaN: none has the task */
    double low, high; /* of the cells' means */
    int low_cell, high_cell;
    int cells; /* number of chosen cells that have the task */
};

/* The index of this cell in a comparison of the same results; -1: it has no result, or
 * compare is NULL. */
int compare_cell_of(const struct compare *compare, const struct cell *cell);

/* The mean over seeds of a task, by its index, in a cell of the comparison; NaN: the
 * cell lacks the task. */
double task_score_mean(const struct compare *compare, int cell, int task);

/* Computes the scores of all tasks (compare->task_count of them) over the chosen
 * cells. */
void task_scores(struct task_score *scores, const struct compare *compare,
                 const struct cells *cells, const bool *chosen);

/* Orders for qsort: the lowest mean first; the largest difference between cells
 * first. */
int task_score_compare_hard(const void *a, const void *b);
int task_score_compare_contested(const void *a, const void *b);

#endif
