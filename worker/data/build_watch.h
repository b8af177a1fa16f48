/*
 * build_watch.h - who is told how far the writing of a data set is.
 */
#ifndef WORKER_BUILD_WATCH_H
#define WORKER_BUILD_WATCH_H

#include <stdint.h>

/* Called before the first and after every piece of a file: what is written (a file or a
 * set of files, "train/all__inputs.npy"), and how many pieces of all are written. */
struct build_watch {
    void (*tell)(void *user, const char *what, int64_t done, int64_t total);
    void *user; /* borrowed */
};

#endif
