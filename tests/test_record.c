/* test_record.c - journal events into the tables: whole ones are stored, others are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "json.h"
#include "record.h"
#include "sql.h"
#include "store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIRECTORY "runs/" HASH "/attempts/1"
#define SHARES                                                                                 \
    "\"per_token_accuracy\":0.5,\"per_token_accuracy_original\":0.5,\"exact_rows\":0.5,"       \
    "\"lm_loss\":0.5,\"mean_outer_steps\":1,\"pass_at_1\":0.5,\"pass_at_2\":0.5,"              \
    "\"pass_at_5\":0.5,\"pass_at_10\":0.5,\"pass_at_100\":0.5,\"pass_at_1000\":0.5,"           \
    "\"pass_at_1_strict\":0.5,\"pass_at_2_strict\":0.5,\"tasks\":1,\"rows_count\":1"

static char directory[64];
static struct store *store;
static const struct record_attempt attempt = {
    .attempt_id = 1, .run_id = 1, .job_id = 1, .number = 1, .directory = DIRECTORY
};

static int open_store(void **state)
{
    static const char rows[] =
        "INSERT INTO training (training_id, canonical, job_config, data_hash, numeric_version)"
        " VALUES (1, '{}', '{}', 'b', '1');"
        "INSERT INTO run (run_id, hash, training_id, seed) VALUES (1, '" HASH "', 1, 0);"
        "INSERT INTO job (job_id, run_id, kind, state, priority, cost, queued_at)"
        " VALUES (1, 1, 'train', 'running', 0, 1, 't');"
        "INSERT INTO inference (canonical, outer_steps, augmentations, act_inference, "
        "eval_seed,"
        " split) VALUES ('{\"a\":1}', 1, 0, 0, 0, 'test');"
        "INSERT INTO run_inference (run_id, inference_id) VALUES (1, 1);"
        "INSERT INTO attempt (attempt_id, job_id, run_id, number, directory, executor, state,"
        " started_at) VALUES (1, 1, 1, 1, '" DIRECTORY "', 'local', 'running', 't');";
    struct error err;

    (void)state;
    snprintf(directory, sizeof directory, "/tmp/test_record.XXXXXX");
    assert_non_null(mkdtemp(directory));
    assert_int_equal(store_open(&store, directory, STORE_WRITE, &err), 0);
    assert_int_equal(sqlite3_exec(store_connection(store), rows, NULL, NULL, NULL), SQLITE_OK);
    return 0;
}

static int close_store(void **state)
{
    (void)state;
    store_close(store);
    return file_remove_tree(directory, NULL);
}

/* Applies one event and takes it back. */
static int apply(const char *type, const cJSON *body, struct error *err)
{
    assert_int_equal(store_begin(store, err), 0);
    int rc = record_event(store, &attempt, type, body, err);
    store_rollback(store);
    return rc;
}

static cJSON *parsed(const char *text)
{
    struct error err = { 0 };
    cJSON *body = NULL;

    if (json_parse(&body, text, strlen(text), "event", &err) < 0)
        fail_msg("%s", err.message);
    return body;
}

static const struct {
    const char *type, *body;
    const char *needed[20]; /* members that it cannot do without */
} EVENTS[] = {
    { "begin",
      "{\"run_hash\":\"" HASH "\",\"attempt\":1,\"kind\":\"train\",\"total_steps\":2,"
      "\"parameters\":3,\"puzzle_parameters\":4,\"train_flops\":5}",
      { "run_hash", "attempt", "kind", "total_steps", "parameters", "puzzle_parameters",
        "train_flops" } },
    { "resume", "{\"step\":1,\"from\":\"attempts/1/checkpoint-0.safetensors\"}", { "step" } },
    { "metric", "{\"step\":1,\"values\":{\"train/lm_loss\":0.5}}", { "step", "values" } },
    { "baseline",
      "{\"name\":\"copy\",\"split\":\"test\",\"per_token_accuracy\":0.5,"
      "\"exact_rows\":0.5,\"pass_at_1\":0.5,\"pass_at_2\":0.5}",
      { "name", "split", "per_token_accuracy", "exact_rows", "pass_at_1", "pass_at_2" } },
    { "evaluation",
      "{\"step\":2,\"checkpoint\":\"last\",\"evaluation\":{\"a\":1},\"seconds\":1," SHARES "}",
      { "step", "checkpoint", "evaluation", "seconds", "per_token_accuracy",
        "per_token_accuracy_original", "exact_rows", "lm_loss", "mean_outer_steps", "pass_at_1",
        "pass_at_2", "pass_at_5", "pass_at_10", "pass_at_100", "pass_at_1000",
        "pass_at_1_strict", "pass_at_2_strict", "tasks", "rows_count" } },
    { "outcome",
      "{\"evaluation\":{\"a\":1},\"tasks\":[[\"t\",0,null,0,8,0.5],[\"t\",1,1,3,8,0.5]]}",
      { "evaluation", "tasks" } },
    { "checkpoint",
      "{\"step\":2,\"file\":\"final.safetensors\",\"weights_hash\":\"a\",\"final\":true}",
      { "step", "file", "weights_hash" } },
    { "error", "{\"cause\":\"bad job\",\"message\":\"why\"}", { "cause", "message" } },
    { "end",
      "{\"status\":\"done\",\"step\":2,\"weights_hash\":\"a\",\"seconds\":1}",
      { "status" } },
};
enum { EVENT_COUNT = sizeof EVENTS / sizeof *EVENTS };

static void whole_events_are_stored_and_those_that_lack_a_member_refused(void **state)
{
    (void)state;
    for (int e = 0; e < EVENT_COUNT; e++) {
        struct error err = { 0 };
        cJSON *whole = parsed(EVENTS[e].body);

        if (apply(EVENTS[e].type, whole, &err) < 0)
            fail_msg("%s: %s", EVENTS[e].type, err.message);
        for (int i = 0; EVENTS[e].needed[i] != NULL; i++)
            for (int how = 0; how < 3; how++) { /* absent, null, of another type */
                cJSON *body = cJSON_Duplicate(whole, 1);
                bool text = cJSON_IsString(json_member(body, EVENTS[e].needed[i]));
                cJSON_DeleteItemFromObjectCaseSensitive(body, EVENTS[e].needed[i]);
                if (how == 1)
                    cJSON_AddNullToObject(body, EVENTS[e].needed[i]);
                if (how == 2 && text)
                    cJSON_AddNumberToObject(body, EVENTS[e].needed[i], 1);
                if (how == 2 && !text)
                    cJSON_AddStringToObject(body, EVENTS[e].needed[i], "1");
                if (apply(EVENTS[e].type, body, &err) != ERROR_DAMAGED)
                    fail_msg("%s without %s (%d) was taken", EVENTS[e].type,
                             EVENTS[e].needed[i], how);
                cJSON_Delete(body);
            }
        cJSON_Delete(whole);
    }
}

static void values_that_are_no_numbers_are_refused(void **state)
{
    static const char *const cases[][2] = {
        { "metric", "{\"step\":1,\"values\":{\"train/lm_loss\":null}}" },
        { "metric", "{\"step\":1,\"values\":{\"train/lm_loss\":\"0.5\"}}" },
        { "outcome", "{\"evaluation\":{\"a\":1},\"tasks\":[[\"t\",0,null,null,8,0.5]]}" },
        { "outcome", "{\"evaluation\":{\"a\":1},\"tasks\":[[\"t\",0,null,0,\"8\",0.5]]}" },
        { "outcome", "{\"evaluation\":{\"a\":1},\"tasks\":[[\"t\",0,null,0,8,null]]}" },
        { "outcome", "{\"evaluation\":{\"a\":1},\"tasks\":[[\"t\",0,\"1\",0,8,0.5]]}" },
        { "outcome", "{\"evaluation\":{\"a\":1},\"tasks\":[[\"t\",0,1,0,8,0.5,1]]}" },
        { "outcome", "{\"evaluation\":{\"a\":1},\"tasks\":[[\"t\",0]]}" },
        { "outcome", "{\"evaluation\":{\"a\":1},\"tasks\":[{}]}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = { 0 };
        cJSON *body = parsed(cases[i][1]);
        if (apply(cases[i][0], body, &err) != ERROR_DAMAGED)
            fail_msg("%s %s was taken", cases[i][0], cases[i][1]);
        cJSON_Delete(body);
    }
}

static void a_measure_out_of_its_bounds_is_refused(void **state)
{
    static const struct {
        const char *name;
        double value;
    } cases[] = { { "pass_at_2", 1.5 },
                  { "per_token_accuracy", -0.25 },
                  { "lm_loss", -1 },
                  { "mean_outer_steps", 2000 },
                  { "exact_rows", 1.0001 } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = { 0 };
        cJSON *body = parsed("{\"step\":2,\"checkpoint\":\"last\",\"evaluation\":{\"a\":1},"
                             "\"seconds\":1," SHARES "}");

        cJSON_SetNumberValue(cJSON_GetObjectItemCaseSensitive(body, cases[i].name),
                             cases[i].value);
        assert_int_equal(apply("evaluation", body, &err), ERROR_DAMAGED);
        if (strstr(err.message, cases[i].name) == NULL ||
            strstr(err.message, "from 0 to") == NULL)
            fail_msg("%s: \"%s\"", cases[i].name, err.message);
        cJSON_Delete(body);
    }
}

static int64_t stored(const char *sql)
{
    struct error err = { 0 };
    int64_t value = 0;

    assert_int_equal(sql_int(store, &value, NULL, &err, sql, ""), 0);
    return value;
}

/* A second time with the same numbers, with another one, and with other tasks. */
static void an_evaluation_is_a_row_per_measure_and_must_be_repeated_alike(void **state)
{
    struct error err = { 0 };
    cJSON *body = parsed("{\"step\":2,\"checkpoint\":\"last\",\"evaluation\":{\"a\":1},"
                         "\"seconds\":1," SHARES "}");

    (void)state;
    assert_int_equal(record_event(store, &attempt, "evaluation", body, &err), 0);
    assert_int_equal(record_event(store, &attempt, "evaluation", body, &err), 0);
    assert_int_equal(
        stored("SELECT count(*) FROM measure_value WHERE step = 2 AND position = 0"), 13);
    assert_int_equal(stored("SELECT count(*) FROM score WHERE pass_at_2 = 0.5 AND tasks = 1"),
                     1);
    cJSON_SetNumberValue(cJSON_GetObjectItemCaseSensitive(body, "pass_at_5"), 0.25);
    assert_int_equal(apply("evaluation", body, &err), ERROR_DAMAGED);
    assert_non_null(strstr(err.message, "pass_at_5 = 0.25"));
    cJSON_SetNumberValue(cJSON_GetObjectItemCaseSensitive(body, "pass_at_5"), 0.5);
    cJSON_SetNumberValue(cJSON_GetObjectItemCaseSensitive(body, "tasks"), 2);
    assert_int_equal(apply("evaluation", body, &err), ERROR_DAMAGED);
    assert_non_null(strstr(err.message, "tasks = 2"));
    cJSON_Delete(body);
}

static const char VECTOR[] =
    "{\"step\":2,\"evaluation\":{\"a\":1},\"name\":\"step_exact_rows\",\"first\":1,"
    "\"values\":[0.25]}";

/* A list is a row per value; null is none. The evaluation has one outer step. */
static void a_list_is_checked_and_stored_by_position(void **state)
{
    static const struct {
        const char *member, *value, *said;
    } cases[] = { { "name", "\"pass_at_2\"", "is no list" },
                  { "name", "\"step_exactly\"", "is no list" },
                  { "first", "2", "no position 2" },
                  { "first", "0", "no position 0" },
                  { "values", "[0.5,0.5]", "no position 2" },
                  { "values", "[1.5]", "from 0 to 1" },
                  { "values", "[\"0\"]", "no number" },
                  { "values", "0.5", "not a list" },
                  { "evaluation", "{\"b\":1}", "nobody asked for" } };
    struct error err = { 0 };
    cJSON *body = parsed(VECTOR);

    (void)state;
    assert_int_equal(record_event(store, &attempt, "vector", body, &err), 0);
    assert_int_equal(record_event(store, &attempt, "vector", body, &err), 0);
    assert_int_equal(stored("SELECT count(*) FROM measure_value WHERE position = 1 AND step = 2"
                            " AND name = 'step_exact_rows' AND value = 0.25"),
                     1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cJSON *wrong = parsed(VECTOR), *value = parsed(cases[i].value);

        cJSON_ReplaceItemInObjectCaseSensitive(wrong, cases[i].member, value);
        if (apply("vector", wrong, &err) != ERROR_DAMAGED ||
            strstr(err.message, cases[i].said) == NULL)
            fail_msg("case %zu: \"%s\"", i, err.message);
        cJSON_Delete(wrong);
    }
    cJSON_ReplaceItemInObjectCaseSensitive(body, "values", parsed("[0.5]"));
    assert_int_equal(apply("vector", body, &err), ERROR_DAMAGED); /* it was 0.25 */
    cJSON_ReplaceItemInObjectCaseSensitive(body, "values", parsed("[null]"));
    assert_int_equal(apply("vector", body, &err), 0);
    cJSON_Delete(body);
}

/* A run of many numbers and seeds; its base, which has a base of its own. */
#define UNKNOWN "run:" ZEROS
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define BASE "1111111111111111111111111111111111111111111111111111111111111111"
#define FIRST "2222222222222222222222222222222222222222222222222222222222222222"
#define AROUND_SEED(from, seed)                                                                \
    "{\"a\":1e-05,\"train.init_from\":\"" from "\"," seed "\"train.warmup\":1.0}"

static void expect_config(const cJSON *parent, const char *expected)
{
    char *text = json_canonical(json_member(parent, "config"));
    cJSON *wanted = parsed(expected);
    char *printed = json_canonical(wanted);

    assert_string_equal(text, printed);
    free(printed);
    cJSON_Delete(wanted);
    free(text);
}

static void a_job_gets_the_seed_and_base_of_its_run(void **state)
{
#define OF_PLAN AROUND_SEED(UNKNOWN, "")
#define OF_FILE AROUND_SEED("sha256:" BASE, "")
    static const char ROWS[] =
        "INSERT INTO training (training_id, canonical, job_config, data_hash, numeric_version)"
        " VALUES (2, '" OF_PLAN "', '" OF_PLAN "', 'c', '1'),"
        " (3, '" OF_FILE "', '" OF_FILE "', 'd', '1');"
        "INSERT INTO run (run_id, hash, training_id, seed, base_hash) VALUES"
        " (2, '" BASE "', 2, 0, '" FIRST "'), (3, printf('%064d', 3), 2, -7, '" BASE "'),"
        " (4, printf('%064d', 4), 3, 8, NULL);"
        "INSERT INTO checkpoint VALUES (2, 1, 2, 'weights', 'w')";
    struct error err;
    cJSON *json;

    (void)state;
    assert_int_equal(sqlite3_exec(store_connection(store), ROWS, NULL, NULL, NULL), SQLITE_OK);
    struct record_job job = { .run_id = 3 };
    assert_int_equal(record_job_json(store, &json, &job, 1, &err), 0);
    expect_config(json, AROUND_SEED("run:" BASE, "\"train.seed\":-7,"));
    assert_string_equal(json_member(json, "data_hash")->valuestring, "c");
    const cJSON *init = json_member(json, "init_from");
    expect_config(init, AROUND_SEED("run:" FIRST, ""));
    assert_string_equal(json_member(init, "run_hash")->valuestring, BASE);
    assert_string_equal(json_member(init, "data_hash")->valuestring, "c");
    assert_string_equal(json_member(init, "file")->valuestring, "weights");
    cJSON_Delete(json);
    job.run_id = 4;
    assert_int_equal(record_job_json(store, &json, &job, 1, &err), 0);
    expect_config(json, AROUND_SEED("sha256:" BASE, "\"train.seed\":8,"));
    init = json_member(json, "init_from");
    assert_string_equal(json_member(init, "file")->valuestring, "weights/" BASE ".safetensors");
    cJSON_Delete(json);
}

/* What every seed of a training reports is written by the first. */
static void what_seeds_report_alike_is_written_once(void **state)
{
    static const char WATCH[] = "INSERT INTO run (run_id, hash, training_id, seed) VALUES (2, "
                                "printf('%064d', 2), 1, 2);"
                                "CREATE TEMP TABLE written (training_id);"
                                "CREATE TEMP TRIGGER watch AFTER UPDATE ON main.training"
                                " BEGIN INSERT INTO written VALUES (new.training_id); END;";
    struct record_attempt other = attempt;
    struct error err;
    cJSON *body = parsed("{\"run_hash\":\"" HASH "\",\"attempt\":1,\"kind\":\"train\","
                         "\"total_steps\":2,\"parameters\":3,\"puzzle_parameters\":4,"
                         "\"train_flops\":5.5}");

    (void)state;
    assert_int_equal(sqlite3_exec(store_connection(store), WATCH, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(record_event(store, &attempt, "begin", body, &err), 0);
    assert_int_equal(stored("SELECT count(*) FROM training WHERE total_steps = 2 AND"
                            " parameters = 3 AND puzzle_parameters = 4 AND train_flops = 5.5"),
                     1);
    other.run_id = 2;
    assert_int_equal(record_event(store, &other, "begin", body, &err), 0);
    assert_int_equal(stored("SELECT count(*) FROM written"), 1);
    cJSON_ReplaceItemInObjectCaseSensitive(body, "total_steps", cJSON_CreateNumber(9));
    assert_int_equal(record_event(store, &other, "begin", body, &err), 0);
    assert_int_equal(stored("SELECT total_steps FROM training"), 9);
    cJSON_Delete(body);
}

/* The wall time of training, which journals of the first release do not have. */
static void the_end_of_an_attempt_tells_its_seconds(void **state)
{
    struct error err = { 0 };
    cJSON *body = parsed("{\"status\":\"done\",\"step\":2,\"weights_hash\":\"a\"}");

    (void)state;
    assert_int_equal(record_event(store, &attempt, "end", body, &err), 0);
    assert_int_equal(stored("SELECT count(*) FROM attempt WHERE train_seconds IS NULL"), 1);
    cJSON_AddNumberToObject(body, "train_seconds", 4.5);
    cJSON_AddNumberToObject(body, "evaluation_seconds", 1.5);
    assert_int_equal(record_event(store, &attempt, "end", body, &err), 0);
    assert_int_equal(stored("SELECT count(*) FROM attempt WHERE train_seconds = 4.5"
                            " AND evaluation_seconds = 1.5"),
                     1);
    cJSON_Delete(body);
}

static void a_final_checkpoint_has_one_name(void **state)
{
    static const char *const files[] = { "../../../etc/passwd", "/etc/passwd",
                                         "a/final.safetensors", "..", "x.safetensors" };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct error err = { 0 };
        char *text = format_string(
            "{\"step\":2,\"file\":\"%s\",\"weights_hash\":\"a\",\"final\":true}", files[i]);
        cJSON *body = parsed(text);
        assert_int_equal(apply("checkpoint", body, &err), ERROR_DAMAGED);
        assert_non_null(strstr(err.message, files[i]));
        cJSON_Delete(body);
        free(text);
    }
}

/* An attempt of that number begins with so many threads, goes on from a checkpoint unless it
 * is the first, and says that value at step 1. */
static int begin_attempt(int number, int threads, double value, struct error *err)
{
    static const char *const types[] = { "begin", "resume", "metric" };
    struct record_attempt next = attempt;
    char *begin = format_string(
        "{\"run_hash\":\"" HASH "\",\"attempt\":%d,\"kind\":\"train\",\"total_steps\":2,"
        "\"parameters\":3,\"puzzle_parameters\":4,\"train_flops\":5,\"provenance\":"
        "{\"kernel_set\":\"avx2\",\"blas_core\":\"Haswell\",\"threads\":%d}}",
        number, threads);
    char *metric = format_string("{\"step\":1,\"values\":{\"train/lm_loss\":%.2f}}", value);
    cJSON *bodies[] = { parsed(begin), parsed("{\"step\":0}"), parsed(metric) };
    int rc = 0;

    next.number = number;
    next.attempt_id = number;
    for (int i = 0; i < 3; i++) {
        if (rc == 0 && (i != 1 || number > 1))
            rc = record_event(store, &next, types[i], bodies[i], err);
        cJSON_Delete(bodies[i]);
    }
    free(begin);
    free(metric);
    return rc;
}

static int64_t mixed_mark(void)
{
    struct error err;
    int64_t mixed = -1;

    assert_int_equal(sql_int(store, &mixed, NULL, &err, "SELECT mixed FROM run", ""), 0);
    return mixed;
}

static void a_run_with_different_numbers_of_threads_is_mixed(void **state)
{
    static const char more[] =
        "INSERT INTO attempt (attempt_id, job_id, run_id, number, directory, executor, state,"
        " started_at) SELECT column1, 1, 1, column1, '" DIRECTORY "', 'local', 'running', 't'"
        " FROM (VALUES (2), (3))";
    struct error err = { 0 };

    (void)state;
    assert_int_equal(sqlite3_exec(store_connection(store), more, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(begin_attempt(1, 1, 0.5, &err), 0);
    assert_int_equal(begin_attempt(2, 1, 0.5, &err), 0);
    assert_int_equal(mixed_mark(), 0);
    assert_int_equal(begin_attempt(2, 1, 0.25, &err), ERROR_DAMAGED); /* the same arithmetic */
    assert_int_equal(begin_attempt(3, 2, 0.5, &err), 0);
    assert_int_equal(mixed_mark(), 1);
    assert_int_equal(begin_attempt(3, 2, 0.25, &err), 0);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)
    const struct CMUnitTest tests[] = {
        WITH_STORE(whole_events_are_stored_and_those_that_lack_a_member_refused),
        WITH_STORE(values_that_are_no_numbers_are_refused),
        WITH_STORE(a_measure_out_of_its_bounds_is_refused),
        WITH_STORE(an_evaluation_is_a_row_per_measure_and_must_be_repeated_alike),
        WITH_STORE(a_list_is_checked_and_stored_by_position),
        WITH_STORE(a_job_gets_the_seed_and_base_of_its_run),
        WITH_STORE(what_seeds_report_alike_is_written_once),
        WITH_STORE(the_end_of_an_attempt_tells_its_seconds),
        WITH_STORE(a_final_checkpoint_has_one_name),
        WITH_STORE(a_run_with_different_numbers_of_threads_is_mixed),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
