/*
 * slurm_environment.h - what of the user's environment Slurm's client programs are
 * given.
 */
#ifndef RUNNER_SLURM_ENVIRONMENT_H
#define RUNNER_SLURM_ENVIRONMENT_H

/*
 * The environment without variables by which a user gives client programs options that
 * would change what the executor relies on, or that the options of a script ("#SBATCH
 * --name=value" lines; "": none) name themselves: to sbatch a variable goes before its
 * script. The array is fresh, its strings are the environment's own; NULL: no memory.
 */
char **slurm_environment(const char *options);

#endif
