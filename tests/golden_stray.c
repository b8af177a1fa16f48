/* golden_stray.c - weights whose gradient is rounding noise, and the other way they can go. */
#include "golden_stray.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Above this share of the tensor's largest gradient no rounding turns a sign. */
static const double MOST_DOUBT = 1e-4;

int golden_find_average(const struct engine *engine, int parameter)
{
    struct engine_state of, state;

    engine_state_describe(engine, parameter, &of);
    for (int i = 0; i < engine_state_count(engine); i++) {
        engine_state_describe(engine, i, &state);
        if (state.kind == ENGINE_AVERAGE && strcmp(state.name + strlen("ema."), of.name) == 0)
            return i;
    }
    return -1;
}

static void candidates_add(struct golden_candidates *c, struct golden_flip flip)
{
    int at = c->count;

    if (!(flip.doubt < MOST_DOUBT) ||
        (c->count == GOLDEN_CANDIDATES && flip.doubt >= c->items[c->count - 1].doubt))
        return;
    if (c->count < GOLDEN_CANDIDATES)
        c->count++;
    else
        at--;
    for (; at > 0 && c->items[at - 1].doubt > flip.doubt; at--)
        c->items[at] = c->items[at - 1];
    c->items[at] = flip;
}

static double largest_of(const float *values, size_t count)
{
    double largest = 0.0;

    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)values[i]));
    return largest;
}

/* Index of the optimizer's "m" or "v" of a parameter state, or -1. */
static int find_moment(const struct engine *engine, const char *which, int state)
{
    struct engine_state described, other;
    char name[160];

    engine_state_describe(engine, state, &described);
    snprintf(name, sizeof name, "optimizer.%s.%s", which, described.name);
    for (int i = 0; i < engine_state_count(engine); i++) {
        engine_state_describe(engine, i, &other);
        if (strcmp(other.name, name) == 0)
            return i;
    }
    return -1;
}

void golden_stray_collect(struct golden_candidates *candidates, const struct engine *engine,
                          const struct engine_config *config, int t, int state, float *scratch)
{
    struct engine_state described;
    double correction = 1.0 / (1.0 - pow(config->beta2, t + 1));

    engine_state_describe(engine, state, &described);
    size_t count = (size_t)described.elements;
    float *gradient = scratch, *second = scratch + count;
    engine_gradient_get(engine, state, gradient);
    engine_state_get(engine, find_moment(engine, "v", state), second);
    double largest = largest_of(gradient, count);

    for (size_t i = 0; i < count; i++)
        if (gradient[i] != 0.0f)
            candidates_add(candidates,
                           (struct golden_flip){
                               t, state, i, sqrt((double)second[i] * correction) / largest });
}

/* The summed gradient of an id's element over the batch rows that have it. */
static double puzzle_sum(const float *rows, const int32_t *ids, int32_t id, size_t B, size_t E,
                         size_t e)
{
    double sum = 0.0;

    for (size_t b = 0; b < B; b++)
        sum += ids[b] == id ? (double)rows[b * E + e] : 0.0;
    return sum;
}

void golden_stray_collect_puzzle(struct golden_candidates *candidates,
                                 const struct engine *engine,
                                 const struct engine_config *config, int t, int state,
                                 float *scratch)
{
    size_t B = (size_t)config->batch_size, E = (size_t)config->puzzle_emb_ndim;
    int32_t *ids = malloc(B * sizeof *ids);

    if (ids == NULL)
        return; /* fewer candidates, no more */
    engine_read(engine, ENGINE_CURRENT_IDENTIFIERS, ids);
    engine_read(engine, ENGINE_PUZZLE_GRADIENT, scratch);
    double largest = largest_of(scratch, B * E);

    for (size_t b = 0; b < B; b++)
        for (size_t e = 0; e < E; e++) {
            double sum = puzzle_sum(scratch, ids, ids[b], B, E, e);

            if (sum != 0.0)
                candidates_add(candidates,
                               (struct golden_flip){ t, state, (size_t)ids[b] * E + e,
                                                     fabs(sum) / largest });
        }
    free(ids);
}

static void flip_puzzle(struct engine *engine, const struct engine_config *config,
                        const struct golden_flip *flip, double lr, float *scratch)
{
    size_t B = (size_t)config->batch_size, E = (size_t)config->puzzle_emb_ndim;
    int32_t *ids = malloc(B * sizeof *ids);

    if (ids == NULL)
        return;
    engine_read(engine, ENGINE_CURRENT_IDENTIFIERS, ids);
    engine_read(engine, ENGINE_PUZZLE_GRADIENT, scratch);
    double sum =
        puzzle_sum(scratch, ids, (int32_t)(flip->element / E), B, E, flip->element % E);
    free(ids);
    engine_state_get(engine, flip->state, scratch);
    scratch[flip->element] += (float)(sum > 0.0 ? 2.0 * lr : -2.0 * lr);
    engine_state_set(engine, flip->state, scratch);
}

void golden_stray_flip(struct engine *engine, const struct engine_config *config,
                       const struct golden_flip *flip, const struct engine_result *result,
                       float *scratch)
{
    struct engine_state described;
    size_t e = flip->element;
    double t = flip->t + 1;

    engine_state_describe(engine, flip->state, &described);
    if (described.kind != ENGINE_PARAMETER) {
        flip_puzzle(engine, config, flip, result->puzzle_emb_lr, scratch);
        return;
    }
    int m = find_moment(engine, "m", flip->state), v = find_moment(engine, "v", flip->state);
    engine_gradient_get(engine, flip->state, scratch);
    double gradient = (double)scratch[e];
    engine_state_get(engine, v, scratch);
    double root = sqrt((double)scratch[e] / (1.0 - pow(config->beta2, t)));
    engine_state_get(engine, m, scratch);
    double first = (double)scratch[e];
    double other = first - 2.0 * (1.0 - config->beta1) * gradient;
    scratch[e] = (float)other;
    engine_state_set(engine, m, scratch);
    double rate = result->lr / (1.0 - pow(config->beta1, t));
    double change = rate * (atan2(first, root) - atan2(other, root));
    engine_state_get(engine, flip->state, scratch);
    scratch[e] += (float)change;
    engine_state_set(engine, flip->state, scratch);
    int average = golden_find_average(engine, flip->state);
    if (average < 0)
        return;
    engine_state_get(engine, average, scratch);
    scratch[e] += (float)((1.0 - config->ema_rate) * change);
    engine_state_set(engine, average, scratch);
}
