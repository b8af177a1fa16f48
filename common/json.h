/*
 * json.h - JSON from outside, read strictly, and fields taken out with clear errors.
 *
 * cJSON alone accepts text after the value, ignores the case of names, and lets a
 * duplicate key pass. json_parse() does not: it checks nesting (JSON_MAX_DEPTH), the
 * number of values (JSON_MAX_VALUES: cJSON takes 80 bytes for each, and a file of 64
 * MiB could have 32 million), UTF-8 and control characters, the text after the value,
 * numbers that overflow, and duplicate keys, and names file, line and column of the
 * fault.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum { JSON_MAX_DEPTH = 64, JSON_MAX_VALUES = 1 << 23 };
#define JSON_SPEC_LIMIT ((size_t)4 << 20)  /* bytes of a spec */
#define JSON_JOB_LIMIT ((size_t)16 << 20)  /* bytes of a job.json */
#define JSON_DATA_LIMIT ((size_t)64 << 20) /* bytes of a data file */

/* Parses size bytes of text (NUL-terminated one past the end) from name, a file's path
 * or "--set". On success *out is the caller's to cJSON_Delete. */
int json_parse(cJSON **out, const char *text, size_t size, const char *name,
               struct error *err) MUST_CHECK;
/* file_read + json_parse. */
int json_read_file(cJSON **out, const char *path, size_t limit, struct error *err) MUST_CHECK;

/* Typed members of object; where: what to call the object in messages ("job.json").
 * Absent is ERROR_FORMAT "where: KEY is missing"; a wrong type says what was
 * expected. */
int json_get_int(int64_t *out, const cJSON *object, const char *key, const char *where,
                 struct error *err) MUST_CHECK;
int json_get_real(double *out, const cJSON *object, const char *key, const char *where,
                  struct error *err) MUST_CHECK;
int json_get_bool(bool *out, const cJSON *object, const char *key, const char *where,
                  struct error *err) MUST_CHECK;
/* The string belongs to object. */
int json_get_string(const char **out, const cJSON *object, const char *key, const char *where,
                    struct error *err) MUST_CHECK;

/* A number of the object, or the value `otherwise` when the member is absent. Integers
 * are clamped to +-2^53, which a double holds exactly. */
double json_real_or(const cJSON *object, const char *key, double otherwise);
int64_t json_integer_or(const cJSON *object, const char *key, int64_t otherwise);
int64_t json_to_integer(double value);

/* Case-sensitive member or NULL. */
const cJSON *json_member(const cJSON *object, const char *key);

/* "an object", "a list", "text", "a number", "true or false", "null". */
const char *json_type_name(const cJSON *item);

/* Compact text with keys in strcmp order at every level, integers as integers, reals
 * with the fewest digits (15 to 17) that read back the same: the canonical form. Fresh
 * string, NULL when out of memory. */
char *json_canonical(const cJSON *item);

/* Indented text with keys in their order, as cJSON_Print() makes it, but each number
 * with all digits that it needs: cJSON leaves out those after the 15th from numbers
 * that it takes for equal, 0.30000000000000004 and 0.3. Fresh string, NULL when out of
 * memory. */
char *json_print(const cJSON *item);

/* Levenshtein-nearest of count names to word within a third of its length (at least 2,
 * but 1 of up to three letters), or NULL: for "did you mean". One that begins with the
 * word, of three letters or more, is as near as one with a letter too many. */
const char *json_nearest_name(const char *word, const char *const *names, int count);

#endif
