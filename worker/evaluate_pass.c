/* evaluate_pass.c - batches of rows through outer steps into scores. */
#include "evaluate_pass.h"

#include <math.h>
#include <stdlib.h>

#include "engine_setup.h"
#include "error.h"
#include "keeper.h"
#include "report.h"

/* A batch on its way. B rows of T tokens; slots are rows of the batch still in the engine. */
struct batch {
    int32_t *inputs, *labels, *identifiers; /* (B, T), (B, T), (B); of the rows as loaded */
    int32_t *predictions;                   /* (B, T) by slot */
    float *logits;                          /* (B, T, V) by slot */
    float *q_halt, *q_continue;             /* (B) by slot */
    int *origin;                            /* (B) the row, as loaded, of each slot */
    int *keep;                              /* (B) */
    int rows, slots;                        /* loaded; still in the engine */
    int first;                              /* row of the split that was loaded first */
};

static void batch_release(struct batch *batch)
{
    free(batch->inputs);
    free(batch->labels);
    free(batch->identifiers);
    free(batch->predictions);
    free(batch->logits);
    free(batch->q_halt);
    free(batch->q_continue);
    free(batch->origin);
    free(batch->keep);
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
        .logits = malloc(engine_output_size(engine, ENGINE_LOGITS)),
        .q_halt = malloc(engine_output_size(engine, ENGINE_Q_HALT)),
        .q_continue = malloc(engine_output_size(engine, ENGINE_Q_CONTINUE)),
        .origin = calloc(B, sizeof(int)),
        .keep = calloc(B, sizeof(int)),
    };
    if (out->inputs != NULL && out->labels != NULL && out->identifiers != NULL &&
        out->predictions != NULL && out->logits != NULL && out->q_halt != NULL &&
        out->q_continue != NULL && out->origin != NULL && out->keep != NULL)
        return 0;
    batch_release(out);
    return error_set(err, ERROR_NOMEM, "out of memory for a batch of %zu rows", B);
}

/* Rows first.. of the split, at most B, into the engine. */
static int batch_load(struct batch *batch, const struct evaluate_context *context,
                      enum data_split split, int first, int total, struct error *err)
{
    int B = context->config->batch_size, T = context->config->seq_len;
    const struct engine_batch data = { .inputs = batch->inputs,
                                       .labels = batch->labels,
                                       .puzzle_identifiers = batch->identifiers };

    batch->first = first;
    batch->rows = total - first < B ? total - first : B;
    batch->slots = batch->rows;
    for (int i = 0; i < batch->rows; i++) {
        struct data_row meta;

        data_set_row(context->set, split, first + i, &meta,
                     batch->inputs + (size_t)i * (size_t)T,
                     batch->labels + (size_t)i * (size_t)T, &batch->identifiers[i]);
        batch->origin[i] = i;
    }
    int rc = engine_check_batch(context->engine, &data, batch->rows, err);
    if (rc == 0)
        engine_evaluate_begin(context->engine, &data, batch->rows);
    return rc;
}

static double stablemax(double x)
{
    return x >= 0.0 ? x + 1.0 : 1.0 / (1.0 - x + 1e-30);
}

/* log of the probability of one label, as the loss takes it (model.md, section 3). */
static double log_probability(const float *logits, int V, int label, enum engine_loss loss)
{
    double sum = 0.0, largest = (double)logits[0], own = (double)logits[label];

    if (loss == ENGINE_STABLEMAX) {
        for (int v = 0; v < V; v++)
            sum += stablemax((double)logits[v]);
        return log(stablemax(own) / sum);
    }
    for (int v = 1; v < V; v++)
        largest = fmax(largest, (double)logits[v]);
    for (int v = 0; v < V; v++)
        sum += exp((double)logits[v] - largest);
    return own - largest - log(sum);
}

/* The row's token loss: the mean over its labelled positions; 0 when it has none. */
static double row_loss(const struct engine_config *config, const float *logits,
                       const int32_t *labels)
{
    double sum = 0.0;
    int count = 0;

    for (int t = 0; t < config->seq_len; t++) {
        if (labels[t] == ENGINE_IGNORE_LABEL)
            continue;
        sum -= log_probability(logits + (size_t)t * (size_t)config->vocab_size,
                               config->vocab_size, labels[t], config->loss_type);
        count++;
    }
    return count > 0 ? sum / count : 0.0;
}

/* Gives what the engine predicts in a slot to every request that reads it at this step. */
static int add_slot(const struct evaluate_context *context, struct scores *scores,
                    const struct batch *batch, int slot, int step, bool halted,
                    const struct score_request *requests, int count, struct error *err)
{
    size_t T = (size_t)context->config->seq_len, V = (size_t)context->config->vocab_size;
    const int32_t *labels = batch->labels + (size_t)batch->origin[slot] * T;
    double loss = 0.0;
    bool known = false;
    int rc = 0;

    for (int i = 0; rc == 0 && i < count; i++) {
        if (requests[i].outer_steps != step && !(halted && requests[i].outer_steps > step))
            continue;
        if (!known)
            loss = row_loss(context->config, batch->logits + (size_t)slot * T * V, labels);
        known = true;
        rc = scores_add(scores, i, batch->first + batch->origin[slot],
                        batch->predictions + (size_t)slot * T, labels, batch->q_halt[slot],
                        loss, step, err);
    }
    return rc;
}

static bool is_read_at(int step, const struct score_request *requests, int count)
{
    for (int i = 0; i < count; i++)
        if (requests[i].outer_steps == step)
            return true;
    return false;
}

static void read_outputs(const struct evaluate_context *context, struct batch *batch)
{
    engine_read(context->engine, ENGINE_PREDICTIONS, batch->predictions);
    engine_read(context->engine, ENGINE_LOGITS, batch->logits);
    engine_read(context->engine, ENGINE_Q_HALT, batch->q_halt);
    engine_read(context->engine, ENGINE_Q_CONTINUE, batch->q_continue);
}

/* After an outer step: adds what is read at it, lets halted rows go. */
static int take_step(const struct evaluate_context *context, struct scores *scores,
                     struct batch *batch, int step, bool act_inference,
                     const struct score_request *requests, int count, struct error *err)
{
    int kept = 0, rc = 0;

    if (!act_inference && !is_read_at(step, requests, count))
        return 0;
    read_outputs(context, batch);
    for (int slot = 0; rc == 0 && slot < batch->slots; slot++) {
        bool halted = act_inference && batch->q_halt[slot] > batch->q_continue[slot];

        rc = add_slot(context, scores, batch, slot, step, halted, requests, count, err);
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

/* Counts the work, answers a stop, says progress about once a second. */
static int attend(const struct evaluate_context *context, struct error *err)
{
    const struct report_progress progress = {
        .phase = "evaluate",
        .step = context->step,
        .total_steps = context->total_steps,
        .loss = REPORT_UNKNOWN,
        .accuracy = REPORT_UNKNOWN,
        .exact_accuracy = REPORT_UNKNOWN,
        .steps_per_s = REPORT_UNKNOWN,
        .eta_s = REPORT_UNKNOWN,
    };

    context->report->heartbeat += engine_setup_calls(context->config);
    if (keeper_stop_requested())
        return error_set(err, ERROR_STOPPED, "stopped in an evaluation");
    return report_progress_due(context->report)
               ? report_progress(context->report, &progress, err)
               : 0;
}

int evaluate_pass(const struct evaluate_context *context, struct scores *scores,
                  enum data_split split, bool act_inference,
                  const struct score_request *requests, int count, struct error *err)
{
    int total = data_set_row_count(context->set, split), last = 0;
    struct batch batch;
    int rc = batch_init(&batch, context, err);

    if (rc < 0)
        return rc;
    for (int i = 0; i < count; i++)
        last = requests[i].outer_steps > last ? requests[i].outer_steps : last;
    for (int first = 0; rc == 0 && first < total; first += batch.rows) {
        rc = batch_load(&batch, context, split, first, total, err);
        for (int step = 1; rc == 0 && step <= last && batch.slots > 0; step++) {
            struct engine_result result;

            rc = engine_evaluate_step(context->engine, &result);
            if (rc < 0)
                rc = error_set(err, ERROR_STOPPED, "stopped in an evaluation");
            if (rc == 0)
                rc = take_step(context, scores, &batch, step, act_inference, requests, count,
                               err);
            if (rc == 0)
                rc = attend(context, err);
        }
    }
    batch_release(&batch);
    return rc;
}
