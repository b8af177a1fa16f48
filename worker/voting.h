/*
 * voting.h - ranks the answers to one test input (model.md, section 6).
 *
 * Distinct answers are ranked by votes, then by the mean of sigmoid(q_halt) in
 * float64, then by first arrival. Answers differ if their shapes or any cells differ.
 */
#ifndef WORKER_VOTING_H
#define WORKER_VOTING_H

#include "error.h"
#include "grid.h"

struct vote_answer {
    /* owned by the ballot; only rows * columns cells are allocated */
    struct grid *grid;
    uint64_t fingerprint;
    int votes;
    double q_sum; /* of sigmoid(q_halt), summed in order of arrival */
    int first;    /* arrival number of its first vote */
};

struct ballot {
    struct vote_answer *answers; /* owned; ranked after ballot_rank() */
    int count, room;
    int votes; /* number of all votes */
};

/* Adds a vote, in order of arrival; q_halt is the logit. A zeroed ballot is empty. */
int ballot_add(struct ballot *ballot, const struct grid *answer, double q_halt,
               struct error *err) MUST_CHECK;
void ballot_rank(struct ballot *ballot);
/* Rank of grid among the answers, from 1; 0: it is not among them. */
int ballot_place(const struct ballot *ballot, const struct grid *grid);
void ballot_release(struct ballot *ballot);

/* A copy of grid that holds only its own cells; the caller's to free. NULL: no
 * memory. */
struct grid *grid_copy_small(const struct grid *grid);

#endif
