/* test_recorder.c - a journal into the store, without memory at every allocation of its JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "journal.h"
#include "recorder.h"
#include "store.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char ROWS[] =
    "INSERT INTO training (training_id, canonical, job_config, data_hash, numeric_version)"
    " VALUES (1, '{}', '{}', 'b', '1');"
    "INSERT INTO run (run_id, hash, training_id, seed)"
    " VALUES (1, substr(hex(zeroblob(32)), 1, 64), 1, 0);"
    "INSERT INTO job (job_id, run_id, kind, state, queued_at)"
    " VALUES (1, 1, 'train', 'running', 't');"
    "INSERT INTO attempt (attempt_id, job_id, run_id, number, directory, executor, state,"
    " started_at) VALUES (1, 1, 1, 1, 'd', 'local', 'running', 't');";

static const struct record_attempt ATTEMPT = {
    .attempt_id = 1, .run_id = 1, .job_id = 1, .number = 1, .directory = "."
};

static char directory[64];

static int make_workspace(void **state)
{
    struct error err = { 0 };
    struct store *store;

    (void)state;
    snprintf(directory, sizeof directory, "/tmp/hrmlab-recorder-XXXXXX");
    assert_non_null(mkdtemp(directory));
    assert_int_equal(store_open(&store, directory, STORE_WRITE, &err), 0);
    assert_int_equal(sqlite3_exec(store_connection(store), ROWS, NULL, NULL, NULL), SQLITE_OK);
    store_close(store);
    return 0;
}

static int remove_workspace(void **state)
{
    struct error err = { 0 };

    (void)state;
    return file_remove_tree(directory, &err);
}

static void write_journal(void)
{
    struct journal_writer writer;
    struct error err = { 0 };
    char *path = file_join(directory, "journal.jsonl");

    assert_int_equal(journal_open(&writer, path, &err), 0);
    for (int i = 1; i <= 3; i++) {
        cJSON *body = cJSON_CreateObject();
        cJSON_AddNumberToObject(body, "step", i);
        cJSON_AddNumberToObject(cJSON_AddObjectToObject(body, "values"), "train/lm_loss", 0.5);
        assert_int_equal(journal_append(&writer, "metric", body, false, &err), 0);
    }
    journal_close(&writer);
    free(path);
}

/* Allocations of cJSON until one fails; 0: none does. */
static int left;

static void *failing_malloc(size_t size)
{
    return left > 0 && --left == 0 ? NULL : malloc(size);
}

static void no_memory_is_no_fault_of_the_journal(void **state)
{
    cJSON_Hooks hooks = { failing_malloc, free };
    struct error err = { 0 };
    struct store *store;
    struct recorder recorder;
    bool over = false;
    int points = 0;

    (void)state;
    write_journal();
    assert_int_equal(store_open(&store, directory, STORE_WRITE, &err), 0);
    assert_int_equal(recorder_init(&recorder, &ATTEMPT, directory, &err), 0);
    for (int n = 1; !over; n++) {
        left = n;
        cJSON_InitHooks(&hooks);
        int rc = recorder_read(&recorder, store, &err);
        over = left > 0;
        left = 0;
        cJSON_InitHooks(NULL);
        assert_string_equal(recorder.error_text, "");
        assert_int_equal(rc, over ? 0 : ERROR_NOMEM);
        assert_true(over || recorder.attempt.offset == 0);
        points += !over;
    }
    assert_true(points > 20);
    assert_int_equal(recorder.attempt.sequence, 3);
    recorder_release(&recorder);
    store_close(store);
}

/* What has been read of a journal is not in doubt; that it is no longer there is held against it. */
static void a_journal_that_shrinks_or_goes_is_seen(void **state)
{
    struct error err = { 0 };
    struct store *store;
    char *path = file_join(directory, "journal.jsonl");

    (void)state;
    assert_int_equal(store_open(&store, directory, STORE_WRITE, &err), 0);
    write_journal();
    for (int gone = 0; gone < 2; gone++) {
        struct recorder recorder;

        assert_int_equal(recorder_init(&recorder, &ATTEMPT, directory, &err), 0);
        assert_int_equal(recorder_read(&recorder, store, &err), 0);
        assert_int_equal(recorder.attempt.sequence, 3);
        assert_string_equal(recorder.error_text, "");
        assert_int_equal(gone ? unlink(path) : truncate(path, recorder.attempt.offset - 1), 0);
        assert_int_equal(store_begin(store, &err), 0);
        assert_int_equal(recorder_drain(&recorder, store, &err), 0);
        store_rollback(store);
        assert_string_equal(recorder.error_text,
                            gone ? "the journal is gone" : "the journal became shorter");
        assert_int_equal(recorder.attempt.sequence, 3);
        recorder_release(&recorder);
        unlink(path);
        if (!gone)
            write_journal();
    }
    store_close(store);
    free(path);
}

/* Of a long message as many whole characters are kept as there is room for. */
static void a_message_is_cut_between_characters(void **state)
{
    struct journal_writer writer;
    struct error err = { 0 };
    struct store *store;
    struct recorder recorder;
    char *path = file_join(directory, "journal.jsonl"), text[600] = "";

    (void)state;
    for (int odd = 0; odd < 2; odd++) {
        snprintf(text, sizeof text, "%s", odd ? "x" : "");
        while (strlen(text) + 3 < sizeof text)
            strcat(text, "\xc3\xa4");
        cJSON *body = cJSON_CreateObject();
        cJSON_AddStringToObject(body, "cause", "bad job");
        cJSON_AddStringToObject(body, "message", text);
        assert_int_equal(store_open(&store, directory, STORE_WRITE, &err), 0);
        assert_int_equal(journal_open(&writer, path, &err), 0);
        assert_int_equal(journal_append(&writer, "error", body, false, &err), 0);
        journal_close(&writer);
        assert_int_equal(recorder_init(&recorder, &ATTEMPT, directory, &err), 0);
        assert_int_equal(recorder_read(&recorder, store, &err), 0);
        assert_true(strlen(recorder.message) > 250);
        assert_null(text_not_utf8(recorder.message));
        recorder_release(&recorder);
        store_close(store);
        assert_int_equal(unlink(path), 0);
    }
    free(path);
}

/* A worker can put anything in the place of its journal: that hangs nobody and ends no runner. */
static void what_is_no_file_is_held_against_the_worker(void **state)
{
    struct error err = { 0 };
    struct store *store;
    char *path = file_join(directory, "journal.jsonl");

    (void)state;
    assert_int_equal(store_open(&store, directory, STORE_WRITE, &err), 0);
    for (int what = 0; what < 3; what++) {
        struct recorder recorder;
        struct recorder_progress progress;

        assert_int_equal(what == 0   ? mkfifo(path, 0600)
                         : what == 1 ? mkdir(path, 0700)
                                     : symlink(path, path),
                         0);
        assert_int_equal(recorder_init(&recorder, &ATTEMPT, directory, &err), 0);
        assert_int_equal(recorder_read(&recorder, store, &err), 0);
        assert_int_equal(store_begin(store, &err), 0);
        assert_int_equal(recorder_drain(&recorder, store, &err), 0);
        store_rollback(store);
        assert_string_equal(recorder.error_text, "the journal is no regular file");
        assert_int_equal(recorder_peek(&progress, path, &err), 0);
        recorder_release(&recorder);
        assert_int_equal(remove(path), 0);
    }
    store_close(store);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_memory_is_no_fault_of_the_journal, make_workspace,
                                        remove_workspace),
        cmocka_unit_test_setup_teardown(a_journal_that_shrinks_or_goes_is_seen, make_workspace,
                                        remove_workspace),
        cmocka_unit_test_setup_teardown(a_message_is_cut_between_characters, make_workspace,
                                        remove_workspace),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_held_against_the_worker,
                                        make_workspace, remove_workspace),
    };

    return cmocka_run_group_tests_name("recorder", tests, NULL, NULL);
}
