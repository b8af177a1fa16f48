/*
 * executor_slurm.h - runs each attempt as a batch job of Slurm; a slot is a core of a
 * job that is submitted and has not ended.
 *
 * Jobs are submitted, listed and cancelled by Slurm's own programs (sbatch, squeue,
 * sacct, scancel), one at a time and without waiting for them. One list of the user's
 * jobs answers for all attempts; lists come less often while nothing changes, or while
 * the controller is slow or does not answer. Jobs go on when the runner is interrupted.
 *
 * A place is
 *
 *   name NAME[ job ID]
 *
 * with the job's name and comment, hrmlab-WORKSPACE-RUN-ATTEMPT-TOKEN, which is chosen
 * before the submission and by which the job is found if its id was not recorded.
 */
#ifndef RUNNER_EXECUTOR_SLURM_H
#define RUNNER_EXECUTOR_SLURM_H

#include "executor.h"

extern const struct executor_type executor_slurm;

#endif
