/*
 * puzzle_ids.h - chooses the puzzle embedding of each row at inference (model.md
 * section 9, arch.conditioning and eval.puzzle_id).
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

/* How the rows of a pass get their ids. Zeroed: each row has its own. */
struct puzzle_way {
    bool blank; /* id 0 */
    /* if not blank and modulo > 0: id 1 + (id - 1 + shift) % modulo */
    int shift, modulo;
    int32_t *map; /* if not NULL: id 1 + map[id - 1]; owned */
    /* owned; the blank embedding while the mean replaces it, else NULL */
    float *saved;
};

/* ERROR_FORMAT: data with these numbers of ids and variants have no id of another task
 * for some row, however it is drawn. */
int puzzle_ids_check(const struct data_info *info, struct error *err) MUST_CHECK;

/*
 * Prepares inference with these ids in a model trained with the configuration's
 * arch.conditioning. seed draws the exchange of PUZZLE_RANDOM; with random_id, the
 * bijection of all evaluations of a run is drawn by its seed of the data. With
 * PUZZLE_MEAN the engine's blank embedding is the mean of the trained ones until
 * puzzle_way_end(), which the caller must always call. ERROR_FORMAT: for some row the
 * data have no id of another task; ERROR_NOMEM.
 */
int puzzle_way_begin(struct puzzle_way *way, struct engine *engine, const struct data_set *set,
                     const struct config *config, enum puzzle_ids ids, uint64_t seed,
                     struct error *err) MUST_CHECK;
void puzzle_way_end(struct puzzle_way *way, struct engine *engine);
/* The id used for a row whose own id is id. */
int32_t puzzle_way_id(const struct puzzle_way *way, int32_t id);

#endif
