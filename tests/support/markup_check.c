/* markup_check.c - a reader of XML that only says whether it is any. */
#include "markup_check.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MOST_OPEN = 64, NAME_SIZE = 32, FAULT_SIZE = 160 };

struct reader {
    const char *at;
    char open[MOST_OPEN][NAME_SIZE];
    int depth, roots;
};

static char fault_text[FAULT_SIZE];

static const char *fault(const char *what, const char *at)
{
    snprintf(fault_text, sizeof fault_text, "%s at: %.80s", what, at);
    return fault_text;
}

static const char *read_entity(struct reader *reader)
{
    static const char *const KNOWN[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };

    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (strncmp(reader->at, KNOWN[i], strlen(KNOWN[i])) == 0) {
            reader->at += strlen(KNOWN[i]);
            return NULL;
        }
    return fault("bare &", reader->at);
}

static size_t name_length(const char *at)
{
    size_t length = 0;

    while (isalnum((unsigned char)at[length]) ||
           (length > 0 && strchr("-:_", at[length]) && at[length] != '\0'))
        length++;
    return length;
}

/* NAME="VALUE" ... up to the end of the tag. */
static const char *read_attributes(struct reader *reader)
{
    for (;;) {
        size_t space = strspn(reader->at, " \n");

        reader->at += space;
        if (*reader->at == '>' || *reader->at == '/')
            return NULL;
        size_t length = name_length(reader->at);

        if (space == 0 || length == 0 || strncmp(reader->at + length, "=\"", 2) != 0)
            return fault("no attribute", reader->at);
        reader->at += length + 2;
        while (*reader->at != '"') {
            const char *wrong = NULL;

            if (*reader->at == '\0' || *reader->at == '<')
                return fault("attribute does not end", reader->at);
            if (*reader->at == '&')
                wrong = read_entity(reader);
            else
                reader->at++;
            if (wrong != NULL)
                return wrong;
        }
        reader->at++;
    }
}

static const char *read_end_tag(struct reader *reader)
{
    const char *start = reader->at;
    size_t length = name_length(reader->at + 2);

    if (reader->depth == 0 || strlen(reader->open[reader->depth - 1]) != length ||
        strncmp(reader->open[reader->depth - 1], reader->at + 2, length) != 0 ||
        reader->at[2 + length] != '>')
        return fault("end tag of another element", start);
    reader->depth--;
    reader->at += length + 3;
    return NULL;
}

static const char *read_start_tag(struct reader *reader)
{
    const char *start = reader->at;
    size_t length = name_length(reader->at + 1);
    bool style = length == 5 && strncmp(reader->at + 1, "style", 5) == 0;

    if (length == 0 || length >= NAME_SIZE || reader->depth == MOST_OPEN)
        return fault("no element", start);
    if (reader->depth == 0 && ++reader->roots > 1)
        return fault("second root", start);
    memcpy(reader->open[reader->depth], reader->at + 1, length);
    reader->open[reader->depth++][length] = '\0';
    reader->at += length + 1;
    const char *wrong = read_attributes(reader);

    if (wrong != NULL)
        return wrong;
    if (*reader->at == '/') {
        reader->depth--;
        reader->at++;
        style = false;
    }
    if (*reader->at++ != '>')
        return fault("tag does not end", start);
    if (style) {
        const char *end = strstr(reader->at, "</style>");

        if (end == NULL || memchr(reader->at, '<', (size_t)(end - reader->at)) != NULL)
            return fault("style does not end", start);
        reader->at = end;
    }
    return NULL;
}

const char *markup_fault(const char *text)
{
    struct reader reader = { .at = text };
    const char *wrong = NULL;

    if (strncmp(text, "<!DOCTYPE html>", 15) == 0)
        reader.at += 15;
    while (*reader.at != '\0' && wrong == NULL) {
        if (strncmp(reader.at, "</", 2) == 0)
            wrong = read_end_tag(&reader);
        else if (*reader.at == '<')
            wrong = read_start_tag(&reader);
        else if (*reader.at == '&')
            wrong = read_entity(&reader);
        else if ((unsigned char)*reader.at < ' ' && *reader.at != '\n')
            wrong = fault("control character", reader.at);
        else if (reader.depth == 0 && !isspace((unsigned char)*reader.at))
            wrong = fault("text outside the root", reader.at);
        else
            reader.at++;
    }
    if (wrong == NULL && (reader.depth != 0 || reader.roots != 1))
        wrong = fault("element not closed", reader.depth > 0 ? reader.open[0] : "");
    return wrong;
}
