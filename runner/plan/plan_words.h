/*
 * plan_words.h - messages about what a plan leaves out and which of its settings have
 * no effect.
 */
#ifndef RUNNER_PLAN_WORDS_H
#define RUNNER_PLAN_WORDS_H

#include "plan.h"

/* Warns of the evaluations that the plan left out: each reason once, with how many it
 * concerns. */
void plan_tell_of_dropped(const struct plan *plan);

/* Warns of axes with values that change nothing, because other settings make the axis
 * inactive in every arm, and of cells that fell together for such a reason. */
void plan_tell_of_inactive_axes(const struct plan *plan);

/* Warns of evaluation tasks of which a copy is trained on, once for each data set. */
void plan_tell_of_leaks(const struct plan *plan);

#endif
