/*
 * optimizer.h - the rate schedule and the update of all tensors.
 */
#ifndef MODEL_OPTIMIZER_H
#define MODEL_OPTIMIZER_H

#include <stdint.h>

struct engine;
struct engine_config;

/* The rate of training step `step`, counted from 1, of a schedule with this base
 * rate. */
double schedule_rate(const struct engine_config *config, double base, int64_t step);
/* AdamATan2 on the parameters, their averages, and sign-SGD on the puzzle rows in
 * use. */
void optimizer_step(struct engine *engine, double lr, double puzzle_lr);

#endif
