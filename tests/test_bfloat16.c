/*
 * test_bfloat16.c - the bfloat16 forward pass: near the published model's recorded step, the same
 * model with every kernel set, really rounded, and as deterministic as float32.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "golden_config.h"
#include "json.h"
#include "safetensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT ((size_t)1 << 30)
/* bfloat16 has 8 bits, so one rounding is wrong by up to 0.4 %, and a segment here is twelve layers
 * deep. Distances from the float32 run: outputs 2.3 to 3.9 %, gradients up to 6.5 %, but those of
 * the first layer's qkv and of what lies before it 10 to 16 %. PyTorch's in bfloat16 on the
 * same step (peer_torch.py): 2.4 to 3.2 %, 5.4 % and 10 to 14 %. */
static const double OUTPUT_LIMIT = 0.05, GRADIENT_LIMIT = 0.08, FIRST_LIMIT = 0.2, LEAST = 5e-4;

struct recorded {
    cJSON *json;
    struct golden_config config;
    struct safetensors_file *file, *base;
};

static void recorded_load(struct recorded *r)
{
    struct error err;

    if (json_read_file(&r->json, "tests/golden/hrm_1step.json", JSON_SPEC_LIMIT, &err) < 0 ||
        golden_config_read(&r->config, r->json, "hrm_1step.json", &err) < 0 ||
        safetensors_read(&r->file, "tests/golden/hrm_1step.safetensors", LIMIT, &err) < 0 ||
        safetensors_read(&r->base, "tests/golden/hrm_2x2_rope_stablemax_act.safetensors", LIMIT,
                         &err) < 0)
        fail_msg("%s", err.message);
}

static void recorded_release(struct recorded *r)
{
    safetensors_destroy(r->file);
    safetensors_destroy(r->base);
    cJSON_Delete(r->json);
}

static const struct safetensors_tensor *tensor_of(const struct safetensors_file *file,
                                                  const char *front, const char *name)
{
    char whole[200];

    snprintf(whole, sizeof whole, "%s%s", front, name);
    return safetensors_find(file, whole);
}

static const int32_t *batch_of(const struct recorded *r, const char *name)
{
    const struct safetensors_tensor *tensor = tensor_of(r->file, "step0/batch_", name);

    assert_non_null(tensor);
    assert_int_equal(tensor->dtype, SAFETENSORS_I32);
    return tensor->data;
}

static void set_recorded_weights(const struct recorded *r, struct engine *engine)
{
    for (int i = 0; i < engine_state_count(engine); i++) {
        struct engine_state state;

        engine_state_describe(engine, i, &state);
        const struct safetensors_tensor *tensor = tensor_of(r->base, "param0/", state.name);
        if (tensor != NULL)
            engine_state_set(engine, i, tensor->data);
        else
            assert_true(state.kind != ENGINE_PARAMETER && state.kind != ENGINE_BUFFER);
    }
}

/* An engine that has made the recorded first step in this type. */
static struct engine *first_step(const struct recorded *r, enum engine_forward_dtype dtype,
                                 struct engine_result *result)
{
    struct engine_config config = r->config.engine;
    struct engine *engine;
    struct error err;

    config.forward_dtype = dtype;
    if (engine_create(&engine, &config, &err) < 0)
        fail_msg("%s", err.message);
    engine_initialise(engine, 1);
    set_recorded_weights(r, engine);
    struct engine_batch batch = { batch_of(r, "inputs"), batch_of(r, "labels"),
                                  batch_of(r, "puzzle_identifiers") };
    assert_int_equal(engine_train_step(engine, &batch, NULL, result), 0);
    return engine;
}

/* |x - y| / |y|, every stride-th element of x. */
static double distance(const float *x, const float *y, size_t count, size_t stride)
{
    double squares = 0.0, all = 0.0;

    for (size_t i = 0; i < count; i++) {
        double difference = (double)x[i * stride] - (double)y[i];
        squares += difference * difference;
        all += (double)y[i] * (double)y[i];
    }
    return sqrt(squares / all);
}

static float *output_of(const struct engine *engine, enum engine_output output)
{
    float *values = malloc(engine_output_size(engine, output));

    assert_non_null(values);
    engine_read(engine, output, values);
    return values;
}

static void check_near(const char *set, const char *what, double distance, double limit)
{
    if (!(distance >= LEAST && distance <= limit))
        fail_msg("%s %s: %.3g from the recorded, expected %g to %g", set, what, distance, LEAST,
                 limit);
}

static void check_outputs(const struct recorded *r, const struct engine *engine,
                          const char *set)
{
    static const struct {
        enum engine_output output;
        const char *name;
    } OUTPUTS[] = { { ENGINE_LOGITS, "logits" }, { ENGINE_Z_H, "z_H" }, { ENGINE_Z_L, "z_L" } };

    for (size_t i = 0; i < sizeof OUTPUTS / sizeof *OUTPUTS; i++) {
        const struct safetensors_tensor *want = tensor_of(r->file, "step0/", OUTPUTS[i].name);
        float *values = output_of(engine, OUTPUTS[i].output);

        assert_non_null(want);
        check_near(set, OUTPUTS[i].name, distance(values, want->data, want->elements, 1),
                   OUTPUT_LIMIT);
        for (size_t k = 0; k < want->elements; k++) {
            uint32_t bits;
            memcpy(&bits, &values[k], sizeof bits);
            if ((bits & 0xffff) != 0)
                fail_msg("%s %s: element %zu is no bfloat16", set, OUTPUTS[i].name, k);
        }
        free(values);
    }
}

/* Returns how many gradients were compared. */
static int check_gradients(const struct recorded *r, const struct engine *engine,
                           const char *set)
{
    int compared = 0;

    for (int i = 0; i < engine_state_count(engine); i++) {
        struct engine_state state;

        engine_state_describe(engine, i, &state);
        if (state.kind != ENGINE_PARAMETER)
            continue;
        const struct safetensors_tensor *whole = tensor_of(r->file, "step0/grad/", state.name);
        const struct safetensors_tensor *sample =
            tensor_of(r->file, "step0/grad_sample/", state.name);
        const struct safetensors_tensor *want = whole != NULL ? whole : sample;
        float *values = malloc(state.bytes);
        assert_non_null(want);
        assert_non_null(values);
        engine_gradient_get(engine, i, values);
        check_near(set, state.name,
                   distance(values, want->data, want->elements,
                            whole != NULL ? 1 : (size_t)r->config.sample_stride),
                   strstr(state.name, "embed") != NULL ||
                           strstr(state.name, "L_level.layers.0.self_attn.qkv") != NULL
                       ? FIRST_LIMIT
                       : GRADIENT_LIMIT);
        free(values);
        compared++;
    }
    return compared;
}

static void every_kernel_set_is_near_the_recorded_step(void **state)
{
    (void)state;
    struct recorded r = { 0 };
    const char *set;

    recorded_load(&r);
    for (int s = 0; (set = engine_kernel_set_name(s)) != NULL; s++) {
        struct engine_result result;
        struct error err;

        if (engine_select_kernels(set, &err) < 0) {
            print_message("skipped: %s\n", err.message);
            continue;
        }
        struct engine *engine = first_step(&r, ENGINE_BFLOAT16, &result);
        const double *loss = tensor_of(r.file, "step0/", "lm_loss")->data;
        assert_true(fabs(result.lm_loss - *loss) < 0.01 * *loss);
        assert_true(result.lm_loss != *loss);
        check_outputs(&r, engine, set);
        assert_true(check_gradients(&r, engine, set) >= 20);
        engine_destroy(engine);
    }
    assert_int_equal(engine_select_kernels(NULL, NULL), 0);
    recorded_release(&r);
}

/* Instructions of the processor or rounded operands and OpenBLAS: it is the same model. What may
 * differ is a sum that falls to the other side of a rounding; one in the first layer makes up to
 * 1.1 % of the last one's outputs here. Heads by themselves are compared in test_attention.c. */
static void kernel_sets_agree_more_closely_than_types(void **state)
{
    (void)state;
    struct recorded r = { 0 };
    struct engine_result result;
    float *first = NULL;
    const char *set;

    recorded_load(&r);
    size_t count = tensor_of(r.file, "step0/", "logits")->elements;
    for (int s = 0; (set = engine_kernel_set_name(s)) != NULL; s++) {
        if (engine_select_kernels(set, NULL) < 0)
            continue;
        struct engine *engine = first_step(&r, ENGINE_BFLOAT16, &result);
        float *logits = output_of(engine, ENGINE_LOGITS);

        if (first != NULL && !(distance(logits, first, count, 1) < 0.02))
            fail_msg("%s: logits %.3g from those of %s", set, distance(logits, first, count, 1),
                     engine_kernel_set_name(0));
        engine_destroy(engine);
        if (first == NULL)
            first = logits;
        else
            free(logits);
    }
    assert_int_equal(engine_select_kernels(NULL, NULL), 0);
    free(first);
    recorded_release(&r);
}

static double evaluated_loss(const struct recorded *r, struct engine *engine)
{
    struct engine_batch batch = { batch_of(r, "inputs"), batch_of(r, "labels"),
                                  batch_of(r, "puzzle_identifiers") };
    struct engine_result result;

    engine_evaluate_begin(engine, &batch, r->config.engine.batch_size);
    assert_int_equal(engine_evaluate_step(engine, &result), 0);
    return result.loss;
}

/* An evaluation rounds and packs the weights; those set or drawn afterwards are others. */
static void weights_that_are_set_are_those_that_count(void **state)
{
    (void)state;
    struct recorded r = { 0 };
    struct engine *engine;
    struct error err;

    recorded_load(&r);
    r.config.engine.forward_dtype = ENGINE_BFLOAT16;
    if (engine_create(&engine, &r.config.engine, &err) < 0)
        fail_msg("%s", err.message);
    engine_initialise(engine, 1);
    double drawn = evaluated_loss(&r, engine);
    set_recorded_weights(&r, engine);
    double recorded = evaluated_loss(&r, engine);
    engine_initialise(engine, 1);
    set_recorded_weights(&r, engine); /* this time nothing was rounded before */
    assert_true(evaluated_loss(&r, engine) == recorded && recorded != drawn);
    engine_initialise(engine, 1);
    assert_true(evaluated_loss(&r, engine) == drawn);
    engine_destroy(engine);
    recorded_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_set_is_near_the_recorded_step),
        cmocka_unit_test(kernel_sets_agree_more_closely_than_types),
        cmocka_unit_test(weights_that_are_set_are_those_that_count),
    };

    return cmocka_run_group_tests_name("bfloat16", tests, NULL, NULL);
}
