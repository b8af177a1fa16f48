/*
 * executors.h - the table of executors, and the set of those in use.
 */
#ifndef RUNNER_EXECUTORS_H
#define RUNNER_EXECUTORS_H

#include "error.h"
#include "executor.h"

/* All executors, NULL at the end. The first one is the default. */
extern const struct executor_type *const EXECUTORS[];

/* Whether attempts of the executor of that name run elsewhere, and go on without a
 * runner; false also where no executor has it. */
bool executor_is_detached(const char *name);

/* ERROR_FORMAT, with the names that there are: none of the table has that name. */
int executor_check_name(const struct executor_type *const *types, const char *name,
                        struct error *err) MUST_CHECK;

enum { EXECUTORS_MOST = 4 };

/* The executors of a table, each opened on its first use. */
struct executor_set {
    const struct executor_type *const *types; /* borrowed; a table such as EXECUTORS */
    struct executor_setup setup;
    struct executor *open[EXECUTORS_MOST]; /* owned; by index in types */
};

void executor_set_init(struct executor_set *set, const struct executor_type *const *types,
                       const struct executor_setup *setup);
void executor_set_close(struct executor_set *set);

/* Opens the executor of that name; NULL: the first. ERROR_FORMAT: there is none. */
int executor_set_choose(struct executor_set *set, struct executor **out, const char *name,
                        struct error *err) MUST_CHECK;
/* Finds an attempt, started by the executor of that name, by its directory: adopt()
 * of struct executor_type. ERROR_ENVIRONMENT: this program has no such executor. */
int executor_set_adopt(struct executor_set *set, struct executor_task **out, const char *name,
                       const char *directory, const char *place, struct error *err) MUST_CHECK;
/* Updates the states of all tasks. */
int executor_set_poll(struct executor_set *set, struct error *err) MUST_CHECK;

#endif
