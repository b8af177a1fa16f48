/* spec_defaults.c - reads settings.json of a workspace into a spec. */
#include "spec_defaults.h"

#include "file.h"
#include "json.h"
#include "settings.h"
#include "spec_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const MEMBERS[] = { "slurm", "resources", "retries" };
enum { MEMBER_COUNT = sizeof MEMBERS / sizeof *MEMBERS };

static bool is_member(const char *key)
{
    int i = 0;

    while (i < MEMBER_COUNT && strcmp(MEMBERS[i], key) != 0)
        i++;
    return i < MEMBER_COUNT;
}

/* Whether the file has these members only, and they have settings with values that are
 * allowed: a fault is that of this file, and of no spec. */
static int check(const cJSON *defaults, const char *path, struct error *err)
{
    struct config scratch;

    if (!cJSON_IsObject(defaults))
        return error_set(err, ERROR_FORMAT, "%s: expected an object, not %s", path,
                         json_type_name(defaults));
    int rc = config_init(&scratch, err);
    if (rc < 0)
        return rc;
    for (const cJSON *item = defaults->child; item != NULL && rc == 0; item = item->next) {
        char prefix[40];

        snprintf(prefix, sizeof prefix, "%.30s.", item->string);
        rc = is_member(item->string)
                 ? spec_apply_map(&scratch, defaults, item->string, prefix, path, err)
                 : error_set(err, ERROR_FORMAT,
                             "%s: unknown key \"%.100s\"; a workspace has slurm, resources and "
                             "retries",
                             path, item->string);
    }
    config_release(&scratch);
    return rc;
}

/* Whether the spec has a value of its own for the setting of a member: there, or in
 * "set" by its full name. */
static bool has_own(const cJSON *spec, const char *member, const char *key)
{
    char full[200];

    snprintf(full, sizeof full, "%s.%.150s", member, key);
    return json_member(json_member(spec, member), key) != NULL ||
           json_member(json_member(spec, "set"), full) != NULL;
}

/* Adds the settings of a member that the spec lacks. */
static int add_member(cJSON *spec, const cJSON *defaults, struct error *err)
{
    cJSON *own = cJSON_GetObjectItemCaseSensitive(spec, defaults->string);

    if (own == NULL)
        own = cJSON_AddObjectToObject(spec, defaults->string);
    for (const cJSON *item = defaults->child; item != NULL; item = item->next) {
        if (has_own(spec, defaults->string, item->string))
            continue;
        cJSON *copy = cJSON_Duplicate(item, 1);
        if (own == NULL || copy == NULL || !cJSON_AddItemToObject(own, item->string, copy)) {
            cJSON_Delete(copy);
            return error_no_memory(err, "the settings of the workspace");
        }
    }
    return 0;
}

int spec_defaults_add(cJSON *spec, const char *workspace, struct error *err)
{
    char *path = file_join(workspace, SPEC_DEFAULTS_FILE);
    cJSON *defaults = NULL;
    int rc = path == NULL ? error_no_memory(err, "a path") : 0;

    if (rc == 0 && file_exists(path)) {
        rc = json_read_file(&defaults, path, JSON_SPEC_LIMIT, err);
        if (rc == 0)
            rc = check(defaults, path, err);
    }
    for (const cJSON *item = defaults != NULL ? defaults->child : NULL; item != NULL && rc == 0;
         item = item->next)
        rc = add_member(spec, item, err);
    cJSON_Delete(defaults);
    free(path);
    return rc;
}
