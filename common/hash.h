/*
 * hash.h - SHA-256 (Nettle) for identities and checksums, XXH3-64 (xxHash) for journal
 * lines.
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { HASH_HEX_SIZE = 65, HASH_BYTES = 32, HASH_SHORT = 12 };

/* An incremental SHA-256. The caller owns the memory; Nettle's state fits. */
struct hash_state {
    uint64_t opaque[16];
};

void hash_init(struct hash_state *state);
void hash_add(struct hash_state *state, const void *data, size_t size);
void hash_final_hex(struct hash_state *state, char hex[HASH_HEX_SIZE]);

/* One call: lower-case hex of the SHA-256 of data. */
void hash_hex(char hex[HASH_HEX_SIZE], const void *data, size_t size);

/* XXH3-64 of data. */
uint64_t hash_xxh3(const void *data, size_t size);

#endif
