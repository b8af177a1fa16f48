/* voting.c - counting votes and ranking answers. */
#include "voting.h"

#include "error.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct grid *grid_copy_small(const struct grid *grid)
{
    size_t size = offsetof(struct grid, cells) + (size_t)grid->rows * grid->columns;
    assert(size <= sizeof *grid);
    struct grid *copy = malloc(size);

    if (copy != NULL)
        memcpy(copy, grid, size);
    return copy;
}

static struct vote_answer *find(const struct ballot *ballot, const struct grid *grid)
{
    uint64_t fingerprint = grid_fingerprint(grid);

    for (int i = 0; i < ballot->count; i++)
        if (ballot->answers[i].fingerprint == fingerprint &&
            grid_equal(ballot->answers[i].grid, grid))
            return &ballot->answers[i];
    return NULL;
}

int ballot_add(struct ballot *ballot, const struct grid *answer, double q_halt,
               struct error *err)
{
    struct vote_answer *there = find(ballot, answer);

    if (there == NULL) {
        if (ballot->count == ballot->room) {
            int room = ballot->room == 0 ? 4 : 2 * ballot->room;
            struct vote_answer *larger =
                realloc(ballot->answers, (size_t)room * sizeof *larger);
            if (larger == NULL)
                return error_set(err, ERROR_NOMEM, "no memory for the votes");
            ballot->answers = larger;
            ballot->room = room;
        }
        there = &ballot->answers[ballot->count];
        *there = (struct vote_answer){ .grid = grid_copy_small(answer),
                                       .fingerprint = grid_fingerprint(answer),
                                       .first = ballot->votes };
        if (there->grid == NULL)
            return error_set(err, ERROR_NOMEM, "no memory for the votes");
        ballot->count++;
    }
    there->votes++;
    there->q_sum += 1.0 / (1.0 + exp(-q_halt));
    ballot->votes++;
    return 0;
}

static int compare_answers(const void *a, const void *b)
{
    const struct vote_answer *x = a, *y = b;
    double mean_x = x->q_sum / x->votes, mean_y = y->q_sum / y->votes;

    assert(x->votes > 0 && y->votes > 0);
    if (x->votes != y->votes)
        return x->votes > y->votes ? -1 : 1;
    if (mean_x > mean_y)
        return -1;
    if (mean_x < mean_y)
        return 1;
    return x->first < y->first ? -1 : 1;
}

void ballot_rank(struct ballot *ballot)
{
    if (ballot->count > 0)
        qsort(ballot->answers, (size_t)ballot->count, sizeof *ballot->answers, compare_answers);
}

int ballot_place(const struct ballot *ballot, const struct grid *grid)
{
    const struct vote_answer *answer = find(ballot, grid);

    return answer == NULL ? 0 : (int)(answer - ballot->answers) + 1;
}

void ballot_release(struct ballot *ballot)
{
    for (int i = 0; i < ballot->count; i++)
        free(ballot->answers[i].grid);
    free(ballot->answers);
    *ballot = (struct ballot){ 0 };
}
