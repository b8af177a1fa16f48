/*
 * data_places.h - the files that settings name: places of data, and lists of tasks.
 */
#ifndef RUNNER_DATA_PLACES_H
#define RUNNER_DATA_PLACES_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "error.h"

struct config;

/* Whether a setting names files: a place of data, or data.tasks with "@FILE". */
bool data_places_are_in(const char *key);

/*
 * Makes the files in the value of such a setting (key) absolute, in place: a text, or a
 * list of values (several places, an axis, an axis of several places each). A relative
 * one is relative to folder (NULL: the current directory). Names of built-in data, and
 * of tasks, stay as they are.
 */
int data_places_make_absolute(cJSON *value, const char *key, const char *folder,
                              struct error *err) MUST_CHECK;

/* ERROR_FORMAT, which name opens, unless every place of data.path can be read. */
int data_places_check(const struct config *config, const char *name,
                      struct error *err) MUST_CHECK;

#endif
