/* number_check.c - see number_check.h. */
#include "number_check.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { BUFFERS = 16, MOST_MESSAGES = 40 };

static char *write_number(double value, int digits, bool sign)
{
    static char buffers[BUFFERS][SHOWN_SIZE];
    static int next;
    char *out = buffers[next++ % BUFFERS];
    /* sums of a tie, such as 1/80 with three digits, end on either side of it */
    double power = pow(10, digits), scaled = floor(fabs(value) * power + 0.5 + 1e-8);

    if (!isfinite(value))
        snprintf(out, SHOWN_SIZE, "-");
    else
        snprintf(out, SHOWN_SIZE, "%s%.*f",
                 scaled > 0 ? value < 0 ? "-"
                              : sign    ? "+"
                                        : ""
                            : "",
                 digits, scaled / power);
    return out;
}

const char *shown(double value, int digits)
{
    return write_number(value, digits, false);
}

const char *shown_p(double p)
{
    return p < 0.00005 ? "<0.0001" : shown(p, 4);
}

const char *shown_signed(double value, int digits)
{
    return write_number(value, digits, true);
}

const char *shown_trimmed(double value, int digits)
{
    char *out = write_number(value, digits, false);
    size_t length = strlen(out);

    while (digits > 0 && out[length - 1] == '0')
        length--;
    out[out[length - 1] == '.' ? length - 1 : length] = '\0';
    return out;
}

int count_numbers(const char *text)
{
    int count = 0;

    for (const char *at = text; *at != '\0'; at++)
        if (isdigit((unsigned char)*at)) {
            count++;
            while (isdigit((unsigned char)at[1]) ||
                   (at[1] == '.' && isdigit((unsigned char)at[2])))
                at++;
        }
    return count;
}

static void fault(struct number_check *check, const char *what, const char *expected)
{
    if (check->faults++ < MOST_MESSAGES)
        fprintf(stderr, "%s: %s: \"%s\"%s%s%s\n", check->place, what, check->text,
                expected != NULL ? ", expected \"" : "", expected != NULL ? expected : "",
                expected != NULL ? "\"" : "");
}

void check_equal(struct number_check *check, const char *text, const char *format, ...)
{
    char expected[2000];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(expected, sizeof expected, format, arguments);
    va_end(arguments);
    check->text = text;
    if (strcmp(text, expected) == 0)
        check->matched += count_numbers(text);
    else
        fault(check, "differs", expected);
}

void check_skip(struct number_check *check, const char *text)
{
    check->skipped += count_numbers(text);
}

void check_begin(struct number_check *check, const char *text)
{
    check->text = text;
    snprintf(check->rest, sizeof check->rest, "%s", text);
}

/* Blanks out the first occurrence; false: there is none. */
static bool take(struct number_check *check, const char *part)
{
    char *found = strstr(check->rest, part);

    if (found == NULL)
        return false;
    check->matched += count_numbers(part);
    memset(found, '~', strlen(part));
    return true;
}

void check_take(struct number_check *check, const char *format, ...)
{
    char part[2000];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(part, sizeof part, format, arguments);
    va_end(arguments);
    if (!take(check, part))
        fault(check, "has not", part);
}

void check_name(struct number_check *check, const char *name)
{
    while (take(check, name))
        ;
}

void check_end(struct number_check *check)
{
    int left = count_numbers(check->rest);

    if (left == 0)
        return;
    check->unmatched += left;
    check->text = check->rest;
    fault(check, "numbers that nothing was computed for", NULL);
}
