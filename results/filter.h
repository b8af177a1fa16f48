/*
 * filter.h - translates conditions such as "arch.name=hrm" or "seed<3" to SQL with
 * bound values.
 */
#ifndef RESULTS_FILTER_H
#define RESULTS_FILTER_H

#include <sqlite3.h>
#include <stdbool.h>

#include "error.h"
#include "measure.h"

struct results;

enum filter_relation { FILTER_EQ, FILTER_NE, FILTER_LE, FILTER_GE, FILTER_LT, FILTER_GT };

struct filter {
    enum filter_relation relation;
    /* SQL expression over e, a, r, v; NULL: a row of view setting */
    const char *column;
    const char *key; /* the setting's key, static */
    bool prefix;     /* the value is a prefix (hash) */
    bool tag;        /* the value is a tag of the run, its arm or its experiment */
    bool is_text;
    double number;
    char *text; /* owned */
};

/*
 * Parses a condition. The key may be without its group ("lr") where one setting alone
 * is called so, or one alone of those in which the arms of results differ (NULL: none).
 * ERROR_FORMAT: it has no relation, the key is unknown (the message suggests the most
 * similar one) or means several settings, the value has the wrong type, or < or > is
 * applied to words. given_as ("--where", "arm") opens the message.
 */
int filter_parse(struct filter *out, const char *condition, const char *given_as,
                 const struct results *results, struct error *err) MUST_CHECK;
/* Whether the condition is on a measure ("pass_at_2>0.5"), which SQL cannot
 * evaluate. Negative: ERROR_FORMAT, the value is not a number. */
int filter_find_measure(enum metric *metric, enum filter_relation *relation, double *number,
                        const char *condition, struct error *err) MUST_CHECK;
void filter_release(struct filter *filter);

/* The condition as SQL with parameters ?N and ?N+1 (key, value), N = first. Newly
 * allocated; NULL: no memory. */
char *filter_sql(const struct filter *filter, int first);
/* Binds both parameters. Returns SQLite's result code. */
int filter_bind(const struct filter *filter, sqlite3_stmt *statement, int first) MUST_CHECK;

#endif
