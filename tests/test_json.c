/* test_json.c - strict reading: every fault is named with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text that must be refused, and what the message must hold. */
static void refuse(const char *text, const char *expected)
{
    struct error err = { 0 };
    cJSON *out;

    assert_int_equal(json_parse(&out, text, strlen(text), "f.json", &err), ERROR_FORMAT);
    if (strstr(err.message, expected) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", err.message, expected);
}

static void faults_are_named_with_line_and_column(void **state)
{
    (void)state;
    refuse("{\"a\": 1,\n \"b\" 2}", "f.json: line 2, column 6: a colon is missing before this");
    refuse("{\"a\": [1, 2", "the text ends inside a list");
    refuse("{} x", "text after the end");
    refuse("{\"a\":1,\"a\":2}", "\"a\" stands twice");
    refuse("[{\"x\":{\"k\":1,\"k\":1}}]", "\"k\" stands twice");
    refuse("[01]", "column 2: a number begins with 0 only before a point");
    refuse("[-]", "malformed number");
    refuse("[1.]", "malformed number");
    refuse("[1e999]", "out of range");
    refuse("[\"\xff\"]", "not valid UTF-8");
    refuse("[\"a\nb\"]", "control character");
    refuse("[\"\\u0000\"]", "u0000");
    refuse("[,1]", "expected a value");
    refuse("\xEF\xBB\xBF{}", "byte order mark");
    refuse("", "empty");
}

static void habits_of_other_notations_are_named_at_their_place(void **state)
{
    (void)state;
    refuse("['a']", "line 1, column 2: single quotes");
    refuse("{'a': 1}", "line 1, column 2: single quotes");
    refuse("[1,\n]", "line 1, column 3: a comma before ']'");
    refuse("{\"a\": {\"b\": 1,\n}\n}", "line 1, column 14: a comma before '}'");
    refuse("{\"a\": 1, // why\n\"b\": 2}", "line 1, column 10: a comment");
    refuse("{\"a\": /* why */ 1}", "line 1, column 7: a comment");
    refuse("{\"a\": 1 # why\n}", "line 1, column 9: a comment");
    refuse("# why\n{}", "line 1, column 1: a comment");
    refuse("{\"a\": 1\n \"b\": 2}", "line 2, column 2: a comma is missing before this");
    refuse("[1 2]", "expected ',' or ']'");
    refuse("[NaN]", "column 2: NaN is not a number");
    refuse("[-Infinity]", "column 2: Infinity is not a number");
    refuse("[True, None]", "True is written true");
    refuse("[nano]", "expected a value");
    refuse("[.5]", "a number begins with a digit");
    refuse("[+5]", "no plus sign");
    refuse("name: a\nset:\n  b: 1\n", "line 1, column 1: this looks like YAML");
    refuse("---\nname: a\n", "this looks like YAML");
    refuse("\xFF\xFE{\0}", "UTF-16");
}

static void ten_thousand_brackets_are_refused_by_depth(void **state)
{
    char text[10001];

    (void)state;
    memset(text, '[', 10000);
    text[10000] = '\0';
    refuse(text, "nested more than 64 deep");
}

/* cJSON would take 80 bytes for each of them. */
static void more_values_than_memory_should_hold_are_refused(void **state)
{
    size_t size = 2 * (size_t)JSON_MAX_VALUES; /* of the list and one number less */
    char *text = malloc(size + 1);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < size; i++)
        text[i] = i % 2 == 0 ? ',' : '0';
    text[0] = '[';
    text[size - 1] = '\0';
    refuse(text, "the text ends where a value is expected");
    text[size - 1] = '0';
    text[size] = '\0';
    refuse(text, "line 1, column 16777216: more than 8388608 values; expected a smaller file");
    free(text);
}

static void every_prefix_of_a_document_is_refused(void **state)
{
    const char *text = "{\"a\": [1.5e3, true, null, \"\\u00e9\\n\"], \"b\": {\"c\": -0.25}}";
    struct error err;
    cJSON *out;

    (void)state;
    for (size_t n = 0; n < strlen(text); n++) {
        char *copy = strndup(text, n);
        assert_int_equal(json_parse(&out, copy, n, "f", &err), ERROR_FORMAT);
        free(copy);
    }
    assert_int_equal(json_parse(&out, text, strlen(text), "f", &err), 0);
    char *canonical = json_canonical(out);
    assert_string_equal(canonical,
                        "{\"a\":[1500,true,null,\"\xc3\xa9\\u000a\"],\"b\":{\"c\":-0.25}}");
    free(canonical);
    cJSON_Delete(out);
}

static void canonical_form_sorts_keys_and_keeps_reals(void **state)
{
    struct error err;
    cJSON *out;
    const char *text = "{\"b\":0.1,\"B\":2.0,\"a\":[{\"d\":1,\"c\":2}]}";

    (void)state;
    assert_int_equal(json_parse(&out, text, strlen(text), "f", &err), 0);
    char *canonical = json_canonical(out);
    assert_string_equal(canonical, "{\"B\":2,\"a\":[{\"c\":2,\"d\":1}],\"b\":0.1}");
    free(canonical);
    cJSON_Delete(out);
}

/* cJSON_Print() writes the first four as 0.3, 3e-05, 9.00719925474099e+15 and 1. */
static void printed_numbers_have_all_their_digits(void **state)
{
    const char *text = "{\"b\":0.30000000000000004,\"a\":[3.0000000000000004e-05,"
                       "{\"c\":9007199254740991}],\"d\":0.99999999999999989,\"e\":0.1,\"f\":2}";
    struct error err;
    cJSON *out, *again;

    (void)state;
    assert_int_equal(json_parse(&out, text, strlen(text), "f", &err), 0);
    char *printed = json_print(out), *before = json_canonical(out);
    assert_non_null(strstr(printed, "\n\t\"b\":\t0.30000000000000004,\n\t\"a\":"));
    assert_non_null(strstr(printed, "\"e\":\t0.1,\n\t\"f\":\t2\n}"));
    assert_int_equal(json_parse(&again, printed, strlen(printed), "f", &err), 0);
    char *after = json_canonical(again);
    assert_string_equal(after, before);
    free(printed);
    free(before);
    free(after);
    cJSON_Delete(out);
    cJSON_Delete(again);
}

static void nearest_name_helps_with_slips_only(void **state)
{
    const char *names[] = { "arch.num_heads", "train.lr" };

    (void)state;
    assert_string_equal(json_nearest_name("arch.num_head", names, 2), "arch.num_heads");
    assert_null(json_nearest_name("something.else", names, 2));
    const char *const figures[] = { "flops", "loss_curves", "loss" };
    assert_string_equal(json_nearest_name("loss_", figures, 2), "loss_curves");
    assert_string_equal(json_nearest_name("los", figures, 2), "loss_curves");
    assert_string_equal(json_nearest_name("loss", figures, 3), "loss");
    assert_string_equal(json_nearest_name("flop", figures, 2), "flops");
    const char *const columns[] = { "arm", "lr" };
    assert_string_equal(json_nearest_name("lrr", columns, 2), "lr");
    assert_null(json_nearest_name("lrr", columns, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_named_with_line_and_column),
        cmocka_unit_test(habits_of_other_notations_are_named_at_their_place),
        cmocka_unit_test(ten_thousand_brackets_are_refused_by_depth),
        cmocka_unit_test(more_values_than_memory_should_hold_are_refused),
        cmocka_unit_test(every_prefix_of_a_document_is_refused),
        cmocka_unit_test(canonical_form_sorts_keys_and_keeps_reals),
        cmocka_unit_test(printed_numbers_have_all_their_digits),
        cmocka_unit_test(nearest_name_helps_with_slips_only),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
