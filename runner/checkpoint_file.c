/* checkpoint_file.c - what a safetensors header promises, against the file's size and content. */
#include "checkpoint_file.h"

#include "error.h"
#include "hash.h"
#include "json.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PREFIX = 8, HEADER_LIMIT = 16 << 20, BLOCK = 1 << 20 };

/* The header's JSON, parsed; NULL when it is not one, or *no_memory. *data_at: where the tensors
 * begin. */
static cJSON *read_header(int fd, int64_t *data_at, bool *no_memory)
{
    unsigned char prefix[PREFIX];
    uint64_t length = 0;
    cJSON *header = NULL;
    struct error why = { 0 };

    if (pread(fd, prefix, PREFIX, 0) != PREFIX)
        return NULL;
    for (int i = PREFIX - 1; i >= 0; i--)
        length = length << 8 | prefix[i];
    if (length == 0 || length > HEADER_LIMIT)
        return NULL;
    char *text = malloc((size_t)length + 1);
    *no_memory = text == NULL;
    if (text != NULL && pread(fd, text, (size_t)length, PREFIX) == (ssize_t)length) {
        text[length] = '\0';
        if (json_parse(&header, text, (size_t)length, "checkpoint", &why) < 0)
            header = NULL;
        *no_memory = why.code == ERROR_NOMEM;
    }
    free(text);
    *data_at = PREFIX + (int64_t)length;
    return header;
}

/* The header, when it describes exactly as many bytes as follow it; else NULL. */
static cJSON *read_whole_header(int fd, int64_t *data_at, bool *no_memory)
{
    struct stat status = { 0 };
    double end = 0.0;
    cJSON *header = fstat(fd, &status) == 0 ? read_header(fd, data_at, no_memory) : NULL;

    for (const cJSON *tensor = header != NULL ? header->child : NULL; tensor != NULL;
         tensor = tensor->next) {
        const cJSON *offsets = json_member(tensor, "data_offsets");
        const cJSON *last = cJSON_GetArrayItem(offsets, 1);
        if (cJSON_IsNumber(last) && last->valuedouble > end)
            end = last->valuedouble;
    }
    if (header != NULL && end < 0x1p53 && *data_at + (int64_t)end == status.st_size)
        return header;
    cJSON_Delete(header);
    return NULL;
}

bool checkpoint_file_is_whole(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int64_t data_at = 0;
    bool no_memory = false;

    if (fd < 0)
        return false;
    cJSON *header = read_whole_header(fd, &data_at, &no_memory);
    close(fd);
    bool whole = header != NULL || no_memory; /* that is no proof of damage */
    cJSON_Delete(header);
    return whole;
}

/* The bytes from at on to the file's end join the hash. */
static bool hash_rest(struct hash_state *state, int fd, int64_t at)
{
    char *block = malloc(BLOCK);
    ssize_t count = block == NULL ? -1 : 1;

    while (count > 0) {
        count = pread(fd, block, BLOCK, at);
        if (count > 0)
            hash_add(state, block, (size_t)count);
        at += count;
    }
    free(block);
    return count == 0;
}

/* The checksum that the content should have (docs/formats.md). */
static bool compute_checksum(char hex[HASH_HEX_SIZE], const cJSON *metadata, int fd,
                             int64_t data_at)
{
    static const char *const covered[] = { "format",   "run_hash",   "step",        "final",
                                           "position", "kernel_set", "weights_hash" };
    struct hash_state state;

    hash_init(&state);
    for (size_t i = 0; i < sizeof covered / sizeof *covered; i++) {
        const cJSON *text = json_member(metadata, covered[i]);
        if (!cJSON_IsString(text))
            return false;
        hash_add(&state, text->valuestring, strlen(text->valuestring));
        hash_add(&state, "\n", 1);
    }
    if (!hash_rest(&state, fd, data_at))
        return false;
    hash_final_hex(&state, hex);
    return true;
}

bool checkpoint_file_is_sound(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int64_t data_at = 0;
    bool no_memory = false;
    char hex[HASH_HEX_SIZE];

    if (fd < 0)
        return false;
    cJSON *header = read_whole_header(fd, &data_at, &no_memory);
    const cJSON *metadata = json_member(header, "__metadata__");
    const cJSON *checksum = json_member(metadata, "checksum");
    bool sound = cJSON_IsString(checksum) && compute_checksum(hex, metadata, fd, data_at) &&
                 strcmp(hex, checksum->valuestring) == 0;
    close(fd);
    cJSON_Delete(header);
    return sound;
}
