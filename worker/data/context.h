/*
 * context.h - the demonstrations that stand in front of a row's grid (model.md section
 * 9, data.context_pairs).
 *
 * A context is K slots of an input and an output canvas. They are filled from the end
 * with demonstrations of the row's task in the row's variant; a row that is itself a
 * demonstration is left out. Slots that stay free are PAD throughout, and so is the
 * whole context with arch.conditioning = padded_id.
 */
#ifndef WORKER_CONTEXT_H
#define WORKER_CONTEXT_H

#include "data_set.h"

/* Tokens of a context, 2 K T; 0: rows have none. */
int context_length(const struct data_set *set);

/*
 * The context of a training example. The number of the visit draws the order of the
 * demonstrations and, where there are more than K, which of them stand there. Each lies
 * where it lies as an example itself.
 */
void context_of_example(const struct data_set *set, int example, uint64_t visit,
                        int32_t *context);
/* The context of an evaluation row: the first K demonstrations in the order of the
 * file, all at (0, 0). */
void context_of_row(const struct data_set *set, enum data_split split, int row,
                    int32_t *context);

#endif
