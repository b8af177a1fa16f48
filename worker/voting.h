/*
 * voting.h - one test input's answers, ranked (model.md, section 6).
 *
 * Distinct answers are ranked by votes, then by the mean of sigmoid(q_halt) in float64,
 * then by first arrival. Answers differ if shape or any cell differs.
 */
#ifndef WORKER_VOTING_H
#define WORKER_VOTING_H

#include "error.h"
#include "grid.h"

struct vote_answer {
    /* owned by the ballot; cells beyond rows * columns are not there */
    struct grid *grid;
    uint64_t fingerprint;
    int votes;
    double q_sum; /* of sigmoid(q_halt), summed in order of arrival */
    int first;    /* arrival number of its first vote */
};

struct ballot {
    struct vote_answer *answers; /* owned; ranked after ballot_rank() */
    int count, room;
    int votes; /* in all */
};

/* A zeroed ballot is empty. Adds a vote in order of arrival; q_halt is the logit. */
int ballot_add(struct ballot *ballot, const struct grid *answer, double q_halt,
               struct error *err) MUST_CHECK;
void ballot_rank(struct ballot *ballot);
/* Place of grid among the ranked answers, from 1; 0: not there. */
int ballot_place(const struct ballot *ballot, const struct grid *grid);
void ballot_release(struct ballot *ballot);

/* A copy of grid that holds only its own cells; the caller's to free. NULL: no
 * memory. */
struct grid *grid_copy_small(const struct grid *grid);

#endif
