/*
 * engine_config.h - the bounds of a configuration.
 */
#ifndef MODEL_ENGINE_CONFIG_H
#define MODEL_ENGINE_CONFIG_H

#include "error.h"

struct engine_config;

/* ERROR_FORMAT names the field, its value and what was expected. */
int engine_check_config(const struct engine_config *config, struct error *err) MUST_CHECK;

#endif
