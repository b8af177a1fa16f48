/* evaluate_pass.c - runs batches of rows through outer steps and scores them. */
#include "evaluate_pass.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "error.h"
#include "random.h"
#include "work.h"

/* A batch of B rows of T tokens while it is evaluated. Arrays "by row" are indexed
 * as loaded; those "by slot" are indexed by position among the rows still in the
 * engine. */
struct batch {
    /* (B, U: context, then grid), (B, T), (B) by row */
    int32_t *inputs, *labels, *identifiers;
    int32_t *predictions;   /* (B, T) by slot */
    float *q_halt;          /* (B) by slot */
    float *q_continue;      /* (B) by slot */
    float *change;          /* (B) by slot; NULL: no rule needs it */
    int32_t *before;        /* (B, T) by row: the last step's answers; NULL: no rule */
    int *unchanged;         /* (B) by row: steps for which the answer is unchanged */
    bool *taken;            /* (B, requests) by row: whether the request has its
                             * answer */
    bool rules;             /* whether a request has a halting rule */
    double *loss;           /* (B) by slot: token loss */
    uint8_t *halt_test;     /* (B) by slot: the system's halting test */
    float *residuals;       /* (B, module calls) by slot; NULL: not recorded */
    float *layer_residuals; /* (B, measured layers) likewise */
    float *means[2];        /* (B, D) by slot: zH and zL, averaged; NULL: not
                             * recorded */
    int *origin;            /* (B) row of each slot */
    int *keep;              /* (B) */
    int rows, slots;        /* loaded; still in the engine */
    int *row;               /* (B) by row: its number in the split */
    /* (B) by slot: answers of the current step, if every slot is read at it */
    struct score_reading *answers;
};

static const enum engine_output MEANS[2] = { ENGINE_MEAN_Z_H, ENGINE_MEAN_Z_L };

static void batch_release(struct batch *batch)
{
    free(batch->inputs);
    free(batch->labels);
    free(batch->identifiers);
    free(batch->predictions);
    free(batch->q_halt);
    free(batch->q_continue);
    free(batch->change);
    free(batch->before);
    free(batch->unchanged);
    free(batch->taken);
    free(batch->loss);
    free(batch->halt_test);
    free(batch->residuals);
    free(batch->layer_residuals);
    free(batch->means[0]);
    free(batch->means[1]);
    free(batch->origin);
    free(batch->keep);
    free(batch->row);
    free(batch->answers);
}

/* Whether a request has a rule of this kind. */
static bool asks_for(const struct score_request *requests, int count, enum halt_rule_kind kind)
{
    for (int i = 0; i < count; i++)
        if (requests[i].rule.kind == kind)
            return true;
    return false;
}

/* Allocates what the halting rules of the requests need; any rule may be asked for
 * later where all steps are kept. False: no memory. */
static bool batch_init_rules(struct batch *out, size_t B, size_t T,
                             const struct evaluate_order *order)
{
    const struct score_request *requests = order->requests;
    int count = order->count;
    bool stable = order->keep_steps || asks_for(requests, count, HALT_STABLE);
    bool residual = order->keep_steps || asks_for(requests, count, HALT_RESIDUAL);

    for (int i = 0; i < count; i++)
        out->rules = out->rules || requests[i].rule.kind != HALT_MAX;
    out->before = stable ? calloc(B * T, sizeof *out->before) : NULL;
    out->change = residual ? calloc(B, sizeof *out->change) : NULL;
    out->unchanged = calloc(B, sizeof *out->unchanged);
    out->taken = calloc(B * (size_t)count + 1, sizeof *out->taken);
    return (out->before != NULL || !stable) && (out->change != NULL || !residual) &&
           out->unchanged != NULL && out->taken != NULL;
}

static int batch_init(struct batch *out, const struct evaluate_context *context,
                      const struct evaluate_order *order, struct error *err)
{
    const struct engine *engine = context->engine;
    size_t B = (size_t)context->config->batch_size, T = (size_t)context->config->seq_len;
    size_t U = (size_t)engine_input_tokens(context->config);

    *out = (struct batch){
        .inputs = calloc(B * U, sizeof(int32_t)),
        .labels = calloc(B * T, sizeof(int32_t)),
        .identifiers = calloc(B, sizeof(int32_t)),
        .predictions = malloc(engine_output_size(engine, ENGINE_PREDICTIONS)),
        .q_halt = malloc(engine_output_size(engine, ENGINE_Q_HALT)),
        .q_continue = malloc(engine_output_size(engine, ENGINE_Q_CONTINUE)),
        .loss = malloc(engine_output_size(engine, ENGINE_ROW_LOSS)),
        .halt_test = malloc(engine_output_size(engine, ENGINE_HALT_TEST)),
        .origin = calloc(B, sizeof(int)),
        .keep = calloc(B, sizeof(int)),
        .row = calloc(B, sizeof(int)),
        .answers = calloc(B, sizeof(struct score_reading)),
    };
    size_t residuals = engine_output_size(engine, ENGINE_RESIDUALS);
    size_t layers = engine_output_size(engine, ENGINE_LAYER_RESIDUALS);
    bool complete = (residuals == 0 || (out->residuals = malloc(residuals)) != NULL) &&
                    (layers == 0 || (out->layer_residuals = malloc(layers)) != NULL);
    for (int state = 0; state < 2 && order->trajectory != NULL; state++) {
        size_t means = engine_output_size(engine, MEANS[state]);
        complete = complete && (means == 0 || (out->means[state] = malloc(means)) != NULL);
    }
    complete = batch_init_rules(out, B, T, order) && complete && out->q_continue != NULL;
    if (complete && out->inputs != NULL && out->labels != NULL && out->identifiers != NULL &&
        out->predictions != NULL && out->q_halt != NULL && out->loss != NULL &&
        out->halt_test != NULL && out->origin != NULL && out->keep != NULL &&
        out->row != NULL && out->answers != NULL)
        return 0;
    batch_release(out);
    *out = (struct batch){ 0 };
    return error_set(err, ERROR_NOMEM, "out of memory for a batch of %zu rows", B);
}

/* The number in the split of the i-th row to evaluate. */
static int row_number(const struct evaluate_rows *rows, int i)
{
    return rows->numbers != NULL ? rows->numbers[i] : i;
}

/* Normal numbers by Box and Muller, two at a time. */
static void draw_normal(float *out, size_t count, struct random_stream *stream)
{
    for (size_t i = 0; i < count; i += 2) {
        double radius = sqrt(-2.0 * log(1.0 - random_uniform(stream)));
        double angle = 2.0 * M_PI * random_uniform(stream);

        out[i] = (float)(radius * cos(angle));
        if (i + 1 < count)
            out[i + 1] = (float)(radius * sin(angle));
    }
}

/* Noise on the initial states of the rows loaded. A stream for each row and rollout:
 * it does not depend on the batch that the row is in. */
static int perturb(const struct batch *batch, const struct evaluate_context *context,
                   const struct evaluate_order *order, struct error *err)
{
    size_t bytes = engine_output_size(context->engine, ENGINE_Z_H);
    size_t count = bytes / sizeof(float) / (size_t)context->config->batch_size;
    int states = engine_output_size(context->engine, ENGINE_Z_L) > 0 ? 2 : 1;
    uint64_t rows = (uint64_t)data_set_row_count(context->set, order->split);
    float *noise = malloc(count * sizeof *noise);

    if (noise == NULL)
        return error_no_memory(err, "the noise of rollouts");
    for (int i = 0; i < batch->rows; i++) {
        struct random_stream stream =
            random_stream(order->noise_seed, "rollout noise",
                          (uint64_t)order->rollout * rows + (uint64_t)batch->row[i]);

        for (int state = 0; state < states; state++) {
            draw_normal(noise, count, &stream);
            engine_evaluate_perturb(context->engine, i, state, order->noise, noise);
        }
    }
    free(noise);
    return 0;
}

/* What threads that load rows or read answers need. */
struct sharing {
    const struct evaluate_context *context;
    const struct evaluate_order *order;
    const struct scores *scores;
    struct batch *batch;
    int first; /* row to evaluate that is the batch's first */
};

/* Makes row i of the batch. */
static void load_row(void *user, int i)
{
    const struct sharing *sharing = user;
    const struct evaluate_order *order = sharing->order;
    const struct data_set *set = sharing->context->set;
    struct batch *batch = sharing->batch;
    size_t C = (size_t)context_length(set), T = (size_t)sharing->context->config->seq_len;
    int32_t *inputs = batch->inputs + (size_t)i * (C + T);
    struct data_row meta;

    batch->row[i] = row_number(&order->rows, sharing->first + i);
    if (C > 0)
        context_of_row(set, order->split, batch->row[i], inputs);
    data_set_row(set, order->split, batch->row[i], &meta, inputs + C,
                 batch->labels + (size_t)i * T, &batch->identifiers[i]);
    batch->identifiers[i] = puzzle_way_id(order->way, batch->identifiers[i]);
    batch->origin[i] = i;
}

/* Loads rows to evaluate, beginning at first and at most B, into the engine. */
static int batch_load(struct batch *batch, const struct evaluate_context *context,
                      const struct evaluate_order *order, int first, struct error *err)
{
    int B = context->config->batch_size;
    struct sharing sharing = {
        .context = context, .order = order, .batch = batch, .first = first
    };
    const struct engine_batch data = { .inputs = batch->inputs,
                                       .labels = batch->labels,
                                       .puzzle_identifiers = batch->identifiers };

    batch->rows = order->rows.count - first < B ? order->rows.count - first : B;
    batch->slots = batch->rows;
    engine_share(context->engine, batch->rows, load_row, &sharing);
    memset(batch->taken, 0, (size_t)batch->rows * (size_t)order->count * sizeof *batch->taken);
    int rc = engine_check_batch(context->engine, &data, batch->rows, err);
    if (rc == 0)
        engine_evaluate_begin(context->engine, &data, batch->rows);
    return rc == 0 && order->noise > 0.0 ? perturb(batch, context, order, err) : rc;
}

/* Updates and returns for how many steps before this one the answer of a slot has
 * not changed. */
static int note_answer(struct batch *batch, int slot, int step, size_t T)
{
    int row = batch->origin[slot];
    int32_t *before = batch->before + (size_t)row * T;
    const int32_t *now = batch->predictions + (size_t)slot * T;
    bool same = step > 1 && memcmp(before, now, T * sizeof *now) == 0;

    batch->unchanged[row] = same ? batch->unchanged[row] + 1 : 0;
    memcpy(before, now, T * sizeof *now);
    return batch->unchanged[row];
}

static struct halt_signs signs_of(struct batch *batch, int slot, int step, size_t T)
{
    return (struct halt_signs){
        .system = batch->halt_test[slot] != 0,
        .q_halt = batch->q_halt[slot],
        .q_continue = batch->q_continue[slot],
        .change = batch->change != NULL ? batch->change[slot] : 0.0f,
        .unchanged = batch->before != NULL ? note_answer(batch, slot, step, T) : 0,
    };
}

static bool is_read_at(int step, const struct evaluate_order *order)
{
    for (int i = 0; i < order->count; i++)
        if (order->requests[i].outer_steps == step)
            return true;
    return false;
}

/* Whether the answers of all slots are read at this step, and not only of those that
 * halt at it. */
static bool reads_all(int step, const struct evaluate_order *order)
{
    return order->keep_steps || is_read_at(step, order);
}

/* Reads the answer of a slot. */
static void read_slot(void *user, int slot)
{
    const struct sharing *sharing = user;
    struct batch *batch = sharing->batch;
    size_t T = (size_t)sharing->context->config->seq_len;
    int row = batch->origin[slot];

    scores_read(&batch->answers[slot], sharing->scores, batch->row[row],
                batch->predictions + (size_t)slot * T, batch->labels + (size_t)row * T);
}

/* Passes the prediction of a slot to every request that reads it at this step: its
 * last step, or the step at which the row halts by its rule. */
static int add_slot(const struct evaluate_context *context, struct scores *scores,
                    struct batch *batch, int slot, int step, const struct halt_signs *signs,
                    const struct evaluate_order *order, struct error *err)
{
    size_t T = (size_t)context->config->seq_len;
    int row = batch->origin[slot], rc = 0;
    const int32_t *labels = batch->labels + (size_t)row * T;
    bool *taken = batch->taken + (size_t)row * (size_t)order->count;
    const struct score_answer answer = { .grid = &batch->answers[slot].grid,
                                         .known = batch->answers[slot].known,
                                         .right = batch->answers[slot].right,
                                         .q_halt = batch->q_halt[slot],
                                         .lm_loss = batch->loss[slot],
                                         .used = step };

    for (int i = 0; rc == 0 && i < order->count; i++) {
        const struct score_request *request = &order->requests[i];

        if (taken[i] || !scores_takes(request, step, signs) ||
            (order->rollout > 0 && order->rollout >= request->rollouts))
            continue;
        taken[i] = true;
        rc = reads_all(step, order)
                 ? scores_add_answer(scores, i, batch->row[row], &answer, err)
                 : scores_add(scores, i, batch->row[row], batch->predictions + (size_t)slot * T,
                              labels, answer.q_halt, answer.lm_loss, step, err);
    }
    return rc;
}

/* Notes the answer of a slot after this step. */
static int note_slot(struct scores *scores, const struct batch *batch, int slot, int step,
                     const struct halt_signs *signs, struct error *err)
{
    const struct score_step noted = {
        .step = step,
        .answer = &batch->answers[slot],
        .signs = signs,
        .lm_loss = batch->loss[slot],
    };

    return scores_note_step(scores, batch->row[batch->origin[slot]], &noted, err);
}

static bool is_followed(int step, const struct evaluate_order *order)
{
    return order->trajectory != NULL && step <= order->trajectory_steps;
}

static void read_outputs(const struct evaluate_context *context, struct batch *batch)
{
    engine_read(context->engine, ENGINE_PREDICTIONS, batch->predictions);
    engine_read(context->engine, ENGINE_Q_HALT, batch->q_halt);
    engine_read(context->engine, ENGINE_Q_CONTINUE, batch->q_continue);
    engine_read(context->engine, ENGINE_ROW_LOSS, batch->loss);
    engine_read(context->engine, ENGINE_HALT_TEST, batch->halt_test);
    if (batch->change != NULL)
        engine_read(context->engine, ENGINE_CHANGE, batch->change);
    if (batch->residuals != NULL)
        engine_read(context->engine, ENGINE_RESIDUALS, batch->residuals);
    if (batch->layer_residuals != NULL)
        engine_read(context->engine, ENGINE_LAYER_RESIDUALS, batch->layer_residuals);
    for (int state = 0; state < 2; state++)
        if (batch->means[state] != NULL)
            engine_read(context->engine, MEANS[state], batch->means[state]);
}

static void follow(const struct evaluate_order *order, const struct batch *batch, int step)
{
    const struct trajectory_outputs outputs = {
        .predictions = batch->predictions,
        .q_halt = batch->q_halt,
        .loss = batch->loss,
        .halt_test = batch->halt_test,
        .residuals = batch->residuals,
        .layer_residuals = batch->layer_residuals,
        .means = { batch->means[0], batch->means[1] },
        .origin = batch->origin,
        .slots = batch->slots,
    };

    if (is_followed(step, order))
        trajectory_take(order->trajectory, step, &outputs);
}

/* After an outer step: scores what is read at it and removes halted rows. */
static int take_step(const struct evaluate_context *context, struct scores *scores,
                     struct batch *batch, int step, const struct evaluate_order *order,
                     struct error *err)
{
    struct sharing sharing = {
        .context = context, .order = order, .scores = scores, .batch = batch
    };
    int kept = 0, rc = 0;

    if (!batch->rules && !order->keep_steps && !is_read_at(step, order) &&
        !is_followed(step, order))
        return 0;
    read_outputs(context, batch);
    follow(order, batch, step);
    if (reads_all(step, order))
        engine_share(context->engine, batch->slots, read_slot, &sharing);
    for (int slot = 0; rc == 0 && slot < batch->slots; slot++) {
        const struct halt_signs signs =
            signs_of(batch, slot, step, (size_t)context->config->seq_len);

        rc = add_slot(context, scores, batch, slot, step, &signs, order, err);
        if (rc == 0 && order->keep_steps)
            rc = note_slot(scores, batch, slot, step, &signs, err);
        if (order->leave == NULL || !halt_rule_halts(order->leave, &signs))
            batch->keep[kept++] = slot;
    }
    if (rc < 0 || kept == batch->slots)
        return rc;
    for (int i = 0; i < kept; i++)
        batch->origin[i] = batch->origin[batch->keep[i]];
    batch->slots = kept;
    if (kept > 0)
        engine_evaluate_keep(context->engine, batch->keep, kept);
    return 0;
}

/* Computes one outer step of the rows in the engine and scores what is read at it. */
static int compute_step(const struct evaluate_context *context, struct scores *scores,
                        struct batch *batch, int step, const struct evaluate_order *order,
                        struct error *err)
{
    struct engine_result result;
    int rc = engine_evaluate_step(context->engine, &result);

    if (rc < 0)
        return work_why_abandoned(err, "stopped while evaluating");
    return take_step(context, scores, batch, step, order, err);
}

/* Runs one batch, beginning with row first, through all outer steps. */
static int run_batch(const struct evaluate_context *context, struct scores *scores,
                     struct batch *batch, int first, int last,
                     const struct evaluate_order *order, struct error *err)
{
    int step = 1, rc = batch_load(batch, context, order, first, err);

    if (rc == 0 && order->trajectory != NULL)
        trajectory_begin(order->trajectory, batch->labels, batch->rows);
    for (; rc == 0 && step <= last && batch->slots > 0; step++) {
        work_set_part(first + batch->rows * (step - 1.0) / last,
                      first + batch->rows * (double)step / last, order->rows.count);
        rc = compute_step(context, scores, batch, step, order, err);
        if (rc == 0)
            rc = work_done(1, err);
    }
    /* all rows have left the batch */
    for (; rc == 0 && is_followed(step, order); step++)
        follow(order, batch, step);
    return rc;
}

int evaluate_pass(const struct evaluate_context *context, struct scores *scores,
                  const struct evaluate_order *order, struct error *err)
{
    int last = 0;
    struct batch batch;
    int rc = batch_init(&batch, context, order, err);

    if (rc == 0)
        rc = engine_record_change(context->engine, batch.change != NULL, err);
    if (rc < 0) {
        batch_release(&batch);
        return rc;
    }
    for (int i = 0; i < order->count; i++)
        if (order->requests[i].outer_steps > last)
            last = order->requests[i].outer_steps;
    work_set_phase(WORK_EVALUATE, context->step, context->total_steps);
    for (int first = 0; rc == 0 && first < order->rows.count; first += batch.rows)
        rc = run_batch(context, scores, &batch, first, last, order, err);
    batch_release(&batch);
    return rc;
}
