/*
 * scores_internal.h - what the files of scores.h share.
 */
#ifndef WORKER_SCORES_INTERNAL_H
#define WORKER_SCORES_INTERNAL_H

#include "answer_store.h"
#include "grid_list.h"
#include "scores.h"

struct kept {
    double q_halt, accuracy, lm_loss;
    int answer; /* its number in the test's answer store */
    int used;
    bool here, labelled, exact; /* here: the row has arrived */
    bool shortest;              /* whether its path is a shortest one */
};

struct slot {
    int outer_steps;
    struct halt_rule rule;
    struct kept *rows; /* owned: (rollouts, rows of the split) */
};

struct scores {
    const struct data_set *set; /* borrowed */
    enum data_split split;
    int row_count;
    int rollouts, rollout;          /* most of a request; the one being added */
    struct score_history history;   /* borrowed */
    struct score_request *requests; /* owned */
    int *slot_of;                   /* owned: per request */
    int request_count;
    struct slot *slots; /* owned */
    int slot_count;
    int *first_row;  /* owned: (tasks + 1), each task's first row */
    int *first_test; /* owned: (tasks + 1), each task's first test among all tests */
    struct answer_store *answers; /* owned: per test */
    bool some;                    /* whether tests without any row are skipped */
    struct step_answers *steps;   /* owned; NULL: answers of all steps are not kept */
};

/* The store of the test that the row answers. */
struct answer_store *scores_store(const struct scores *scores, int row);

/* Lists the distinct answers of all tests; first: (tests + 1) number of the first of
 * each. ERROR_NOMEM. */
int scores_list_grids(struct grid_list *out, int *first, const struct scores *scores,
                      struct error *err) MUST_CHECK;

/* Fills in pass@2 by the size of the solution, from the outcomes of all scored tests,
 * those of a task together; NaN: no such tests, or all are of one size. */
void scores_sum_sizes(const struct scores *scores, const struct score_outcome *outcomes,
                      int count, struct score_result *out);

/* Counts the labelled tokens, and those of them that are right. */
void scores_count_tokens(int32_t *known, int32_t *right, const int32_t *predictions,
                         const int32_t *labels, int count);

#endif
