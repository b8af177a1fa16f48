/*
 * finding.h - one paragraph in words about what a matrix of outer steps shows.
 */
#ifndef RESULTS_FINDING_H
#define RESULTS_FINDING_H

#include "error.h"
#include "compare.h"

/* Fresh text of one paragraph, the caller's to free: refinement in training and at
 * inference per block, the blocks against each other, and how far the best cell is
 * above copying the input and the untrained model. What is not shown by the intervals
 * is called inconclusive; where nothing was solved, all cells are equal, or none is
 * above the baselines, that is said instead. list is matrix_compare()'s, judged. */
int finding_write(char **out, const struct matrix *matrix, const struct compare *compare,
                  const struct comparison_list *list, struct error *err) MUST_CHECK;

#endif
