/* ranks.c - orders to other ranks, the end of a step that all take, and what they
 * exchange then. */
#include "ranks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"

enum { REPORT_END = -1 };
enum verdict { VERDICT_COUNTS, VERDICT_STOP };

struct ranks {
    const struct exchange *exchange; /* borrowed */
    /* of the current step: */
    bool *ended; /* (count), owned; of rank 0: who has ended its part */
    int working; /* of rank 0: how many others have not */
    /* of rank 0: whether it has told the others to stop; of others: whether it was
     * told */
    bool stopped;
};

int ranks_create(struct ranks **out, const struct engine_config *config, struct error *err)
{
    const struct exchange *exchange = config->exchange;

    *out = NULL;
    if (exchange == NULL || exchange->count == 1)
        return 0;
    struct ranks *ranks = calloc(1, sizeof *ranks);
    if (ranks != NULL) {
        ranks->exchange = exchange;
        ranks->ended = calloc((size_t)exchange->count, sizeof *ranks->ended);
    }
    if (ranks == NULL || ranks->ended == NULL) {
        ranks_destroy(ranks);
        return error_set(err, ERROR_NOMEM, "no memory for the data of the ranks");
    }
    *out = ranks;
    return 0;
}

void ranks_destroy(struct ranks *ranks)
{
    if (ranks == NULL)
        return;
    free(ranks->ended);
    free(ranks);
}

/* ---- Orders. ---- */

bool ranks_orders(const struct exchange *exchange)
{
    return exchange != NULL && exchange->count > 1 && exchange->rank == 0;
}

/* Along a tree: rank r gets it from r without its lowest bit, and passes it on to r +
 * 1, r + 2, r + 4, ... up to that bit. */
void ranks_broadcast(const struct exchange *x, void *data, size_t bytes)
{
    int bit = 1;

    if (x == NULL)
        return;
    while (bit < x->count && (x->rank & bit) == 0)
        bit *= 2;
    if (x->rank > 0)
        x->receive(x->context, x->rank - bit, EXCHANGE_ORDERS, data, bytes);
    for (bit /= 2; bit > 0; bit /= 2)
        if (x->rank + bit < x->count)
            x->send(x->context, x->rank + bit, EXCHANGE_ORDERS, data, bytes);
}

void ranks_hand_out(const struct exchange *x, const void *data, size_t bytes)
{
    assert(x->rank == 0);
    for (int bit = x->count / 2; bit > 0; bit /= 2)
        x->send(x->context, bit, EXCHANGE_ORDERS, data, bytes);
}

void ranks_order(const struct exchange *exchange, struct order order)
{
    if (ranks_orders(exchange))
        ranks_hand_out(exchange, &order, sizeof order);
}

void ranks_hand_out_batch(const struct engine *engine, const struct engine_batch *batch,
                          int rows)
{
    const struct exchange *x = engine->config.exchange;
    size_t count = (size_t)rows;

    ranks_hand_out(x, batch->inputs, count * (size_t)engine->U * sizeof(int32_t));
    ranks_hand_out(x, batch->labels, count * (size_t)engine->T * sizeof(int32_t));
    if (engine->E > 0)
        ranks_hand_out(x, batch->puzzle_identifiers, count * sizeof(int32_t));
}

int ranks_agree(const struct exchange *x, int rc, struct error *err)
{
    struct {
        int32_t code;
        char message[ERROR_MESSAGE_SIZE];
    } said = { .code = rc };

    if (x == NULL || x->count == 1)
        return rc;
    if (rc < 0 && err != NULL)
        memcpy(said.message, err->message, sizeof said.message);
    if (x->rank > 0)
        x->send(x->context, 0, EXCHANGE_REPORTS, &said, sizeof said);
    for (int r = 1; x->rank == 0 && r < x->count; r++) {
        struct error first = { 0 };
        int code = said.code;

        memcpy(first.message, said.message, sizeof first.message);
        x->receive(x->context, r, EXCHANGE_REPORTS, &said, sizeof said);
        if (code < 0) {
            said.code = code;
            memcpy(said.message, first.message, sizeof said.message);
        }
    }
    ranks_broadcast(x, &said, sizeof said);
    return said.code < 0 ? error_set(err, (enum error_code)said.code, "%s", said.message) : 0;
}

/* ---- Who has which rows. ---- */

static struct row_range train_rows_of(const struct engine *engine, int rank, int count)
{
    int lanes = engine->config.gradient_lanes;

    return (struct row_range){
        lanes_first_row(lanes, lanes / count * rank, engine->B),
        lanes_first_row(lanes, lanes / count * (rank + 1), engine->B),
    };
}

/* No part has more rows than a chunk has room for. Several parts are an even number,
 * where there are rows enough: so two threads end together. */
static int evaluate_parts(const struct engine *engine, int rows)
{
    int parts = (rows + engine->chunk_rows - 1) / engine->chunk_rows;

    return parts > 1 && parts % 2 == 1 && parts < rows ? parts + 1 : parts;
}

static struct row_parts evaluate_parts_of(const struct engine *engine, int rows, int rank,
                                          int count)
{
    int parts = evaluate_parts(engine, rows);

    return (struct row_parts){ .rows = rows,
                               .parts = parts,
                               .first = (int)((int64_t)parts * rank / count),
                               .end = (int)((int64_t)parts * (rank + 1) / count) };
}

static struct row_range evaluate_rows_of(const struct engine *engine, int rows, int rank,
                                         int count)
{
    struct row_parts own = evaluate_parts_of(engine, rows, rank, count);

    return (struct row_range){ lanes_first_row(own.parts, own.first, rows),
                               lanes_first_row(own.parts, own.end, rows) };
}

struct lane_deal ranks_lane_deal(const struct engine *engine)
{
    return (struct lane_deal){ .lanes = engine->config.gradient_lanes,
                               .rows = engine->B,
                               .micro_rows = engine->micro_rows,
                               .chunk_rows = engine->chunk_rows };
}

struct lane_range ranks_lanes(const struct engine *engine)
{
    const struct exchange *x = engine->config.exchange;
    int count = engine->config.gradient_lanes / engine->config.ranks;

    return (struct lane_range){ x != NULL ? x->rank * count : 0, count };
}

struct row_range ranks_train_rows(const struct engine *engine)
{
    const struct exchange *x = engine->config.exchange;

    return x == NULL ? (struct row_range){ 0, engine->B }
                     : train_rows_of(engine, x->rank, x->count);
}

struct row_parts ranks_evaluate_parts(const struct engine *engine, int rows)
{
    const struct exchange *x = engine->config.exchange;

    return x == NULL ? evaluate_parts_of(engine, rows, 0, 1)
                     : evaluate_parts_of(engine, rows, x->rank, x->count);
}

struct row_range ranks_evaluate_rows(const struct engine *engine, int rows)
{
    const struct exchange *x = engine->config.exchange;

    return x == NULL ? (struct row_range){ 0, rows }
                     : evaluate_rows_of(engine, rows, x->rank, x->count);
}

/* ---- A step. ---- */

void ranks_begin_step(struct ranks *ranks)
{
    if (ranks == NULL)
        return;
    memset(ranks->ended, 0, (size_t)ranks->exchange->count * sizeof *ranks->ended);
    ranks->working = ranks->exchange->count - 1;
    ranks->stopped = false;
}

int64_t ranks_listen(struct ranks *ranks)
{
    const struct exchange *x = ranks->exchange;
    int64_t sum = 0, units;

    for (int r = 1; r < x->count; r++)
        while (!ranks->ended[r] && x->is_waiting(x->context, r, EXCHANGE_REPORTS)) {
            x->receive(x->context, r, EXCHANGE_REPORTS, &units, sizeof units);
            if (units == REPORT_END) {
                ranks->ended[r] = true;
                ranks->working--;
            } else {
                sum += units;
            }
        }
    return sum;
}

static void give_verdict(const struct ranks *ranks, enum verdict verdict)
{
    const struct exchange *x = ranks->exchange;
    int32_t word = (int32_t)verdict;

    for (int r = 1; r < x->count; r++)
        x->send(x->context, r, EXCHANGE_VERDICT, &word, sizeof word);
}

void ranks_stop(struct ranks *ranks)
{
    if (!ranks->stopped)
        give_verdict(ranks, VERDICT_STOP);
    ranks->stopped = true;
}

static void take_verdict(struct ranks *ranks)
{
    const struct exchange *x = ranks->exchange;
    int32_t word;

    x->receive(x->context, 0, EXCHANGE_VERDICT, &word, sizeof word);
    ranks->stopped = word == VERDICT_STOP;
}

bool ranks_report(struct ranks *ranks, int64_t units)
{
    const struct exchange *x = ranks->exchange;

    x->send(x->context, 0, EXCHANGE_REPORTS, &units, sizeof units);
    /* before the end of a step there is no other verdict */
    if (!ranks->stopped && x->is_waiting(x->context, 0, EXCHANGE_VERDICT))
        take_verdict(ranks);
    return ranks->stopped;
}

bool ranks_have_ended(const struct ranks *ranks)
{
    return ranks->working == 0;
}

void ranks_end(struct ranks *ranks)
{
    int64_t end = REPORT_END;

    ranks->exchange->send(ranks->exchange->context, 0, EXCHANGE_REPORTS, &end, sizeof end);
}

bool ranks_have_verdict(const struct ranks *ranks)
{
    const struct exchange *x = ranks->exchange;

    return ranks->stopped || x->is_waiting(x->context, 0, EXCHANGE_VERDICT);
}

bool ranks_conclude(struct ranks *ranks, bool stopped)
{
    if (ranks->exchange->rank > 0) {
        if (!ranks->stopped)
            take_verdict(ranks);
        return !ranks->stopped;
    }
    if (stopped)
        ranks_stop(ranks);
    else
        give_verdict(ranks, VERDICT_COUNTS);
    return !stopped;
}

int ranks_most(const struct ranks *ranks, int number)
{
    const struct exchange *x = ranks->exchange;
    int32_t most = number, said;

    if (x->rank > 0)
        x->send(x->context, 0, EXCHANGE_REPORTS, &most, sizeof most);
    for (int r = 1; x->rank == 0 && r < x->count; r++) {
        x->receive(x->context, r, EXCHANGE_REPORTS, &said, sizeof said);
        most = said > most ? said : most;
    }
    ranks_broadcast(x, &most, sizeof most);
    return most;
}

/* ---- What is exchanged. ---- */

typedef struct row_range ranges_fn(const struct engine *engine, int rank, int count);

static struct row_range train_range(const struct engine *engine, int rank, int count)
{
    return train_rows_of(engine, rank, count);
}

static struct row_range evaluate_range(const struct engine *engine, int rank, int count)
{
    return evaluate_rows_of(engine, engine->eval.rows, rank, count);
}

/* In each round a rank swaps what it has, a range of rows, for the neighbouring one. */
static void share(const struct engine *engine, void *values, size_t row_bytes, ranges_fn *range)
{
    const struct exchange *x = engine->config.exchange;
    unsigned char *bytes = values;

    if (engine->ranks == NULL)
        return;
    for (int bit = 1; bit < x->count; bit *= 2) {
        int mine = x->rank & ~(bit - 1), theirs = mine ^ bit;
        size_t first = (size_t)range(engine, mine, x->count).first;
        size_t end = (size_t)range(engine, mine + bit - 1, x->count).end;
        size_t their_first = (size_t)range(engine, theirs, x->count).first;
        size_t their_end = (size_t)range(engine, theirs + bit - 1, x->count).end;

        x->swap(x->context, x->rank ^ bit, bytes + first * row_bytes, (end - first) * row_bytes,
                bytes + their_first * row_bytes, (their_end - their_first) * row_bytes);
    }
}

void ranks_share_train(const struct engine *engine, void *values, size_t row_bytes)
{
    share(engine, values, row_bytes, train_range);
}

void ranks_share_evaluate(const struct engine *engine, void *values, size_t row_bytes)
{
    share(engine, values, row_bytes, evaluate_range);
}

void ranks_gather(const struct engine *engine, bool train, void *values, size_t row_bytes)
{
    const struct exchange *x = engine->config.exchange;
    ranges_fn *range = train ? train_range : evaluate_range;
    unsigned char *bytes = values;

    for (int r = 1; engine->ranks != NULL && r < x->count; r++) {
        struct row_range rows = range(engine, r, x->count);
        unsigned char *at = bytes + (size_t)rows.first * row_bytes;
        size_t size = (size_t)(rows.end - rows.first) * row_bytes;

        if (x->rank == 0)
            x->receive(x->context, r, EXCHANGE_DATA, at, size);
        else if (x->rank == r)
            x->send(x->context, 0, EXCHANGE_DATA, at, size);
    }
}

/* The rank that has a row of an evaluation of `rows` rows. */
static int rank_of_row(const struct engine *engine, int row, int rows)
{
    int rank = 0, count = engine->config.exchange->count;

    while (row >= evaluate_rows_of(engine, rows, rank, count).end)
        rank++;
    return rank;
}

void ranks_move_row(const struct engine *engine, float *values, size_t floats, int from,
                    int before, int to, int after)
{
    const struct exchange *x = engine->config.exchange;
    float *source = values + (size_t)from * floats, *target = values + (size_t)to * floats;
    int giver = rank_of_row(engine, from, before), taker = rank_of_row(engine, to, after);

    if (giver == taker) {
        if (x->rank == giver && from != to)
            memcpy(target, source, floats * sizeof *values);
    } else if (x->rank == giver) {
        x->send(x->context, taker, EXCHANGE_DATA, source, floats * sizeof *values);
    } else if (x->rank == taker) {
        x->receive(x->context, giver, EXCHANGE_DATA, target, floats * sizeof *values);
    }
}
