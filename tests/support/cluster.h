/*
 * cluster.h - a real Slurm of a test's own: mini_slurm.sh on the loopback interface.
 */
#ifndef TESTS_SUPPORT_CLUSTER_H
#define TESTS_SUPPORT_CLUSTER_H

#include <stdbool.h>

/* Starts a cluster of so many nodes and points SLURM_CONF at it. False: Slurm is not installed here
 * or does not come up; the reason is printed. */
bool cluster_start(int nodes);
void cluster_stop(void);

/* Runs a shell command with the cluster's environment; its output without the last newline, fresh
 * text. */
char *cluster_ask(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Waits until the command prints that; false: not within a minute. */
bool cluster_wait_for(const char *command, const char *expected);

#endif
