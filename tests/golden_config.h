/*
 * golden_config.h - a golden case's JSON beside its tensors, as an engine's configuration.
 */
#ifndef TESTS_GOLDEN_CONFIG_H
#define TESTS_GOLDEN_CONFIG_H

#include "engine.h"

#include <cjson/cJSON.h>

struct error;

struct golden_config {
    struct engine_config engine;
    const char *case_name;   /* belongs to the JSON */
    const char *param0_from; /* NULL: none */
    int steps;               /* training steps recorded */
    int64_t sample_stride;
    double exploration; /* halt_exploration_prob; 0: no row draws a minimum */
};

/* True when the JSON is a case's configuration (and not a dataset.json). */
bool golden_config_is_case(const cJSON *json);

/* ERROR_FORMAT names the missing or wrong member; where: the file's path. */
int golden_config_read(struct golden_config *out, const cJSON *json, const char *where,
                       struct error *err);

#endif
