/*
 * human.h - durations, work and sizes in units that people read.
 */
#ifndef COMMON_HUMAN_H
#define COMMON_HUMAN_H

#include <stddef.h>
#include <stdint.h>

enum { HUMAN_SIZE = 32 }; /* room that every text here fits in */

/* "12s", "3m05s", "1h02m", from two days on "2.5 days", "41 days", "12 years". Negative
 * and NaN are 0. Returns out. */
char *human_duration(char out[HUMAN_SIZE], double seconds);

/* Floating-point operations: "950 MFLOP", "80.1 TFLOP", "3.28 ZFLOP". Returns out. */
char *human_flops(char out[HUMAN_SIZE], double flops);

/* "512 bytes", "1.5 GiB". Returns out. */
char *human_bytes(char out[HUMAN_SIZE], int64_t bytes);

#endif
