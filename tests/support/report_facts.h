/*
 * report_facts.h - a report of the recorded demo, what SQL finds in its database, and the
 * checks of the report's words and tables against it.
 */
#ifndef TESTS_SUPPORT_REPORT_FACTS_H
#define TESTS_SUPPORT_REPORT_FACTS_H

#include "figure_numbers.h"
#include "number_check.h"
#include "outcomes.h"
#include "place.h"
#include "report_page.h"

struct sqlite3;

enum { SHOWN_DIGITS = 3, MOST_DIFFERENCES = 40 };

struct report_facts {
    const struct place *place; /* borrowed */
    struct sqlite3 *db;
    struct outcomes outcomes;
    /* in the order of their tables; p corrected over each table */
    struct named_difference planned[MOST_DIFFERENCES], others[MOST_DIFFERENCES];
    int planned_count, other_count;
    int notes; /* of tables of comparisons that were met */
    struct report_page page;
    struct number_check check;
};

/* Reads the workspace's database. place: borrowed. */
void facts_open(struct report_facts *out, const struct place *place);
void facts_close(struct report_facts *facts);

/* The first column of the first row; "" without one. In one of several static buffers. */
const char *facts_ask(struct report_facts *facts, const char *sql);
double facts_number(struct report_facts *facts, const char *sql);
/* "+0.483 [+0.340, +0.626]", in one of several static buffers. */
const char *difference_interval(const struct outcome_difference *difference);
struct outcome_term facts_term(struct report_facts *facts, const char *system, int trained,
                               int inference, double weight);
/* Fails the test if there is none. */
const struct named_difference *difference_find(const struct named_difference *list, int count,
                                               const char *group, const char *label);

/* Of kind PAGE_WORDS, PAGE_CELL and PAGE_CODE. */
void check_words(struct report_facts *facts, const struct page_item *item);
void check_cell(struct report_facts *facts, const struct page_item *cell);
void check_code(struct report_facts *facts, const char *code);

#endif
