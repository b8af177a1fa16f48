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
 * module `slow` and updates zH; the transformer has no fast calls. The last calls of an
 * outer step carry gradient, earlier ones do not.
 */
#ifndef COMMON_SYSTEM_FACTS_H
#define COMMON_SYSTEM_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/* In the order of arch.name's choices; then those that another setting makes of one. */
enum system_id {
    SYSTEM_HRM,
    SYSTEM_TRANSFORMER,
    SYSTEM_TRM,
    SYSTEM_HRM_SHARED, /* hrm with arch.share_levels */
    SYSTEM_COUNT,
    SYSTEM_NAMED = SYSTEM_HRM_SHARED /* how many arch.name can name */
};

/* A module: a stack of layers. Its depth is arch.H_layers or arch.L_layers, its tensors
 * are published as inner.H_level... or inner.L_level... */
enum system_module { MODULE_H, MODULE_L, MODULE_COUNT };

enum system_horizon {
    HORIZON_LAST_OF_EACH, /* the last fast call and the last slow call carry gradient */
    HORIZON_LAST_CYCLE    /* all calls of the last of the H_cycles do */
};

struct system_facts {
    const char *name; /* value of arch.name */
    /* it has fast calls; false: arch.L_cycles does not apply */
    bool has_fast;
    /* what arch.H_cycles is where nothing says otherwise, as published */
    int H_cycles;
    enum system_module slow; /* updates zH */
    enum system_module fast; /* updates zL; the same as slow: they share weights */
    enum system_horizon horizon;
    /* a target segment trains q_continue, and the halting test reads it */
    bool q_continue;
    /* arch.match applies: HRM's H_layers + L_layers in its one module, HRM's passes */
    bool matches;
    /* arch.share_levels applies: the system that it makes of this one */
    bool shares;
    enum system_id shared;
    /* as published, arch.num_heads need not divide arch.hidden_size */
    bool any_heads;
};

/* id < SYSTEM_COUNT. */
const struct system_facts *system_facts(enum system_id id);
/* The names in the order of the ids, then NULL: the choices of arch.name. */
extern const char *const system_names[SYSTEM_NAMED + 1];

/* The sizes on which a system's calls depend. */
struct system_sizes {
    int layers[MODULE_COUNT];
    int H_cycles, L_cycles;
    /* calls at the end of an outer step that carry gradient, at most all; 0: as
     * published */
    int gradient_calls;
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
