/* system_facts.c - the table of systems, and the arithmetic of their calls. */
#include "system_facts.h"

#include <assert.h>
#include <stddef.h>

const char *const system_names[SYSTEM_NAMED + 1] = {
    [SYSTEM_HRM] = "hrm",
    [SYSTEM_TRANSFORMER] = "transformer",
    [SYSTEM_TRM] = "trm",
};

static const struct system_facts FACTS[SYSTEM_COUNT] = {
    [SYSTEM_HRM] = { .name = "hrm",
                     .has_fast = true,
                     .H_cycles = 2,
                     .slow = MODULE_H,
                     .fast = MODULE_L,
                     .horizon = HORIZON_LAST_OF_EACH,
                     .q_continue = true,
                     .shares = true,
                     .shared = SYSTEM_HRM_SHARED },
    [SYSTEM_TRANSFORMER] = { .name = "transformer",
                             .H_cycles = 1,
                             .slow = MODULE_H,
                             .fast = MODULE_H,
                             .horizon = HORIZON_LAST_CYCLE,
                             .q_continue = true,
                             .matches = true,
                             .any_heads = true },
    [SYSTEM_TRM] = { .name = "trm",
                     .has_fast = true,
                     .H_cycles = 2,
                     .slow = MODULE_L,
                     .fast = MODULE_L,
                     .horizon = HORIZON_LAST_CYCLE },
    [SYSTEM_HRM_SHARED] = { .name = "hrm",
                            .has_fast = true,
                            .H_cycles = 2,
                            .slow = MODULE_L,
                            .fast = MODULE_L,
                            .horizon = HORIZON_LAST_OF_EACH,
                            .q_continue = true },
};

const struct system_facts *system_facts(enum system_id id)
{
    assert((unsigned)id < SYSTEM_COUNT);
    return &FACTS[id];
}

bool system_has_module(const struct system_facts *facts, enum system_module module)
{
    return facts->slow == module || (facts->has_fast && facts->fast == module);
}

/* Fast calls of one of the H_cycles. */
static int64_t fast_calls(const struct system_facts *facts, const struct system_sizes *sizes)
{
    return facts->has_fast ? sizes->L_cycles : 0;
}

int64_t system_calls(const struct system_facts *facts, const struct system_sizes *sizes)
{
    return sizes->H_cycles * (fast_calls(facts, sizes) + 1);
}

int64_t system_gradient_calls(const struct system_facts *facts,
                              const struct system_sizes *sizes)
{
    if (sizes->gradient_calls > 0)
        return sizes->gradient_calls;
    switch (facts->horizon) {
    case HORIZON_LAST_OF_EACH:
        return facts->has_fast ? 2 : 1;
    case HORIZON_LAST_CYCLE:
        return fast_calls(facts, sizes) + 1;
    }
    return 0;
}

bool system_call_is_fast(const struct system_facts *facts, const struct system_sizes *sizes,
                         int64_t i)
{
    int64_t fast = fast_calls(facts, sizes);

    return i % (fast + 1) < fast;
}

int64_t system_layers(const struct system_facts *facts, const struct system_sizes *sizes)
{
    int64_t layers = 0;

    for (int m = 0; m < MODULE_COUNT; m++)
        if (system_has_module(facts, (enum system_module)m))
            layers += sizes->layers[m];
    return layers;
}

/* Layer passes of the calls from number `first` on. */
static int64_t passes_from(const struct system_facts *facts, const struct system_sizes *sizes,
                           int64_t first)
{
    int64_t calls = system_calls(facts, sizes), passes = 0;

    for (int64_t i = first; i < calls; i++)
        passes +=
            sizes->layers[system_call_is_fast(facts, sizes, i) ? facts->fast : facts->slow];
    return passes;
}

int64_t system_layer_passes(const struct system_facts *facts, const struct system_sizes *sizes)
{
    return passes_from(facts, sizes, 0);
}

int64_t system_gradient_passes(const struct system_facts *facts,
                               const struct system_sizes *sizes)
{
    return passes_from(facts, sizes,
                       system_calls(facts, sizes) - system_gradient_calls(facts, sizes));
}
