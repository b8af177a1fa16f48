/*
 * systems.h - each system as a table: its states, its module calls, its halting test.
 *
 * A call computes states[destination] = M(sum of the sources' states). A segment is the
 * list of calls of one outer step, in order of time. Which calls cache activations for
 * the backward pass, and which sources receive gradient, follows from the
 * gradient horizon.
 */
#ifndef MODEL_SYSTEMS_H
#define MODEL_SYSTEMS_H

#include "error.h"
#include "system_facts.h"

/* What calls read and write: the two states of the carry, and the embedded input x. */
enum system_state { STATE_Z_H, STATE_Z_L, STATE_X, STATE_COUNT };
enum { CARRY_STATES = 2, CALL_MAX_SOURCES = 3 };

struct module_call {
    enum system_module module;
    enum system_state destination;
    int source_count; /* 2 or 3 */
    /* the first is z, the others injections */
    enum system_state sources[CALL_MAX_SOURCES];
    /* the backward pass runs through this call */
    bool gradient;
    /* of its module's calls the last one that the backward pass runs through */
    bool ends_module;
    bool flows[CALL_MAX_SOURCES]; /* gradient goes on into this source: it is x, or was
                                     computed by a call with gradient */
    /* index of its set of cached activations; -1 without gradient */
    int slot;
};

struct system {
    /* destination and sources; fast is unused without cycles */
    struct module_call slow, fast;
    /* names of the initial vectors; NULL: the system has no such state */
    const char *init[CARRY_STATES];
    enum system_state head; /* the state that logits and q values are computed from */
    /* The halting test (ACT): whether a row with these q values halts. */
    bool (*halts)(float q_halt, float q_continue);
};

const struct system *system_find(enum system_id id);
/* "H", "L": the module's part of its tensors' published names. */
const char *system_module_name(enum system_module module);

/* The calls of one outer step. */
struct segment {
    struct module_call *calls; /* owned */
    int count;
    int slots; /* calls with gradient */
};

/* Builds the segment of a system of these sizes. ERROR_NOMEM. segment_release() frees
 * it. */
int segment_build(struct segment *segment, enum system_id id, const struct system_sizes *sizes,
                  struct error *err) MUST_CHECK;
void segment_release(struct segment *segment);

#endif
