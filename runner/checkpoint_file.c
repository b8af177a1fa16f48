/* checkpoint_file.c - the sizes that a safetensors header promises, against the file's. */
#include "checkpoint_file.h"

#include "error.h"
#include "json.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PREFIX = 8, HEADER_LIMIT = 16 << 20 };

/* The header's JSON, parsed; NULL when it is not one. *data_at: where the tensors begin. */
static cJSON *read_header(int fd, int64_t *data_at)
{
    unsigned char prefix[PREFIX];
    uint64_t length = 0;
    cJSON *header = NULL;
    struct error ignored;

    if (pread(fd, prefix, PREFIX, 0) != PREFIX)
        return NULL;
    for (int i = PREFIX - 1; i >= 0; i--)
        length = length << 8 | prefix[i];
    if (length == 0 || length > HEADER_LIMIT)
        return NULL;
    char *text = malloc((size_t)length + 1);
    if (text != NULL && pread(fd, text, (size_t)length, PREFIX) == (ssize_t)length) {
        text[length] = '\0';
        if (json_parse(&header, text, (size_t)length, "checkpoint", &ignored) < 0)
            header = NULL;
    }
    free(text);
    *data_at = PREFIX + (int64_t)length;
    return header;
}

bool checkpoint_file_is_whole(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status = { 0 };
    int64_t data_at = 0;
    double end = 0.0;

    if (fd < 0)
        return false;
    cJSON *header = fstat(fd, &status) == 0 ? read_header(fd, &data_at) : NULL;
    close(fd);
    for (const cJSON *tensor = header != NULL ? header->child : NULL; tensor != NULL;
         tensor = tensor->next) {
        const cJSON *offsets = json_member(tensor, "data_offsets");
        const cJSON *last = cJSON_GetArrayItem(offsets, 1);
        if (cJSON_IsNumber(last) && last->valuedouble > end)
            end = last->valuedouble;
    }
    bool whole = header != NULL && end < 0x1p53 && data_at + (int64_t)end == status.st_size;
    cJSON_Delete(header);
    return whole;
}
