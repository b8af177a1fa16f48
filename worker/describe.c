/* describe.c - data hash, sizes, steps and FLOPs of configurations. */
#include "describe.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batches.h"
#include "context_check.h"
#include "cycle_schedule.h"
#include "data_facts.h"
#include "engine_setup.h"
#include "error.h"
#include "json.h"
#include "mpi_exchange.h"
#include "provenance.h"
#include "puzzle_ids.h"
#include "sandbox.h"
#include "settings.h"
#include "shape.h"

static const double GIB = 1024.0 * 1024.0 * 1024.0;

/* Facts of data, shared by configurations with equal data settings. */
struct entry {
    char *key;               /* owned; data_facts_key() */
    struct data_facts facts; /* owned; empty if there is a fault */
    char *fault;             /* owned; why the data cannot be read; NULL: no fault */
};

struct cache {
    struct entry *entries; /* owned */
    int count, capacity;
    /* borrowed; where facts are cached beyond this process; NULL: nowhere */
    const char *directory;
};

static void cache_release(struct cache *cache)
{
    for (int i = 0; i < cache->count; i++) {
        free(cache->entries[i].key);
        free(cache->entries[i].fault);
        data_facts_release(&cache->entries[i].facts);
    }
    free(cache->entries);
}

static int cache_add(struct cache *cache, char *key, const struct config *config,
                     struct error *err)
{
    struct error fault = { 0 };
    struct entry *entry;

    if (cache->count == cache->capacity) {
        int capacity = cache->capacity * 2 + 8;
        struct entry *entries = realloc(cache->entries, (size_t)capacity * sizeof *entries);

        if (entries == NULL) {
            free(key);
            return error_set(err, ERROR_NOMEM, "out of memory for the data");
        }
        cache->entries = entries;
        cache->capacity = capacity;
    }
    entry = &cache->entries[cache->count++];
    *entry = (struct entry){ .key = key };
    int rc =
        data_facts_get(&entry->facts, config, cache->directory, provenance_version(), &fault);
    if (rc == ERROR_NOMEM)
        return error_set(err, ERROR_NOMEM, "%s", fault.message);
    if (rc < 0) {
        entry->fault = strdup(fault.message);
        if (entry->fault == NULL)
            return error_set(err, ERROR_NOMEM, "out of memory for a message");
    }
    return 0;
}

/* Finds or reads the facts of a configuration's data. */
static int cache_get(const struct entry **out, struct cache *cache, const struct config *config,
                     struct error *err)
{
    char *key = data_facts_key(config);
    int rc;

    if (key == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for the data's settings");
    for (int i = cache->count - 1; i >= 0; i--)
        if (strcmp(cache->entries[i].key, key) == 0) {
            free(key);
            *out = &cache->entries[i];
            return 0;
        }
    rc = cache_add(cache, key, config, err);
    *out = rc == 0 ? &cache->entries[cache->count - 1] : NULL;
    return rc;
}

static cJSON *fault_answer(const char *message)
{
    cJSON *answer = cJSON_CreateObject();

    if (cJSON_AddStringToObject(answer, "error", message) != NULL)
        return answer;
    cJSON_Delete(answer);
    return NULL;
}

/* The most bytes that the engine has in any stage of its training. */
static int measure_stages(size_t *bytes, const struct engine_config *engine,
                          const struct config *config, struct error *err)
{
    struct cycle_schedule schedule;
    int rc = engine_measure(bytes, engine, err);

    if (rc == 0)
        rc = cycle_schedule_parse(&schedule, config_text(config, TRAIN_CYCLE_SCHEDULE), err);
    for (int i = 0; rc == 0 && i < schedule.count; i++) {
        struct engine_config stage = *engine;
        size_t more = 0;

        stage.H_cycles = schedule.stages[i].H_cycles;
        stage.L_cycles = schedule.stages[i].L_cycles;
        rc = engine_measure(&more, &stage, err);
        *bytes = more > *bytes ? more : *bytes;
    }
    return rc;
}

/* Memory of the engine that trains the configuration, of one of its ranks.
 * ERROR_FORMAT: it is more than resources.memory_gb, the sizes are out of bounds, or
 * this program has no ranks. */
static int measure(size_t *bytes, const struct config *config, const struct data_info *info,
                   int64_t steps, struct error *err)
{
    double limit_gb = config_real(config, RESOURCES_MEMORY_GB);
    const struct engine_setup_data sizes = {
        .seq_len = info->seq_len,
        .vocab_size = info->vocab_size,
        .num_puzzle_identifiers = config_puzzle_ids(config, info->num_puzzle_identifiers),
        .total_steps = steps,
    };
    struct engine_config engine;

    engine_setup(&engine, config, &sizes, false);
    engine.ranks = (int)config_int(config, RESOURCES_RANKS);
    if (engine.ranks > 1 && !mpi_exchange_is_built())
        return error_set(err, ERROR_FORMAT, "resources.ranks = %d, but " MPI_EXCHANGE_HOW,
                         engine.ranks);
    int rc = measure_stages(bytes, &engine, config, err);
    if (rc < 0 || limit_gb <= 0.0 || (double)*bytes <= limit_gb * GIB)
        return rc;
    return error_set(err, ERROR_FORMAT,
                     "resources.memory_gb = %.4g: the model and its activations take %zu bytes "
                     "(%.4g GiB) in training; raise it, or lower train.global_batch_size, "
                     "arch.hidden_size or data.context_pairs",
                     limit_gb, *bytes, (double)*bytes / GIB);
}

/* random_id needs ids of other tasks. */
static int conditioning_check(const struct data_info *info, const struct config *config,
                              struct error *err)
{
    int rc =
        config_conditioning(config) == CONDITIONING_RANDOM_ID ? puzzle_ids_check(info, err) : 0;

    return rc < 0 ? error_prefix(err, "arch.conditioning = random_id") : 0;
}

/* What is wrong with a configuration for its data. *bytes: that its engine takes. */
static int check_with_data(size_t *bytes, const struct config *config,
                           const struct data_info *info, int64_t steps, struct error *err)
{
    int rc = batches_check(info, config, err);

    if (rc == 0)
        rc = context_check(info, config, err);
    if (rc == 0)
        rc = conditioning_check(info, config, err);
    return rc == 0 ? measure(bytes, config, info, steps, err) : rc;
}

/* The facts as an answer. NULL: no memory. */
static cJSON *facts_answer(const struct data_facts *facts, const struct config *config,
                           int64_t steps, size_t bytes, bool random_ids)
{
    const struct data_info *info = &facts->info;
    double batch = (double)config_int(config, TRAIN_GLOBAL_BATCH_SIZE);
    cJSON *answer = cJSON_CreateObject();
    struct shape shape;

    shape_compute(&shape, config, info->seq_len, info->vocab_size,
                  config_puzzle_ids(config, info->num_puzzle_identifiers));
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        { "tasks_training", info->tasks_training },
        { "tasks_evaluation", info->tasks_evaluation },
        { "left_out", info->left_out },
        { "leaked", info->leaked },
        { "groups", info->groups },
        { "seq_len", info->seq_len },
        { "vocab_size", info->vocab_size },
        { "num_puzzle_identifiers", info->num_puzzle_identifiers },
        { "most_variants", info->most_variants },
        { "mean_puzzle_examples", info->mean_puzzle_examples },
        { "total_steps", (double)steps },
        { "steps_per_epoch", info->groups * info->mean_puzzle_examples / batch },
        { "random_ids", random_ids },
        { "unknown_variants", info->unknown_variants },
        { "test_rows", info->test_rows },
        { "train_rows", info->train_rows },
        { "parameters", (double)shape.parameters },
        { "puzzle_parameters", (double)shape.puzzle_parameters },
        { "train_flops", shape.train_step_flops * (double)steps },
        { "eval_row_step_flops", shape.eval_row_step_flops },
        { "engine_bytes", (double)bytes },
    };
    bool ok = cJSON_AddStringToObject(answer, "data_hash", facts->hash) != NULL &&
              cJSON_AddStringToObject(answer, "source", info->source) != NULL &&
              cJSON_AddStringToObject(answer, "counts", info->counts) != NULL;
    for (size_t i = 0; ok && i < sizeof numbers / sizeof *numbers; i++)
        ok = cJSON_AddNumberToObject(answer, numbers[i].name, numbers[i].value) != NULL;
    if (ok)
        return answer;
    cJSON_Delete(answer);
    return NULL;
}

/* The answer about a configuration whose data are known. *out NULL: no memory. */
static int data_answer(cJSON **out, const struct data_facts *facts, const struct config *config,
                       struct error *err)
{
    const struct data_info *info = &facts->info;
    int64_t steps = batches_count_steps(config, info->groups, info->mean_puzzle_examples);
    struct error fault = { 0 };
    size_t bytes = 0;
    int rc = check_with_data(&bytes, config, info, steps, &fault);

    *out = NULL;
    if (rc == ERROR_NOMEM)
        return error_set(err, ERROR_NOMEM, "%s", fault.message);
    if (rc < 0) {
        *out = fault_answer(fault.message);
        return 0;
    }
    *out = facts_answer(facts, config, steps, bytes, puzzle_ids_check(info, &fault) == 0);
    return 0;
}

/* Builds the answer for one configuration. A fault in it becomes the answer. */
static int describe_one(cJSON **out, struct cache *cache, const cJSON *object,
                        const char *where, struct error *err)
{
    struct config config = { 0 };
    struct error fault = { 0 };
    const struct entry *entry = NULL;
    int rc = config_from_json(&config, object, where, &fault);

    if (rc == 0)
        rc = config_resolve(&config, where, &fault);
    if (rc == 0) {
        rc = cache_get(&entry, cache, &config, err);
        if (rc == 0 && entry->fault == NULL)
            rc = data_answer(out, &entry->facts, &config, err);
        else if (rc == 0)
            *out = fault_answer(entry->fault);
    } else if (rc == ERROR_NOMEM) {
        error_set(err, ERROR_NOMEM, "%s", fault.message);
    } else {
        rc = 0;
        *out = fault_answer(fault.message);
    }
    config_release(&config);
    if (rc == 0 && *out == NULL)
        rc = error_set(err, ERROR_NOMEM, "out of memory for an answer");
    return rc;
}

int describe_list(cJSON **out, const cJSON *list, const char *name, const char *directory,
                  struct error *err)
{
    cJSON *answers = cJSON_CreateArray();
    struct cache cache = { .directory = directory };
    const cJSON *item;
    int index = 0, rc = 0;

    *out = NULL;
    if (answers == NULL)
        rc = error_set(err, ERROR_NOMEM, "out of memory for the answers");
    if (rc == 0 && !cJSON_IsArray(list))
        rc = error_set(err, ERROR_FORMAT, "%s: expected a list of configurations, found %s",
                       name, json_type_name(list));
    if (rc == 0)
        cJSON_ArrayForEach(item, list)
        {
            cJSON *answer = NULL;
            char where[64];

            snprintf(where, sizeof where, "%.40s[%d]", name, index++);
            rc = describe_one(&answer, &cache, item, where, err);
            if (rc < 0)
                break;
            cJSON_AddItemToArray(answers, answer);
        }
    cache_release(&cache);
    if (rc == 0)
        *out = answers;
    else
        cJSON_Delete(answers);
    return rc;
}

/* Reads fd to its end, at most limit bytes. Newly allocated, NUL-terminated. */
static int read_stream(char **out, size_t *size, int fd, size_t limit, struct error *err)
{
    size_t capacity = 1 << 16, used = 0;
    char *text = malloc(capacity);

    while (text != NULL) {
        ssize_t got = read(fd, text + used, capacity - used - 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            int number = errno;

            text[used] = '\0';
            if (got == 0) {
                *out = text;
                *size = used;
                return 0;
            }
            free(text);
            return error_set(err, ERROR_IO, "standard input: %s", strerror(number));
        }
        used += (size_t)got;
        if (used > limit) {
            free(text);
            return error_set(err, ERROR_FORMAT, "standard input: more than %zu MiB",
                             limit >> 20);
        }
        if (capacity - used < 2) {
            char *larger = realloc(text, capacity * 2);

            if (larger == NULL)
                free(text);
            text = larger;
            capacity *= 2;
        }
    }
    return error_set(err, ERROR_NOMEM, "out of memory for standard input");
}

int describe_stream(int fd, const char *directory, struct error *err)
{
    cJSON *list = NULL, *answers = NULL;
    struct sandbox sandbox;
    char *text = NULL, *answer = NULL;
    size_t size = 0;
    int rc;

    /* It parses files of others before any worker does. */
    sandbox_enter(&sandbox, directory);
    rc = read_stream(&text, &size, fd, JSON_DATA_LIMIT, err);

    if (rc == 0)
        rc = json_parse(&list, text, size, "standard input", err);
    if (rc == 0)
        rc = describe_list(&answers, list, "standard input", directory, err);
    if (rc == 0) {
        answer = cJSON_PrintUnformatted(answers);
        if (answer == NULL)
            rc = error_set(err, ERROR_NOMEM, "out of memory for the answers");
        else if (puts(answer) < 0 || fflush(stdout) != 0)
            rc = error_set(err, ERROR_IO, "cannot write to standard output");
    }
    cJSON_free(answer);
    cJSON_Delete(answers);
    cJSON_Delete(list);
    free(text);
    return rc;
}
