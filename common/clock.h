/*
 * clock.h - wall time as ISO 8601 UTC for people and files, monotonic and processor
 * time for measuring.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

enum { CLOCK_ISO_SIZE = 32 };

double clock_monotonic_s(void); /* CLOCK_MONOTONIC in seconds */
double clock_thread_s(void);    /* processor time of the calling thread */
double clock_wall_s(void);      /* seconds since 1970-01-01 UTC */

/* "2026-11-23T18:02:48.123Z" into out. */
void clock_iso(char out[CLOCK_ISO_SIZE], double wall_s);
/* The present moment in the same form. */
void clock_iso_now(char out[CLOCK_ISO_SIZE]);

#endif
