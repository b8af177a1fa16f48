/*
 * slurm_script.h - the batch script of an attempt.
 */
#ifndef RUNNER_SLURM_SCRIPT_H
#define RUNNER_SLURM_SCRIPT_H

#include "error.h"

struct config;

/* Created in an attempt's directory when its job was asked to end ahead of the job's
 * time limit. */
#define SLURM_WARNED_FILE "warned"

/*
 * The script for sbatch that runs "program run directory" (absolute paths) in a job of
 * that name, as fresh text; config's settings slurm.* say what it asks for. SIGTERM,
 * and the warning ahead of the time limit, stop the worker at a checkpoint.
 * ERROR_FORMAT: a setting or a path that a script cannot hold.
 */
int slurm_script(char **out, const char *name, const char *program, const char *directory,
                 const struct config *config, struct error *err) MUST_CHECK;

#endif
