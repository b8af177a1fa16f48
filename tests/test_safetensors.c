/* test_safetensors.c - written files read back; every kind of wrong file is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "support/safetensors_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double WIDE[2] = { 1.5, -2.5 };
static const int64_t COUNTER[1] = { (int64_t)1 << 60 };
static const float MATRIX[6] = { 1, 2, 3, 4, 5, 6 };
static const uint8_t FLAGS[3] = { 1, 0, 1 };

static const struct safetensors_tensor TENSORS[] = {
    { .name = "wide", .dtype = SAFETENSORS_F64, .rank = 1, .dims = { 2 }, .data = WIDE },
    { .name = "counter", .dtype = SAFETENSORS_I64, .rank = 0, .data = COUNTER },
    { .name = "m/a \"x\"",
      .dtype = SAFETENSORS_F32,
      .rank = 2,
      .dims = { 2, 3 },
      .data = MATRIX },
    { .name = "none", .dtype = SAFETENSORS_I32, .rank = 2, .dims = { 0, 4 } },
    { .name = "flags", .dtype = SAFETENSORS_U8, .rank = 1, .dims = { 3 }, .data = FLAGS },
};
enum { TENSOR_COUNT = sizeof TENSORS / sizeof *TENSORS };
static const struct safetensors_pair METADATA[] = { { "format", "test" }, { "a", "b\n" } };

static void check_contents(const struct safetensors_file *file)
{
    const struct safetensors_tensor *matrix = safetensors_find(file, "m/a \"x\"");

    assert_int_equal(safetensors_count(file), TENSOR_COUNT);
    assert_non_null(matrix);
    assert_int_equal(matrix->rank, 2);
    assert_int_equal(matrix->dims[1], 3);
    assert_memory_equal(matrix->data, MATRIX, sizeof MATRIX);
    assert_memory_equal(safetensors_find(file, "wide")->data, WIDE, sizeof WIDE);
    assert_int_equal(safetensors_find(file, "counter")->elements, 1);
    assert_memory_equal(safetensors_find(file, "counter")->data, COUNTER, sizeof COUNTER);
    assert_int_equal(safetensors_find(file, "none")->elements, 0);
    assert_memory_equal(safetensors_find(file, "flags")->data, FLAGS, sizeof FLAGS);
    assert_null(safetensors_find(file, "absent"));
    assert_string_equal(safetensors_metadata(file, "a"), "b\n");
    assert_null(safetensors_metadata(file, "absent"));
}

static void what_is_built_reads_back(void **state)
{
    (void)state;
    struct safetensors_file *file;
    struct error err;
    char *bytes;
    size_t size;

    assert_int_equal(safetensors_build(&bytes, &size, TENSORS, TENSOR_COUNT, METADATA, 2, &err),
                     0);
    if (safetensors_parse(&file, bytes, size, "built", &err) < 0)
        fail_msg("%s", err.message);
    check_contents(file);
    safetensors_destroy(file);
    free(bytes);
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    char path[] = "/tmp/hrmlab-test-XXXXXX";
    int fd = mkstemp(path);
    struct safetensors_file *file;
    struct error err;

    assert_true(fd >= 0);
    assert_int_equal(safetensors_write(fd, path, TENSORS, TENSOR_COUNT, METADATA, 2, &err), 0);
    close(fd);
    if (safetensors_read(&file, path, 1 << 20, &err) < 0)
        fail_msg("%s", err.message);
    check_contents(file);
    safetensors_destroy(file);
    assert_true(safetensors_read(&file, path, 10, &err) < 0); /* larger than allowed */
    assert_null(file);
    unlink(path);
}

static void a_writer_refuses_what_no_reader_would_take(void **state)
{
    (void)state;
    const struct safetensors_tensor twice[2] = { TENSORS[0], TENSORS[0] };
    const struct safetensors_tensor misaligned[2] = { TENSORS[4], TENSORS[0] };
    struct safetensors_tensor huge = TENSORS[0];
    struct error err;
    char *bytes;
    size_t size;

    huge.rank = 2;
    huge.dims[0] = huge.dims[1] = INT64_MAX;
    assert_int_equal(safetensors_build(&bytes, &size, twice, 2, NULL, 0, &err), ERROR_FORMAT);
    assert_int_equal(safetensors_build(&bytes, &size, misaligned, 2, NULL, 0, &err),
                     ERROR_FORMAT);
    assert_non_null(strstr(err.message, "wider types first"));
    assert_int_equal(safetensors_build(&bytes, &size, &huge, 1, NULL, 0, &err), ERROR_FORMAT);
    assert_null(bytes);
}

/* A header as text, with data_size bytes behind it. */
static int parse_text(const char *header, size_t data_size, struct error *err)
{
    size_t length = strlen(header), size = 8 + length + data_size;
    char *bytes = calloc(1, size);
    struct safetensors_file *file = NULL;

    assert_non_null(bytes);
    bytes[0] = (char)(length & 0xff);
    bytes[1] = (char)(length >> 8);
    memcpy(bytes + 8, header, length);
    int rc = safetensors_parse(&file, bytes, size, "bad.safetensors", err);
    assert_true((rc == 0) == (file != NULL));
    safetensors_destroy(file);
    free(bytes);
    return rc;
}

static void wrong_headers_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        const char *says;
    } BAD[] = {
        { "", 0, "bad.safetensors" },
        { "[]", 0, "object" },
        { "{\"a\":1}", 0, "object" },
        { "{\"a\":{}}", 0, "dtype" },
        { "{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}", 2, "F16" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1, "shape" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}", 1, "shape[0]" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1.5],\"data_offsets\":[0,1]}}", 1, "shape[0]" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1,
          "at most 8" },
        { "{\"a\":{\"dtype\":\"F64\",\"shape\":[4503599627370496,4503599627370496],"
          "\"data_offsets\":[0,8]}}",
          8, "too large" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, "data_offsets" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,0]}}", 1,
          "data_offsets" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,2]}}", 2, "needs 1" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[0,9]}}", 1, "cut short" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 2,
          "belong to no tensor" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, "hole" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
          "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
          3, "overlap" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
          "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[1,5]}}",
          5, "aligned" },
        { "{\"__metadata__\":{\"x\":1}}", 0, "must be text" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
          "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
          0, "bad.safetensors" },
    };

    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct error err = { 0 };

        if (parse_text(BAD[i].header, BAD[i].data, &err) != ERROR_FORMAT)
            fail_msg("accepted: %s", BAD[i].header);
        if (strstr(err.message, BAD[i].says) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", BAD[i].header, err.message, BAD[i].says);
    }
    struct error err;
    assert_int_equal(
        parse_text("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}  ", 1,
                   &err),
        0);
    assert_int_equal(parse_text("{}", 0, &err), 0);
}

/* Whatever one byte of the header becomes, and wherever the file ends: an error or a file,
 * never a read out of bounds (the sanitizers watch). The format has no checksum of its own; that
 * every flip in a checkpoint is noticed is checked in test_checkpoint.c. */
static void no_single_byte_breaks_the_reader(void **state)
{
    (void)state;
    struct error err;
    char *bytes;
    size_t size, header_size, total;
    char *header;

    assert_int_equal(safetensors_build_header(&header, &header_size, &total, TENSORS,
                                              TENSOR_COUNT, METADATA, 2, &err),
                     0);
    free(header);
    assert_int_equal(safetensors_build(&bytes, &size, TENSORS, TENSOR_COUNT, METADATA, 2, &err),
                     0);
    assert_int_equal(size, total);
    assert_int_equal(header_size % 64, 0);
    for (size_t i = 0; i < header_size; i++)
        for (int change = 1; change < 256; change += 85) {
            char old = bytes[i];
            struct safetensors_file *file;

            bytes[i] = (char)(old ^ change);
            if (safetensors_parse(&file, bytes, size, "flipped", &err) == 0)
                safetensors_destroy(file);
            bytes[i] = old;
        }
    for (size_t cut = 0; cut < size; cut++) {
        char *part = malloc(cut + 1);
        struct safetensors_file *file;

        assert_non_null(part);
        memcpy(part, bytes, cut);
        assert_int_equal(safetensors_parse(&file, part, cut, "cut", &err), ERROR_FORMAT);
        free(part);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_built_reads_back),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(a_writer_refuses_what_no_reader_would_take),
        cmocka_unit_test(wrong_headers_are_named),
        cmocka_unit_test(no_single_byte_breaks_the_reader),
    };

    return cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
}
