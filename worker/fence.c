/* fence.c - lists the attempts of a run. */
#include "fence.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ATTEMPTS = 1000000 };

/* The number that a name consists of; 0: none. */
static int read_number(const char *name)
{
    char *end;
    long number = strtol(name, &end, 10);

    return end != name && *end == '\0' && number > 0 && number < MOST_ATTEMPTS ? (int)number
                                                                               : 0;
}

int fence_newer_attempt(const char *directory)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(directory, '/');
    size_t length = slash != NULL ? (size_t)(slash - directory) : 0;
    int own = slash != NULL ? read_number(slash + 1) : 0, newest = own;
    static const char NAME[] = "/attempts";

    if (own == 0 || length < sizeof NAME - 1 || length >= sizeof parent)
        return 0;
    memcpy(parent, directory, length);
    parent[length] = '\0';
    if (strcmp(parent + length - (sizeof NAME - 1), NAME) != 0)
        return 0;
    DIR *attempts = opendir(parent);
    if (attempts == NULL && errno == ENOMEM)
        return -1;
    for (struct dirent *entry; attempts != NULL && (entry = readdir(attempts)) != NULL;) {
        int number = read_number(entry->d_name);
        if (number > newest)
            newest = number;
    }
    if (attempts != NULL)
        closedir(attempts);
    return newest > own ? newest : 0;
}
