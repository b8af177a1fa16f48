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

bool checkpoint_file_is_whole(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t data_at = 0;
    cJSON *header = NULL;

    if (fd < 0)
        return false;
    int rc = safetensors_header_read(&header, &data_at, fd, path, NULL);
    close(fd);
    cJSON_Delete(header);
    return rc == 0 || rc == ERROR_NOMEM; /* a lack of memory does not prove damage */
}

/* Adds the file's bytes from offset at to its end to the hash. */
static bool hash_data(struct hash_state *state, int fd, int64_t at)
{
    char *block = malloc(BLOCK_BYTES);
    ssize_t count = block == NULL ? -1 : 1;

    while (count > 0) {
        count = pread(fd, block, BLOCK_BYTES, at);
        if (count > 0)
            hash_add(state, block, (size_t)count);
        at += count;
    }
    free(block);
    return count == 0;
}

bool checkpoint_file_is_sound(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *texts[CHECKPOINT_TEXT_COUNT];
    struct hash_state state;
    size_t data_at = 0;
    cJSON *header = NULL;
    bool sound = false;
    char hex[HASH_HEX_SIZE];

    if (fd < 0)
        return false;
    if (safetensors_header_read(&header, &data_at, fd, path, NULL) == 0 &&
        checkpoint_header_texts(texts, header, path, NULL) == 0) {
        checkpoint_checksum_begin(&state, texts);
        sound = hash_data(&state, fd, (int64_t)data_at);
        hash_final_hex(&state, hex);
        sound = sound && strcmp(hex, texts[CHECKPOINT_TEXT_CHECKSUM]) == 0;
    }
    close(fd);
    cJSON_Delete(header);
    return sound;
}
