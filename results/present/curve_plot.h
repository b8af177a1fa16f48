/*
 * curve_plot.h - learning curves in the terminal, drawn with braille, and as a table.
 */
#ifndef RESULTS_CURVE_PLOT_H
#define RESULTS_CURVE_PLOT_H

#include "curve_query.h"
#include "error.h"
#include "table.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * A panel for each label, all with the same axes: the mean over the seeds that have
 * come so far as a line, what lies between the lowest and the highest seed as dots.
 * width: of the terminal, at least 40 are used. ERROR_NOMEM, ERROR_IO.
 */
int curves_draw(FILE *out, const struct curves *curves, int width, bool color,
                struct error *err) MUST_CHECK;

/* A row per curve and point. */
int curves_table(struct table **out, const struct curves *curves, const struct results *results,
                 struct error *err) MUST_CHECK;

#endif
