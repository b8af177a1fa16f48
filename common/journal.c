/* journal.c - hashed, numbered JSON lines: appended by a worker, read by the runner. */
#include "journal.h"

#include "clock.h"
#include "error.h"
#include "file.h"
#include "hash.h"
#include "json.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* {"h":"0123456789abcdef", */
enum { HASH_AT = 6, HASH_DIGITS = 16, BODY_AT = HASH_AT + HASH_DIGITS + 2 };

int journal_open(struct journal_writer *writer, const char *path, struct error *err)
{
    *writer = (struct journal_writer){ .fd = -1 };
    writer->path = strdup(path);
    if (writer->path == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a path");
    writer->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (writer->fd < 0) {
        int number = errno;
        journal_close(writer);
        return error_set(err, error_code_from_errno(number), "create %s: %s", path,
                         strerror(number));
    }
    return 0;
}

void journal_close(struct journal_writer *writer)
{
    if (writer->fd >= 0)
        close(writer->fd);
    free(writer->path);
    *writer = (struct journal_writer){ .fd = -1 };
}

/* The line with its newline, fresh; NULL when out of memory. */
static char *format_line(size_t *size, int64_t sequence, const char *type, const cJSON *body)
{
    char time[CLOCK_ISO_SIZE];
    char *members = body != NULL && body->child != NULL ? cJSON_PrintUnformatted(body) : NULL;

    if (members == NULL && body != NULL && body->child != NULL)
        return NULL;
    clock_iso_now(time);
    /* members is "{...}": its opening brace gives way to the comma. */
    char *line = format_string(
        "{\"h\":\"%016d\",\"n\":%" PRId64 ",\"t\":\"%s\",\"type\":\"%s\"%s%s\n", 0, sequence,
        time, type, members != NULL ? "," : "}", members != NULL ? members + 1 : "");
    cJSON_free(members);
    if (line == NULL)
        return NULL;
    *size = strlen(line);
    char digits[HASH_DIGITS + 1];
    snprintf(digits, sizeof digits, "%016" PRIx64,
             hash_xxh3(line + BODY_AT, *size - BODY_AT - 1));
    memcpy(line + HASH_AT, digits, HASH_DIGITS);
    return line;
}

int journal_append(struct journal_writer *writer, const char *type, cJSON *body, bool sync,
                   struct error *err)
{
    assert(writer->fd >= 0 && type[0] != '\0');
    size_t size = 0;
    char *line = format_line(&size, writer->sequence, type, body);
    int rc;

    cJSON_Delete(body);
    if (line == NULL)
        return error_set(err, ERROR_NOMEM, "%s: no memory for an event", writer->path);
    if (size > JOURNAL_MAX_LINE)
        rc = error_set(err, ERROR_FORMAT, "%s: an event of %zu bytes", writer->path, size);
    else
        rc = file_write_all(writer->fd, line, size, writer->path, err);
    free(line);
    if (rc < 0)
        return rc;
    writer->sequence++;
    if (sync && fdatasync(writer->fd) < 0)
        return error_set(err, error_code_from_errno(errno), "sync %s: %s", writer->path,
                         strerror(errno));
    return 0;
}

static int check_line(struct journal_event *event, const char *line, size_t length,
                      int64_t expected, struct error *err)
{
    char digits[HASH_DIGITS + 1];

    if (length <= BODY_AT || memcmp(line, "{\"h\":\"", HASH_AT) != 0 ||
        memcmp(line + HASH_AT + HASH_DIGITS, "\",", 2) != 0)
        return error_set(err, ERROR_DAMAGED, "journal line is not an event");
    snprintf(digits, sizeof digits, "%016" PRIx64, hash_xxh3(line + BODY_AT, length - BODY_AT));
    if (memcmp(line + HASH_AT, digits, HASH_DIGITS) != 0)
        return error_set(err, ERROR_DAMAGED, "journal line fails its hash");
    char *copy = strndup(line, length);
    if (copy == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a journal line");
    int rc = json_parse(&event->body, copy, strlen(copy), "journal line", err);
    free(copy);
    if (rc < 0)
        return rc;
    rc = json_get_int(&event->sequence, event->body, "n", "journal line", err);
    if (rc == 0)
        rc = json_get_string(&event->time, event->body, "t", "journal line", err);
    if (rc == 0)
        rc = json_get_string(&event->type, event->body, "type", "journal line", err);
    if (rc == 0 && expected >= 0 && event->sequence != expected)
        rc = error_set(err, ERROR_DAMAGED,
                       "journal line %" PRId64 " where %" PRId64 " must come", event->sequence,
                       expected);
    return rc;
}

enum journal_status journal_next(struct journal_event *event, size_t *used, const char *data,
                                 size_t size, int64_t expected, struct error *err)
{
    const char *newline = memchr(data, '\n', size);

    *event = (struct journal_event){ 0 };
    *used = 0;
    if (newline == NULL && size <= JOURNAL_MAX_LINE)
        return JOURNAL_PARTIAL;
    size_t length = newline == NULL ? size : (size_t)(newline - data);
    if (length > JOURNAL_MAX_LINE) {
        error_set(err, ERROR_DAMAGED, "a journal line of more than %d bytes", JOURNAL_MAX_LINE);
        return JOURNAL_BAD;
    }
    int rc = check_line(event, data, length, expected, err);
    if (rc < 0) {
        cJSON_Delete(event->body);
        *event = (struct journal_event){ 0 };
        return rc == ERROR_NOMEM ? JOURNAL_FAILED : JOURNAL_BAD;
    }
    *used = length + 1;
    return JOURNAL_EVENT;
}
