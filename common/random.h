/*
 * random.h - counter-based random streams named by purpose.
 *
 * A stream is a key, made from (seed, purpose, index), and a counter. The n-th draw is
 * a function of the key and of n alone, so draws depend neither on timing nor on the
 * number of workers, and saving a stream means saving key and counter. The function is
 * Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3");
 * the key is the XXH3-64 of seed, purpose and index.
 */
#ifndef COMMON_RANDOM_H
#define COMMON_RANDOM_H

#include <stdint.h>

struct random_stream {
    uint64_t key;     /* from (seed, purpose, index) */
    uint64_t counter; /* 64-bit draws made so far */
};

/* purpose: "init", "batch order", "exploration", "augmentation", ...; index tells
 * several streams of one purpose apart (a task, an epoch, a tensor). */
struct random_stream random_stream(uint64_t seed, const char *purpose, uint64_t index);

uint64_t random_u64(struct random_stream *stream);
/* Uniform in [0, 1), 53 bits. */
double random_uniform(struct random_stream *stream);
/* Uniform in [0, n), n >= 1, without modulo bias. */
uint64_t random_below(struct random_stream *stream, uint64_t n);
/* Fisher-Yates of count ints in place. */
void random_shuffle(struct random_stream *stream, int *values, int count);

#endif
