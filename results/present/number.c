/* number.c - formats numbers by integer arithmetic, independent of the locale. */
#include "number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double POWERS[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6 };
enum { MOST_DIGITS = 6 };
/* What is so near to the middle of two numbers, in units of the last digit, is in the
 * middle, and is rounded away from 0. */
static const double TIE = 1e-8;

char *number_fixed(char out[NUMBER_TEXT_SIZE], double value, int digits)
{
    const double power = POWERS[digits < 0 ? 0 : digits > MOST_DIGITS ? MOST_DIGITS : digits];

    if (!isfinite(value)) {
        snprintf(out, NUMBER_TEXT_SIZE, "-");
        /* beyond the integers that a double holds exactly */
    } else if (fabs(value) * power >= 9e15) {
        snprintf(out, NUMBER_TEXT_SIZE, "%.0f",
                 fabs(value) < 1e40 ? value : copysign(1e40, value));
    } else {
        /* means such as 1/80 stand between two numbers, and sums end on either side */
        long long scaled = llround(fabs(value) * power + TIE),
                  whole = scaled / (long long)power;
        long long rest = scaled % (long long)power;
        const char *sign = value < 0 && scaled != 0 ? "-" : "";

        if (digits > 0)
            snprintf(out, NUMBER_TEXT_SIZE, "%s%lld.%0*lld", sign, whole,
                     digits > MOST_DIGITS ? MOST_DIGITS : digits, rest);
        else
            snprintf(out, NUMBER_TEXT_SIZE, "%s%lld", sign, whole);
    }
    return out;
}

char *number_p(char out[NUMBER_TEXT_SIZE], double p)
{
    static const double LEAST = 0.00005; /* that rounds to 0.0001 */

    if (p >= 0.0 && p < LEAST)
        snprintf(out, NUMBER_TEXT_SIZE, "<0.0001");
    else
        number_fixed(out, p, 4);
    return out;
}

char *number_trimmed(char out[NUMBER_TEXT_SIZE], double value, int digits)
{
    number_fixed(out, value, digits);
    if (strchr(out, '.') != NULL) {
        size_t length = strlen(out);

        while (out[length - 1] == '0')
            length--;
        out[out[length - 1] == '.' ? length - 1 : length] = '\0';
    }
    return out;
}

char *number_power(char out[NUMBER_TEXT_SIZE], double value, int digits)
{
    int exponent = isfinite(value) && value != 0 ? (int)floor(log10(fabs(value))) : 0;
    char text[NUMBER_TEXT_SIZE];

    number_trimmed(text, value / pow(10, exponent), digits);
    if (strncmp(text + (text[0] == '-'), "10", 2) == 0) /* rounded up */
        number_trimmed(text, value / pow(10, ++exponent), digits);
    if (exponent == 0)
        snprintf(out, NUMBER_TEXT_SIZE, "%s", text);
    else
        snprintf(out, NUMBER_TEXT_SIZE, "%.*se%d", NUMBER_TEXT_SIZE - 8, text, exponent);
    return out;
}

char *number_measure(char out[NUMBER_TEXT_SIZE], double value, int digits)
{
    static const double ROUNDING = 1e-12; /* of sums of measures, which are near 1 */

    number_fixed(out, value, digits);
    if (isfinite(value) && fabs(value) > ROUNDING && strpbrk(out, "123456789") == NULL)
        number_power(out, value, 0);
    return out;
}

char *number_signed(char out[NUMBER_TEXT_SIZE], double value, int digits)
{
    char text[NUMBER_TEXT_SIZE];

    number_measure(text, value, digits);
    snprintf(out, NUMBER_TEXT_SIZE, "%s%.*s",
             value > 0 && strpbrk(text, "123456789") ? "+" : "", NUMBER_TEXT_SIZE - 2, text);
    return out;
}

char *number_scaled(char out[NUMBER_TEXT_SIZE], double value)
{
    static const char *const PREFIXES[] = { "", "k", "M", "G", "T", "P", "E", "Z", "Y" };
    int prefix = 0;
    char text[NUMBER_TEXT_SIZE];

    /* 999.5 would be printed as 1000 */
    while (fabs(value) >= 999.5 && prefix + 1 < (int)(sizeof PREFIXES / sizeof *PREFIXES)) {
        value /= 1000;
        prefix++;
    }
    number_trimmed(text, value, fabs(value) < 9.995 ? 2 : fabs(value) < 99.95 ? 1 : 0);
    snprintf(out, NUMBER_TEXT_SIZE, "%.*s %s", NUMBER_TEXT_SIZE - 4, text, PREFIXES[prefix]);
    return out;
}
