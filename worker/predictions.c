/* predictions.c - answers by number, in memory and in a file. */
#include "predictions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "json.h"
#include "safetensors.h"
#include "sealed_file.h"

static const struct sealed_kind KIND = { "hrmlab-predictions-1", { "slots" } };

enum { TENSORS_PER_SLOT = 3, NAME_SIZE = 32 };

void predictions_release(struct predictions *p)
{
    for (int i = 0; i < p->slot_count; i++) {
        free(p->slots[i].answers);
        free(p->slots[i].used);
        free(p->slots[i].q_halt);
    }
    free(p->slots);
    grid_list_release(&p->grids);
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
    out[made++] = grid_list_starts(&p->grids);
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
    out[made++] = grid_list_cells(&p->grids);
    return made;
}

int predictions_write(const struct predictions *p, const char *path, const char *run_hash,
                      struct error *err)
{
    size_t most = TENSORS_PER_SLOT * (size_t)p->slot_count + 2;
    struct safetensors_tensor *tensors = calloc(most, sizeof *tensors);
    char(*names)[NAME_SIZE] = calloc(most, sizeof *names);
    char *slots = slots_text(p), step[32], shape[48];
    int rc = tensors == NULL || names == NULL || slots == NULL
                 ? error_no_memory(err, "the predictions")
                 : 0;

    if (rc == 0) {
        snprintf(step, sizeof step, "%" PRId64, p->step);
        snprintf(shape, sizeof shape, "%d %d", p->rows, p->rollouts);
        const struct safetensors_pair pairs[] = {
            { "step", step },
            { "pass", p->pass },
            { "shape", shape },
            { "slots", slots },
        };
        rc = sealed_file_write(path, &KIND, run_hash, tensors, list_tensors(tensors, names, p),
                               pairs, sizeof pairs / sizeof *pairs, err);
    }
    free(slots);
    free(names);
    free(tensors);
    return rc;
}

/* A tensor of that type and number of elements; NULL: it is not there. */
static const void *tensor_data(const struct safetensors_file *file, const char *kind, int slot,
                               enum safetensors_dtype dtype, size_t elements)
{
    char name[NAME_SIZE];

    snprintf(name, sizeof name, "%s.%d", kind, slot);
    return sealed_file_data(file, name, dtype, elements);
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
        if (answers[r] < -1 || answers[r] >= out->grids.count)
            return false;
    memcpy(slot->answers, answers, count * sizeof *answers);
    memcpy(slot->used, used, count * sizeof *used);
    memcpy(slot->q_halt, q_halt, count * sizeof *q_halt);
    return true;
}

/* Whether the first slot's tensors, if there is one, are of that shape, which the
 * checksum does not cover. */
static bool has_shape(const struct safetensors_file *file, int slots, int rows, int rollouts)
{
    const struct safetensors_tensor *answers = safetensors_find(file, "answers.0");

    return rows >= 0 && rollouts >= 1 &&
           (slots == 0 ||
            (answers != NULL && answers->elements == (size_t)rows * (size_t)rollouts));
}

static int take_all(struct predictions *out, const struct safetensors_file *file,
                    const char *path, struct error *err)
{
    struct grid_list grids = { 0 };
    cJSON *slots = NULL;
    const char *words = sealed_file_text(file, "slots");
    int rows = 0, rollouts = 0, i = 0;
    int rc = json_parse(&slots, words, strlen(words), path, err);
    bool good = rc == 0 && cJSON_IsArray(slots) &&
                sscanf(sealed_file_text(file, "shape"), "%d %d", &rows, &rollouts) == 2 &&
                has_shape(file, cJSON_GetArraySize(slots), rows, rollouts);

    if (good)
        rc = grid_list_take(&grids, file, path, err);
    if (rc == 0 && good)
        rc = predictions_allocate(out, cJSON_GetArraySize(slots), rows, rollouts, err);
    if (rc == 0 && good) {
        out->grids = grids;
        grids = (struct grid_list){ 0 };
        out->step = strtoll(sealed_file_text(file, "step"), NULL, 10);
        snprintf(out->pass, sizeof out->pass, "%s", sealed_file_text(file, "pass"));
        for (const cJSON *item = slots->child; item != NULL && good; item = item->next)
            good = take_slot(out, i++, item, file);
    }
    grid_list_release(&grids);
    cJSON_Delete(slots);
    if (rc == 0 && !good)
        rc = sealed_file_contradicts(path, err);
    if (rc < 0)
        predictions_release(out);
    return rc;
}

int predictions_read(struct predictions *out, const char *path, const char *run_hash,
                     struct error *err)
{
    struct safetensors_file *file = NULL;
    int rc = sealed_file_read(&file, path, &KIND, run_hash, err);

    *out = (struct predictions){ 0 };
    if (rc == 0)
        rc = take_all(out, file, path, err);
    safetensors_destroy(file);
    return rc;
}
