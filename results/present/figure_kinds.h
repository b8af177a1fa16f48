/*
 * figure_kinds.h - the functions in the table of figures, and what they share.
 */
#ifndef RESULTS_FIGURE_KINDS_H
#define RESULTS_FIGURE_KINDS_H

#include "error.h"
#include "figure.h"
#include "picture.h"

/* A tooltip: the label, then "0.512 +- 0.034 (3 seeds: 0.48, ...)". Newly allocated
 * or NULL. */
char *describe_cell(const struct cells *cells, const struct cell *cell, const char *label);

/* Adds a note about seeds and the choice of cells_choose(). */
int note_cells(struct picture *picture, const struct cells *cells, const bool *shown,
               const char *spread, const char *chosen, struct error *err) MUST_CHECK;

/* The measure against one axis, or the combinations of two. There is a line, or with
 * bars a bar, for each combination of the other training axes. */
struct axis_request {
    const char *keys[2];
    int key_count;
    bool bars;
    const char *x_title;
    /* questions whose published values are marked in the chart, and told in words as
     * far as they have no position there; NULL: none */
    const char *marked, *told;
};
int draw_axis(struct picture *picture, struct figure_source *source,
              const struct axis_request *request, struct error *err) MUST_CHECK;

/* Draws two axes against each other: a heat map, or with bars a group of bars for
 * each value of rows, in a chart per combination of the other training axes. */
int draw_axis_pair(struct picture *picture, struct figure_source *source, const char *rows,
                   const char *cols, bool bars, struct error *err) MUST_CHECK;

figure_fn make_outer_steps, make_inner_cycles, make_act, make_train_inference,
    make_train_inference_map, make_augmentations, make_axis, make_pivot, make_loss_curves,
    make_accuracy_curves, make_interim, make_flops, make_steps_used, make_pass_at_k, make_seeds,
    make_differences, make_residuals, make_calibration, make_halting_rules;

#endif
