/* short_key.h - settings by the names that tables and figures have for them. */
#ifndef HRMLAB_RESULTS_SHORT_KEY_H
#define HRMLAB_RESULTS_SHORT_KEY_H

#include "error.h"

struct results;

/*
 * Makes *key, where it is a setting's name without its group ("lr"), the whole one,
 * which lives for ever. Of several settings called so, the one in which alone the arms
 * of results differ (NULL: none) is meant. Other words stay as they are. ERROR_FORMAT:
 * it means several; where opens the message.
 */
int short_key_complete(const char **key, const struct results *results, const char *where,
                       struct error *err) MUST_CHECK;

#endif
