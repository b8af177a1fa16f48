/* test_built.c - directories of the published code, read and written; prescribed batches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "augmentation.h"
#include "batches.h"
#include "built_write.h"
#include "data_set.h"
#include "error.h"
#include "exit_code.h"
#include "file.h"
#include "json.h"
#include "npy.h"
#include "settings.h"
#include "support/worker_runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char room[64]; /* the directory of a test */

static int make_room(void **state)
{
    (void)state;
    snprintf(room, sizeof room, "/tmp/hrmlab-built-XXXXXX");
    return mkdtemp(room) == NULL;
}

static int remove_room(void **state)
{
    struct error err;

    (void)state;
    return file_remove_tree(room, &err);
}

/* Opens the data at path with further settings (key, value, ..., NULL); NULL: err says why not. */
static struct data_set *open_set(const char *path, const char *const *pairs, struct error *err)
{
    struct config config;
    struct data_set *set = NULL;

    *err = (struct error){ 0 };
    assert_int_equal(config_init(&config, err), 0);
    int rc = config_set_text(&config, "data.path", path, "test", err);
    for (; rc == 0 && pairs != NULL && pairs[0] != NULL; pairs += 2)
        rc = config_set_text(&config, pairs[0], pairs[1], "test", err);
    if (rc == 0)
        rc = config_resolve(&config, "test", err);
    if (rc == 0)
        rc = data_set_open(&set, &config, true, err);
    config_release(&config);
    return rc == 0 ? set : NULL;
}

static void tell_nobody(void *user, const char *what, int64_t done, int64_t total)
{
    (void)user;
    (void)what;
    (void)done;
    (void)total;
}

static const struct build_watch NO_WATCH = { .tell = tell_nobody };

static void write_built(const char *from, const char *const *pairs, const char *to)
{
    struct error err;
    struct data_set *set = open_set(from, pairs, &err);

    if (set == NULL || file_make_directories(to, &err) < 0 ||
        built_write(set, to, &NO_WATCH, &err) < 0)
        fail_msg("%s", err.message);
    data_set_close(set);
}

/* NULL where the shared files are absent. Fresh. */
static char *golden(const char *name)
{
    const char *shared = getenv("HRMLAB_SHARED");
    char *path = format_string("%s/golden/reference_dataset/%s",
                               shared != NULL ? shared : "../shared", name);

    if (file_exists(path))
        return path;
    free(path);
    print_message("skip: the shared golden files are absent\n");
    return NULL;
}

static void what_was_read_is_written_byte_for_byte(void **state)
{
    static const char *const names[] = { "arc", "sudoku" };

    (void)state;
    for (int i = 0; i < 2; i++) {
        char *from = golden(names[i]), *to = file_join(room, names[i]), command[600];
        if (from == NULL) {
            free(to);
            skip();
        }
        write_built(from, NULL, to);
        snprintf(command, sizeof command, "diff -r '%s' '%s'", from, to);
        assert_int_equal(system(command), 0);
        free(from);
        free(to);
    }
}

static void counts_of_the_source_are_those_of_the_published_builder(void **state)
{
    struct error err;
    char *from = golden("arc"), *source = golden("source"), *folder = file_join(room, "tasks");
    char command[600];

    (void)state;
    if (from == NULL || source == NULL) {
        free(folder);
        skip();
    }
    snprintf(command, sizeof command, "mkdir '%s' && cp '%s'/*.json '%s'", folder, source,
             folder);
    assert_int_equal(system(command), 0);
    struct data_set *theirs = open_set(from, NULL, &err);
    struct data_set *ours =
        open_set(folder, (const char *[]){ "data.num_aug", "4", NULL }, &err);
    const struct data_info *a = data_set_info(theirs), *b = data_set_info(ours);
    assert_int_equal(a->num_puzzle_identifiers, b->num_puzzle_identifiers);
    assert_int_equal(a->groups, b->groups);
    assert_int_equal(a->puzzles, b->puzzles);
    assert_int_equal(a->examples, b->examples);
    assert_int_equal(a->test_rows, b->test_rows);
    /* solutions are found again, and wrong answers undone, in their tokens */
    struct grid x, y;
    char name[DATA_NAME_SIZE], other[DATA_NAME_SIZE];
    for (int t = 0; t < 3; t++)
        for (int u = 0; u < 3; u++)
            if (strcmp(data_set_task_name(theirs, SPLIT_TEST, t, name),
                       data_set_task_name(ours, SPLIT_TEST, u, other)) == 0)
                assert_true(grid_equal(data_set_solution(theirs, SPLIT_TEST, t, 0, &x),
                                       data_set_solution(ours, SPLIT_TEST, u, 0, &y)));
    for (int row = 0; row < a->test_rows; row++) {
        int32_t inputs[GRID_MAX_CELLS], labels[GRID_MAX_CELLS], id;
        struct data_row meta;
        struct grid answer;
        data_set_row(theirs, SPLIT_TEST, row, &meta, inputs, labels, &id);
        for (int i = 0; i < a->seq_len; i++)
            labels[i] = labels[i] < 0 ? 0 : labels[i];
        data_set_answer(theirs, SPLIT_TEST, row, labels, &answer);
        assert_true(grid_equal(
            &answer, data_set_solution(theirs, SPLIT_TEST, meta.task, meta.test_index, &x)));
    }
    data_set_close(theirs);
    data_set_close(ours);
    free(from);
    free(source);
    free(folder);
}

static void examples_of_a_built_set_are_those_of_its_source(void **state)
{
    static const char *const cases[][5] = {
        { "builtin:arc-style", "data.canvas", "8", "data.num_aug", "3" },
        { "builtin:sudoku", "data.sudoku_train", "9", "data.num_aug", "3" },
        { "builtin:maze", "data.maze_train", "9", "data.num_aug", "7" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *pairs[5] = { cases[i][1], cases[i][2], cases[i][3], cases[i][4], NULL };
        char *to = format_string("%s/%zu", room, i),
             *again = format_string("%s/again%zu", room, i);
        struct error err;
        write_built(cases[i][0], pairs, to);
        struct data_set *source = open_set(cases[i][0], pairs, &err);
        struct data_set *built = open_set(to, NULL, &err);
        if (built == NULL)
            fail_msg("%s", err.message);
        int examples = data_set_info(source)->examples;
        assert_int_equal(data_set_info(built)->examples, examples);
        assert_int_equal(data_set_info(built)->vocab_size, data_set_info(source)->vocab_size);
        for (int e = 0; e < examples; e++) {
            int32_t a[2 * GRID_MAX_CELLS + 1] = { 0 }, b[2 * GRID_MAX_CELLS + 1] = { 0 };
            char x[DATA_IDENTIFIER_SIZE], y[DATA_IDENTIFIER_SIZE];
            data_set_example(source, e, a, a + GRID_MAX_CELLS, a + 2 * GRID_MAX_CELLS);
            data_set_example(built, e, b, b + GRID_MAX_CELLS, b + 2 * GRID_MAX_CELLS);
            assert_memory_equal(a, b, sizeof a);
            assert_string_equal(data_set_identifier(source, a[2 * GRID_MAX_CELLS], x),
                                data_set_identifier(built, b[2 * GRID_MAX_CELLS], y));
        }
        data_set_close(source);
        data_set_close(built);
        write_built(to, NULL, again);
        char command[300];
        snprintf(command, sizeof command, "diff -r '%s' '%s'", to, again);
        assert_int_equal(system(command), 0);
        free(to);
        free(again);
    }
}

/* Solutions as predicted tokens are the answers of the training rows, too, wherever the
 * pairs were moved. */
static void answers_of_training_rows_are_found_where_they_lie(void **state)
{
    char *to = file_join(room, "built");
    struct error err;
    int moved = 0;

    (void)state;
    write_built("builtin:arc-style",
                (const char *[]){ "data.canvas", "12", "data.num_aug", "3", NULL }, to);
    struct data_set *set = open_set(to, (const char *[]){ "data.canvas", "12", NULL }, &err);
    assert_int_equal(data_set_check_train_rows(set, &err), 0);
    for (int row = 0; row < data_set_row_count(set, SPLIT_TRAIN); row++) {
        int32_t inputs[GRID_MAX_CELLS], labels[GRID_MAX_CELLS], id;
        struct data_row meta;
        struct grid answer, x;
        data_set_row(set, SPLIT_TRAIN, row, &meta, inputs, labels, &id);
        for (int i = 0; i < data_set_info(set)->seq_len; i++)
            labels[i] = labels[i] < 0 ? 0 : labels[i];
        moved += labels[0] == 0;
        data_set_answer(set, SPLIT_TRAIN, row, labels, &answer);
        assert_true(grid_equal(
            &answer, data_set_solution(set, SPLIT_TRAIN, meta.task, meta.test_index, &x)));
    }
    assert_true(moved > 0);
    data_set_close(set);
    assert_null(open_set(to, (const char *[]){ "data.canvas", "10", NULL }, &err));
    assert_non_null(strstr(err.message, "built on 12 x 12"));
    free(to);
}

__attribute__((format(printf, 1, 2))) static void shell(const char *format, ...)
{
    char command[1000];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    assert_int_equal(system(command), 0);
}

/* Both forms of identifiers, of the built directory from: it is copied and its names are written
 * as the first releases did, which had no test_puzzles.json and counted no puzzles. */
static void check_old_form(const char *from)
{
    char *old = file_join(room, "old"), *again = file_join(room, "again");
    struct error err;

    shell("cp -rL '%s' '%s' && chmod -R u+w '%s'", from, old, old);
    shell("sed -i 's/|||/_/g' '%s'/identifiers.json && rm '%s'/test_puzzles.json", old, old);
    shell("sed -i 's/, \"total_puzzles\": [0-9]*//' '%s'/*/dataset.json", old);
    shell("grep -q '_t[0-7]_[0-9]\\{10\\}' '%s'/identifiers.json", old);
    struct data_set *a = open_set(from, NULL, &err), *b = open_set(old, NULL, &err);
    if (a == NULL || b == NULL)
        fail_msg("%s", err.message);
    assert_int_equal(data_set_info(a)->groups, data_set_info(b)->groups);
    assert_int_equal(data_set_info(a)->puzzles, data_set_info(b)->puzzles);
    assert_int_equal(data_set_info(a)->test_rows, data_set_info(b)->test_rows);
    /* A test's task and the way back from its variant are found by either name. */
    for (int row = 0; row < data_set_info(a)->test_rows; row++) {
        int32_t inputs[GRID_MAX_CELLS], labels[GRID_MAX_CELLS], id;
        struct data_row x, y;
        struct grid answer, other;
        data_set_row(a, SPLIT_TEST, row, &x, inputs, labels, &id);
        data_set_row(b, SPLIT_TEST, row, &y, inputs, labels, &id);
        assert_int_equal(x.task, y.task);
        data_set_answer(a, SPLIT_TEST, row, labels, &answer);
        data_set_answer(b, SPLIT_TEST, row, labels, &other);
        assert_true(grid_equal(&answer, &other));
    }
    data_set_close(a);
    data_set_close(b);
    write_built(old, NULL, again);
    shell("diff -r '%s' '%s' && rm -r '%s' '%s'", old, again, old, again);
    write_built(from, NULL, again);
    shell("diff -r '%s' '%s' && rm -r '%s'", from, again, again);
    free(old);
    free(again);
}

static void both_forms_of_identifiers_are_read_and_written_as_they_were(void **state)
{
    static const char *const pairs[] = { "data.canvas", "8", "data.num_aug", "3", NULL };
    char *made = file_join(room, "made");

    (void)state;
    write_built("builtin:arc-style", pairs, made);
    check_old_form(made);
    free(made);
    char *theirs = golden("arc");
    if (theirs == NULL)
        return;
    check_old_form(theirs);
    free(theirs);
}

static void names_of_the_first_releases_are_understood(void **state)
{
    struct variant old, now;
    char base[ARC_NAME_SIZE];

    (void)state;
    assert_true(variant_parse(&old, base, "a_t1_task_t3_0213456789"));
    assert_string_equal(base, "a_t1_task");
    assert_true(variant_parse(&now, base, "a_t1_task|||t3|||0213456789"));
    assert_memory_equal(&old, &now, sizeof old);
    assert_true(variant_parse(&old, base, "task_t3_021345678"));
    assert_memory_equal(&old, &VARIANT_ORIGINAL, sizeof old);
    assert_false(variant_parse(&old, base, "task_t9_0213456789"));
    assert_false(variant_parse(&old, base, "task_t3_0213456788"));
}

/* Writes size bytes as ROOM/small/name. */
static void put(const char *name, const void *bytes, size_t size)
{
    struct error err = { 0 };
    char *path = format_string("%s/small/%s", room, name);

    if (file_write_atomic(path, bytes, size, &err) < 0)
        fail_msg("%s", err.message);
    free(path);
}

static void put_array(const char *name, const char *header, const void *bytes, size_t size)
{
    char file[400] = { 0 };

    npy_header(file, NPY_U1, 1, 1);
    memset(file + 10, ' ', 117);
    memcpy(file + 10, header, strlen(header));
    memcpy(file + NPY_HEADER_SIZE, bytes, size);
    put(name, file, NPY_HEADER_SIZE + size);
}

/* The refusal of ROOM/small names these words. */
static void refuse(const char *const *pairs, const char *words)
{
    struct error err;
    char *path = file_join(room, "small");
    struct data_set *set = open_set(path, pairs, &err);

    if (set != NULL || error_exit_code(err.code) != EXIT_BAD_INPUT ||
        strstr(err.message, words) == NULL)
        fail_msg("%d \"%s\" lacks \"%s\"", err.code, err.message, words);
    free(path);
}

/* Two 9 x 9 boards trained on and one tested, in ROOM/small. */
static void make_small(void)
{
    char *path = file_join(room, "small");
    struct error err;

    assert_int_equal(file_remove_tree(path, &err), 0);
    write_built("builtin:sudoku",
                (const char *[]){ "data.sudoku_train", "2", "data.sudoku_test", "1", NULL },
                path);
    free(path);
}

static void a_bad_array_is_named_with_its_byte(void **state)
{
    static const char name[] = "train/all__puzzle_indices.npy";
    static const int32_t rising[] = { 0, 1, 2 }, falling[] = { 0, 1, 1 }, far[] = { 0, 1, 3 },
                         late[] = { 1, 2, 3 };
    static const char header[] = "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }";
    static const struct {
        const char *header, *words;
        const int32_t *values;
        size_t size;
    } cases[] = {
        { "{'shape':(3,),'fortran_order':False,\"descr\":\"<i4\"}", NULL, rising, 12 },
        { header, "byte 128: the header gives 12 bytes", rising, 11 },
        { header, "byte 128: the header gives 12 bytes", rising, 8 },
        { header, "byte 136: entry 2 is 1; expected more than", falling, 12 },
        { header, "byte 136: entry 2 is 3; expected 2", far, 12 },
        { header, "byte 128: entry 0 is 1; expected 0", late, 12 },
        { "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
          "byte 20: expected the type", rising, 12 },
        { "{'descr': '>i4', 'fortran_order': False, 'shape': (3,), }",
          "byte 20: expected the type", rising, 12 },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
          "byte 20: expected the type", rising, 12 },
        { "{'descr': '<i4', 'fortran_order': True, 'shape': (3,), }",
          "byte 44: expected 'fortran_order': False", rising, 12 },
        { "{'descr': '<i4', 'fortran_order': False, 'shape': (), }", "expected a shape", rising,
          12 },
        { "{'descr': '<i4', 'fortran_order': False, 'shape': (1, 1, 3), }", "expected a shape",
          rising, 12 },
        { "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 1), }", "array of 1 dimension",
          rising, 12 },
        { "{'descr': '<i4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
          "expected a shape", rising, 12 },
        { "{'descr': '<i4', 'fortran_order': False, 'shape': "
          "(999999999999999,999999999999999)}",
          "larger than any file", rising, 12 },
        { "{'descr': '<i4', 'fortran_order': False}", "shape is missing", rising, 12 },
        { "{'descr': '<i4', 'descr': '<i4'}", "each once", rising, 12 },
        { "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), } x", "nothing but blanks",
          rising, 12 },
        { "(", "expected { and", rising, 12 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_small();
        put_array(name, cases[i].header, cases[i].values, cases[i].size);
        if (cases[i].words != NULL) {
            refuse(NULL, cases[i].words);
            refuse(NULL, name);
        } else {
            struct error err;
            char *path = file_join(room, "small");
            struct data_set *set = open_set(path, NULL, &err);
            if (set == NULL)
                fail_msg("%s", err.message);
            data_set_close(set);
            free(path);
        }
    }
    make_small();
    put(name, "\x93NUMPY\x01\x00\xff\xff{", 11);
    refuse(NULL, "byte 8: a header that is empty or longer");
    put(name, "\x93NUMPY\x03\x00\x76\x00", 10);
    refuse(NULL, "byte 6: expected version");
    put(name, "\x80\x04\x95pickle", 9);
    refuse(NULL, "byte 0: expected the first bytes of a .npy file");
    put(name, "", 0);
    refuse(NULL, "found an empty one");
}

static void what_does_not_fit_together_is_named(void **state)
{
    static const int32_t ids[] = { 0, 1 };
    static const char good[] =
        "{\"pad_id\": 0, \"ignore_label_id\": 0, \"blank_identifier_id\": 0, "
        "\"vocab_size\": %d, \"seq_len\": %d, \"num_puzzle_identifiers\": "
        "%d, \"total_groups\": %d, \"mean_puzzle_examples\": 1, \"sets\": "
        "[\"%s\"]}";
    static const struct {
        int vocabulary, length, identifiers, groups;
        const char *set, *words;
    } cases[] = {
        { 6, 16, 1, 3, "all", "total_groups is 3, but its sets have 2" },
        { 6, 16, 5, 2, "all", "num_puzzle_identifiers is 5, but identifiers.json has 1" },
        { 6, 17, 1, 2, "all", "seq_len is 17; expected the square" },
        { 6, 25, 1, 2, "all", "all__inputs.npy: byte 10: 16 tokens a row; expected 25" },
        { 5, 16, 1, 2, "all", "expected a token of 0 to 4" },
        { 6, 16, 1, 2, "a/b", "sets: expected names" },
        { 6, 16, 1, 2, "none", "none__inputs.npy: No such file" },
        { 300, 16, 1, 2, "all", "vocab_size is 300; expected 3 to 255" },
    };
    char text[500];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_small();
        snprintf(text, sizeof text, good, cases[i].vocabulary, cases[i].length,
                 cases[i].identifiers, cases[i].groups, cases[i].set);
        put("train/dataset.json", text, strlen(text));
        refuse(NULL, cases[i].words);
    }
    make_small();
    put_array("train/all__puzzle_identifiers.npy",
              "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", ids, 8);
    refuse(NULL, "byte 132: entry 1 is 1; expected an identifier of 0 to 0");
    make_small();
    put("identifiers.json", "{}", 2);
    refuse(NULL, "identifiers.json: expected a list of names");
    make_small();
    put("identifiers.json", "[\"blank\"]", 9);
    refuse(NULL, "identifiers.json: entry 0 is \"blank\"; expected \"<blank>\"");
    make_small();
    refuse((const char *[]){ "data.num_aug", "2", NULL }, "data.num_aug: data.path");
    refuse((const char *[]){ "data.tasks", "x", NULL }, "data.tasks: data.path");
    refuse((const char *[]){ "data.drop_leaked", "true", NULL }, "data.drop_leaked: data.path");
    refuse((const char *[]){ "data.translation", "false", NULL },
           "data.translation: data.path");
    refuse((const char *[]){ "data.min_difficulty", "1", NULL },
           "data.min_difficulty: data.path");
}

static void rows_without_a_puzzle_and_names_that_stand_twice_are_named(void **state)
{
    static const uint8_t nothing[32];
    static const char twice[] = "[\"<blank>\", \"a\", \"b\", \"a\"]";
    static const char control[] = "[\"<blank>\", \"a\\u001b[31m\"]";

    (void)state;
    make_small();
    put_array("train/all__inputs.npy",
              "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 16), }", nothing,
              sizeof nothing);
    refuse(NULL, "train/all__inputs.npy: byte 128: row 0 has nothing but padding");
    make_small();
    put("identifiers.json", twice, strlen(twice));
    refuse(NULL, "identifiers.json: entry 3 is \"a\", as entry 1 is");
    put("identifiers.json", control, strlen(control));
    refuse(NULL,
           "identifiers.json: entry 1: expected a name of at most 87 bytes without control");
}

/* Bad input, not a fault of the environment. */
static void an_array_that_cannot_be_read_is_refused(void **state)
{
    char *path = file_join(room, "small/train/all__labels.npy");

    (void)state;
    make_small();
    assert_int_equal(remove(path), 0);
    assert_int_equal(symlink("all__labels.npy", path), 0);
    refuse(NULL, "all__labels.npy: Too many levels of symbolic links");
    free(path);
}

static void counts_of_dataset_json_are_those_of_its_arrays(void **state)
{
    static const struct {
        const char *members, *words; /* NULL: it is read */
    } cases[] = {
        { "\"total_puzzles\": 2, \"mean_puzzle_examples\": 1.0", NULL },
        { "\"mean_puzzle_examples\": 1", NULL },
        { "\"total_puzzles\": 3, \"mean_puzzle_examples\": 1",
          "train/dataset.json: total_puzzles is 3, but its sets have 2" },
        { "\"total_puzzles\": 2, \"mean_puzzle_examples\": 1.5",
          "train/dataset.json: mean_puzzle_examples is 1.5, but its sets have 2 examples of 2 "
          "puzzles; expected 1" },
        { "\"mean_puzzle_examples\": -1", "mean_puzzle_examples is -1" },
        { "\"total_puzzles\": 2", "train/dataset.json: \"mean_puzzle_examples\" is missing" },
        { "\"mean_puzzle_examples\": \"1\"", "mean_puzzle_examples" },
    };
    char *path = file_join(room, "small");

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        make_small();
        char *text =
            format_string("{\"pad_id\": 0, \"ignore_label_id\": 0, \"blank_identifier_id\": 0, "
                          "\"vocab_size\": 6, \"seq_len\": 16, \"num_puzzle_identifiers\": 1, "
                          "\"total_groups\": 2, %s, \"sets\": [\"all\"]}",
                          cases[i].members);
        put("train/dataset.json", text, strlen(text));
        free(text);
        if (cases[i].words != NULL) {
            refuse(NULL, cases[i].words);
            continue;
        }
        struct data_set *set = open_set(path, NULL, &err);
        if (set == NULL)
            fail_msg("%s", err.message);
        data_set_close(set);
    }
    free(path);
}

/* Writes test_puzzles.json of ROOM/small anew, with one change. */
static void change_tests(const char *text, cJSON *(*change)(cJSON *tests))
{
    cJSON *tests = change(cJSON_Parse(text));
    char *changed = cJSON_PrintUnformatted(tests);

    put("test_puzzles.json", changed, strlen(changed));
    cJSON_free(changed);
    cJSON_Delete(tests);
}

static cJSON *as_it_is(cJSON *tests)
{
    return tests;
}

static cJSON *with_a_task_more(cJSON *tests)
{
    cJSON_AddItemToObject(tests, "extra", cJSON_Duplicate(tests->child, true));
    return tests;
}

static cJSON *with_a_task_less(cJSON *tests)
{
    cJSON_DeleteItemFromObject(tests, tests->child->string);
    return tests;
}

static cJSON *with_another_name(cJSON *tests)
{
    cJSON_AddItemToObject(tests, "other", cJSON_DetachItemViaPointer(tests, tests->child));
    return tests;
}

static cJSON *with_a_test_more(cJSON *tests)
{
    cJSON *list = cJSON_GetObjectItem(tests->child, "test");
    cJSON_AddItemToArray(list, cJSON_Duplicate(list->child, true));
    return tests;
}

static cJSON *change_colour(cJSON *tests, const char *side)
{
    cJSON *rows = cJSON_GetObjectItem(cJSON_GetObjectItem(tests->child, "test")->child, side);
    cJSON *cell = rows->child->child;
    cJSON_SetNumberValue(cell, cell->valueint == 3 ? 4 : 3);
    return tests;
}

static cJSON *with_another_input(cJSON *tests)
{
    return change_colour(tests, "input");
}

static cJSON *with_another_output(cJSON *tests)
{
    return change_colour(tests, "output");
}

static cJSON *without_an_output(cJSON *tests)
{
    cJSON_DeleteItemFromObject(cJSON_GetObjectItem(tests->child, "test")->child, "output");
    return tests;
}

static void tasks_of_the_tests_are_those_of_the_examples(void **state)
{
    static const char *const pairs[] = { "data.canvas", "8", "data.num_aug", "1", NULL };
    static const struct {
        cJSON *(*change)(cJSON *tests);
        const char *words;
    } cases[] = {
        { with_a_task_more, "extra among them, but test/ has" },
        { with_a_task_less, "which test/ has as group 0" },
        { with_another_name, "which test/ has as group 0" },
        { with_a_test_more, "has 2 tests, in test/ it has 1" },
        { with_another_input, "test pair 1 differs from example 0 of test/" },
        { with_another_output, "test pair 1 differs from example 0 of test/" },
        { without_an_output, "test pair 1 differs from example 0 of test/" },
    };
    char *path = file_join(room, "small"), *file = file_join(path, "test_puzzles.json"), *text;
    struct error err;
    size_t size;

    (void)state;
    assert_int_equal(file_remove_tree(path, &err), 0);
    write_built("builtin:arc-style", pairs, path);
    assert_int_equal(file_read(&text, &size, file, 1 << 20, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        change_tests(text, cases[i].change);
        refuse(NULL, cases[i].words);
        refuse(NULL, "test_puzzles.json: ");
    }
    change_tests(text, as_it_is);
    struct data_set *set = open_set(path, NULL, &err);
    if (set == NULL)
        fail_msg("%s", err.message);
    data_set_close(set);
    make_small();
    put("test_puzzles.json", "{}", 2);
    refuse(NULL, "lists ARC tasks, but the examples beside it are boards");
    free(text);
    free(file);
    free(path);
}

static void a_bad_order_is_named_with_its_place(void **state)
{
    char header[NPY_HEADER_SIZE + 32] = { 0 }, *path = format_string("%s/order.npy", room);
    const int64_t examples[4] = { 0, 1, 2, 1 };
    struct error err = { 0 };
    const char *const order[] = { "data.batch_order", path, "data.sudoku_train", "2", NULL };

    (void)state;
    npy_header(header, NPY_I8, 2, 2);
    memcpy(header + NPY_HEADER_SIZE, examples, sizeof examples);
    assert_int_equal(file_write_atomic(path, header, sizeof header, &err), 0);
    assert_null(open_set("builtin:sudoku", order, &err));
    assert_non_null(strstr(err.message,
                           "byte 144 (batch 1, row 0): example 2; expected one of 0 "
                           "to 1"));
    npy_header(header, NPY_I4, 2, 4);
    assert_int_equal(file_write_atomic(path, header, sizeof header, &err), 0);
    assert_null(open_set("builtin:sudoku", order, &err));
    assert_non_null(strstr(err.message, "expected an array of type <i8"));
    free(path);
}

static const char EVALUATION[] =
    "[{\"eval.halt_max_steps\":1,\"eval.augmentations\":\"all\",\"eval.act_inference\":false,"
    "\"eval.seed\":0,\"eval.split\":\"test\"}]";

/* Trains once; the hash of the final weights, which is fresh. */
static char *train(const char *data, const char *const *more)
{
    struct run_settings settings;
    struct run_setup setup;

    run_settings_init(&settings, data, more);
    run_setup_init(&setup, settings.list, EVALUATION);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    char *weights = run_event_text(&setup, 1, "end", "weights_hash");
    run_setup_release(&setup);
    return weights;
}

static void a_built_set_in_the_exported_order_trains_the_same_weights(void **state)
{
    char tasks[64], *built = file_join(room, "built"), *order = file_join(room, "order.npy");
    char *named = format_string("data.batch_order=%s", order), *out, *errors;
    char *path = NULL;

    (void)state;
    run_make_tasks(tasks);
    path = format_string("data.path=%s", tasks);
    write_built(
        tasks,
        (const char *[]){ "data.canvas", "5", "data.num_aug", "3", "train.seed", "5", NULL },
        built);
    const char *const words[] = { "data",
                                  "order",
                                  "--output",
                                  order,
                                  path,
                                  "data.canvas=5",
                                  "data.num_aug=3",
                                  "train.seed=5",
                                  "train.global_batch_size=4",
                                  "train.max_steps=60",
                                  NULL };
    if (run_program(words, "", &out, &errors) != 0)
        fail_msg("%s", errors);
    assert_non_null(strstr(out, "60 batches of 4 examples"));
    char *plain = train(tasks, NULL);
    char *replayed = train(built, (const char *[]){ "data.num_aug=0", named, NULL });
    assert_string_equal(plain, replayed);
    assert_int_equal(strlen(plain), 64);
    free(plain);
    free(replayed);
    free(out);
    free(errors);
    free(named);
    free(path);
    free(order);
    free(built);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_read_is_written_byte_for_byte, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(counts_of_the_source_are_those_of_the_published_builder,
                                        make_room, remove_room),
        cmocka_unit_test_setup_teardown(examples_of_a_built_set_are_those_of_its_source,
                                        make_room, remove_room),
        cmocka_unit_test_setup_teardown(answers_of_training_rows_are_found_where_they_lie,
                                        make_room, remove_room),
        cmocka_unit_test(names_of_the_first_releases_are_understood),
        cmocka_unit_test_setup_teardown(
            both_forms_of_identifiers_are_read_and_written_as_they_were, make_room,
            remove_room),
        cmocka_unit_test_setup_teardown(a_bad_array_is_named_with_its_byte, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(what_does_not_fit_together_is_named, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(
            rows_without_a_puzzle_and_names_that_stand_twice_are_named, make_room, remove_room),
        cmocka_unit_test_setup_teardown(an_array_that_cannot_be_read_is_refused, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(counts_of_dataset_json_are_those_of_its_arrays,
                                        make_room, remove_room),
        cmocka_unit_test_setup_teardown(tasks_of_the_tests_are_those_of_the_examples, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(a_bad_order_is_named_with_its_place, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(
            a_built_set_in_the_exported_order_trains_the_same_weights, make_room, remove_room),
    };

    return cmocka_run_group_tests_name("built", tests, NULL, NULL);
}
