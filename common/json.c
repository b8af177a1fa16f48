/*
 * json.c - strict reading: a scanner over the text first, cJSON afterwards, then
 * duplicates.
 *
 * The scanner checks what cJSON accepts or reports without a place: nesting, how many
 * values there are, UTF-8, control characters, the grammar of every token, numbers out
 * of range, text after the value. It reports line and column. The caller checks the
 * size.
 */
#include "json.h"

#include "error.h"
#include "file.h"
#include "json_mistake.h"
#include "text.h"
#include "text_stream.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scanner {
    const char *text, *next, *end;
    const char *name;
    struct error *err;
    size_t values; /* that have begun */
};

/* Reports at position at: line and column, both from 1, columns in bytes. */
static int scan_fault(const struct scanner *s, const char *at, const char *what)
{
    int line = 1, column = 1;

    for (const char *p = s->text; p < at; p++) {
        column++;
        if (*p == '\n') {
            line++;
            column = 1;
        }
    }
    return error_set(s->err, ERROR_FORMAT, "%s: line %d, column %d: %s", s->name, line, column,
                     what);
}

/* Reports that the text at the current place is not what was expected. */
static int scan_unexpected(const struct scanner *s, const char *at, const char *expected)
{
    struct json_mistake mistake = json_mistake_find(s->text, at, s->end, expected);

    return scan_fault(s, mistake.at, mistake.what);
}

static void scan_space(struct scanner *s)
{
    while (s->next < s->end &&
           (*s->next == ' ' || *s->next == '\t' || *s->next == '\n' || *s->next == '\r'))
        s->next++;
}

/* "uXXXX", at the u. */
static int scan_hex(struct scanner *s, const char *start, unsigned *value)
{
    s->next++;
    for (int i = 0; i < 4; i++, s->next++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit =
            s->next < s->end && *s->next != '\0' ? strchr(digits, *s->next | 0x20) : NULL;
        if (digit == NULL)
            return scan_fault(s, start, "\\u needs four hexadecimal digits");
        *value = *value * 16 + (unsigned)(digit - digits);
    }
    return 0;
}

static int scan_escape(struct scanner *s)
{
    const char *start = s->next++;

    if (s->next == s->end)
        return scan_fault(s, s->next, "the text ends inside a string");
    if (strchr("\"\\/bfnrt", *s->next) != NULL && *s->next != '\0') {
        s->next++;
        return 0;
    }
    if (*s->next != 'u')
        return scan_fault(s, start,
                          "unknown escape in a string (expected \\n, \\\", \\u0000 ...)");
    unsigned value = 0, low = 0;
    int rc = scan_hex(s, start, &value);
    if (rc < 0)
        return rc;
    if (value == 0)
        return scan_fault(s, start, "a string may not hold the character \\u0000");
    if (value < 0xd800 || value > 0xdfff)
        return 0;
    /* UTF-16: a high surrogate, then a low one. */
    if (value < 0xdc00 && s->end - s->next > 1 && s->next[0] == '\\' && s->next[1] == 'u') {
        s->next++;
        rc = scan_hex(s, start, &low);
        if (rc < 0)
            return rc;
    }
    return low >= 0xdc00 && low <= 0xdfff
               ? 0
               : scan_fault(s, start, "half of a surrogate pair in a string");
}

static int scan_string(struct scanner *s)
{
    s->next++;
    while (s->next < s->end) {
        unsigned char c = (unsigned char)*s->next;
        if (c == '"') {
            s->next++;
            return 0;
        }
        if (c < ' ')
            return scan_fault(s, s->next,
                              "a control character inside a string (a missing \"?)");
        if (c == '\\') {
            int rc = scan_escape(s);
            if (rc < 0)
                return rc;
            continue;
        }
        size_t length = text_character(NULL, s->next, (size_t)(s->end - s->next));
        if (length == 0)
            return scan_fault(s, s->next, "not valid UTF-8");
        s->next += length;
    }
    return scan_fault(s, s->end, "the text ends inside a string");
}

static size_t scan_digits(struct scanner *s)
{
    const char *start = s->next;

    while (s->next < s->end && *s->next >= '0' && *s->next <= '9')
        s->next++;
    return (size_t)(s->next - start);
}

static int scan_number(struct scanner *s)
{
    const char *start = s->next;

    if (*s->next == '-')
        s->next++;
    const char *digits = s->next;
    size_t count = scan_digits(s);
    if (count == 0)
        return scan_unexpected(s, start, "malformed number");
    if (count > 1 && *digits == '0')
        return scan_fault(s, start, "a number begins with 0 only before a point: 7, not 07");
    if (s->next < s->end && *s->next == '.') {
        s->next++;
        if (scan_digits(s) == 0)
            return scan_fault(s, start, "malformed number (digits expected after the point)");
    }
    if (s->next < s->end && (*s->next == 'e' || *s->next == 'E')) {
        s->next++;
        if (s->next < s->end && (*s->next == '+' || *s->next == '-'))
            s->next++;
        if (scan_digits(s) == 0)
            return scan_fault(s, start, "malformed number (digits expected in the exponent)");
    }
    if (s->next < s->end && (isalnum((unsigned char)*s->next) || *s->next == '_'))
        return scan_fault(s, start,
                          "malformed number; JSON has plain decimal numbers: 16, not 0x10");
    if (s->next - start > 60)
        return scan_fault(s, start, "a number of more than 60 characters");
    if (!isfinite(strtod(start, NULL)))
        return scan_fault(s, start, "number out of range");
    return 0;
}

static int scan_word(struct scanner *s)
{
    static const char *const words[] = { "true", "false", "null" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(s->end - s->next) >= length && memcmp(s->next, words[i], length) == 0) {
            s->next += length;
            return 0;
        }
    }
    return scan_unexpected(s, s->next,
                           "expected a value: {, [, a string in double quotes, a number, "
                           "true, false or null");
}

/* A member's name and colon. */
static int scan_name(struct scanner *s)
{
    scan_space(s);
    if (s->next == s->end)
        return scan_fault(s, s->end, "the text ends inside an object");
    if (*s->next != '"')
        return scan_unexpected(s, s->next, "expected a name in double quotes");
    int rc = scan_string(s);
    if (rc < 0)
        return rc;
    scan_space(s);
    if (s->next == s->end)
        return scan_fault(s, s->end, "the text ends inside an object");
    if (*s->next == '=')
        return scan_fault(s, s->next, "'=' in place of ':'");
    if (*s->next == '"' || isalnum((unsigned char)*s->next))
        return scan_fault(s, s->next, "a colon is missing before this");
    if (*s->next != ':')
        return scan_unexpected(s, s->next, "expected ':' after the name");
    s->next++;
    return 0;
}

/* One whole value without recursion: open[] remembers the brackets. */
static int scan_value(struct scanner *s)
{
    char open[JSON_MAX_DEPTH];
    int depth = 0, rc = 0;

    for (;;) {
        bool opened = false;

        scan_space(s);
        if (s->next == s->end)
            return scan_fault(s, s->end, "the text ends where a value is expected");
        if (++s->values > JSON_MAX_VALUES)
            return scan_fault(s, s->next,
                              "more than 8388608 values; expected a smaller file: split it");
        if (*s->next == '{' || *s->next == '[') {
            if (depth == JSON_MAX_DEPTH)
                return scan_fault(s, s->next, "nested more than 64 deep");
            open[depth++] = *s->next++;
            opened = true;
            scan_space(s);
            bool empty = s->next < s->end && *s->next == (open[depth - 1] == '{' ? '}' : ']');
            if (!empty) {
                rc = open[depth - 1] == '{' ? scan_name(s) : 0;
                if (rc < 0)
                    return rc;
                continue;
            }
        } else if (*s->next == '"') {
            rc = scan_string(s);
        } else if (*s->next == '-' || (*s->next >= '0' && *s->next <= '9')) {
            rc = scan_number(s);
        } else {
            rc = scan_word(s);
        }
        if (rc < 0)
            return rc;
        /* After a value: close what ends here, or go on after a comma. */
        for (; depth > 0; opened = false) {
            char kind = open[depth - 1];
            scan_space(s);
            if (s->next == s->end)
                return scan_fault(s, s->end,
                                  kind == '{' ? "the text ends inside an object"
                                              : "the text ends inside a list");
            if (*s->next == (kind == '{' ? '}' : ']')) {
                s->next++;
                depth--;
                continue;
            }
            if (*s->next != ',' || opened)
                return scan_unexpected(
                    s, s->next, kind == '{' ? "expected ',' or '}'" : "expected ',' or ']'");
            s->next++;
            rc = kind == '{' ? scan_name(s) : 0;
            if (rc < 0)
                return rc;
            break;
        }
        if (depth == 0)
            return 0;
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sets *duplicate to a name that an object of the tree has twice, else NULL. */
static int find_duplicate(const char **duplicate, const cJSON *item)
{
    int count = 0, i = 0, rc = 0;

    *duplicate = NULL;
    if (cJSON_IsObject(item))
        count = cJSON_GetArraySize(item);
    if (count > 1) {
        const char **names = malloc((size_t)count * sizeof *names);
        if (names == NULL)
            return ERROR_NOMEM;
        for (const cJSON *member = item->child; member != NULL; member = member->next)
            names[i++] = member->string;
        qsort(names, (size_t)count, sizeof *names, compare_names);
        for (i = 1; i < count && *duplicate == NULL; i++)
            if (strcmp(names[i - 1], names[i]) == 0)
                *duplicate = names[i];
        free(names);
    }
    if (*duplicate != NULL || !(cJSON_IsObject(item) || cJSON_IsArray(item)))
        return 0;
    for (const cJSON *member = item->child; member != NULL && rc == 0 && *duplicate == NULL;
         member = member->next)
        if (member->child != NULL) /* depth is at most JSON_MAX_DEPTH */
            rc = find_duplicate(duplicate, member);
    return rc;
}

/* The place of the last occurrence of "name" in the text, for the message about a
 * duplicate. */
static const char *last_place(const struct scanner *s, const char *name)
{
    char *quoted = format_string("\"%s\"", name);
    const char *place = s->text;

    for (const char *p = s->text; quoted != NULL && (p = strstr(p, quoted)) != NULL; p++)
        place = p;
    free(quoted);
    return place;
}

int json_parse(cJSON **out, const char *text, size_t size, const char *name, struct error *err)
{
    struct scanner s = {
        .text = text, .next = text, .end = text + size, .name = name, .err = err
    };
    const char *duplicate = NULL;
    int rc;

    *out = NULL;
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        return scan_fault(&s, text,
                          "the file begins with a byte order mark; save it as plain "
                          "UTF-8");
    scan_space(&s);
    if (s.next == s.end)
        return scan_fault(&s, s.end, "the file is empty; a JSON value is expected");
    struct json_mistake whole = json_mistake_of_whole(text, s.next, s.end);
    if (whole.what != NULL)
        return scan_fault(&s, whole.at, whole.what);
    rc = scan_value(&s);
    if (rc < 0)
        return rc;
    scan_space(&s);
    if (s.next != s.end)
        return scan_unexpected(&s, s.next, "text after the end of the JSON value");
    cJSON *root = cJSON_ParseWithLengthOpts(text, size + 1, NULL, 1);
    if (root == NULL) /* the grammar was checked */
        return error_set(err, ERROR_NOMEM, "%s: no memory", name);
    rc = find_duplicate(&duplicate, root);
    if (rc < 0) {
        rc = error_set(err, ERROR_NOMEM, "%s: no memory", name);
    } else if (duplicate != NULL) {
        char what[200];
        snprintf(what, sizeof what, "the key \"%.100s\" stands twice in one object", duplicate);
        rc = scan_fault(&s, last_place(&s, duplicate), what);
    }
    if (rc < 0) {
        cJSON_Delete(root);
        return rc;
    }
    *out = root;
    return 0;
}

int json_read_file(cJSON **out, const char *path, size_t limit, struct error *err)
{
    char *text = NULL;
    size_t size = 0;

    *out = NULL;
    int rc = file_read(&text, &size, path, limit, err);
    if (rc == 0)
        rc = json_parse(out, text, size, path, err);
    free(text);
    return rc;
}

const cJSON *json_member(const cJSON *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

double json_real_or(const cJSON *object, const char *key, double otherwise)
{
    const cJSON *item = json_member(object, key);

    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

int64_t json_to_integer(double value)
{
    return (int64_t)(value > 0x1p53 ? 0x1p53 : value < -0x1p53 ? -0x1p53 : value);
}

int64_t json_integer_or(const cJSON *object, const char *key, int64_t otherwise)
{
    const cJSON *item = json_member(object, key);

    return cJSON_IsNumber(item) ? json_to_integer(item->valuedouble) : otherwise;
}

const char *json_type_name(const cJSON *item)
{
    if (item == NULL)
        return "nothing";
    if (cJSON_IsObject(item))
        return "an object";
    if (cJSON_IsArray(item))
        return "a list";
    if (cJSON_IsString(item))
        return "text";
    if (cJSON_IsNumber(item))
        return "a number";
    if (cJSON_IsBool(item))
        return "true or false";
    return "null";
}

static int field_fault(const cJSON *item, const char *key, const char *where,
                       const char *expected, struct error *err)
{
    if (item == NULL)
        return error_set(err, ERROR_FORMAT, "%s: \"%s\" is missing (expected %s)", where, key,
                         expected);
    return error_set(err, ERROR_FORMAT, "%s: \"%s\" must be %s, not %s", where, key, expected,
                     json_type_name(item));
}

int json_get_int(int64_t *out, const cJSON *object, const char *key, const char *where,
                 struct error *err)
{
    const cJSON *item = json_member(object, key);

    if (!cJSON_IsNumber(item))
        return field_fault(item, key, where, "an integer", err);
    if (item->valuedouble != floor(item->valuedouble) || fabs(item->valuedouble) > 0x1p53)
        return error_set(err, ERROR_FORMAT, "%s: \"%s\" must be an integer, not %.17g", where,
                         key, item->valuedouble);
    *out = (int64_t)item->valuedouble;
    return 0;
}

int json_get_real(double *out, const cJSON *object, const char *key, const char *where,
                  struct error *err)
{
    const cJSON *item = json_member(object, key);

    if (!cJSON_IsNumber(item))
        return field_fault(item, key, where, "a number", err);
    *out = item->valuedouble;
    return 0;
}

int json_get_bool(bool *out, const cJSON *object, const char *key, const char *where,
                  struct error *err)
{
    const cJSON *item = json_member(object, key);

    if (!cJSON_IsBool(item))
        return field_fault(item, key, where, "true or false", err);
    *out = cJSON_IsTrue(item);
    return 0;
}

int json_get_string(const char **out, const cJSON *object, const char *key, const char *where,
                    struct error *err)
{
    const cJSON *item = json_member(object, key);

    if (!cJSON_IsString(item))
        return field_fault(item, key, where, "text", err);
    *out = item->valuestring;
    return 0;
}

static void canonical_value(FILE *out, const cJSON *item);

static void canonical_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            fprintf(out, "\\%c", *p);
        else if (*p < ' ')
            fprintf(out, "\\u%04x", *p);
        else
            fputc(*p, out);
    }
    fputc('"', out);
}

static void canonical_object(FILE *out, const cJSON *item)
{
    int count = cJSON_GetArraySize(item), i = 0;
    const char **names = malloc((size_t)(count + 1) * sizeof *names);

    if (names == NULL) {
        fputc('\0', out); /* json_canonical() sees the length differ */
        return;
    }
    for (const cJSON *member = item->child; member != NULL; member = member->next)
        names[i++] = member->string;
    qsort(names, (size_t)count, sizeof *names, compare_names);
    fputc('{', out);
    for (i = 0; i < count; i++) {
        if (i > 0)
            fputc(',', out);
        canonical_string(out, names[i]);
        fputc(':', out);
        canonical_value(out, cJSON_GetObjectItemCaseSensitive(item, names[i]));
    }
    fputc('}', out);
    free(names);
}

/* The fewest digits that read back as the same double. */
static void canonical_real(FILE *out, double value)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(text, out);
}

static void canonical_value(FILE *out, const cJSON *item)
{
    if (cJSON_IsObject(item)) {
        canonical_object(out, item);
    } else if (cJSON_IsArray(item)) {
        fputc('[', out);
        for (const cJSON *member = item->child; member != NULL; member = member->next) {
            canonical_value(out, member);
            if (member->next != NULL)
                fputc(',', out);
        }
        fputc(']', out);
    } else if (cJSON_IsString(item)) {
        canonical_string(out, item->valuestring);
    } else if (cJSON_IsNumber(item)) {
        double value = item->valuedouble;
        if (value == floor(value) && fabs(value) <= 0x1p53)
            fprintf(out, "%lld", (long long)value);
        else
            canonical_real(out, value);
    } else {
        fputs(cJSON_IsTrue(item) ? "true" : cJSON_IsFalse(item) ? "false" : "null", out);
    }
}

char *json_canonical(const cJSON *item)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = text_stream_open(&text, &size);

    if (out == NULL)
        return NULL;
    canonical_value(out, item);
    if (fclose(out) != 0 || strlen(text) != size) {
        free(text);
        return NULL;
    }
    return text;
}

/* Gives the numbers that need more than 15 digits as raw text. */
static bool keep_digits(cJSON *item)
{
    bool kept = true;

    for (cJSON *member = item->child; member != NULL && kept; member = member->next) {
        char short_text[40];

        kept = keep_digits(member);
        if (!cJSON_IsNumber(member))
            continue;
        snprintf(short_text, sizeof short_text, "%.15g", member->valuedouble);
        if (strtod(short_text, NULL) == member->valuedouble)
            continue;
        member->valuestring = json_canonical(member);
        kept = member->valuestring != NULL;
        member->type = kept ? cJSON_Raw : cJSON_Number;
    }
    return kept;
}

char *json_print(const cJSON *item)
{
    cJSON *copy = cJSON_Duplicate(item, true);
    char *text = copy != NULL && keep_digits(copy) ? cJSON_Print(copy) : NULL;

    cJSON_Delete(copy);
    return text;
}

enum { NEAREST_MAX = 64, LEAST_BEGINNING = 3 };

static int edit_distance(const char *a, const char *b)
{
    int row[NEAREST_MAX + 1];
    int length = (int)strlen(b);

    for (int j = 0; j <= length; j++)
        row[j] = j;
    for (int i = 1; a[i - 1] != '\0'; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= length; j++) {
            int change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            int least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < least ? change : least;
        }
    }
    return row[length];
}

const char *json_nearest_name(const char *word, const char *const *names, int count)
{
    const char *nearest = NULL;
    size_t length = strlen(word);
    /* letters that may be wrong; with two of three wrong nearly every word would do */
    int most = length <= 3 ? 1 : length < 9 ? 2 : (int)length / 3;
    int best = most + 1;

    if (length > NEAREST_MAX)
        return NULL;
    for (int i = 0; i < count; i++) {
        if (strlen(names[i]) > NEAREST_MAX)
            continue;
        bool begins = length >= LEAST_BEGINNING && strncmp(names[i], word, length) == 0;
        int distance =
            begins ? (int)(strlen(names[i]) > length) : edit_distance(word, names[i]);
        if (distance < best) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
