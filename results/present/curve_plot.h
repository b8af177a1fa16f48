/*
 * curve_plot.h - learning curves in the terminal, and as a table.
 */
#ifndef RESULTS_CURVE_PLOT_H
#define RESULTS_CURVE_PLOT_H

#include "curve_query.h"
#include "error.h"
#include "table.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * Draws a panel per label, all with the same axes: the mean over the seeds that have
 * reached the step as a line, the range between the lowest and the highest seed as
 * dots. width: of the terminal, at least 40 columns are used. ERROR_NOMEM, ERROR_IO.
 */
int curves_draw(FILE *out, const struct curves *curves, int width, bool color,
                struct error *err) MUST_CHECK;

/* Makes a row per curve and point. */
int curves_table(struct table **out, const struct curves *curves, const struct results *results,
                 struct error *err) MUST_CHECK;

#endif
