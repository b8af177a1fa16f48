/* engine_step.c - one training step, one evaluation step: outer loop, halting,
 * losses. */
#include "carry.h"
#include "chunk.h"
#include "engine_internal.h"
#include "heads.h"
#include "layers.h"
#include "memory.h"
#include "optimizer.h"
#include "ranks.h"
#include "walkers.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Weight of the q losses; that of the token loss is 1. */
static const double Q_WEIGHT = 0.5;

/* Adds a halted row with labels to the metrics. */
static void result_count_row(struct engine_result *result, struct row_score score, bool exact,
                             float q_halt, int steps)
{
    if (score.labelled == 0)
        return;
    result->count += 1.0;
    result->accuracy += (double)score.right / score.labelled;
    result->exact_accuracy += exact;
    result->q_halt_accuracy += (q_halt >= 0.0f) == exact;
    result->steps += steps;
}

/* Applies the system's halting test to the q values of `rows` rows from first on. */
static void test_halting(struct engine *engine, int first, int rows)
{
    for (int b = first; b < first + rows; b++)
        engine->halt_test[b] = engine->system->halts(engine->q_halt[b], engine->q_continue[b]);
}

/* Increments the step counts of `rows` rows from first on, and decides which of them
 * halt (model.md section 2, steps 2, 3). */
static void train_halt_rows(struct engine *engine, const int32_t *min_halt_steps, int first,
                            int rows)
{
    const struct engine_config *c = &engine->config;
    struct carry *carry = &engine->train;

    for (int b = first; b < first + rows; b++) {
        bool halted = ++carry->steps[b] >= c->halt_max_steps;

        if (c->act_enabled && c->halt_max_steps > 1) {
            halted |= engine->halt_test[b];
            halted &= min_halt_steps == NULL || carry->steps[b] >= min_halt_steps[b];
        }
        carry->halted[b] = halted;
    }
}

/* Runs the target segment of `rows` rows from first on and computes their targets of
 * q_continue. false: abandoned. */
static bool train_target_rows(struct engine *engine, float *const states[STATE_COUNT],
                              int first, int rows)
{
    const struct carry *carry = &engine->train;

    if (!chunk_segment_first(engine, states, rows))
        return false;
    for (int r = 0; r < rows; r++) {
        int b = first + r;
        float q_halt, q_continue;
        bool last = carry->steps[b] >= engine->config.halt_max_steps;

        head_q(engine, &q_halt, &q_continue,
               engine->target_first + (size_t)r * (size_t)engine->D, (size_t)engine->D, 1);
        if (!last && (q_continue > q_halt || isnan(q_continue)))
            q_halt = q_continue;
        engine->target_q[b] = (float)sigmoid((double)q_halt);
    }
    return true;
}

/* The weight of a row's losses at the step that it has just done. */
static double supervision_weight(const struct engine_config *c, const struct carry *carry,
                                 int row)
{
    switch (c->supervision) {
    case ENGINE_EVERY_STEP:
        return 1.0;
    case ENGINE_LAST_STEP:
        return carry->halted[row] ? 1.0 : 0.0;
    case ENGINE_DECAYED_STEPS:
        return pow(c->supervision_decay, carry->steps[row] - 1);
    }
    return 0.0;
}

/* Scores of rows, and the gradients of logits (into dlogits) and of q (into dq). false:
 * no row's losses count, and all gradients are 0. */
static bool train_score_rows(struct engine *engine, bool has_target_q, int first, int rows)
{
    const struct carry *carry = &engine->train;
    bool supervised = false;

    for (int r = 0; r < rows; r++) {
        int b = first + r;
        float *dq = engine->dq + (ptrdiff_t)2 * r;
        double weight = supervision_weight(&engine->config, carry, b);
        double scale = weight / engine->config.global_batch_size;
        struct row_score score = head_score_row(engine, carry, first, r, scale, true);
        bool exact = score.right == score.labelled;
        double halt = (double)engine->q_halt[b], go_on = (double)engine->q_continue[b];
        double target = (double)engine->target_q[b];

        engine->scores[b] = score;
        dq[0] = dq[1] = 0.0f;
        if (weight <= 0.0)
            continue;
        supervised = true;
        dq[0] = (float)(Q_WEIGHT * scale * (sigmoid(halt) - exact));
        if (has_target_q)
            dq[1] = (float)(Q_WEIGHT * scale * (sigmoid(go_on) - target));
    }
    return supervised;
}

/* Losses and metrics of all rows, in their order. */
static void train_count_rows(const struct engine *engine, struct engine_result *result)
{
    const struct carry *carry = &engine->train;

    for (int b = 0; b < engine->B; b++) {
        double weight = supervision_weight(&engine->config, carry, b);
        struct row_score score = engine->scores[b];
        bool exact = score.right == score.labelled;

        if (carry->halted[b])
            result_count_row(result, score, exact, engine->q_halt[b], carry->steps[b]);
        if (weight <= 0.0)
            continue;
        result->lm_loss += weight * score.loss;
        result->q_halt_loss += weight * binary_cross_entropy((double)engine->q_halt[b], exact);
        if (result->has_target_q)
            result->q_continue_loss +=
                weight * binary_cross_entropy((double)engine->q_continue[b],
                                              (double)engine->target_q[b]);
    }
}

/* In place of a backward pass where all gradients are 0. false: abandoned. */
static bool train_without_gradient(struct engine *engine, int first, int rows)
{
    size_t E = (size_t)engine->E;

    if (E > 0)
        memset(engine->puzzle_gradient + (size_t)first * E, 0,
               (size_t)rows * E * sizeof(float));
    return engine_goes_on(engine, (int)segment_backward_work(engine));
}

/* What the threads need of a training step. */
struct train_pass {
    struct engine *engine;
    const int32_t *min_halt_steps; /* (B) or NULL */
    bool has_target_q;
};

/* The forward half of a training step of a chunk: outputs, losses, and the gradients of
 * logits and q. *supervised: whether any is other than 0. false: abandoned. */
static bool train_forward(struct engine *engine, const struct train_pass *pass,
                          const struct lane_chunk *chunk, bool *supervised)
{
    float *states[STATE_COUNT];
    size_t row = (size_t)engine->S * (size_t)engine->D;
    int first = chunk->first, rows = chunk->end - chunk->first;

    carry_states(engine, states, &engine->train, first);
    chunk_embed(engine, &engine->train, first, rows);
    if (!chunk_segment(engine, states, rows, true))
        return false;
    head_logits(engine, states[engine->system->head], first, rows);
    head_q(engine, engine->q_halt + first, engine->q_continue + first,
           states[engine->system->head], row, rows);
    test_halting(engine, first, rows);
    train_halt_rows(engine, pass->min_halt_steps, first, rows);
    if (pass->has_target_q && !train_target_rows(engine, states, first, rows))
        return false;
    *supervised = train_score_rows(engine, pass->has_target_q, first, rows);
    return true;
}

/* The backward half, which adds to the gradient of the chunk's lane. false:
 * abandoned. */
static bool train_backward(struct engine *engine, const struct lane_chunk *chunk)
{
    float *states[STATE_COUNT];
    int rows = chunk->end - chunk->first;

    engine->gradients = chunk->gradient;
    engine->chunk = chunk;
    carry_states(engine, states, &engine->train, chunk->first);
    head_backward(engine, states[engine->system->head], engine->dq, rows);
    if (!chunk_segment_backward(engine, rows))
        return false;
    chunk_embed_backward(engine, &engine->train, chunk->first, rows);
    return true;
}

/* While a thread waits for another: whether the step goes on. */
static bool train_goes_on(void *context)
{
    return engine_goes_on(context, 0);
}

/* A whole training step, without the update, of a chunk. false: abandoned. */
static bool train_chunk(struct engine *engine, const struct train_pass *pass,
                        const struct lane_chunk *chunk)
{
    bool supervised;

    if (!train_forward(engine, pass, chunk, &supervised) ||
        !lanes_await(engine->lanes, chunk, train_goes_on, engine))
        return false;
    return supervised ? train_backward(engine, chunk)
                      : train_without_gradient(engine, chunk->first, chunk->end - chunk->first);
}

/* A thread's part of a training step: chunks, one after the other, while there are
 * any. */
static void train_member(void *context, int member)
{
    const struct train_pass *pass = context;
    struct engine *walker = pass->engine->walkers[member];
    struct lane_chunk chunk = { .lane = -1 };

    while (lanes_take(walker->lanes, &chunk)) {
        if (!train_chunk(walker, pass, &chunk)) {
            lanes_abandon(walker->lanes);
            return;
        }
        lanes_give(walker->lanes, &chunk);
    }
}

/* A thread's part of the last addition of lanes. */
static void add_last_member(void *context, int member)
{
    struct engine *engine = context;
    int members = engine->config.threads;

    lanes_add_last(engine->lanes, team_part(engine->parameter_floats, members, member),
                   team_part(engine->parameter_floats, members, member + 1));
}

static void result_finish(struct engine_result *result)
{
    result->loss = result->lm_loss + Q_WEIGHT * (result->q_halt_loss + result->q_continue_loss);
    result->finite = isfinite(result->loss);
}

/* Chunks of a training step: on rank 0, whose watch hears of all, those of all ranks,
 * on others their own. */
static int train_chunks(const struct engine *engine)
{
    const struct lane_range all = { 0, engine->config.gradient_lanes };

    return lanes_chunks(ranks_lane_deal(engine),
                        ranks_orders(engine->config.exchange) ? all : ranks_lanes(engine));
}

/* Begins a step of that many chunks and of that much work per chunk. */
static void work_begin(struct engine *engine, int chunks, int64_t work)
{
    struct step_progress *progress = engine->progress;

    engine->work_total = chunks * work;
    progress->reported = 0;
    atomic_store(&progress->done, 0);
    atomic_store(&progress->stopped, false);
}

void engine_set_watch(struct engine *engine, engine_watch *watch, void *context)
{
    engine->watch = watch;
    engine->watch_context = context;
}

void engine_freeze(struct engine *engine, bool trunk, bool puzzle)
{
    engine->trunk_frozen = trunk;
    engine->puzzle_frozen = puzzle;
    ranks_order(engine->config.exchange,
                (struct order){ .kind = ORDER_FREEZE, .a = trunk, .b = puzzle });
}

/* Lets the other ranks take the same step. */
static void order_accumulate(const struct engine *engine, const struct engine_batch *offered,
                             const int32_t *min_halt_steps)
{
    const struct exchange *exchange = engine->config.exchange;

    if (!ranks_orders(exchange))
        return;
    ranks_order(exchange,
                (struct order){ .kind = ORDER_ACCUMULATE, .a = min_halt_steps != NULL });
    ranks_hand_out_batch(engine, offered, engine->B);
    if (min_halt_steps != NULL)
        ranks_hand_out(exchange, min_halt_steps, (size_t)engine->B * sizeof *min_halt_steps);
}

/* Exchanges with the other ranks what all need of a row, and the rest of the sum of the
 * gradients. */
static void share_step(struct engine *engine, bool has_target_q)
{
    struct carry *carry = &engine->train;

    if (engine->ranks == NULL)
        return;
    ranks_share_train(engine, engine->scores, sizeof *engine->scores);
    ranks_share_train(engine, engine->q_halt, sizeof *engine->q_halt);
    ranks_share_train(engine, engine->q_continue, sizeof *engine->q_continue);
    if (has_target_q)
        ranks_share_train(engine, engine->target_q, sizeof *engine->target_q);
    ranks_share_train(engine, carry->steps, sizeof *carry->steps);
    ranks_share_train(engine, carry->halted, sizeof *carry->halted);
    if (engine->E > 0)
        ranks_share_train(engine, engine->puzzle_gradient, (size_t)engine->E * sizeof(float));
    gradient_sum_finish(engine->gradient_sum, engine->gradients, engine->pieces.count);
}

/* After a step that all ranks have abandoned: ends the swaps that some of them have
 * begun with others that have not. What they add does not matter. */
static void abandon_sum(struct engine *engine)
{
    struct gradient_sum *sum = engine->gradient_sum;

    if (sum != NULL)
        gradient_sum_finish(sum, lanes_any(engine->lanes),
                            ranks_most(engine->ranks, gradient_sum_begun(sum)));
}

int engine_train_accumulate(struct engine *engine, const struct engine_batch *offered,
                            const int32_t *min_halt_steps, struct engine_result *result)
{
    const struct engine_config *c = &engine->config;
    int64_t step = engine->optimizer_step + 1;

    assert(!c->inference_only);
    assert(engine_check_batch(engine, offered, engine->B, NULL) == 0);
    *result = (struct engine_result){ 0 };
    order_accumulate(engine, offered, min_halt_steps);
    for (int b = 0; b < engine->B; b++)
        if (engine->train.halted[b])
            carry_load_row(engine, &engine->train, b, offered);
    engine->last = &engine->train;
    result->has_target_q = engine->facts->q_continue && c->act_enabled &&
                           c->halt_max_steps > 1 && step % c->target_q_update_every == 0;
    result->lr = schedule_rate(c, c->lr, step);
    result->puzzle_emb_lr = schedule_rate(c, c->puzzle_emb_lr, step);

    work_begin(engine, train_chunks(engine),
               segment_work(engine) * (result->has_target_q ? 2 : 1) +
                   segment_backward_work(engine));
    layers_prepare(engine, engine->parameters);
    struct train_pass pass = { engine, min_halt_steps, result->has_target_q };
    lanes_begin(engine->lanes);
    if (engine->gradient_sum != NULL)
        gradient_sum_begin(engine->gradient_sum);
    if (!walkers_run(engine, engine->train_walkers, train_member, &pass)) {
        abandon_sum(engine);
        return ERROR_STOPPED;
    }
    walkers_share(engine, add_last_member, engine);
    engine->gradients = lanes_sum(engine->lanes);
    share_step(engine, result->has_target_q);
    train_count_rows(engine, result);
    result_finish(result);
    return 0;
}

void engine_train_apply(struct engine *engine, const struct engine_result *result)
{
    assert(!engine->config.inference_only);
    /* engine_train_accumulate() ran to its end */
    assert(atomic_load(&engine->progress->done) == engine->work_total);
    ranks_order(
        engine->config.exchange,
        (struct order){ .kind = ORDER_APPLY, .x = result->lr, .y = result->puzzle_emb_lr });
    engine->optimizer_step++;
    optimizer_step(engine, result->lr, result->puzzle_emb_lr);
    engine->prepared = NULL;
}

int engine_train_step(struct engine *engine, const struct engine_batch *offered,
                      const int32_t *min_halt_steps, struct engine_result *result)
{
    int rc = engine_train_accumulate(engine, offered, min_halt_steps, result);

    if (rc == 0)
        engine_train_apply(engine, result);
    return rc;
}

void engine_evaluate_begin(struct engine *engine, const struct engine_batch *batch, int rows)
{
    assert(rows >= 1 && rows <= engine->B);
    assert(engine_check_batch(engine, batch, rows, NULL) == 0);
    if (ranks_orders(engine->config.exchange)) {
        ranks_order(engine->config.exchange,
                    (struct order){ .kind = ORDER_EVALUATE_BEGIN, .a = rows });
        ranks_hand_out_batch(engine, batch, rows);
    }
    engine->eval.rows = rows;
    engine->eval.own_first = ranks_evaluate_rows(engine, rows).first;
    engine->eval.own_end = ranks_evaluate_rows(engine, rows).end;
    for (int b = 0; b < rows; b++) {
        carry_load_row(engine, &engine->eval, b, batch);
        engine->eval.halted[b] = 0;
    }
}

void engine_evaluate_raw(struct engine *engine, bool raw)
{
    ranks_order(engine->config.exchange,
                (struct order){ .kind = ORDER_EVALUATE_RAW, .a = raw });
    engine->evaluates_raw = raw;
}

void engine_evaluate_perturb(struct engine *engine, int row, int state, double sigma,
                             const float *noise)
{
    size_t D = (size_t)engine->D, count = (size_t)engine->S * D;
    const float *init = engine->buffers + engine->init[state];
    double squares = 0.0;

    assert(row >= 0 && row < engine->eval.rows && engine->eval.z[state] != NULL);
    float *z = engine->eval.z[state] + (size_t)row * count;
    if (ranks_orders(engine->config.exchange)) {
        ranks_order(
            engine->config.exchange,
            (struct order){ .kind = ORDER_EVALUATE_PERTURB, .a = row, .b = state, .x = sigma });
        ranks_hand_out(engine->config.exchange, noise, count * sizeof *noise);
    }
    for (size_t i = 0; i < D; i++)
        squares += (double)init[i] * (double)init[i];
    float scale = (float)(sigma * sqrt(squares / (double)D));
    for (size_t i = 0; i < count; i++)
        z[i] += scale * noise[i];
    engine_round(engine, z, count);
}

/* What the threads need of an evaluation step. */
struct evaluate_pass {
    struct engine *engine;
    struct row_parts deal;
    atomic_int next; /* part */
};

/* One outer step of `rows` rows from first on. false: abandoned. */
static bool evaluate_chunk(struct engine *engine, int first, int rows)
{
    struct carry *carry = &engine->eval;
    float *states[STATE_COUNT];
    size_t row = (size_t)engine->S * (size_t)engine->D;

    carry_states(engine, states, carry, first);
    chunk_embed(engine, carry, first, rows);
    if (engine->changes != NULL)
        memcpy(engine->change_old, states[engine->system->head],
               (size_t)rows * row * sizeof(float));
    bool whole = engine->residuals == NULL
                     ? chunk_segment(engine, states, rows, false)
                     : chunk_segment_measured(engine, states, first, rows);
    if (!whole)
        return false;
    for (int r = 0; engine->changes != NULL && r < rows; r++)
        engine->changes[first + r] =
            relative_change(engine->change_old + (size_t)r * row,
                            states[engine->system->head] + (size_t)r * row, row);
    head_logits(engine, states[engine->system->head], first, rows);
    head_q(engine, engine->q_halt + first, engine->q_continue + first,
           states[engine->system->head], row, rows);
    test_halting(engine, first, rows);
    for (int r = 0; r < rows; r++)
        engine->scores[first + r] = head_score_row(engine, carry, first, r, 0.0, false);
    return true;
}

/* A thread's share of an evaluation step: parts, while there are any. */
static void evaluate_member(void *context, int member)
{
    struct evaluate_pass *pass = context;
    struct row_parts deal = pass->deal;
    int part;

    while ((part = atomic_fetch_add(&pass->next, 1)) < deal.end) {
        int first = lanes_first_row(deal.parts, part, deal.rows);
        int end = lanes_first_row(deal.parts, part + 1, deal.rows);

        if (!evaluate_chunk(pass->engine->walkers[member], first, end - first))
            return;
    }
}

/* Counts the step, and losses and metrics of all rows, in their order. */
static void evaluate_count_rows(struct engine *engine, struct engine_result *result)
{
    struct carry *carry = &engine->eval;

    for (int b = 0; b < carry->rows; b++) {
        struct row_score score = engine->scores[b];
        bool exact = score.right == score.labelled;

        carry->steps[b]++;
        carry->halted[b] = carry->steps[b] >= engine->config.halt_max_steps;
        result->lm_loss += score.loss;
        result->q_halt_loss += binary_cross_entropy((double)engine->q_halt[b], exact);
        result_count_row(result, score, exact, engine->q_halt[b], carry->steps[b]);
    }
}

int engine_evaluate_step(struct engine *engine, struct engine_result *result)
{
    int total = engine->eval.rows;
    struct row_parts deal = ranks_evaluate_parts(engine, total);
    bool orders = ranks_orders(engine->config.exchange);
    struct evaluate_pass pass = { .engine = engine, .deal = deal, .next = deal.first };

    assert(total >= 1); /* engine_evaluate_begin() comes first */
    *result = (struct engine_result){ 0 };
    engine->last = &engine->eval;
    ranks_order(engine->config.exchange, (struct order){ .kind = ORDER_EVALUATE_STEP });
    /* rank 0's watch hears of all rows */
    work_begin(engine, orders ? deal.parts : deal.end - deal.first, segment_work(engine));
    layers_prepare(engine, engine->averages != NULL && !engine->evaluates_raw
                               ? engine->averages
                               : engine->parameters);
    if (!walkers_run(engine, engine->config.threads, evaluate_member, &pass))
        return ERROR_STOPPED;
    ranks_share_evaluate(engine, engine->scores, sizeof *engine->scores);
    ranks_share_evaluate(engine, engine->q_halt, sizeof *engine->q_halt);
    evaluate_count_rows(engine, result);
    result_finish(result);
    return 0;
}

void engine_evaluate_keep(struct engine *engine, const int *rows_kept, int count)
{
    assert(count >= 1 && count <= engine->eval.rows);
    if (ranks_orders(engine->config.exchange)) {
        ranks_order(engine->config.exchange,
                    (struct order){ .kind = ORDER_EVALUATE_KEEP, .a = count });
        ranks_hand_out(engine->config.exchange, rows_kept, (size_t)count * sizeof *rows_kept);
    }
    carry_keep_rows(engine, &engine->eval, rows_kept, count);
}
