/*
 * run_tables.h - everything about one run, as tables.
 */
#ifndef RESULTS_RUN_TABLES_H
#define RESULTS_RUN_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct store;
struct table;

/* Tables about a run: facts, settings, attempts and evaluations. */
enum { RUN_TABLES = 4 };
/* out is all NULL before; the caller destroys what is in it, after an error too. all:
 * otherwise settings at their defaults are left out, and of many evaluations the lower
 * ones; notes say so. */
int run_tables(struct store *store, struct table *out[RUN_TABLES], const char *hash, bool all,
               struct error *err) MUST_CHECK;

/* The id of the run with this whole hash; ERROR_ABSENT. */
int run_find_id(struct store *store, int64_t *out, const char *hash,
                struct error *err) MUST_CHECK;

#endif
