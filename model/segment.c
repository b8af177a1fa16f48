/* segment.c - the tables of module calls of HRM and the transformer. */
#include "segment.h"

#include "error.h"

#include <stdlib.h>

static const struct module_call CALL_L = {
    .module = MODULE_L,
    .destination = STATE_Z_L,
    .source_count = 3,
    .sources = { STATE_Z_L, STATE_Z_H, STATE_X },
};
static const struct module_call CALL_H = {
    .module = MODULE_H,
    .destination = STATE_Z_H,
    .source_count = 2,
    .sources = { STATE_Z_H, STATE_Z_L },
};
static const struct module_call CALL_TRANSFORMER = {
    .module = MODULE_H,
    .destination = STATE_Z_H,
    .source_count = 2,
    .sources = { STATE_Z_H, STATE_X },
};

/* Follows which states carry gradient through the table, and numbers the slots. */
static void segment_trace_gradients(struct segment *segment)
{
    bool carries[STATE_COUNT] = { [STATE_X] = true };

    for (int i = 0; i < segment->count; i++) {
        struct module_call *call = &segment->calls[i];

        for (int s = 0; s < call->source_count; s++)
            call->flows[s] = call->gradient && carries[call->sources[s]];
        carries[call->destination] = call->gradient;
        call->slot = call->gradient ? segment->slots++ : -1;
    }
}

int segment_build(struct segment *segment, const struct engine_config *config,
                  struct error *err)
{
    bool hrm = config->arch == ENGINE_HRM;
    size_t calls = hrm ? (size_t)config->H_cycles * ((size_t)config->L_cycles + 1) : 1;

    *segment = (struct segment){ 0 };
    segment->calls = calloc(calls, sizeof *segment->calls);
    if (segment->calls == NULL)
        return error_set(err, ERROR_NOMEM, "cannot allocate a table of %zu module calls",
                         calls);
    if (!hrm) {
        segment->calls[segment->count++] = CALL_TRANSFORMER;
        segment->calls[0].gradient = true;
    }
    for (int h = 0; hrm && h < config->H_cycles; h++) {
        bool last = h == config->H_cycles - 1;

        for (int l = 0; l < config->L_cycles; l++) {
            segment->calls[segment->count] = CALL_L;
            segment->calls[segment->count++].gradient = last && l == config->L_cycles - 1;
        }
        segment->calls[segment->count] = CALL_H;
        segment->calls[segment->count++].gradient = last;
    }
    segment_trace_gradients(segment);
    return 0;
}

void segment_release(struct segment *segment)
{
    free(segment->calls);
    *segment = (struct segment){ 0 };
}
