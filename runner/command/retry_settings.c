/* retry_settings.c - overrides execution settings of jobs in the store. */
#include "retry_settings.h"

#include "data_places.h"
#include "queue.h"
#include "record.h"
#include "settings.h"

#include <string.h>

/* Makes places of data absolute: a worker has another current directory. Data that are
 * not there are refused. */
static int set_places_of_data(struct config *config, int id, const char *text,
                              struct error *err)
{
    const char *key = settings_table[id].key;
    cJSON *places = NULL;
    int rc = config_set_text(config, key, text, "--set", err);

    if (rc == 0) {
        places = settings_table[id].several ? config_get_texts(config, (enum setting_id)id)
                                            : config_get_json(config, id);
        rc = places == NULL ? error_no_memory(err, "--set")
                            : data_places_make_absolute(places, key, NULL, err);
    }
    if (rc == 0)
        rc = config_set_json(config, id, places, "--set", err);
    if (rc == 0 && id == DATA_PATH)
        rc = data_places_check(config, "--set", err);
    cJSON_Delete(places);
    return rc;
}

static int apply_one(struct config *config, const char *override, struct error *err)
{
    const char *equals = strchr(override, '=');
    char key[128];

    if (equals == NULL || equals == override || (size_t)(equals - override) >= sizeof key)
        return error_set(err, ERROR_FORMAT,
                         "--set %.100s: expected key=value, such as resources.memory_gb=4",
                         override);
    memcpy(key, override, (size_t)(equals - override));
    key[equals - override] = '\0';
    int id = setting_find(key);
    if (id >= 0 && !setting_is_of_job(id))
        return error_set(err, ERROR_FORMAT,
                         "--set %s: a retry cannot change it, since that would be another run; "
                         "it takes resources, retries, slurm, data.path, data.batch_order and "
                         "train.checkpoint_interval. "
                         "Change the spec and queue it",
                         key);
    return id >= 0 && setting_is_place(id)
               ? set_places_of_data(config, id, equals + 1, err)
               : config_set_text(config, key, equals + 1, "--set", err);
}

/* Stores the settings in config as those of the job. */
static int store_settings(struct store *store, int64_t job_id, const struct config *config,
                          struct error *err)
{
    struct queue_job job = {
        .threads = config_cores(config),
        .memory_gb = config_real(config, RESOURCES_MEMORY_GB),
        .time_limit_min = config_real(config, RESOURCES_TIME_LIMIT_MIN),
        .retries_max = (int)config_int(config, RETRIES_MAX),
        .retry_delay_s = config_real(config, RETRIES_DELAY_S),
    };
    cJSON *settings = config_job_settings(config);
    int rc = settings == NULL ? error_no_memory(err, "a job's settings")
                              : queue_execution(store, &job.execution_id, settings, err);

    cJSON_Delete(settings);
    return rc < 0 ? rc : queue_execute_job_like(store, job_id, &job, err);
}

static int apply_to_job(struct store *store, int64_t job_id, const char *const *sets,
                        int set_count, struct error *err)
{
    struct config config;
    cJSON *object = cJSON_CreateObject();
    int rc = object == NULL ? error_no_memory(err, "a job's settings")
                            : record_job_settings(store, object, job_id, err);

    if (rc == 0)
        rc = config_from_json(&config, object, "database", err);
    cJSON_Delete(object);
    if (rc < 0)
        return rc;
    for (int i = 0; i < set_count && rc == 0; i++)
        rc = apply_one(&config, sets[i], err);
    if (rc == 0)
        rc = store_settings(store, job_id, &config, err);
    config_release(&config);
    return rc;
}

int retry_apply_settings(struct store *store, const int64_t *job_ids, int count,
                         const char *const *sets, int set_count, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < count && set_count > 0 && rc == 0; i++)
        rc = apply_to_job(store, job_ids[i], sets, set_count, err);
    return rc;
}
