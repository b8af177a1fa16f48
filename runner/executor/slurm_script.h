/*
 * slurm_script.h - the batch script of attempts that are submitted together.
 */
#ifndef RUNNER_SLURM_SCRIPT_H
#define RUNNER_SLURM_SCRIPT_H

#include "error.h"

#include <stdbool.h>

struct config;

/* The script without its list of attempts: those of equal scripts are alike, and may be
 * submitted together. */
struct slurm_script {
    char *options; /* owned; lines for sbatch */
    char *body;    /* owned; the commands */
    int per_job;   /* attempts that a job works through, one after the other */
    /* jobs of an array that may run at the same time; 0: all */
    int parallelism;
    /* seconds after the submission before which no job begins, those of the attempt
     * that waits longest; 0: at once */
    int wait_s;
};

/*
 * The script for jobs that run "program run DIRECTORY" (program: absolute path) as
 * config's settings slurm.* say. SIGTERM, and the warning ahead of the time limit, stop
 * the worker at a checkpoint, and then the job. ERROR_FORMAT: a setting that a script
 * cannot hold. Its jobs do not wait.
 */
int slurm_script_make(struct slurm_script *out, const char *program,
                      const struct config *config, struct error *err) MUST_CHECK;
/* Cores that a job with config's settings asks for. */
int slurm_script_cores(const struct config *config);
/* Whether they are alike: also which of them wait, but not for how long. */
bool slurm_script_same(const struct slurm_script *a, const struct slurm_script *b);
/* With a list: attempts are directories relative to runs, an absolute path. Fresh text.
 * Its first argument is the number of the array's first job in the list (default 0). */
int slurm_script_text(char **out, const struct slurm_script *script, const char *runs,
                      char *const *attempts, int count, struct error *err) MUST_CHECK;
void slurm_script_release(struct slurm_script *script);

#endif
