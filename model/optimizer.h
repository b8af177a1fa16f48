/*
 * optimizer.h - the rate schedule and the update of all tensors.
 */
#ifndef MODEL_OPTIMIZER_H
#define MODEL_OPTIMIZER_H

#include <stdint.h>

struct engine;
struct engine_config;

/* The learning rate of training step `step`, counted from 1, for the base rate
 * `base`. */
double schedule_rate(const struct engine_config *config, double base, int64_t step);
/* Updates the parameters by AdamATan2 or AdamW, their averages, and the puzzle
 * embeddings of the batch by sign-SGD; not what is frozen. */
void optimizer_step(struct engine *engine, double lr, double puzzle_lr);

#endif
