/* optimizer.c - the rate schedule, AdamATan2, and sign-SGD for the puzzle rows in
 * use. */
#include "optimizer.h"

#include "engine_internal.h"
#include "walkers.h"

#include <assert.h>
#include <math.h>
#include <string.h>

double schedule_rate(const struct engine_config *config, double base, int64_t step)
{
    int64_t warmup = config->lr_warmup_steps, span = config->total_steps - warmup;
    double ratio = config->lr_min_ratio;

    assert(step >= 0 && warmup >= 0);
    if (step < warmup)
        return base * (double)step / (double)warmup;
    double progress = (double)(step - warmup) / (double)(span > 1 ? span : 1);
    double swing = (1.0 - ratio) * 0.5 * (1.0 + cos(M_PI * progress));
    return base * (ratio + fmax(0.0, swing));
}

/* Updates the embedding of each puzzle in the batch once, by the sum of its rows'
 * gradients. */
static void puzzle_step(struct engine *engine, double lr)
{
    const struct carry *carry = &engine->train;
    size_t E = (size_t)engine->E;
    float decay = (float)(1.0 - lr * engine->config.puzzle_emb_weight_decay);

    for (int b = 0; b < engine->B; b++) {
        int32_t id = carry->identifiers[b];
        assert(id >= 0 && id < engine->config.num_puzzle_identifiers);
        bool seen = false;

        for (int i = 0; i < b && !seen; i++)
            seen = carry->identifiers[i] == id;
        if (seen)
            continue;
        memcpy(engine->puzzle_sum, engine->puzzle_gradient + (size_t)b * E, E * sizeof(float));
        for (int i = b + 1; i < engine->B; i++)
            if (carry->identifiers[i] == id)
                engine->kernels->add(engine->puzzle_sum,
                                     engine->puzzle_gradient + (size_t)i * E, E);
        engine->kernels->sign_sgd(engine->buffers + engine->puzzle_emb + (size_t)id * E,
                                  engine->puzzle_sum, decay, (float)lr, E);
    }
}

/* average = rate * average + (1 - rate) * weights, of the floats from first to end -
 * 1. */
static void average_step(struct engine *engine, size_t first, size_t end)
{
    float rate = (float)engine->config.ema_rate, rest = (float)(1.0 - engine->config.ema_rate);
    float *averages = engine->averages;
    const float *parameters = engine->parameters;

    for (size_t i = first; i < end; i++)
        averages[i] = rate * averages[i] + rest * parameters[i];
}

/* Scales the gradient of all parameters down to a norm of at most `norm`. */
static void clip_gradients(struct engine *engine, double norm)
{
    float *g = engine->gradients;
    double squares = 0.0;

    for (size_t i = 0; i < engine->parameter_floats; i++)
        squares += (double)g[i] * (double)g[i];
    if (!(squares > norm * norm))
        return;
    float scale = (float)(norm / sqrt(squares));
    for (size_t i = 0; i < engine->parameter_floats; i++)
        g[i] *= scale;
}

/* What the threads need of an update. */
struct update {
    struct engine *engine;
    struct adam_rates rates;
};

/* A thread's part of the update of the parameters and their averages. */
static void update_member(void *context, int member)
{
    const struct update *update = context;
    struct engine *engine = update->engine;
    const struct kernels *k = engine->kernels;
    int members = engine->config.threads;
    size_t first = team_part(engine->parameter_floats, members, member);
    size_t end = team_part(engine->parameter_floats, members, member + 1);

    (engine->config.optimizer == ENGINE_ADAMW ? k->adamw : k->adam_atan2)(
        engine->parameters + first, engine->m + first, engine->v + first,
        engine->gradients + first, update->rates, end - first);
    if (engine->averages != NULL)
        average_step(engine, first, end);
}

static void trunk_step(struct engine *engine, double lr)
{
    const struct engine_config *c = &engine->config;
    double t = (double)(engine->optimizer_step - c->rested_steps);
    struct update update = { .engine = engine };

    update.rates = (struct adam_rates){
        .decay = (float)(1.0 - lr * c->weight_decay),
        .one_less_b1 = (float)(1.0 - c->beta1),
        .one_less_b2 = (float)(1.0 - c->beta2),
        .step = (float)(lr / (1.0 - pow(c->beta1, t))),
        .v_correction = (float)(1.0 / sqrt(1.0 - pow(c->beta2, t))),
        .epsilon = 1e-8f,
    };

    assert(t >= 1.0); /* the trunk has rested before */
    if (c->clip_norm > 0.0)
        clip_gradients(engine, c->clip_norm);
    walkers_share(engine, update_member, &update);
}

void optimizer_step(struct engine *engine, double lr, double puzzle_lr)
{
    if (!engine->trunk_frozen)
        trunk_step(engine, lr);
    if (engine->E > 0 && !engine->puzzle_frozen)
        puzzle_step(engine, puzzle_lr);
}
