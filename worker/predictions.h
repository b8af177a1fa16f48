/*
 * predictions.h - the answers of one inference pass, kept compactly: for votes that
 * accumulate over the evaluations of a training (eval.pool_checkpoints).
 *
 * An answer is a number among the pass's distinct grids. The file is a safetensors
 * file, described in docs/formats.md.
 */
#ifndef WORKER_PREDICTIONS_H
#define WORKER_PREDICTIONS_H

#include <stdint.h>

#include "error.h"
#include "grid_list.h"
#include "halt_rule.h"

enum { PREDICTIONS_PASS_SIZE = 80 };

/* Where answers are taken: at an outer step, or by a rule before it. */
struct prediction_slot {
    int outer_steps;
    struct halt_rule rule;
    /* owned; (rollouts, rows), by rollout */
    int32_t *answers; /* number of the grid; -1: the row was not predicted */
    int32_t *used;    /* outer steps made */
    double *q_halt;   /* the logit */
};

struct predictions {
    char pass[PREDICTIONS_PASS_SIZE]; /* which pass of an evaluation; no quotes */
    int64_t step;                     /* training steps made */
    int rows, rollouts;
    struct prediction_slot *slots; /* owned */
    int slot_count;
    struct grid_list grids; /* owned */
};

/* A zeroed one too. */
void predictions_release(struct predictions *predictions);
/* Room for the arrays of slot_count slots. ERROR_NOMEM. */
int predictions_allocate(struct predictions *out, int slot_count, int rows, int rollouts,
                         struct error *err) MUST_CHECK;

/* The slot that requests of this kind read; NULL: there is none. */
const struct prediction_slot *predictions_slot(const struct predictions *predictions,
                                               int outer_steps, const struct halt_rule *rule);

/* Writes path atomically and durably. */
int predictions_write(const struct predictions *predictions, const char *path,
                      const char *run_hash, struct error *err) MUST_CHECK;
/* ERROR_DAMAGED: not the predictions of that run, or damaged; ERROR_ABSENT, ERROR_IO,
 * ERROR_NOMEM. */
int predictions_read(struct predictions *out, const char *path, const char *run_hash,
                     struct error *err) MUST_CHECK;

#endif
