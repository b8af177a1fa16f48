/*
 * pieces.h - the gradients cut into pieces, in the order in which a backward pass ends
 * them.
 *
 * With several ranks (ranks.h) each layer's gradients are a piece: those of H from the
 * last layer to the first, then those of L. A layer's are final, and can be sent, when
 * the backward pass has run through its module's first call with gradient. What lies
 * around the layers (embeddings, heads) is the rest, which is final when the pass has
 * ended. Alone, all is the rest.
 */
#ifndef MODEL_PIECES_H
#define MODEL_PIECES_H

#include <stddef.h>

#include "error.h"

struct engine;

/* Floats of the gradients from first to end - 1. */
struct float_range {
    size_t first, end;
};

/* The first `early` ranges are the layers', the others the rest. */
struct pieces {
    struct float_range *ranges; /* (count), owned */
    int early, count;
    size_t floats; /* of all ranges together, which leave no gap */
};

/* Cuts the gradients of an engine whose parameters are laid out, and numbers its
 * layers' pieces. ERROR_NOMEM. pieces_release() frees them. */
int pieces_build(struct engine *engine, struct error *err) MUST_CHECK;
void pieces_release(struct pieces *pieces);

#endif
