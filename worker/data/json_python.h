/*
 * json_python.h - JSON as Python's json module writes it: ", " and ": " between, what
 * is not ASCII escaped, no line end.
 */
#ifndef WORKER_JSON_PYTHON_H
#define WORKER_JSON_PYTHON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

/* Numbers that are whole are written without a point. Failures show in ferror(out). */
void json_python_write(FILE *out, const cJSON *item);
void json_python_text(FILE *out, const char *text);
/* The fewest digits that read back equal, with a point. */
void json_python_real(FILE *out, double value);

#endif
