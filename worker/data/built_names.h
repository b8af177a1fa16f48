/*
 * built_names.h - identifiers.json of a directory of the published code.
 */
#ifndef WORKER_BUILT_NAMES_H
#define WORKER_BUILT_NAMES_H

#include "built.h"

/* Reads DIRECTORY/identifiers.json into built's identifiers and names, and adds it to
 * files. The first must be <blank>, every other one another name: ERROR_FORMAT names
 * the entry. */
int built_names_read(struct built *built, struct data_files *files, const char *directory,
                     struct error *err) MUST_CHECK;

#endif
