/*
 * slurm_parameters.h - further options of sbatch, as the user gives them.
 */
#ifndef RUNNER_SLURM_PARAMETERS_H
#define RUNNER_SLURM_PARAMETERS_H

#include "error.h"

#include <stdio.h>

struct config;

/* Writes the options in slurm.additional_parameters, each as a line of a script and by
 * its long name, also where the user has given its letter. ERROR_FORMAT: one with which
 * other jobs would be submitted than those that are followed. */
int slurm_parameters_put(FILE *out, const struct config *config, struct error *err) MUST_CHECK;

#endif
