/*
 * segment.h - a segment (one outer step) as a table of module calls.
 *
 * A call computes states[destination] = M(sum of the sources' states). HRM and the transformer
 * are tables built here; others (a shared stack, a deeper gradient horizon) are other tables.
 */
#ifndef MODEL_SEGMENT_H
#define MODEL_SEGMENT_H

#include "error.h"
#include "engine.h"

/* What calls read and write. X is the embedded input, the others are the carry. */
enum segment_state { STATE_Z_H, STATE_Z_L, STATE_X, STATE_COUNT };
enum segment_module { MODULE_H, MODULE_L, MODULE_COUNT };
enum { CALL_MAX_SOURCES = 3 };

struct module_call {
    enum segment_module module;
    enum segment_state destination;
    int source_count;                             /* 2 or 3 */
    enum segment_state sources[CALL_MAX_SOURCES]; /* the first is z, the rest injections */
    bool gradient;                                /* activations are kept, backward runs */
    bool flows[CALL_MAX_SOURCES]; /* gradient goes on into the source: it is x, or was made
                                     by a call that keeps gradient */
    int slot;                     /* which set of kept activations; -1 without gradient */
};

struct segment {
    struct module_call *calls; /* owned */
    int count;
    int slots; /* calls that keep gradient */
};

/* Builds the table for config, which is valid. ERROR_NOMEM. segment_release() frees it. */
int segment_build(struct segment *segment, const struct engine_config *config,
                  struct error *err) MUST_CHECK;
void segment_release(struct segment *segment);

#endif
