/*
 * name_query.h - names of the things in a workspace, for completion.
 */
#ifndef RESULTS_NAME_QUERY_H
#define RESULTS_NAME_QUERY_H

#include "error.h"

struct store;

enum name_kind {
    NAME_EXPERIMENT, /* the newest first */
    /* the first 12 digits of its hash; the last one tried comes first */
    NAME_RUN,
    NAME_ARM,
    NAME_FULL_ARM, /* "EXPERIMENT:ARM", of the newest experiment first */
    NAME_AXIS,     /* settings that arms differ in */
    NAME_KIND_COUNT
};

/* meaning: a line about it, or "". Both are valid only during the call. */
typedef void name_fn(void *context, const char *name, const char *meaning);

/* Calls each for up to 500 names. */
int name_query(struct store *store, enum name_kind kind, name_fn *each, void *context,
               struct error *err) MUST_CHECK;

#endif
