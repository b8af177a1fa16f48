/* checkpoint_file.c - checks a final checkpoint by its header and its checksum. */
#include "checkpoint_file.h"

#include "checkpoint_header.h"
#include "error.h"
#include "hash.h"
#include "safetensors_header.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 20 };

int checkpoint_file_check(bool *whole, const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t data_at = 0;
    cJSON *header = NULL;

    *whole = false;
    if (fd < 0)
        return 0;
    int rc = safetensors_header_read(&header, &data_at, fd, path, err);
    close(fd);
    cJSON_Delete(header);
    *whole = rc == 0;
    return rc == ERROR_NOMEM ? rc : 0;
}

/* Adds the file's bytes from `at` to its end to the hash. *whole: all were read. */
static int hash_data(struct hash_state *state, bool *whole, int fd, int64_t at,
                     struct error *err)
{
    char *block = malloc(BLOCK_BYTES);
    ssize_t count = block != NULL;

    while (count > 0) {
        count = pread(fd, block, BLOCK_BYTES, at);
        if (count > 0)
            hash_add(state, block, (size_t)count);
        at += count;
    }
    *whole = block != NULL && count == 0;
    free(block);
    return block != NULL ? 0 : error_no_memory(err, "a checkpoint");
}

/* Whether the bytes from offset at on have the checksum that the header states. */
static int match_checksum(bool *out, int fd, const char *path, const cJSON *header, size_t at,
                          struct error *err)
{
    const char *texts[CHECKPOINT_TEXT_COUNT];
    struct hash_state state;
    char hex[HASH_HEX_SIZE];

    if (checkpoint_header_texts(texts, header, path, NULL) < 0)
        return 0; /* it states none */
    checkpoint_checksum_begin(&state, texts);
    int rc = hash_data(&state, out, fd, (int64_t)at, err);
    hash_final_hex(&state, hex);
    *out = *out && strcmp(hex, texts[CHECKPOINT_TEXT_CHECKSUM]) == 0;
    return rc;
}

int checkpoint_file_verify(bool *sound, const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t data_at = 0;
    cJSON *header = NULL;

    *sound = false;
    if (fd < 0)
        return 0;
    int rc = safetensors_header_read(&header, &data_at, fd, path, err);
    if (rc == 0)
        rc = match_checksum(sound, fd, path, header, data_at, err);
    close(fd);
    cJSON_Delete(header);
    return rc == ERROR_NOMEM ? rc : 0;
}
