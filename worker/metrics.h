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
    /* training steps summed; counts are doubles to be saved alike */
    double steps;
    double rows; /* rows of those steps */
    /* rows of those steps that had a target Q */
    double target_rows;
    double lm_loss, q_halt_loss, q_continue_loss; /* sums over rows */
    double count;                                 /* rows that halted, with labels */
    double accuracy, exact_accuracy, q_halt_accuracy, outer_steps; /* sums over those */
    /* of the last step */
    double lr;
};

/* Adds what a training step of batch_rows rows found. */
void metrics_add(struct metrics *metrics, const struct engine_result *result, int batch_rows);

/* The `values` of a metric event: losses per row, accuracies per halted row (left out
 * when there was none). NULL when out of memory. */
cJSON *metrics_values(const struct metrics *metrics);

/* To and from a checkpoint's position; exact when printed by json_canonical(). */
cJSON *metrics_to_json(const struct metrics *metrics);
int metrics_from_json(struct metrics *out, const cJSON *object, struct error *err) MUST_CHECK;

#endif
