/* removed_mark.c - the mark is an empty file beside a run's attempts. */
#include "removed_mark.h"

#include "file.h"

#include <stdlib.h>

static char *directory_of(const struct workspace *workspace, const char *hash)
{
    return format_string("%s/runs/%s", workspace->path, hash);
}

int removed_mark_set(const struct workspace *workspace, const char *hash, struct error *err)
{
    char *directory = directory_of(workspace, hash);
    char *path = directory != NULL ? file_join(directory, "removed") : NULL;
    int rc = path == NULL ? error_no_memory(err, "a path") : 0;

    if (rc == 0 && file_exists(directory))
        rc = file_write_atomic(path, "", 0, err);
    free(path);
    free(directory);
    return rc;
}

int removed_mark_find(bool *set, const struct workspace *workspace, const char *hash,
                      struct error *err)
{
    char *directory = directory_of(workspace, hash);
    char *path = directory != NULL ? file_join(directory, "removed") : NULL;
    int rc = path == NULL ? error_no_memory(err, "a path") : 0;

    *set = rc == 0 && file_exists(path);
    free(path);
    free(directory);
    return rc;
}
