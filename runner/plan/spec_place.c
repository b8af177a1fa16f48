/* spec_place.c - finds shipped specs by their names. */
#include "spec_place.h"

#include "file.h"
#include "json.h"
#include "names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char SUFFIX[] = ".json";

/* Where shipped specs lie as seen from the program's directory. */
static const char *const BESIDE[] = { "../share/hrmlab/experiments", "../experiments" };
enum { BESIDE_COUNT = sizeof BESIDE / sizeof *BESIDE };

/* *out: the directory of the shipped specs, newly allocated; NULL: none is there. The
 * only error is ERROR_NOMEM. */
static int shipped_directory(char **out, struct error *err)
{
    const char *named = getenv("HRMLAB_EXPERIMENTS");
    char self[4096];

    *out = NULL;
    if (named != NULL && named[0] != '\0') {
        *out = strdup(named);
        return *out != NULL ? 0 : error_no_memory(err, "a path");
    }
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return 0;
    self[length] = '\0';
    *strrchr(self, '/') = '\0';
    for (int i = 0; i < BESIDE_COUNT; i++) {
        *out = file_join(self, BESIDE[i]);
        if (*out == NULL)
            return error_no_memory(err, "a path");
        if (file_exists(*out))
            return 0;
        free(*out);
        *out = NULL;
    }
    return 0;
}

static bool is_bare_name(const char *given)
{
    return given[0] != '\0' && strpbrk(given, "/.") == NULL && strcmp(given, "-") != 0;
}

/* Removes the suffix of the names that have it, and the other names. */
static void keep_specs(struct names *names)
{
    int kept = 0;

    for (int i = 0; i < names->count; i++) {
        size_t length = strlen(names->items[i]), end = length - (sizeof SUFFIX - 1);

        if (length < sizeof SUFFIX || strcmp(names->items[i] + end, SUFFIX) != 0 ||
            strcmp(names->items[i], "spec.schema.json") == 0) {
            free(names->items[i]);
            continue;
        }
        names->items[i][end] = '\0';
        names->items[kept++] = names->items[i];
    }
    names->count = kept;
}

/* Reports that there is no spec of this name, with the nearest that there is. */
static int no_such_spec(const char *given, const char *directory, struct error *err)
{
    struct names names = { 0 };
    struct error ignored;
    const char *nearest = NULL;
    char *beside = format_string("%s%s", given, SUFFIX);
    bool forgot_suffix = beside != NULL && file_exists(beside);

    if (beside == NULL)
        return error_no_memory(err, "a path");
    free(beside);
    if (forgot_suffix)
        return error_set(err, ERROR_FORMAT, "%.200s: no such spec; did you mean \"%.200s%s\"?",
                         given, given, SUFFIX);
    int rc = directory != NULL ? names_read(&names, directory, &ignored) : ERROR_ABSENT;
    if (rc == ERROR_NOMEM)
        return error_no_memory(err, "the shipped specs");
    if (rc == 0) {
        keep_specs(&names);
        nearest = json_nearest_name(given, (const char *const *)names.items, names.count);
    }
    rc = nearest != NULL
             ? error_set(err, ERROR_FORMAT, "%.200s: no such spec; did you mean \"%s\"?", given,
                         nearest)
             : error_set(err, ERROR_FORMAT, "%.200s: no such spec; the shipped ones are in %s",
                         given, directory != NULL ? directory : "experiments/");
    names_release(&names);
    return rc;
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int spec_place_find(char **out, const char *given, struct error *err)
{
    char *directory = NULL, *path = NULL;
    /* what is there but cannot be read is for its reader to report */
    bool there = strcmp(given, "-") == 0 || access(given, F_OK) == 0 || errno != ENOENT;
    int rc = 0;

    *out = NULL;
    if (!there || is_folder(given)) /* no spec, whatever the name of the folder */
        rc = shipped_directory(&directory, err);
    if (directory != NULL && is_bare_name(given)) {
        path = format_string("%s/%s%s", directory, given, SUFFIX);
        rc = path != NULL ? 0 : error_no_memory(err, "a path");
    }
    if (path != NULL && file_exists(path)) {
        *out = path;
        path = NULL;
    } else if (rc == 0 && there) {
        *out = strdup(given);
        rc = *out != NULL ? 0 : error_no_memory(err, "a path");
    } else if (rc == 0) {
        rc = no_such_spec(given, directory, err);
    }
    free(path);
    free(directory);
    return rc;
}
