/* data_facts.c - facts about data sets, and their cache files. */
#include "data_facts.h"

#include "error.h"
#include "facts_name.h"
#include "file.h"
#include "json.h"
#include "settings.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Raise it when readers or counts change their meaning: older cache files are then
 * ignored. */
enum { CACHE_FORMAT = 3 };

/* If a file was changed less than this before it was read, a second change might
 * fall into the same tick of the file system's clock and leave its times unchanged. */
static const int64_t TICK_NS = 50000000;

static const size_t CACHE_LIMIT = (size_t)64 << 20; /* bytes */

/* The integers of data_info that a cache file holds. */
static const struct {
    const char *name;
    size_t offset;
} NUMBERS[] = {
    { "tasks_training", offsetof(struct data_info, tasks_training) },
    { "tasks_evaluation", offsetof(struct data_info, tasks_evaluation) },
    { "left_out", offsetof(struct data_info, left_out) },
    { "leaked", offsetof(struct data_info, leaked) },
    { "groups", offsetof(struct data_info, groups) },
    { "puzzles", offsetof(struct data_info, puzzles) },
    { "examples", offsetof(struct data_info, examples) },
    { "epoch_examples", offsetof(struct data_info, epoch_examples) },
    { "test_rows", offsetof(struct data_info, test_rows) },
    { "train_rows", offsetof(struct data_info, train_rows) },
    { "unknown_variants", offsetof(struct data_info, unknown_variants) },
    { "most_demonstrations", offsetof(struct data_info, most_demonstrations) },
    { "most_variants", offsetof(struct data_info, most_variants) },
    { "num_puzzle_identifiers", offsetof(struct data_info, num_puzzle_identifiers) },
    { "seq_len", offsetof(struct data_info, seq_len) },
    { "vocab_size", offsetof(struct data_info, vocab_size) },
    { "canvas", offsetof(struct data_info, canvas) },
    { "order_steps", offsetof(struct data_info, order_steps) },
    { "order_rows", offsetof(struct data_info, order_rows) },
};
enum { NUMBER_COUNT = sizeof NUMBERS / sizeof *NUMBERS };

static int *number_at(struct data_info *info, size_t offset)
{
    return (int *)((char *)info + offset);
}

void data_facts_release(struct data_facts *facts)
{
    free(facts->source);
    free(facts->counts);
    *facts = (struct data_facts){ 0 };
}

char *data_facts_key(const struct config *config)
{
    cJSON *object = cJSON_CreateObject();
    char *text = NULL;
    bool ok = object != NULL;

    for (int id = 0; ok && id < SETTING_COUNT; id++)
        if (strncmp(settings_table[id].key, "data.", strlen("data.")) == 0)
            ok = cJSON_AddItemToObject(object, settings_table[id].key,
                                       config_get_json(config, id));
    if (ok)
        text = json_canonical(object);
    cJSON_Delete(object);
    return text;
}

/* Size, times and inode as text, because JSON numbers (doubles) cannot hold them
 * exactly. */
static cJSON *stamps(const struct data_file *file)
{
    char text[100];

    snprintf(text, sizeof text, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, file->size,
             file->mtime_ns, file->ctime_ns, file->inode);
    return cJSON_CreateString(text);
}

static bool read_stamps(struct data_file *out, const cJSON *item)
{
    return cJSON_IsString(item) &&
           sscanf(item->valuestring, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &out->size,
                  &out->mtime_ns, &out->ctime_ns, &out->inode) == 4;
}

/* XXH3 of the object's canonical text in hexadecimal. False: no memory. */
static bool checksum(char out[17], const cJSON *object)
{
    char *text = json_canonical(object);

    if (text != NULL)
        snprintf(out, 17, "%016" PRIx64, hash_xxh3(text, strlen(text)));
    free(text);
    return text != NULL;
}

/* Whether every file is as it was when the cache file was written. */
static bool files_unchanged(const cJSON *files)
{
    if (!cJSON_IsObject(files))
        return false;
    for (const cJSON *item = files->child; item != NULL; item = item->next) {
        struct data_file file = { .path = item->string };
        if (!read_stamps(&file, item) || !data_file_unchanged(&file))
            return false;
    }
    return true;
}

static bool take_facts(struct data_facts *out, const cJSON *facts)
{
    const cJSON *source = json_member(facts, "source"), *counts = json_member(facts, "counts");
    const cJSON *hash = json_member(facts, "data_hash");
    const cJSON *mean = json_member(facts, "mean_puzzle_examples");

    if (!cJSON_IsString(source) || !cJSON_IsString(counts) || !cJSON_IsString(hash) ||
        !cJSON_IsNumber(mean) || strlen(hash->valuestring) != HASH_HEX_SIZE - 1)
        return false;
    for (int i = 0; i < NUMBER_COUNT; i++) {
        const cJSON *number = json_member(facts, NUMBERS[i].name);
        if (!cJSON_IsNumber(number))
            return false;
        *number_at(&out->info, NUMBERS[i].offset) = number->valueint;
    }
    out->info.mean_puzzle_examples = mean->valuedouble;
    memcpy(out->hash, hash->valuestring, HASH_HEX_SIZE);
    out->source = strdup(source->valuestring);
    out->counts = strdup(counts->valuestring);
    return out->source != NULL && out->counts != NULL;
}

/* Reads a cache file. False if it does not hold the current facts. */
static bool read_cache(struct data_facts *out, const char *path, const char *key)
{
    struct data_facts found = { 0 };
    cJSON *root = NULL;
    struct error ignored;
    char sum[17];
    bool good = json_read_file(&root, path, CACHE_LIMIT, &ignored) == 0;

    const cJSON *body = json_member(root, "body"), *told = json_member(root, "checksum");
    const cJSON *of = json_member(body, "key");
    good = good && cJSON_IsObject(body) && cJSON_IsString(told) && checksum(sum, body) &&
           strcmp(sum, told->valuestring) == 0 && cJSON_IsString(of) &&
           strcmp(of->valuestring, key) == 0 && files_unchanged(json_member(body, "files")) &&
           take_facts(&found, json_member(body, "facts"));
    cJSON_Delete(root);
    if (good)
        *out = found;
    else
        data_facts_release(&found);
    return good;
}

/* The facts as JSON. NULL: no memory. */
static cJSON *facts_json(struct data_facts *facts)
{
    cJSON *object = cJSON_CreateObject();
    bool ok = cJSON_AddStringToObject(object, "source", facts->source) != NULL &&
              cJSON_AddStringToObject(object, "counts", facts->counts) != NULL &&
              cJSON_AddStringToObject(object, "data_hash", facts->hash) != NULL &&
              cJSON_AddNumberToObject(object, "mean_puzzle_examples",
                                      facts->info.mean_puzzle_examples) != NULL;

    for (int i = 0; i < NUMBER_COUNT && ok; i++)
        ok = cJSON_AddNumberToObject(object, NUMBERS[i].name,
                                     *number_at(&facts->info, NUMBERS[i].offset)) != NULL;
    if (ok)
        return object;
    cJSON_Delete(object);
    return NULL;
}

/* The files with the stamps they had before they were read. NULL if one of them has
 * changed since, or is too new for a later change to show; or no memory. */
static cJSON *files_json(const struct data_info *info)
{
    cJSON *files = cJSON_CreateObject();
    struct timespec time;
    bool ok = files != NULL && clock_gettime(CLOCK_REALTIME, &time) == 0;
    int64_t now = ok ? (int64_t)time.tv_sec * 1000000000 + time.tv_nsec : 0;

    for (int i = 0; i < info->file_count && ok; i++) {
        const struct data_file *file = &info->files[i];
        ok = data_file_unchanged(file) && file->mtime_ns < now - TICK_NS &&
             file->ctime_ns < now - TICK_NS;
        if (ok && json_member(files, file->path) == NULL)
            ok = cJSON_AddItemToObject(files, file->path, stamps(file));
    }
    if (ok)
        return files;
    cJSON_Delete(files);
    return NULL;
}

static void write_cache(const char *path, const char *key, struct data_facts *facts,
                        const struct data_info *info)
{
    cJSON *root = cJSON_CreateObject(), *body = cJSON_AddObjectToObject(root, "body");
    cJSON *files = files_json(info), *numbers = facts_json(facts);
    struct error ignored;
    char sum[17], *text = NULL;
    bool ok = body != NULL && files != NULL && numbers != NULL;

    if (ok) {
        cJSON_AddItemToObject(body, "files", files);
        cJSON_AddItemToObject(body, "facts", numbers);
        if (cJSON_AddStringToObject(body, "key", key) != NULL && checksum(sum, body) &&
            cJSON_AddStringToObject(root, "checksum", sum) != NULL)
            text = cJSON_PrintUnformatted(root);
    } else {
        cJSON_Delete(files);
        cJSON_Delete(numbers);
    }
    if (text != NULL) /* a user without write permission works without a cache */
        error_ignore(file_write_atomic(path, text, strlen(text), &ignored));
    cJSON_free(text);
    cJSON_Delete(root);
}

static int read_data(struct data_facts *out, const struct config *config, const char *path,
                     const char *key, struct error *err)
{
    struct data_set *set;
    int rc = data_set_open(&set, config, false, err);

    if (rc < 0)
        return rc;
    out->info = *data_set_info(set);
    out->source = strdup(out->info.source);
    out->counts = strdup(out->info.counts);
    memcpy(out->hash, data_set_hash(set), HASH_HEX_SIZE);
    if (out->source == NULL || out->counts == NULL)
        rc = error_no_memory(err, "the facts of the data");
    else if (path != NULL)
        write_cache(path, key, out, data_set_info(set));
    data_set_close(set);
    return rc;
}

int data_facts_get(struct data_facts *out, const struct config *config, const char *directory,
                   const char *version, struct error *err)
{
    char *settings = data_facts_key(config);
    char *key =
        settings == NULL ? NULL : format_string("%d %s %s", CACHE_FORMAT, version, settings);
    char name[FACTS_NAME_SIZE] = "";
    int rc = 0;

    *out = (struct data_facts){ 0 };
    if (key == NULL)
        rc = error_no_memory(err, "the data's settings");
    else if (directory != NULL)
        facts_name(name, hash_xxh3(key, strlen(key)));
    char *path = name[0] != '\0' ? file_join(directory, name) : NULL;
    if (rc == 0 && (path == NULL || !read_cache(out, path, key)))
        rc = read_data(out, config, path, key, err);
    out->info.source = out->source;
    out->info.counts = out->counts;
    out->info.files = NULL;
    out->info.file_count = 0;
    if (rc < 0)
        data_facts_release(out);
    free(settings);
    free(key);
    free(path);
    return rc;
}
