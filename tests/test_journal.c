/* test_journal.c - hashed lines: written, torn, flipped, out of order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "journal.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool disk_is_full;

static char *write_sample(size_t *size)
{
    char directory[] = "/tmp/hrmlab-journal-XXXXXX";
    struct error err = { 0 };
    struct journal_writer writer;
    char *data;

    assert_non_null(mkdtemp(directory));
    char *path = file_join(directory, "journal.jsonl");
    assert_int_equal(journal_open(&writer, path, &err), 0);
    for (int i = 0; i < 3; i++) {
        cJSON *body = cJSON_CreateObject();
        cJSON_AddNumberToObject(body, "step", i);
        assert_int_equal(journal_append(&writer, "metric", body, true, &err), 0);
    }
    assert_int_equal(journal_append(&writer, "end", NULL, true, &err), 0);
    journal_close(&writer);
    assert_int_equal(journal_open(&writer, path, &err), ERROR_IO); /* never appended to again */
    assert_int_equal(file_read(&data, size, path, 1 << 20, &err), 0);
    assert_int_equal(file_remove_tree(directory, &err), 0);
    free(path);
    return data;
}

static void what_is_written_is_read(void **state)
{
    struct journal_event event;
    struct error err;
    size_t size, at = 0, used;
    char *data = write_sample(&size);

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(journal_next(&event, &used, data + at, size - at, i, &err),
                         JOURNAL_EVENT);
        assert_string_equal(event.type, i < 3 ? "metric" : "end");
        cJSON_Delete(event.body);
        at += used;
    }
    assert_int_equal(at, size);
    assert_int_equal(journal_next(&event, &used, data, size, 1, &err), JOURNAL_BAD);
    free(data);
}

static void a_torn_last_line_is_partial(void **state)
{
    struct journal_event event;
    struct error err;
    size_t size, used;
    char *data = write_sample(&size);
    size_t line = (size_t)(strchr(data, '\n') - data) + 1;

    (void)state;
    for (size_t n = 0; n < line; n++)
        assert_int_equal(journal_next(&event, &used, data, n, 0, &err), JOURNAL_PARTIAL);
    free(data);
}

/* Reads on until something else than an event comes; *events: how many there were. */
static enum journal_status read_events(const char *data, size_t size, int *events)
{
    enum journal_status status = JOURNAL_EVENT;
    struct journal_event event;
    struct error err;
    size_t at = 0, used;

    for (*events = 0; status == JOURNAL_EVENT; *events += status == JOURNAL_EVENT) {
        status = journal_next(&event, &used, data + at, size - at, *events, &err);
        cJSON_Delete(event.body);
        at += used;
    }
    return status;
}

/* Every bit of every byte of a whole journal: the lines before it are read, its own is bad. Only
 * without its very last newline the journal is merely torn. */
static void a_flip_of_any_bit_is_bad_and_costs_no_line_before_it(void **state)
{
    size_t size;
    char *data = write_sample(&size);
    int line = 0, events;

    (void)state;
    assert_int_equal(read_events(data, size, &events), JOURNAL_PARTIAL);
    assert_int_equal(events, 4);
    for (size_t n = 0; n < size; n++) {
        bool ends_line = data[n] == '\n';

        for (int bit = 0; bit < 8; bit++) {
            data[n] = (char)(data[n] ^ (1 << bit));
            enum journal_status status = read_events(data, size, &events);
            if (status != (n + 1 == size ? JOURNAL_PARTIAL : JOURNAL_BAD) || events != line)
                fail_msg("bit %d of byte %zu flipped: %d events, then %d", bit, n, events,
                         (int)status);
            data[n] = (char)(data[n] ^ (1 << bit));
        }
        line += ends_line;
    }
    free(data);
}

/* In place of the C library's: network file systems report a full disk only here. */
int fdatasync(int fd)
{
    if (!disk_is_full)
        return fsync(fd);
    errno = ENOSPC;
    return -1;
}

static void an_event_that_could_not_be_synced_is_followed_by_the_next(void **state)
{
    static const char *const types[] = { "metric", "baseline", "error" };
    char directory[] = "/tmp/hrmlab-journal-XXXXXX", *data;
    struct report report;
    struct error err = { 0 };
    size_t size, at = 0, used;

    (void)state;
    assert_non_null(mkdtemp(directory));
    char *path = file_join(directory, "journal.jsonl");
    assert_int_equal(report_open(&report, path, &err), 0);
    assert_int_equal(report_event(&report, types[0], cJSON_CreateObject(), false, &err), 0);
    disk_is_full = true;
    assert_int_equal(report_event(&report, types[1], cJSON_CreateObject(), true, &err),
                     ERROR_NOSPACE);
    disk_is_full = false;
    assert_int_equal(report_error(&report, OUTCOME_DISK_FULL, err.message, &err), 0);
    report_close(&report);
    assert_int_equal(file_read(&data, &size, path, 1 << 20, &err), 0);
    for (int i = 0; i < 3; i++) {
        struct journal_event event;

        assert_int_equal(journal_next(&event, &used, data + at, size - at, i, &err),
                         JOURNAL_EVENT);
        assert_string_equal(event.type, types[i]);
        cJSON_Delete(event.body);
        at += used;
    }
    assert_int_equal(at, size);
    assert_int_equal(file_remove_tree(directory, &err), 0);
    free(path);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_torn_last_line_is_partial),
        cmocka_unit_test(a_flip_of_any_bit_is_bad_and_costs_no_line_before_it),
        cmocka_unit_test(an_event_that_could_not_be_synced_is_followed_by_the_next),
    };

    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
