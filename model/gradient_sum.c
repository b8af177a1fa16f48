/* gradient_sum.c - rounds of swaps between ranks. */
#include "gradient_sum.h"

#include <assert.h>
#include <stdlib.h>

#include "kernels.h"

/* Gradients are swapped in parts of at most so many floats. */
enum { PART = 1 << 20 };
/* Both parts of a range that is halved begin at a multiple of so many floats. */
enum { HALF_GRAIN = 64 };

_Static_assert(PART * sizeof(float) <= EXCHANGE_MOST_STARTED, "a part is one swap");

struct gradient_sum {
    const struct exchange *exchange; /* borrowed */
    const struct pieces *pieces;     /* borrowed */
    const struct kernels *kernels;   /* static table */
    int levels;                      /* of the tree: log2 of the ranks */
    float *arrived;                  /* (part_most), owned; to be added */
    size_t part_most;
    /* of the current step: */
    int piece, round;           /* where it is */
    struct float_range out, in; /* of the round: what is still to be swapped */
    int begun;                  /* pieces of which a swap was started */
    float *swapping;            /* the gradients of the swap that goes on; NULL: none */
};

/* The floats of the largest message that is to be added. */
static size_t largest_part(const struct pieces *pieces)
{
    size_t most = HALF_GRAIN;

    for (int p = 0; p < pieces->count; p++) {
        size_t half = (pieces->ranges[p].end - pieces->ranges[p].first) / 2 + HALF_GRAIN;

        most = half > most ? half : most;
    }
    return most < PART ? most : PART;
}

int gradient_sum_create(struct gradient_sum **out, const struct exchange *exchange,
                        const struct pieces *pieces, const struct kernels *kernels,
                        struct error *err)
{
    struct gradient_sum *sum = calloc(1, sizeof *sum);

    *out = NULL;
    if (sum != NULL) {
        sum->part_most = largest_part(pieces);
        sum->arrived = calloc(sum->part_most, sizeof *sum->arrived);
    }
    if (sum == NULL || sum->arrived == NULL) {
        gradient_sum_destroy(sum);
        return error_set(err, ERROR_NOMEM, "no memory for a message of gradients");
    }
    sum->exchange = exchange;
    sum->pieces = pieces;
    sum->kernels = kernels;
    while (1 << sum->levels < exchange->count)
        sum->levels++;
    sum->piece = pieces->count;
    *out = sum;
    return 0;
}

void gradient_sum_destroy(struct gradient_sum *sum)
{
    if (sum == NULL)
        return;
    free(sum->arrived);
    free(sum);
}

/* The level of the tree at which a rank meets its neighbour in this round. */
static int level_of(const struct gradient_sum *sum)
{
    return sum->round < sum->levels ? sum->round : 2 * sum->levels - 1 - sum->round;
}

/* The halves of a piece, or of a half of the level below, of this rank and of its
 * neighbour at a level. */
static void halve(const struct gradient_sum *sum, int level, struct float_range *own,
                  struct float_range *other)
{
    struct float_range all = sum->pieces->ranges[sum->piece];

    for (int l = 0; l <= level; l++) {
        size_t middle = (all.first + all.end) / 2 / HALF_GRAIN * HALF_GRAIN;
        bool upper = (sum->exchange->rank >> l & 1) != 0;

        if (middle < all.first)
            middle = all.first;
        const struct float_range low = { all.first, middle }, high = { middle, all.end };
        *own = upper ? high : low;
        *other = upper ? low : high;
        all = *own;
    }
}

static void begin_round(struct gradient_sum *sum)
{
    if (sum->piece >= sum->pieces->count)
        return;
    if (sum->round < sum->levels)
        halve(sum, level_of(sum), &sum->in, &sum->out);
    else
        halve(sum, level_of(sum), &sum->out, &sum->in);
}

void gradient_sum_begin(struct gradient_sum *sum)
{
    sum->piece = sum->round = sum->begun = 0;
    begin_round(sum);
}

/* Goes on to a round in which something is still to be swapped. false: there is none in
 * the first `count` pieces. */
static bool find_round(struct gradient_sum *sum, int count)
{
    while (sum->piece < count) {
        if (sum->out.first < sum->out.end || sum->in.first < sum->in.end)
            return true;
        if (++sum->round == 2 * sum->levels) {
            sum->round = 0;
            sum->piece++;
        }
        begin_round(sum);
    }
    return false;
}

static size_t part_of(const struct gradient_sum *sum, const struct float_range *range)
{
    size_t left = range->end - range->first;

    return left < sum->part_most ? left : sum->part_most;
}

static void start_swap(struct gradient_sum *sum, float *gradients)
{
    const struct exchange *x = sum->exchange;
    bool adds = sum->round < sum->levels;

    x->start_swap(x->context, x->rank ^ (1 << level_of(sum)), gradients + sum->out.first,
                  part_of(sum, &sum->out) * sizeof *gradients,
                  adds ? sum->arrived : gradients + sum->in.first,
                  part_of(sum, &sum->in) * sizeof *gradients);
    sum->begun = sum->piece + 1;
    sum->swapping = gradients;
}

/* After a swap has ended. */
static void take_part(struct gradient_sum *sum)
{
    size_t sent = part_of(sum, &sum->out), got = part_of(sum, &sum->in);

    if (sum->round < sum->levels)
        sum->kernels->add(sum->swapping + sum->in.first, sum->arrived, got);
    sum->out.first += sent;
    sum->in.first += got;
    sum->swapping = NULL;
}

/* Adds the first `count` pieces; waits: until that is done. */
static void add_pieces(struct gradient_sum *sum, float *gradients, int count, bool waits)
{
    const struct exchange *x = sum->exchange;

    for (;;) {
        if (sum->swapping != NULL) {
            if (!x->has_swapped(x->context, waits))
                return;
            take_part(sum);
        }
        if (!find_round(sum, count))
            return;
        start_swap(sum, gradients);
    }
}

void gradient_sum_advance(struct gradient_sum *sum, float *gradients, int count)
{
    add_pieces(sum, gradients, count, false);
}

void gradient_sum_finish(struct gradient_sum *sum, float *gradients, int count)
{
    add_pieces(sum, gradients, count, true);
    assert(sum->swapping == NULL);
    sum->piece = sum->pieces->count;
}

int gradient_sum_begun(const struct gradient_sum *sum)
{
    return sum->begun;
}
