/*
 * plan_words.h - warnings about what a plan leaves out, settings without effect, idle
 * threads, and leaked tasks.
 */
#ifndef RUNNER_PLAN_WORDS_H
#define RUNNER_PLAN_WORDS_H

#include "plan.h"

struct store;

/* Warns of the evaluations that the plan left out: each reason once, with their
 * number. */
void plan_tell_of_dropped(const struct plan *plan);

/* Warns of axes without effect, because other settings make the axis inactive in
 * every arm, and of cells that became equal for such a reason. */
void plan_tell_of_inactive_axes(const struct plan *plan);

/* Warns, once, when a job would have more threads than gradient lanes to share. */
void plan_tell_of_idle_threads(const struct plan *plan);

/* Warns, once, of a training that ends before the rate has grown to train.lr. */
void plan_tell_of_long_warm_ups(const struct plan *plan);
/* Warns, once, of a training that ends before its first train.eval_interval, or makes
 * fewer evaluations than a pool asks for. */
void plan_tell_of_few_evaluations(const struct plan *plan);
/* Warns, once, where data.test_tasks is more than there are. */
void plan_tell_of_few_tests(const struct plan *plan);
/* Warns where no evaluation of several rollouts has noise that could tell them
 * apart. */
void plan_tell_of_equal_rollouts(const struct plan *plan);
/* Says of which arm evaluations halt by a q_continue that it does not train. */
void plan_tell_of_untrained_halting(const struct plan *plan);

/* Warns of "key=value" overrides of settings that are inactive in every arm, or in
 * every evaluation. */
void plan_tell_of_inactive_sets(const struct plan *plan, const char *const *sets, int count);

/* Warns of rules of "exclude" that match no cell. */
void plan_tell_of_unused_excludes(const struct plan *plan);
/* Says which runs begin with the weights of others, which are trained first. */
void plan_tell_of_bases(const struct plan *plan);

/* Tells the smallest difference between two arms that the plan's seeds and tasks can
 * detect, by the spread over seeds of what has finished in the store (NULL: there is
 * none) on the same data, or by a prior that it states. */
int plan_tell_of_detectable(const struct plan *plan, struct store *store,
                            struct error *err) MUST_CHECK;

/* Warns of evaluation tasks of which a copy is trained on, once for each data set. */
void plan_tell_of_leaks(const struct plan *plan);

#endif
