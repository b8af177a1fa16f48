/* request.c - reads addresses. */
#include "request.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int digit_of(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Decodes %XX, and in values + as a space, in place. false: bad encoding, or a NUL. */
static bool decode(char *text, bool value)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++) {
        if (*from == '+' && value) {
            *to++ = ' ';
        } else if (*from != '%') {
            *to++ = *from;
        } else {
            if (!isxdigit((unsigned char)from[1]) || !isxdigit((unsigned char)from[2]))
                return false;
            int byte = digit_of(from[1]) * 16 + digit_of(from[2]);
            if (byte == 0)
                return false;
            *to++ = (char)byte;
            from += 2;
        }
    }
    *to = '\0';
    return true;
}

/* Splits "a/b" at slashes; empty parts are left out. */
static bool read_path(struct request *out, char *path)
{
    const int most = sizeof out->parts / sizeof *out->parts;
    char *rest = path, *part;

    while ((part = strsep(&rest, "/")) != NULL) {
        if (*part == '\0')
            continue;
        if (out->part_count == most || !decode(part, false))
            return false;
        out->parts[out->part_count++] = part;
    }
    return true;
}

/* Splits "name=value&name=value". */
static bool read_values(struct request *out, char *query)
{
    const int most = sizeof out->values / sizeof *out->values;
    char *rest = query, *pair;

    while ((pair = strsep(&rest, "&")) != NULL) {
        char *name = strsep(&pair, "="), *value = pair != NULL ? pair : name + strlen(name);

        if (*name == '\0')
            continue;
        if (out->value_count == most || !decode(name, true) || !decode(value, true))
            return false;
        out->values[out->value_count].name = name;
        out->values[out->value_count++].value = value;
    }
    return true;
}

int request_parse(struct request *out, const char *address, struct error *err)
{
    *out = (struct request){ .memory = strdup(address) };
    if (out->memory == NULL)
        return error_no_memory(err, "an address");
    char *query = out->memory, *path = strsep(&query, "?");

    if (*path == '/' && read_path(out, path) && (query == NULL || read_values(out, query)))
        return 0;
    request_release(out);
    return error_set(err, ERROR_FORMAT,
                     "%.200s: not an address of this server: expected at most 4 parts and 8 "
                     "values, and two hexadecimal digits, not 00, after each %%",
                     address);
}

void request_release(struct request *request)
{
    free(request->memory);
    *request = (struct request){ 0 };
}

const char *request_value(const struct request *request, const char *name)
{
    for (int i = 0; i < request->value_count; i++)
        if (strcmp(request->values[i].name, name) == 0)
            return request->values[i].value;
    return NULL;
}
