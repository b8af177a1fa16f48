/*
 * process.h - processes known by pid and start time, so that a reused pid is not
 * mistaken.
 */
#ifndef RUNNER_PROCESS_H
#define RUNNER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* Start time of pid in clock ticks since boot (field 22 of /proc/PID/stat); 0: no such
 * process, or it is a zombie. */
int64_t process_start_time(int64_t pid);

/* Seconds since a process with that start time began; no clock that can be set plays a
 * part. */
double process_age_s(int64_t start_time);

/* The process of that pid and start time is alive on this boot. */
bool process_alive(int64_t pid, int64_t start_time, const char *boot_id);

/* Sends a signal to the process of that pid and start time, and to no other one that
 * got its pid meanwhile. False: there is none. */
bool process_signal(int64_t pid, int64_t start_time, int signal_number);

/* This boot's id into out; "" when it cannot be read. */
void process_boot_id(char out[64]);

/* The keeper that was started as "hrmlab-worker run DIRECTORY", found by its command
 * line; 0: none; -1: /proc cannot be listed. The first of keeper and worker, which is
 * the keeper. */
int64_t process_find_keeper(const char *directory);

#endif
