/*
 * batches.h - the order of training: epochs over groups, cut into full batches.
 *
 * An epoch visits the groups in random order; from each it draws one variant and then
 * all its pairs in random order, cut at the batch's end (the remainder of that visit is
 * lost). The epochs of one train.eval_interval are one stream; only that stream's
 * incomplete last batch is dropped. Every draw comes from a stream named by epoch and
 * visit, so a position in the training is saved as four numbers.
 *
 * data.batch_order prescribes the batches instead. Its length ends the training, while
 * the schedule of rates is that of the settings.
 */
#ifndef WORKER_BATCHES_H
#define WORKER_BATCHES_H

#include "error.h"
#include "data_set.h"

#include <cjson/cJSON.h>

struct batches; /* opaque */

/* Borrows set. ERROR_FORMAT: a stream holds not even one full batch. */
int batches_create(struct batches **out, const struct data_set *set,
                   const struct config *config, struct error *err) MUST_CHECK;
void batches_destroy(struct batches *batches);

/* Training steps of the whole training: the schedule's total. */
int64_t batches_total_steps(const struct batches *batches);

enum batches_next {
    BATCHES_READY,    /* a full batch was written */
    BATCHES_INTERVAL, /* an eval_interval has ended: evaluate, then call again */
    BATCHES_END       /* training is over */
};

/* Writes inputs (B, U: context, then grid), labels (B, T) and puzzle_identifiers (B).
 * Returns BATCHES_END also once total_steps batches were given out. */
enum batches_next batches_next(struct batches *batches, int32_t *inputs, int32_t *labels,
                               int32_t *puzzle_identifiers);

/* The same batch as the numbers of its examples (B), as data_set_example() takes
 * them. */
enum batches_next batches_next_examples(struct batches *batches, int *examples);

/* Whether the settings give a training step of these data, and each stream a batch;
 * where there is a data.batch_order, whether it fits them. */
int batches_check(const struct data_info *info, const struct config *config,
                  struct error *err) MUST_CHECK;

/* Saves the position as a small JSON object, and restores it. An object that does
 * not fit these settings is ERROR_DAMAGED. */
cJSON *batches_save(const struct batches *batches);
int batches_restore(struct batches *batches, const cJSON *position,
                    struct error *err) MUST_CHECK;

/* The number of steps from configuration and counts alone. */
int64_t batches_count_steps(const struct config *config, int groups,
                            double mean_puzzle_examples);

#endif
