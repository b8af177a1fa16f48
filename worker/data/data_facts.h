/*
 * data_facts.h - facts about a data set without its examples: counts and content hash,
 * cached in a file as long as the files they were read from do not change.
 */
#ifndef WORKER_DATA_FACTS_H
#define WORKER_DATA_FACTS_H

#include "data_set.h"

struct data_facts {
    struct data_info info; /* its texts are those below; files is not filled */
    char *source, *counts; /* owned */
    char hash[HASH_HEX_SIZE];
};

/*
 * Returns the facts of the data that the settings name.
 *   directory  where cache files are read and written; NULL: no cache
 *   version    of this program; a cache of another version is ignored
 * A cache file is trusted if its checksum and settings agree, and path, size, times
 * and inode of every file and folder that was read. Otherwise the data is read and the
 * cache file is written anew; failing to write it is no error. Errors are those of
 * data_set_open() and are not cached.
 */
int data_facts_get(struct data_facts *out, const struct config *config, const char *directory,
                   const char *version, struct error *err) MUST_CHECK;
void data_facts_release(struct data_facts *facts);

/* The data settings as canonical text: equal texts mean the same data. Newly
 * allocated; NULL: no memory. */
char *data_facts_key(const struct config *config);

#endif
