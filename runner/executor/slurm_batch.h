/*
 * slurm_batch.h - attempts that are alike, from their start until they are submitted.
 */
#ifndef RUNNER_SLURM_BATCH_H
#define RUNNER_SLURM_BATCH_H

#include "error.h"
#include "slurm_place.h"
#include "slurm_script.h"

#include <stdbool.h>
#include <stdio.h>

/* The workspace's folder with the scripts of batches, and with their logs. */
#define SLURM_FOLDER "slurm"

struct slurm_batch {
    struct slurm_batch *next;
    char name[SLURM_NAME_SIZE];
    struct slurm_script script; /* owned */
    char *workspace;            /* owned; absolute */
    char **attempts;            /* owned, and each; relative to WORKSPACE/runs */
    int count, room;
    bool sealed; /* its script is written: no attempt joins it any more */
};

/*
 * Adds an attempt to the last batch of the list that it fits into, or to a new one, and
 * takes over the script. *place: where it stands now. directory: absolute, of the form
 * WORKSPACE/runs/RUN/attempts/N, otherwise ERROR_FORMAT.
 */
int slurm_batch_join(struct slurm_batch **list, struct slurm_place *place,
                     const char *directory, struct slurm_script *script,
                     struct error *err) MUST_CHECK;
/* The batch of that name; NULL: it is not in the list. */
struct slurm_batch *slurm_batch_find(struct slurm_batch *list, const char *name);
/* Jobs that the batch's attempts need. */
int slurm_batch_jobs(const struct slurm_batch *batch);
/* WORKSPACE/slurm/NAME.sh, or another ending; fresh, NULL: no memory. */
char *slurm_batch_path(const struct slurm_batch *batch, const char *ending);
/* *out: the log of the batch of that name, that of an attempt in the directory;
 * fresh. */
int slurm_batch_log(char **out, const char *directory, const char *name,
                    struct error *err) MUST_CHECK;
/* Writes the script. */
int slurm_batch_seal(struct slurm_batch *batch, struct error *err) MUST_CHECK;
/* Writes the script for people, with what sbatch would be called with. */
int slurm_batch_print(const struct slurm_batch *batch, FILE *out, struct error *err) MUST_CHECK;
/* Removes a batch from the list and frees it; its script stays. */
void slurm_batch_drop(struct slurm_batch **list, struct slurm_batch *batch);

#endif
