/*
 * test_built_use.c - what directories of the published code hold, and which evaluations of them are
 * possible.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "arc_task.h"
#include "augmentation.h"
#include "built_write.h"
#include "data_set.h"
#include "data_source.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "maze.h"
#include "npy.h"
#include "puzzle_ids.h"
#include "settings.h"
#include "support/place.h"
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

/* Opens the data at path with further settings (key, value, ..., NULL). */
static struct data_set *open_set(struct config *config, const char *path,
                                 const char *const *pairs)
{
    struct data_set *set = NULL;
    struct error err = { 0 };
    int rc = config_init(config, &err);

    if (rc == 0)
        rc = config_set_text(config, "data.path", path, "test", &err);
    for (; rc == 0 && pairs[0] != NULL; pairs += 2)
        rc = config_set_text(config, pairs[0], pairs[1], "test", &err);
    if (rc == 0)
        rc = config_resolve(config, "test", &err);
    if (rc == 0)
        rc = data_set_open(&set, config, true, &err);
    if (rc < 0)
        fail_msg("%s", err.message);
    return set;
}

static void tell_nobody(void *user, const char *what, int64_t done, int64_t total)
{
    (void)user;
    (void)what;
    (void)done;
    (void)total;
}

/* Builds the data at path in ROOM/built; the path there, fresh. */
static char *build(const char *path, const char *const *pairs)
{
    static const struct build_watch NO_WATCH = { .tell = tell_nobody };
    char *to = file_join(room, "built");
    struct error err = { 0 };
    struct config config;
    struct data_set *set = open_set(&config, path, pairs);

    if (file_make_directories(to, &err) < 0 || built_write(set, to, &NO_WATCH, &err) < 0)
        fail_msg("%s", err.message);
    data_set_close(set);
    config_release(&config);
    return to;
}

static const char *const NOTHING[] = { NULL };

/* Writes CSV files of one maze of 4 x 4, below ROOM; the path of their folder, fresh. */
static char *make_mazes(void)
{
    static const char ROWS[] = "source,question,answer,rating\n"
                               "a,S   ### ###   G ,Sooo###o###o  Go,4\n";
    static const char *const FILES[] = { "train.csv", "test.csv" };
    char *folder = file_join(room, "mazes");
    struct error err;

    assert_int_equal(file_make_directories(folder, &err), 0);
    for (int i = 0; i < 2; i++) {
        char *path = file_join(folder, FILES[i]);
        assert_int_equal(file_write_atomic(path, ROWS, strlen(ROWS), &err), 0);
        free(path);
    }
    return folder;
}

static void expect_look(const char *built, uint8_t cell, char text, bool paths)
{
    struct config config;
    struct data_set *set = open_set(&config, built, NOTHING);

    assert_int_equal(data_set_source(set)->kind->look(cell).text, text);
    assert_int_equal(data_set_has_paths(set), paths);
    data_set_close(set);
    config_release(&config);
}

/* Boards of 4 x 4 have as many tokens whether they are mazes or Sudoku. */
static void built_boards_of_four_are_what_they_were_built_from(void **state)
{
    static const char *const FEW[] = { "data.sudoku_train", "3", "data.sudoku_test", "1",
                                       NULL };
    struct error err;

    (void)state;
    char *mazes = make_mazes(), *to = build(mazes, NOTHING);
    expect_look(to, MAZE_GOAL, 'G', true);
    assert_int_equal(file_remove_tree(to, &err), 0);
    free(to);
    to = build("builtin:sudoku", FEW);
    expect_look(to, MAZE_GOAL, '3', false);
    free(to);
    free(mazes);
}

enum { VARIANTS = 3 };

/* The place of an identifier when those of a task no longer stand together: first all
 * originals, then all first variants, and so on. */
static int32_t apart(int32_t id, int count)
{
    int tasks = (count - 1) / VARIANTS;

    return id == 0 ? 0 : 1 + (id - 1) % VARIANTS * tasks + (id - 1) / VARIANTS;
}

/* Renumbers the identifiers of a set of puzzles. */
static void renumber(const char *built, const char *split, int count)
{
    char *path = format_string("%s/%s/all__puzzle_identifiers.npy", built, split), *bytes;
    struct error err;
    size_t size;

    assert_int_equal(file_read(&bytes, &size, path, (size_t)1 << 20, &err), 0);
    for (size_t at = NPY_HEADER_SIZE; at < size; at += sizeof(int32_t)) {
        int32_t id;
        memcpy(&id, bytes + at, sizeof id);
        id = apart(id, count);
        memcpy(bytes + at, &id, sizeof id);
    }
    assert_int_equal(file_write_atomic(path, bytes, size, &err), 0);
    free(bytes);
    free(path);
}

/* Writes identifiers.json in that order. Returns how many there are. */
static int rename_all(const char *built)
{
    char *path = file_join(built, "identifiers.json");
    cJSON *names, *moved = cJSON_CreateArray();
    struct error err;

    assert_int_equal(json_read_file(&names, path, (size_t)1 << 20, &err), 0);
    int count = cJSON_GetArraySize(names);
    for (int32_t to = 0; to < count; to++)
        for (int32_t id = 0; id < count; id++)
            if (apart(id, count) == to)
                cJSON_AddItemToArray(moved,
                                     cJSON_Duplicate(cJSON_GetArrayItem(names, id), true));
    char *text = cJSON_PrintUnformatted(moved);
    assert_int_equal(file_write_atomic(path, text, strlen(text), &err), 0);
    cJSON_free(text);
    cJSON_Delete(moved);
    cJSON_Delete(names);
    free(path);
    return count;
}

static void task_of(char base[ARC_NAME_SIZE], const struct data_set *set, int32_t id)
{
    char room_of_name[DATA_IDENTIFIER_SIZE];
    struct variant variant;

    assert_true(variant_parse(&variant, base, data_set_identifier(set, id, room_of_name)));
}

/* Each row has the id of another task, wherever a directory has the ids of a task. */
static void random_ids_are_of_other_tasks_where_ids_stand_apart(void **state)
{
    static const char *const TWO[] = { "data.canvas", "8", "data.num_aug", "2", NULL };
    struct config config;
    struct error err;

    (void)state;
    char *to = build("builtin:arc-style", TWO);
    int count = rename_all(to);
    renumber(to, "train", count);
    renumber(to, "test", count);
    struct data_set *set = open_set(&config, to, (const char *[]){ "data.canvas", "8", NULL });
    assert_int_equal((count - 1) % VARIANTS, 0);
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct puzzle_way way;

        assert_int_equal(puzzle_way_begin(&way, NULL, set, &config, PUZZLE_RANDOM, seed, &err),
                         0);
        for (int32_t id = 1; id < count; id++) {
            char own[ARC_NAME_SIZE], other[ARC_NAME_SIZE];

            task_of(own, set, id);
            task_of(other, set, puzzle_way_id(&way, id));
            assert_string_not_equal(own, other);
        }
        puzzle_way_end(&way, NULL);
    }
    data_set_close(set);
    config_release(&config);
    free(to);
}

/* Plans a training on these data with this evaluation; the exit code, and its message. */
static int plan(const char *data, const char *more, const char *evaluate, char **errors)
{
    struct place place;
    struct error err;
    char *out;

    place_make(&place);
    char *spec = format_string("{\"set\": {\"data.path\": \"%s\", \"train.max_steps\": 1,"
                               " \"train.global_batch_size\": 2%s}, \"evaluate\": {%s}}",
                               data, more, evaluate);
    assert_int_equal(file_write_atomic(place.spec, spec, strlen(spec), &err), 0);
    const char *const words[] = { "plan", place.spec, NULL };
    int code = place_run(&place, words, &out, errors);
    free(out);
    free(spec);
    place_remove(&place);
    return code;
}

static void expect_plan(const char *data, const char *more, const char *evaluate, int code,
                        const char *text)
{
    char *errors;
    int found = plan(data, more, evaluate, &errors);

    if (found != code || strstr(errors, text) == NULL)
        fail_msg("exit %d, expected %d and \"%s\":\n%s", found, code, text, errors);
    free(errors);
}

/* What the data do not allow is said before anything is trained. */
static void evaluations_that_the_data_do_not_allow_are_left_out_by_the_plan(void **state)
{
    static const char *const SHUFFLES[] = {
        "data.sudoku_train", "3", "data.sudoku_test", "1", "data.num_aug", "2", NULL
    };
    static const char ONE[] = ", \"data.tasks\": \"cross-0\"";
    static const char UNDONE[] = "answers to them cannot be undone";

    (void)state;
    char *to = build("builtin:sudoku", SHUFFLES);
    expect_plan(to, "", "\"eval.split\": [\"train\", \"test\"]", 0, UNDONE);
    expect_plan(to, "", "\"eval.split\": [\"train\"]", 2, UNDONE);
    expect_plan("builtin:arc-style", ONE, "\"eval.puzzle_id\": [\"own\", \"random\"]", 0,
                "too few tasks to give every row the id of another one");
    expect_plan("builtin:arc-style", ", \"arch.conditioning\": \"random_id\"", "", 0, "");
    char *random = format_string("%s, \"arch.conditioning\": \"random_id\"", ONE);
    expect_plan("builtin:arc-style", random, "", 2, "arch.conditioning = random_id: 1 puzzle");
    free(random);
    free(to);
}

/* A job that asks for the training rows of boards with shuffles ends with a message, and one
 * for those of boards alone does its work. */
static void training_rows_of_shuffled_boards_are_refused(void **state)
{
    static const char TRAIN_ROWS[] = "[{\"eval.halt_max_steps\":1,\"eval.augmentations\":"
                                     "\"all\",\"eval.act_inference\":false,"
                                     "\"eval.seed\":0,\"eval.split\":\"train\"}]";
    static const char *const shuffles[] = { "0", "2" };

    (void)state;
    for (int i = 0; i < 2; i++) {
        char *to = build("builtin:sudoku",
                         (const char *[]){ "data.sudoku_train", "6", "data.sudoku_test", "2",
                                           "data.num_aug", shuffles[i], NULL });
        struct run_settings settings;
        struct run_setup setup;
        struct error err;
        run_settings_init(&settings, to, (const char *[]){ "data.num_aug=0", NULL });
        run_setup_init(&setup, settings.list, TRAIN_ROWS);
        run_write_job(&setup, 1, NULL);
        assert_true((run_attempt(&setup, 1) == 0) == (i == 0));
        char *message = i > 0 ? run_event_text(&setup, 1, "error", "message") : NULL;
        assert_true(i == 0 || strstr(message, "eval.split = train: data.path holds boards"));
        free(message);
        run_setup_release(&setup);
        assert_int_equal(file_remove_tree(to, &err), 0);
        free(to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(built_boards_of_four_are_what_they_were_built_from,
                                        make_room, remove_room),
        cmocka_unit_test_setup_teardown(random_ids_are_of_other_tasks_where_ids_stand_apart,
                                        make_room, remove_room),
        cmocka_unit_test_setup_teardown(
            evaluations_that_the_data_do_not_allow_are_left_out_by_the_plan, make_room,
            remove_room),
        cmocka_unit_test_setup_teardown(training_rows_of_shuffled_boards_are_refused, make_room,
                                        remove_room),
    };

    return cmocka_run_group_tests_name("built_use", tests, NULL, NULL);
}
