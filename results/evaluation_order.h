/*
 * evaluation_order.h - the order in which evaluations of a model are listed.
 *
 * By their settings in the order of enum evaluation_key: numbers ascending, "all" after
 * any number, choices in the order in which the table of settings names them. So what
 * is published (the first choice) is the value that others are compared with.
 */
#ifndef RESULTS_EVALUATION_ORDER_H
#define RESULTS_EVALUATION_ORDER_H

#include "error.h"
#include "evaluation_keys.h"

/* Where a value of the setting stands among its values: a number itself, "all" after
 * any number, a choice by its place in the table of settings. */
double evaluation_value_place(enum evaluation_key key, const char *value);

/* Writes to places[i] how many of the evaluations come before number i. texts:
 * canonical texts of evaluations, all different. ERROR_NOMEM. */
int evaluation_order(int *places, char *const *texts, int count, struct error *err) MUST_CHECK;

#endif
