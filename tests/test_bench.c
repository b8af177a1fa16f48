/* test_bench.c - the baseline of `make bench`: what is kept, and what is judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/bench_baseline.h"

#include <stdlib.h>
#include <string.h>

static const char MACHINE[] =
    "{\"cpu\": \"c\", \"kernel_set\": \"avx512\", \"blas_core\": \"b\", \"flags\": \"x\"}";
static const char BASELINE[] =
    "{\"cpu\": \"c\", \"kernel_set\": \"avx512\", \"blas_core\": \"b\", \"configs\":"
    " {\"A\": {\"train_share\": 0.9, \"eval_share\": 0.8},"
    "  \"S\": {\"train_share\": 0.7, \"eval_share\": 0.6}}}";
static const char OTHER[] =
    "{\"cpu\": \"c\", \"kernel_set\": \"avx2\", \"blas_core\": \"b\", \"configs\":"
    " {\"A\": {\"train_share\": 0.9, \"eval_share\": 0.8}}}";
static const char MEASURED[] =
    "{\"A\": {\"train_share\": 0.5, \"eval_share\": 0.79, \"train_ms\": 3},"
    " \"M\": {\"train_share\": 0.4, \"eval_share\": 0.3}}";

static double share(const cJSON *baseline, const char *config, const char *key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItem(
        cJSON_GetObjectItem(cJSON_GetObjectItem(baseline, "configs"), config), key));
}

static int count_configs(const cJSON *baseline)
{
    return cJSON_GetArraySize(cJSON_GetObjectItem(baseline, "configs"));
}

/* Measuring some configurations keeps the others. */
static void what_was_not_measured_stays(void **state)
{
    cJSON *old = cJSON_Parse(BASELINE), *machine = cJSON_Parse(MACHINE);
    cJSON *configs = cJSON_Parse(MEASURED), *merged = baseline_merge(old, machine, configs);

    (void)state;
    assert_int_equal(count_configs(merged), 3);
    assert_true(share(merged, "A", "train_share") == 0.5);
    assert_true(share(merged, "S", "train_share") == 0.7);
    assert_true(share(merged, "M", "eval_share") == 0.3);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(merged, "kernel_set")),
                        "avx512");
    cJSON_Delete(merged);
    merged = baseline_merge(NULL, machine, configs);
    assert_int_equal(count_configs(merged), 2);
    cJSON_Delete(merged);
    cJSON_Delete(old);
    cJSON_Delete(machine);
    cJSON_Delete(configs);
}

static void shares_of_another_machine_are_not_kept(void **state)
{
    cJSON *old = cJSON_Parse(BASELINE), *machine = cJSON_Parse(OTHER);
    cJSON *configs = cJSON_Parse(MEASURED), *merged = baseline_merge(old, machine, configs);

    (void)state;
    assert_int_equal(count_configs(merged), 2);
    cJSON_Delete(merged);
    cJSON_Delete(old);
    cJSON_Delete(machine);
    cJSON_Delete(configs);
}

/* What baseline_compare() prints, fresh; its result into *slower. */
static char *compare(const char *baseline, int *slower)
{
    cJSON *old = cJSON_Parse(baseline), *machine = cJSON_Parse(MACHINE);
    cJSON *configs = cJSON_Parse(MEASURED);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    *slower = baseline_compare(out, old, machine, configs);
    assert_int_equal(fclose(out), 0);
    cJSON_Delete(old);
    cJSON_Delete(machine);
    cJSON_Delete(configs);
    return text;
}

static void only_the_same_machine_is_judged(void **state)
{
    int slower;
    char *text = compare(BASELINE, &slower);

    (void)state;
    assert_int_equal(slower, 1); /* eval_share lost less than 5 % */
    assert_non_null(strstr(text, "SLOWER"));
    assert_non_null(strstr(text, "M      no baseline"));
    free(text);
    text = compare(OTHER, &slower);
    assert_int_equal(slower, 0);
    assert_null(strstr(text, "SLOWER"));
    assert_non_null(strstr(text, "not judged"));
    assert_non_null(strstr(text, "90.0 % ->  50.0 %"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_measured_stays),
        cmocka_unit_test(shares_of_another_machine_are_not_kept),
        cmocka_unit_test(only_the_same_machine_is_judged),
    };

    return cmocka_run_group_tests_name("bench", tests, NULL, NULL);
}
