/* train.c - the training loop. */
#include "train.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "batches.h"
#include "checkpoint.h"
#include "checkpoint_header.h"
#include "checkpoint_find.h"
#include "clock.h"
#include "engine_setup.h"
#include "error.h"
#include "evaluate.h"
#include "job.h"
#include "keeper.h"
#include "log.h"
#include "metrics.h"
#include "random.h"
#include "report.h"
#include "train_position.h"

enum { METRIC_EVENTS = 50 }; /* of a whole training */

struct training {
    const struct train_context *context; /* borrowed */
    struct train_end *end;               /* borrowed */
    struct train_position position;
    int64_t step, total;                    /* steps done; of the schedule */
    bool finished;                          /* nothing is left to train */
    int generation;                         /* of the next checkpoint: 0 or 1 */
    double saved_at_s;                      /* monotonic time of the last checkpoint */
    int32_t *inputs, *labels, *identifiers; /* owned; (B, T), (B, T), (B) */
    int32_t *minimum;                       /* owned; (B) exploration */
    struct metrics recent;                  /* since the last progress event */
    double recent_since_s;
};

static int training_init(struct training *out, const struct train_context *context,
                         struct train_end *end, struct error *err)
{
    size_t B = (size_t)context->config->batch_size, T = (size_t)context->config->seq_len;

    *out = (struct training){
        .context = context,
        .end = end,
        .total = batches_total_steps(context->batches),
        .inputs = calloc(B * T, sizeof(int32_t)),
        .labels = calloc(B * T, sizeof(int32_t)),
        .identifiers = calloc(B, sizeof(int32_t)),
        .minimum = calloc(B, sizeof(int32_t)),
    };
    if (out->inputs == NULL || out->labels == NULL || out->identifiers == NULL ||
        out->minimum == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for a batch of %zu rows", B);
    return train_position_init(&out->position, err);
}

static void training_release(struct training *training)
{
    train_position_release(&training->position);
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
        training->step = facts.step;
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

/* Loads the best valid checkpoint that the job allows to go on from. *from: its name, fresh; NULL: none. */
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
            log_warning("%s: what led to its step %lld is not recorded; passed over",
                        list[i].name, (long long)list[i].step);
            continue;
        }
        int loaded = load(training, list[i].name, &fault);

        if (loaded == ERROR_NOMEM) {
            rc = error_set(err, ERROR_NOMEM, "%s", fault.message);
        } else if (loaded < 0) {
            log_warning("%s; an older checkpoint is used", fault.message);
            engine_initialise(c->engine, seed_of(training));
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

static int evaluate(const struct training *training, const char *checkpoint,
                    const bool *selected, const char *submission_path, struct error *err)
{
    const struct train_context *c = training->context;
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
    };

    return evaluate_run(&context, c->job->evaluations, c->job->evaluation_count, selected, err);
}

/* The untrained model's evaluations, those that no earlier attempt has said for sure. The
 * engine holds the seed's weights. */
static int evaluate_untrained(struct training *training, const bool *selected,
                              struct error *err)
{
    const struct job *job = training->context->job;
    int64_t step = training->step;
    int rc;

    training->step = 0;
    rc = evaluate(training, "untrained", selected, NULL, err);
    training->step = step;
    for (int i = 0; rc == 0 && i < job->evaluation_count; i++)
        rc = train_position_add_untrained(&training->position, job->evaluations[i].canonical,
                                          err);
    return rc;
}

/* Resumes or begins; says resume, baselines and what the untrained model scores. */
static int start(struct training *training, struct error *err)
{
    const struct train_context *c = training->context;
    bool *missing = calloc((size_t)c->job->evaluation_count + 1, sizeof *missing);
    bool any = false;
    char *from = NULL;
    int rc = 0;

    if (missing == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for the evaluations");
    engine_initialise(c->engine, seed_of(training));
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
        engine_initialise(c->engine, seed_of(training));
        rc = evaluate_untrained(training, missing, err);
        if (rc == 0 && from != NULL) {
            cJSON *untrained = training->position.untrained;

            training->position.untrained = NULL;
            rc = load(training, from, err);
            if (rc == 0) {
                cJSON_Delete(training->position.untrained);
                training->position.untrained = untrained;
            } else {
                cJSON_Delete(untrained);
            }
        }
    }
    free(from);
    free(missing);
    return rc;
}

/* Writes the next generation, after everything said so far is safe. */
static int save(struct training *training, bool final, struct error *err)
{
    const struct train_context *c = training->context;
    char name[64], hash[HASH_HEX_SIZE], *path, *position;
    int rc = report_sync(c->report, err);

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
        training->saved_at_s = clock_monotonic_s();
        rc = report_checkpoint(c->report, training->step, name, hash, final, err);
    }
    free(position);
    free(path);
    return rc;
}

/* The exploration minimum of each row at this step (counted from 1): a stream per step. */
static void draw_minimum(struct training *training, int64_t step)
{
    const struct train_context *c = training->context;
    double probability = config_real(&c->job->config, ARCH_HALT_EXPLORATION_PROB);
    int most = c->config->halt_max_steps;
    struct random_stream stream =
        random_stream(seed_of(training), "exploration", (uint64_t)step);

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

static int say_progress(struct training *training, struct error *err)
{
    const struct metrics *recent = &training->recent;
    double now = clock_monotonic_s(), seconds = now - training->recent_since_s;
    double rate = mean(recent->steps, seconds);
    const struct report_progress progress = {
        .phase = "train",
        .step = training->step,
        .total_steps = training->total,
        .loss = mean(recent->lm_loss, recent->rows),
        .accuracy = mean(recent->accuracy, recent->count),
        .exact_accuracy = mean(recent->exact_accuracy, recent->count),
        .steps_per_s = rate,
        .eta_s = mean((double)(training->total - training->step), rate),
    };

    training->recent = (struct metrics){ 0 };
    training->recent_since_s = now;
    return report_progress(training->context->report, &progress, err);
}

/* One step on the batch that was drawn, and what is to be said of it. */
static int take_step(struct training *training, struct error *err)
{
    const struct train_context *c = training->context;
    int64_t interval = training->total / METRIC_EVENTS;
    const struct engine_batch batch = { .inputs = training->inputs,
                                        .labels = training->labels,
                                        .puzzle_identifiers = training->identifiers };
    struct engine_result result;
    int rc = engine_check_batch(c->engine, &batch, c->config->batch_size, err);

    if (rc < 0)
        return rc;
    draw_minimum(training, training->step + 1);
    rc = engine_train_step(c->engine, &batch, training->minimum, &result);
    if (rc < 0)
        return error_set(err, ERROR_STOPPED, "stopped in step %lld",
                         (long long)training->step + 1);
    training->step++;
    c->report->heartbeat += engine_setup_calls(c->config) * (result.has_target_q ? 2 : 1);
    if (!result.finite) {
        training->end->diverged = true;
        return report_diverged(c->report, training->step, result.loss, err);
    }
    metrics_add(&training->position.metrics, &result, c->config->batch_size);
    metrics_add(&training->recent, &result, c->config->batch_size);
    if (training->step % (interval > 0 ? interval : 1) == 0) {
        rc = report_metric(c->report, training->step,
                           metrics_values(&training->position.metrics), err);
        training->position.metrics = (struct metrics){ 0 };
    }
    if (rc == 0 && report_progress_due(c->report))
        rc = say_progress(training, err);
    return rc;
}

/* An eval_interval is over and training goes on: evaluate on the way. */
static int evaluate_interim(struct training *training, struct error *err)
{
    int rc = evaluate(training, "interim", NULL, NULL, err);

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

/* Step after step until the data ends, the loss is not finite, or a stop is asked for. */
static int train(struct training *training, struct error *err)
{
    const struct train_context *c = training->context;
    double interval = config_real(&c->job->config, CHECKPOINT_INTERVAL_S);
    int rc = 0;

    training->saved_at_s = training->recent_since_s = clock_monotonic_s();
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
        if (rc == 0)
            rc = take_step(training, err);
        if (rc == 0 && !training->end->diverged && keeper_stop_requested())
            rc = error_set(err, ERROR_STOPPED, "stopped at step %lld",
                           (long long)training->step);
        if (rc == 0 && !training->end->diverged &&
            clock_monotonic_s() - training->saved_at_s >= interval)
            rc = save(training, false, err);
    }
    if (rc == ERROR_STOPPED && training->step > 0) {
        struct error fault = { 0 };
        int saved = save(training, false, &fault);

        if (saved < 0)
            rc = error_set(err, fault.code, "%s", fault.message);
    }
    return rc;
}

/* The last metrics, the final weights, the evaluations that count. */
static int finish(struct training *training, struct error *err)
{
    const struct train_context *c = training->context;
    char *submission = job_own_path(c->job, "submission.json");
    int rc = 0;

    if (submission == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for a path");
    if (!training->finished && training->position.metrics.steps > 0.0) {
        rc = report_metric(c->report, training->step,
                           metrics_values(&training->position.metrics), err);
        training->position.metrics = (struct metrics){ 0 };
    }
    training->position.interim_due = false;
    if (rc == 0)
        rc = save(training, true, err);
    if (rc == 0)
        rc = evaluate(training, "last", NULL, submission, err);
    free(submission);
    return rc;
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
    out->step = training.step;
    training_release(&training);
    return rc;
}
