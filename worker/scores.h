/*
 * scores.h - computes votes, pass@k and accuracies from the predictions of all
 * variants.
 *
 * One inference pass over the rows of a split serves any number of evaluations that
 * differ in outer steps and in how many augmentations vote (model.md, section 6).
 */
#ifndef WORKER_SCORES_H
#define WORKER_SCORES_H

#include "error.h"
#include "data_set.h"
#include "grid.h"
#include "halt_rule.h"
#include "measure.h"

#include <cjson/cJSON.h>

struct predictions;
struct step_answers;
struct scores; /* opaque */

/* Which rollouts of a row vote, in the order of eval.choose's choices. */
enum rollout_choice { CHOOSE_VOTE, CHOOSE_Q, CHOOSE_FIRST_HALT };

struct score_request {
    int outer_steps;       /* the step at which this evaluation reads predictions */
    int64_t augmentations; /* predictions voted over per test; 0: all */
    uint64_t eval_seed;    /* draws them */
    struct halt_rule rule; /* by which a row may halt before outer_steps */
    int rollouts;          /* the first of them count; 0 is taken as 1 */
    enum rollout_choice choose;
    /* evaluations whose votes are counted together, this one the last; 0: all */
    int64_t pool;
};

/* The predictions of earlier evaluations of the training, oldest first; borrowed. */
struct score_history {
    const struct predictions *const *items;
    int count;
};

/* Shares in [0, 1]; tests without a published solution are not counted. */
struct score_result {
    /* by enum metric; means over labelled rows or tasks; NaN: the data have no such
     * measure */
    double values[METRIC_RECORDED];
    int tasks, rows; /* scored */
};

struct score_outcome {
    int task, test_index;
    int rank; /* of the solution, from 1; 0: not among the answers */
    int votes, predictions;
    double per_token_accuracy; /* mean over the rows of all its variants */
    /* of the vote: number of different answers, the lead of the first, the entropy */
    int distinct;
    double margin, entropy;
};

/* Borrows set; copies requests. ERROR_NOMEM. */
int scores_create(struct scores **out, const struct data_set *set, enum data_split split,
                  const struct score_request *requests, int count,
                  struct error *err) MUST_CHECK;
/* Announces that only some rows will be added: tests without rows are not scored. */
void scores_take_some(struct scores *scores);
void scores_destroy(struct scores *scores);
/* What is added from now on is of this rollout, from 0; at first it is 0. */
void scores_set_rollout(struct scores *scores, int rollout);
/* What requests with a pool count besides. ERROR_FORMAT: some of it lacks what a
 * request reads; lacking (one per request) tells which, and others count it. */
int scores_set_history(struct scores *scores, const struct score_history *history,
                       bool *lacking, struct error *err) MUST_CHECK;
/* All that was added, for later evaluations; *out is the caller's to release. */
int scores_predictions(struct predictions *out, const struct scores *scores,
                       struct error *err) MUST_CHECK;

/* A row's answer as it is read from its predictions. */
struct score_reading {
    struct grid grid;
    int32_t known, right; /* labelled tokens; of them right */
};
/* Reads it; arrays as for scores_add(). Several threads may do that at the same
 * time. */
void scores_read(struct score_reading *out, const struct scores *scores, int row,
                 const int32_t *predictions, const int32_t *labels);

/* A row's answer with what is known of it. */
struct score_answer {
    const struct grid *grid; /* borrowed */
    int known, right;        /* labelled tokens; of them right */
    float q_halt;            /* the logit */
    double lm_loss;          /* the row's token loss, or 0 */
    int used;                /* outer steps */
};
/* Adds it at one outer step, as scores_add() does. */
int scores_add_answer(struct scores *scores, int request, int row,
                      const struct score_answer *answer, struct error *err) MUST_CHECK;

/*
 * Adds one row's prediction at one outer step. With ACT at inference, add the one at
 * which the row halted to every request. request is an index. Rows may come in any
 * order.
 *   predictions (T); labels (T) with -100 as data_set_row() made them
 *   q_halt: the logit; lm_loss: the row's token loss, or 0; used: outer steps used
 */
int scores_add(struct scores *scores, int request, int row, const int32_t *predictions,
               const int32_t *labels, float q_halt, double lm_loss, int used,
               struct error *err) MUST_CHECK;

/* Whether the request takes a row's answer after this outer step, if it has taken none
 * before: at its last step, or where the row halts by its rule. */
static inline bool scores_takes(const struct score_request *request, int step,
                                const struct halt_signs *signs)
{
    return request->outer_steps == step ||
           (request->outer_steps > step && halt_rule_halts(&request->rule, signs));
}

/* From now on every row's answer after each of so many outer steps is to be noted.
 * ERROR_NOMEM. */
int scores_keep_steps(struct scores *scores, int outer_steps, struct error *err) MUST_CHECK;
/* A row's outputs after an outer step, from 1. */
struct score_step {
    int step;
    const struct score_reading *answer; /* borrowed */
    const struct halt_signs *signs;     /* borrowed */
    double lm_loss;
};
int scores_note_step(struct scores *scores, int row, const struct score_step *step,
                     struct error *err) MUST_CHECK;
/* Hands over all that was noted: *out is the caller's to release and to complete by
 * pass, step and weights. */
int scores_take_steps(struct step_answers *out, struct scores *scores,
                      struct error *err) MUST_CHECK;
/* Adds to every request what it takes of answers noted by the pass that it belongs to:
 * the same as inference does. They must reach its outer steps and rollouts. */
int scores_add_steps(struct scores *scores, const struct step_answers *answers,
                     struct error *err) MUST_CHECK;

/* Votes and computes the measures of one request. outcomes: newly allocated, the
 * caller's to free; one per scored test. */
int scores_finish(struct scores *scores, int request, struct score_result *result,
                  struct score_outcome **outcomes, int *outcome_count,
                  struct error *err) MUST_CHECK;

/* The Kaggle form of the request's first two answers: an object, task -> list of
 * {attempt_1, attempt_2}. Newly allocated; NULL: no memory. Call scores_finish()
 * first. */
cJSON *scores_submission(const struct scores *scores, int request);

/* Scores the answer that copies the input: per-token accuracy and exact rows over
 * the original rows, pass@1 = pass@2 over tasks. */
int scores_copy_baseline(const struct data_set *set, enum data_split split,
                         struct score_result *result, struct error *err) MUST_CHECK;

#endif
