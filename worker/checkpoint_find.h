/*
 * checkpoint_find.h - finds the checkpoints of earlier attempts of a run.
 */
#ifndef WORKER_CHECKPOINT_FIND_H
#define WORKER_CHECKPOINT_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/* A file that may be a checkpoint to resume from. */
struct checkpoint_candidate {
    int attempt;
    int64_t step;
    bool final;
    /* "attempts/1/checkpoint-0.safetensors", below the run's directory */
    char name[64];
};

/*
 * Lists the checkpoints of this run that the attempts below `attempt` left in
 * run_directory, best first: most steps, then final, then latest attempt. Only their
 * headers are read; a file with a damaged header is skipped with a line in the log.
 * *out is the caller's to free.
 */
int checkpoint_find(struct checkpoint_candidate **out, int *count, const char *run_directory,
                    int attempt, const char *run_hash, struct error *err) MUST_CHECK;

#endif
