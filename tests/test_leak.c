/* test_leak.c - copies of tasks, whatever their name, order and augmentation; symmetries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/data_room.h"

#include "arc_check.h"
#include "arc_load.h"
#include "arc_shape.h"
#include "augmentation.h"
#include "error.h"
#include "file.h"
#include "leak.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A pair, and a task of two demonstrations and a test, without the braces around it. */
#define GRIDS(a, b) "{\"input\":" a ",\"output\":" b "}"
#define PAIRS(a, b, c) "{\"train\":[" a "," b "],\"test\":[" c "]}"
#define FIRST GRIDS("[[1,2,0],[0,3,3]]", "[[2,1]]")
#define SECOND GRIDS("[[4,0],[4,1]]", "[[1,0,4]]")
#define THIRD GRIDS("[[7]]", "[[7,7],[0,1]]")
/* The same turned left by a quarter, 1 as 5, 5 as 1, 2 as 9, 9 as 2. */
#define FIRST_TURNED GRIDS("[[0,3],[9,3],[5,0]]", "[[5],[9]]")
#define SECOND_TURNED GRIDS("[[0,5],[4,4]]", "[[4],[0],[5]]")
#define THIRD_TURNED GRIDS("[[7]]", "[[7,5],[7,0]]")
#define THIRD_CHANGED GRIDS("[[7]]", "[[7,5],[7,7]]")
/* 1 as 6: another permutation than that of the other pairs. */
#define SECOND_RECOLOURED GRIDS("[[4,0],[4,6]]", "[[6,0,4]]")
#define THIRD_HIDDEN "{\"input\":[[7]]}"

static void put_evaluation(void)
{
    put("d/evaluation/e0.json", PAIRS(FIRST, SECOND, THIRD));
}

static const char *data_path(void)
{
    static char path[100];

    snprintf(path, sizeof path, "%s/d", room);
    return path;
}

static void copies_of_evaluation_tasks_are_found_under_other_names(void **state)
{
    static const struct {
        const char *task;
        bool copy;
    } cases[] = {
        { PAIRS(FIRST, SECOND, THIRD), true },
        { PAIRS(THIRD, FIRST, SECOND), true }, /* order and parts do not matter */
        { PAIRS(FIRST_TURNED, SECOND_TURNED, THIRD_TURNED), true },
        { PAIRS(THIRD_TURNED, SECOND_TURNED, FIRST_TURNED), true },
        { PAIRS(FIRST_TURNED, SECOND_TURNED, THIRD_CHANGED), false },
        { PAIRS(FIRST, SECOND, THIRD_TURNED), false }, /* one for all pairs */
        { PAIRS(FIRST, SECOND_RECOLOURED, THIRD), false },
        { PAIRS(FIRST, SECOND, SECOND), false },
    };
    const char *const drop[] = { "data.drop_leaked", "true", NULL };

    (void)state;
    put_evaluation();
    put("d/training/other.json", TASK(3));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct data_set *set;
        put("d/training/t0.json", cases[i].task);
        assert_null(open_with(&set, data_path(), NULL));
        assert_int_equal(data_set_info(set)->groups, 3);
        assert_int_equal(data_set_info(set)->leaked, cases[i].copy);
        data_set_close(set);
        assert_null(open_with(&set, data_path(), drop));
        assert_int_equal(data_set_info(set)->groups, cases[i].copy ? 2 : 3);
        assert_int_equal(data_set_info(set)->leaked, 0);
        data_set_close(set);
        if (!cases[i].copy)
            continue;
        expect_words(data_path(), NULL, "1 tested, copies of 1 of them trained on");
        expect_words(data_path(), drop, "1 copies of evaluation tasks (data.drop_leaked)");
    }
}

static void outputs_that_are_hidden_do_not_count(void **state)
{
    struct data_set *set;

    (void)state;
    put("d/evaluation/e0.json", PAIRS(FIRST, SECOND, THIRD_HIDDEN));
    put("d/training/t0.json", PAIRS(FIRST_TURNED, SECOND_TURNED, THIRD_CHANGED));
    assert_null(open_with(&set, data_path(), NULL));
    assert_int_equal(data_set_info(set)->leaked, 1);
    data_set_close(set);
    put("d/training/t0.json", PAIRS(FIRST, THIRD, SECOND)); /* the test is another */
    assert_null(open_with(&set, data_path(), NULL));
    assert_int_equal(data_set_info(set)->leaked, 0);
    data_set_close(set);
}

static void without_leaks_dropping_them_changes_nothing(void **state)
{
    struct data_set *a, *b;

    (void)state;
    put_evaluation();
    put("d/training/other.json", TASK(3));
    assert_null(open_with(&a, data_path(), NULL));
    assert_null(
        open_with(&b, data_path(), (const char *const[]){ "data.drop_leaked", "true", NULL }));
    assert_string_equal(data_set_hash(a), data_set_hash(b));
    data_set_close(a);
    data_set_close(b);
}

#define SOLVED "1234341221434321"

static void boards_that_are_trained_on_and_tested_are_counted(void **state)
{
    const char *const drop[] = { "data.drop_leaked", "true", NULL };
    char *path = file_join(room, "boards");
    struct data_set *set;

    (void)state;
    put("boards/train.csv",
        "source,question,answer,rating\n"
        "s,12343412214.....," SOLVED ",0\ns,....341221434321," SOLVED ",0\n");
    put("boards/test.csv", "s,....341221434321," SOLVED ",0\ns,1234....21434321," SOLVED ",0\n"
                           "s,0000341221434321," SOLVED ",0\n");
    assert_null(open_with(&set, path, NULL));
    assert_int_equal(data_set_info(set)->groups, 2);
    assert_int_equal(data_set_info(set)->leaked, 2);
    data_set_close(set);
    expect_words(path, NULL,
                 "3 of 3 tested (data.sudoku_test), copies of 2 of them trained on (first "
                 "train-0000003, which is test-0000001)");
    assert_null(open_with(&set, path, drop));
    assert_int_equal(data_set_info(set)->groups, 1);
    assert_int_equal(data_set_info(set)->leaked, 0);
    assert_int_equal(data_set_info(set)->left_out, 1);
    data_set_close(set);
    expect_words(path, drop, "; left out: 1 copies of boards tested (data.drop_leaked)");
    put("boards/train.csv", "s,....341221434321," SOLVED ",0\n");
    expect_refusal(path, drop, "data.drop_leaked: each of the 1 boards to train on is also");
    free(path);
}

/* Tasks of a set that have a copy in another one: equal, and in any augmentation. */
static void count_copies(int *equal, int *any, const struct arc_tasks *tasks, const char *set,
                         const char *other)
{
    uint8_t *roles = calloc((size_t)tasks->count, 1);
    struct error err = { 0 };
    struct leaks leaks;

    for (int i = 0; i < tasks->count; i++) {
        const char *name = tasks->sets[tasks->tasks[i].set].name;
        roles[i] = (uint8_t)((strcmp(name, set) == 0 ? LEAK_SOUGHT : 0) |
                             (strcmp(name, other) == 0 ? LEAK_SEARCHED : 0));
    }
    assert_int_equal(leaks_find(&leaks, tasks, roles, &err), 0);
    *equal = leaks.equal_tasks;
    *any = leaks.tasks;
    leaks_release(&leaks);
    free(roles);
}

/* What data check says of the tasks. Fresh. */
static char *checked(struct arc_tasks *tasks)
{
    struct config config;
    struct error err = { 0 };
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    if (config_init(&config, &err) < 0 || arc_check(out, tasks, &config, &err) < 0)
        fail_msg("%s", err.message);
    config_release(&config);
    fclose(out);
    return text;
}

/* The lines of data check on both editions. */
static void expect_known_lines(struct arc_tasks *tasks)
{
    static const char *const lines[] = {
        "  training in training2: 392 equal, 392 up to augmentations, 391 under the same id\n",
        ("  evaluation in training2: 375 equal, 375 up to augmentations, 376 under the same "
         "id\n"),
        "  evaluation in evaluation2: 6 equal, 6 up to augmentations, 6 under the same id\n",
        "  evaluation in training: 1 equal, 1 up to augmentations, 0 under the same id\n",
        "  070dd51e of evaluation is 40853293 of training\n",
    };
    char *text = checked(tasks);

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strstr(text, lines[i]) == NULL)
            fail_msg("\"%s\" is not among\n%s", lines[i], text);
    const char *conflicts =
        strstr(text, "tasks of one name with different pairs\n  ac0c5833 in ");
    assert_non_null(conflicts);
    assert_null(strchr(strchr(strchr(conflicts, '\n') + 1, '\n') + 1, '\n')); /* one */
    free(text);
}

static void real_sets_leak_as_much_as_is_known(void **state)
{
    static const struct {
        const char *set, *other;
        int equal;
    } known[] = { { "training", "training2", 392 },
                  { "evaluation", "training2", 375 },
                  { "evaluation", "evaluation2", 6 },
                  { "evaluation", "training", 1 } };
    char *places[2] = { shared_data("arc-agi-1"), shared_data("arc-agi-2") };
    struct arc_tasks tasks = { 0 };
    struct error err = { 0 };
    int equal, any;

    (void)state;
    for (int i = 0; i < 2; i++) {
        if (arc_load(&tasks, places[i], &err) < 0)
            fail_msg("%s", err.message);
        free(places[i]);
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        count_copies(&equal, &any, &tasks, known[i].set, known[i].other);
        assert_int_equal(equal, known[i].equal);
        assert_true(any >= equal);
    }
    expect_known_lines(&tasks);
    arc_tasks_release(&tasks);
}

/* A task is known by what its variant makes of it, as a multiset. */
static uint64_t made_by(const struct arc_task *task, const struct variant *variant)
{
    uint64_t sum = 0;

    for (int i = 0; i < task->demonstrations + task->tests; i++) {
        struct grid input, output;
        uint64_t both[2];
        variant_apply(&input, &task->pairs[i].input, variant);
        variant_apply(&output, &task->pairs[i].output, variant);
        both[0] = grid_fingerprint(&input);
        both[1] = grid_fingerprint(&output);
        sum += hash_xxh3(both, sizeof both);
    }
    return sum;
}

/* The variants drawn are those that a search by what they make takes: of all draws, each
 * that makes something new. */
static void expect_variants(const struct arc_task *task)
{
    enum { COUNT = 60 };
    static struct variant drawn[COUNT], one[AUGMENTATION_TRIES * COUNT];
    static uint64_t seen[COUNT + 1];
    struct random_stream stream = random_stream(7, "test", 0), same = stream;
    int count = augmentation_draw(drawn, task, COUNT, &stream), kept = 0;

    assert_true(count >= 0);
    seen[0] = made_by(task, &VARIANT_ORIGINAL);
    for (int tries = 0; tries < AUGMENTATION_TRIES * COUNT && kept < COUNT; tries++) {
        /* one draw: of a task whose variants all differ, the first is always taken */
        static struct arc_pair pair = { .input = { 2, 5, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 0 } } };
        static const struct arc_task plain = { .demonstrations = 1, .pairs = &pair };
        assert_int_equal(augmentation_draw(&one[tries], &plain, 1, &same), 1);
        uint64_t made = made_by(task, &one[tries]);
        bool fresh = true;
        for (int i = 0; i <= kept; i++)
            fresh = fresh && seen[i] != made;
        if (!fresh)
            continue;
        seen[++kept] = made;
        assert_true(kept <= count);
        assert_memory_equal(&drawn[kept - 1], &one[tries], sizeof *drawn);
    }
    assert_int_equal(count, kept);
}

static void fill(struct grid *grid, int rows, int columns, struct random_stream *stream,
                 int colours)
{
    grid->rows = (uint8_t)rows;
    grid->columns = (uint8_t)columns;
    for (int i = 0; i < rows * columns; i++)
        grid->cells[i] = (uint8_t)random_below(stream, (uint64_t)colours);
}

static void variants_by_symmetries_are_those_by_comparison(void **state)
{
    static struct arc_pair pairs[12];
    struct random_stream stream = random_stream(3, "test", 0);

    (void)state;
    for (int i = 0; i < 40; i++) { /* small tasks have many symmetries */
        int count = 2 + (int)random_below(&stream, 4);
        struct arc_task task = { .demonstrations = count - 1, .tests = 1, .pairs = pairs };
        int colours = 1 + (int)random_below(&stream, 5), side = 1 + i % 3;
        for (int p = 0; p < count; p++) {
            fill(&pairs[p].input, side, side, &stream, colours);
            fill(&pairs[p].output, side, 1 + (int)random_below(&stream, 2), &stream, colours);
            pairs[p].has_output = true;
        }
        expect_variants(&task);
    }
    /* Nine pairs of one colour each: any permutation is a symmetry. */
    struct arc_task every = { .demonstrations = 8, .tests = 1, .pairs = pairs };
    for (int p = 0; p < 9; p++) {
        pairs[p] = (struct arc_pair){ .input = { 1, 2, { 0, (uint8_t)(p + 1) } },
                                      .output = { 1, 1, { 0 } },
                                      .has_output = true };
    }
    expect_variants(&every);
}

/* Each of two equal pairs has a pair of the other task. */
static void a_task_with_equal_pairs_is_a_copy_of_itself(void **state)
{
    static struct arc_pair pairs[4];
    struct arc_task task = { .demonstrations = 3, .tests = 1, .pairs = pairs };
    struct arc_shape a, b;
    colour_map maps[2];

    (void)state;
    for (int p = 0; p < 4; p++) /* the last two differ, the first two do not */
        pairs[p] = (struct arc_pair){ .input = { 1, 2, { 1, (uint8_t)(p > 1 ? p : 1) } },
                                      .output = { 1, 1, { 2 } },
                                      .has_output = true };
    assert_int_equal(arc_shape_make(&a, &task, 0, true), 0);
    assert_int_equal(arc_shape_make(&b, &task, 0, true), 0);
    assert_int_equal(arc_shape_match(maps, 2, &a, &b), 1);
    arc_shape_release(&a);
    arc_shape_release(&b);
}

static void variants_of_real_tasks_are_those_by_comparison(void **state)
{
    char *place = shared_data("arc-agi-1");
    struct arc_tasks tasks = { 0 };
    struct error err = { 0 };

    (void)state;
    if (arc_load(&tasks, place, &err) < 0)
        fail_msg("%s", err.message);
    for (int i = 0; i < tasks.count; i++) {
        bool symmetric = i % 100 == 0; /* some as they come, and those with symmetries */
        struct arc_shape original, turned;
        colour_map maps[2];
        assert_int_equal(arc_shape_make(&original, &tasks.tasks[i], 0, true), 0);
        for (int t = 0; t < GRID_TRANSFORMS && !symmetric; t++) {
            assert_int_equal(arc_shape_make(&turned, &tasks.tasks[i], t, true), 0);
            int found = arc_shape_match(maps, 2, &turned, &original);
            symmetric = t == 0 ? found != 1 : found != 0;
            arc_shape_release(&turned);
        }
        arc_shape_release(&original);
        if (symmetric)
            expect_variants(&tasks.tasks[i]);
    }
    arc_tasks_release(&tasks);
    free(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_room, remove_room)
        TEST(copies_of_evaluation_tasks_are_found_under_other_names),
        TEST(outputs_that_are_hidden_do_not_count),
        TEST(without_leaks_dropping_them_changes_nothing),
        TEST(boards_that_are_trained_on_and_tested_are_counted),
        TEST(real_sets_leak_as_much_as_is_known),
        cmocka_unit_test(variants_by_symmetries_are_those_by_comparison),
        cmocka_unit_test(a_task_with_equal_pairs_is_a_copy_of_itself),
        cmocka_unit_test(variants_of_real_tasks_are_those_by_comparison),
    };

    return cmocka_run_group_tests_name("leak", tests, NULL, NULL);
}
