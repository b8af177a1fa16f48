/*
 * seeded.h - the canonical text of a configuration under any seed: everything but
 * train.seed is computed once, so that a thousand seeds cost little more than one.
 */
#ifndef COMMON_SEEDED_H
#define COMMON_SEEDED_H

#include "error.h"
#include "settings.h"

struct seeded_text {
    /* owned; the members on both sides of train.seed, "" when none */
    char *before, *after;
};

enum seeded_scope {
    /* config_canonical() of PHASE_TRAINING: the text that a run's hash is computed
     * from */
    SEEDED_TRAINING,
    SEEDED_RUN /* config_to_json() without the job's settings (setting_is_of_job()) */
};

/* config must be resolved; its own seed is ignored. */
int seeded_text_init(struct seeded_text *out, const struct config *config,
                     enum seeded_scope scope, struct error *err) MUST_CHECK;
void seeded_text_release(struct seeded_text *text); /* zeroed text too */

/* The text with this seed, fresh; NULL when out of memory. 0 is what the absence of a
 * seed means: that text has none, and is what those of all seeds share. */
char *seeded_text_make(const struct seeded_text *text, int64_t seed);

#endif
