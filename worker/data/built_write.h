/*
 * built_write.h - a data set as a directory of the published code (built.h).
 */
#ifndef WORKER_BUILT_WRITE_H
#define WORKER_BUILT_WRITE_H

#include "build_watch.h"
#include "data_set.h"

/*
 * Writes the directory, which exists. A set that was read from such a directory is
 * written as it was, byte for byte; another one has one set of the name "all" in each
 * split. ERROR_FORMAT: there is such a data set already.
 */
int built_write(const struct data_set *set, const char *directory,
                const struct build_watch *watch, struct error *err) MUST_CHECK;

#endif
