/*
 * evaluate.h - inference for every evaluation of a job in as few passes as possible.
 *
 * Evaluations of one split share one pass: k outer steps are a prefix of more, and
 * where a row's answer is taken by a halting rule is seen on the way. Those whose rows
 * leave the batch (ACT) share another for each rule. An evaluation whose FLOPs do not
 * allow all rows has a pass of its own.
 */
#ifndef WORKER_EVALUATE_H
#define WORKER_EVALUATE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "engine.h"

struct config;
struct data_set;
struct job_evaluation;
struct report;

struct evaluate_context {
    struct engine *engine;              /* borrowed */
    const struct engine_config *config; /* borrowed; the engine's */
    const struct data_set *set;         /* borrowed; opened with variants */
    struct report *report;              /* borrowed */
    int64_t step, total_steps;          /* of the training, for the events */
    const char *checkpoint;             /* "untrained", "interim", "last" */
    bool outcomes;                      /* write outcome events, too */
    const char *submission_path;        /* borrowed; NULL: write none */
    /* FLOPs that each evaluation may cost; more: a choice of rows that the seed
     * decides, at least one row. 0: no limit */
    double flops, row_step_flops; /* the latter: of one row and outer step */
    uint64_t seed;
    const struct config *settings; /* borrowed; those that the model was trained with */
};

/*
 * Evaluates, pass after pass, and writes an `evaluation` event of each evaluation (and
 * its `outcome` events before it). selected: which of count evaluations; NULL: all. The
 * submission is that of the evaluation of the test split with most augmentations, then
 * most outer steps. ERROR_STOPPED: a stop was requested; no event of the interrupted
 * pass was written.
 */
int evaluate_run(const struct evaluate_context *context,
                 const struct job_evaluation *evaluations, int count, const bool *selected,
                 struct error *err) MUST_CHECK;

#endif
