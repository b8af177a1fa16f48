/*
 * process.h - identifies processes by pid and start time, so that a reused pid is not
 * mistaken for the original.
 */
#ifndef RUNNER_PROCESS_H
#define RUNNER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* Start time of pid in clock ticks since boot (field 22 of /proc/PID/stat); 0: no such
 * process, or it is a zombie. */
int64_t process_start_time(int64_t pid);

/* Seconds since a process with that start time began, independent of clock changes. */
double process_age_s(int64_t start_time);

/* Whether the process of that pid and start time is alive and was started in this
 * boot. */
bool process_alive(int64_t pid, int64_t start_time, const char *boot_id);

/* Sends a signal to the process of that pid and start time, never to another one
 * that reused the pid. False: it does not exist. */
bool process_signal(int64_t pid, int64_t start_time, int signal_number);

/* Writes this boot's id to out; "" if it cannot be read. */
void process_boot_id(char out[64]);

/* Finds the keeper that was started as "hrmlab-worker run DIRECTORY" by its command
 * line. 0: none; -1: /proc cannot be listed. Keeper and worker share the command
 * line; the keeper is the first of the two. */
int64_t process_find_keeper(const char *directory);

#endif
