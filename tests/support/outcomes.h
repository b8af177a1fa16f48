/*
 * outcomes.h - what the evaluations of an experiment found, by SQL alone, and the means
 * and differences that follow from it: what tables, reports and figures must show.
 *
 * Arms are systems (arch.name) by outer steps in training; evaluations differ in their
 * outer steps.
 */
#ifndef TESTS_SUPPORT_OUTCOMES_H
#define TESTS_SUPPORT_OUTCOMES_H

#include <stdbool.h>

#include "statistics.h"

struct sqlite3;

enum { MOST_ARMS = 8, MOST_STEPS = 8, MOST_SEEDS = 8, MOST_TASKS = 16, MOST_TERMS = 64 };

struct outcomes {
    int arms, steps, seeds, tasks;
    char systems[MOST_ARMS][24];
    int trained[MOST_ARMS], inference[MOST_STEPS]; /* outer steps */
    char names[MOST_TASKS][32];                    /* of the tasks */
    /* share of a task's inputs solved within two answers; NaN: the run is not done */
    double solved[MOST_ARMS][MOST_STEPS][MOST_SEEDS][MOST_TASKS];
};

/* A cell: an arm under the evaluation with so many outer steps. */
struct outcome_term {
    int arm, step; /* indices */
    double weight;
};

struct outcome_difference {
    struct estimate estimate;
    double from, to; /* means of what is subtracted, and of what it is subtracted from */
    double p_holm;   /* of outcomes_correct() */
};

void outcomes_load(struct outcomes *out, struct sqlite3 *db);
/* Indices; fail the test when there is none. */
int outcomes_arm(const struct outcomes *outcomes, const char *system, int trained);
int outcomes_step(const struct outcomes *outcomes, int inference);
/* Mean over tasks of one seed; NaN: the run is not done. */
double outcomes_score(const struct outcomes *outcomes, int arm, int step, int seed);
/* Over the seeds that are done: mean, deviation, and their number. */
double outcomes_mean(const struct outcomes *outcomes, int arm, int step);
double outcomes_deviation(const struct outcomes *outcomes, int arm, int step);
int outcomes_done(const struct outcomes *outcomes, int arm);

/* The sum of weight x cell over the seeds that all of these cells have. */
struct outcome_difference outcomes_difference(const struct outcomes *outcomes,
                                              const struct outcome_term *terms, int count);
/* p_holm of all of them. */
void outcomes_correct(struct outcome_difference *differences, int count);
/* "higher", "lower", "equal" or "inconclusive". */
const char *outcomes_verdict(const struct outcome_difference *difference);

#endif
