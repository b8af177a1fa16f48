/* train.c - the training loop. */
#include "train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "batches.h"
#include "checkpoint.h"
#include "checkpoint_header.h"
#include "checkpoint_find.h"
#include "clock.h"
#include "cycle_schedule.h"
#include "engine_setup.h"
#include "error.h"
#include "evaluate.h"
#include "init_weights.h"
#include "job.h"
#include "keeper.h"
#include "log.h"
#include "metrics.h"
#include "pool.h"
#include "random.h"
#include "report.h"
#include "shape.h"
#include "train_position.h"
#include "work.h"

enum { METRIC_EVENTS = 50 }; /* number in a whole training */

struct training {
    const struct train_context *context; /* borrowed */
    struct train_end *end;               /* borrowed */
    struct train_position position;
    int64_t step, total; /* steps done; total of the schedule */
    bool finished;       /* nothing is left to train */
    /* of the training; without stages: the model's cycles */
    struct pool pool; /* predictions of interim evaluations */
    struct cycle_schedule cycles;
    int generation;     /* of the next checkpoint: 0 or 1 */
    int64_t saved_step; /* of the last checkpoint; -1: none */
    double saved_at_s;  /* monotonic time of the last checkpoint */
    /* whether the step was abandoned: the engine's state is undefined */
    bool abandoned;
    double step_seconds;                    /* wall time of the last step */
    double session_seconds;                 /* wall time of this attempt's steps */
    int64_t session_steps;                  /* number of this attempt's steps */
    int32_t *inputs, *labels, *identifiers; /* owned; (B, U), (B, T), (B) */
    int32_t *minimum;                       /* owned; (B) exploration */
    struct metrics recent;                  /* since the last progress event */
    double recent_since_s;
    /* FLOPs of one evaluated row and outer step, for the untrained model */
    double row_step_flops;
};

static int training_init(struct training *out, const struct train_context *context,
                         struct train_end *end, struct error *err)
{
    size_t B = (size_t)context->config->batch_size, T = (size_t)context->config->seq_len;
    size_t U = (size_t)engine_input_tokens(context->config);

    *out = (struct training){
        .context = context,
        .end = end,
        .total = batches_total_steps(context->batches),
        .saved_step = -1,
        .inputs = calloc(B * U, sizeof(int32_t)),
        .labels = calloc(B * T, sizeof(int32_t)),
        .identifiers = calloc(B, sizeof(int32_t)),
        .minimum = calloc(B, sizeof(int32_t)),
    };
    if (out->inputs == NULL || out->labels == NULL || out->identifiers == NULL ||
        out->minimum == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for a batch of %zu rows", B);
    int rc = cycle_schedule_parse(
        &out->cycles, config_text(&context->job->config, TRAIN_CYCLE_SCHEDULE), err);

    return rc == 0 ? train_position_init(&out->position, err) : rc;
}

static void training_release(struct training *training)
{
    train_position_release(&training->position);
    pool_close(&training->pool);
    free(training->inputs);
    free(training->labels);
    free(training->identifiers);
    free(training->minimum);
}

static uint64_t seed_of(const struct training *training)
{
    return (uint64_t)config_int(&training->context->job->config, TRAIN_SEED);
}

/* Loads one candidate: engine, batches, position, step. */
static int load(struct training *training, const char *name, struct error *err)
{
    const struct train_context *c = training->context;
    struct checkpoint_facts facts = { 0 };
    char *path = job_run_path(c->job, name);
    int rc = 0;

    if (path == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for a path");
    rc = checkpoint_load(&facts, c->engine, path, c->job->run_hash, CHECKPOINT_EVERYTHING, err);
    if (rc == 0)
        rc = train_position_from_text(&training->position, c->batches, facts.position, path,
                                      err);
    if (rc == 0) {
        training->step = training->saved_step = facts.step;
        training->finished = facts.final;
        snprintf(training->end->weights_hash, sizeof training->end->weights_hash, "%s",
                 facts.weights_hash);
        if (strcmp(facts.kernel_set, engine_kernel_set()) != 0)
            log_warning("%s was written with the %s kernels, this is %s: not the same bits",
                        name, facts.kernel_set, engine_kernel_set());
    }
    checkpoint_facts_release(&facts);
    free(path);
    return rc;
}

/* Opens the pool of the step of a checkpoint, which counts if both can be read, and
 * loads that. */
static int load_candidate(struct training *training,
                          const struct checkpoint_candidate *candidate, struct error *err)
{
    const struct job *job = training->context->job;
    int rc = pool_open(&training->pool, job, candidate->step, err);

    if (rc == 0)
        rc = evaluate_check_pools(&training->pool, job, candidate->step, err);
    if (rc == 0)
        rc = load(training, candidate->name, err);
    if (rc < 0)
        pool_close(&training->pool);
    return rc;
}

/* Loads the newest valid checkpoint from which the job may resume, and its pool. *from
 * is its name, newly allocated; NULL: there is none. */
static int load_newest(struct training *training, char **from, struct error *err)
{
    const struct train_context *c = training->context;
    struct checkpoint_candidate *list = NULL;
    char *run_directory = job_run_path(c->job, "");
    int count = 0, rc = 0;

    *from = NULL;
    if (run_directory == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for a path");
    rc = checkpoint_find(&list, &count, run_directory, c->job->attempt, c->job->run_hash, err);
    for (int i = 0; rc == 0 && *from == NULL && i < count; i++) {
        struct error fault = { 0 };

        if (!job_may_resume(c->job, list[i].attempt, list[i].step)) {
            log_warning("%s: what led to its step %lld is not recorded; skipped", list[i].name,
                        (long long)list[i].step);
            continue;
        }
        int loaded = load_candidate(training, &list[i], &fault);

        if (loaded == ERROR_NOMEM) {
            rc = error_set(err, ERROR_NOMEM, "%s", fault.message);
        } else if (loaded < 0) {
            log_warning("%s; an older checkpoint is used", fault.message);
            engine_initialise(c->engine, config_model_seed(&c->job->config));
        } else {
            *from = strdup(list[i].name);
            if (*from == NULL)
                rc = error_set(err, ERROR_NOMEM, "out of memory for a path");
        }
    }
    free(list);
    free(run_directory);
    return rc;
}

/* Where a loss is not finite, training has diverged: that is its end. */
static int evaluate(struct training *training, const char *checkpoint, const bool *selected,
                    const char *submission_path, double flops, struct error *err)
{
    const struct train_context *c = training->context;
    double divergent_loss = 0.0;
    const struct evaluate_context context = {
        .engine = c->engine,
        .config = c->config,
        .set = c->set,
        .report = c->report,
        .step = training->step,
        .total_steps = training->total,
        .checkpoint = checkpoint,
        .outcomes = submission_path != NULL,
        .submission_path = submission_path,
        .flops = flops,
        .row_step_flops = training->row_step_flops,
        .seed = seed_of(training),
        .pool = strcmp(checkpoint, "untrained") != 0 ? &training->pool : NULL,
        .settings = &c->job->config,
        .weights_hash = strcmp(checkpoint, "last") == 0 ? training->end->weights_hash : "",
        .divergent_loss = &divergent_loss,
    };
    double began_s = clock_monotonic_s();
    int rc = engine_set_cycles(c->engine, c->config->H_cycles, c->config->L_cycles, err);

    if (rc == 0)
        rc = evaluate_run(&context, c->job->evaluations, c->job->evaluation_count, selected,
                          err);
    training->position.evaluation_seconds += clock_monotonic_s() - began_s;
    if (isfinite(divergent_loss))
        return rc;
    training->end->diverged = true;
    return report_diverged(c->report, training->step, divergent_loss, err);
}

/* FLOPs that each evaluation of the untrained model may cost: the share that is set,
 * but at least about a second and at most some minutes of work. 0: it is not
 * evaluated. */
static double untrained_flops(struct training *training)
{
    static const double LEAST = 1e12, MOST = 3e13;
    const struct train_context *c = training->context;
    const struct data_info *info = data_set_info(c->set);
    double share = config_real(&c->job->config, TRAIN_UNTRAINED_SHARE);
    struct shape shape;

    shape_compute(&shape, &c->job->config, info->seq_len, info->vocab_size,
                  config_puzzle_ids(&c->job->config, info->num_puzzle_identifiers));
    training->row_step_flops = shape.eval_row_step_flops;
    double flops = share * shape.train_step_flops * (double)training->total;
    return share <= 0.0 || !config_trains(&c->job->config) ? 0.0
           : flops < LEAST                                 ? LEAST
           : flops > MOST                                  ? MOST
                                                           : flops;
}

/* Evaluates the untrained model where no earlier attempt has reported the result.
 * The engine holds the seed's weights. */
static int evaluate_untrained(struct training *training, const bool *selected,
                              struct error *err)
{
    const struct job *job = training->context->job;
    double flops = untrained_flops(training);
    int64_t step = training->step;
    int rc = 0;

    training->step = 0;
    if (flops > 0.0)
        rc = evaluate(training, "untrained", selected, NULL, flops, err);
    training->step = step;
    for (int i = 0; rc == 0 && i < job->evaluation_count; i++)
        rc = train_position_add_untrained(&training->position, job->evaluations[i].canonical,
                                          err);
    return rc;
}

/* Resumes or begins the training; writes the events resume and baseline and the
 * untrained model's results. */
static int start(struct training *training, struct error *err)
{
    const struct train_context *c = training->context;
    bool *missing = calloc((size_t)c->job->evaluation_count + 1, sizeof *missing);
    bool any = false;
    char *from = NULL;
    int rc = 0;

    if (missing == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for the evaluations");
    engine_initialise(c->engine, config_model_seed(&c->job->config));
    rc = load_newest(training, &from, err);
    if (rc == 0 && from != NULL)
        rc = report_resume(c->report, training->step, from, err);
    if (rc == 0)
        rc = baseline_say(c->job, c->set, c->report, err);
    for (int i = 0; i < c->job->evaluation_count; i++) {
        missing[i] = !train_position_has_untrained(&training->position,
                                                   c->job->evaluations[i].canonical);
        any = any || missing[i];
    }
    if (rc == 0 && any) {
        engine_initialise(c->engine, config_model_seed(&c->job->config));
        rc = evaluate_untrained(training, missing, err);
        if (rc == 0 && from != NULL) {
            cJSON *untrained = training->position.untrained;
            double seconds = training->position.evaluation_seconds;

            training->position.untrained = NULL;
            rc = load(training, from, err);
            if (rc == 0) {
                cJSON_Delete(training->position.untrained);
                training->position.untrained = untrained;
                training->position.evaluation_seconds = seconds;
            } else {
                cJSON_Delete(untrained);
            }
        }
    }
    if (rc == 0 && from == NULL && c->job->base.kind != INIT_SEED) {
        rc = init_weights_job(c->job, c->engine, c->set, c->report, err);
        training->end->base_damaged =
            c->job->base.kind == INIT_RUN && (rc == ERROR_DAMAGED || rc == ERROR_ABSENT);
    }
    if (rc == 0 && from == NULL)
        rc = pool_open(&training->pool, c->job, 0, err);
    free(from);
    free(missing);
    return rc;
}

/* Writes the next checkpoint, after syncing the journal. */
static int save(struct training *training, bool final, struct error *err)
{
    const struct train_context *c = training->context;
    char name[64], hash[HASH_HEX_SIZE], *path, *position;
    int rc = work_check_fence(err);

    if (rc == 0)
        rc = report_sync(c->report, err);
    if (rc < 0)
        return rc;
    if (final)
        snprintf(name, sizeof name, CHECKPOINT_FINAL_NAME);
    else
        snprintf(name, sizeof name, "checkpoint-%d.safetensors", training->generation);
    path = job_own_path(c->job, name);
    position = train_position_to_text(&training->position, c->batches);
    if (path == NULL || position == NULL)
        rc = error_set(err, ERROR_NOMEM, "out of memory for a checkpoint");
    if (rc == 0)
        rc = checkpoint_write(hash, c->engine, path, c->job->run_hash, training->step, final,
                              position, err);
    if (rc == 0) {
        memcpy(training->end->weights_hash, hash, sizeof hash);
        training->generation = 1 - training->generation;
        training->saved_step = training->step;
        training->saved_at_s = clock_monotonic_s();
        rc = report_checkpoint(c->report, training->step, name, hash, final, err);
    }
    free(position);
    free(path);
    return rc;
}

/* Draws the exploration minimum of each row at this step (counted from 1), from a
 * random stream of its own for each step. */
static void draw_minimum(struct training *training, int64_t step)
{
    const struct train_context *c = training->context;
    double probability = config_real(&c->job->config, ARCH_HALT_EXPLORATION_PROB);
    int most = c->config->halt_max_steps;
    struct random_stream stream =
        random_stream(config_data_seed(&c->job->config), "exploration", (uint64_t)step);

    for (int i = 0; i < c->config->batch_size; i++) {
        training->minimum[i] = 0;
        if (most >= 2 && random_uniform(&stream) < probability)
            training->minimum[i] = 2 + (int32_t)random_below(&stream, (uint64_t)(most - 1));
    }
}

static double mean(double sum, double count)
{
    return count > 0.0 ? sum / count : REPORT_UNKNOWN;
}

/* Updates what progress events report: means and rate over about the last second, or
 * over the last step if that took longer. The remaining time is estimated from all
 * steps of this attempt. */
static void update_progress(struct training *training)
{
    enum { INTERVAL_S = 1 };
    const struct metrics *recent = &training->recent;
    double now = clock_monotonic_s(), seconds = now - training->recent_since_s;
    double left = (double)(training->total - training->step);

    work_set_step(training->step, training->total);
    if (seconds < INTERVAL_S)
        return;
    work_set_training(mean(recent->lm_loss, recent->rows),
                      mean(recent->accuracy, recent->count),
                      mean(recent->exact_accuracy, recent->count), mean(recent->steps, seconds),
                      left * mean(training->session_seconds, (double)training->session_steps));
    training->recent = (struct metrics){ 0 };
    training->recent_since_s = now;
}

/* After each 1/50 of the training: appends a metric event and logs a line. */
static int report_metrics(struct training *training, struct error *err)
{
    const struct metrics *metrics = &training->position.metrics;
    double loss = mean(metrics->lm_loss, metrics->rows);
    char accuracy[80] = "no row has halted";
    int rc;

    if (metrics->count > 0.0)
        snprintf(accuracy, sizeof accuracy, "token accuracy %.4f, exact %.4f",
                 mean(metrics->accuracy, metrics->count),
                 mean(metrics->exact_accuracy, metrics->count));
    log_info("step %lld of %lld: loss %.4g, %s, %.3g s a step", (long long)training->step,
             (long long)training->total, loss, accuracy,
             mean(training->session_seconds, (double)training->session_steps));
    rc = report_metric(training->context->report, training->step, metrics_values(metrics), err);
    training->position.metrics = (struct metrics){ 0 };
    return rc;
}

/* Runs the engine's part of a step and measures its time. */
static int compute_step(struct training *training, const struct engine_batch *batch,
                        struct engine_result *result, struct error *err)
{
    double began_s = clock_monotonic_s();
    int rc;

    work_begin_step();
    rc = engine_train_step(training->context->engine, batch, training->minimum, result);
    work_end_step();
    if (rc < 0) {
        char message[120];

        training->abandoned = true;
        snprintf(message, sizeof message, "stopped in step %lld (%.0f %% done, abandoned)",
                 (long long)training->step + 1, 100.0 * work_step_share());
        return work_why_abandoned(err, message);
    }
    training->step++;
    training->step_seconds = clock_monotonic_s() - began_s;
    training->position.train_seconds += training->step_seconds;
    training->session_seconds += training->step_seconds;
    training->session_steps++;
    return 0;
}

/* What the next step does not train. */
static void freeze(struct training *training)
{
    const struct config *config = &training->context->job->config;

    engine_freeze(training->context->engine,
                  training->step < engine_setup_trunk_rests(config, training->total),
                  config_active(config, TRAIN_FREEZE) &&
                      strcmp(config_choice(config, TRAIN_FREEZE), "puzzle") == 0);
}

/* Takes one training step on the drawn batch and updates the metrics. */
static int take_step(struct training *training, struct error *err)
{
    const struct train_context *c = training->context;
    int64_t interval = training->total / METRIC_EVENTS;
    const struct engine_batch batch = { .inputs = training->inputs,
                                        .labels = training->labels,
                                        .puzzle_identifiers = training->identifiers };
    struct engine_result result;

    if (config_blank_ids(&c->job->config))
        memset(training->identifiers, 0,
               (size_t)c->config->batch_size * sizeof *training->identifiers);
    int rc = engine_check_batch(c->engine, &batch, c->config->batch_size, err);

    if (rc < 0)
        return rc;
    const struct cycle_stage *stage =
        cycle_schedule_at(&training->cycles, training->step, training->total);

    if (stage != NULL)
        rc = engine_set_cycles(c->engine, stage->H_cycles, stage->L_cycles, err);
    if (rc < 0)
        return rc;
    draw_minimum(training, training->step + 1);
    freeze(training);
    rc = compute_step(training, &batch, &result, err);
    if (rc < 0)
        return rc;
    if (!result.finite) {
        training->end->diverged = true;
        return report_diverged(c->report, training->step, result.loss, err);
    }
    metrics_add(&training->position.metrics, &result, c->config->batch_size);
    metrics_add(&training->recent, &result, c->config->batch_size);
    if (training->step % (interval > 0 ? interval : 1) == 0)
        rc = report_metrics(training, err);
    update_progress(training);
    return rc;
}

/* Sets progress events to the training phase. */
static void begin_training(struct training *training)
{
    work_set_phase(WORK_TRAIN, training->step, training->total);
    training->recent = (struct metrics){ 0 };
    training->recent_since_s = clock_monotonic_s();
}

/* At the end of an eval_interval, unless it is the end of training: runs an interim
 * evaluation. */
static int evaluate_interim(struct training *training, struct error *err)
{
    int rc = evaluate(training, "interim", NULL, NULL, 0.0, err);

    begin_training(training);
    if (rc == 0) {
        training->position.interim_due = false;
        cJSON_Delete(training->position.interval_end);
        training->position.interval_end = NULL;
    }
    return rc;
}

static int note_interval_end(struct training *training, struct error *err)
{
    cJSON *place = batches_save(training->context->batches);

    if (place == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for the training's position");
    cJSON_Delete(training->position.interval_end);
    training->position.interval_end = place;
    training->position.interim_due = training->step > 0;
    return 0;
}

/* Whether now is closer to the end of the checkpoint interval than the end of the
 * next step. */
static bool checkpoint_is_due(const struct training *training)
{
    double interval = config_real(&training->context->job->config, CHECKPOINT_INTERVAL_S);
    double since_s = clock_monotonic_s() - training->saved_at_s;

    return since_s + 0.5 * training->step_seconds >= interval;
}

/* Trains until the data ends, a loss becomes non-finite, or a stop is requested. */
static int train(struct training *training, struct error *err)
{
    const struct train_context *c = training->context;
    int rc = 0;

    begin_training(training);
    training->saved_at_s = clock_monotonic_s();
    while (rc == 0 && !training->end->diverged) {
        enum batches_next next =
            batches_next(c->batches, training->inputs, training->labels, training->identifiers);

        if (next == BATCHES_END)
            break;
        if (next == BATCHES_INTERVAL) {
            rc = note_interval_end(training, err);
            continue;
        }
        if (training->position.interim_due)
            rc = evaluate_interim(training, err);
        if (rc == 0 && !training->end->diverged)
            rc = take_step(training, err);
        if (rc == 0 && !training->end->diverged) {
            rc = work_done(1, err);
            if (rc == ERROR_STOPPED)
                rc = error_set(err, ERROR_STOPPED, "stopped after step %lld",
                               (long long)training->step);
        }
        if (rc == 0 && !training->end->diverged && checkpoint_is_due(training))
            rc = save(training, false, err);
    }
    if (rc == ERROR_STOPPED && training->step > 0 && !training->abandoned) {
        struct error fault = { 0 };
        int saved = save(training, false, &fault);

        if (saved < 0)
            rc = error_set(err, fault.code, "%s", fault.message);
    }
    return rc;
}

/* Writes the last metrics and the final weights, and runs the final evaluations. */
static int finish(struct training *training, struct error *err)
{
    const struct train_context *c = training->context;
    char *submission = job_own_path(c->job, "submission.json");
    int rc = 0;

    if (submission == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for a path");
    if (!training->finished && training->position.metrics.steps > 0.0)
        rc = report_metrics(training, err);
    training->position.interim_due = false;
    if (rc == 0)
        rc = save(training, true, err);
    if (rc == 0)
        rc = evaluate(training, "last", NULL, submission, 0.0, err);
    free(submission);
    return rc;
}

/* Adds which checkpoint counts to the message. */
static void add_what_counts(const struct training *training, struct error *err)
{
    char where[ERROR_MESSAGE_SIZE];

    snprintf(where, sizeof where, "%.900s", err->message);
    if (training->saved_step >= 0)
        error_set(err, ERROR_STOPPED, "%.900s; the checkpoint of step %lld counts", where,
                  (long long)training->saved_step);
    else
        error_set(err, ERROR_STOPPED,
                  "%.900s; there is no checkpoint yet, so another attempt begins anew", where);
}

int train_run(const struct train_context *context, struct train_end *out, struct error *err)
{
    struct training training;
    int rc;

    *out = (struct train_end){ 0 };
    rc = training_init(&training, context, out, err);
    if (rc == 0)
        rc = start(&training, err);
    if (rc == 0 && !training.finished)
        rc = train(&training, err);
    if (rc == 0 && !out->diverged)
        rc = finish(&training, err);
    if (rc == ERROR_STOPPED)
        add_what_counts(&training, err);
    out->step = training.step;
    out->train_seconds = training.position.train_seconds;
    out->evaluation_seconds = training.position.evaluation_seconds;
    training_release(&training);
    return rc;
}
