/* test_maze.c - mazes: drawn, read from CSV, turned, and whether a path is a shortest one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "data_set.h"
#include "error.h"
#include "file.h"
#include "kind_maze.h"
#include "maze.h"
#include "scores.h"
#include "settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char room[64]; /* the directory of a test */

static int make_room(void **state)
{
    (void)state;
    snprintf(room, sizeof room, "/tmp/hrmlab-maze-XXXXXX");
    return mkdtemp(room) == NULL;
}

static int remove_room(void **state)
{
    struct error err;

    (void)state;
    return file_remove_tree(room, &err);
}

/* Shortest paths from start to goal of at most steps steps; two are as many as more. */
static int count_paths(const uint8_t *cells, int side, int at, int steps)
{
    static const int STEPS[4][2] = { { -1, 0 }, { 1, 0 }, { 0, -1 }, { 0, 1 } };
    int count = 0;

    if (cells[at] == MAZE_GOAL)
        return steps == 0;
    for (int i = 0; i < 4 && steps > 0; i++) {
        int r = at / side + STEPS[i][0], c = at % side + STEPS[i][1];
        if (r >= 0 && c >= 0 && r < side && c < side && cells[r * side + c] != MAZE_WALL)
            count += count_paths(cells, side, r * side + c, steps - 1);
    }
    return count;
}

static void drawn_mazes_have_one_shortest_path_that_is_long_enough(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        int side = 5 + i % 5, path = 3, drawn = 0, start = 0;
        struct random_stream stream = random_stream(3, "test", (uint64_t)i);
        struct error err = { 0 };
        struct maze maze;
        if (maze_make(&maze, side, path, 0.3, &stream, &err) < 0)
            fail_msg("%s", err.message);
        assert_true(maze.steps >= path);
        for (int c = 0; c < side * side; c++) {
            assert_true(maze.answer[c] == maze.question[c] ||
                        (maze.question[c] == MAZE_SPACE && maze.answer[c] == MAZE_PATH));
            drawn += maze.answer[c] == MAZE_PATH;
            start = maze.question[c] == MAZE_START ? c : start;
        }
        assert_int_equal(drawn, maze.steps - 1);
        assert_true(maze_path_is_shortest(maze.question, maze.answer, side));
        assert_int_equal(count_paths(maze.question, side, start, maze.steps), 1);
        for (int steps = 1; steps < maze.steps && steps < 12; steps++)
            assert_int_equal(count_paths(maze.question, side, start, steps), 0);
    }
    struct random_stream stream = random_stream(3, "test", 0);
    struct error err = { 0 };
    struct maze maze;
    assert_int_equal(maze_make(&maze, 7, 800, 0, &stream, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "data.maze_min_path = 800"));
}

static void cells_of(uint8_t *out, const char *text)
{
    for (; *text != '\0'; text++)
        *out++ = (uint8_t)(strchr(MAZE_CHARACTERS, *text) - MAZE_CHARACTERS);
}

static void a_path_must_be_whole_and_shortest_and_touch_no_wall(void **state)
{
    static const struct {
        const char *answer;
        bool right;
    } cases[] = {
        { "S   "
          "o## "
          "o## "
          "ooG ",
          true },
        { "#  #" /* walls, start and goal are the question's */
          "o###"
          "o## "
          "oo##",
          true },
        { "Soo " /* a gap */
          " ##o"
          " ##o"
          "  Go",
          false },
        { "Sooo" /* longer */
          " ##o"
          " ##o"
          "  Go",
          false },
        { "S  o" /* a cell too many */
          "o## "
          "o## "
          "ooG ",
          false },
        { "S   " /* through a wall */
          "oo# "
          " o# "
          " oG ",
          false },
        { "S   "
          " ## "
          " ## "
          "  G ",
          false },
    };
    uint8_t question[16], answer[16];

    (void)state;
    cells_of(question, "S    ##  ##   G ");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cells_of(answer, cases[i].answer);
        if (maze_path_is_shortest(question, answer, 4) != cases[i].right)
            fail_msg("%s", cases[i].answer);
    }
}

static struct data_set *open_set(const char *path, const char *const *pairs, struct error *err)
{
    struct config config;
    struct data_set *set = NULL;

    assert_int_equal(config_init(&config, err), 0);
    assert_int_equal(config_set_text(&config, "data.path", path, "test", err), 0);
    for (; pairs != NULL && pairs[0] != NULL; pairs += 2)
        assert_int_equal(config_set_text(&config, pairs[0], pairs[1], "test", err), 0);
    assert_int_equal(config_resolve(&config, "test", err), 0);
    if (data_set_open(&set, &config, true, err) < 0)
        set = NULL;
    config_release(&config);
    return set;
}

/* Writes ROOM/name with rows behind the usual header; its path, which is fresh. */
static char *put(const char *name, const char *rows)
{
    struct error err = { 0 };
    char *path = file_join(room, name);
    char *text = format_string("source,question,answer,rating\n%s", rows);

    assert_int_equal(file_write_atomic(path, text, strlen(text), &err), 0);
    free(text);
    return path;
}

static void spaces_of_a_csv_are_cells(void **state)
{
    struct error err = { 0 };
    int32_t inputs[16], labels[16], id;
    /* S___ _##_ _##_ __G_ and ____ S##_ _##_ __G_, with _ for a space */
    char *train = put("train.csv", "x,S    ##  ##   G ,S   o## o## ooG ,7\n");
    char *test = put("test.csv", "y,    S##  ##   G ,    S## o## ooG ,2\n");

    (void)state;
    struct data_set *set = open_set(room, (const char *[]){ "data.num_aug", "9", NULL }, &err);
    if (set == NULL)
        fail_msg("%s", err.message);
    assert_int_equal(data_set_info(set)->vocab_size, 6);
    assert_int_equal(data_set_info(set)->puzzles, 8); /* there are 8, whatever is asked for */
    assert_int_equal(data_set_info(set)->test_rows, 1);
    data_set_row(set, SPLIT_TEST, 0, NULL, inputs, labels, &id);
    assert_int_equal(inputs[0], 1 + MAZE_SPACE);
    assert_int_equal(inputs[4], 1 + MAZE_START);
    assert_int_equal(labels[8], 1 + MAZE_PATH);
    assert_int_equal(labels[15], 1 + MAZE_SPACE);
    data_set_close(set);
    free(train);
    free(test);
}

/* Writes ROOM/name with one drawn maze of side 30, as the public files have them. */
static void put_large(const char *name, uint64_t index)
{
    struct random_stream stream = random_stream(3, "test", index);
    char rows[2 * GRID_MAX_CELLS + 20] = "x,", *at = rows + 2;
    static struct maze maze;
    struct error err = { 0 };

    if (maze_make(&maze, 30, 60, 0.0, &stream, &err) < 0)
        fail_msg("%s", err.message);
    for (int i = 0; i < 900; i++) {
        at[i] = MAZE_CHARACTERS[maze.question[i]];
        at[901 + i] = MAZE_CHARACTERS[maze.answer[i]];
    }
    at[900] = ',';
    strcpy(at + 1801, ",110\n");
    free(put(name, rows));
}

static void mazes_of_900_characters_are_read_and_not_turned_unless_asked(void **state)
{
    struct error err = { 0 };

    (void)state;
    put_large("train.csv", 0);
    put_large("test.csv", 1);
    struct data_set *set = open_set(room, NULL, &err);
    if (set == NULL)
        fail_msg("%s", err.message);
    assert_string_equal(data_set_info(set)->counts,
                        "read 2 puzzles (0 below data.min_difficulty left out); 1 of 1 trained "
                        "on (data.maze_train), 1 of 1 tested (data.maze_test)");
    assert_int_equal(data_set_info(set)->seq_len, 900);
    assert_int_equal(data_set_info(set)->puzzles, 1);
    assert_int_equal(data_set_info(set)->test_rows, 1);
    data_set_close(set);
}

static void a_bad_row_is_named_with_its_column(void **state)
{
    static const struct {
        const char *rows, *words;
    } cases[] = {
        { "x,#S G# ,#SoG# ,1\n", "row 2, column question: 6 characters; expected a square" },
        { "x,S G######,SoG######,1\nx,#S G,#SoG,1\n",
          "row 3, column question: 4 characters; expected 9" },
        { "x,#S G#####,#SoG####,1\n", "column answer: 8 characters; expected 9" },
        { "x,#S G##x##,#SoG##x##,1\n", "column question: character 7 is \"x\"; expected #" },
        { "x,#S G#####,#SoG##\t##,1\n", "column answer: character 7 is the byte 0x09" },
        { "x,#S S#####,#SoS#####,1\n", "2 S, 0 G and 0 o; expected one S" },
        { "x,#SoG#####,#SoG#####,1\n", "1 S, 1 G and 1 o" },
        { "x,#S G#####,#SoG#o###,1\n", "character 6 (row 2, column 3 of the maze) is \"o\"" },
        { "x,#S G#####,#SoG#####,-1\n", "column rating: expected a number" },
        /* walls that are written otherwise: S and G tell that it is a maze */
        { "x,XS GXXXXX,XSoGXXXXX,1\n",
          "row 2, column question: character 1 is \"X\"; expected #" },
        { "x,XsX gXXXX,XsXogXXXX,1\n",
          "or a header with the columns question and answer (a maze" },
        { "x,s    XX  XX   g ,soo  XX  XX   g ,1\n",
          "or . or 0 for a blank cell (a maze would have # for walls, S and G)" },
        { "x,S    ##  ##   G ,S    ##  ##   G ,1\n",
          "row 2, column answer: no path of o leads from S to G (character 15, row 4, column "
          "3" },
        { "x,S    ##  ##   G ,S   o##  ## ooG ,1\n", "no path of o leads from S to G" },
        { "x,S    ##  ##   G ,S  oo## o## ooG ,1\n",
          "character 4 (row 1, column 4 of the maze) is an o that is not connected with S" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = { 0 };
        char *path = put("mazes.csv", cases[i].rows);
        struct data_set *set = open_set(path, NULL, &err);
        if (set != NULL || strstr(err.message, cases[i].words) == NULL ||
            strstr(err.message, path) == NULL)
            fail_msg("\"%s\" lacks \"%s\"", err.message, cases[i].words);
        free(path);
    }
}

static void a_longer_path_and_one_without_a_cell_are_answers(void **state)
{
    struct error err = { 0 };
    char *path = put("mazes.csv", "x,S    ##  ##   G ,Sooo ##o ##o  Go,1\n"
                                  "x,SG   ##  ##     ,SG   ##  ##     ,1\n");
    struct data_set *set = open_set(path, NULL, &err);

    (void)state;
    if (set == NULL)
        fail_msg("%s", err.message);
    data_set_close(set);
    free(path);
}

static void variants_are_the_turned_mazes_in_order_and_are_undone(void **state)
{
    struct random_stream stream = random_stream(0, "test", 0);
    struct grid grid = { .rows = 3, .columns = 3, .cells = { 2, 1, 0, 0, 1, 1, 0, 0, 3 } };
    uint8_t variants[10];

    (void)state;
    assert_int_equal(KIND_MAZE.draw(variants, NULL, 0, 10, &stream), 7);
    for (int i = 0; i < 7; i++) {
        struct grid turned, expected, back;
        KIND_MAZE.apply(&turned, &grid, &variants[i]);
        grid_transform(&expected, &grid, i + 1);
        assert_true(grid_equal(&turned, &expected));
        KIND_MAZE.undo(&back, &turned, &variants[i]);
        assert_true(grid_equal(&back, &grid));
    }
}

/* Two mazes of rating 3 and two of 30, all answered right but for a wall of the last. */
static void scores_are_told_by_rating_and_paths_apart(void **state)
{
    static const struct score_request request = { .outer_steps = 1 };
    struct error err = { 0 };
    char *train = put("train.csv", "x,S    ##  ##   G ,S   o## o## ooG ,3\n");
    char *test = put("test.csv", "a,S    ##  ##   G ,S   o## o## ooG ,3\n"
                                 "b,S    ##  ##   G ,Sooo ##o ##o  Go,3\n"
                                 "c,S    ##  ##   G ,S   o## o## ooG ,30\n"
                                 "d,S    ##  ##   G ,S   o## o## ooG ,30\n");
    struct data_set *set = open_set(room, NULL, &err);
    struct score_outcome *outcomes;
    struct score_result result;
    struct scores *scores;
    int count;

    (void)state;
    if (set == NULL)
        fail_msg("%s", err.message);
    assert_int_equal(scores_create(&scores, set, SPLIT_TEST, &request, 1, &err), 0);
    for (int row = 0; row < 4; row++) {
        int32_t inputs[16], labels[16], out[16], id;
        data_set_row(set, SPLIT_TEST, row, NULL, inputs, labels, &id);
        memcpy(out, labels, sizeof out);
        if (row == 3) /* a space that was taken for a wall */
            out[3] = 1 + MAZE_WALL;
        assert_int_equal(scores_add(scores, 0, row, out, labels, 0.0f, 0.0, 1, &err), 0);
    }
    assert_int_equal(scores_finish(scores, 0, &result, &outcomes, &count, &err), 0);
    assert_true(fabs(result.values[METRIC_EXACT_ROWS] - 0.75) < 1e-12);
    assert_true(fabs(result.values[METRIC_EXACT_RATING_1] - 1.0) < 1e-12);
    assert_true(fabs(result.values[METRIC_EXACT_RATING_10] - 0.5) < 1e-12);
    assert_true(isnan(result.values[METRIC_EXACT_RATING_0]));
    assert_true(isnan(result.values[METRIC_EXACT_RATING_100]));
    /* the second one's answer is a longer path */
    assert_true(fabs(result.values[METRIC_SHORTEST_PATHS] - 0.75) < 1e-12);
    free(outcomes);
    scores_destroy(scores);
    data_set_close(set);
    free(train);
    free(test);
}

static void built_in_mazes_are_the_same_for_a_seed_and_others_for_another(void **state)
{
    struct error err = { 0 };
    struct data_set *a = open_set("builtin:maze", NULL, &err);
    struct data_set *b = open_set("builtin:maze", NULL, &err);
    struct data_set *c =
        open_set("builtin:maze", (const char *[]){ "data.generator_seed", "1", NULL }, &err);

    (void)state;
    assert_string_equal(data_set_hash(a), data_set_hash(b));
    assert_string_not_equal(data_set_hash(a), data_set_hash(c));
    assert_int_equal(data_set_info(a)->groups, 1000);
    assert_int_equal(data_set_info(a)->test_rows, 200);
    assert_int_equal(data_set_info(a)->num_puzzle_identifiers, 1);
    data_set_close(a);
    data_set_close(b);
    data_set_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn_mazes_have_one_shortest_path_that_is_long_enough),
        cmocka_unit_test(a_path_must_be_whole_and_shortest_and_touch_no_wall),
        cmocka_unit_test_setup_teardown(spaces_of_a_csv_are_cells, make_room, remove_room),
        cmocka_unit_test_setup_teardown(
            mazes_of_900_characters_are_read_and_not_turned_unless_asked, make_room,
            remove_room),
        cmocka_unit_test_setup_teardown(a_bad_row_is_named_with_its_column, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(a_longer_path_and_one_without_a_cell_are_answers,
                                        make_room, remove_room),
        cmocka_unit_test_setup_teardown(scores_are_told_by_rating_and_paths_apart, make_room,
                                        remove_room),
        cmocka_unit_test(variants_are_the_turned_mazes_in_order_and_are_undone),
        cmocka_unit_test(built_in_mazes_are_the_same_for_a_seed_and_others_for_another),
    };

    return cmocka_run_group_tests_name("maze", tests, NULL, NULL);
}
