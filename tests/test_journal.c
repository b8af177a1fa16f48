/* test_journal.c - hashed lines: written, torn, flipped, out of order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static void a_torn_last_line_is_partial_and_every_flip_is_seen(void **state)
{
    struct journal_event event;
    struct error err;
    size_t size, used;
    char *data = write_sample(&size);
    size_t line = (size_t)(strchr(data, '\n') - data) + 1;

    (void)state;
    for (size_t n = 0; n < line; n++)
        assert_int_equal(journal_next(&event, &used, data, n, 0, &err), JOURNAL_PARTIAL);
    for (size_t n = 0; n + 1 < line; n++) {
        data[n] ^= 1;
        enum journal_status status = journal_next(&event, &used, data, line, 0, &err);
        if (status == JOURNAL_EVENT)
            fail_msg("a flip of byte %zu passes", n);
        data[n] ^= 1;
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_torn_last_line_is_partial_and_every_flip_is_seen),
    };

    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
