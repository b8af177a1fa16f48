/* step_answers_file.c - the file of step_answers. */
#include "step_answers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "safetensors.h"
#include "sealed_file.h"

static const struct sealed_kind KIND = { "hrmlab-predictions-2",
                                         { "pass", "step", "weights_hash" } };

/* Members that are arrays over outer steps, rollouts and rows, wider types first. */
enum { LOSS, ANSWERS, RIGHT, Q_HALT, Q_CONTINUE, CHANGE, HALTS, SAME, ARRAYS };
enum { TENSORS = ARRAYS + 3 }; /* and the rows' labelled tokens, the grids' two */

struct array {
    const char *name;
    enum safetensors_dtype dtype;
    void *data; /* borrowed */
};

static void list_arrays(struct array out[ARRAYS], const struct step_answers *a)
{
    const struct array arrays[ARRAYS] = {
        [LOSS] = { "loss", SAFETENSORS_F64, a->loss },
        [ANSWERS] = { "answers", SAFETENSORS_I32, a->answers },
        [RIGHT] = { "right", SAFETENSORS_I32, a->right },
        [Q_HALT] = { "q_halt", SAFETENSORS_F32, a->q_halt },
        [Q_CONTINUE] = { "q_continue", SAFETENSORS_F32, a->q_continue },
        [CHANGE] = { "change", SAFETENSORS_F32, a->change },
        [HALTS] = { "halts", SAFETENSORS_U8, a->halts },
        [SAME] = { "same", SAFETENSORS_U8, a->same },
    };

    memcpy(out, arrays, sizeof arrays);
}

static size_t count_of(const struct step_answers *a)
{
    return (size_t)a->outer_steps * (size_t)a->rollouts * (size_t)a->rows;
}

static void list_tensors(struct safetensors_tensor out[TENSORS], const struct step_answers *a)
{
    struct array arrays[ARRAYS];
    struct safetensors_tensor *to = out;

    list_arrays(arrays, a);
    for (int i = 0; i < ARRAYS; i++) {
        if (i == ANSWERS)
            *to++ = grid_list_starts(&a->grids);
        if (i == HALTS)
            *to++ = (struct safetensors_tensor){ .name = "known",
                                                 .dtype = SAFETENSORS_I32,
                                                 .rank = 1,
                                                 .dims = { a->rows },
                                                 .bytes = (size_t)a->rows * sizeof *a->known,
                                                 .data = a->known };
        *to++ = (struct safetensors_tensor){
            .name = arrays[i].name,
            .dtype = arrays[i].dtype,
            .rank = 3,
            .dims = { a->outer_steps, a->rollouts, a->rows },
            .bytes = count_of(a) * safetensors_dtype_size(arrays[i].dtype),
            .data = arrays[i].data,
        };
    }
    *to = grid_list_cells(&a->grids);
}

int step_answers_write(const struct step_answers *a, const char *path, const char *run_hash,
                       struct error *err)
{
    struct safetensors_tensor tensors[TENSORS];
    char step[32];

    snprintf(step, sizeof step, "%" PRId64, a->step);
    list_tensors(tensors, a);
    const struct safetensors_pair pairs[] = {
        { "step", step },
        { "pass", a->pass },
        { "weights_hash", a->weights_hash },
    };
    return sealed_file_write(path, &KIND, run_hash, tensors, TENSORS, pairs,
                             sizeof pairs / sizeof *pairs, err);
}

/* Copies the arrays; false: they contradict each other. */
static bool take_arrays(struct step_answers *out, const struct safetensors_file *file)
{
    struct array arrays[ARRAYS];
    const int32_t *known = sealed_file_data(file, "known", SAFETENSORS_I32, (size_t)out->rows);

    if (known == NULL)
        return false;
    memcpy(out->known, known, (size_t)out->rows * sizeof *known);
    list_arrays(arrays, out);
    for (int i = 0; i < ARRAYS; i++) {
        const void *data =
            sealed_file_data(file, arrays[i].name, arrays[i].dtype, count_of(out));

        if (data == NULL)
            return false;
        memcpy(arrays[i].data, data, count_of(out) * safetensors_dtype_size(arrays[i].dtype));
    }
    for (size_t i = 0; i < count_of(out); i++)
        if (out->answers[i] < -1 || out->answers[i] >= out->grids.count)
            return false;
    return true;
}

static int take_all(struct step_answers *out, const struct safetensors_file *file,
                    const char *path, struct error *err)
{
    const struct safetensors_tensor *answers = safetensors_find(file, "answers");
    struct grid_list grids = { 0 };
    bool good = answers != NULL && answers->rank == 3 && answers->dims[0] >= 1 &&
                answers->dims[1] >= 1 && answers->elements <= INT32_MAX;
    int rc = 0;

    if (good)
        rc = grid_list_take(&grids, file, path, err);
    if (good && rc == 0)
        rc = step_answers_allocate(out, (int)answers->dims[0], (int)answers->dims[1],
                                   (int)answers->dims[2], err);
    if (good && rc == 0) {
        out->grids = grids;
        grids = (struct grid_list){ 0 };
        out->step = strtoll(sealed_file_text(file, "step"), NULL, 10);
        snprintf(out->pass, sizeof out->pass, "%s", sealed_file_text(file, "pass"));
        snprintf(out->weights_hash, sizeof out->weights_hash, "%s",
                 sealed_file_text(file, "weights_hash"));
        good = take_arrays(out, file);
    }
    grid_list_release(&grids);
    if (rc == 0 && !good)
        rc = sealed_file_contradicts(path, err);
    if (rc < 0)
        step_answers_release(out);
    return rc;
}

int step_answers_read(struct step_answers *out, const char *path, const char *run_hash,
                      struct error *err)
{
    struct safetensors_file *file = NULL;
    int rc = sealed_file_read(&file, path, &KIND, run_hash, err);

    *out = (struct step_answers){ 0 };
    if (rc == 0)
        rc = take_all(out, file, path, err);
    safetensors_destroy(file);
    return rc;
}
