/*
 * schema.h - schema.sql as a string; the Makefile makes the definition from the file.
 */
#ifndef RESULTS_SCHEMA_H
#define RESULTS_SCHEMA_H

extern const char SCHEMA_SQL[];

#endif
