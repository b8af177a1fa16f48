/*
 * json_python.h - JSON as Python's json module writes it: ", " and ": " as separators,
 * everything but ASCII escaped, no final line end.
 */
#ifndef WORKER_JSON_PYTHON_H
#define WORKER_JSON_PYTHON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

/* Writes whole numbers without a decimal point. Failures show in ferror(out). */
void json_python_write(FILE *out, const cJSON *item);
void json_python_text(FILE *out, const char *text);
/* Writes the fewest digits that read back as an equal number, with a decimal point. */
void json_python_real(FILE *out, double value);

#endif
