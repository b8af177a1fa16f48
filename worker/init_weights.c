/* init_weights.c - tensors by name and shape, puzzle rows by the names of their ids. */
#include "init_weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "data_set.h"
#include "engine.h"
#include "error.h"
#include "file.h"
#include "hash.h"
#include "job.h"
#include "log.h"
#include "random.h"
#include "report.h"
#include "safetensors.h"
#include "settings.h"
#include "work.h"

#define SIZE_LIMIT ((size_t)64 << 30)

static const char PUZZLE_TENSOR[] = "inner.puzzle_emb.weights";
static const char AVERAGE_PREFIX[] = "ema.";

void init_found_release(struct init_found *found)
{
    free(found->left);
    free(found->unused);
    *found = (struct init_found){ 0 };
}

/* A file's name without what the published programs put before it. *average: it is
 * that of an average. */
static const char *bare_name(const char *name, bool *average)
{
    const char *inner = strstr(name, "inner.");

    *average = strncmp(name, AVERAGE_PREFIX, strlen(AVERAGE_PREFIX)) == 0;
    return inner != NULL ? inner : name;
}

/* The file's tensor of that bare name; NULL: it has none. */
static const struct safetensors_tensor *find_tensor(const struct safetensors_file *file,
                                                    const char *bare, bool average)
{
    for (int i = 0; i < safetensors_count(file); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(file, i);
        bool is_average;

        if (strcmp(bare_name(tensor->name, &is_average), bare) == 0 && is_average == average)
            return tensor;
    }
    return NULL;
}

/* Whether its numbers can become float32. */
static bool is_real(const struct safetensors_tensor *tensor)
{
    return tensor->dtype == SAFETENSORS_F32 || tensor->dtype == SAFETENSORS_BF16;
}

static bool fits(const struct safetensors_tensor *tensor, const struct engine_state *state)
{
    bool same = tensor != NULL && is_real(tensor) && state->dtype == ENGINE_F32 &&
                tensor->rank == state->rank && tensor->elements * sizeof(float) == state->bytes;

    for (int k = 0; same && k < state->rank; k++)
        same = tensor->dims[k] == state->dims[k];
    return same;
}

/* Adds a name to a list, "a, b". */
static int add_name(char **list, const char *name, struct error *err)
{
    char *longer = *list == NULL ? strdup(name) : format_string("%s, %s", *list, name);

    if (longer == NULL)
        return error_no_memory(err, "the names of tensors");
    free(*list);
    *list = longer;
    return 0;
}

/* Takes one state of the engine, if the file has it. An average that the file lacks
 * begins as the weights. */
static int take_state(struct init_found *found, struct engine *engine, int index,
                      const struct safetensors_file *file, struct error *err)
{
    struct engine_state state;
    bool average;

    engine_state_describe(engine, index, &state);
    if ((state.kind != ENGINE_PARAMETER && state.kind != ENGINE_BUFFER &&
         state.kind != ENGINE_AVERAGE) ||
        strcmp(state.name, PUZZLE_TENSOR) == 0)
        return 0;
    const char *bare = bare_name(state.name, &average);
    const struct safetensors_tensor *tensor = find_tensor(file, bare, average);

    if (average && fits(tensor, &state))
        found->averages = true;
    else if (average)
        tensor = find_tensor(file, bare, false);
    found->tensors += !average;
    if (!fits(tensor, &state))
        return average ? 0 : add_name(&found->left, state.name, err);
    float *scratch = malloc(state.bytes + 1);
    if (scratch == NULL)
        return error_no_memory(err, "the weights");
    engine_state_set(engine, index, safetensors_floats(tensor, scratch));
    free(scratch);
    found->taken += !average;
    return 0;
}

/* Names the tensors that the engine does not have, averages and moments apart. */
static int name_unused(struct init_found *found, const struct engine *engine,
                       const struct safetensors_file *file, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < safetensors_count(file) && rc == 0; i++) {
        const char *name = safetensors_at(file, i)->name;
        bool average, known = false;
        const char *bare = bare_name(name, &average);

        for (int k = 0; k < engine_state_count(engine) && !known; k++) {
            struct engine_state state;

            engine_state_describe(engine, k, &state);
            known = strcmp(state.name, bare) == 0;
        }
        if (!known && !average && strncmp(name, "optimizer.", 10) != 0 &&
            strncmp(name, "carry.", 6) != 0)
            rc = add_name(&found->unused, name, err);
    }
    return rc;
}

int init_weights_tensors(struct init_found *found, struct engine *engine,
                         const struct safetensors_file *file, const char *path,
                         struct error *err)
{
    int rc = 0;

    for (int i = 0; i < engine_state_count(engine) && rc == 0; i++)
        rc = take_state(found, engine, i, file, err);
    if (rc == 0)
        rc = name_unused(found, engine, file, err);
    if (rc == 0 && found->taken == 0)
        rc =
            error_set(err, ERROR_FORMAT,
                      "%s: none of its tensors has name and shape of one of this model's, such "
                      "as %.300s; set arch.* as the weights were trained",
                      path, found->left != NULL ? found->left : "");
    return rc;
}

/* ---- rows of the puzzle embedding ---- */

/* A row by the name of its id. */
struct named {
    uint64_t key;
    int id;
};

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;

    return (x->key > y->key) - (x->key < y->key);
}

static uint64_t key_of(const struct data_set *set, int id)
{
    char room[DATA_IDENTIFIER_SIZE];
    const char *name = data_set_identifier(set, id, room);

    return hash_xxh3(name, strlen(name));
}

/* The file's rows that were trained: those of the data's groups, by name, or all but
 * the blank one. names: room for file_rows. Returns how many, or an error. */
static int list_trained(struct named *names, const struct data_set *from, int file_rows,
                        struct error *err)
{
    int count = 0;

    for (int id = 1; from == NULL && id < file_rows; id++)
        names[count++] = (struct named){ 0, id };
    if (from == NULL)
        return count;
    size_t T = (size_t)data_set_info(from)->seq_len;
    int32_t *tokens = calloc(2 * T, sizeof *tokens), id;
    if (tokens == NULL)
        return error_no_memory(err, "the puzzle ids");
    for (int g = 0; g < data_set_task_count(from, SPLIT_TRAIN); g++)
        for (int v = 0; v < data_set_group_variants(from, g); v++) {
            data_set_example(from, data_set_example_number(from, g, v, 0), tokens, tokens + T,
                             &id);
            if (id > 0 && id < file_rows && count < file_rows)
                names[count++] = (struct named){ key_of(from, id), id };
        }
    free(tokens);
    qsort(names, (size_t)count, sizeof *names, compare_named);
    return count;
}

/* Of each id of the engine, 1 to count - 1, the file's row; 0: it has none. */
static void match_ids(int *rows, int count, const struct init_rows *how,
                      const struct named *names, int known)
{
    bool named = how->from != NULL && how->to != NULL;

    for (int id = 1; id < count; id++) {
        struct named wanted = { named ? key_of(how->to, id) : 0, 0 };
        const struct named *found = named && known > 0 ? bsearch(&wanted, names, (size_t)known,
                                                                 sizeof *names, compare_named)
                                                       : NULL;

        rows[id] = !named ? (id <= known ? id : 0) : found != NULL ? found->id : 0;
    }
}

/* The file's rows. */
struct file_rows {
    const float *data;           /* borrowed; rows of that length */
    size_t length;               /* of a row */
    const struct named *trained; /* borrowed; those of them that were trained */
    int count;                   /* of these */
};

/* Mean of the trained rows, and the root of the mean of their squares. */
static void summarise(float *mean, double *size, const struct file_rows *rows)
{
    double squares = 0.0, divisor = rows->count > 0 ? rows->count : 1;

    for (size_t e = 0; e < rows->length; e++) {
        double sum = 0.0;

        for (int r = 0; r < rows->count; r++) {
            double value = (double)rows->data[(size_t)rows->trained[r].id * rows->length + e];

            sum += value;
            squares += value * value;
        }
        mean[e] = (float)(sum / divisor);
    }
    *size = sqrt(squares / ((double)rows->length * divisor));
}

/* A row of independent normal numbers of that size, by Box and Muller. */
static void draw_row(float *row, size_t E, double size, uint64_t seed, int id)
{
    struct random_stream stream = random_stream(seed, "puzzle rows", (uint64_t)id);

    for (size_t e = 0; e < E; e++) {
        double radius = sqrt(-2.0 * log(1.0 - random_uniform(&stream)));

        row[e] = (float)(size * radius * cos(2.0 * M_PI * random_uniform(&stream)));
    }
}

/* Sets every row of the engine. numbers: of each of its count ids, the file's row or 0;
 * scratch: two rows. */
static void set_rows(struct init_found *found, struct engine *engine, const int *numbers,
                     int count, const struct file_rows *file, const struct init_rows *how,
                     float *scratch)
{
    size_t E = file->length;
    float *mean = scratch, *row = scratch + E;
    double size;

    summarise(mean, &size, file);
    engine_puzzle_set(engine, 0, file->data);
    for (int id = 1; id < count; id++) {
        if (numbers[id] > 0) {
            engine_puzzle_set(engine, id, file->data + (size_t)numbers[id] * E);
            found->rows_kept++;
            continue;
        }
        found->rows_new++;
        memset(row, 0, E * sizeof *row);
        if (how->fresh == PUZZLE_ROWS_NORMAL)
            draw_row(row, E, size, how->seed, id);
        engine_puzzle_set(engine, id, how->fresh == PUZZLE_ROWS_MEAN ? mean : row);
    }
    found->rows_unused = file->count - found->rows_kept;
}

/* The engine's puzzle embedding; false: it has none. */
static bool find_embedding(struct engine_state *out, const struct engine *engine)
{
    for (int i = 0; i < engine_state_count(engine); i++) {
        engine_state_describe(engine, i, out);
        if (strcmp(out->name, PUZZLE_TENSOR) == 0)
            return true;
    }
    return false;
}

int init_weights_rows(struct init_found *found, struct engine *engine,
                      const struct safetensors_file *file, const struct init_rows *how,
                      struct error *err)
{
    const struct safetensors_tensor *tensor = find_tensor(file, PUZZLE_TENSOR, false);
    struct engine_state state;

    if (!find_embedding(&state, engine))
        return 0;
    int count = (int)state.dims[0];
    if (tensor == NULL || !is_real(tensor) || tensor->rank != 2 || tensor->dims[0] < 1 ||
        tensor->dims[0] > INT32_MAX || tensor->dims[1] != state.dims[1]) {
        found->rows_new = count - 1;
        return 0;
    }
    size_t widened = tensor->dtype == SAFETENSORS_F32 ? 0 : tensor->elements;
    int *numbers = calloc((size_t)count, sizeof *numbers), known = 0;
    float *scratch = calloc(2 * (size_t)state.dims[1], sizeof *scratch);
    float *wide = calloc(widened + 1, sizeof *wide);
    struct named *names = calloc((size_t)tensor->dims[0], sizeof *names);
    int rc = numbers == NULL || scratch == NULL || wide == NULL || names == NULL
                 ? error_no_memory(err, "the puzzle embedding")
                 : 0;

    if (rc == 0)
        rc = known = list_trained(names, how->from, (int)tensor->dims[0], err);
    if (rc >= 0) {
        const struct file_rows rows = { .data = safetensors_floats(tensor, wide),
                                        .length = (size_t)state.dims[1],
                                        .trained = names,
                                        .count = known };

        match_ids(numbers, count, how, names, known);
        set_rows(found, engine, numbers, count, &rows, how, scratch);
    }
    free(names);
    free(wide);
    free(scratch);
    free(numbers);
    return rc < 0 ? rc : 0;
}

/* ---- a job ---- */

/* Opens the file: a run's checkpoint with its checksum, any other by its content. */
static int open_file(struct safetensors_file **out, const struct job *job, const char *path,
                     struct error *err)
{
    struct checkpoint_facts facts = { 0 };
    int rc;

    if (job->base.kind == INIT_FILE)
        return safetensors_read(out, path, SIZE_LIMIT, err);
    rc = safetensors_read(out, path, SIZE_LIMIT, err);
    if (rc == ERROR_FORMAT)
        rc = error_set(err, ERROR_DAMAGED, "%s: it is no whole checkpoint any more", path);
    if (rc == 0)
        rc = checkpoint_read_facts(&facts, *out, path, job->base.run_hash, err);
    checkpoint_facts_release(&facts);
    return rc;
}

/* The data of the base, whose ids name the rows. Another content: ERROR_FORMAT. */
static int open_data(struct data_set **out, const struct job *job, struct error *err)
{
    int rc = data_set_open(out, &job->base.config, true, err);

    if (rc == 0 && strcmp(data_set_hash(*out), job->base.data_hash) != 0)
        rc = error_set(
            err, ERROR_FORMAT,
            "the data of %s are not those that run %.12s, with whose weights this one "
            "begins, was trained on; put the former files back and `hrmlab retry`",
            config_text(&job->base.config, DATA_PATH), job->base.run_hash);
    return rc;
}

static int say(const struct job *job, const struct init_found *found, struct report *report,
               struct error *err)
{
    cJSON *body = cJSON_CreateObject();
    const char *left = found->left != NULL ? found->left : "";
    const char *unused = found->unused != NULL ? found->unused : "";

    log_info("weights of %s: %d of %d tensors%s; puzzle rows: %d kept, %d new (%s), %d of the "
             "file's not used",
             job->base.file, found->taken, found->tensors,
             found->averages ? ", and their averages" : "", found->rows_kept, found->rows_new,
             config_choice(&job->config, TRAIN_PUZZLE_ROWS), found->rows_unused);
    if (*left != '\0')
        log_warning("not in it with this shape, and drawn by the seed: %s", left);
    if (*unused != '\0')
        log_warning("in it, and not in this model: %s", unused);
    bool whole = cJSON_AddStringToObject(body, "file", job->base.file) != NULL &&
                 cJSON_AddNumberToObject(body, "tensors", found->tensors) != NULL &&
                 cJSON_AddNumberToObject(body, "taken", found->taken) != NULL &&
                 cJSON_AddStringToObject(body, "left", left) != NULL &&
                 cJSON_AddStringToObject(body, "unused", unused) != NULL &&
                 cJSON_AddBoolToObject(body, "averages", found->averages) != NULL &&
                 cJSON_AddNumberToObject(body, "rows_kept", found->rows_kept) != NULL &&
                 cJSON_AddNumberToObject(body, "rows_new", found->rows_new) != NULL &&
                 cJSON_AddNumberToObject(body, "rows_unused", found->rows_unused) != NULL;
    if (!whole) {
        cJSON_Delete(body);
        body = NULL;
    }
    return report_event(report, "init_from", body, false, err);
}

int init_weights_job(const struct job *job, struct engine *engine, const struct data_set *set,
                     struct report *report, struct error *err)
{
    char *path = job_workspace_path(job, job->base.file);
    struct safetensors_file *file = NULL;
    struct data_set *from = NULL;
    struct init_found found = { 0 };
    bool named = job->base.kind == INIT_RUN;
    int rc = path == NULL ? error_no_memory(err, "a path") : open_file(&file, job, path, err);

    if (rc == 0 && named)
        rc = open_data(&from, job, err);
    if (rc == 0)
        rc = init_weights_tensors(&found, engine, file, path, err);
    const struct init_rows rows = {
        .from = from,
        .to = named ? set : NULL,
        .fresh = (enum puzzle_rows)job->config.values[TRAIN_PUZZLE_ROWS].integer,
        .seed = config_model_seed(&job->config),
    };
    if (rc == 0)
        rc = init_weights_rows(&found, engine, file, &rows, err);
    if (rc == 0)
        rc = work_done(1, err);
    if (rc == 0)
        rc = say(job, &found, report, err);
    init_found_release(&found);
    data_set_close(from);
    safetensors_destroy(file);
    free(path);
    return rc;
}
