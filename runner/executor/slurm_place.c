/* slurm_place.c - the place of a task of the executor slurm. */
#include "slurm_tasks.h"

#include <stdio.h>
#include <string.h>

void slurm_task_write_place(struct slurm_task *task)
{
    bool known = task->job[0] != '\0';

    snprintf(task->head.place, sizeof task->head.place, "name %s%s%s", task->job_name,
             known ? " job " : "", task->job);
    snprintf(task->head.name, sizeof task->head.name, "%s%s",
             known ? "Slurm job " : "a Slurm job of unknown number", task->job);
    task->head.place_is_new = true;
}

void slurm_task_read_place(struct slurm_task *task, const char *text)
{
    sscanf(text, "name %99s job %31s", task->job_name, task->job);
}

void slurm_task_set_job(struct slurm_task *task, const char *job)
{
    if (strcmp(task->job, job) != 0) {
        snprintf(task->job, sizeof task->job, "%s", job);
        slurm_task_write_place(task);
    }
    task->step = SLURM_SUBMITTED;
    task->missing = 0;
}
