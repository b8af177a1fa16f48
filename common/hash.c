/* hash.c - SHA-256 through Nettle, XXH3-64 through xxHash. */
#include "hash.h"

#include <nettle/sha2.h>
#include <string.h>
#include <xxhash.h>

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct hash_state),
               "hash_state is too small");

void hash_init(struct hash_state *state)
{
    struct sha256_ctx context;

    memset(state, 0, sizeof *state);
    sha256_init(&context);
    memcpy(state, &context, sizeof context);
}

void hash_add(struct hash_state *state, const void *data, size_t size)
{
    struct sha256_ctx context;

    memcpy(&context, state, sizeof context);
    sha256_update(&context, size, data);
    memcpy(state, &context, sizeof context);
}

void hash_final_hex(struct hash_state *state, char hex[HASH_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[HASH_BYTES];
    struct sha256_ctx context;

    memcpy(&context, state, sizeof context);
    sha256_digest(&context, sizeof bytes, bytes);
    for (int i = 0; i < HASH_BYTES; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * HASH_BYTES] = '\0';
}

void hash_hex(char hex[HASH_HEX_SIZE], const void *data, size_t size)
{
    struct hash_state state;

    hash_init(&state);
    hash_add(&state, data, size);
    hash_final_hex(&state, hex);
}

uint64_t hash_xxh3(const void *data, size_t size)
{
    return XXH3_64bits(data, size);
}
