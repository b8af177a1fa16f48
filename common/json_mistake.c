/* json_mistake.c - habits of other notations that JSON does not allow. */
#include "json_mistake.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static bool begins(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);

    return (size_t)(end - at) >= length && memcmp(at, word, length) == 0;
}

static bool is_letter(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

/* Whether the text at this place is exactly that word. */
static bool is_word(const char *at, const char *end, const char *word)
{
    const char *after = at + strlen(word);

    return begins(at, end, word) && (after == end || !isalnum((unsigned char)*after));
}

/* The last character before at that is not white space; NULL: there is none. */
static const char *before(const char *text, const char *at)
{
    while (at > text && isspace((unsigned char)at[-1]))
        at--;
    return at > text ? at - 1 : NULL;
}

/* The mistake in a word that stands where a value is expected; NULL: none that is
 * known. */
static const char *find_word(const char *at, const char *end)
{
    static const struct {
        const char *word, *what;
    } words[] = {
        { "True", "True is written true in JSON" },
        { "False", "False is written false in JSON" },
        { "None", "None is written null in JSON" },
        { "NaN", "NaN is not a number of JSON; give a finite number, or leave the key out" },
        { "nan", "nan is not a number of JSON; give a finite number, or leave the key out" },
        { "Infinity", "Infinity is not a number of JSON; give a finite number" },
        { "inf", "inf is not a number of JSON; give a finite number" },
        { "yes", "yes is written true in JSON" },
        { "no", "no is written false in JSON" },
    };

    if (at < end && *at == '-')
        at++;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(at, end, words[i].word))
            return words[i].what;
    return NULL;
}

struct json_mistake json_mistake_find(const char *text, const char *at, const char *end,
                                      const char *expected)
{
    const char *previous = before(text, at), *word;

    if (at == end)
        return (struct json_mistake){ at, expected };
    if (begins(at, end, "//") || begins(at, end, "/*") || *at == '#')
        return (struct json_mistake){
            at, "a comment; JSON has none (a spec has \"description\" for words)"
        };
    if ((*at == '}' || *at == ']') && previous != NULL && *previous == ',')
        return (struct json_mistake){
            previous, *at == '}' ? "a comma before '}'; the last member has none after it"
                                 : "a comma before ']'; the last value has none after it"
        };
    if (*at == '\'')
        return (struct json_mistake){ at, "single quotes; JSON has double quotes: \"...\"" };
    if (begins(at, end, "\xE2\x80\x9C") || begins(at, end, "\xE2\x80\x9D"))
        return (struct json_mistake){ at, "typographic quotes; JSON has plain ones: \"...\"" };
    word = find_word(at, end);
    if (word != NULL)
        return (struct json_mistake){ at, word };
    if ((*at == '.' || *at == '+') && end - at > 1 && isdigit((unsigned char)at[1]))
        return (struct json_mistake){ at,
                                      *at == '.'
                                          ? "a number begins with a digit: 0.5, not .5"
                                          : "a number has no plus sign before it: 5, not +5" };
    if (*at == '"' && previous != NULL && strchr("\"}]el0123456789", *previous) != NULL)
        return (struct json_mistake){ at, "a comma is missing before this" };
    return (struct json_mistake){ at, expected };
}

struct json_mistake json_mistake_of_whole(const char *text, const char *first, const char *end)
{
    const char *p = first;

    if (begins(text, end, "\xFF\xFE") || begins(text, end, "\xFE\xFF"))
        return (struct json_mistake){ text, "the file is in UTF-16; save it as plain UTF-8" };
    while (p < end && (is_letter(*p) || isdigit((unsigned char)*p) || *p == '.'))
        p++;
    bool key = p > first && is_letter(*first) && p < end && *p == ':';
    bool list = begins(first, end, "- ") || begins(first, end, "---");
    if (key || list)
        return (struct json_mistake){
            first, "this looks like YAML; JSON is expected: {\"name\": \"...\", ...}"
        };
    return (struct json_mistake){ first, NULL };
}
