/*
 * name_query.h - what things in a workspace are called: for completion of words.
 */
#ifndef RESULTS_NAME_QUERY_H
#define RESULTS_NAME_QUERY_H

#include "error.h"

struct store;

enum name_kind {
    NAME_EXPERIMENT, /* the newest first */
    NAME_RUN,        /* the first 12 digits of its hash; the one tried last first */
    NAME_ARM,
    NAME_AXIS, /* settings that arms differ in */
    NAME_KIND_COUNT
};

/* meaning: a line about it, or "". Both live until the call ends. */
typedef void name_fn(void *context, const char *name, const char *meaning);

/* Calls each for at most 500 names. */
int name_query(struct store *store, enum name_kind kind, name_fn *each, void *context,
               struct error *err) MUST_CHECK;

#endif
