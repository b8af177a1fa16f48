/* event_file.c - records, events, and the messages of the plugin hparams. */
#include "event_file.h"

#include "error.h"
#include "wire.h"

#include <errno.h>
#include <string.h>

/* Numbers of fields, by the messages of event.proto, summary.proto, plugin_data.proto
 * and api.proto. */
enum { EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_FILE_VERSION = 3, EVENT_SUMMARY = 5 };
enum { SUMMARY_VALUE = 1 };
enum { VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_TENSOR = 8, VALUE_METADATA = 9 };
enum { METADATA_PLUGIN = 1, PLUGIN_NAME = 1, PLUGIN_CONTENT = 2 };
enum { TENSOR_TYPE = 1, TENSOR_SHAPE = 2, TYPE_FLOAT = 1 };
enum { DATA_EXPERIMENT = 2, DATA_START = 3, DATA_END = 4 };
enum { START_PARAMETERS = 1, START_GROUP = 4, START_TIME = 5 };
enum { END_STATUS = 1, END_TIME = 2 };
enum { EXPERIMENT_PARAMETER = 4, EXPERIMENT_METRIC = 5 };
enum { INFO_NAME = 1, INFO_DESCRIPTION = 3, INFO_TYPE = 4, INFO_VALUES = 5 };
enum { METRIC_NAME = 1, NAME_TAG = 2 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2, LIST_VALUE = 1 };
enum { ANY_NUMBER = 2, ANY_TEXT = 3, ANY_BOOL = 4 };
enum { INFO_TYPE_TEXT = 1, INFO_TYPE_BOOL = 2, INFO_TYPE_NUMBER = 3 };

/* ---- records ---- */

/* CRC-32C (Castagnoli), bits reflected. */
static uint32_t crc32c(const unsigned char *data, size_t size)
{
    static const uint32_t POLYNOMIAL = 0x82f63b78;
    static uint32_t table[256];

    for (uint32_t i = 0; table[255] == 0 && i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ ((table[i] & 1) != 0 ? POLYNOMIAL : 0);
    }
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < size; i++)
        crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
    return crc ^ 0xffffffff;
}

/* Checksums are stored rotated and shifted, so that one over data with checksums in it
 * is not taken for its own. */
static void put_checksum(unsigned char out[4], const unsigned char *data, size_t size)
{
    uint32_t crc = crc32c(data, size), masked = (crc >> 15 | crc << 17) + 0xa282ead8;

    for (int i = 0; i < 4; i++)
        out[i] = (unsigned char)(masked >> 8 * i);
}

/* Writes the event as a record and releases it. */
static int write_record(FILE *out, struct wire *event, struct error *err)
{
    unsigned char head[12], tail[4];
    int rc = event->failed ? error_no_memory(err, "an event file") : 0;

    for (int i = 0; i < 8; i++)
        head[i] = (unsigned char)((uint64_t)event->size >> 8 * i);
    put_checksum(head + 8, head, 8);
    put_checksum(tail, event->bytes, event->size);
    if (rc == 0 && (fwrite(head, sizeof head, 1, out) != 1 ||
                    fwrite(event->bytes, event->size, 1, out) != 1 ||
                    fwrite(tail, sizeof tail, 1, out) != 1))
        rc = error_set(err, error_code_from_errno(errno), "cannot write an event file: %s",
                       strerror(errno));
    wire_release(event);
    return rc;
}

int event_file_begin(FILE *out, double time, struct error *err)
{
    struct wire event = { 0 };

    wire_double(&event, EVENT_WALL_TIME, time);
    wire_text(&event, EVENT_FILE_VERSION, "brain.Event:2");
    return write_record(out, &event, err);
}

int event_file_scalars(FILE *out, double time, int64_t step, const struct event_scalar *items,
                       int count, struct error *err)
{
    struct wire event = { 0 }, summary = { 0 };

    for (int i = 0; i < count; i++) {
        struct wire value = { 0 };

        wire_text(&value, VALUE_TAG, items[i].tag);
        wire_float(&value, VALUE_SIMPLE, (float)items[i].value);
        wire_message(&summary, SUMMARY_VALUE, &value);
    }
    wire_double(&event, EVENT_WALL_TIME, time);
    wire_integer(&event, EVENT_STEP, (uint64_t)step);
    wire_message(&event, EVENT_SUMMARY, &summary);
    return write_record(out, &event, err);
}

/* ---- hyperparameters ---- */

/* Writes a summary of the plugin: its data under a tag of its own, with an empty tensor
 * as value. data is released. */
static int write_plugin(FILE *out, double time, const char *tag, struct wire *data,
                        struct error *err)
{
    struct wire event = { 0 }, summary = { 0 }, value = { 0 }, metadata = { 0 };
    struct wire plugin = { 0 }, tensor = { 0 }, shape = { 0 };

    wire_text(&plugin, PLUGIN_NAME, "hparams");
    wire_message(&plugin, PLUGIN_CONTENT, data);
    wire_message(&metadata, METADATA_PLUGIN, &plugin);
    wire_integer(&tensor, TENSOR_TYPE, TYPE_FLOAT);
    wire_message(&tensor, TENSOR_SHAPE, &shape);
    wire_text(&value, VALUE_TAG, tag);
    wire_message(&value, VALUE_TENSOR, &tensor);
    wire_message(&value, VALUE_METADATA, &metadata);
    wire_message(&summary, SUMMARY_VALUE, &value);
    wire_double(&event, EVENT_WALL_TIME, time);
    wire_message(&event, EVENT_SUMMARY, &summary);
    return write_record(out, &event, err);
}

/* Adds a google.protobuf.Value. */
static void put_value(struct wire *wire, int field, const struct event_parameter *parameter)
{
    struct wire value = { 0 };

    if (parameter->kind == EVENT_TEXT)
        wire_text(&value, ANY_TEXT, parameter->text);
    else if (parameter->kind == EVENT_BOOL)
        wire_integer(&value, ANY_BOOL, parameter->number != 0);
    else
        wire_double(&value, ANY_NUMBER, parameter->number);
    wire_message(wire, field, &value);
}

int event_file_start(FILE *out, double time, const char *group,
                     const struct event_parameter *items, int count, struct error *err)
{
    struct wire data = { 0 }, start = { 0 };

    for (int i = 0; i < count; i++) {
        struct wire entry = { 0 };

        if (items[i].kind == EVENT_ABSENT)
            continue;
        wire_text(&entry, ENTRY_KEY, items[i].name);
        put_value(&entry, ENTRY_VALUE, &items[i]);
        wire_message(&start, START_PARAMETERS, &entry);
    }
    wire_text(&start, START_GROUP, group);
    wire_double(&start, START_TIME, time);
    wire_message(&data, DATA_START, &start);
    return write_plugin(out, time, "_hparams_/session_start_info", &data, err);
}

int event_file_end(FILE *out, double time, enum event_status status, struct error *err)
{
    struct wire data = { 0 }, end = { 0 };

    wire_integer(&end, END_STATUS, (uint64_t)status);
    wire_double(&end, END_TIME, time);
    wire_message(&data, DATA_END, &end);
    return write_plugin(out, time, "_hparams_/session_end_info", &data, err);
}

static void put_axis(struct wire *experiment, const struct event_axis *axis)
{
    struct wire info = { 0 }, list = { 0 };
    int type = INFO_TYPE_NUMBER;

    if (axis->count > 0 && axis->values[0].kind == EVENT_TEXT)
        type = INFO_TYPE_TEXT;
    else if (axis->count > 0 && axis->values[0].kind == EVENT_BOOL)
        type = INFO_TYPE_BOOL;
    for (int i = 0; i < axis->count; i++)
        put_value(&list, LIST_VALUE, &axis->values[i]);
    wire_text(&info, INFO_NAME, axis->name);
    wire_text(&info, INFO_DESCRIPTION, axis->meaning);
    wire_integer(&info, INFO_TYPE, (uint64_t)type);
    wire_message(&info, INFO_VALUES, &list);
    wire_message(experiment, EXPERIMENT_PARAMETER, &info);
}

int event_file_experiment(FILE *out, double time, const struct event_axis *axes, int axis_count,
                          const char *const *tags, int tag_count, struct error *err)
{
    struct wire data = { 0 }, experiment = { 0 };

    for (int i = 0; i < axis_count; i++)
        put_axis(&experiment, &axes[i]);
    for (int i = 0; i < tag_count; i++) {
        struct wire metric = { 0 }, name = { 0 };

        wire_text(&name, NAME_TAG, tags[i]);
        wire_message(&metric, METRIC_NAME, &name);
        wire_message(&experiment, EXPERIMENT_METRIC, &metric);
    }
    wire_message(&data, DATA_EXPERIMENT, &experiment);
    return write_plugin(out, time, "_hparams_/experiment", &data, err);
}
