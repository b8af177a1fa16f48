/*
 * arm_find.h - finds an arm by the name that a user types.
 */
#ifndef RESULTS_ARM_FIND_H
#define RESULTS_ARM_FIND_H

#include "error.h"
#include "query.h"

struct store;

/*
 * Loads the rows that the name matches, which belong to one arm, at the last
 * checkpoints. The name is the arm's label, the beginning of a run's hash (the run's
 * arm), or conditions "key=value ...". Arms have the same indices in *out as in
 * results. ERROR_ABSENT lists the arms; ERROR_FORMAT: the name matches several arms.
 */
int arm_find(struct results **out, struct store *store, const struct results *results,
             const char *name, struct error *err) MUST_CHECK;

/* Splits "EXPERIMENT:ARM" where there is such an experiment; otherwise experiment is ""
 * and *arm the whole name. */
int arm_split_name(char experiment[EXPERIMENT_NAME_SIZE], const char **arm, struct store *store,
                   const char *name, struct error *err) MUST_CHECK;

/* Loads the arms of the experiment: of prefix, or where it is "", of experiment (NULL:
 * the only one). Where that is none, the error says that name is taken for an arm. */
int arm_load_experiment(struct results **out, struct store *store, const char *prefix,
                        const char *experiment, const char *name, struct error *err) MUST_CHECK;

/*
 * If the name is that of an arm of another experiment, "EXPERIMENT:ARM", adds this arm
 * and the rows that the name matches to the results, so that they can be compared.
 * *out: the name by which to find it there, borrowed of name or of the results.
 */
int arm_add_foreign(const char **out, struct results *results, struct store *store,
                    const char *name, struct error *err) MUST_CHECK;

/*
 * Loads two arms as named above, at the last checkpoints: the experiment (NULL: that of
 * the first arm's name, or the only one) with the rows of these alone that meet the
 * conditions. names: by which they are found there, borrowed of given or of *out, which
 * the caller destroys also after an error.
 */
int arm_load_two(struct results **out, const char *names[2], struct store *store,
                 const char *experiment, const char *const given[2], const char *const *wheres,
                 int where_count, struct error *err) MUST_CHECK;

#endif
