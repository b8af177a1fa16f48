/*
 * mark.h - notes, tags and protection ("keep") of experiments, arms and runs.
 *
 * Marks name what they are of by names and hashes, so that they outlast a database.
 * Writing functions run in the caller's transaction.
 */
#ifndef RESULTS_MARK_H
#define RESULTS_MARK_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "error.h"
#include "query.h"
#include "table.h"

struct store;

enum mark_kind { MARK_NOTE, MARK_TAG, MARK_KEEP, MARK_KIND_COUNT };
const char *mark_kind_name(enum mark_kind kind);

enum { MARK_ARM_SIZE = 1000 };

/* What a mark is of: an experiment, an arm of it, or a run. Unused members are "". */
struct mark_target {
    char experiment[EXPERIMENT_NAME_SIZE];
    char arm[MARK_ARM_SIZE]; /* its label */
    char run_hash[65];
};

/* Finds "EXPERIMENT", "last" (the experiment queued last), "EXPERIMENT:ARM" with an arm
 * as arm_find() knows it, or the beginning of a run's hash. ERROR_ABSENT,
 * ERROR_FORMAT. */
int mark_find_target(struct mark_target *out, struct store *store, const char *name,
                     struct error *err) MUST_CHECK;

/* Adds a mark; an equal one stays as it is. */
int mark_add(struct store *store, const struct mark_target *target, enum mark_kind kind,
             const char *text, struct error *err) MUST_CHECK;
/* Deletes the target's mark of that text (NULL: all of the kind). *count: how many. */
int mark_delete(struct store *store, int *count, const struct mark_target *target,
                enum mark_kind kind, const char *text, struct error *err) MUST_CHECK;
/* Deletes all marks of an experiment and its arms. */
int mark_delete_experiment(struct store *store, const char *experiment,
                           struct error *err) MUST_CHECK;

/* Whether the experiment, one of its arms, or a run that no other experiment contains,
 * is kept; *what, newly allocated, names it, NULL: none is. */
int mark_find_kept(struct store *store, char **what, const char *experiment,
                   struct error *err) MUST_CHECK;

/* Marks of a kind (MARK_KIND_COUNT: of every kind); target NULL: of everything,
 * otherwise of it alone, or with parts also of its arms and their runs. */
int mark_table(struct table **out, struct store *store, enum mark_kind kind,
               const struct mark_target *target, bool parts, struct error *err) MUST_CHECK;
/* Calls each with a line, "note of ARM: text", for every mark of the experiment, its
 * arms and their runs. */
typedef void mark_line_fn(void *context, const char *line);
int mark_each_line(struct store *store, const char *experiment, mark_line_fn *each,
                   void *context, struct error *err) MUST_CHECK;
/* Adds these lines to a table as notes. */
int mark_add_notes(struct table *table, struct store *store, const char *experiment,
                   struct error *err) MUST_CHECK;

/* All marks as JSON, and back: {"format": "hrmlab-marks-1", "marks": [...]}. Marks that
 * exist already are skipped. ERROR_FORMAT: not such an object. */
int mark_to_json(struct store *store, cJSON **out, struct error *err) MUST_CHECK;
int mark_from_json(struct store *store, const cJSON *json, struct error *err) MUST_CHECK;

#endif
