/*
 * train_position.h - the position of a training, apart from the engine's state, as
 * JSON.
 */
#ifndef WORKER_TRAIN_POSITION_H
#define WORKER_TRAIN_POSITION_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "error.h"
#include "metrics.h"

struct batches;
struct job;

struct train_position {
    struct metrics metrics; /* since the last metric event */
    /* wall time of the training steps up to here, over all attempts, without steps
     * that were lost or abandoned */
    double train_seconds;
    double evaluation_seconds; /* likewise, of evaluations */
    /* whether an eval_interval has ended whose evaluation is due */
    bool interim_due;
    /* owned; the batches' position then; NULL unless interim_due */
    cJSON *interval_end;
    /* owned; list of the canonical texts of the untrained model's evaluations that
     * have been reported */
    cJSON *untrained;
};

int train_position_init(struct train_position *out, struct error *err) MUST_CHECK;
void train_position_release(struct train_position *position);

/* JSON text, exact to the last bit. Newly allocated; NULL: no memory. */
char *train_position_to_text(const struct train_position *position,
                             const struct batches *batches);
/* Fills *position and moves batches to it. ERROR_DAMAGED; name is for the message. */
int train_position_from_text(struct train_position *position, struct batches *batches,
                             const char *text, const char *name, struct error *err) MUST_CHECK;

/* Whether the untrained model's result of this evaluation (canonical text) has been
 * reported; the second records that it has. */
bool train_position_has_untrained(const struct train_position *position, const char *canonical);
int train_position_add_untrained(struct train_position *position, const char *canonical,
                                 struct error *err) MUST_CHECK;

#endif
