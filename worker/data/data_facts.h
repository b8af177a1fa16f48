/*
 * data_facts.h - what is known of a data set without its examples: counts and content
 * hash, cached in a file for as long as the files it was read from stay as they are.
 */
#ifndef WORKER_DATA_FACTS_H
#define WORKER_DATA_FACTS_H

#include "data_set.h"

struct data_facts {
    struct data_info info; /* its texts are below; no files */
    char *source, *counts; /* owned */
    char hash[HASH_HEX_SIZE];
};

/*
 * The facts of the data that the settings name. directory: where caches are read and
 * written, or NULL. version: of this program; another version reads anew. A cache file
 * is trusted if its checksum, the settings in it, and path, size, times and inode of
 * every file and folder read agree; otherwise the data are read and it is written anew.
 * That it cannot be written is no error. Errors are those of data_set_open(); they are
 * not cached.
 */
int data_facts_get(struct data_facts *out, const struct config *config, const char *directory,
                   const char *version, struct error *err) MUST_CHECK;
void data_facts_release(struct data_facts *facts);

/* The data settings as canonical text: equal texts mean the same data. Fresh; NULL: no
 * memory. */
char *data_facts_key(const struct config *config);

#endif
