/*
 * cluster.h - a real Slurm of a test's own: mini_slurm.sh on the loopback interface.
 */
#ifndef TESTS_SUPPORT_CLUSTER_H
#define TESTS_SUPPORT_CLUSTER_H

#include <stdbool.h>

#include "support/place.h"

/* Starts a cluster of so many nodes and points SLURM_CONF at it. False: Slurm is not installed here
 * or does not come up; the reason is printed. */
bool cluster_start(int nodes);
void cluster_stop(void);

/* Runs a shell command with the cluster's environment; its output without the last newline, fresh
 * text. */
char *cluster_ask(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Waits until the command prints that; false: not within a minute. */
bool cluster_wait_for(const char *command, const char *expected);

/* Settings of a run of a second or less, for the "set" of a spec. */
#define CLUSTER_SMALL_RUN                                                                      \
    "\"data.canvas\": 8, \"arch.hidden_size\": 16, \"arch.num_heads\": 2,"                     \
    " \"arch.H_layers\": 1, \"arch.L_layers\": 1, \"arch.ffn_multiple\": 16,"                  \
    " \"arch.puzzle_emb_ndim\": 16, \"arch.halt_max_steps\": 2, \"train.lr\": 0.01,"           \
    " \"train.global_batch_size\": 8, \"train.lr_warmup_steps\": 5,"                           \
    " \"train.checkpoint_interval\": 0.05, \"retries.delay\": 0"

/* Makes a place with that spec. */
void cluster_place(struct place *place, const char *spec);

#endif
