/*
 * id_range.h - reads the rows of many ids in the order of an index.
 *
 * Ids that are close together are read as a range, which takes a fraction of the time
 * of a search for each one; rows of ids in between that nobody asked for are skipped.
 */
#ifndef RESULTS_ID_RANGE_H
#define RESULTS_ID_RANGE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct store;

/* Ids in ascending order, each once. */
struct id_list {
    int64_t *ids; /* owned */
    int count;
};

/* Makes room for count ids. false: no memory. */
bool id_list_init(struct id_list *out, int count) MUST_CHECK;
void id_list_release(struct id_list *list);
/* Brings count ids, in any order and repeated, into the form of a list. */
void id_list_order(struct id_list *list);

/* A query while it is read. */
struct id_query {
    sqlite3_stmt *s; /* the row */
    int place;       /* number of the row's id in the list */
    struct store *store;
    const char *sql;
    const char *text;           /* NULL: none */
    const struct id_list *list; /* borrowed */
    int next;                   /* the id with which the next range begins */
};

/* sql: ids are column 0, ascending, between ?1 and ?2. It must outlive the query. */
struct id_query id_query_begin(struct store *store, const struct id_list *list,
                               const char *sql);
/* The same; text, which must outlive the query, is ?3. */
struct id_query id_query_begin_with(struct store *store, const struct id_list *list,
                                    const char *sql, const char *text);
/* 1: the next row of an id of the list; 0: there are no more; negative: an error. Ended
 * by anything but 1. */
int id_query_step(struct id_query *query, struct error *err) MUST_CHECK;
void id_query_end(struct id_query *query); /* to stop earlier */

#endif
