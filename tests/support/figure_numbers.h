/*
 * figure_numbers.h - whether a report's figures show what the database has: texts,
 * tooltips, ticks, and the places of marks between the ticks.
 */
#ifndef TESTS_SUPPORT_FIGURE_NUMBERS_H
#define TESTS_SUPPORT_FIGURE_NUMBERS_H

#include "number_check.h"
#include "outcomes.h"
#include "report_page.h"

struct sqlite3;

/* A difference that a figure may show, by the label of its row. */
struct named_difference {
    char group[64], label[120];
    struct outcome_difference value;
};

struct figure_facts {
    const struct outcomes *outcomes;
    struct sqlite3 *db;
    const struct named_difference *differences; /* those of the figure of differences */
    int difference_count;
};

/* Checks the figure that begins at items[0] (PAGE_PICTURE); returns how many items it
 * has. count: those there are. */
int check_figure(struct number_check *check, const struct figure_facts *facts,
                 const struct page_item *items, int count);

#endif
