/* safetensors_header.c - the length and the JSON header at the beginning of a file. */
#include "safetensors_header.h"

#include "error.h"
#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t header_length(const unsigned char prefix[SAFETENSORS_LENGTH_BYTES])
{
    uint64_t length = 0;

    for (int i = SAFETENSORS_LENGTH_BYTES - 1; i >= 0; i--)
        length = length << 8 | prefix[i];
    return length;
}

/* Checks the header's length against the size of the whole file. */
static int check_length(uint64_t length, size_t file_size, const char *name, struct error *err)
{
    if (file_size < SAFETENSORS_LENGTH_BYTES)
        return error_set(err, ERROR_FORMAT,
                         "%s: %zu bytes are no safetensors file; it starts with %d bytes of "
                         "header length",
                         name, file_size, SAFETENSORS_LENGTH_BYTES);
    if (length > SAFETENSORS_HEADER_LIMIT || length > file_size - SAFETENSORS_LENGTH_BYTES)
        return error_set(err, ERROR_FORMAT,
                         "%s: the header length is %" PRIu64 ", but %zu bytes follow; the "
                         "file is cut short or no safetensors file",
                         name, length, file_size - SAFETENSORS_LENGTH_BYTES);
    return 0;
}

/* Parses the header; text has a NUL one past its length. */
static int parse_object(cJSON **header, const char *text, size_t length, const char *name,
                        struct error *err)
{
    int rc = json_parse(header, text, length, name, err);

    if (rc < 0 || cJSON_IsObject(*header))
        return rc;
    rc = error_set(err, ERROR_FORMAT, "%s: the header must be an object, not %s", name,
                   json_type_name(*header));
    cJSON_Delete(*header);
    *header = NULL;
    return rc;
}

static char *allocate_text(uint64_t length, const char *name, struct error *err)
{
    char *text = malloc((size_t)length + 1);

    if (text == NULL)
        error_set(err, ERROR_NOMEM, "%s: no memory for a header of %" PRIu64 " bytes", name,
                  length);
    else
        text[length] = '\0';
    return text;
}

int safetensors_header_parse(cJSON **header, size_t *data_at, const void *data, size_t size,
                             const char *name, struct error *err)
{
    const unsigned char *bytes = data;
    uint64_t length = size >= SAFETENSORS_LENGTH_BYTES ? header_length(bytes) : 0;
    int rc = check_length(length, size, name, err);

    *header = NULL;
    if (rc < 0)
        return rc;
    char *text = allocate_text(length, name, err);
    if (text == NULL)
        return ERROR_NOMEM;
    memcpy(text, bytes + SAFETENSORS_LENGTH_BYTES, (size_t)length);
    rc = parse_object(header, text, (size_t)length, name, err);
    free(text);
    *data_at = SAFETENSORS_LENGTH_BYTES + (size_t)length;
    return rc;
}

/* Reads size bytes at offset `at`. A file that has become shorter meanwhile is reported
 * as cut off. */
static int read_at(int fd, void *out, size_t size, size_t at, const char *name,
                   struct error *err)
{
    ssize_t count = pread(fd, out, size, (off_t)at);

    if (count == (ssize_t)size)
        return 0;
    if (count < 0)
        return error_set(err, error_code_from_errno(errno), "read %s: %s", name,
                         strerror(errno));
    return error_set(err, ERROR_FORMAT, "%s: it ends within its header", name);
}

/* Checks that the file ends where the data of its last tensor ends. */
static int check_end(const cJSON *header, size_t data_size, const char *name, struct error *err)
{
    double end = 0.0;

    for (const cJSON *tensor = header->child; tensor != NULL; tensor = tensor->next) {
        const cJSON *last = cJSON_GetArrayItem(json_member(tensor, "data_offsets"), 1);

        if (cJSON_IsNumber(last) && last->valuedouble > end)
            end = last->valuedouble;
    }
    if (end == (double)data_size)
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "%s: its tensors take %.0f bytes, but %zu follow the header; the file is "
                     "cut short or damaged",
                     name, end, data_size);
}

/* The size of the file in bytes. */
static int measure_file(size_t *out, int fd, const char *name, struct error *err)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return error_set(err, error_code_from_errno(errno), "stat %s: %s", name,
                         strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_FORMAT, "%s: not a regular file", name);
    *out = (size_t)status.st_size;
    return 0;
}

int safetensors_header_read(cJSON **header, size_t *data_at, int fd, const char *name,
                            struct error *err)
{
    unsigned char prefix[SAFETENSORS_LENGTH_BYTES] = { 0 };
    size_t size = 0;
    int rc = measure_file(&size, fd, name, err);

    *header = NULL;
    if (rc == 0 && size >= SAFETENSORS_LENGTH_BYTES)
        rc = read_at(fd, prefix, sizeof prefix, 0, name, err);
    uint64_t length = header_length(prefix);
    if (rc == 0)
        rc = check_length(length, size, name, err);
    if (rc < 0)
        return rc;
    char *text = allocate_text(length, name, err);
    if (text == NULL)
        return ERROR_NOMEM;
    rc = read_at(fd, text, (size_t)length, SAFETENSORS_LENGTH_BYTES, name, err);
    if (rc == 0)
        rc = parse_object(header, text, (size_t)length, name, err);
    free(text);
    *data_at = SAFETENSORS_LENGTH_BYTES + (size_t)length;
    if (rc == 0)
        rc = check_end(*header, size - *data_at, name, err);
    if (rc < 0) {
        cJSON_Delete(*header);
        *header = NULL;
    }
    return rc;
}
