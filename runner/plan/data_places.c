/* data_places.c - makes paths of data absolute, and checks that they exist. */
#include "data_places.h"

#include "error.h"
#include "file.h"
#include "init_from.h"
#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool data_places_are_in(const char *key)
{
    int id = key != NULL ? setting_find(key) : -1;

    return id >= 0 && (setting_is_place(id) || id == DATA_TASKS || id == TRAIN_INIT_FROM);
}

/* The absolute path of said. Newly allocated; NULL: no memory. */
static char *absolute_path(const char *said, const char *folder)
{
    char *joined = said[0] == '/' || folder == NULL ? strdup(said) : file_join(folder, said);
    char *absolute = joined != NULL ? realpath(joined, NULL) : NULL;
    bool whole = joined != NULL && (absolute != NULL || errno != ENOMEM);

    /* the path does not exist */
    if (whole && absolute == NULL && joined[0] != '/') {
        char *here = realpath(".", NULL);
        absolute = here != NULL ? file_join(here, joined) : NULL;
        whole = absolute != NULL || (here == NULL && errno != ENOMEM);
        free(here);
    }
    if (whole && absolute == NULL)
        return joined;
    free(joined);
    return absolute;
}

static int make_text_absolute(cJSON *value, const char *folder, struct error *err)
{
    const char *said = value->valuestring;
    bool list = said[0] == '@';
    char *absolute = absolute_path(said + list, folder);
    char *place = absolute != NULL && list ? format_string("@%s", absolute) : absolute;
    int rc = place == NULL || cJSON_SetValuestring(value, place) == NULL
                 ? error_no_memory(err, "a path")
                 : 0;

    if (list)
        free(place);
    free(absolute);
    return rc;
}

static bool names_a_file(const char *key, const char *said)
{
    if (strcmp(key, settings_table[DATA_TASKS].key) == 0)
        return said[0] == '@' && said[1] != '\0';
    if (strcmp(key, settings_table[TRAIN_INIT_FROM].key) == 0)
        return said[0] != '{' && init_from_kind(said, NULL) == INIT_SETTINGS;
    return said[0] != '\0' && strncmp(said, "builtin:", 8) != 0;
}

int data_places_make_absolute(cJSON *value, const char *key, const char *folder,
                              struct error *err)
{
    int rc = 0;

    if (cJSON_IsString(value))
        return names_a_file(key, value->valuestring) ? make_text_absolute(value, folder, err)
                                                     : 0;
    for (cJSON *item = value->child; item != NULL && rc == 0; item = item->next) {
        /* a base's setting */
        const char *of = cJSON_IsObject(value) ? item->string : key;

        rc = data_places_are_in(of) ? data_places_make_absolute(item, of, folder, err) : 0;
    }
    return rc;
}

/* The longest tail of an absolute path that exists below the current directory;
 * NULL: none does. */
static const char *end_that_is_here(const char *path)
{
    for (const char *slash = path; slash != NULL; slash = strchr(slash + 1, '/'))
        if (slash[0] == '/' && slash[1] != '\0' && access(slash + 1, R_OK) == 0)
            return slash + 1;
    return NULL;
}

/* Checks that a path of data can be read. The error is one of the spec, and names
 * the whole path. */
static int check_place(const char *path, const char *name, struct error *err)
{
    if (strncmp(path, "builtin:", 8) == 0 || access(path, R_OK) == 0)
        return 0;
    if (path[0] == '\0')
        return error_set(err, ERROR_FORMAT, "%s: data.path is empty", name);
    int reason = errno;
    const char *here = reason == ENOENT ? end_that_is_here(path) : NULL;
    if (here != NULL)
        return error_set(
            err, ERROR_FORMAT,
            "%s: data.path = \"%.300s\": %s; a relative path is taken from the folder of the "
            "file that says it. The current folder has \"%.200s\": if that is meant, give "
            "--set data.path=%.200s, or write the absolute path into the spec",
            name, path, strerror(reason), here, here);
    return error_set(
        err, ERROR_FORMAT,
        "%s: data.path = \"%.300s\": %s; give a directory of ARC tasks (training/ and "
        "evaluation/, or *_challenges.json), a CSV of boards, builtin:arc-style, "
        "builtin:sudoku or builtin:maze; a relative path is taken from the folder of the file "
        "that says it, with --set from the current one",
        name, path, strerror(reason));
}

int data_places_check(const struct config *config, const char *name, struct error *err)
{
    cJSON *places = config_get_texts(config, DATA_PATH);
    int rc = places == NULL ? error_no_memory(err, "the places of data") : 0;

    for (const cJSON *place = rc == 0 ? places->child : NULL; place != NULL && rc == 0;
         place = place->next)
        rc = check_place(place->valuestring, name, err);
    cJSON_Delete(places);
    return rc;
}
