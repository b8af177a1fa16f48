/*
 * golden_case.c - replays one golden-1 case with the engine and compares every tensor in it.
 *
 * The configuration says what to run, the file what to compare. Each tensor taken from the
 * file is marked; what is left unmarked at the end is a failure, as is a tensor that the
 * format promises and the file lacks. Limits are those of the format's description.
 */
#include "golden_case.h"

#include "error.h"
#include "golden_stray.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 224 };
/* An element of the gradient below this share of the largest is rounding noise. */
static const double NOISE_FIRST = 5e-5, NOISE_LATER = 5e-4;

struct replay {
    const struct golden_config *config;
    const struct safetensors_file *file, *base;
    struct golden_report *report;
    struct engine *engine;
    struct engine_state *states; /* parameters and buffers, in the engine's order */
    int state_count;
    uint8_t **noisy;       /* per state: elements whose gradient was noise once; owned */
    int *average;          /* per state: the engine's state that is its average, or -1; owned */
    float *values;         /* room for the largest state or output, three times; owned */
    bool *used;            /* per tensor of file; owned */
    struct search *search; /* NULL: none */
};

/* What one replay of a search for strays applies and finds. A stage is a training step, or
 * config->steps for the evaluation. */
struct search {
    struct golden_flip flips[GOLDEN_MOST_FLIPS + 1];
    int flip_count;
    bool aloud;                          /* the flips are known: just apply them, replay all */
    int last_stage;                      /* stop behind it */
    bool collect;                        /* fill candidates */
    int failed_stage;                    /* the first with a failure; -1: none */
    double failed_ratio;                 /* its worst ratio of difference to limit */
    struct golden_candidates candidates; /* of steps before failed_stage */
};

static void replay_release(struct replay *r)
{
    for (int i = 0; i < r->state_count; i++) {
        if (r->noisy != NULL)
            free(r->noisy[i]);
    }
    free(r->noisy);
    free(r->average);
    free(r->states);
    free(r->values);
    free(r->used);
    engine_destroy(r->engine);
}

static bool is_trained(const struct replay *r, int i)
{
    return r->states[i].kind == ENGINE_PARAMETER;
}

static bool is_puzzle(const struct replay *r, int i)
{
    return strcmp(r->states[i].name, "inner.puzzle_emb.weights") == 0;
}

/* The tensor of that name, marked as used, or NULL. */
__attribute__((format(printf, 2, 3))) static const struct safetensors_tensor *
take(struct replay *r, const char *format, ...)
{
    char name[NAME_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    const struct safetensors_tensor *tensor = safetensors_find(r->file, name);
    if (tensor != NULL)
        r->used[tensor - safetensors_at(r->file, 0)] = true;
    return tensor;
}

/* True when any tensor's name starts so. */
__attribute__((format(printf, 2, 3))) static bool has_prefix(const struct replay *r,
                                                             const char *format, ...)
{
    char prefix[NAME_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    for (int i = 0; i < safetensors_count(r->file); i++)
        if (strncmp(safetensors_at(r->file, i)->name, prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

/* Compares "FRONT/WHAT" when it is there; when it is not and ought to be, that is a failure. */
static void check(struct replay *r, const char *front, const char *what, bool required,
                  const struct golden_values *ours, const struct golden_limit *limit)
{
    char name[NAME_SIZE];
    const struct safetensors_tensor *tensor = take(r, "%s/%s", front, what);

    if (tensor != NULL) {
        golden_compare(r->report, tensor, ours, limit);
    } else if (required) {
        snprintf(name, sizeof name, "%s/%s", front, what);
        golden_fail(r->report, name, "the file lacks this tensor");
    }
}

static void check_number(struct replay *r, const char *front, const char *what, bool required,
                         double ours, double absolute, double relative)
{
    const struct golden_values values = { &ours, SAFETENSORS_F64, 1, 1, 0.0 };
    const struct golden_limit limit = { .absolute = absolute, .relative = relative };

    check(r, front, what, required, &values, &limit);
}

static void check_output(struct replay *r, const char *front, const char *what, bool required,
                         enum engine_output output, enum safetensors_dtype dtype, size_t rows,
                         double absolute)
{
    size_t bytes = engine_output_size(r->engine, output);
    size_t batch = (size_t)r->config->engine.batch_size;
    const struct golden_values values = { r->values, dtype,
                                          bytes / safetensors_dtype_size(dtype) / batch * rows,
                                          1, 0.0 };
    const struct golden_limit limit = { .absolute = absolute };

    if (bytes == 0)
        return; /* the transformer's z_L: if recorded, it will be reported as unchecked */
    engine_read(r->engine, output, r->values);
    check(r, front, what, required, &values, &limit);
}

/* One of the batch's arrays: I32, rows x columns. NULL with a failure when it is not so. */
static const int32_t *take_batch(struct replay *r, const char *front, const char *what,
                                 size_t rows, size_t columns)
{
    const struct safetensors_tensor *tensor = take(r, "%s/%s", front, what);
    char name[NAME_SIZE];

    if (tensor != NULL && tensor->dtype == SAFETENSORS_I32 &&
        tensor->elements == rows * columns)
        return tensor->data;
    snprintf(name, sizeof name, "%s/%s", front, what);
    golden_fail(r->report, name, "expected %zu x %zu I32, the file has %s", rows, columns,
                tensor == NULL ? "no such tensor" : "another shape or type");
    return NULL;
}

static bool take_whole_batch(struct replay *r, struct engine_batch *batch, const char *front,
                             size_t rows)
{
    size_t T = (size_t)r->config->engine.seq_len;
    struct error err;

    batch->inputs = take_batch(r, front, "batch_inputs", rows, T);
    batch->labels = take_batch(r, front, "batch_labels", rows, T);
    batch->puzzle_identifiers = take_batch(r, front, "batch_puzzle_identifiers", rows, 1);
    if (batch->inputs == NULL || batch->labels == NULL || batch->puzzle_identifiers == NULL)
        return false;
    if (engine_check_batch(r->engine, batch, (int)rows, &err) < 0) {
        golden_fail(r->report, front, "%s", err.message);
        return false;
    }
    return true;
}

/* All parameters and buffers from param0/. */
static bool load_parameters(struct replay *r)
{
    bool complete = true;

    for (int i = 0; i < r->state_count; i++) {
        const struct engine_state *state = &r->states[i];
        const struct safetensors_tensor *tensor = take(r, "param0/%s", state->name);
        char name[NAME_SIZE];

        snprintf(name, sizeof name, "param0/%s", state->name);
        if (tensor == NULL && r->base != NULL)
            tensor = safetensors_find(r->base, name);
        if (tensor == NULL) {
            golden_fail(r->report, name,
                        "neither the file nor its param0_from has this tensor");
            complete = false;
        } else if (tensor->dtype != SAFETENSORS_F32 || tensor->rank != state->rank ||
                   tensor->dims[0] != state->dims[0] ||
                   (state->rank > 1 && tensor->dims[1] != state->dims[1])) {
            golden_fail(r->report, name, "its shape or type is not %lld x %lld F32",
                        (long long)state->dims[0],
                        (long long)(state->rank > 1 ? state->dims[1] : 1));
            complete = false;
        } else {
            engine_state_set(r->engine, i, tensor->data);
            if (r->average[i] >= 0)
                engine_state_set(r->engine, r->average[i], tensor->data);
        }
    }
    return complete;
}

static double largest_of(const float *values, size_t count)
{
    double largest = 0.0;

    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)values[i]));
    return largest;
}

/* Marks elements whose gradient is noise beside the tensor's largest. A gradient of exactly 0
 * (a token that does not occur) is no noise. */
static void mark_noise(uint8_t *noisy, const float *gradient, size_t count, double share)
{
    double threshold = share * largest_of(gradient, count);

    for (size_t i = 0; i < count; i++)
        if (gradient[i] != 0.0f && fabs((double)gradient[i]) <= threshold)
            noisy[i] = 1;
}

/* The same for the puzzle rows of this step: gradients of equal ids are summed. */
static void mark_puzzle_noise(struct replay *r, uint8_t *noisy, const int32_t *ids,
                              double share)
{
    size_t E = (size_t)r->config->engine.puzzle_emb_ndim;
    size_t B = (size_t)r->config->engine.batch_size;

    engine_read(r->engine, ENGINE_PUZZLE_GRADIENT, r->values);
    double threshold = share * largest_of(r->values, B * E);

    for (size_t b = 0; b < B; b++)
        for (size_t e = 0; e < E; e++) {
            double sum = 0.0;

            for (size_t i = 0; i < B; i++)
                sum += ids[i] == ids[b] ? (double)r->values[i * E + e] : 0.0;
            if (fabs(sum) <= threshold)
                noisy[(size_t)ids[b] * E + e] = 1;
        }
}

/* step{t}/grad and its samples and statistics, for all parameters when there are any. */
static void check_gradient(struct replay *r, int t, const char *name, size_t count,
                           bool required)
{
    const struct golden_limit limit = { .absolute = 1e-12,
                                        .of_largest = t == 0 ? 5e-5 : 5e-4,
                                        .l2 = t == 0 ? 5e-5 : 3e-4 };
    struct golden_values ours = { r->values, SAFETENSORS_F32, count, 1,
                                  largest_of(r->values, count) };
    const struct safetensors_tensor *whole = take(r, "step%d/grad/%s", t, name);
    const struct safetensors_tensor *sample = take(r, "step%d/grad_sample/%s", t, name);
    const struct safetensors_tensor *stats = take(r, "step%d/grad_stats/%s", t, name);
    char front[NAME_SIZE];

    if (whole != NULL)
        golden_compare(r->report, whole, &ours, &limit);
    if (sample != NULL) {
        ours.stride = (size_t)r->config->sample_stride;
        golden_compare(r->report, sample, &ours, &limit);
    }
    if (stats != NULL)
        golden_compare_stats(r->report, stats, r->values, count, 2e-4);
    if (required && ((whole == NULL && sample == NULL) || stats == NULL)) {
        snprintf(front, sizeof front, "step%d/%s/%s", t, stats == NULL ? "grad_stats" : "grad",
                 name);
        golden_fail(r->report, front, "the file lacks this tensor");
    }
}

static void check_gradients(struct replay *r, int t)
{
    bool required = has_prefix(r, "step%d/grad", t);
    double share = t == 0 ? NOISE_FIRST : NOISE_LATER;
    size_t bytes = engine_output_size(r->engine, ENGINE_PUZZLE_GRADIENT);
    int32_t *ids;

    for (int i = 0; i < r->state_count; i++) {
        size_t count = (size_t)r->states[i].elements;

        if (!is_trained(r, i))
            continue;
        engine_gradient_get(r->engine, i, r->values);
        mark_noise(r->noisy[i], r->values, count, share);
        check_gradient(r, t, r->states[i].name, count, required);
    }
    if (bytes == 0)
        return;
    ids = malloc(engine_output_size(r->engine, ENGINE_CURRENT_IDENTIFIERS));
    for (int i = 0; ids != NULL && i < r->state_count; i++)
        if (is_puzzle(r, i)) {
            engine_read(r->engine, ENGINE_CURRENT_IDENTIFIERS, ids);
            mark_puzzle_noise(r, r->noisy[i], ids, share);
        }
    free(ids);
    engine_read(r->engine, ENGINE_PUZZLE_GRADIENT, r->values);
    check_gradient(r, t, "puzzle_emb.local_weights", bytes / sizeof(float), required);
}

/* KIND{n}/P and its samples and statistics against values, for state i. */
static void check_parameter(struct replay *r, const char *kind, int n, int i,
                            const float *values, double absolute, bool required)
{
    const struct engine_config *c = &r->config->engine;
    const struct engine_state *state = &r->states[i];
    double rate = is_puzzle(r, i) ? c->puzzle_emb_lr : c->lr;
    const struct golden_limit limit = { .absolute = absolute,
                                        .noisy = r->noisy[i],
                                        .stray = 2.5 * rate * n };
    struct golden_values ours = { values, SAFETENSORS_F32, (size_t)state->elements, 1, 0.0 };
    const struct safetensors_tensor *whole = take(r, "%s%d/%s", kind, n, state->name);
    const struct safetensors_tensor *sample = take(r, "%s%d_sample/%s", kind, n, state->name);
    const struct safetensors_tensor *stats = take(r, "%s%d_stats/%s", kind, n, state->name);
    char name[NAME_SIZE];

    if (whole != NULL)
        golden_compare(r->report, whole, &ours, &limit);
    if (sample != NULL) {
        ours.stride = (size_t)r->config->sample_stride;
        golden_compare(r->report, sample, &ours, &limit);
    }
    if (stats != NULL)
        golden_compare_stats(r->report, stats, values, ours.count, 2e-4);
    if (required && ((whole == NULL && sample == NULL) || stats == NULL)) {
        snprintf(name, sizeof name, "%s%d%s/%s", kind, n, stats == NULL ? "_stats" : "",
                 state->name);
        golden_fail(r->report, name, "the file lacks this tensor");
    }
}

/* Weights after n steps, and their averages. */
static void check_parameters(struct replay *r, int n)
{
    bool required = has_prefix(r, "param%d/", n) || has_prefix(r, "param%d_", n);
    bool averages = has_prefix(r, "ema%d/", n) || has_prefix(r, "ema%d_", n);
    double limit = n == 1 ? 2e-6 : 2e-5;

    for (int i = 0; i < r->state_count; i++) {
        engine_state_get(r->engine, i, r->values);
        check_parameter(r, "param", n, i, r->values, limit,
                        required && (is_trained(r, i) || is_puzzle(r, i)));
        if (r->average[i] < 0)
            continue;
        engine_state_get(r->engine, r->average[i], r->values);
        check_parameter(r, "ema", n, i, r->values, 1e-5, averages);
    }
}

static void check_metrics(struct replay *r, const char *front,
                          const struct engine_result *result, bool required)
{
    check_number(r, front, "metrics/count", required, result->count, 0.0, 0.0);
    check_number(r, front, "metrics/accuracy", required, result->accuracy, 1e-6, 0.0);
    check_number(r, front, "metrics/exact_accuracy", required, result->exact_accuracy, 0.0,
                 0.0);
    check_number(r, front, "metrics/q_halt_accuracy", required, result->q_halt_accuracy, 0.0,
                 0.0);
    check_number(r, front, "metrics/steps", required, result->steps, 0.0, 0.0);
}

static void check_step(struct replay *r, int t, const struct engine_result *result)
{
    size_t B = (size_t)r->config->engine.batch_size;
    bool whole = !(r->config->engine.ema_rate > 0.0); /* averaged cases record less of a step */
    bool puzzles = r->config->engine.puzzle_emb_ndim > 0;
    double q = t == 0 ? 5e-5 : 3e-4, z = t == 0 ? 5e-5 : 1e-3;
    double absolute = t == 0 ? 1e-5 : 1e-4, relative = t == 0 ? 2e-6 : 5e-5;
    char f[32];

    snprintf(f, sizeof f, "step%d", t);
    check_output(r, f, "logits", whole, ENGINE_LOGITS, SAFETENSORS_F32, B, q);
    check_output(r, f, "q_halt_logits", whole, ENGINE_Q_HALT, SAFETENSORS_F32, B, q);
    check_output(r, f, "q_continue_logits", whole, ENGINE_Q_CONTINUE, SAFETENSORS_F32, B, q);
    check_output(r, f, "z_H", whole, ENGINE_Z_H, SAFETENSORS_F32, B, z);
    check_output(r, f, "z_L", whole, ENGINE_Z_L, SAFETENSORS_F32, B, z);
    check_output(r, f, "halted", true, ENGINE_HALTED, SAFETENSORS_U8, B, 0.0);
    check_output(r, f, "steps", true, ENGINE_STEPS, SAFETENSORS_I32, B, 0.0);
    check_output(r, f, "current_inputs", whole, ENGINE_CURRENT_INPUTS, SAFETENSORS_I32, B, 0.0);
    check_output(r, f, "current_labels", whole, ENGINE_CURRENT_LABELS, SAFETENSORS_I32, B, 0.0);
    check_output(r, f, "current_puzzle_identifiers", whole, ENGINE_CURRENT_IDENTIFIERS,
                 SAFETENSORS_I32, B, 0.0);
    check_number(r, f, "lm_loss", true, result->lm_loss, absolute, relative);
    check_number(r, f, "q_halt_loss", true, result->q_halt_loss, absolute, relative);
    check_number(r, f, "loss", true, result->loss, absolute, relative);
    /* Without a target these two are unchecked, that is wrong, when recorded. */
    if (result->has_target_q) {
        check_output(r, f, "target_q_continue", whole, ENGINE_TARGET_Q_CONTINUE,
                     SAFETENSORS_F32, B, 1e-4);
        check_number(r, f, "q_continue_loss", true, result->q_continue_loss, absolute,
                     relative);
    }
    check_metrics(r, f, result, whole);
    check_number(r, f, "lr", true, result->lr, 0.0, 1e-12);
    check_number(r, f, "puzzle_emb_lr", puzzles, result->puzzle_emb_lr, 0.0, 1e-12);
    check_gradients(r, t);
}

/* Turns the updates round that are suspected of step t, and collects new suspects. */
static void search_step(struct replay *r, int t, const struct engine_result *result)
{
    struct search *search = r->search;
    const struct engine_config *c = &r->config->engine;

    for (int i = 0; search->collect && i < r->state_count; i++) {
        if (is_trained(r, i))
            golden_stray_collect(&search->candidates, r->engine, c, t, i, r->values);
        else if (is_puzzle(r, i))
            golden_stray_collect_puzzle(&search->candidates, r->engine, c, t, i, r->values);
    }
    for (int i = 0; i < search->flip_count; i++)
        if (search->flips[i].t == t)
            golden_stray_flip(r->engine, c, &search->flips[i], result, r->values);
}

/* The step's exploration minima, NULL for none. An averaged case records less of a step: it has
 * none when no row explores, or else those of its base, the same run. */
static bool take_minima(struct replay *r, const int32_t **minima, const char *front)
{
    const struct engine_config *c = &r->config->engine;
    const struct safetensors_tensor *tensor;
    char name[NAME_SIZE];

    snprintf(name, sizeof name, "%s/min_halt_steps", front);
    *minima = NULL;
    if (!(c->ema_rate > 0.0) || safetensors_find(r->file, name) != NULL) {
        *minima = take_batch(r, front, "min_halt_steps", (size_t)c->batch_size, 1);
        return *minima != NULL;
    }
    if (!(r->config->exploration > 0.0))
        return true;
    tensor = r->base == NULL ? NULL : safetensors_find(r->base, name);
    if (tensor == NULL || tensor->dtype != SAFETENSORS_I32 ||
        tensor->elements != (size_t)c->batch_size) {
        golden_fail(r->report, name, "neither the file nor its param0_from has this tensor");
        return false;
    }
    *minima = tensor->data;
    return true;
}

static bool replay_step(struct replay *r, int t)
{
    const struct engine_config *c = &r->config->engine;
    bool adaptive = c->act_enabled && c->halt_max_steps > 1;
    struct engine_batch batch;
    struct engine_result result;
    const int32_t *minima = NULL;
    char front[32];

    snprintf(front, sizeof front, "step%d", t);
    if (!take_whole_batch(r, &batch, front, (size_t)c->batch_size))
        return false;
    if (adaptive && !take_minima(r, &minima, front))
        return false;
    if (engine_train_step(r->engine, &batch, minima, &result) < 0)
        return false;
    if (!result.finite)
        golden_fail(r->report, front, "our loss is not a finite number");
    check_step(r, t, &result);
    if (r->search != NULL)
        search_step(r, t, &result);
    check_parameters(r, t + 1);
    return true;
}

static void check_eval_step(struct replay *r, int k, size_t rows,
                            const struct engine_result *result)
{
    double limit = k == 1 ? 3e-4 : 2e-3;
    struct engine_result counted = *result;
    char f[32];

    snprintf(f, sizeof f, "eval%d", k);
    check_output(r, f, "logits", true, ENGINE_LOGITS, SAFETENSORS_F32, rows, limit);
    check_output(r, f, "q_halt_logits", true, ENGINE_Q_HALT, SAFETENSORS_F32, rows, limit);
    check_output(r, f, "q_continue_logits", false, ENGINE_Q_CONTINUE, SAFETENSORS_F32, rows,
                 limit);
    check_output(r, f, "z_H", false, ENGINE_Z_H, SAFETENSORS_F32, rows, 1e-2);
    check_output(r, f, "z_L", false, ENGINE_Z_L, SAFETENSORS_F32, rows, 1e-2);
    check_output(r, f, "halted", true, ENGINE_HALTED, SAFETENSORS_U8, rows, 0.0);
    check_output(r, f, "steps", true, ENGINE_STEPS, SAFETENSORS_I32, rows, 0.0);
    check_number(r, f, "lm_loss", true, result->lm_loss, limit, limit);
    check_number(r, f, "q_halt_loss", true, result->q_halt_loss, limit, limit);
    check_number(r, f, "loss", false, result->loss, limit, limit);
    /* Recorded metrics are of rows that have halted: all of them, or none yet. */
    if (k < r->config->engine.halt_max_steps)
        counted.count = counted.accuracy = counted.exact_accuracy = counted.q_halt_accuracy =
            counted.steps = 0.0;
    check_metrics(r, f, &counted, true);
}

static void replay_evaluation(struct replay *r)
{
    const struct safetensors_tensor *inputs = safetensors_find(r->file, "eval/batch_inputs");
    size_t B = (size_t)r->config->engine.batch_size;
    size_t rows = inputs == NULL || inputs->rank != 2 ? B : (size_t)inputs->dims[0];
    struct engine_batch batch;

    if (!has_prefix(r, "eval/") && !has_prefix(r, "eval1/"))
        return;
    if (rows < 1 || rows > B) {
        golden_fail(r->report, "eval/batch_inputs", "has %zu rows, expected 1 to %zu", rows, B);
        return;
    }
    if (!take_whole_batch(r, &batch, "eval", rows))
        return;
    engine_evaluate_begin(r->engine, &batch, (int)rows);
    for (int k = 1; k == 1 || has_prefix(r, "eval%d/", k); k++) {
        struct engine_result result;

        if (engine_evaluate_step(r->engine, &result) < 0)
            return;
        check_eval_step(r, k, rows, &result);
    }
}

static int replay_allocate(struct replay *r, struct error *err)
{
    size_t largest = 0;

    for (int o = ENGINE_LOGITS; o <= ENGINE_ROPE_SIN; o++) {
        size_t size = engine_output_size(r->engine, (enum engine_output)o);
        largest = size > largest ? size : largest;
    }
    r->state_count = 0;
    int total = engine_state_count(r->engine);
    r->states = calloc((size_t)total, sizeof *r->states);
    r->noisy = calloc((size_t)total, sizeof(uint8_t *));
    r->average = calloc((size_t)total, sizeof *r->average);
    r->used = calloc((size_t)safetensors_count(r->file) + 1, sizeof *r->used);
    if (r->states == NULL || r->noisy == NULL || r->average == NULL || r->used == NULL)
        return error_set(err, ERROR_NOMEM, "cannot allocate the replay");
    for (int i = 0; i < total; i++) {
        struct engine_state *state = &r->states[i];

        engine_state_describe(r->engine, i, state);
        if (state->kind != ENGINE_PARAMETER && state->kind != ENGINE_BUFFER)
            break;
        largest = state->bytes > largest ? state->bytes : largest;
        r->state_count++;
        r->noisy[i] = calloc((size_t)state->elements, 1);
        r->average[i] = golden_find_average(r->engine, i);
        if (r->noisy[i] == NULL)
            return error_set(err, ERROR_NOMEM, "cannot allocate the replay");
    }
    r->values = calloc(3, largest);
    return r->values == NULL ? error_set(err, ERROR_NOMEM, "cannot allocate the replay") : 0;
}

/* Tables of another length would be reported by the comparison itself. */
static void check_rope(struct replay *r)
{
    enum engine_output outputs[2] = { ENGINE_ROPE_COS, ENGINE_ROPE_SIN };
    static const char *const NAMES[2] = { "cos", "sin" };
    const struct golden_limit limit = { .absolute = 1e-5 };

    for (int i = 0; i < 2; i++) {
        size_t bytes = engine_output_size(r->engine, outputs[i]);
        const struct golden_values ours = { r->values, SAFETENSORS_F32, bytes / sizeof(float),
                                            1, 0.0 };

        if (bytes == 0)
            continue;
        engine_read(r->engine, outputs[i], r->values);
        check(r, "rope", NAMES[i], false, &ours, &limit);
    }
}

static void check_unused(struct replay *r)
{
    for (int i = 0; i < safetensors_count(r->file); i++)
        if (!r->used[i])
            golden_fail(r->report, safetensors_at(r->file, i)->name, "unchecked: %s",
                        safetensors_at(r->file, i)->name);
}

/* Notes the first stage that failed; true when the replay shall stop behind this stage. */
static bool search_stage(struct replay *r, int stage)
{
    struct search *search = r->search;

    if (search == NULL || search->aloud)
        return false;
    if (r->report->failures > 0 && search->failed_stage < 0) {
        search->failed_stage = stage;
        search->failed_ratio = r->report->worst_ratio;
        search->collect = false;
    }
    r->report->worst_ratio = 0.0;
    return stage >= search->last_stage || search->failed_stage >= 0;
}

static int replay_once(struct golden_report *report, const struct golden_config *config,
                       const struct safetensors_file *file, const struct safetensors_file *base,
                       struct search *search, struct error *err)
{
    struct replay r = {
        .config = config, .file = file, .base = base, .report = report, .search = search
    };
    int64_t values = report->values;
    bool goes_on;
    int rc;

    rc = engine_create(&r.engine, &config->engine, err);
    if (rc < 0)
        return rc;
    rc = replay_allocate(&r, err);
    if (rc < 0)
        goto out;
    goes_on = load_parameters(&r);
    if (goes_on)
        check_rope(&r);
    for (int t = 0; goes_on && t < config->steps; t++)
        goes_on = replay_step(&r, t) && !search_stage(&r, t);
    if (goes_on) {
        replay_evaluation(&r);
        search_stage(&r, config->steps);
        check_unused(&r);
    }
    if (report->values == values)
        golden_fail(report, config->case_name, "not a single value was compared");
out:
    replay_release(&r);
    return rc;
}

/* A silent replay with search's flips, up to its last stage. */
static int replay_search(struct search *search, const struct golden_config *config,
                         const struct safetensors_file *file,
                         const struct safetensors_file *base, struct error *err)
{
    struct golden_report silent = { 0 };

    search->failed_stage = -1;
    search->failed_ratio = 0.0;
    search->candidates.count = 0;
    int rc = replay_once(&silent, config, file, base, search, err);
    if (rc == 0 && silent.failures > 0 && search->failed_stage < 0)
        search->failed_stage = 0; /* not a matter of differences: missing or unchecked */
    return rc;
}

/*
 * Looks for stray elements that explain a failing replay: of all doubtful updates before the
 * first failing stage, the one whose other way makes that stage match best; and again, until
 * all match. search->flips holds them then; search->failed_stage says whether it worked.
 */
static int search_strays(struct search *search, const struct golden_config *config,
                         const struct safetensors_file *file,
                         const struct safetensors_file *base, struct error *err)
{
    for (;;) {
        struct golden_candidates candidates;
        struct golden_flip best = { 0 };
        int rc, stage, found = -1;
        double ratio;

        search->last_stage = config->steps;
        search->collect = true;
        rc = replay_search(search, config, file, base, err);
        if (rc < 0 || search->failed_stage < 0 || search->flip_count == GOLDEN_MOST_FLIPS)
            return rc;
        stage = search->failed_stage;
        ratio = search->failed_ratio / 2.0; /* less than half of the mismatch must be left */
        candidates = search->candidates;
        search->collect = false;
        search->last_stage = stage;
        for (int i = 0; i < candidates.count; i++) {
            search->flips[search->flip_count++] = candidates.items[i];
            rc = replay_search(search, config, file, base, err);
            search->flip_count--;
            if (rc < 0)
                return rc;
            if (search->failed_stage < 0 ||
                (search->failed_stage == stage && search->failed_ratio < ratio)) {
                found = i;
                best = candidates.items[i];
                ratio = search->failed_stage < 0 ? 0.0 : search->failed_ratio;
            }
            if (search->failed_stage < 0)
                break;
        }
        if (found < 0) {
            search->failed_stage = stage;
            return 0;
        }
        search->flips[search->flip_count++] = best;
    }
}

int golden_case_replay(struct golden_report *report, const struct golden_config *config,
                       const struct safetensors_file *file, const struct safetensors_file *base,
                       struct error *err)
{
    struct search search = { .last_stage = config->steps };
    int rc;

    if (report->strict)
        return replay_once(report, config, file, base, NULL, err);
    rc = replay_search(&search, config, file, base, err);
    if (rc < 0)
        return rc;
    if (search.failed_stage >= 1) {
        rc = search_strays(&search, config, file, base, err);
        if (rc < 0)
            return rc;
    }
    /* Now aloud: with the strays if they explain everything, else strictly. */
    if (search.failed_stage >= 0)
        search.flip_count = 0;
    report->strays += search.flip_count;
    struct search loud = { .aloud = true, .flip_count = search.flip_count };
    memcpy(loud.flips, search.flips, sizeof loud.flips);
    return replay_once(report, config, file, base, search.flip_count > 0 ? &loud : NULL, err);
}
