/* json_python.c - a JSON printer with Python's formatting. */
#include "json_python.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Reads a code point of valid UTF-8 and advances behind it. */
static unsigned take_code(const unsigned char **at)
{
    unsigned first = *(*at)++;
    int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    unsigned code = more == 3   ? first & 7
                    : more == 2 ? first & 15
                    : more == 1 ? first & 31
                                : first;

    for (; more > 0 && **at != '\0'; more--)
        code = code << 6 | (*(*at)++ & 63);
    return code;
}

void json_python_text(FILE *out, const char *text)
{
    static const char PLAIN[] = "\"\\\n\r\t\b\f", LETTERS[] = "\"\\nrtbf";
    const unsigned char *at = (const unsigned char *)text;

    fputc('"', out);
    while (*at != '\0') {
        unsigned code = take_code(&at);
        const char *escaped = code < 128 ? strchr(PLAIN, (int)code) : NULL;
        if (escaped != NULL)
            fprintf(out, "\\%c", LETTERS[escaped - PLAIN]);
        else if (code >= 0x10000)
            fprintf(out, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
                    0xdc00 + ((code - 0x10000) & 0x3ff));
        else if (code < ' ' || code > 126)
            fprintf(out, "\\u%04x", code);
        else
            fputc((int)code, out);
    }
    fputc('"', out);
}

void json_python_real(FILE *out, double value)
{
    char text[40];

    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fprintf(out, "%s%s", text, strpbrk(text, ".en") == NULL ? ".0" : "");
}

static void write_number(FILE *out, double value)
{
    if (value == floor(value) && fabs(value) < 1e15)
        fprintf(out, "%.0f", value);
    else
        json_python_real(out, value);
}

/* Recursion is as deep as JSON_MAX_DEPTH, the limit of what is read. */
void json_python_write(FILE *out, const cJSON *item)
{
    bool object = cJSON_IsObject(item);

    if (cJSON_IsString(item)) {
        json_python_text(out, item->valuestring);
    } else if (cJSON_IsNumber(item)) {
        write_number(out, item->valuedouble);
    } else if (object || cJSON_IsArray(item)) {
        fputc(object ? '{' : '[', out);
        for (const cJSON *child = item->child; child != NULL; child = child->next) {
            if (object) {
                json_python_text(out, child->string);
                fputs(": ", out);
            }
            json_python_write(out, child);
            if (child->next != NULL)
                fputs(", ", out);
        }
        fputc(object ? '}' : ']', out);
    } else {
        fputs(cJSON_IsTrue(item) ? "true" : cJSON_IsFalse(item) ? "false" : "null", out);
    }
}
