/* predictions.c - answers by number, in memory and in a file. */
#include "predictions.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "grid.h"
#include "hash.h"
#include "json.h"
#include "safetensors.h"

#define SIZE_LIMIT ((size_t)16 << 30)

static const char FORMAT[] = "hrmlab-predictions-1";

enum { TENSORS_PER_SLOT = 3, NAME_SIZE = 32, PAIRS = 6 };

void predictions_release(struct predictions *p)
{
    for (int i = 0; i < p->slot_count; i++) {
        free(p->slots[i].answers);
        free(p->slots[i].used);
        free(p->slots[i].q_halt);
    }
    free(p->slots);
    free(p->cells);
    free(p->starts);
    *p = (struct predictions){ 0 };
}

int predictions_allocate(struct predictions *out, int slot_count, int rows, int rollouts,
                         struct error *err)
{
    size_t count = (size_t)rows * (size_t)rollouts + 1;

    *out = (struct predictions){ .rows = rows, .rollouts = rollouts };
    out->slots = calloc((size_t)slot_count + 1, sizeof *out->slots);
    bool complete = out->slots != NULL;
    for (int i = 0; i < slot_count && complete; i++) {
        struct prediction_slot *slot = &out->slots[out->slot_count++];

        slot->answers = calloc(count, sizeof *slot->answers);
        slot->used = calloc(count, sizeof *slot->used);
        slot->q_halt = calloc(count, sizeof *slot->q_halt);
        complete = slot->answers != NULL && slot->used != NULL && slot->q_halt != NULL;
    }
    if (complete)
        return 0;
    predictions_release(out);
    return error_no_memory(err, "the predictions");
}

const struct prediction_slot *predictions_slot(const struct predictions *p, int outer_steps,
                                               const struct halt_rule *rule)
{
    for (int i = 0; i < p->slot_count; i++)
        if (p->slots[i].outer_steps == outer_steps && halt_rule_same(&p->slots[i].rule, rule))
            return &p->slots[i];
    return NULL;
}

void predictions_grid(struct grid *out, const struct predictions *p, int number)
{
    assert(number >= 0 && number < p->grid_count);
    const uint8_t *at = p->cells + p->starts[number];

    out->rows = at[0];
    out->columns = at[1];
    memcpy(out->cells, at + 2, (size_t)at[0] * at[1]);
}

/* ---- the file ---- */

/* The slots in words. Newly allocated JSON text. */
static char *slots_text(const struct predictions *p)
{
    cJSON *list = cJSON_CreateArray();
    bool whole = list != NULL;

    for (int i = 0; i < p->slot_count && whole; i++) {
        const struct prediction_slot *slot = &p->slots[i];
        cJSON *item = cJSON_CreateObject();

        whole = cJSON_AddNumberToObject(item, "outer_steps", slot->outer_steps) != NULL &&
                cJSON_AddNumberToObject(item, "rule", slot->rule.kind) != NULL &&
                cJSON_AddNumberToObject(item, "patience", slot->rule.patience) != NULL &&
                cJSON_AddNumberToObject(item, "epsilon", slot->rule.epsilon) != NULL &&
                cJSON_AddItemToArray(list, item);
    }
    char *text = whole ? json_canonical(list) : NULL;
    cJSON_Delete(list);
    return text;
}

/* The tensors, wider types first. names: room for each slot's three. */
static int list_tensors(struct safetensors_tensor *out, char (*names)[NAME_SIZE],
                        const struct predictions *p)
{
    int64_t count = (int64_t)p->rows * p->rollouts;
    int made = 0;

    for (int i = 0; i < p->slot_count; i++) {
        snprintf(names[3 * i], NAME_SIZE, "q_halt.%d", i);
        out[made++] = (struct safetensors_tensor){ .name = names[3 * i],
                                                   .dtype = SAFETENSORS_F64,
                                                   .rank = 1,
                                                   .dims = { count },
                                                   .bytes = (size_t)count * sizeof(double),
                                                   .data = p->slots[i].q_halt };
    }
    out[made++] =
        (struct safetensors_tensor){ .name = "starts",
                                     .dtype = SAFETENSORS_I64,
                                     .rank = 1,
                                     .dims = { p->grid_count + 1 },
                                     .bytes = ((size_t)p->grid_count + 1) * sizeof(int64_t),
                                     .data = p->starts };
    for (int i = 0; i < p->slot_count; i++) {
        const void *data[2] = { p->slots[i].answers, p->slots[i].used };
        static const char *const kinds[2] = { "answers", "used" };

        for (int k = 0; k < 2; k++) {
            snprintf(names[3 * i + 1 + k], NAME_SIZE, "%s.%d", kinds[k], i);
            out[made++] = (struct safetensors_tensor){ .name = names[3 * i + 1 + k],
                                                       .dtype = SAFETENSORS_I32,
                                                       .rank = 1,
                                                       .dims = { count },
                                                       .bytes = (size_t)count * sizeof(int32_t),
                                                       .data = data[k] };
        }
    }
    out[made++] = (struct safetensors_tensor){ .name = "cells",
                                               .dtype = SAFETENSORS_U8,
                                               .rank = 1,
                                               .dims = { p->starts[p->grid_count] },
                                               .bytes = (size_t)p->starts[p->grid_count],
                                               .data = p->cells };
    return made;
}

/* SHA-256 of what the metadata say and of all tensors. */
static void checksum(char hex[HASH_HEX_SIZE], const char *slots, const char *run_hash,
                     const struct safetensors_tensor *const *tensors, int count)
{
    struct hash_state state;

    hash_init(&state);
    hash_add(&state, slots, strlen(slots));
    hash_add(&state, run_hash, strlen(run_hash));
    for (int i = 0; i < count; i++)
        hash_add(&state, tensors[i]->data, tensors[i]->bytes);
    hash_final_hex(&state, hex);
}

/* The header and all tensors in one block. */
static int build(char **out, size_t *size, const struct predictions *p, const char *run_hash,
                 const struct safetensors_tensor *tensors, int count, struct error *err)
{
    char *slots = slots_text(p), *header = NULL, step[32], shape[48], hex[HASH_HEX_SIZE];
    const struct safetensors_tensor **list = calloc((size_t)count + 1, sizeof(void *));
    size_t header_size = 0;
    int rc = slots == NULL || list == NULL ? error_no_memory(err, "the predictions") : 0;

    for (int i = 0; i < count && rc == 0; i++)
        list[i] = &tensors[i];
    if (rc == 0) {
        snprintf(step, sizeof step, "%" PRId64, p->step);
        snprintf(shape, sizeof shape, "%d %d", p->rows, p->rollouts);
        checksum(hex, slots, run_hash, list, count);
        const struct safetensors_pair pairs[PAIRS + 1] = {
            { "format", FORMAT }, { "run_hash", run_hash }, { "step", step },
            { "pass", p->pass },  { "shape", shape },       { "slots", slots },
            { "checksum", hex },
        };
        rc = safetensors_build_header(&header, &header_size, size, tensors, count, pairs,
                                      PAIRS + 1, err);
    }
    *out = rc == 0 ? malloc(*size) : NULL;
    if (rc == 0 && *out == NULL)
        rc = error_no_memory(err, "the predictions");
    if (rc == 0) {
        char *to = *out;

        memcpy(to, header, header_size);
        to += header_size;
        for (int i = 0; i < count; i++) {
            memcpy(to, tensors[i].data, tensors[i].bytes);
            to += tensors[i].bytes;
        }
    }
    free(header);
    free(slots);
    free(list);
    return rc;
}

int predictions_write(const struct predictions *p, const char *path, const char *run_hash,
                      struct error *err)
{
    size_t most = TENSORS_PER_SLOT * (size_t)p->slot_count + 2, size = 0;
    struct safetensors_tensor *tensors = calloc(most, sizeof *tensors);
    char(*names)[NAME_SIZE] = calloc(most, sizeof *names), *data = NULL;
    int rc = tensors == NULL || names == NULL ? error_no_memory(err, "the predictions") : 0;

    if (rc == 0)
        rc = build(&data, &size, p, run_hash, tensors, list_tensors(tensors, names, p), err);
    if (rc == 0)
        rc = file_write_atomic(path, data, size, err);
    free(data);
    free(names);
    free(tensors);
    return rc;
}

static const char *metadata(const struct safetensors_file *file, const char *key)
{
    const cJSON *text = json_member(json_member(safetensors_header(file), "__metadata__"), key);

    return cJSON_IsString(text) ? text->valuestring : "";
}

/* A tensor of that type and number of elements; NULL: it is not there. */
static const void *tensor_data(const struct safetensors_file *file, const char *kind, int slot,
                               enum safetensors_dtype dtype, size_t elements)
{
    char name[NAME_SIZE];

    snprintf(name, sizeof name, slot >= 0 ? "%s.%d" : "%s", kind, slot);
    const struct safetensors_tensor *tensor = safetensors_find(file, name);
    return tensor != NULL && tensor->dtype == dtype && tensor->elements == elements
               ? tensor->data
               : NULL;
}

/* Copies the grids; false: they contradict each other, or there is no memory. */
static bool take_grids(struct predictions *out, const struct safetensors_file *file)
{
    const struct safetensors_tensor *starts = safetensors_find(file, "starts");
    const struct safetensors_tensor *cells = safetensors_find(file, "cells");

    if (starts == NULL || cells == NULL || starts->dtype != SAFETENSORS_I64 ||
        cells->dtype != SAFETENSORS_U8 || starts->elements < 1 || starts->elements > INT32_MAX)
        return false;
    out->grid_count = (int)starts->elements - 1;
    out->starts = malloc(starts->bytes);
    out->cells = malloc(cells->bytes + 1);
    if (out->starts == NULL || out->cells == NULL)
        return false;
    memcpy(out->starts, starts->data, starts->bytes);
    memcpy(out->cells, cells->data, cells->bytes);
    int64_t at = 0;
    for (int i = 0; i < out->grid_count; i++) {
        int64_t next = out->starts[i + 1], left = (int64_t)cells->bytes - at;
        const uint8_t *grid = out->cells + at;

        if (out->starts[i] != at || left < 2 || grid[0] > GRID_MAX_SIDE ||
            grid[1] > GRID_MAX_SIDE || next != at + 2 + (int64_t)grid[0] * grid[1] ||
            next > (int64_t)cells->bytes)
            return false;
        at = next;
    }
    return at == (int64_t)cells->bytes;
}

/* One slot from its words and tensors. */
static bool take_slot(struct predictions *out, int i, const cJSON *words,
                      const struct safetensors_file *file)
{
    struct prediction_slot *slot = &out->slots[i];
    size_t count = (size_t)out->rows * (size_t)out->rollouts;
    const int32_t *answers = tensor_data(file, "answers", i, SAFETENSORS_I32, count);
    const int32_t *used = tensor_data(file, "used", i, SAFETENSORS_I32, count);
    const double *q_halt = tensor_data(file, "q_halt", i, SAFETENSORS_F64, count);
    int64_t kind = json_integer_or(words, "rule", -1);

    if (answers == NULL || used == NULL || q_halt == NULL || kind < HALT_MAX ||
        kind > HALT_SYSTEM)
        return false;
    slot->outer_steps = (int)json_integer_or(words, "outer_steps", 0);
    slot->rule = (struct halt_rule){ .kind = (enum halt_rule_kind)kind,
                                     .patience = (int)json_integer_or(words, "patience", 0),
                                     .epsilon = json_real_or(words, "epsilon", 0.0) };
    for (size_t r = 0; r < count; r++)
        if (answers[r] < -1 || answers[r] >= out->grid_count)
            return false;
    memcpy(slot->answers, answers, count * sizeof *answers);
    memcpy(slot->used, used, count * sizeof *used);
    memcpy(slot->q_halt, q_halt, count * sizeof *q_halt);
    return true;
}

/* Whether format, run and checksum are right. */
static bool is_sound(const struct safetensors_file *file, const char *run_hash)
{
    int count = safetensors_count(file);
    const struct safetensors_tensor **list = calloc((size_t)count + 1, sizeof(void *));
    char hex[HASH_HEX_SIZE] = "";

    for (int i = 0; i < count && list != NULL; i++)
        list[i] = safetensors_at(file, i);
    if (list != NULL)
        checksum(hex, metadata(file, "slots"), run_hash, list, count);
    free(list);
    return strcmp(metadata(file, "format"), FORMAT) == 0 &&
           strcmp(metadata(file, "run_hash"), run_hash) == 0 &&
           strcmp(metadata(file, "checksum"), hex) == 0;
}

static int take_all(struct predictions *out, const struct safetensors_file *file,
                    const char *path, struct error *err)
{
    struct predictions grids = { 0 };
    cJSON *slots = NULL;
    const char *words = metadata(file, "slots");
    int rows = 0, rollouts = 0, i = 0;
    int rc = json_parse(&slots, words, strlen(words), path, err);
    bool good = rc == 0 && cJSON_IsArray(slots) &&
                sscanf(metadata(file, "shape"), "%d %d", &rows, &rollouts) == 2 && rows >= 0 &&
                rollouts >= 1 && take_grids(&grids, file);

    if (good)
        rc = predictions_allocate(out, cJSON_GetArraySize(slots), rows, rollouts, err);
    if (rc == 0 && good) {
        out->cells = grids.cells;
        out->starts = grids.starts;
        out->grid_count = grids.grid_count;
        grids = (struct predictions){ 0 };
        out->step = strtoll(metadata(file, "step"), NULL, 10);
        snprintf(out->pass, sizeof out->pass, "%s", metadata(file, "pass"));
        for (const cJSON *item = slots->child; item != NULL && good; item = item->next)
            good = take_slot(out, i++, item, file);
    }
    predictions_release(&grids);
    cJSON_Delete(slots);
    if (rc == 0 && !good)
        rc = error_set(err, ERROR_DAMAGED, "%s: its parts contradict each other", path);
    if (rc < 0)
        predictions_release(out);
    return rc;
}

int predictions_read(struct predictions *out, const char *path, const char *run_hash,
                     struct error *err)
{
    struct safetensors_file *file = NULL;
    int rc = safetensors_read(&file, path, SIZE_LIMIT, err);

    *out = (struct predictions){ 0 };
    if (rc == ERROR_FORMAT)
        rc = error_set(err, ERROR_DAMAGED, "%s: it is no whole file of predictions", path);
    if (rc == 0 && !is_sound(file, run_hash))
        rc = error_set(err, ERROR_DAMAGED,
                       "%s: not the predictions of this run, or its checksum does not match",
                       path);
    if (rc == 0)
        rc = take_all(out, file, path, err);
    safetensors_destroy(file);
    return rc;
}
