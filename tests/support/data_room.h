/*
 * data_room.h - data files in a directory of the test's own, and what opening them says.
 */
#ifndef TESTS_SUPPORT_DATA_ROOM_H
#define TESTS_SUPPORT_DATA_ROOM_H

#include "data_set.h"

/* ARC JSON: a pair of grids of one cell each; a task; a task whose test has no solution. */
#define PAIR(a, b) "{\"input\":[[" #a "]],\"output\":[[" #b "]]}"
#define TASK(a) "{\"train\":[" PAIR(a, 1) "],\"test\":[" PAIR(a, 2) "]}"
#define HIDDEN(a) "{\"train\":[" PAIR(a, 1) "],\"test\":[{\"input\":[[" #a "]]}]}"

extern char room[64]; /* the directory of a test */

/* As setup and teardown of a test. */
int make_room(void **state);
int remove_room(void **state);

/* Writes ROOM/name, making its directories. */
void put(const char *name, const char *content);

/* Opens path with further settings (key, value, ..., NULL; or NULL); the message of a refusal,
 * or NULL. */
const char *open_with(struct data_set **set, const char *path, const char *const *pairs);
void expect_tasks(const char *path, const char *const *pairs, int groups, int tested);
/* The counts have these words in them. */
void expect_words(const char *path, const char *const *pairs, const char *words);
/* Nothing is opened, and the message has these words in it. */
void expect_refusal(const char *path, const char *const *pairs, const char *words);

/* HRMLAB_SHARED, or ../shared. */
const char *shared_folder(void);
/* SHARED/data/name, fresh. Skips the test, with the reason, when that is absent. */
char *shared_data(const char *name);

#endif
