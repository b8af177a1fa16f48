/* text_stream.c - an own stream of glibc's (fopencookie()) over a growing block. */
#include "text_stream.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

struct text_stream {
    char **text; /* where the caller wants it */
    size_t *size;
    char *data;
    size_t used, room;
    bool incomplete; /* something was not written for lack of memory */
};

/* Makes room for size bytes more and a NUL. */
static bool make_room(struct text_stream *stream, size_t size)
{
    size_t least = stream->used + size + 1;

    if (least <= stream->room)
        return true;
    size_t room = least > 2 * stream->room ? least : 2 * stream->room;
    char *larger = realloc(stream->data, room);

    if (larger == NULL)
        return false;
    stream->data = larger;
    stream->room = room;
    return true;
}

static ssize_t add(void *cookie, const char *data, size_t size)
{
    struct text_stream *stream = cookie;

    if (stream->incomplete || !make_room(stream, size)) {
        stream->incomplete = true;
        return 0; /* which is an error */
    }
    memcpy(stream->data + stream->used, data, size);
    stream->used += size;
    return (ssize_t)size;
}

static int finish(void *cookie)
{
    struct text_stream *stream = cookie;
    int rc = 0;

    if (stream->incomplete || !make_room(stream, 0)) {
        free(stream->data);
        rc = -1;
    } else {
        stream->data[stream->used] = '\0';
        *stream->text = stream->data;
        *stream->size = stream->used;
    }
    free(stream);
    return rc;
}

FILE *text_stream_open(char **text, size_t *size)
{
    struct text_stream *stream = calloc(1, sizeof *stream);
    FILE *file = NULL;

    *text = NULL;
    *size = 0;
    if (stream != NULL) {
        *stream = (struct text_stream){ .text = text, .size = size };
        file =
            fopencookie(stream, "w", (cookie_io_functions_t){ .write = add, .close = finish });
    }
    if (file == NULL)
        free(stream);
    return file;
}
