/*
 * number.h - formats numbers identically in every locale.
 */
#ifndef RESULTS_NUMBER_H
#define RESULTS_NUMBER_H

#include <stddef.h>

enum { NUMBER_TEXT_SIZE = 48 };

/* value with at most digits (0 to 6) decimals, without trailing zeros. Not finite:
 * "-". out has NUMBER_TEXT_SIZE bytes; returns out. */
char *number_fixed(char out[NUMBER_TEXT_SIZE], double value, int digits);
char *number_trimmed(char out[NUMBER_TEXT_SIZE], double value, int digits);

/* As number_fixed(), but what would read as zero and is more than an error of rounding
 * has one digit and a power of ten: "2e-4". A measure. */
char *number_measure(char out[NUMBER_TEXT_SIZE], double value, int digits);

/* Likewise, with a sign unless the value is zero: a difference. */
char *number_signed(char out[NUMBER_TEXT_SIZE], double value, int digits);

/* A p value with four decimals; one that would read 0.0000: "<0.0001". */
char *number_p(char out[NUMBER_TEXT_SIZE], double p);

/* With a power of ten, for what six decimals do not tell: "2.5e-9". digits: most
 * decimals of the factor. */
char *number_power(char out[NUMBER_TEXT_SIZE], double value, int digits);

/* Three significant digits and a decimal prefix, to be followed by a unit: "3.3 T"
 * for number_scaled(out, 3.3e12). Below 1000 there is no prefix ("12 "). */
char *number_scaled(char out[NUMBER_TEXT_SIZE], double value);

#endif
