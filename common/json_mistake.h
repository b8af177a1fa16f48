/*
 * json_mistake.h - recognises habits of other notations in a text that is not JSON.
 */
#ifndef COMMON_JSON_MISTAKE_H
#define COMMON_JSON_MISTAKE_H

#include <stddef.h>

/* What is wrong with a text, and where. */
struct json_mistake {
    const char *at;   /* a place in the text */
    const char *what; /* one clause for people; static */
};

/*
 * The reader of text (which ends at end) found something else at the place at than what
 * it expected. Returns the mistake that explains it: a comma too many, a comment,
 * single quotes, a word of Python or YAML, a number such as .5; otherwise that place
 * with what was expected.
 */
struct json_mistake json_mistake_find(const char *text, const char *at, const char *end,
                                      const char *expected);

/* The mistake of a text that is in another notation as a whole (YAML, UTF-16); its
 * member `what` is NULL when there is none. first is the first character that is not
 * white space. */
struct json_mistake json_mistake_of_whole(const char *text, const char *first, const char *end);

#endif
