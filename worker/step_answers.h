/*
 * step_answers.h - every row's answer after every outer step of an inference pass, kept
 * compactly: from it votes, pools and halting rules follow without inference.
 *
 * An answer is a number among the pass's distinct grids. The file is a safetensors
 * file, described in docs/formats.md.
 */
#ifndef WORKER_STEP_ANSWERS_H
#define WORKER_STEP_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "grid_list.h"
#include "halt_rule.h"
#include "hash.h"
#include "predictions.h"

struct score_request;

struct step_answers {
    char pass[PREDICTIONS_PASS_SIZE]; /* which pass of an evaluation; no quotes */
    int64_t step;                     /* training steps made */
    /* of the parameters, at the end of a training; else "" */
    char weights_hash[HASH_HEX_SIZE];
    int outer_steps, rollouts, rows;
    int32_t *known; /* owned; (rows) labelled tokens */
    /* owned; (outer_steps, rollouts, rows), at step_answers_at() */
    double *loss;               /* mean over the labelled tokens */
    int32_t *answers;           /* number of the grid; -1: the row was not computed */
    int32_t *right;             /* labelled tokens that are right */
    float *q_halt, *q_continue; /* logits */
    float *change;              /* relative change of zH, as ENGINE_CHANGE */
    uint8_t *halts;             /* whether the system's own halting test passed */
    uint8_t *same;              /* whether no token differs from the answer one step
                                 * before */
    struct grid_list grids;     /* owned */
};

/* Room for so many answers, none of them there. ERROR_NOMEM. */
int step_answers_allocate(struct step_answers *out, int outer_steps, int rollouts, int rows,
                          struct error *err) MUST_CHECK;
void step_answers_release(struct step_answers *answers); /* a zeroed one too */
/* The bytes that so many answers take in memory and in a file, the grids aside. */
double step_answers_bytes(int outer_steps, int rollouts, int rows);

/* Place of a row's answer; step from 1, rollout from 0. */
size_t step_answers_at(const struct step_answers *answers, int step, int rollout, int row);
/*
 * The first outer step at which a request takes the row's answer, by its rule or as its
 * last; 0: the row was not computed so far.
 */
int step_answers_taken(const struct step_answers *answers, const struct score_request *request,
                       int rollout, int row);

/* The answers of the slots that the requests read, as votes of a pool count them; slots
 * of more outer steps than there are are left out. ERROR_NOMEM. */
int step_answers_predictions(struct predictions *out, const struct step_answers *answers,
                             const struct score_request *requests, int count,
                             struct error *err) MUST_CHECK;

/* Writes path atomically and durably. */
int step_answers_write(const struct step_answers *answers, const char *path,
                       const char *run_hash, struct error *err) MUST_CHECK;
/* ERROR_DAMAGED: not the answers of that run, or damaged; ERROR_ABSENT, ERROR_IO,
 * ERROR_NOMEM. */
int step_answers_read(struct step_answers *out, const char *path, const char *run_hash,
                      struct error *err) MUST_CHECK;

#endif
