/*
 * test_golden.c - recorded runs of the published model are matched, and the program that says
 * so notices every kind of deviation, omission and damage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "golden_case.h"
#include "json.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const FOLDER = "tests/golden";
static const char *const CASE = "hrm_2x2_targetq_every4";
static const char *const BASE = "hrm_2x2_rope_stablemax_act";
#define LIMIT ((size_t)1 << 30)
enum { MOST_KINDS = 100, KIND_SIZE = 96 };

/* One case in memory, so that its bytes can be changed. */
struct golden {
    cJSON *json;
    struct golden_config config;
    char *bytes;
    size_t size;
    struct safetensors_file *base;
};

static void golden_load(struct golden *g)
{
    char *json_path = format_string("%s/%s.json", FOLDER, CASE);
    char *path = format_string("%s/%s.safetensors", FOLDER, CASE);
    char *base_path = format_string("%s/%s.safetensors", FOLDER, BASE);
    struct error err = { 0 };

    *g = (struct golden){ 0 };
    if (json_read_file(&g->json, json_path, JSON_SPEC_LIMIT, &err) < 0 ||
        golden_config_read(&g->config, g->json, json_path, &err) < 0 ||
        file_read(&g->bytes, &g->size, path, LIMIT, &err) < 0 ||
        safetensors_read(&g->base, base_path, LIMIT, &err) < 0)
        fail_msg("%s", err.message);
    free(json_path);
    free(path);
    free(base_path);
}

static void golden_release(struct golden *g)
{
    safetensors_destroy(g->base);
    cJSON_Delete(g->json);
    free(g->bytes);
}

/* Replays the bytes as they are now; the file must be readable. */
static struct golden_report golden_replay(const struct golden *g, bool strict)
{
    struct golden_report report = { .strict = strict };
    struct safetensors_file *file;
    struct error err;

    if (safetensors_parse(&file, g->bytes, g->size, "case", &err) < 0 ||
        golden_case_replay(&report, &g->config, file, g->base, &err) < 0)
        fail_msg("%s", err.message);
    safetensors_destroy(file);
    return report;
}

static void check_case(const char *path, bool must_pass)
{
    struct golden_report report = { .out = stdout };
    struct error err;

    if (golden_case_run(&report, path, &err) < 0)
        fail_msg("%s", err.message);
    if (must_pass && report.failures > 0)
        fail_msg("%s: %d failures", path, report.failures);
    assert_true(must_pass ? report.values > 1000 : report.failures > 0);
}

/* Runs check under every kernel set that this CPU has, then goes back to the default one. */
static void with_every_kernel_set(void (*check)(void))
{
    const char *set;
    int sets = 0;

    for (int s = 0; (set = engine_kernel_set_name(s)) != NULL; s++) {
        struct error err;

        if (engine_select_kernels(set, &err) < 0) {
            print_message("skipped: %s\n", err.message);
            continue;
        }
        print_message("kernel set %s\n", set);
        check();
        sets++;
    }
    assert_true(sets > 0);
    assert_int_equal(engine_select_kernels(NULL, NULL), 0);
}

static void check_own_cases(void)
{
    check_case("tests/golden/hrm_1step.safetensors", true);
    check_case("tests/golden/hrm_2x2_targetq_every4.json", true);
    check_case("tests/golden/trm_small_ema.safetensors", true);
}

static void every_kernel_set_matches_the_recorded_runs(void **state)
{
    (void)state;
    with_every_kernel_set(check_own_cases);
}

/* ../shared/golden/NAME.safetensors, fresh. */
static char *shared_case(const char *name)
{
    const char *shared = getenv("HRMLAB_SHARED");

    return format_string("%s/golden/%s.safetensors", shared == NULL ? "../shared" : shared,
                         name);
}

/* All but those that stand with the tests. */
static const char *const PUBLIC_CASES[] = {
    "hrm_1x1_learned_softmax_noact",
    "hrm_2x2_exploration",
    "hrm_2x2_puzzlelen2",
    "hrm_2x2_rope_stablemax_act",
    "hrm_2x3_nopuzzle_rope",
    "transformer_rope_stablemax_act",
    "trm_small",
};
enum { PUBLIC_CASE_COUNT = sizeof PUBLIC_CASES / sizeof *PUBLIC_CASES };

static void check_public_cases(void)
{
    for (int i = 0; i < PUBLIC_CASE_COUNT; i++) {
        char *path = shared_case(PUBLIC_CASES[i]);

        check_case(path, true);
        free(path);
    }
}

static void every_kernel_set_matches_all_public_cases(void **state)
{
    (void)state;
    for (int i = 0; i < PUBLIC_CASE_COUNT; i++) {
        char *path = shared_case(PUBLIC_CASES[i]);
        bool there = file_exists(path);

        if (!there)
            print_message("skipped: there is no %s\n", path);
        free(path);
        if (!there)
            skip();
    }
    with_every_kernel_set(check_public_cases);
}

/* "step3/grad/inner.x.weight" is of the kind "step/grad/": digits and what follows them in a
 * parameter's name do not matter. */
static void kind_of(char kind[KIND_SIZE], const char *name)
{
    const char *parameter = strstr(name, "/inner.");
    const char *end = parameter != NULL ? parameter + 1 : name + strlen(name);
    size_t at = 0;

    for (const char *c = name; c < end && at < KIND_SIZE - 1; c++)
        if (!isdigit((unsigned char)*c))
            kind[at++] = *c;
    kind[at] = '\0';
}

static bool is_input(const char *name)
{
    return strncmp(name, "param0/", 7) == 0 || strstr(name, "batch_") != NULL ||
           strstr(name, "min_halt_steps") != NULL;
}

/* Changes element i of a tensor in place by more than its limit; not_a_number: to that. */
static void perturb(const struct golden *g, const struct safetensors_tensor *tensor, size_t i,
                    bool not_a_number)
{
    char *at = g->bytes + ((const char *)tensor->data - g->bytes) +
               i * safetensors_dtype_size(tensor->dtype);
    bool rate = strstr(tensor->name, "lr") != NULL;
    double value = golden_value(tensor->data, tensor->dtype, i);
    double changed = not_a_number ? (double)NAN
                     : rate       ? value * (1.0 + 1e-10)
                                  : value + 0.02 * (1.0 + fabs(value));
    float narrow = (float)changed;
    int32_t integer = (int32_t)value + 1;

    switch (tensor->dtype) {
    case SAFETENSORS_F32:
        memcpy(at, &narrow, sizeof narrow);
        break;
    case SAFETENSORS_F64:
        memcpy(at, &changed, sizeof changed);
        break;
    case SAFETENSORS_I32:
        memcpy(at, &integer, sizeof integer);
        break;
    case SAFETENSORS_U8:
        *at ^= 1;
        break;
    case SAFETENSORS_I64:
    case SAFETENSORS_BF16:
    case SAFETENSORS_DTYPE_COUNT:
        fail_msg("%s: unexpected type", tensor->name);
    }
}

/* Perturbs one element, replays, demands that this tensor and no other is named, restores. */
static void check_perturbed(struct golden *g, const struct safetensors_tensor *tensor,
                            size_t element, bool not_a_number, bool strict)
{
    size_t offset = (size_t)((const char *)tensor->data - g->bytes);
    char *saved = malloc(tensor->bytes);
    assert_non_null(saved);

    memcpy(saved, tensor->data, tensor->bytes);
    perturb(g, tensor, element, not_a_number);
    struct golden_report report = golden_replay(g, strict);
    if (report.failures != 1 || strcmp(report.first_failure, tensor->name) != 0)
        fail_msg("%s perturbed: %d failures, the first in \"%s\"", tensor->name,
                 report.failures, report.first_failure);
    memcpy(g->bytes + offset, saved, tensor->bytes);
    free(saved);
}

/* One tensor of each kind that is compared. Returns how many there are. */
static int one_of_each_kind(const struct safetensors_tensor *chosen[MOST_KINDS],
                            const struct safetensors_file *names)
{
    static char kinds[MOST_KINDS][KIND_SIZE];
    int count = 0;

    for (int i = 0; i < safetensors_count(names); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(names, i);
        char kind[KIND_SIZE];
        bool seen = is_input(tensor->name);

        kind_of(kind, tensor->name);
        for (int k = 0; k < count && !seen; k++)
            seen = strcmp(kinds[k], kind) == 0;
        if (seen)
            continue;
        assert_true(count < MOST_KINDS);
        memcpy(kinds[count], kind, KIND_SIZE);
        chosen[count++] = tensor;
    }
    return count;
}

/* Whether the tensor is perturbed in this round: with NaN only a float can be. */
static bool takes_part(const struct safetensors_tensor *tensor, bool not_a_number)
{
    return !not_a_number || tensor->dtype == SAFETENSORS_F32 ||
           tensor->dtype == SAFETENSORS_F64;
}

/* Perturbs one element of each of these tensors, replays once, demands that each is named once
 * and nothing else, restores. */
static void check_all_perturbed(struct golden *g,
                                const struct safetensors_tensor *const *chosen, int count,
                                bool not_a_number)
{
    struct golden_report report = { .strict = true, .verbose = true };
    struct safetensors_file *file;
    struct error err;
    char *saved = malloc(g->size), *text = NULL, line[KIND_SIZE + 200];
    size_t size;
    int perturbed = 0;

    assert_non_null(saved);
    memcpy(saved, g->bytes, g->size);
    for (int i = 0; i < count; i++) {
        size_t element = not_a_number ? chosen[i]->elements - 1 : chosen[i]->elements / 2;

        if (!takes_part(chosen[i], not_a_number))
            continue;
        perturb(g, chosen[i], element, not_a_number);
        perturbed++;
    }
    report.out = open_memstream(&text, &size);
    assert_non_null(report.out);
    if (safetensors_parse(&file, g->bytes, g->size, "case", &err) < 0 ||
        golden_case_replay(&report, &g->config, file, g->base, &err) < 0)
        fail_msg("%s", err.message);
    safetensors_destroy(file);
    fclose(report.out);
    for (int i = 0; i < count; i++) {
        snprintf(line, sizeof line, "FAIL %s: ", chosen[i]->name);
        if (takes_part(chosen[i], not_a_number) && strstr(text, line) == NULL)
            fail_msg("%s perturbed, and not named", chosen[i]->name);
    }
    if (report.failures != perturbed)
        fail_msg("%d tensors perturbed, %d failures:\n%s", perturbed, report.failures, text);
    free(text);
    memcpy(g->bytes, saved, g->size);
    free(saved);
}

static void a_perturbed_copy_fails_for_each_kind_of_tensor(void **state)
{
    (void)state;
    const struct safetensors_tensor *chosen[MOST_KINDS];
    struct safetensors_file *names;
    struct golden g;

    golden_load(&g);
    assert_int_equal(safetensors_parse(&names, g.bytes, g.size, "case", NULL), 0);
    int count = one_of_each_kind(chosen, names);
    assert_true(count >= 35);
    check_all_perturbed(&g, chosen, count, false);
    check_all_perturbed(&g, chosen, count, true);
    safetensors_destroy(names);
    golden_release(&g);
}

/* The search for stray elements explains none of these away. */
static void the_search_for_strays_does_not_hide_a_deviation(void **state)
{
    (void)state;
    static const char *const NAMES[] = { "step2/logits", "step4/z_L" };
    struct safetensors_file *names;
    struct golden g;

    golden_load(&g);
    assert_int_equal(safetensors_parse(&names, g.bytes, g.size, "case", NULL), 0);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const struct safetensors_tensor *tensor = safetensors_find(names, NAMES[i]);

        assert_non_null(tensor);
        check_perturbed(&g, tensor, 7, false, false);
    }
    safetensors_destroy(names);
    golden_release(&g);
}

/* Renamed in the header (same length): the tensor is missing, and an unknown one is there. */
static void missing_and_unknown_tensors_fail(void **state)
{
    (void)state;
    static const char *const NAMES[] = {
        "\"step2/logits\"",
        "\"step0/halted\"",
        "\"step3/target_q_continue\"",
        "\"eval1/steps\"",
        "\"step1/z_H\"",
        "\"step4/metrics/count\"",
        "\"step5/puzzle_emb_lr\"",
        "\"step3/grad_stats/inner.lm_head.weight\"",
        "\"param6/inner.q_head.bias\"",
    };
    enum { COUNT = sizeof NAMES / sizeof *NAMES };
    struct golden g;

    golden_load(&g);
    for (size_t i = 0; i < COUNT; i++) {
        char *name = memmem(g.bytes, g.size, NAMES[i], strlen(NAMES[i]));

        assert_non_null(name);
        name[strlen(NAMES[i]) - 2] = '~';
    }
    struct golden_report report = golden_replay(&g, true);
    assert_int_equal(report.failures, 2 * COUNT);
    golden_release(&g);
}

/* Tensors where there should be none: a target on a step without one. */
static void another_configuration_fails(void **state)
{
    (void)state;
    struct golden g;

    golden_load(&g);
    g.config.engine.target_q_update_every = 3;
    assert_true(golden_replay(&g, true).failures > 0);
    g.config.engine.target_q_update_every = 4;
    g.config.engine.weight_decay = 0.2;
    assert_true(golden_replay(&g, true).failures > 0);
    g.config.engine.weight_decay = 0.1;
    assert_int_equal(golden_replay(&g, true).failures, 0);
    golden_release(&g);
}

static void damaged_files_are_errors_with_one_message(void **state)
{
    (void)state;
    struct golden g;
    struct error err;

    golden_load(&g);
    for (size_t size = 0; size < g.size; size += 1 + size / 3 + g.size / 500) {
        struct safetensors_file *file = NULL;

        assert_int_equal(safetensors_parse(&file, g.bytes, size, "cut.safetensors", &err),
                         ERROR_FORMAT);
        assert_null(file);
        assert_non_null(strstr(err.message, "cut.safetensors"));
    }
    struct golden_report report = { 0 };
    assert_true(golden_case_run(&report, "tests/golden/absent.safetensors", &err) < 0);
    golden_release(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_set_matches_the_recorded_runs),
        cmocka_unit_test(every_kernel_set_matches_all_public_cases),
        cmocka_unit_test(a_perturbed_copy_fails_for_each_kind_of_tensor),
        cmocka_unit_test(the_search_for_strays_does_not_hide_a_deviation),
        cmocka_unit_test(missing_and_unknown_tensors_fail),
        cmocka_unit_test(another_configuration_fails),
        cmocka_unit_test(damaged_files_are_errors_with_one_message),
    };

    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
