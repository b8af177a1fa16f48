/* names.c - reads and sorts the names in a directory. */
#include "names.h"

#include "error.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void names_release(struct names *names)
{
    for (int i = 0; names->items != NULL && i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct names){ 0 };
}

static int by_version(const struct dirent **a, const struct dirent **b)
{
    return strverscmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int names_read(struct names *out, const char *path, struct error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_visible, by_version), rc = 0;

    *out = (struct names){ 0 };
    if (count < 0)
        return errno == ENOENT ? 0
                               : error_set(err, errno == ENOMEM ? ERROR_NOMEM : ERROR_IO,
                                           "read %s: %s", path, strerror(errno));
    out->items = calloc((size_t)count + 1, sizeof(char *));
    for (int i = 0; i < count; i++) {
        if (out->items != NULL && (out->items[out->count] = strdup(entries[i]->d_name)) != NULL)
            out->count++;
        free(entries[i]);
    }
    free(entries);
    if (out->items == NULL || out->count != count) {
        names_release(out);
        rc = error_set(err, ERROR_NOMEM, "no memory for the names in %s", path);
    }
    return rc;
}
