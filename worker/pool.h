/*
 * pool.h - the predictions of a training's earlier evaluations, whose votes later ones
 * count too (eval.pool_checkpoints).
 *
 * Each interim evaluation's are written to the attempt's directory before its events,
 * so that a training that is resumed, and an evaluation that is asked for later, find
 * them.
 */
#ifndef WORKER_POOL_H
#define WORKER_POOL_H

#include <stdint.h>

#include "error.h"
#include "predictions.h"
#include "scores.h"

struct job;

struct pool {
    const struct job *job;      /* borrowed */
    struct predictions **items; /* owned, and each of them; by step */
    int count;
    const struct predictions **chosen; /* owned; of pool_select() */
};

/* Reads what the attempts of the job's run up to its own have left, of steps up to
 * last; damaged files are passed over with a warning. */
int pool_open(struct pool *out, const struct job *job, int64_t last,
              struct error *err) MUST_CHECK;
void pool_close(struct pool *pool); /* a zeroed one too */

/* Those of that pass before the step, oldest first; the list is valid until the next
 * call, its items until the pool is closed. */
int pool_select(struct score_history *out, struct pool *pool, const char *pass, int64_t step,
                struct error *err) MUST_CHECK;
/* Takes predictions over, also on failure, and writes them to a file. Those of the same
 * pass and step are replaced. */
int pool_add(struct pool *pool, struct predictions *predictions, struct error *err) MUST_CHECK;

#endif
