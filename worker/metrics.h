/*
 * metrics.h - sums over training steps between two `metric` events.
 *
 * The sums are part of a checkpoint, so that a resumed training reports the same means.
 */
#ifndef WORKER_METRICS_H
#define WORKER_METRICS_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "error.h"

struct engine_result;

struct metrics {
    /* training steps summed; a double, as all sums, so that one format saves them */
    double steps;
    double rows; /* rows of those steps */
    /* rows of those steps that had a target Q */
    double target_rows;
    double lm_loss, q_halt_loss, q_continue_loss; /* sums over rows */
    double count;                                 /* rows that halted, with labels */
    /* sums over halted rows */
    double accuracy, exact_accuracy, q_halt_accuracy, outer_steps;
    /* of the last step */
    double lr;
};

/* Adds the results of a training step of batch_rows rows. */
void metrics_add(struct metrics *metrics, const struct engine_result *result, int batch_rows);

/* The `values` of a metric event: losses per row, accuracies per halted row (omitted
 * if no row halted). NULL: no memory. */
cJSON *metrics_values(const struct metrics *metrics);

/* Converts to and from the position of a checkpoint; exact if printed by
 * json_canonical(). */
cJSON *metrics_to_json(const struct metrics *metrics);
int metrics_from_json(struct metrics *out, const cJSON *object, struct error *err) MUST_CHECK;

#endif
