/* fuzz_journal.c - a journal: framing, every event into a database, and as the runner follows it. */
#include "fuzz.h"

#include "error.h"
#include "journal.h"
#include "json.h"
#include "record.h"
#include "recorder.h"
#include "store.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct store *store;
/* The run of the committed inputs; its attempt is the directory of that name. */
#define RUN "04795ec19761ce2c29ce7e8561df6b6ce2a6a4e28c340f54e4fb048b05ff835c"

static struct record_attempt attempt = {
    .attempt_id = 1, .run_id = 1, .job_id = 1, .number = 1, .directory = RUN
};

static void open_store(void)
{
    static const char rows[] =
        "INSERT INTO training (training_id, canonical, job_config, data_hash, numeric_version)"
        " VALUES (1, '{}', '{}', 'b', '1');"
        "INSERT INTO run (run_id, hash, training_id, seed) VALUES (1, '" RUN "', 1, 0);"
        "INSERT INTO job (job_id, run_id, kind, state, priority, cost, queued_at)"
        " VALUES (1, 1, 'train', 'running', 0, 1, 't');"
        "INSERT INTO inference (canonical, outer_steps, augmentations, act_inference, "
        "eval_seed,"
        " split) VALUES ('{\"a\":1}', 1, 0, 0, 0, 'test');"
        "INSERT INTO run_inference (run_id, inference_id) VALUES (1, 1);"
        "INSERT INTO attempt (attempt_id, job_id, run_id, number, directory, executor, state,"
        " started_at) VALUES (1, 1, 1, 1, 'd', 'local', 'running', 't');";
    struct error err;

    const char *directory = fuzz_directory("none", NULL, 0);
    char place[200];

    snprintf(place, sizeof place, "%s/" RUN, directory);
    if (mkdir(place, 0700) < 0 || store_open(&store, directory, STORE_WRITE, &err) < 0 ||
        sqlite3_exec(store_connection(store), "PRAGMA synchronous = OFF", NULL, NULL, NULL) !=
            0)
        abort();
    if (sqlite3_exec(store_connection(store), rows, NULL, NULL, NULL) != SQLITE_OK) {
        store_close(store);
        abort();
    }
}

static int64_t count(const char *sql)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(store_connection(store), sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        abort();
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static bool all_numbers(const cJSON *body, const char *const *keys)
{
    for (; *keys != NULL; keys++)
        if (!cJSON_IsNumber(json_member(body, *keys)))
            return false;
    return true;
}

/* An event was stored: no file but the final checkpoint's, no number that nobody has said. */
static void expect_as_said(const char *type, const cJSON *body)
{
    static const char *const baseline[] = { "per_token_accuracy", "pass_at_1", "pass_at_2",
                                            NULL };
    static const char *const evaluation[] = { "step", "seconds", "pass_at_2", "tasks", NULL };
    static const char *const checkpoint[] = { "step", NULL };

    if (count("SELECT count(*) FROM checkpoint WHERE file <> '" RUN "/final.safetensors'"
              " OR weights_hash = ''") != 0)
        abort();
    if ((strcmp(type, "baseline") == 0 && !all_numbers(body, baseline)) ||
        (strcmp(type, "evaluation") == 0 && !all_numbers(body, evaluation)) ||
        (strcmp(type, "checkpoint") == 0 && !all_numbers(body, checkpoint)))
        abort();
    const cJSON *values = strcmp(type, "metric") == 0 ? json_member(body, "values") : NULL;
    if (values != NULL && count("SELECT count(*) FROM metric") != cJSON_GetArraySize(values))
        abort();
}

/* The event in a journal of its own, read by the runner's recorder. */
static void follow(const char *type, const cJSON *event)
{
    static const char *const framing[] = { "h", "n", "t", "type" };
    const char *directory = fuzz_directory("none", NULL, 0);
    struct journal_writer writer;
    struct recorder recorder;
    struct error err = { 0 };
    cJSON *body = cJSON_Duplicate(event, 1);

    for (int i = 0; i < 4; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(body, framing[i]);
    if (recorder_init(&recorder, &attempt, directory, &err) < 0)
        abort();
    unlink(recorder.path);
    if (journal_open(&writer, recorder.path, &err) < 0)
        abort();
    fuzz_expect_message(journal_append(&writer, type, body, false, &err), &err);
    journal_close(&writer);
    if (store_begin(store, &err) < 0)
        abort();
    fuzz_expect_message(recorder_drain(&recorder, store, &err), &err);
    store_rollback(store);
    recorder_release(&recorder);
}

/* Valid lines come rarely: bodies are taken as they are, framed here. */
static void apply(const char *text)
{
    struct error err = { 0 };
    cJSON *body = NULL;
    fuzz_expect_message(json_parse(&body, text, strlen(text), "input", &err), &err);
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(body, "type");

    if (cJSON_IsObject(body) && cJSON_IsString(type)) {
        if (store_begin(store, &err) < 0)
            abort();
        int rc = record_event(store, &attempt, type->valuestring, body, &err);
        fuzz_expect_message(rc, &err);
        if (rc == 0)
            expect_as_said(type->valuestring, body);
        store_rollback(store);
        size_t length = strlen(type->valuestring);
        if (length > 0 && length < 32) /* as every event that a worker appends has a type */
            follow(type->valuestring, body);
    }
    cJSON_Delete(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = { 0 };
    char *text = malloc(size + 1);

    if (store == NULL)
        open_store();
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    for (size_t at = 0; at < size;) {
        struct journal_event event;
        size_t used;
        if (journal_next(&event, &used, text + at, size - at, -1, &err) != JOURNAL_EVENT)
            break;
        cJSON_Delete(event.body);
        at += used;
    }
    apply(text);
    free(text);
    return 0;
}
