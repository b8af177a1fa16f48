/*
 * puzzle_ids.h - which puzzle embedding a row has at inference (model.md section 9,
 * arch.conditioning and eval.puzzle_id).
 */
#ifndef WORKER_PUZZLE_IDS_H
#define WORKER_PUZZLE_IDS_H

#include <stdint.h>

#include "data_set.h"
#include "engine.h"
#include "error.h"
#include "settings.h"

/* In the order of eval.puzzle_id's choices. */
enum puzzle_ids { PUZZLE_OWN, PUZZLE_BLANK, PUZZLE_RANDOM, PUZZLE_MEAN };

/* How the rows of a pass get their ids. A zeroed one: their own. */
struct puzzle_way {
    bool blank;        /* id 0 */
    int shift, modulo; /* else, with modulo > 0: id 1 + (id - 1 + shift) % modulo */
    float *saved;      /* owned; the blank row while the mean replaces it; NULL */
};

/*
 * Prepares inference by these ids in a model trained with the configuration's
 * arch.conditioning; seed draws the shift of PUZZLE_RANDOM. With PUZZLE_MEAN the
 * engine's blank row is the mean of the trained rows until puzzle_way_end(), which the
 * caller calls in any case. ERROR_FORMAT: the data have no other task's id for every
 * row; ERROR_NOMEM.
 */
int puzzle_way_begin(struct puzzle_way *way, struct engine *engine, const struct data_set *set,
                     const struct config *config, enum puzzle_ids ids, uint64_t seed,
                     struct error *err) MUST_CHECK;
void puzzle_way_end(struct puzzle_way *way, struct engine *engine);
/* The id that a row of this id gets. */
int32_t puzzle_way_id(const struct puzzle_way *way, int32_t id);

#endif
