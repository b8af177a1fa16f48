/* checkpoint_file.c - checks a safetensors header against the file's size and
 * content. */
#include "checkpoint_file.h"

#include "checkpoint_header.h"
#include "error.h"
#include "hash.h"
#include "json.h"
#include "safetensors_header.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 20 };

/* The header if it describes exactly as many bytes as follow it, else NULL. */
static cJSON *read_whole_header(int fd, size_t *data_at, bool *no_memory)
{
    struct stat status = { 0 };
    double end = 0.0;
    cJSON *header = NULL;
    int rc = safetensors_header_read(&header, data_at, fd, "checkpoint", NULL);

    *no_memory = rc == ERROR_NOMEM;
    if (rc < 0 || fstat(fd, &status) < 0) {
        cJSON_Delete(header);
        return NULL;
    }
    for (const cJSON *tensor = header->child; tensor != NULL; tensor = tensor->next) {
        const cJSON *offsets = json_member(tensor, "data_offsets");
        const cJSON *last = cJSON_GetArrayItem(offsets, 1);
        if (cJSON_IsNumber(last) && last->valuedouble > end)
            end = last->valuedouble;
    }
    if (end < 0x1p53 && (int64_t)*data_at + (int64_t)end == status.st_size)
        return header;
    cJSON_Delete(header);
    return NULL;
}

bool checkpoint_file_is_whole(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t data_at = 0;
    bool no_memory = false;

    if (fd < 0)
        return false;
    cJSON *header = read_whole_header(fd, &data_at, &no_memory);
    close(fd);
    /* a lack of memory does not prove damage */
    bool whole = header != NULL || no_memory;
    cJSON_Delete(header);
    return whole;
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
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const char *texts[CHECKPOINT_TEXT_COUNT];
    struct hash_state state;
    size_t data_at = 0;
    bool no_memory = false, sound = false;
    char hex[HASH_HEX_SIZE];

    if (fd < 0)
        return false;
    cJSON *header = read_whole_header(fd, &data_at, &no_memory);
    if (header != NULL && checkpoint_header_texts(texts, header, path, NULL) == 0) {
        checkpoint_checksum_begin(&state, texts);
        sound = hash_data(&state, fd, (int64_t)data_at);
        hash_final_hex(&state, hex);
        sound = sound && strcmp(hex, texts[CHECKPOINT_TEXT_CHECKSUM]) == 0;
    }
    close(fd);
    cJSON_Delete(header);
    return sound;
}
