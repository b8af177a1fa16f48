/*
 * number.h - numbers as text that is the same in every locale.
 */
#ifndef RESULTS_NUMBER_H
#define RESULTS_NUMBER_H

#include <stddef.h>

enum { NUMBER_TEXT_SIZE = 48 };

/* value with at most digits (0 to 6) digits after a point; trim: without the zeros at
 * its end. Not finite: "-". out has NUMBER_TEXT_SIZE bytes; returns out. */
char *number_fixed(char out[NUMBER_TEXT_SIZE], double value, int digits);
char *number_trimmed(char out[NUMBER_TEXT_SIZE], double value, int digits);

/* The same with a sign in front of what is not zero: a difference. */
char *number_signed(char out[NUMBER_TEXT_SIZE], double value, int digits);

/* Three significant digits and the prefix of a thousand's power: "3.3 T" for
 * number_scaled(out, 3.3e12), to stand before a unit. Below 1000 no prefix ("12 "). */
char *number_scaled(char out[NUMBER_TEXT_SIZE], double value);

#endif
