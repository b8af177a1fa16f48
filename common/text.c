/* text.c - control characters and UTF-8; see text.h. */
#include "text.h"

#include <assert.h>
#include <string.h>
#include <wchar.h>

/* The length that a character's first byte states; 0: no character begins with it. */
static size_t announced_length(unsigned char first)
{
    return first < 0x80                    ? 1
           : first >= 0xc2 && first < 0xe0 ? 2
           : (first & 0xf0) == 0xe0        ? 3
           : first >= 0xf0 && first < 0xf5 ? 4
                                           : 0;
}

/* Whether the second byte of a character is one that may follow its first. After some
 * first bytes not every continuation byte may: it would be an overlong form (U+0800 or
 * U+10000 and up have shorter ones below), a surrogate (U+D800 to U+DFFF) or a number
 * beyond U+10FFFF. */
static bool is_second_byte(unsigned char first, unsigned char second)
{
    unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

    return second >= least && second <= most;
}

static size_t character_length(const unsigned char *text, size_t size)
{
    size_t length = announced_length(text[0]);

    if (length > size || (length > 1 && !is_second_byte(text[0], text[1])))
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* Of a whole character. */
static bool is_control(const unsigned char *text)
{
    return text[0] < 0x20 || text[0] == 0x7f || (text[0] == 0xc2 && text[1] < 0xa0);
}

size_t text_character(bool *control, const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t length = size > 0 ? character_length(at, size) : 0;

    if (control != NULL)
        *control = length > 0 && is_control(at);
    return length;
}

char *text_strip_controls(char *out, size_t size, const char *text)
{
    const unsigned char *from = (const unsigned char *)text;
    size_t left = strlen(text), used = 0;

    while (left > 0) {
        size_t length = character_length(from, left), step = length == 0 ? 1 : length;

        if (length == 0) {
            if (used + 1 < size)
                out[used++] = '?'; /* not UTF-8 */
        } else if (!is_control(from)) {
            if (used + length >= size)
                break;
            memcpy(out + used, from, length);
            used += length;
        }
        from += step;
        left -= step;
    }
    out[used] = '\0';
    return out;
}

size_t text_make_printable(char *text, size_t size, const char *keep)
{
    size_t used = 0;

    for (size_t at = 0; at < size;) {
        const unsigned char *from = (const unsigned char *)text + at;
        size_t length = character_length(from, size - at), step = length == 0 ? 1 : length;
        bool kept = length == 1 && text[at] != '\0' && strchr(keep, text[at]) != NULL;

        if (kept || (length > 0 && !is_control(from))) {
            memmove(text + used, from, length);
            used += length;
        } else {
            text[used++] = '?';
        }
        at += step;
    }
    return used;
}

bool text_is_printable(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    for (size_t left = strlen(text); left > 0;) {
        size_t length = character_length(at, left);

        if (length == 0 || is_control(at))
            return false;
        at += length;
        left -= length;
    }
    return true;
}

const char *text_not_utf8(const char *text)
{
    for (size_t left = strlen(text), length; left > 0; text += length, left -= length) {
        length = text_character(NULL, text, left);
        if (length == 0)
            return text;
    }
    return NULL;
}

/* The number of a whole character. */
static wchar_t character_number(const unsigned char *text, size_t length)
{
    static const unsigned char FIRST_BITS[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    unsigned number = text[0] & FIRST_BITS[length < 4 ? length : 4];

    for (size_t i = 1; i < length; i++)
        number = number << 6 | (text[i] & 0x3fU);
    return (wchar_t)number;
}

int text_columns(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text;
    int columns = 0;

    for (size_t step; size > 0; at += step, size -= step) {
        size_t length = character_length(at, size);
        int width = length > 1 ? wcwidth(character_number(at, length)) : 1;

        columns += width >= 0 ? width : 1;
        step = length > 0 ? length : 1;
    }
    return columns;
}

size_t text_whole_characters(const char *text, size_t size)
{
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        unsigned char c = (unsigned char)text[size - back];

        if ((c & 0xc0) != 0x80) /* the last character begins here */
            return announced_length(c) > back ? size - back : size;
    }
    return size;
}

bool text_shorten_time(char *text)
{
    static const char LONG[] = "dddd-dd-ddTdd:dd:dd.dddZ", SHORT[] = "dddd-dd-dd dd:dd:ddZ";
    enum { DAY = 10, SECOND = 19 };
    size_t length = strlen(text);
    const char *form = length == sizeof LONG - 1 ? LONG : SHORT;

    if (length != strlen(form))
        return false;
    for (size_t i = 0; i < length; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    text[DAY] = ' ';
    text[SECOND] = 'Z';
    text[SECOND + 1] = '\0';
    return true;
}
