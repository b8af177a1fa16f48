/* rebuild_disk.c - reads runs from job.json files and makes plans of them. */
#include "rebuild_disk.h"

#include "error.h"
#include "file.h"
#include "hash.h"
#include "json.h"
#include "names.h"
#include "queue.h"
#include "removed_mark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void run_release(struct disk_run *run)
{
    free(run->canonical);
    config_release(&run->config);
    cJSON_Delete(run->evaluations);
    *run = (struct disk_run){ 0 };
}

void disk_release(struct disk *disk)
{
    for (int i = 0; i < disk->count; i++)
        run_release(&disk->runs[i]);
    free(disk->runs);
    *disk = (struct disk){ 0 };
}

/* Finds the numeric version, this one or an older one, with which the settings have
 * the run's hash. */
static int find_version(struct disk_run *run, const char *path, struct error *err)
{
    char hash[HASH_HEX_SIZE];

    for (long version = strtol(ENGINE_NUMERIC_VERSION, NULL, 10); version >= 1; version--) {
        snprintf(run->numeric_version, sizeof run->numeric_version, "%ld", version);
        int rc =
            config_run_hash_of(hash, &run->config, run->data_hash, run->numeric_version, err);
        if (rc < 0 || strcmp(hash, run->hash) == 0)
            return rc;
    }
    return error_set(err, ERROR_DAMAGED,
                     "%s: settings and data hash do not lead to the run's hash %.12s...", path,
                     run->hash);
}

/* Reads settings and identity of the run from one job.json. */
static int take_settings(struct disk_run *run, const cJSON *job, const char *path,
                         struct error *err)
{
    const cJSON *config = json_member(job, "config");
    const char *data_hash = NULL;
    int rc = json_get_string(&data_hash, job, "data_hash", path, err);

    if (rc == 0 && (strlen(data_hash) != HASH_HEX_SIZE - 1 || config == NULL))
        rc = error_set(err, ERROR_DAMAGED, "%s: no config, or a malformed data_hash", path);
    if (rc < 0)
        return rc;
    memcpy(run->data_hash, data_hash, HASH_HEX_SIZE);
    rc = config_from_json(&run->config, config, path, err);
    if (rc == 0)
        rc = config_resolve(&run->config, path, err);
    if (rc == 0)
        rc = find_version(run, path, err);
    if (rc == 0) {
        run->canonical = config_canonical(&run->config, PHASE_TRAINING, err);
        rc = run->canonical == NULL ? ERROR_NOMEM : 0;
    }
    if (rc < 0) {
        config_release(&run->config);
        run->config = (struct config){ 0 };
    }
    return rc;
}

/* Adds evaluations that are not listed yet. */
static int take_evaluations(struct disk_run *run, const cJSON *job, struct error *err)
{
    const cJSON *list = json_member(job, "evaluations"), *item, *known;

    cJSON_ArrayForEach(item, list)
    {
        bool there = !cJSON_IsObject(item);
        cJSON_ArrayForEach(known, run->evaluations)
        {
            there = there || cJSON_Compare(known, item, true);
        }
        cJSON *copy = there ? NULL : cJSON_Duplicate(item, true);
        if (!there && !cJSON_AddItemToArray(run->evaluations, copy)) {
            cJSON_Delete(copy);
            return error_no_memory(err, "the runs on disk");
        }
    }
    return 0;
}

/* Skips a job.json that cannot be read or is inconsistent; another attempt of the run
 * may have a good one. */
static int read_job(struct disk_run *run, const char *path, struct error *err)
{
    struct error fault = { 0 };
    cJSON *job = NULL;
    int rc = json_read_file(&job, path, JSON_JOB_LIMIT, &fault);

    if (rc == 0 && run->canonical == NULL)
        rc = take_settings(run, job, path, &fault);
    if (rc == 0)
        rc = take_evaluations(run, job, &fault);
    cJSON_Delete(job);
    return rc == ERROR_NOMEM ? error_no_memory(err, "the runs on disk") : 0;
}

/* Reads a run's directory. *out has no canonical form if no attempt has a usable
 * job.json. */
static int read_run(struct disk_run *out, const struct workspace *workspace, const char *hash,
                    struct error *err)
{
    char *directory = format_string("%s/runs/%s/attempts", workspace->path, hash);
    struct names names = { 0 };
    int rc = directory == NULL ? error_no_memory(err, "the runs on disk")
                               : names_read(&names, directory, err);

    *out = (struct disk_run){ .evaluations = cJSON_CreateArray() };
    memcpy(out->hash, hash, HASH_HEX_SIZE);
    if (rc == 0)
        rc = out->evaluations == NULL ? error_no_memory(err, "the runs on disk")
                                      : removed_mark_find(&out->removed, workspace, hash, err);
    for (int i = 0; i < names.count && rc == 0; i++) {
        char *path = format_string("%s/%s/job.json", directory, names.items[i]);
        rc = path == NULL ? error_no_memory(err, "the runs on disk") : read_job(out, path, err);
        free(path);
    }
    names_release(&names);
    free(directory);
    return rc;
}

int disk_read(struct disk *out, const struct workspace *workspace, struct error *err)
{
    char *directory = workspace_path(workspace, "runs");
    struct names names = { 0 };
    int rc = directory == NULL ? error_no_memory(err, "the runs on disk")
                               : names_read(&names, directory, err);

    *out = (struct disk){ .runs = calloc((size_t)names.count + 1, sizeof *out->runs) };
    if (rc == 0 && out->runs == NULL)
        rc = error_no_memory(err, "the runs on disk");
    for (int i = 0; i < names.count && rc == 0; i++) {
        struct disk_run *run = &out->runs[out->count];
        if (strlen(names.items[i]) != HASH_HEX_SIZE - 1)
            continue;
        rc = read_run(run, workspace, names.items[i], err);
        if (rc == 0 && run->canonical != NULL)
            out->count++;
        else
            run_release(run);
    }
    names_release(&names);
    free(directory);
    if (rc < 0)
        disk_release(out);
    return rc;
}

/* ---- a plan whose data or engine has changed ---- */

static const struct disk_run *find_hash(const struct disk *disk, const char *hash)
{
    for (int i = 0; i < disk->count; i++)
        if (strcmp(disk->runs[i].hash, hash) == 0)
            return &disk->runs[i];
    return NULL;
}

/* The run with these settings, on that data if possible ("": any data). */
static const struct disk_run *find_settings(const struct disk *disk, const char *canonical,
                                            const char *data_hash)
{
    const struct disk_run *found = NULL;

    for (int i = 0; i < disk->count; i++) {
        const struct disk_run *run = &disk->runs[i];
        if (strcmp(run->canonical, canonical) != 0)
            continue;
        if (found == NULL || strcmp(run->data_hash, data_hash) == 0)
            found = run;
    }
    return found;
}

int disk_adjust_plan(const struct disk *disk, int *adjusted, struct plan *plan,
                     struct error *err)
{
    /* the data of an earlier arm; arms of one experiment do not mix data */
    const char *data_hash = "";

    *adjusted = 0;
    for (int i = 0; i < plan->run_count; i++) {
        struct plan_run *run = &plan->runs[i];
        if (find_hash(disk, run->hash) != NULL)
            continue;
        char *canonical = plan_run_text(plan, run, &plan_arm_of(plan, run)->canonical);
        if (canonical == NULL)
            return error_no_memory(err, "the runs on disk");
        const struct disk_run *found = find_settings(disk, canonical, data_hash);
        free(canonical);
        if (found == NULL)
            continue;
        memcpy(run->hash, found->hash, sizeof run->hash);
        run->data_hash = data_hash = found->data_hash;
        run->numeric_version = found->numeric_version;
        ++*adjusted;
    }
    return 0;
}

/* ---- runs of no spec ---- */

/* The value of a setting as a text. Newly allocated; NULL: no memory. */
static char *value_text(const struct config *config, int id)
{
    cJSON *value = config_get_json(config, id);
    char *text = value != NULL ? json_canonical(value) : NULL;

    cJSON_Delete(value);
    return text;
}

/* Finds the settings, other than the seed, in which the runs differ: the axes of
 * their arms. */
static int find_axes(bool axis[SETTING_COUNT], const struct plan *plan, struct error *err)
{
    int rc = 0;

    for (int id = 0; id < SETTING_COUNT; id++) {
        char *first = NULL;

        axis[id] = false;
        if (settings_table[id].phase != PHASE_TRAINING || id == TRAIN_SEED)
            continue;
        for (int i = 0; i < plan->run_count && rc == 0; i++) {
            char *text = value_text(&plan->spec->arms[i].config, id);

            if (text == NULL)
                rc = error_no_memory(err, "the runs on disk");
            else if (first == NULL)
                first = text;
            else
                axis[id] = axis[id] || strcmp(text, first) != 0;
            if (text != first)
                free(text);
        }
        free(first);
    }
    return rc;
}

/* A label "key=value key=value data=HASH engine=VERSION", equal for runs that differ
 * only in their seeds. numeric_version NULL: data and engine do not differ either.
 * Newly allocated; NULL: no memory. */
static char *arm_label(cJSON *axes, const bool axis[SETTING_COUNT], const struct config *config,
                       const char *data_hash, const char *numeric_version)
{
    char *label = strdup("");

    for (int id = 0; id < SETTING_COUNT && label != NULL; id++) {
        if (!axis[id])
            continue;
        cJSON *value = config_get_json(config, id);
        char *text = cJSON_IsString(value) ? strdup(value->valuestring)
                     : value != NULL       ? json_canonical(value)
                                           : NULL;
        bool added =
            value != NULL && cJSON_AddItemToObject(axes, settings_table[id].key, value);
        char *longer = text == NULL || !added
                           ? NULL
                           : format_string("%s%s%s=%s", label, label[0] ? " " : "",
                                           settings_table[id].key, text);
        free(text);
        free(label);
        label = longer;
        if (!added)
            cJSON_Delete(value);
    }
    if (label != NULL && numeric_version != NULL) {
        char *longer = format_string("%s%sdata=%.8s engine=%s", label, label[0] ? " " : "",
                                     data_hash, numeric_version);
        free(label);
        label = longer;
    }
    if (label != NULL && label[0] == '\0') {
        free(label);
        label = strdup("base");
    }
    return label;
}

static int take_evaluation(struct plan_evaluation *out, const struct config *base,
                           const cJSON *object, struct error *err)
{
    struct config config;
    int rc = config_copy(&config, base, err);

    for (const cJSON *item = object->child; item != NULL && rc == 0; item = item->next) {
        int id = setting_find(item->string);
        if (id >= 0 && settings_table[id].phase == PHASE_EVALUATION)
            rc = config_set_json(&config, id, item, "job.json", err);
    }
    if (rc == 0) {
        *out = (struct plan_evaluation){
            .canonical = json_canonical(object),
            .outer_steps = config_int(&config, EVAL_HALT_MAX_STEPS),
            .augmentations = config_int(&config, EVAL_AUGMENTATIONS),
            .eval_seed = config_int(&config, EVAL_SEED),
            .act_inference = config_bool(&config, EVAL_ACT_INFERENCE),
            .train_split = strcmp(config_choice(&config, EVAL_SPLIT), "train") == 0,
        };
        rc = out->canonical == NULL ? error_no_memory(err, "the runs on disk") : 0;
    }
    config_release(&config);
    return rc;
}

/* Takes the evaluations that the store does not know, all for run_id 0. */
static int take_unknown_evaluations(struct plan_arm *out, const struct disk_run *run,
                                    struct store *store, int64_t run_id, struct error *err)
{
    const cJSON *item;
    int rc = 0;

    for (item = run->evaluations->child; item != NULL && rc == 0; item = item->next) {
        struct plan_evaluation *evaluation = &out->evaluations[out->evaluation_count];
        int64_t known = 0;
        rc = take_evaluation(evaluation, &run->config, item, err);
        if (rc == 0 && run_id != 0)
            rc = queue_find_evaluation(store, &known, run_id, evaluation->canonical, err);
        if (rc == 0 && known == 0) {
            out->evaluation_count++;
        } else {
            free(evaluation->canonical);
            /* the next evaluation reuses this element, and may fail */
            evaluation->canonical = NULL;
        }
    }
    return rc;
}

/* Adds the run, if the store lacks it or some of its evaluations, as the only run of
 * a new arm. Arms with equal labels become one arm in the store. */
static int take_run(struct plan *plan, const struct disk_run *run, struct store *store,
                    struct error *err)
{
    /* counted first, so that it is released on failure */
    int number = plan->spec->arm_count++;
    struct plan_arm *arm = &plan->arms[number];
    struct spec_arm *spec_arm = &plan->spec->arms[number];
    int64_t run_id, open_job;
    int rc = queue_find_run(store, &run_id, &open_job, run->hash, err);

    arm->evaluations =
        calloc((size_t)cJSON_GetArraySize(run->evaluations) + 1, sizeof *arm->evaluations);
    if (rc == 0 && arm->evaluations == NULL)
        rc = error_no_memory(err, "the runs on disk");
    if (rc == 0)
        rc = take_unknown_evaluations(arm, run, store, run_id, err);
    if (rc == 0 && run_id != 0 && arm->evaluation_count == 0) {
        free(arm->evaluations);
        arm->evaluations = NULL;
        plan->spec->arm_count--;
        return 0;
    }
    memcpy(arm->data_hash, run->data_hash, sizeof arm->data_hash);
    if (rc == 0)
        rc = config_copy(&spec_arm->config, &run->config, err);
    if (rc == 0)
        rc = seeded_text_init(&arm->canonical, &run->config, SEEDED_TRAINING, err);
    if (rc == 0)
        rc = seeded_text_init(&arm->job_config, &run->config, SEEDED_RUN, err);
    plan->runs[plan->run_count] =
        (struct plan_run){ .arm = number,
                           .base = -1,
                           .seed = config_int(&run->config, TRAIN_SEED),
                           .numeric_version = run->numeric_version };
    memcpy(plan->runs[plan->run_count].hash, run->hash, sizeof run->hash);
    plan->run_of[number] = plan->run_count++;
    plan->cell_count += arm->evaluation_count;
    return rc;
}

static int label_arms(struct plan *plan, struct error *err)
{
    bool axis[SETTING_COUNT], same_data = true;

    int rc = find_axes(axis, plan, err);

    if (rc < 0)
        return rc;
    for (int i = 0; i < plan->run_count; i++)
        same_data = same_data &&
                    strcmp(plan->arms[i].data_hash, plan->arms[0].data_hash) == 0 &&
                    strcmp(plan->runs[i].numeric_version, plan->runs[0].numeric_version) == 0;
    for (int i = 0; i < plan->run_count; i++) {
        struct spec_arm *arm = &plan->spec->arms[i];
        arm->axes = cJSON_CreateObject();
        if (arm->axes != NULL)
            arm->label = arm_label(arm->axes, axis, &arm->config, plan->arms[i].data_hash,
                                   same_data ? NULL : plan->runs[i].numeric_version);
        if (arm->label == NULL)
            return error_no_memory(err, "the runs on disk");
    }
    return 0;
}

int disk_plan_rest(struct plan **out, const struct disk *disk, struct store *store,
                   struct error *err)
{
    static const char DESCRIPTION[] =
        "Runs found on disk that no spec of this workspace leads to";
    struct plan *plan = calloc(1, sizeof *plan);
    size_t most = (size_t)disk->count + 1;

    *out = NULL;
    if (plan == NULL || (plan->spec = calloc(1, sizeof *plan->spec)) == NULL) {
        free(plan);
        return error_no_memory(err, "the runs on disk");
    }
    plan->arms = calloc(most, sizeof *plan->arms);
    plan->runs = calloc(most, sizeof *plan->runs);
    plan->run_of = calloc(most, sizeof *plan->run_of);
    plan->spec->arms = calloc(most, sizeof *plan->spec->arms);
    plan->spec->seed_count = 1; /* each arm has one seed, its run's */
    plan->spec->name = strdup("rebuilt");
    plan->spec->description = strdup(DESCRIPTION);
    hash_hex(plan->spec_hash, DESCRIPTION, strlen(DESCRIPTION));
    int rc = plan->arms == NULL || plan->runs == NULL || plan->run_of == NULL ||
                     plan->spec->arms == NULL || plan->spec->name == NULL ||
                     plan->spec->description == NULL
                 ? error_no_memory(err, "the runs on disk")
                 : 0;
    for (int i = 0; i < disk->count && rc == 0; i++)
        if (!disk->runs[i].removed)
            rc = take_run(plan, &disk->runs[i], store, err);
    if (rc == 0)
        rc = label_arms(plan, err);
    if (rc < 0 || plan->run_count == 0)
        plan_destroy(plan);
    else
        *out = plan;
    return rc;
}
