/*
 * system_facts.h - what settings, shapes and FLOPs must know of each system that can be
 * trained.
 *
 * A system has an entry in this table (its name, its modules, its calls per outer step)
 * and one in model/systems.c (what those calls read and write). No other code depends
 * on which system it is.
 *
 * One outer step of every system is the same loop over its table entry:
 *
 *     H_cycles times:  L_cycles times a fast call, then one slow call
 *
 * A fast call runs the module `fast` and updates the state zL, a slow call runs the
 * module `slow` and updates zH. The last calls of an outer step carry gradient, earlier
 * ones do not.
 */
#ifndef COMMON_SYSTEM_FACTS_H
#define COMMON_SYSTEM_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/* In the order of arch.name's choices. */
enum system_id { SYSTEM_HRM, SYSTEM_TRANSFORMER, SYSTEM_TRM, SYSTEM_COUNT };

/* A module: a stack of layers. Its depth is arch.H_layers or arch.L_layers, its tensors
 * are published as inner.H_level... or inner.L_level... */
enum system_module { MODULE_H, MODULE_L, MODULE_COUNT };

enum system_horizon {
    HORIZON_LAST_OF_EACH, /* the last fast call and the last slow call carry gradient */
    HORIZON_LAST_CYCLE    /* all calls of the last of the H_cycles do */
};

struct system_facts {
    const char *name; /* value of arch.name */
    /* false: one slow call, and arch.H_cycles, L_cycles do not apply */
    bool cycles;
    enum system_module slow; /* updates zH */
    enum system_module fast; /* updates zL; the same as slow: they share weights */
    enum system_horizon horizon;
    /* a target segment trains q_continue, and the halting test reads it */
    bool q_continue;
    /* arch.match applies: HRM's H_layers + L_layers in its one module */
    bool matches_params;
    /* as published, arch.num_heads need not divide arch.hidden_size */
    bool any_heads;
};

/* id < SYSTEM_COUNT. */
const struct system_facts *system_facts(enum system_id id);
/* Every name in the order of the ids, then NULL: the choices of arch.name. */
extern const char *const system_names[SYSTEM_COUNT + 1];

/* The sizes on which a system's calls depend. */
struct system_sizes {
    int layers[MODULE_COUNT];
    int H_cycles, L_cycles;
};

bool system_has_module(const struct system_facts *facts, enum system_module module);
/* Module calls of one outer step, and how many of the last carry gradient. */
int64_t system_calls(const struct system_facts *facts, const struct system_sizes *sizes);
int64_t system_gradient_calls(const struct system_facts *facts,
                              const struct system_sizes *sizes);
/* Whether the i-th call of an outer step, from 0, is a fast one. */
bool system_call_is_fast(const struct system_facts *facts, const struct system_sizes *sizes,
                         int64_t i);
/* The number of layers that have weights; of layer passes of one outer step (all calls
 * together); and of those in calls with gradient. */
int64_t system_layers(const struct system_facts *facts, const struct system_sizes *sizes);
int64_t system_layer_passes(const struct system_facts *facts, const struct system_sizes *sizes);
int64_t system_gradient_passes(const struct system_facts *facts,
                               const struct system_sizes *sizes);

#endif
