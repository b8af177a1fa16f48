/* npy.c - parses the header, a Python dictionary of which three members are read. */
#include "npy.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAGIC_SIZE = 8, HEADER_LIMIT = 1 << 16 };

static const char *const TYPES[] = { [NPY_U1] = "|u1", [NPY_I4] = "<i4", [NPY_I8] = "<i8" };
static const int WIDTHS[] = { [NPY_U1] = 1, [NPY_I4] = 4, [NPY_I8] = 8 };
enum { TYPE_COUNT = sizeof WIDTHS / sizeof *WIDTHS };

/* Position in the header's text while it is parsed. */
struct cursor {
    const struct npy *npy;
    const char *text;
    size_t at, end; /* bytes of the file */
};

static int fault(const struct cursor *c, size_t at, const char *what, struct error *err)
{
    return error_set(err, ERROR_FORMAT, "%s: byte %zu: %s", c->npy->path, at, what);
}

static void skip_blanks(struct cursor *c)
{
    while (c->at < c->end && (c->text[c->at] == ' ' || c->text[c->at] == '\n'))
        c->at++;
}

/* If word comes next, advances behind it and returns true. */
static bool take(struct cursor *c, const char *word)
{
    size_t length = strlen(word);

    skip_blanks(c);
    if (c->end - c->at < length || memcmp(c->text + c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

/* Reads a text in quotes; false: there is none. */
static bool take_text(struct cursor *c, char *out, size_t size)
{
    size_t used = 0;

    skip_blanks(c);
    if (c->at >= c->end || (c->text[c->at] != '\'' && c->text[c->at] != '"'))
        return false;
    char quote = c->text[c->at++];
    while (c->at < c->end && c->text[c->at] != quote && used + 1 < size)
        out[used++] = c->text[c->at++];
    out[used] = '\0';
    return c->at < c->end && c->text[c->at++] == quote;
}

static bool take_count(struct cursor *c, int64_t *out)
{
    size_t first;

    skip_blanks(c);
    *out = 0;
    for (first = c->at; c->at < c->end && c->text[c->at] >= '0' && c->text[c->at] <= '9';
         c->at++)
        if (c->at - first < 16) /* longer numbers exceed any file */
            *out = 10 * *out + (c->text[c->at] - '0');
    return c->at > first && c->at - first < 16;
}

static int read_type(struct npy *out, struct cursor *c, struct error *err)
{
    char name[40];

    skip_blanks(c);
    size_t at = c->at;
    if (take_text(c, name, sizeof name))
        for (int t = 0; t < TYPE_COUNT; t++)
            if (strcmp(name, TYPES[t]) == 0) {
                out->type = (enum npy_type)t;
                return 0;
            }
    return fault(c, at,
                 "expected the type |u1, <i4 or <i8; floats, big-endian numbers and objects "
                 "(pickles) are not read",
                 err);
}

static int read_shape(struct npy *out, struct cursor *c, struct error *err)
{
    skip_blanks(c);
    size_t at = c->at;
    bool good = take(c, "(");
    out->dimensions = 0;
    out->shape[1] = 1;
    while (good && !take(c, ")")) {
        good = out->dimensions < 2 && take_count(c, &out->shape[out->dimensions]);
        out->dimensions++;
        if (good && !take(c, ",")) {
            good = take(c, ")");
            break;
        }
    }
    if (good && out->dimensions > 0)
        return 0;
    return fault(c, at, "expected a shape of one or two numbers, such as (3, 81)", err);
}

static int read_order(struct cursor *c, struct error *err)
{
    skip_blanks(c);
    size_t at = c->at;
    if (take(c, "False"))
        return 0;
    return fault(c, at, "expected 'fortran_order': False; save the array in C order", err);
}

/* Reads {'descr': '|u1', 'fortran_order': False, 'shape': (3, 81), }, members in any
 * order. */
static int read_dictionary(struct npy *out, struct cursor *c, struct error *err)
{
    bool seen[3] = { false };

    if (!take(c, "{"))
        return fault(c, c->at, "expected { and the array's type, order and shape", err);
    while (!take(c, "}")) {
        static const char *const names[] = { "descr", "fortran_order", "shape" };
        char name[40] = "";
        size_t at = c->at;
        int member = 0, rc;

        bool text = take_text(c, name, sizeof name) && take(c, ":");
        while (member < 3 && strcmp(name, names[member]) != 0)
            member++;
        if (!text || member == 3 || seen[member])
            return fault(c, at, "expected 'descr', 'fortran_order' or 'shape', each once", err);
        seen[member] = true;
        rc = member == 0   ? read_type(out, c, err)
             : member == 1 ? read_order(c, err)
                           : read_shape(out, c, err);
        if (rc < 0)
            return rc;
        if (!take(c, ",") && (c->at >= c->end || c->text[c->at] != '}'))
            return fault(c, c->at, "expected a comma or }", err);
    }
    skip_blanks(c);
    if (c->at < c->end)
        return fault(c, c->at, "expected nothing but blanks behind the dictionary", err);
    if (!seen[0] || !seen[1] || !seen[2])
        return fault(c, c->at, "descr, fortran_order or shape is missing", err);
    return 0;
}

/* Checks the file's size against the array's, whose factors are below 10^15. */
static int check_size(const struct cursor *c, struct error *err)
{
    const struct npy *npy = c->npy;
    int64_t count, bytes;

    if (__builtin_mul_overflow(npy->shape[0], npy->shape[1], &count) ||
        __builtin_mul_overflow(count, (int64_t)WIDTHS[npy->type], &bytes))
        return fault(c, c->end, "the shape is larger than any file", err);
    if ((uint64_t)bytes == npy->map_size - c->end)
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "%s: byte %zu: the header gives %" PRId64
                     " bytes from here to the end of the file, found %zu; is it cut?",
                     npy->path, c->end, bytes, npy->map_size - c->end);
}

static int read_header(struct npy *out, struct error *err)
{
    const uint8_t *bytes = out->map;
    struct cursor c = { .npy = out, .text = out->map };
    size_t length = 0;

    assert(bytes != NULL);
    if (out->map_size < MAGIC_SIZE + 2 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return fault(&c, 0, "expected the first bytes of a .npy file, 0x93 and NUMPY", err);
    if (bytes[6] < 1 || bytes[6] > 2 || bytes[7] != 0)
        return fault(&c, 6, "expected version 1.0 or 2.0", err);
    int width = bytes[6] == 1 ? 2 : 4;
    for (int i = width; i > 0 && out->map_size >= MAGIC_SIZE + (size_t)width; i--)
        length = length << 8 | bytes[MAGIC_SIZE + i - 1];
    c.at = MAGIC_SIZE + (size_t)width;
    c.end = c.at + length;
    if (length == 0 || length > HEADER_LIMIT || c.end > out->map_size)
        return fault(&c, MAGIC_SIZE, "a header that is empty or longer than the file", err);
    int rc = read_dictionary(out, &c, err);
    if (rc == 0)
        rc = check_size(&c, err);
    out->data = bytes + c.end;
    return rc;
}

static int map_file(struct npy *out, struct error *err)
{
    struct stat status = { 0 };
    /* O_NONBLOCK: a FIFO must not hang us before fstat() tells. */
    int fd = open(out->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;

    if (fd < 0 || fstat(fd, &status) < 0)
        rc = error_set(err, errno == ENOENT ? ERROR_FORMAT : error_code_from_errno(errno),
                       "%s: %s", out->path, strerror(errno));
    else if (!S_ISREG(status.st_mode) || status.st_size == 0)
        rc = error_set(err, ERROR_FORMAT, "%s: expected a .npy file, found %s", out->path,
                       S_ISREG(status.st_mode) ? "an empty one" : "something else");
    if (rc == 0) {
        out->map_size = (size_t)status.st_size;
        out->map = mmap(NULL, out->map_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (out->map == MAP_FAILED) {
            out->map = NULL;
            rc = error_set(err, error_code_from_errno(errno), "%s: %s", out->path,
                           strerror(errno));
        }
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

int npy_open(struct npy *out, const char *path, struct error *err)
{
    *out = (struct npy){ .path = strdup(path) };
    int rc = out->path == NULL ? error_no_memory(err, "a path") : map_file(out, err);

    if (rc == 0)
        rc = read_header(out, err);
    if (rc < 0)
        npy_close(out);
    return rc;
}

void npy_close(struct npy *npy)
{
    if (npy->map != NULL)
        munmap(npy->map, npy->map_size);
    free(npy->path);
    *npy = (struct npy){ 0 };
}

int64_t npy_at(const struct npy *npy, int64_t index)
{
    const uint8_t *at = npy->data + index * WIDTHS[npy->type];
    int32_t narrow;
    int64_t wide;

    switch (npy->type) {
    case NPY_U1:
        return *at;
    case NPY_I4:
        memcpy(&narrow, at, sizeof narrow);
        return narrow;
    case NPY_I8:
        break;
    }
    memcpy(&wide, at, sizeof wide);
    return wide;
}

int64_t npy_offset(const struct npy *npy, int64_t index)
{
    return npy->data - (const uint8_t *)npy->map + index * WIDTHS[npy->type];
}

void npy_header(char out[NPY_HEADER_SIZE], enum npy_type type, int64_t rows, int64_t columns)
{
    char text[NPY_HEADER_SIZE - MAGIC_SIZE - 2 + 1];
    int used = snprintf(text, sizeof text,
                        "{'descr': '%s', 'fortran_order': False, 'shape': ", TYPES[type]);

    used += columns == 0
                ? snprintf(text + used, sizeof text - (size_t)used, "(%" PRId64 ",), }", rows)
                : snprintf(text + used, sizeof text - (size_t)used,
                           "(%" PRId64 ", %" PRId64 "), }", rows, columns);
    assert(used < (int)sizeof text - 1);
    memset(out, ' ', NPY_HEADER_SIZE);
    memcpy(out, "\x93NUMPY\x01\x00", MAGIC_SIZE);
    out[MAGIC_SIZE] = (char)(NPY_HEADER_SIZE - MAGIC_SIZE - 2);
    out[MAGIC_SIZE + 1] = 0;
    memcpy(out + MAGIC_SIZE + 2, text, (size_t)used);
    out[NPY_HEADER_SIZE - 1] = '\n';
}

bool npy_write(FILE *out, enum npy_type type, const int32_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t wide = values[i];
        uint8_t byte = (uint8_t)values[i];
        const void *from = type == NPY_U1   ? (const void *)&byte
                           : type == NPY_I4 ? (const void *)&values[i]
                                            : (const void *)&wide;
        if (fwrite(from, (size_t)WIDTHS[type], 1, out) != 1)
            return false;
    }
    return true;
}
