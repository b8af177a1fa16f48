/*
 * predictions_name.h - names of the files of predictions in an attempt's directory
 * (docs/formats.md): PREFIX STEP - PASS .safetensors
 */
#ifndef COMMON_PREDICTIONS_NAME_H
#define COMMON_PREDICTIONS_NAME_H

#include <stdbool.h>

/* what requests of a pool read; every row's answer after every outer step */
#define PREDICTIONS_PREFIX "predictions-"
#define STEP_ANSWERS_PREFIX "answers-"

/* Whether the name is one with this prefix; with either. */
bool predictions_name_has(const char *name, const char *prefix);
bool predictions_name_is(const char *name);

#endif
