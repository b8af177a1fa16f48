/*
 * setting_table.h - the table of settings as a table: what `hrmlab axes` prints.
 */
#ifndef RESULTS_SETTING_TABLE_H
#define RESULTS_SETTING_TABLE_H

#include "error.h"
#include "table.h"

/* A row per setting whose key begins with group (NULL: all): key, phase, type, bounds,
 * default, unit, meaning. */
int setting_table(struct table **out, const char *group, struct error *err) MUST_CHECK;

#endif
