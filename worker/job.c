/* job.c - reads and checks job.json. */
#include "job.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "data_set.h"
#include "evaluation_keys.h"
#include "file.h"
#include "init_from.h"
#include "json.h"

enum { JOB_MAX_ATTEMPT = 1000000, JOB_MAX_EVALUATIONS = 10000 };
#define JOB_MAX_STEP ((int64_t)1 << 53)

static const char *const MEMBERS[] = { "format",    "kind",   "run_hash",    "attempt",
                                       "data_hash", "config", "evaluations", "checkpoint",
                                       "cpus",      "resume", "init_from" };
enum { MEMBER_COUNT = sizeof MEMBERS / sizeof *MEMBERS };

static int check_members(const cJSON *root, const char *where, struct error *err)
{
    const cJSON *item;

    if (!cJSON_IsObject(root))
        return error_set(err, ERROR_FORMAT, "%s: expected an object, found %s", where,
                         json_type_name(root));
    cJSON_ArrayForEach(item, root)
    {
        bool known = false;

        for (int i = 0; i < MEMBER_COUNT && !known; i++)
            known = strcmp(item->string, MEMBERS[i]) == 0;
        if (!known) {
            const char *nearest = json_nearest_name(item->string, MEMBERS, MEMBER_COUNT);

            return error_set(err, ERROR_FORMAT, "%s: unknown member \"%.80s\"%s%s%s", where,
                             item->string, nearest != NULL ? "; did you mean \"" : "",
                             nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
        }
    }
    return 0;
}

static int read_hash(char out[HASH_HEX_SIZE], const cJSON *root, const char *key,
                     const char *where, struct error *err)
{
    const char *text = NULL;
    int rc = json_get_string(&text, root, key, where, err);

    if (rc < 0)
        return rc;
    if (strlen(text) != HASH_HEX_SIZE - 1 ||
        strspn(text, "0123456789abcdef") != HASH_HEX_SIZE - 1)
        return error_set(err, ERROR_FORMAT,
                         "%s: %s: expected 64 lower-case hexadecimal digits, found \"%.80s\"",
                         where, key, text);
    memcpy(out, text, HASH_HEX_SIZE);
    return 0;
}

static int read_kind(struct job *out, const cJSON *root, const char *where, struct error *err)
{
    const char *format = NULL, *kind = NULL;
    int64_t attempt = 0;
    int rc = json_get_string(&format, root, "format", where, err);

    if (rc == 0 && strcmp(format, "hrmlab-job-1") != 0)
        rc = error_set(err, ERROR_FORMAT,
                       "%s: format: expected \"hrmlab-job-1\", found \"%.80s\"", where, format);
    if (rc == 0)
        rc = json_get_string(&kind, root, "kind", where, err);
    if (rc == 0 && strcmp(kind, "train") != 0 && strcmp(kind, "evaluate") != 0)
        rc = error_set(err, ERROR_FORMAT,
                       "%s: kind: expected \"train\" or \"evaluate\", found \"%.80s\"", where,
                       kind);
    if (rc == 0)
        rc = json_get_int(&attempt, root, "attempt", where, err);
    if (rc == 0 && (attempt < 1 || attempt > JOB_MAX_ATTEMPT))
        rc = error_set(err, ERROR_FORMAT, "%s: attempt: %lld is not within 1 to %d", where,
                       (long long)attempt, JOB_MAX_ATTEMPT);
    if (rc != 0)
        return rc;
    out->kind = strcmp(kind, "train") == 0 ? JOB_TRAIN : JOB_EVALUATE;
    out->attempt = (int)attempt;
    return 0;
}

/* Whether a path stays below the run's directory: relative and without "..". */
static bool is_inner_path(const char *path)
{
    if (*path == '\0' || *path == '/')
        return false;
    for (const char *p = path; p != NULL; p = strchr(p, '/')) {
        p += *p == '/';
        if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0'))
            return false;
    }
    return true;
}

static int read_checkpoint(struct job *out, const cJSON *root, const char *where,
                           struct error *err)
{
    const cJSON *item = json_member(root, "checkpoint");

    if (out->kind == JOB_TRAIN) {
        if (item == NULL || cJSON_IsNull(item))
            return 0;
        return error_set(err, ERROR_FORMAT, "%s: checkpoint: must be null in a train job",
                         where);
    }
    if (item == NULL || !cJSON_IsString(item) || !is_inner_path(item->valuestring))
        return error_set(err, ERROR_FORMAT,
                         "%s: checkpoint: an evaluate job needs a path below the run's "
                         "directory, such as \"attempts/1/final.safetensors\"",
                         where);
    out->checkpoint = strdup(item->valuestring);
    if (out->checkpoint == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for a path");
    return 0;
}

static int read_cpus(struct job *out, const cJSON *root, const char *where, struct error *err)
{
    const cJSON *list = json_member(root, "cpus"), *item;
    int count;

    if (list == NULL)
        return error_set(err, ERROR_FORMAT, "%s: cpus is missing", where);
    if (!cJSON_IsArray(list))
        return error_set(err, ERROR_FORMAT, "%s: cpus: expected a list, found %s", where,
                         json_type_name(list));
    count = cJSON_GetArraySize(list);
    if (count > CPU_SETSIZE)
        return error_set(err, ERROR_FORMAT, "%s: cpus: %d cores, more than %d", where, count,
                         CPU_SETSIZE);
    out->cpus = calloc((size_t)count + 1, sizeof *out->cpus);
    if (out->cpus == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for the list of cores");
    cJSON_ArrayForEach(item, list)
    {
        double value = cJSON_IsNumber(item) ? item->valuedouble : -1.0;

        if (!(value >= 0.0 && value < CPU_SETSIZE) || value != (double)(int)value)
            return error_set(err, ERROR_FORMAT,
                             "%s: cpus: expected core numbers from 0 to %d, found %s", where,
                             CPU_SETSIZE - 1,
                             cJSON_IsNumber(item) ? "another number" : json_type_name(item));
        out->cpus[out->cpu_count++] = (int)value;
    }
    return 0;
}

static int read_resume_place(struct job_resume *out, const cJSON *item, const char *where,
                             struct error *err)
{
    int64_t attempt = 0;
    int rc = 0;

    if (!cJSON_IsObject(item))
        return error_set(err, ERROR_FORMAT, "%s: resume: expected objects, found %s", where,
                         json_type_name(item));
    rc = json_get_int(&attempt, item, "attempt", where, err);
    if (rc == 0)
        rc = json_get_int(&out->step, item, "step", where, err);
    if (rc == 0 && (attempt < 1 || attempt > JOB_MAX_ATTEMPT || out->step < 0 ||
                    out->step > JOB_MAX_STEP || cJSON_GetArraySize(item) != 2))
        rc = error_set(err, ERROR_FORMAT,
                       "%s: resume: expected an attempt from 1 to %d and a step from 0, and "
                       "nothing else",
                       where, JOB_MAX_ATTEMPT);
    out->attempt = (int)attempt;
    return rc;
}

static int read_resume(struct job *out, const cJSON *root, const char *where, struct error *err)
{
    const cJSON *list = json_member(root, "resume"), *item;
    int count, rc = 0;

    out->resumes_from_any = list == NULL;
    if (list == NULL)
        return 0;
    if (!cJSON_IsArray(list))
        return error_set(err, ERROR_FORMAT, "%s: resume: expected a list, found %s", where,
                         json_type_name(list));
    count = cJSON_GetArraySize(list);
    out->resume = calloc((size_t)count + 1, sizeof *out->resume);
    if (out->resume == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for the list of attempts");
    cJSON_ArrayForEach(item, list)
    {
        rc = read_resume_place(&out->resume[out->resume_count++], item, where, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* A text. Newly allocated. */
static int read_text(char **out, const cJSON *root, const char *key, const char *where,
                     struct error *err)
{
    const char *text = NULL;
    int rc = json_get_string(&text, root, key, where, err);

    if (rc < 0)
        return rc;
    *out = strdup(text);
    return *out == NULL ? error_set(err, ERROR_NOMEM, "out of memory for a path") : 0;
}

/* The run whose weights a training begins with. */
static int read_base(struct job *out, const cJSON *init, const char *where, struct error *err)
{
    const cJSON *config = json_member(init, "config");
    int rc = read_hash(out->base.run_hash, init, "run_hash", where, err);

    if (rc == 0)
        rc = read_hash(out->base.data_hash, init, "data_hash", where, err);
    if (rc == 0 && config == NULL)
        rc = error_set(err, ERROR_FORMAT, "%s: config is missing", where);
    if (rc == 0)
        rc = config_from_json(&out->base.config, config, where, err);
    return rc == 0 ? config_resolve(&out->base.config, where, err) : rc;
}

/* Where the weights are that a training begins with, as its configuration names
 * them. */
static int read_init(struct job *out, const cJSON *root, const char *path, struct error *err)
{
    const cJSON *init = json_member(root, "init_from");
    const char *digits, *text = config_text(&out->config, TRAIN_INIT_FROM);
    enum init_kind kind = init_from_kind(text, &digits);
    bool wanted = out->kind == JOB_TRAIN && kind != INIT_SEED;
    char where[400];

    snprintf(where, sizeof where, "%.300s: init_from", path);
    if (kind == INIT_SETTINGS || wanted != (init != NULL) || (wanted && !cJSON_IsObject(init)))
        return error_set(err, ERROR_FORMAT,
                         "%s: expected an object in a train job whose train.init_from names a "
                         "run or a file, and only there",
                         where);
    if (!wanted)
        return 0;
    int rc = read_text(&out->base.file, init, "file", where, err);
    if (rc == 0 && !is_inner_path(out->base.file))
        rc = error_set(err, ERROR_FORMAT, "%s: file: expected a path below the workspace",
                       where);
    if (rc == 0 && kind == INIT_RUN)
        rc = read_base(out, init, where, err);
    if (rc == 0 && kind == INIT_RUN && strcmp(out->base.run_hash, digits) != 0)
        rc = error_set(err, ERROR_FORMAT,
                       "%s: run_hash: not the run that train.init_from names", where);
    out->base.kind = kind;
    return rc;
}

static int read_evaluation(struct job_evaluation *out, const struct config *base,
                           const cJSON *object, const char *where, struct error *err)
{
    struct config config = { 0 };
    int members = 0, rc = 0;

    if (!cJSON_IsObject(object))
        return error_set(err, ERROR_FORMAT, "%s: expected an object, found %s", where,
                         json_type_name(object));
    rc = config_copy(&config, base, err);
    for (int i = 0; rc == 0 && i < EVALUATION_KEY_COUNT; i++) {
        enum setting_id id = evaluation_key_setting((enum evaluation_key)i);
        const char *key = settings_table[id].key;
        const cJSON *item = json_member(object, key);

        members += item != NULL;
        if (item != NULL)
            rc = config_set_json(&config, (int)id, item, where, err);
        else if (evaluation_key_may_be_absent((enum evaluation_key)i))
            rc = config_set_text(&config, key, settings_table[id].absent_means, where, err);
        else
            rc = error_set(err, ERROR_FORMAT, "%s: %s is missing", where, key);
    }
    if (rc == 0 && cJSON_GetArraySize(object) != members)
        rc = error_set(err, ERROR_FORMAT, "%s: %d members are no evaluation settings", where,
                       cJSON_GetArraySize(object) - members);
    if (rc == 0 && config_int(&config, EVAL_HALT_MAX_STEPS) < 1)
        rc = error_set(err, ERROR_FORMAT, "%s: %s: 0 (as trained) must be resolved in a job",
                       where, settings_table[EVAL_HALT_MAX_STEPS].key);
    if (rc == 0) {
        out->outer_steps = config_int(&config, EVAL_HALT_MAX_STEPS);
        out->augmentations = config_int(&config, EVAL_AUGMENTATIONS);
        out->seed = config_int(&config, EVAL_SEED);
        out->act_inference = config_bool(&config, EVAL_ACT_INFERENCE);
        out->rule = halt_rule_of(&config);
        out->puzzle_ids = (int)config.values[EVAL_PUZZLE_ID].integer;
        out->train_split = strcmp(config_choice(&config, EVAL_SPLIT), "train") == 0;
        out->trajectory = config_bool(&config, EVAL_TRAJECTORY);
        out->pool = config_int(&config, EVAL_POOL_CHECKPOINTS);
        out->rollouts = (int)config_int(&config, EVAL_ROLLOUTS);
        out->init_noise = config_real(&config, EVAL_INIT_NOISE);
        out->raw_weights = config_raw_weights(&config);
        out->choose = (enum rollout_choice)config.values[EVAL_CHOOSE].integer;
        out->canonical = json_canonical(object);
        if (out->canonical == NULL)
            rc = error_set(err, ERROR_NOMEM, "out of memory for an evaluation");
    }
    config_release(&config);
    return rc;
}

static int read_evaluations(struct job *out, const cJSON *root, const char *where,
                            struct error *err)
{
    const cJSON *list = json_member(root, "evaluations"), *item;
    int count, rc = 0;

    if (list == NULL || !cJSON_IsArray(list))
        return error_set(err, ERROR_FORMAT, "%s: evaluations: expected a list, found %s", where,
                         list != NULL ? json_type_name(list) : "nothing");
    count = cJSON_GetArraySize(list);
    if (count > JOB_MAX_EVALUATIONS)
        return error_set(err, ERROR_FORMAT, "%s: evaluations: %d, more than %d", where, count,
                         JOB_MAX_EVALUATIONS);
    out->evaluations = calloc((size_t)count + 1, sizeof *out->evaluations);
    if (out->evaluations == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for the evaluations");
    cJSON_ArrayForEach(item, list)
    {
        int i = out->evaluation_count++;
        char *place = format_string("%s: evaluations[%d]", where, i);

        if (place == NULL)
            return error_set(err, ERROR_NOMEM, "out of memory for the evaluations");
        rc = read_evaluation(&out->evaluations[i], &out->config, item, place, err);
        for (int k = 0; rc == 0 && k < i; k++)
            if (strcmp(out->evaluations[k].canonical, out->evaluations[i].canonical) == 0)
                rc = error_set(err, ERROR_FORMAT, "%s: the same as evaluations[%d]", place, k);
        free(place);
        if (rc < 0)
            return rc;
    }
    if (count == 0 && out->kind == JOB_EVALUATE)
        return error_set(err, ERROR_FORMAT, "%s: evaluations: an evaluate job needs one",
                         where);
    return 0;
}

static int read_config(struct job *out, const cJSON *root, const char *where, struct error *err)
{
    const cJSON *object = json_member(root, "config");
    char hash[HASH_HEX_SIZE];
    int rc;

    if (object == NULL)
        return error_set(err, ERROR_FORMAT, "%s: config is missing", where);
    rc = config_from_json(&out->config, object, where, err);
    if (rc == 0)
        rc = config_resolve(&out->config, where, err);
    if (rc == 0)
        rc = config_run_hash(hash, &out->config, out->data_hash, err);
    if (rc == 0 && strcmp(hash, out->run_hash) != 0)
        rc = error_set(err, ERROR_FORMAT,
                       "%s: run_hash: %.12s... is not that of this configuration, data and "
                       "engine version, which is %.12s... (job written by another version?)",
                       where, out->run_hash, hash);
    return rc;
}

int job_read(struct job *out, const char *directory, struct error *err)
{
    char *path = file_join(directory, "job.json");
    cJSON *root = NULL;
    int rc = 0;

    *out = (struct job){ 0 };
    out->directory = strdup(directory);
    if (path == NULL || out->directory == NULL)
        rc = error_set(err, ERROR_NOMEM, "out of memory for a path");
    if (rc == 0)
        rc = json_read_file(&root, path, JSON_JOB_LIMIT, err);
    if (rc == 0)
        rc = check_members(root, path, err);
    if (rc == 0)
        rc = read_kind(out, root, path, err);
    if (rc == 0)
        rc = read_hash(out->run_hash, root, "run_hash", path, err);
    if (rc == 0)
        rc = read_hash(out->data_hash, root, "data_hash", path, err);
    if (rc == 0)
        rc = read_config(out, root, path, err);
    if (rc == 0)
        rc = read_checkpoint(out, root, path, err);
    if (rc == 0)
        rc = read_init(out, root, path, err);
    if (rc == 0)
        rc = read_cpus(out, root, path, err);
    if (rc == 0)
        rc = read_resume(out, root, path, err);
    if (rc == 0)
        rc = read_evaluations(out, root, path, err);
    cJSON_Delete(root);
    free(path);
    if (rc < 0)
        job_release(out);
    return rc;
}

void job_release(struct job *job)
{
    config_release(&job->config);
    config_release(&job->base.config);
    free(job->base.file);
    for (int i = 0; i < job->evaluation_count; i++)
        free(job->evaluations[i].canonical);
    free(job->evaluations);
    free(job->cpus);
    free(job->resume);
    free(job->checkpoint);
    free(job->directory);
    *job = (struct job){ 0 };
}

bool job_may_resume(const struct job *job, int attempt, int64_t step)
{
    for (int i = 0; i < job->resume_count; i++)
        if (job->resume[i].attempt == attempt && step <= job->resume[i].step)
            return true;
    return job->resumes_from_any;
}

char *job_run_path(const struct job *job, const char *name)
{
    return format_string("%s/../../%s", job->directory, name);
}

char *job_workspace_path(const struct job *job, const char *name)
{
    return format_string("%s/../../../../%s", job->directory, name);
}

char *job_own_path(const struct job *job, const char *name)
{
    return file_join(job->directory, name);
}

int job_open_data(struct data_set **out, const struct job *job, struct error *err)
{
    int rc = data_set_open(out, &job->config, true, err);

    if (rc == 0 && strcmp(data_set_hash(*out), job->data_hash) != 0)
        rc = error_set(err, ERROR_FORMAT,
                       "the data of %s are not those that the run was trained on (content "
                       "%.12s... now, %.12s... then)",
                       config_text(&job->config, DATA_PATH), data_set_hash(*out),
                       job->data_hash);
    return rc;
}
