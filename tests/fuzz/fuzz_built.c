/*
 * fuzz_built.c - a directory of the published code of which one file is the input. The
 * input's first byte says which: one of FILES, or the order of batches.
 */
#include "fuzz.h"

#include "batch_order.h"
#include "data_set.h"
#include "error.h"
#include "file.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char FACTS[] =
    "{\"pad_id\": 0, \"ignore_label_id\": 0, \"blank_identifier_id\": 0, \"vocab_size\": 12, "
    "\"seq_len\": 4, \"num_puzzle_identifiers\": 3, \"total_groups\": 1, "
    "\"mean_puzzle_examples\": 1.0, \"sets\": [\"all\"]}";
static const char NAMES[] = "[\"<blank>\", \"a\", \"a|||t1|||0213456789\"]";
static const uint8_t TOKENS[8] = { 2, 3, 1, 0, 4, 5, 1, 1 };
static const int32_t EACH[3] = { 0, 1, 2 }, GROUP[2] = { 0, 2 }, IDS[2] = { 1, 2 };

/* What stands in each file where it is not the input; of an array the shape, too. */
static const struct {
    const char *name;
    const void *bytes;
    size_t size;
    enum npy_type type;
    int rows, columns; /* 0: it is JSON */
} FILES[] = {
    { "identifiers.json", NAMES, sizeof NAMES - 1, 0, 0, 0 },
    { "train/dataset.json", FACTS, sizeof FACTS - 1, 0, 0, 0 },
    { "train/all__inputs.npy", TOKENS, 8, NPY_U1, 2, 4 },
    { "train/all__labels.npy", TOKENS, 8, NPY_U1, 2, 4 },
    { "train/all__puzzle_indices.npy", EACH, 12, NPY_I4, 3, 0 },
    { "train/all__group_indices.npy", GROUP, 8, NPY_I4, 2, 0 },
    { "train/all__puzzle_identifiers.npy", IDS, 8, NPY_I4, 2, 0 },
    { "test/dataset.json", FACTS, sizeof FACTS - 1, 0, 0, 0 },
    { "test/all__inputs.npy", TOKENS, 8, NPY_U1, 2, 4 },
    { "test/all__labels.npy", TOKENS, 8, NPY_U1, 2, 4 },
    { "test/all__puzzle_indices.npy", EACH, 12, NPY_I4, 3, 0 },
    { "test/all__group_indices.npy", GROUP, 8, NPY_I4, 2, 0 },
    { "test/all__puzzle_identifiers.npy", IDS, 8, NPY_I4, 2, 0 },
    { "test_puzzles.json", "{\"a\": {\"train\": [], \"test\": [1]}}", 32, 0, 0, 0 },
};
enum { FILE_COUNT = sizeof FILES / sizeof *FILES };

static void put(const char *directory, const char *name, const void *bytes, size_t size)
{
    struct error err;
    char *path = file_join(directory, name);

    if (file_write_atomic(path, bytes, size, &err) < 0)
        abort();
    free(path);
}

static void put_usual(const char *directory, int file)
{
    char bytes[NPY_HEADER_SIZE + 1000];
    size_t before = FILES[file].rows > 0 ? NPY_HEADER_SIZE : 0;

    if (before > 0)
        npy_header(bytes, FILES[file].type, FILES[file].rows, FILES[file].columns);
    memcpy(bytes + before, FILES[file].bytes, FILES[file].size);
    put(directory, FILES[file].name, bytes, before + FILES[file].size);
}

static void read_all(const char *directory)
{
    int32_t inputs[GRID_MAX_CELLS], labels[GRID_MAX_CELLS], id;
    struct config config;
    struct error err = { 0 };
    struct data_set *set = NULL;

    if (config_init(&config, &err) < 0 ||
        config_set_text(&config, "data.path", directory, "fuzz", &err) < 0)
        abort();
    int rc = data_set_open(&set, &config, true, &err);
    fuzz_expect_message(rc, &err);
    for (int i = 0; rc == 0 && i < data_set_info(set)->examples; i++)
        data_set_example(set, i, inputs, labels, &id);
    for (int i = 0; rc == 0 && i < data_set_info(set)->test_rows; i++) {
        struct grid answer;
        data_set_row(set, SPLIT_TEST, i, NULL, inputs, labels, &id);
        data_set_answer(set, SPLIT_TEST, i, inputs, &answer);
    }
    data_set_close(set);
    config_release(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *top = fuzz_directory("input", data, 0);
    int which = size > 0 ? data[0] % (FILE_COUNT + 1) : 0;
    char directory[200];
    struct error err = { 0 };

    snprintf(directory, sizeof directory, "%s/built/train", top);
    if (file_make_directories(directory, &err) < 0)
        abort();
    snprintf(directory, sizeof directory, "%s/built/test", top);
    if (file_make_directories(directory, &err) < 0)
        abort();
    snprintf(directory, sizeof directory, "%s/built", top);
    if (which == FILE_COUNT) {
        struct batch_order order;
        put(directory, "order.npy", data + 1, size - 1);
        strcat(directory, "/order.npy");
        int rc = batch_order_open(&order, directory, 10, &err);
        fuzz_expect_message(rc, &err);
        batch_order_close(&order);
        return 0;
    }
    for (int i = 0; i < FILE_COUNT; i++)
        if (i != which)
            put_usual(directory, i);
    put(directory, FILES[which].name, size > 0 ? data + 1 : data, size > 0 ? size - 1 : 0);
    read_all(directory);
    return 0;
}
