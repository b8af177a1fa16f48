/* systems.c - the systems' tables, and the segment that follows from one. */
#include "systems.h"

#include <assert.h>
#include <stdlib.h>

static bool halts_by_comparison(float q_halt, float q_continue)
{
    return q_halt > q_continue;
}

static bool halts_by_sign(float q_halt, float q_continue)
{
    (void)q_continue; /* this system does not train it */
    return q_halt > 0.0f;
}

/* A call whose destination is also its first source. */
#define CALL(destination_, ...)                                                                \
    {                                                                                          \
        .destination = destination_,                                                           \
        .source_count = 1 + (int)(sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)), .sources = {  \
            destination_,                                                                      \
            __VA_ARGS__                                                                        \
        }                                                                                      \
    }

static const struct system SYSTEMS[SYSTEM_COUNT] = {
    /* zL = L(zL, zH + x), zH = H(zH, zL). */
    [SYSTEM_HRM] = { .fast = CALL(STATE_Z_L, STATE_Z_H, STATE_X),
                     .slow = CALL(STATE_Z_H, STATE_Z_L),
                     .init = { [STATE_Z_H] = "inner.H_init", [STATE_Z_L] = "inner.L_init" },
                     .head = STATE_Z_H,
                     .halts = halts_by_comparison },
    /* HRM's with the weights of one stack. */
    [SYSTEM_HRM_SHARED] = { .fast = CALL(STATE_Z_L, STATE_Z_H, STATE_X),
                            .slow = CALL(STATE_Z_H, STATE_Z_L),
                            .init = { [STATE_Z_H] = "inner.H_init",
                                      [STATE_Z_L] = "inner.L_init" },
                            .head = STATE_Z_H,
                            .halts = halts_by_comparison },
    /* zH = H(zH, x). */
    [SYSTEM_TRANSFORMER] = { .slow = CALL(STATE_Z_H, STATE_X),
                             .init = { [STATE_Z_H] = "inner.H_init" },
                             .head = STATE_Z_H,
                             .halts = halts_by_comparison },
    /* HRM's two updates with the weights of one stack. */
    [SYSTEM_TRM] = { .fast = CALL(STATE_Z_L, STATE_Z_H, STATE_X),
                     .slow = CALL(STATE_Z_H, STATE_Z_L),
                     .init = { [STATE_Z_H] = "inner.H_init", [STATE_Z_L] = "inner.L_init" },
                     .head = STATE_Z_H,
                     .halts = halts_by_sign },
};

const struct system *system_find(enum system_id id)
{
    assert((unsigned)id < SYSTEM_COUNT);
    return &SYSTEMS[id];
}

const char *system_module_name(enum system_module module)
{
    static const char *const NAMES[MODULE_COUNT] = { [MODULE_H] = "H", [MODULE_L] = "L" };

    return NAMES[module];
}

/* Marks the sources that receive gradient and the calls that end a module's gradient,
 * and numbers the slots. */
static void segment_trace_gradients(struct segment *segment)
{
    bool carries[STATE_COUNT] = { [STATE_X] = true }, found[MODULE_COUNT] = { false };

    for (int i = 0; i < segment->count; i++) {
        struct module_call *call = &segment->calls[i];

        for (int s = 0; s < call->source_count; s++)
            call->flows[s] = call->gradient && carries[call->sources[s]];
        carries[call->destination] = call->gradient;
        call->ends_module = call->gradient && !found[call->module];
        found[call->module] |= call->gradient;
        call->slot = call->gradient ? segment->slots++ : -1;
    }
}

int segment_build(struct segment *segment, enum system_id id, const struct system_sizes *sizes,
                  struct error *err)
{
    const struct system_facts *facts = system_facts(id);
    const struct system *system = system_find(id);
    int64_t count = system_calls(facts, sizes);
    int64_t constant = count - system_gradient_calls(facts, sizes);

    *segment = (struct segment){ 0 };
    segment->calls = calloc((size_t)count, sizeof *segment->calls);
    if (segment->calls == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a table of %lld module calls",
                         (long long)count);
    for (int64_t i = 0; i < count; i++) {
        bool fast = system_call_is_fast(facts, sizes, i);
        struct module_call *call = &segment->calls[segment->count++];

        *call = fast ? system->fast : system->slow;
        call->module = fast ? facts->fast : facts->slow;
        call->gradient = i >= constant;
    }
    segment_trace_gradients(segment);
    return 0;
}

void segment_release(struct segment *segment)
{
    free(segment->calls);
    *segment = (struct segment){ 0 };
}
