/* gzip_file.c - inflates files with zlib, within limits. */
#define ZLIB_CONST /* zlib reads its input and does not write to it */

#include "gzip_file.h"

#include "error.h"
#include "file.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { GZIP_ONLY = 16 + MAX_WBITS, FIRST_ROOM = 1 << 16 };

/* State while a file is unpacked. */
struct unpacking {
    const char *path;
    const char *packed;
    size_t packed_size, at; /* its size, and bytes of it read so far */
    char *data;             /* owned */
    size_t size, room, limit;
};

/* Makes room for another byte and the final NUL, without exceeding the limit by more
 * than one byte. */
static int make_room(struct unpacking *u, struct error *err)
{
    size_t room = u->room == 0 ? FIRST_ROOM : 2 * u->room;

    if (u->size + 1 < u->room)
        return 0;
    if (u->size > u->limit)
        return error_set(err, ERROR_FORMAT,
                         "%s: byte %zu: unpacked it is larger than the limit of %zu bytes",
                         u->path, u->at, u->limit);
    if (room > u->limit + 2)
        room = u->limit + 2;
    char *larger = realloc(u->data, room);
    if (larger == NULL)
        return error_set(err, ERROR_NOMEM, "%s: no memory", u->path);
    u->data = larger;
    u->room = room;
    return 0;
}

static int tell(const struct unpacking *u, int status, const z_stream *stream,
                struct error *err)
{
    if (status == Z_MEM_ERROR)
        return error_set(err, ERROR_NOMEM, "%s: no memory", u->path);
    if (status == Z_BUF_ERROR && u->at == u->packed_size)
        return error_set(err, ERROR_FORMAT,
                         "%s: byte %zu: the gzip data are cut off; is the file complete?",
                         u->path, u->at);
    return error_set(err, ERROR_FORMAT, "%s: byte %zu: damaged gzip data (%s)", u->path, u->at,
                     stream->msg != NULL ? stream->msg : "inflate fails");
}

/* Unpacks the member that begins at u->at. */
static int unpack_member(struct unpacking *u, struct error *err)
{
    z_stream stream = { 0 };
    int status = inflateInit2(&stream, GZIP_ONLY), rc = 0;

    if (status != Z_OK)
        return tell(u, status, &stream, err);
    while (rc == 0 && status == Z_OK) {
        rc = make_room(u, err);
        if (rc < 0)
            break;
        stream.next_in = (const Bytef *)u->packed + u->at;
        stream.avail_in = (uInt)(u->packed_size - u->at);
        stream.next_out = (Bytef *)u->data + u->size;
        stream.avail_out = (uInt)(u->room - 1 - u->size);
        status = inflate(&stream, Z_NO_FLUSH);
        u->at = u->packed_size - stream.avail_in;
        u->size = u->room - 1 - stream.avail_out;
        if (status != Z_OK && status != Z_STREAM_END)
            rc = tell(u, status, &stream, err);
    }
    inflateEnd(&stream);
    return rc;
}

/* Unpacks all members. What follows a member must be another member. */
static int unpack(struct unpacking *u, struct error *err)
{
    int rc = 0;

    while (rc == 0 && (u->at == 0 || u->at < u->packed_size)) {
        bool magic =
            u->packed_size - u->at >= 2 && memcmp(u->packed + u->at, "\x1f\x8b", 2) == 0;
        if (magic)
            rc = unpack_member(u, err);
        else
            rc = error_set(err, ERROR_FORMAT,
                           u->at == 0 ? "%s: byte %zu: no gzip data, which begin with 1f 8b"
                                      : "%s: byte %zu: something else follows the gzip data",
                           u->path, u->at);
    }
    if (rc == 0 && u->size > u->limit)
        rc = error_set(err, ERROR_FORMAT,
                       "%s: byte %zu: unpacked it is larger than the limit of %zu bytes",
                       u->path, u->at, u->limit);
    return rc;
}

int gzip_file_read(char **data, size_t *size, const char *path, size_t limit, struct error *err)
{
    char *packed = NULL;
    struct unpacking u = { .path = path, .limit = limit };
    int rc = file_read(&packed, &u.packed_size, path, limit, err);

    *data = NULL;
    *size = 0;
    u.packed = packed;
    if (rc == 0)
        rc = make_room(&u, err);
    if (rc == 0)
        rc = unpack(&u, err);
    free(packed);
    if (rc < 0) {
        free(u.data);
        return rc;
    }
    u.data[u.size] = '\0';
    *data = u.data;
    *size = u.size;
    return 0;
}

bool gzip_file_is_named(const char *path)
{
    size_t length = strlen(path);

    return length >= 3 && strcmp(path + length - 3, ".gz") == 0;
}

int gzip_json_read(cJSON **out, const char *path, struct error *err)
{
    char *text;
    size_t size;

    if (!gzip_file_is_named(path))
        return json_read_file(out, path, JSON_DATA_LIMIT, err);
    *out = NULL;
    int rc = gzip_file_read(&text, &size, path, JSON_DATA_LIMIT, err);
    if (rc == 0)
        rc = json_parse(out, text, size, path, err);
    free(text);
    return rc;
}
