/*
 * foreign_arm.h - in what an arm of another experiment differs from those that it is
 * compared with.
 */
#ifndef RESULTS_FOREIGN_ARM_H
#define RESULTS_FOREIGN_ARM_H

#include "compare.h"
#include "error.h"

/*
 * Names the settings in which the arm of another experiment differs from every arm that
 * it is compared with, with their values, the data, and the engine's numeric version:
 * "arch.name (hrm; trm), train.max_steps (2000; 600), the data". *out: newly allocated;
 * "": there is no such arm, or no such difference.
 */
int foreign_arm_differences(char **out, const struct compare *compare,
                            struct error *err) MUST_CHECK;

#endif
