/* random.c - Philox 4x32-10 (Salmon et al. 2011), one 64-bit draw per counter value. */
#include "random.h"

#include "hash.h"

#include <assert.h>
#include <string.h>

enum { PHILOX_ROUNDS = 10 };

static void philox_round(uint32_t x[4], const uint32_t key[2])
{
    uint64_t a = (uint64_t)0xD2511F53u * x[0], b = (uint64_t)0xCD9E8D57u * x[2];
    uint32_t next[4] = { (uint32_t)(b >> 32) ^ x[1] ^ key[0], (uint32_t)b,
                         (uint32_t)(a >> 32) ^ x[3] ^ key[1], (uint32_t)a };

    memcpy(x, next, sizeof next);
}

/* The counter is 64 bits wide; the other half of Philox's 128 stays zero. */
static uint64_t philox(uint64_t key, uint64_t counter)
{
    uint32_t x[4] = { (uint32_t)counter, (uint32_t)(counter >> 32), 0, 0 };
    uint32_t k[2] = { (uint32_t)key, (uint32_t)(key >> 32) };

    for (int i = 0; i < PHILOX_ROUNDS; i++) {
        philox_round(x, k);
        k[0] += 0x9E3779B9u; /* Weyl constants */
        k[1] += 0xBB67AE85u;
    }
    return ((uint64_t)x[1] << 32) | x[0];
}

struct random_stream random_stream(uint64_t seed, const char *purpose, uint64_t index)
{
    unsigned char name[16 + 64];
    size_t length = strlen(purpose);

    assert(length <= sizeof name - 16);
    for (int i = 0; i < 8; i++) {
        name[i] = (unsigned char)(seed >> (8 * i));
        name[8 + i] = (unsigned char)(index >> (8 * i));
    }
    memcpy(name + 16, purpose, length);
    return (struct random_stream){ .key = hash_xxh3(name, 16 + length), .counter = 0 };
}

uint64_t random_u64(struct random_stream *stream)
{
    return philox(stream->key, stream->counter++);
}

double random_uniform(struct random_stream *stream)
{
    return (double)(random_u64(stream) >> 11) * 0x1p-53;
}

uint64_t random_below(struct random_stream *stream, uint64_t n)
{
    assert(n >= 1);
    uint64_t tail = (0 - n) % n; /* 2^64 mod n: draws below it would add a bias */
    for (;;) {
        uint64_t draw = random_u64(stream);
        if (draw >= tail)
            return draw % n;
    }
}

void random_shuffle(struct random_stream *stream, int *values, int count)
{
    assert(count >= 0);
    for (int i = count - 1; i > 0; i--) {
        int j = (int)random_below(stream, (uint64_t)i + 1);
        int kept = values[i];
        values[i] = values[j];
        values[j] = kept;
    }
}
