/* built_names.c - reads the names of puzzle identifiers. */
#include "built_names.h"

#include "error.h"
#include "file.h"
#include "json.h"
#include "text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char BLANK[] = "<blank>"; /* the name of identifier 0 */

/* Takes the texts of the list as names. */
static int take_names(struct built *built, const char *path, struct error *err)
{
    int count = 0;

    built->name_count = cJSON_GetArraySize(built->identifiers);
    built->names = calloc((size_t)built->name_count, sizeof *built->names);
    if (built->names == NULL)
        return error_no_memory(err, "the identifiers");
    for (const cJSON *item = built->identifiers->child; item != NULL; item = item->next) {
        if (!cJSON_IsString(item) || strlen(item->valuestring) >= DATA_IDENTIFIER_SIZE ||
            !text_is_printable(item->valuestring))
            return error_set(
                err, ERROR_FORMAT,
                "%s: entry %d: expected a name of at most %d bytes without control "
                "characters",
                path, count, DATA_IDENTIFIER_SIZE - 1);
        built->names[count++] = item->valuestring;
    }
    if (strcmp(built->names[0], BLANK) == 0)
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "%s: entry 0 is \"%.60s\"; expected \"%s\", the identifier that no "
                     "puzzle has",
                     path, built->names[0], BLANK);
}

/* Puts name number index into a hash table of numbers plus 1 (0: free) with open
 * addressing. Returns the number of an equal name that is there already, or -1. */
static int put_name(int *table, size_t size, const char *const *names, int index)
{
    assert(names[index] != NULL);
    size_t at = (size_t)hash_xxh3(names[index], strlen(names[index])) & (size - 1);

    for (; table[at] != 0; at = (at + 1) & (size - 1))
        if (strcmp(names[table[at] - 1], names[index]) == 0)
            return table[at] - 1;
    table[at] = index + 1;
    return -1;
}

static int check_different(const struct built *built, const char *path, struct error *err)
{
    size_t size = 16;
    int rc = 0;

    while (size < 2 * (size_t)built->name_count)
        size *= 2;
    int *table = calloc(size, sizeof *table);
    if (table == NULL)
        return error_no_memory(err, "the identifiers");
    for (int i = 0; i < built->name_count && rc == 0; i++) {
        int before = put_name(table, size, built->names, i);
        if (before >= 0)
            rc = error_set(err, ERROR_FORMAT,
                           "%s: entry %d is \"%.60s\", as entry %d is; expected different "
                           "names",
                           path, i, built->names[i], before);
    }
    free(table);
    return rc;
}

int built_names_read(struct built *built, struct data_files *files, const char *directory,
                     struct error *err)
{
    char *path = file_join(directory, "identifiers.json");
    int rc = path == NULL ? error_no_memory(err, "a path") : 0;

    if (rc == 0)
        rc = data_files_add(files, path, err);
    if (rc == 0)
        rc = json_read_file(&built->identifiers, path, JSON_DATA_LIMIT, err);
    if (rc == 0 && (!cJSON_IsArray(built->identifiers) || built->identifiers->child == NULL))
        rc = error_set(err, ERROR_FORMAT, "%s: expected a list of names", path);
    if (rc == 0)
        rc = take_names(built, path, err);
    if (rc == 0)
        rc = check_different(built, path, err);
    free(path);
    return rc;
}
