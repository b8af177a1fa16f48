/* engine_state.c - the engine's state by index, for checkpoints and tests. */
#include "engine_internal.h"
#include "engine_mirror.h"
#include "ranks.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/*
 * Order: the table (parameters, then buffers); the averages of the parameters, where
 * there are any; then, unless inference_only, m and v of every parameter, the step
 * count, and the carry.
 */
enum carry_entry {
    CARRY_Z_H,
    CARRY_Z_L,
    CARRY_STEPS,
    CARRY_HALTED,
    CARRY_INPUTS,
    CARRY_LABELS,
    CARRY_IDENTIFIERS,
    CARRY_ENTRIES
};

static int trained_count(const struct engine *engine)
{
    int count = 0;

    while (count < engine->table_count && engine->table[count].kind == ENGINE_PARAMETER)
        count++;
    return count;
}

static bool has_z_l(const struct engine *engine)
{
    return engine->system->init[STATE_Z_L] != NULL;
}

int engine_state_count(const struct engine *engine)
{
    int weights = engine->table_count + (engine->averages != NULL ? trained_count(engine) : 0);

    if (engine->config.inference_only)
        return weights;
    return weights + 2 * trained_count(engine) + 1 + CARRY_ENTRIES - (has_z_l(engine) ? 0 : 1);
}

static void describe(struct engine_state *out, enum engine_dtype dtype,
                     enum engine_state_kind kind, int rank, int64_t a, int64_t b, int64_t c)
{
    static const size_t SIZES[] = {
        [ENGINE_F32] = 4, [ENGINE_I32] = 4, [ENGINE_I64] = 8, [ENGINE_U8] = 1
    };

    out->dtype = dtype;
    out->kind = kind;
    out->rank = rank;
    out->dims[0] = a;
    out->dims[1] = rank > 1 ? b : 0;
    out->dims[2] = rank > 2 ? c : 0;
    out->elements = a * (rank > 1 ? b : 1) * (rank > 2 ? c : 1);
    out->bytes = (size_t)out->elements * SIZES[dtype];
}

static void set_name(struct engine_state *out, const char *prefix, const char *name)
{
    int length = snprintf(out->name, sizeof out->name, "%s%s", prefix, name);

    assert(length > 0 && (size_t)length < sizeof out->name);
    (void)length;
}

/* Describes the i-th carry entry (engines without z_L skip it) and returns its
 * address. */
static void *find_carry(const struct engine *e, int i, struct engine_state *out)
{
    const struct carry *carry = &e->train;
    enum carry_entry entry = (enum carry_entry)(i >= CARRY_Z_L && !has_z_l(e) ? i + 1 : i);

    switch (entry) {
    case CARRY_Z_H:
        set_name(out, "carry.", "z_H");
        describe(out, ENGINE_F32, ENGINE_CARRY, 3, e->B, e->S, e->D);
        return carry->z[STATE_Z_H];
    case CARRY_Z_L:
        set_name(out, "carry.", "z_L");
        describe(out, ENGINE_F32, ENGINE_CARRY, 3, e->B, e->S, e->D);
        return carry->z[STATE_Z_L];
    case CARRY_STEPS:
        set_name(out, "carry.", "steps");
        describe(out, ENGINE_I32, ENGINE_CARRY, 1, e->B, 0, 0);
        return carry->steps;
    case CARRY_HALTED:
        set_name(out, "carry.", "halted");
        describe(out, ENGINE_U8, ENGINE_CARRY, 1, e->B, 0, 0);
        return carry->halted;
    case CARRY_INPUTS:
        set_name(out, "carry.", "inputs");
        describe(out, ENGINE_I32, ENGINE_CARRY, 2, e->B, e->U, 0);
        return carry->inputs;
    case CARRY_LABELS:
        set_name(out, "carry.", "labels");
        describe(out, ENGINE_I32, ENGINE_CARRY, 2, e->B, e->T, 0);
        return carry->labels;
    case CARRY_IDENTIFIERS:
        set_name(out, "carry.", "puzzle_identifiers");
        describe(out, ENGINE_I32, ENGINE_CARRY, 1, e->B, 0, 0);
        return carry->identifiers;
    case CARRY_ENTRIES:
        break;
    }
    assert(false && "state index out of range");
    return NULL;
}

static void *find_tensor(const struct parameter *p, const char *prefix,
                         enum engine_state_kind kind, float *block, struct engine_state *out)
{
    set_name(out, prefix, p->name);
    describe(out, ENGINE_F32, kind, p->rank, p->dims[0], p->dims[1], p->dims[2]);
    return block + p->offset;
}

/* Describes state i and returns its address. */
static void *find_state(const struct engine *e, int i, struct engine_state *out)
{
    int trained = trained_count(e);

    assert(i >= 0 && i < engine_state_count(e));
    if (i < e->table_count)
        return find_tensor(&e->table[i], "", e->table[i].kind,
                           e->table[i].kind == ENGINE_PARAMETER ? e->parameters : e->buffers,
                           out);
    i -= e->table_count;
    if (e->averages != NULL && i < trained)
        return find_tensor(&e->table[i], "ema.", ENGINE_AVERAGE, e->averages, out);
    if (e->averages != NULL)
        i -= trained;
    if (i < trained)
        return find_tensor(&e->table[i], "optimizer.m.", ENGINE_OPTIMIZER, e->m, out);
    i -= trained;
    if (i < trained)
        return find_tensor(&e->table[i], "optimizer.v.", ENGINE_OPTIMIZER, e->v, out);
    i -= trained;
    if (i == 0) {
        set_name(out, "optimizer.", "step");
        describe(out, ENGINE_I64, ENGINE_OPTIMIZER, 1, 1, 0, 0);
        return (char *)(uintptr_t)&e->optimizer_step;
    }
    return find_carry(e, i - 1, out);
}

void engine_state_describe(const struct engine *engine, int i, struct engine_state *out)
{
    find_state(engine, i, out);
}

void engine_gather_state(const struct engine *engine, int i)
{
    struct engine_state state;
    void *data = find_state(engine, i, &state);

    if (data == engine->train.z[STATE_Z_H] || data == engine->train.z[STATE_Z_L])
        ranks_gather(engine, true, data, state.bytes / (size_t)engine->B);
}

void engine_state_get(const struct engine *engine, int i, void *out)
{
    struct engine_state state;
    const void *data = find_state(engine, i, &state);

    if (state.kind == ENGINE_CARRY) {
        ranks_order(engine->config.exchange,
                    (struct order){ .kind = ORDER_GATHER_STATE, .a = i });
        engine_gather_state(engine, i);
    }
    memcpy(out, data, state.bytes);
}

void engine_state_set(struct engine *engine, int i, const void *in)
{
    struct engine_state state;
    void *data = find_state(engine, i, &state);

    if (ranks_orders(engine->config.exchange)) {
        ranks_order(engine->config.exchange, (struct order){ .kind = ORDER_STATE_SET, .a = i });
        ranks_hand_out(engine->config.exchange, in, state.bytes);
    }
    memcpy(data, in, state.bytes);
    engine->prepared = NULL;
}

static bool are_within(const int32_t *values, int64_t count, int32_t low, int32_t high)
{
    for (int64_t i = 0; i < count; i++)
        if (values[i] < low || values[i] > high)
            return false;
    return true;
}

static bool are_labels(const int32_t *values, int64_t count, int32_t high)
{
    for (int64_t i = 0; i < count; i++)
        if (values[i] != ENGINE_IGNORE_LABEL && !are_within(&values[i], 1, 0, high))
            return false;
    return true;
}

bool engine_state_fits(const struct engine *engine, int i, const void *in)
{
    const struct carry *carry = &engine->train;
    struct engine_state state;
    const void *data = find_state(engine, i, &state);

    if (data == carry->inputs)
        return are_within(in, state.elements, 0, engine->V - 1);
    if (data == carry->labels)
        return are_labels(in, state.elements, engine->V - 1);
    if (data == carry->identifiers && engine->E > 0)
        return are_within(in, state.elements, 0, engine->config.num_puzzle_identifiers - 1);
    if (data == carry->steps)
        return are_within(in, state.elements, 0, engine->config.halt_max_steps);
    return data != &engine->optimizer_step || *(const int64_t *)in >= 0;
}

void engine_state_receive(struct engine *engine, int i)
{
    struct engine_state state;
    void *data = find_state(engine, i, &state);

    ranks_broadcast(engine->config.exchange, data, state.bytes);
    engine->prepared = NULL;
}

static float *puzzle_row(const struct engine *engine, int32_t id)
{
    assert(engine->E > 0 && id >= 0 && id < engine->config.num_puzzle_identifiers);
    return engine->buffers + engine->puzzle_emb + (size_t)id * (size_t)engine->E;
}

void engine_puzzle_get(const struct engine *engine, int32_t id, float *out)
{
    memcpy(out, puzzle_row(engine, id), (size_t)engine->E * sizeof *out);
}

void engine_puzzle_set(struct engine *engine, int32_t id, const float *in)
{
    if (ranks_orders(engine->config.exchange)) {
        ranks_order(engine->config.exchange,
                    (struct order){ .kind = ORDER_PUZZLE_SET, .a = id });
        ranks_hand_out(engine->config.exchange, in, (size_t)engine->E * sizeof *in);
    }
    memcpy(puzzle_row(engine, id), in, (size_t)engine->E * sizeof *in);
}

void engine_gradient_get(const struct engine *engine, int i, float *out)
{
    const struct parameter *p = &engine->table[i];

    assert(i < engine->table_count && p->kind == ENGINE_PARAMETER);
    assert(!engine->config.inference_only);
    memcpy(out, engine->gradients + p->offset, p->elements * sizeof(float));
}

void engine_count_parameters(const struct engine *engine, int64_t *trained, int64_t *puzzle)
{
    *trained = 0;
    *puzzle = (int64_t)engine->E *
              (engine->E > 0 ? (int64_t)engine->config.num_puzzle_identifiers : 0);
    for (int i = 0; i < engine->table_count; i++)
        if (engine->table[i].kind == ENGINE_PARAMETER)
            *trained += (int64_t)engine->table[i].elements;
}
