/* init_base.c - a base's settings from those of a run that begins with its weights. */
#include "init_base.h"

#include "error.h"
#include "json.h"

#include <string.h>

int init_base_config(struct config *out, const struct config *config, const char *where,
                     struct error *err)
{
    cJSON *object = NULL;
    const char *text = config_text(config, TRAIN_INIT_FROM);
    int rc = json_parse(&object, text, strlen(text), where, err);

    if (rc < 0)
        return rc;
    rc = config_copy(out, config, err);
    if (rc < 0)
        goto done;
    for (int id = TRAIN_INIT_FROM; id <= TRAIN_FROZEN_STEPS && rc == 0; id++)
        rc = config_set_text(out, settings_table[id].key, settings_table[id].absent_means,
                             where, err);
    for (const cJSON *item = object->child; item != NULL && rc == 0; item = item->next)
        rc = config_set_json(out, setting_find(item->string), item, where, err);
    if (rc == 0)
        rc = config_resolve(out, where, err);
    if (rc < 0)
        config_release(out);
done:
    cJSON_Delete(object);
    return rc;
}
