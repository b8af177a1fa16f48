/*
 * data_places.h - the settings that name files: data.path, and data.tasks with
 * "@FILE".
 */
#ifndef RUNNER_DATA_PLACES_H
#define RUNNER_DATA_PLACES_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "error.h"

struct config;

/* Whether a setting names files: those, data.batch_order, or weights to begin with. */
bool data_places_are_in(const char *key);

/*
 * Makes the files in the value of such a setting (key) absolute, in place. The value
 * is a text or a list of values (several places, an axis, or an axis of several places
 * each). Relative paths are relative to folder (NULL: the current directory). Names of
 * built-in data and of tasks are left unchanged.
 */
int data_places_make_absolute(cJSON *value, const char *key, const char *folder,
                              struct error *err) MUST_CHECK;

/* Checks that every place of data.path can be read: ERROR_FORMAT, with name first in
 * the message. */
int data_places_check(const struct config *config, const char *name,
                      struct error *err) MUST_CHECK;

#endif
