/*
 * number_check.h - counts the numbers of a text that equal what was computed beside it,
 * those that do not, and those that nothing was computed for.
 */
#ifndef TESTS_SUPPORT_NUMBER_CHECK_H
#define TESTS_SUPPORT_NUMBER_CHECK_H

#include <stddef.h>

struct number_check {
    int matched;       /* equal to what was computed */
    int skipped;       /* let be, for a reason */
    int unmatched;     /* in no text that was expected */
    int faults;        /* texts that differ, or are not there */
    const char *place; /* named in messages; borrowed */
    const char *text;  /* that is being taken apart; borrowed */
    char rest[8000];   /* of it, what was taken blanked out */
};

enum { SHOWN_SIZE = 48 };

/* The number with so many digits after the point, half away from zero; "+0.100" or not.
 * In one of several static buffers. */
const char *shown(double value, int digits);
/* A p value with four decimals, or "<0.0001". */
const char *shown_p(double p);
const char *shown_signed(double value, int digits);
const char *shown_trimmed(double value, int digits); /* "4.3" for 4.30 */

int count_numbers(const char *text); /* runs of digits, points within */
/* The text is exactly as formatted. */
__attribute__((format(printf, 3, 4))) void
check_equal(struct number_check *check, const char *text, const char *format, ...);
void check_skip(struct number_check *check, const char *text);
/* Takes a text apart: check_take() for each part that must be there as formatted,
 * check_name() for names with digits that may be there, then check_end(). */
void check_begin(struct number_check *check, const char *text);
__attribute__((format(printf, 2, 3))) void check_take(struct number_check *check,
                                                      const char *format, ...);
void check_name(struct number_check *check, const char *name);
void check_end(struct number_check *check);

#endif
