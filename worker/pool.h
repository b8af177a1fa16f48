/*
 * pool.h - the predictions of a training's evaluations: those of interim ones, whose
 * votes later ones count too (eval.pool_checkpoints), and the answers of all outer
 * steps, from which evaluations follow without inference (eval.keep_predictions, hrmlab
 * revote).
 *
 * They are written to the attempt's directory before the evaluation's events, so that a
 * training that is resumed, and an evaluation that is asked for later, find them.
 */
#ifndef WORKER_POOL_H
#define WORKER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "predictions.h"
#include "scores.h"

struct job;
struct step_answers;

struct pool {
    const struct job *job;      /* borrowed */
    struct predictions **items; /* owned, and each of them; by step */
    int count;
    char **damaged; /* owned, and each of them: STEP-PASS of damaged files' names */
    int damaged_count;
    const struct predictions **chosen; /* owned; of pool_select() */
};

/* Reads what the attempts of the job's run up to its own have left, of steps up to
 * last. Damaged files are passed over with a warning, and noted. */
int pool_open(struct pool *out, const struct job *job, int64_t last,
              struct error *err) MUST_CHECK;
void pool_close(struct pool *pool); /* a zeroed one too */

/* ERROR_DAMAGED: a file of that pass before the step was damaged, and there is no
 * other. */
int pool_check_damaged(const struct pool *pool, const char *pass, int64_t step,
                       struct error *err) MUST_CHECK;
/* Those of that pass before the step, oldest first; the list is valid until the next
 * call, its items until the pool is closed. ERROR_FORMAT: an evaluation before has kept
 * others, and not that pass. ERROR_DAMAGED: as above. */
int pool_select(struct score_history *out, struct pool *pool, const char *pass, int64_t step,
                struct error *err) MUST_CHECK;
/* Takes predictions over, also on failure; write: to a file too. Those of the same pass
 * and step are replaced, unless they have more. */
int pool_add(struct pool *pool, struct predictions *predictions, bool write,
             struct error *err) MUST_CHECK;

/* Writes the answers of a pass to a file of the job's attempt. */
int pool_write_steps(const struct pool *pool, const struct step_answers *answers,
                     struct error *err) MUST_CHECK;
/* Which answers are wanted. */
struct pool_wanted {
    char pass[PREDICTIONS_PASS_SIZE];
    int64_t step;
    const char *weights_hash;
    int outer_steps, rollouts; /* at least */
};
/* Reads those answers from the files of the run's attempts up to the job's own.
 * ERROR_FORMAT: they are not there; it says what is, and what to do. */
int pool_find_steps(struct step_answers *out, const struct pool *pool,
                    const struct pool_wanted *wanted, struct error *err) MUST_CHECK;

#endif
