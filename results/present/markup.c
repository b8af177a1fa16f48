/* markup.c - escaping for XML, HTML and addresses. */
#include "markup.h"

#include "text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* Whether a character is U+FFFE or U+FFFF, which XML forbids. */
static bool is_no_character(const char *text, size_t length)
{
    return length == 3 &&
           (memcmp(text, "\xef\xbf\xbe", 3) == 0 || memcmp(text, "\xef\xbf\xbf", 3) == 0);
}

static void write_escaped(FILE *out, const char *text, bool lines)
{
    size_t size = text != NULL ? strlen(text) : 0;

    while (size > 0) {
        bool control = false;
        size_t length = text_character(&control, text, size);
        const char *entity = entity_of(*text);

        if (length == 0) {
            fputc('?', out);
            length = 1;
        } else if (*text == '\n' && lines) {
            fputc('\n', out);
        } else if (*text == '\t' || *text == '\n' || *text == '\r') {
            fputc(' ', out);
        } else if (entity != NULL) {
            fputs(entity, out);
        } else if (!control && !is_no_character(text, length)) {
            fwrite(text, 1, length, out);
        }
        text += length;
        size -= length;
    }
}

void markup_text(FILE *out, const char *text)
{
    write_escaped(out, text, false);
}

void markup_lines(FILE *out, const char *text)
{
    write_escaped(out, text, true);
}

/* Appends a slash and the text, all but letters, digits and "-._~" as %XX. */
static char *append_part(char *to, const char *text)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

    *to++ = '/';
    for (; *text != '\0'; text++)
        if (strchr(PLAIN, *text) != NULL)
            *to++ = *text;
        else
            to += sprintf(to, "%%%02X", (unsigned char)*text);
    *to = '\0';
    return to;
}

char *markup_path(const char *page, const char *name, const char *detail)
{
    const char *const parts[] = { page, name, detail };
    size_t size = 1;

    for (int i = 0; i < 3 && parts[i] != NULL; i++)
        size += 1 + 3 * strlen(parts[i]);
    char *path = malloc(size), *to = path;

    for (int i = 0; i < 3 && parts[i] != NULL && path != NULL; i++)
        to = append_part(to, parts[i]);
    return path;
}
