/*
 * evaluate.h - runs the inference of all evaluations of a job in as few passes as
 * possible.
 *
 * Evaluations of one split share a pass: the first k outer steps of a longer
 * evaluation are those of a shorter one, and halting rules that only choose the
 * answer's step need no further computation. Evaluations whose rows leave the batch
 * (ACT) share a pass per rule. An evaluation whose FLOPs do not allow all rows has a
 * pass of its own.
 */
#ifndef WORKER_EVALUATE_H
#define WORKER_EVALUATE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "engine.h"

struct config;
struct data_set;
struct job;
struct job_evaluation;
struct pool;
struct report;

/* Whether the pass of that name, in a file of predictions, is over the test split with
 * the rows' own puzzle ids and without rows that leave the batch, and not with weights
 * in place of their averages. */
bool evaluate_is_plain(const char *name);

/* ERROR_DAMAGED: of what the job's evaluations pool at that step of its training, the
 * pool lacks answers that are damaged. */
int evaluate_check_pools(const struct pool *pool, const struct job *job, int64_t step,
                         struct error *err) MUST_CHECK;

struct evaluate_context {
    struct engine *engine;              /* borrowed */
    const struct engine_config *config; /* borrowed; the engine's */
    const struct data_set *set;         /* borrowed; opened with variants */
    struct report *report;              /* borrowed */
    int64_t step, total_steps;          /* of the training, for the events */
    const char *checkpoint;             /* "untrained", "interim", "last" */
    bool outcomes;                      /* write outcome events too */
    const char *submission_path;        /* borrowed; NULL: write none */
    /* FLOPs that each evaluation may cost. If its rows cost more, a sample drawn by
     * the seed is evaluated, at least one row. 0: no limit */
    double flops, row_step_flops; /* FLOPs of one row and outer step */
    uint64_t seed;
    /* borrowed; NULL: no votes of earlier evaluations, and no answers are kept */
    struct pool *pool;
    /* borrowed; why evaluations are missing whose votes a pool has to count; NULL or
     * code 0: none are */
    const struct error *lost_history;
    const struct config *settings; /* borrowed; the job's */
    const char *weights_hash;      /* borrowed; of a trained model's parameters; else
                                    * "" */
    /* the answers are those that an earlier evaluation of the same weights has kept */
    bool from_kept;
    /* borrowed; gets the token loss of an evaluation that is not finite, beside
     * ERROR_FORMAT; NULL: it is an error like any other */
    double *divergent_loss;
};

/*
 * Runs all passes and writes an `evaluation` event for each evaluation (and its
 * `outcome` events before it). selected: which of the count evaluations; NULL: all. The
 * submission is that of the evaluation of the test split with the most augmentations,
 * then the most outer steps. ERROR_STOPPED: a stop was requested; no event of the
 * interrupted pass was written. ERROR_FORMAT: a token loss is NaN or Inf, and no event
 * was written of that evaluation; with from_kept: what is asked for does not follow
 * from what was kept; or votes of earlier evaluations that an evaluation pools are
 * missing: it is left out, and all others have their events.
 */
int evaluate_run(const struct evaluate_context *context,
                 const struct job_evaluation *evaluations, int count, const bool *selected,
                 struct error *err) MUST_CHECK;

#endif
