/*
 * engine_config.h - the bounds of a configuration.
 */
#ifndef MODEL_ENGINE_CONFIG_H
#define MODEL_ENGINE_CONFIG_H

#include "error.h"
#include "system_facts.h"

struct engine_config;

/* ERROR_FORMAT names the field, its value and what was expected. */
int engine_check_config(const struct engine_config *config, struct error *err) MUST_CHECK;
/* The sizes on which the calls of an outer step depend. */
struct system_sizes engine_system_sizes(const struct engine_config *config);

#endif
