/* test_events.c - event files of TensorBoard, read back by a reader of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "error.h"
#include "event_file.h"
#include "event_times.h"
#include "export.h"
#include "export_events.h"
#include "file.h"
#include "journal.h"
#include "sql.h"
#include "store.h"
#include "support/opened.h"
#include "support/place.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct opened_export opened;
static struct store *store;
static struct export *export;

/* The workspace of the first release: two runs with 16 values each of training and two
 * evaluations, untrained and last. Its journals are gone. */
static int open_workspace(void **state)
{
    (void)state;
    opened_export_make(&opened, "");
    store = opened.store;
    export = opened.export;
    return 0;
}

static int close_workspace(void **state)
{
    (void)state;
    opened_export_remove(&opened);
    return 0;
}

/* ---- the reader ---- */

/* CRC-32C by its definition: the polynomial's own bits, a bit at a time, every byte and
 * the result reversed. */
static uint32_t reversed(uint32_t value, int bits)
{
    uint32_t out = 0;

    for (int i = 0; i < bits; i++)
        out |= (value >> i & 1) << (bits - 1 - i);
    return out;
}

static uint32_t crc_of(const unsigned char *data, size_t size)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < size; i++) {
        crc ^= reversed(data[i], 8) << 24;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x80000000) != 0 ? crc << 1 ^ 0x1edc6f41 : crc << 1;
    }
    return ~reversed(crc, 32);
}

static uint64_t little(const unsigned char *bytes, int count)
{
    uint64_t value = 0;

    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

/* A part of a message. */
struct part {
    const unsigned char *bytes;
    size_t size;
};

/* Checks the stored checksum of size bytes. */
static void expect_checksum(const unsigned char *stored, const unsigned char *data, size_t size)
{
    uint32_t crc = ((uint32_t)little(stored, 4) - 0xa282ead8);

    assert_int_equal((crc << 15 | crc >> 17), crc_of(data, size));
}

/* Takes the next record off the file. */
static struct part next_record(struct part *file)
{
    assert_true(file->size >= 16);
    uint64_t size = little(file->bytes, 8);
    struct part record = { file->bytes + 12, (size_t)size };

    assert_true(size <= file->size - 16);
    expect_checksum(file->bytes + 8, file->bytes, 8);
    expect_checksum(record.bytes + size, record.bytes, (size_t)size);
    file->bytes += size + 16;
    file->size -= (size_t)size + 16;
    return record;
}

static uint64_t take_varint(struct part *rest)
{
    uint64_t value = 0;

    for (int shift = 0; shift < 64; shift += 7) {
        assert_true(rest->size > 0);
        unsigned char byte = *rest->bytes++;
        rest->size--;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    fail_msg("a number without an end");
    return 0;
}

/* Finds the nth field of that number, from 0; its bytes, of a varint those of the number
 * in *number. False: there is none. */
static bool find_field(struct part *out, uint64_t *number, struct part message, int field,
                       int n)
{
    while (message.size > 0) {
        uint64_t key = take_varint(&message);
        struct part value = { message.bytes, 0 };

        *number = 0;
        if ((key & 7) == 0)
            *number = take_varint(&message);
        else if ((key & 7) == 2)
            value.size = (size_t)take_varint(&message);
        else
            value.size = (key & 7) == 1 ? 8 : 4;
        assert_true((key & 7) != 3 && (key & 7) != 4 && value.size <= message.size);
        if ((key & 7) != 0) {
            value.bytes = message.bytes;
            message.bytes += value.size;
            message.size -= value.size;
        }
        if (key >> 3 == (uint64_t)field && n-- == 0) {
            *out = value;
            return true;
        }
    }
    return false;
}

static struct part field_of(struct part message, int field)
{
    struct part out;
    uint64_t number;

    if (!find_field(&out, &number, message, field, 0))
        fail_msg("no field %d", field);
    return out;
}

static double double_of(struct part part)
{
    uint64_t bits = little(part.bytes, 8);
    double value;

    assert_int_equal(part.size, 8);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool is_text(struct part part, const char *text)
{
    return part.size == strlen(text) && memcmp(part.bytes, text, part.size) == 0;
}

/* Writes the file of a run to memory. */
static struct part write_run(int index, unsigned char **owned)
{
    struct error err;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    must(export_events_run(export, &export->arm_runs[index], opened.place.workspace, out, &err),
         &err);
    fclose(out);
    *owned = (unsigned char *)text;
    return (struct part){ *owned, size };
}

/* Finds a scalar in a file; its event's wall time in *time. */
static bool find_scalar(struct part file, const char *tag, uint64_t step, double *value,
                        double *time)
{
    while (file.size > 0) {
        struct part record = next_record(&file), summary, item, simple;
        uint64_t number, at = 0;

        if (!find_field(&summary, &number, record, 5, 0))
            continue;
        if (!find_field(&item, &at, record, 2, 0) || at != step)
            continue;
        for (int i = 0; find_field(&item, &number, summary, 1, i); i++) {
            if (!is_text(field_of(item, 1), tag) || !find_field(&simple, &number, item, 2, 0))
                continue;
            uint32_t bits = (uint32_t)little(simple.bytes, 4);
            float single;

            memcpy(&single, &bits, sizeof single);
            *value = (double)single;
            *time = double_of(field_of(record, 1));
            return true;
        }
    }
    return false;
}

static void the_readers_checksum_is_the_published_one(void **state)
{
    (void)state;
    assert_int_equal(crc_of((const unsigned char *)"123456789", 9), 0xe3069283);
}

static void every_value_of_a_run_is_read_back_at_its_step(void **state)
{
    struct error err;
    unsigned char *owned;
    struct part file = write_run(0, &owned), rest = file;
    double value, time;
    sqlite3_stmt *s;
    int count = 0;

    (void)state;
    assert_true(is_text(field_of(next_record(&rest), 3), "brain.Event:2"));
    must(sql_query(store, &s, &err, "SELECT name, step, value FROM metric WHERE run_id = ?1",
                   "i", export->arm_runs[0].id),
         &err);
    while (sql_step(store, &s, &err) > 0) {
        if (!find_scalar(file, sql_text(s, 0), (uint64_t)sqlite3_column_int64(s, 1), &value,
                         &time))
            fail_msg("%s at step %d is not there", sql_text(s, 0), sqlite3_column_int(s, 1));
        assert_true(value == (double)(float)sqlite3_column_double(s, 2));
        count++;
    }
    assert_int_equal(count, 16);
    assert_true(find_scalar(file, "per_token_accuracy/halt_max_steps=2,augmentations=all", 0,
                            &value, &time));
    assert_true(value > 0 && value < 1);
    assert_false(find_scalar(file, "oracle/halt_max_steps=2,augmentations=all", 0, &value,
                             &time)); /* not of the first release */
    free(owned);
}

static void steps_ascend_within_a_file(void **state)
{
    unsigned char *owned;
    struct part file = write_run(1, &owned), ignored;
    uint64_t last = 0, step;

    (void)state;
    while (file.size > 0) {
        struct part record = next_record(&file);

        if (!find_field(&ignored, &step, record, 2, 0))
            continue;
        assert_true(step >= last);
        last = step;
    }
    assert_true(last > 0);
    free(owned);
}

/* The message of the plugin hparams under a tag: its data's field. */
static struct part find_plugin(struct part file, const char *tag, int field)
{
    while (file.size > 0) {
        struct part record = next_record(&file), summary;
        uint64_t number;

        if (!find_field(&summary, &number, record, 5, 0))
            continue;
        struct part value = field_of(summary, 1);

        if (!is_text(field_of(value, 1), tag))
            continue;
        struct part plugin = field_of(field_of(value, 9), 1);

        assert_true(is_text(field_of(plugin, 1), "hparams"));
        return field_of(field_of(plugin, 2), field);
    }
    fail_msg("no %s", tag);
    return file;
}

static void a_run_has_its_axes_as_hyperparameters(void **state)
{
    unsigned char *owned;
    struct part file = write_run(0, &owned);
    struct part start = find_plugin(file, "_hparams_/session_start_info", 3);
    struct part end = find_plugin(file, "_hparams_/session_end_info", 4), entry;
    uint64_t number;

    (void)state;
    assert_true(find_field(&entry, &number, start, 1, 0));
    assert_true(is_text(field_of(entry, 1), "arch.name"));
    assert_true(is_text(field_of(field_of(entry, 2), 3), "hrm"));
    assert_true(find_field(&entry, &number, start, 1, 1));
    assert_true(is_text(field_of(entry, 1), "seed"));
    assert_true(double_of(field_of(field_of(entry, 2), 2)) == 0);
    assert_true(is_text(field_of(start, 4), "t: arch.name=hrm"));
    assert_true(find_field(&entry, &number, end, 1, 0) && number == EVENT_SUCCESS);
    free(owned);
}

static void the_file_at_the_top_lists_axes_and_tags(void **state)
{
    struct error err;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    uint64_t number;

    (void)state;
    must(export_events_top(export, out, &err), &err);
    fclose(out);
    struct part file = { (unsigned char *)text, size };
    struct part experiment = find_plugin(file, "_hparams_/experiment", 2), info, value;

    info = field_of(experiment, 4);
    assert_true(is_text(field_of(info, 1), "arch.name"));
    assert_true(find_field(&value, &number, field_of(info, 5), 1, 1));
    assert_true(is_text(field_of(value, 3), "transformer"));
    assert_true(is_text(field_of(field_of(field_of(experiment, 5), 1), 2),
                        "pass_at_2/halt_max_steps=1,augmentations=all"));
    free(text);
}

/* Writes a journal with events of these steps; time passes between two. */
static void write_journal(const char *directory, const int *steps, int count, const char *type)
{
    char *path = format_string("%s/%s/journal.jsonl", opened.place.workspace, directory);
    char *slash = strrchr(path, '/');
    struct journal_writer writer;
    struct error err;

    *slash = '\0';
    must(file_make_directories(path, &err), &err);
    *slash = '/';
    must(journal_open(&writer, path, &err), &err);
    for (int i = 0; i < count; i++) {
        cJSON *body = cJSON_CreateObject();

        cJSON_AddNumberToObject(body, "step", steps[i]);
        must(journal_append(&writer, type, body, false, &err), &err);
        place_sleep_ms(5);
    }
    journal_close(&writer);
    free(path);
}

static void times_are_those_of_the_journal_and_the_later_attempt_counts(void **state)
{
    static const int STEPS[] = { 2, 4, 8 }, AGAIN[] = { 4 };
    double before = clock_wall_s();
    char *directory =
        place_ask(&opened.place, "SELECT directory FROM attempt WHERE run_id = 1");
    struct event_times times;
    struct error err;

    (void)state;
    write_journal(directory, STEPS, 3, "metric");
    place_change(&opened.place,
                 "INSERT INTO attempt (job_id, run_id, number, directory, executor, state,"
                 " started_at) VALUES (1, 1, 2, 'again', 'local', 'running',"
                 " '2100-01-01T00:00:00.500Z')");
    write_journal("again", AGAIN, 1, "metric");
    must(event_times_load(&times, store, 1, opened.place.workspace, &err), &err);
    double two = event_times_at(&times, EVENT_OF_METRIC, 2);
    double four = event_times_at(&times, EVENT_OF_METRIC, 4);
    double eight = event_times_at(&times, EVENT_OF_METRIC, 8);

    assert_true(two >= before - 1 && two < eight && eight < four);
    assert_true(four <= clock_wall_s());
    assert_true(event_times_at(&times, EVENT_OF_METRIC, 7) == four);
    assert_true(event_times_at(&times, EVENT_OF_METRIC, 1) == times.first);
    assert_true(event_times_at(&times, EVENT_OF_EVALUATION, 8) == times.first);
    assert_true(times.last == 4102444800.5);
    event_times_release(&times);
    free(directory);
}

/* The files of the command, by Debian's python3 and the format's own checksum. */
static void the_script_reads_what_the_command_wrote(void **state)
{
    char *out, *errors, *folder = file_join(opened.place.directory, "events");
    char *command = format_string("/usr/bin/python3 tests/support/read_events.py %s", folder);
    const char *const words[] = { "export", folder, "--format", "tensorboard", NULL };
    char line[200];

    (void)state;
    assert_int_equal(place_run(&opened.place, words, &out, &errors), 0);
    free(out);
    free(errors);
    if (access("/usr/bin/python3", X_OK) != 0) {
        print_message("skipped: there is no /usr/bin/python3\n");
        free(command);
        free(folder);
        skip();
    }
    FILE *script = popen(command, "r");

    assert_non_null(script);
    assert_non_null(fgets(line, sizeof line, script));
    if (strncmp(line, "3 files, ", 9) != 0)
        fail_msg("%s", line);
    assert_int_equal(pclose(script), 0);
    free(command);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_readers_checksum_is_the_published_one),
        cmocka_unit_test(every_value_of_a_run_is_read_back_at_its_step),
        cmocka_unit_test(steps_ascend_within_a_file),
        cmocka_unit_test(a_run_has_its_axes_as_hyperparameters),
        cmocka_unit_test(the_file_at_the_top_lists_axes_and_tags),
        cmocka_unit_test(the_script_reads_what_the_command_wrote),
        cmocka_unit_test(times_are_those_of_the_journal_and_the_later_attempt_counts),
    };

    return cmocka_run_group_tests_name("events", tests, open_workspace, close_workspace);
}
