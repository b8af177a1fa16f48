/* evaluate_pass.c - batches of rows through outer steps into scores. */
#include "evaluate_pass.h"

#include <stdlib.h>

#include "error.h"
#include "work.h"

/* A batch on its way. B rows of T tokens; slots are rows of the batch still in the
 * engine. */
struct batch {
    /* (B, T), (B, T), (B); of the rows as loaded */
    int32_t *inputs, *labels, *identifiers;
    int32_t *predictions; /* (B, T) by slot */
    float *q_halt;        /* (B) by slot */
    double *loss;         /* (B) by slot: token loss */
    uint8_t *halt_test;   /* (B) by slot: the system's halting test */
    float *residuals;     /* (B, module calls) by slot; NULL: not recorded */
    int *origin;          /* (B) the row, as loaded, of each slot */
    int *keep;            /* (B) */
    int rows, slots;      /* loaded; still in the engine */
    int *row;             /* (B) number in the split, as loaded */
};

static void batch_release(struct batch *batch)
{
    free(batch->inputs);
    free(batch->labels);
    free(batch->identifiers);
    free(batch->predictions);
    free(batch->q_halt);
    free(batch->loss);
    free(batch->halt_test);
    free(batch->residuals);
    free(batch->origin);
    free(batch->keep);
    free(batch->row);
}

static int batch_init(struct batch *out, const struct evaluate_context *context,
                      struct error *err)
{
    const struct engine *engine = context->engine;
    size_t B = (size_t)context->config->batch_size, T = (size_t)context->config->seq_len;

    *out = (struct batch){
        .inputs = calloc(B * T, sizeof(int32_t)),
        .labels = calloc(B * T, sizeof(int32_t)),
        .identifiers = calloc(B, sizeof(int32_t)),
        .predictions = malloc(engine_output_size(engine, ENGINE_PREDICTIONS)),
        .q_halt = malloc(engine_output_size(engine, ENGINE_Q_HALT)),
        .loss = malloc(engine_output_size(engine, ENGINE_ROW_LOSS)),
        .halt_test = malloc(engine_output_size(engine, ENGINE_HALT_TEST)),
        .origin = calloc(B, sizeof(int)),
        .keep = calloc(B, sizeof(int)),
        .row = calloc(B, sizeof(int)),
    };
    size_t residuals = engine_output_size(engine, ENGINE_RESIDUALS);
    bool complete = residuals == 0 || (out->residuals = malloc(residuals)) != NULL;
    if (complete && out->inputs != NULL && out->labels != NULL && out->identifiers != NULL &&
        out->predictions != NULL && out->q_halt != NULL && out->loss != NULL &&
        out->halt_test != NULL && out->origin != NULL && out->keep != NULL && out->row != NULL)
        return 0;
    batch_release(out);
    return error_set(err, ERROR_NOMEM, "out of memory for a batch of %zu rows", B);
}

/* The number in the split of the i-th row that is evaluated. */
static int row_number(const struct evaluate_rows *rows, int i)
{
    return rows->numbers != NULL ? rows->numbers[i] : i;
}

/* Rows first.. of those to be evaluated, at most B, into the engine. */
static int batch_load(struct batch *batch, const struct evaluate_context *context,
                      enum data_split split, const struct evaluate_rows *rows, int first,
                      struct error *err)
{
    int B = context->config->batch_size, T = context->config->seq_len;
    const struct engine_batch data = { .inputs = batch->inputs,
                                       .labels = batch->labels,
                                       .puzzle_identifiers = batch->identifiers };

    batch->rows = rows->count - first < B ? rows->count - first : B;
    batch->slots = batch->rows;
    for (int i = 0; i < batch->rows; i++) {
        struct data_row meta;

        batch->row[i] = row_number(rows, first + i);
        data_set_row(context->set, split, batch->row[i], &meta,
                     batch->inputs + (size_t)i * (size_t)T,
                     batch->labels + (size_t)i * (size_t)T, &batch->identifiers[i]);
        batch->origin[i] = i;
    }
    int rc = engine_check_batch(context->engine, &data, batch->rows, err);
    if (rc == 0)
        engine_evaluate_begin(context->engine, &data, batch->rows);
    return rc;
}

/* Gives what the engine predicts in a slot to every request that reads it at this
 * step. */
static int add_slot(const struct evaluate_context *context, struct scores *scores,
                    const struct batch *batch, int slot, int step, bool halted,
                    const struct evaluate_order *order, struct error *err)
{
    size_t T = (size_t)context->config->seq_len;
    const int32_t *labels = batch->labels + (size_t)batch->origin[slot] * T;
    int rc = 0;

    for (int i = 0; rc == 0 && i < order->count; i++) {
        int wanted = order->requests[i].outer_steps;

        if (wanted != step && !(halted && wanted > step))
            continue;
        rc = scores_add(scores, i, batch->row[batch->origin[slot]],
                        batch->predictions + (size_t)slot * T, labels, batch->q_halt[slot],
                        batch->loss[slot], step, err);
    }
    return rc;
}

static bool is_read_at(int step, const struct evaluate_order *order)
{
    for (int i = 0; i < order->count; i++)
        if (order->requests[i].outer_steps == step)
            return true;
    return false;
}

static bool is_followed(int step, const struct evaluate_order *order)
{
    return order->trajectory != NULL && step <= order->trajectory_steps;
}

static void read_outputs(const struct evaluate_context *context, struct batch *batch)
{
    engine_read(context->engine, ENGINE_PREDICTIONS, batch->predictions);
    engine_read(context->engine, ENGINE_Q_HALT, batch->q_halt);
    engine_read(context->engine, ENGINE_ROW_LOSS, batch->loss);
    engine_read(context->engine, ENGINE_HALT_TEST, batch->halt_test);
    if (batch->residuals != NULL)
        engine_read(context->engine, ENGINE_RESIDUALS, batch->residuals);
}

static void follow(const struct evaluate_order *order, const struct batch *batch, int step)
{
    const struct trajectory_outputs outputs = {
        .predictions = batch->predictions,
        .q_halt = batch->q_halt,
        .loss = batch->loss,
        .halt_test = batch->halt_test,
        .residuals = batch->residuals,
        .origin = batch->origin,
        .slots = batch->slots,
    };

    if (is_followed(step, order))
        trajectory_take(order->trajectory, step, &outputs);
}

/* After an outer step: adds what is read at it, lets halted rows go. */
static int take_step(const struct evaluate_context *context, struct scores *scores,
                     struct batch *batch, int step, const struct evaluate_order *order,
                     struct error *err)
{
    int kept = 0, rc = 0;

    if (!order->act_inference && !is_read_at(step, order) && !is_followed(step, order))
        return 0;
    read_outputs(context, batch);
    follow(order, batch, step);
    for (int slot = 0; rc == 0 && slot < batch->slots; slot++) {
        bool halted = order->act_inference && batch->halt_test[slot];

        rc = add_slot(context, scores, batch, slot, step, halted, order, err);
        if (!halted)
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

/* Computes one outer step of the rows that are still in the engine and adds what is
 * read at it. */
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

/* One batch, from row first on, through all outer steps. */
static int run_batch(const struct evaluate_context *context, struct scores *scores,
                     struct batch *batch, int first, int last,
                     const struct evaluate_order *order, struct error *err)
{
    int step = 1, rc = batch_load(batch, context, order->split, &order->rows, first, err);

    if (rc == 0 && order->trajectory != NULL)
        trajectory_begin(order->trajectory, batch->labels, batch->rows);
    for (; rc == 0 && step <= last && batch->slots > 0; step++) {
        work_set_part(first + batch->rows * (step - 1.0) / last,
                      first + batch->rows * (double)step / last, order->rows.count);
        rc = compute_step(context, scores, batch, step, order, err);
        if (rc == 0)
            rc = work_done(1, err);
    }
    for (; rc == 0 && is_followed(step, order); step++) /* all rows have left */
        follow(order, batch, step);
    return rc;
}

int evaluate_pass(const struct evaluate_context *context, struct scores *scores,
                  const struct evaluate_order *order, struct error *err)
{
    int last = 0;
    struct batch batch;
    int rc = batch_init(&batch, context, err);

    if (rc < 0)
        return rc;
    for (int i = 0; i < order->count; i++)
        if (order->requests[i].outer_steps > last)
            last = order->requests[i].outer_steps;
    work_set_phase(WORK_EVALUATE, context->step, context->total_steps);
    for (int first = 0; rc == 0 && first < order->rows.count; first += batch.rows)
        rc = run_batch(context, scores, &batch, first, last, order, err);
    batch_release(&batch);
    return rc;
}
