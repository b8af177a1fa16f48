/* bench_export.c - one training step of ours as a golden-1 case, for another to replay. */
#include "bench.h"

#include "error.h"
#include "file.h"
#include "support/safetensors_file.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS_BEFORE = 5, MOST_TENSORS = 200 };

struct list {
    struct safetensors_tensor tensors[MOST_TENSORS];
    char names[MOST_TENSORS][128];
    void *owned[MOST_TENSORS];
    int count;
};

/* Takes data over. */
static void put(struct list *list, const char *name, enum safetensors_dtype dtype, int rank,
                const int64_t *dims, void *data)
{
    int i = list->count++;

    if (i == MOST_TENSORS || data == NULL)
        bench_fail("no room for %s", name);
    snprintf(list->names[i], sizeof list->names[i], "%s", name);
    list->tensors[i] = (struct safetensors_tensor){
        .name = list->names[i], .dtype = dtype, .rank = rank, .data = data
    };
    memcpy(list->tensors[i].dims, dims, (size_t)rank * sizeof *dims);
    list->owned[i] = data;
}

static void *copy(const void *data, size_t bytes)
{
    void *out = malloc(bytes);

    if (out == NULL)
        bench_fail("no memory");
    return memcpy(out, data, bytes);
}

static void put_real(struct list *list, const char *name, double value)
{
    put(list, name, SAFETENSORS_F64, 1, (int64_t[]){ 1 }, copy(&value, sizeof value));
}

static void put_output(struct list *list, const struct bench_model *model, const char *name,
                       enum engine_output output, int rank, const int64_t *dims)
{
    void *data = malloc(engine_output_size(model->engine, output));

    if (data == NULL)
        bench_fail("no memory");
    engine_read(model->engine, output, data);
    put(list, name, SAFETENSORS_F32, rank, dims, data);
}

static void put_parameters(struct list *list, const struct engine *engine)
{
    for (int i = 0; i < engine_state_count(engine); i++) {
        struct engine_state state;
        char name[128];

        engine_state_describe(engine, i, &state);
        if (state.kind != ENGINE_PARAMETER && state.kind != ENGINE_BUFFER)
            continue;
        void *data = malloc(state.bytes);
        if (data == NULL)
            bench_fail("no memory");
        engine_state_get(engine, i, data);
        snprintf(name, sizeof name, "param0/%s", state.name);
        put(list, name, SAFETENSORS_F32, state.rank, state.dims, data);
    }
}

static void put_batch(struct list *list, const struct bench_case *c, const char *prefix,
                      const struct engine_batch *batch)
{
    size_t cells = (size_t)c->batch * (size_t)c->tokens * sizeof(int32_t);
    int64_t dims[] = { c->batch, c->tokens };
    char name[128];

    snprintf(name, sizeof name, "%s/batch_inputs", prefix);
    put(list, name, SAFETENSORS_I32, 2, dims, copy(batch->inputs, cells));
    snprintf(name, sizeof name, "%s/batch_labels", prefix);
    put(list, name, SAFETENSORS_I32, 2, dims, copy(batch->labels, cells));
    snprintf(name, sizeof name, "%s/batch_puzzle_identifiers", prefix);
    put(list, name, SAFETENSORS_I32, 1, dims,
        copy(batch->puzzle_identifiers, (size_t)c->batch * sizeof(int32_t)));
}

/* As at the start of a training, but for the weights: rows take the next batch offered, the
 * optimizer has made no step. */
static void start_afresh(struct engine *engine)
{
    for (int i = 0; i < engine_state_count(engine); i++) {
        struct engine_state state;

        engine_state_describe(engine, i, &state);
        bool halted = strcmp(state.name, "carry.halted") == 0;
        if (state.kind != ENGINE_OPTIMIZER && !halted)
            continue;
        void *data = malloc(state.bytes);
        if (data == NULL)
            bench_fail("no memory");
        memset(data, halted ? 1 : 0, state.bytes);
        engine_state_set(engine, i, data);
        free(data);
    }
}

static char *describe(const struct bench_model *model, const struct bench_case *c)
{
    const struct engine_config *e = &model->config;
    cJSON *out = cJSON_CreateObject();

    cJSON_AddStringToObject(out, "case", c->name);
    cJSON_AddStringToObject(out, "model", system_facts(e->system)->name);
    cJSON_AddStringToObject(out, "loss_type", "stablemax_cross_entropy");
    cJSON *arch = cJSON_AddObjectToObject(out, "arch");
    cJSON_AddNumberToObject(arch, "batch_size", e->batch_size);
    cJSON_AddNumberToObject(arch, "seq_len", e->seq_len);
    cJSON_AddNumberToObject(arch, "vocab_size", e->vocab_size);
    cJSON_AddNumberToObject(arch, "num_puzzle_identifiers", e->num_puzzle_identifiers);
    cJSON_AddNumberToObject(arch, "puzzle_emb_ndim", e->puzzle_emb_ndim);
    cJSON_AddNumberToObject(arch, "puzzle_emb_len", e->puzzle_emb_ndim > 0 ? 1 : 0);
    cJSON_AddNumberToObject(arch, "H_cycles", e->H_cycles);
    cJSON_AddNumberToObject(arch, "L_cycles", e->L_cycles);
    cJSON_AddNumberToObject(arch, "H_layers", e->H_layers);
    cJSON_AddNumberToObject(arch, "L_layers", e->L_layers);
    cJSON_AddNumberToObject(arch, "hidden_size", e->hidden_size);
    cJSON_AddNumberToObject(arch, "expansion", 4.0);
    cJSON_AddNumberToObject(arch, "intermediate_size", e->intermediate_size);
    cJSON_AddNumberToObject(arch, "num_heads", e->num_heads);
    cJSON_AddStringToObject(arch, "pos_encodings", "rope");
    cJSON_AddNumberToObject(arch, "rms_norm_eps", e->rms_norm_eps);
    cJSON_AddNumberToObject(arch, "rope_theta", e->rope_theta);
    cJSON_AddNumberToObject(arch, "halt_max_steps", e->halt_max_steps);
    cJSON_AddNumberToObject(arch, "halt_exploration_prob", 0.1);
    cJSON_AddStringToObject(arch, "forward_dtype", "float32");
    cJSON *train = cJSON_AddObjectToObject(out, "train");
    cJSON_AddNumberToObject(train, "global_batch_size", e->global_batch_size);
    cJSON_AddNumberToObject(train, "steps", 1);
    cJSON_AddNumberToObject(train, "lr", e->lr);
    cJSON_AddNumberToObject(train, "lr_min_ratio", e->lr_min_ratio);
    cJSON_AddNumberToObject(train, "lr_warmup_steps", (double)e->lr_warmup_steps);
    cJSON_AddNumberToObject(train, "total_steps", (double)e->total_steps);
    cJSON_AddNumberToObject(train, "weight_decay", e->weight_decay);
    cJSON_AddNumberToObject(train, "beta1", e->beta1);
    cJSON_AddNumberToObject(train, "beta2", e->beta2);
    cJSON_AddNumberToObject(train, "puzzle_emb_lr", e->puzzle_emb_lr);
    cJSON_AddNumberToObject(train, "puzzle_emb_weight_decay", e->puzzle_emb_weight_decay);
    cJSON_AddNumberToObject(train, "target_q_update_every", e->target_q_update_every);
    cJSON_AddNumberToObject(train, "ema_rate", 0);
    char *text = cJSON_Print(out);
    cJSON_Delete(out);
    return text;
}

static void write_case(struct list *list, const char *prefix, char *text)
{
    static const struct safetensors_pair metadata[] = { { "case", "bench" },
                                                        { "format", "golden-1" },
                                                        { "sample_stride", "1" } };
    struct error err = { 0 };
    char *path = format_string("%s.safetensors", prefix);
    char *config = format_string("%s.json", prefix);
    int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0 || config == NULL || text == NULL)
        bench_fail("%s: cannot be written", prefix);
    if (safetensors_write(fd, path, list->tensors, list->count, metadata, 3, &err) < 0 ||
        file_write_atomic(config, text, strlen(text), &err) < 0)
        bench_fail("%s", err.message);
    close(fd);
    free(path);
    free(config);
}

cJSON *bench_child_export(const struct bench_case *c, const char *prefix)
{
    struct bench_model model;
    struct engine_result result;
    struct list *list = calloc(1, sizeof *list);
    int64_t dims[] = { c->batch, c->tokens, c->vocabulary };

    if (list == NULL)
        bench_fail("no memory");
    bench_model_create(&model, c);
    for (int i = 0; i < STEPS_BEFORE; i++)
        bench_train_step(&model, NULL);
    start_afresh(model.engine);
    struct list *later = calloc(1, sizeof *later); /* F32 and I32: after the F64 */
    if (later == NULL)
        bench_fail("no memory");
    put_parameters(later, model.engine);
    const struct engine_batch *batch = &model.batches[model.next % 4];
    bench_train_step(&model, &result);
    put_real(list, "step0/lm_loss", result.lm_loss);
    put_real(list, "step0/q_halt_loss", result.q_halt_loss);
    put_real(list, "step0/q_continue_loss", result.q_continue_loss);
    put_real(list, "step0/loss", result.loss);
    for (int i = 0; i < later->count; i++)
        put(list, later->names[i], SAFETENSORS_F32, later->tensors[i].rank,
            later->tensors[i].dims, later->owned[i]);
    put_output(list, &model, "step0/logits", ENGINE_LOGITS, 3, dims);
    put_output(list, &model, "step0/q_halt_logits", ENGINE_Q_HALT, 1, dims);
    put_output(list, &model, "step0/target_q_continue", ENGINE_TARGET_Q_CONTINUE, 1, dims);
    engine_evaluate_begin(model.engine, batch, c->batch);
    struct engine_result evaluated;
    int rc = engine_evaluate_step(model.engine, &evaluated);
    assert(rc == 0); /* no watch stops it */
    (void)rc;
    put_output(list, &model, "eval1/logits", ENGINE_LOGITS, 3, dims);
    put_batch(list, c, "step0", batch);
    put_batch(list, c, "eval", batch);
    put(list, "step0/min_halt_steps", SAFETENSORS_I32, 1, dims,
        copy(model.min_halt_steps, (size_t)c->batch * sizeof(int32_t)));
    char *text = describe(&model, c);
    write_case(list, prefix, text);
    cJSON_free(text);
    for (int i = 0; i < list->count; i++)
        free(list->owned[i]);
    free(list);
    free(later);
    bench_model_destroy(&model);
    cJSON *out = cJSON_CreateObject();
    cJSON_AddNumberToObject(out, "loss", result.loss);
    return out;
}
