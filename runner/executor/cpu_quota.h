/*
 * cpu_quota.h - the processor time that this process's control groups allow.
 *
 * A container often sees all cores of its machine although its quota allows the time
 * of fewer. With more workers than that, the kernel would stop each of them for a part
 * of every period.
 */
#ifndef RUNNER_CPU_QUOTA_H
#define RUNNER_CPU_QUOTA_H

/*
 * The smallest quota of this process's control group and its parents, in cores (1.5:
 * one and a half): cpu.max of version 2, or cpu.cfs_quota_us / cpu.cfs_period_us of
 * version 1. 0: there is none, or it cannot be read. root: prefix of /proc and /sys,
 * "" except in tests.
 */
double cpu_quota(const char *root);

/* Number of cores to use out of those that this process may run on: at most the
 * quota, rounded down, and at least one. quota 0: all. */
int cpu_quota_cores(int cores, double quota);

#endif
