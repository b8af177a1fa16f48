/* test_data.c - tasks, variants, canvas, built-in puzzles, batches, votes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "arc_load.h"
#include "arc_style.h"
#include "augmentation.h"
#include "batches.h"
#include "canvas.h"
#include "clock.h"
#include "data_set.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "report.h"
#include "row_sample.h"
#include "scores_internal.h"
#include "sudoku.h"
#include "voting.h"
#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void configure(struct config *config, const char *const *pairs)
{
    struct error err = { 0 };

    assert_int_equal(config_init(config, &err), 0);
    for (; pairs[0] != NULL; pairs += 2)
        if (config_set_text(config, pairs[0], pairs[1], "test", &err) < 0)
            fail_msg("%s", err.message);
    if (config_resolve(config, "test", &err) < 0)
        fail_msg("%s", err.message);
}

static struct data_set *open_set(struct config *config, const char *const *pairs)
{
    struct error err = { 0 };
    struct data_set *set;

    configure(config, pairs);
    if (data_set_open(&set, config, true, &err) < 0)
        fail_msg("%s", err.message);
    return set;
}

static void refuse_task(const char *json, const char *expected)
{
    struct error err = { 0 };
    struct arc_task task;
    cJSON *root = cJSON_Parse(json);

    assert_non_null(root);
    assert_int_equal(arc_task_read(&task, "t", root, NULL, "f.json", &err), ERROR_FORMAT);
    if (strstr(err.message, expected) == NULL || strstr(err.message, "f.json") == NULL)
        fail_msg("\"%s\" lacks \"%s\"", err.message, expected);
    cJSON_Delete(root);
}

static void bad_tasks_are_named_with_their_place(void **state)
{
    char wide[400] = "{\"train\":[{\"input\":[[";

    (void)state;
    for (int i = 0; i < 31; i++)
        strcat(wide, i > 0 ? ",1" : "1");
    strcat(wide, "]],\"output\":[[1]]}],\"test\":[{\"input\":[[1]]}]}");
    refuse_task(wide, "train pair 1, input, row 1: 31 cells wide");
    refuse_task(
        "{\"train\":[{\"input\":[[1,12]],\"output\":[[1]]}],\"test\":[{\"input\":[[1]]}]}",
        "column 2: colour 12");
    refuse_task(
        "{\"train\":[{\"input\":[[1]],\"output\":[[1,2],[1]]}],\"test\":[{\"input\":[[1]]}]}",
        "output, row 2: 1 cells");
    refuse_task("{\"train\":[{\"input\":[[1]]}],\"test\":[{\"input\":[[1]]}]}", "output");
    refuse_task("{\"train\":[],\"test\":[{\"input\":[[1]]}]}", "at least one");
    refuse_task(
        "{\"train\":[{\"input\":[[1.5]],\"output\":[[1]]}],\"test\":[{\"input\":[[1]]}]}",
        "colour 1.5");
    refuse_task("{\"train\":[{\"input\":[[]],\"output\":[[1]]}],\"test\":[{\"input\":[[1]]}]}",
                "empty list");
    refuse_task("{\"test\":[]}", "\"train\" and \"test\"");
    cJSON *root = cJSON_Parse("{\"train\":[{\"input\":[[1]],\"output\":[[1]]}],"
                              "\"test\":[{\"input\":[[1]]}]}");
    struct error err;
    struct arc_task task;
    assert_int_equal(arc_task_read(&task,
                                   "b\xc2\x9b"
                                   "31m",
                                   root, NULL, "f.json", &err),
                     ERROR_FORMAT);
    assert_null(strstr(err.message, "\xc2\x9b"));
    cJSON_Delete(root);
}

static void transforms_undo_each_other_and_names_read_back(void **state)
{
    struct grid grid = { .rows = 2, .columns = 3, .cells = { 1, 2, 3, 4, 5, 6 } }, there, back;
    struct random_stream stream = random_stream(1, "test", 0);

    (void)state;
    for (int i = 0; i < 200; i++) {
        struct variant variant = VARIANT_ORIGINAL, parsed;
        char name[VARIANT_NAME_SIZE], base[ARC_NAME_SIZE];
        int colours[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
        random_shuffle(&stream, colours, 9);
        variant.transform = (uint8_t)(i % 8);
        for (int c = 0; c < 9; c++)
            variant.map[c + 1] = (uint8_t)colours[c];
        variant_apply(&there, &grid, &variant);
        variant_undo(&back, &there, &variant);
        assert_true(grid_equal(&grid, &back));
        variant_name(name, "task", &variant);
        assert_true(variant_parse(&parsed, base, name));
        assert_memory_equal(&parsed, &variant, sizeof variant);
    }
    struct variant parsed;
    char base[ARC_NAME_SIZE];
    assert_false(variant_parse(&parsed, base, "a|||t8|||0123456789"));
    assert_false(variant_parse(&parsed, base, "a|||t1|||0123456788"));
}

static void variants_are_distinct_and_not_more_than_exist(void **state)
{
    /* One colour on a symmetric grid: 9 colours, of which 8 are new. */
    struct arc_pair pairs[2] = { { .has_output = true }, { .has_output = true } };
    struct arc_task task = { .demonstrations = 1, .tests = 1, .pairs = pairs };
    struct variant variants[100];
    struct random_stream stream = random_stream(1, "test", 0);

    (void)state;
    for (int i = 0; i < 2; i++) {
        pairs[i].input = (struct grid){ .rows = 1, .columns = 1, .cells = { 3 } };
        pairs[i].output = pairs[i].input;
    }
    assert_int_equal(augmentation_draw(variants, &task, 100, &stream), 8);
    bool seen[10] = { [3] = true };
    for (int i = 0; i < 8; i++) {
        assert_false(seen[variants[i].map[3]]);
        seen[variants[i].map[3]] = true;
    }
}

static void canvas_places_and_crops_on_any_side(void **state)
{
    struct grid grid = { .rows = 2, .columns = 2, .cells = { 0, 1, 2, 3 } }, back;
    int32_t tokens[16];
    static const int32_t expected[16] = { 0, 0, 0, 0, 0, 2, 3, 1, 0, 4, 5, 1, 0, 1, 1, 0 };

    (void)state;
    canvas_place(tokens, &grid, 1, 1, 4);
    assert_memory_equal(tokens, expected, sizeof tokens);
    canvas_place(tokens, &grid, 0, 0, 4);
    canvas_crop(&back, tokens, 4);
    assert_true(grid_equal(&grid, &back));
    canvas_place(tokens, &grid, 2, 2, 4); /* no room for EOS */
    assert_int_equal(tokens[15], 5);
}

static void every_family_makes_valid_and_different_tasks(void **state)
{
    (void)state;
    assert_true(arc_style_family_count() >= 24);
    for (int family = 0; family < arc_style_family_count(); family++)
        for (int index = 0; index < 8; index++) {
            struct arc_style_task task, again, other;
            arc_style_make(&task, 5, family, index);
            arc_style_make(&again, 5, family, index);
            arc_style_make(&other, 6, family, index);
            assert_memory_equal(&task, &again, sizeof task);
            assert_memory_not_equal(&task, &other, sizeof task);
            for (int i = 0; i < task.demonstrations + task.tests; i++) {
                const struct arc_style_pair *pair = &task.pairs[i];
                assert_in_range(pair->input.rows, 1, ARC_STYLE_SIDE);
                assert_in_range(pair->input.columns, 1, ARC_STYLE_SIDE);
                assert_in_range(pair->output.rows, 1, ARC_STYLE_SIDE);
                assert_in_range(pair->output.columns, 1, ARC_STYLE_SIDE);
                assert_false(grid_equal(&pair->input, &pair->output));
                for (int j = 0; j < i; j++)
                    assert_false(grid_equal(&pair->input, &task.pairs[j].input));
                for (int c = 0; c < pair->output.rows * pair->output.columns; c++)
                    assert_true(pair->output.cells[c] < 10);
            }
        }
}

static void puzzles_written_as_json_read_back_to_the_same_data(void **state)
{
    static const char *const builtin[] = { "data.canvas", "8", "data.tasks_per_family", "2",
                                           NULL };
    char directory[] = "/tmp/hrmlab-data-XXXXXX", command[300];
    struct config config, read_config;
    const char *worker = getenv("HRMLAB_WORKER");

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(command, sizeof command,
             "%s data build --layout arc --output %s data.tasks_per_family=2 >/dev/null",
             worker != NULL ? worker : "build/asan/hrmlab-worker", directory);
    assert_int_equal(system(command), 0);
    const char *const files[] = { "data.canvas", "8", "data.path", directory, NULL };
    struct data_set *a = open_set(&config, builtin), *b = open_set(&read_config, files);
    assert_string_equal(data_set_hash(a), data_set_hash(b));
    assert_int_equal(data_set_info(a)->tasks_training, data_set_info(a)->tasks_evaluation);
    data_set_close(a);
    data_set_close(b);
    config_release(&config);
    config_release(&read_config);
    struct error err;
    assert_int_equal(file_remove_tree(directory, &err), 0);
}

static void write_into(const char *directory, const char *name, const char *content)
{
    char *path = file_join(directory, name);
    struct error err;

    assert_int_equal(file_write_atomic(path, content, strlen(content), &err), 0);
    free(path);
}

static void solutions_fit_their_challenges_or_are_named(void **state)
{
#define PAIR "{\"input\":[[1]],\"output\":[[2]]}"
#define TASK(name) "\"" name "\":{\"train\":[" PAIR "],\"test\":[{\"input\":[[1]]}]}"
    static const struct {
        const char *solutions, *word;
    } cases[] = {
        { "[1]", "expected an object of solutions, not a list" },
        { "{\"A\":[[[2]]],\"b\":[[[2]]]}", "no task \"a\"" },
        { "{\"a\":[[[2]]]}", "no task \"b\"" },
        { "{\"a\":[[[2]]],\"b\":[[[2]]],\"c\":[[[2]]]}", "no task \"c\"" },
        { "{\"a\":[[[2]]],\"b\":[]}", "task b: the solutions are not a list of 1" },
        { "{\"a\":[[[2]]],\"b\":[[[2]]]}", NULL },
        { NULL, NULL }, /* hidden tests */
    };
    char directory[] = "/tmp/hrmlab-combined-XXXXXX";
    struct error err;

    (void)state;
    assert_non_null(mkdtemp(directory));
    write_into(directory, "x_challenges.json", "{" TASK("a") "," TASK("b") "}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arc_tasks tasks = { 0 };
        char *path = file_join(directory, "x_solutions.json");
        if (cases[i].solutions != NULL)
            write_into(directory, "x_solutions.json", cases[i].solutions);
        else
            assert_int_equal(unlink(path), 0);
        int rc = arc_load(&tasks, directory, &err);
        assert_int_equal(rc, cases[i].word != NULL ? ERROR_FORMAT : 0);
        if (rc < 0 && strstr(err.message, cases[i].word) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.message, cases[i].word);
        if (rc == 0) {
            assert_int_equal(tasks.count, 2);
            assert_int_equal(tasks.tasks[1].pairs[1].has_output, cases[i].solutions != NULL);
            arc_tasks_release(&tasks);
        }
        free(path);
    }
    assert_int_equal(file_remove_tree(directory, &err), 0);
}

static void sudoku_puzzles_have_one_solution_and_shuffles_keep_it(void **state)
{
    static const int sides[] = { 4, 6, 9 };
    struct random_stream stream = random_stream(1, "test", 0);
    struct error err;

    (void)state;
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < 4; i++) {
            struct sudoku puzzle;
            struct sudoku_shuffle shuffle;
            uint8_t question[81], answer[81];
            int side = sides[s], cells = side * side;
            assert_int_equal(
                sudoku_make(&puzzle, &(struct sudoku_wish){ .side = side }, &stream, &err), 0);
            assert_int_equal(sudoku_count_solutions(puzzle.question, side, 2, NULL), 1);
            assert_int_equal(sudoku_count_solutions(puzzle.answer, side, 2, NULL), 1);
            sudoku_shuffle_draw(&shuffle, side, &stream);
            sudoku_shuffle_apply(question, puzzle.question, side, &shuffle);
            sudoku_shuffle_apply(answer, puzzle.answer, side, &shuffle);
            assert_int_equal(sudoku_count_solutions(question, side, 2, NULL), 1);
            assert_int_equal(sudoku_count_solutions(answer, side, 2, NULL), 1);
            for (int c = 0; c < cells; c++) {
                assert_in_range(answer[c], 1, side);
                assert_true(question[c] == 0 || question[c] == answer[c]);
            }
        }
    struct sudoku puzzle;
    const struct sudoku_wish hard = { .side = 9, .min_backtracks = 3, .max_backtracks = 5 };
    assert_int_equal(sudoku_make(&puzzle, &hard, &stream, &err), 0);
    assert_true(puzzle.backtracks >= 3);
    const struct sudoku_wish too_hard = { .side = 4, .min_backtracks = 1000 };
    assert_int_equal(sudoku_make(&puzzle, &too_hard, &stream, &err), ERROR_FORMAT);
}

static int count_givens(const struct data_set *set, int example)
{
    int32_t inputs[GRID_MAX_CELLS], labels[GRID_MAX_CELLS], id;
    int givens = 0;

    data_set_example(set, example, inputs, labels, &id);
    for (int i = 0; i < data_set_info(set)->seq_len; i++)
        givens += inputs[i] > 1; /* 0 is PAD, 1 is a blank cell */
    return givens;
}

/* Many hard puzzles may take longer to generate than resources.hang_s. */
static void every_board_that_is_generated_is_a_heartbeat(void **state)
{
    struct report report = { .said_at_s = clock_monotonic_s() + 1e6 }; /* no event is due */
    struct config config;

    (void)state;
    work_open(&report, "/tmp");
    struct data_set *set =
        open_set(&config, (const char *[]){ "data.path", "builtin:sudoku", "data.sudoku_train",
                                            "20", "data.sudoku_test", "10", NULL });
    work_open(NULL, NULL);
    /* one when it is generated, one when its variants are drawn */
    assert_int_equal(report.heartbeat, 2 * 30);
    data_set_close(set);
    config_release(&config);
}

static void built_in_sudoku_has_as_many_givens_as_asked_for(void **state)
{
    const char *pairs[] = { "data.path",
                            "builtin:sudoku",
                            "data.sudoku_side",
                            "9",
                            "data.sudoku_train",
                            "5",
                            "data.sudoku_test",
                            "1",
                            "data.sudoku_givens",
                            "60",
                            NULL };
    struct data_set *set;
    struct config config;
    struct error err = { 0 };

    (void)state;
    configure(&config, pairs);
    assert_int_equal(data_set_open(&set, &config, true, &err), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(count_givens(set, i), 60);
    data_set_close(set);
    config_release(&config);
    pairs[3] = "4";
    configure(&config, pairs);
    assert_int_equal(data_set_open(&set, &config, true, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "data.sudoku_givens = 60: a board of 4 x 4 has 16"));
    config_release(&config);
}

enum { ROWS = 16 };

static void batches_are_full_and_resume_at_any_point(void **state)
{
    static const char *const pairs[] = { "data.canvas",
                                         "8",
                                         "data.num_aug",
                                         "2",
                                         "train.epochs",
                                         "7",
                                         "train.eval_interval",
                                         "2",
                                         "train.global_batch_size",
                                         "16",
                                         NULL };
    struct config config;
    struct error err = { 0 };
    struct data_set *set = open_set(&config, pairs);
    size_t T = (size_t)data_set_info(set)->seq_len;
    int32_t *inputs = malloc(2 * ROWS * T * sizeof *inputs), *labels = inputs + ROWS * T;
    int32_t *other = malloc(2 * ROWS * T * sizeof *other), ids[ROWS], other_ids[ROWS];
    struct batches *a, *b;
    int steps = 0, intervals = 0;
    enum batches_next next;

    (void)state;
    if (batches_create(&a, set, &config, &err) < 0)
        fail_msg("%s", err.message);
    while ((next = batches_next(a, inputs, labels, ids)) != BATCHES_END) {
        intervals += next == BATCHES_INTERVAL;
        steps += next == BATCHES_READY;
        for (int i = 0; i < ROWS && next == BATCHES_READY; i++)
            assert_in_range(ids[i], 1, data_set_info(set)->num_puzzle_identifiers - 1);
        cJSON *position = batches_save(a); /* a copy from here on gives the same */
        assert_int_equal(batches_create(&b, set, &config, &err), 0);
        assert_int_equal(batches_restore(b, position, &err), 0);
        cJSON_Delete(position);
        position = batches_save(a);
        enum batches_next mine = batches_next(a, inputs, labels, ids);
        assert_int_equal(mine, batches_next(b, other, other + ROWS * T, other_ids));
        if (mine == BATCHES_READY) {
            assert_memory_equal(inputs, other, 2 * ROWS * T * sizeof *inputs);
            assert_memory_equal(ids, other_ids, sizeof ids);
        }
        assert_int_equal(batches_restore(a, position, &err), 0);
        cJSON_Delete(position);
        batches_destroy(b);
    }
    assert_int_equal(intervals, 3); /* after epochs 2, 4, 6; the end needs none */
    /* 37 groups of three pairs: 111 examples an epoch; streams of 222, 222, 222, 111. Cuts at
     * batch ends lose some, so at most 13 + 13 + 13 + 6 batches. */
    assert_in_range(steps, 30, 45);
    batches_destroy(a);
    free(inputs);
    free(other);
    data_set_close(set);
    config_release(&config);
}

static void a_stream_without_a_full_batch_is_refused(void **state)
{
    static const char *const pairs[] = {
        "data.canvas", "8", "train.epochs", "1", "train.global_batch_size", "5000", NULL
    };
    struct config config;
    struct error err = { 0 };
    struct data_set *set = open_set(&config, pairs);
    struct batches *batches;

    (void)state;
    assert_int_equal(batches_create(&batches, set, &config, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "train.global_batch_size"));
    data_set_close(set);
    config_release(&config);
}

static void one_pair_of_each_variant_stays_in_the_corner(void **state)
{
    static const char *const pairs[] = { "data.canvas",
                                         "30",
                                         "data.num_aug",
                                         "0",
                                         "train.max_steps",
                                         "60",
                                         "train.global_batch_size",
                                         "37",
                                         NULL };
    struct config config;
    struct error err = { 0 };
    struct data_set *set = open_set(&config, pairs);
    struct batches *batches;
    size_t T = (size_t)data_set_info(set)->seq_len;
    int32_t *inputs = malloc(2 * 37 * T * sizeof *inputs), ids[37];
    int corner = 0, rows = 0;

    (void)state;
    assert_int_equal(batches_create(&batches, set, &config, &err), 0);
    for (int step = 0; step < 60; step++) {
        assert_int_equal(batches_next(batches, inputs, inputs + 37 * T, ids), BATCHES_READY);
        for (int i = 0; i < 37; i++, rows++)
            corner += inputs[(size_t)i * T] >= 2; /* a colour at (0, 0) */
    }
    /* One in three stays; an offset of (0, 0) is drawn once in about 24 x 24. */
    assert_in_range(100 * corner / rows, 28, 39);
    batches_destroy(batches);
    free(inputs);
    data_set_close(set);
    config_release(&config);
}

static void votes_rank_by_count_then_confidence_then_arrival(void **state)
{
    struct grid a = { 1, 1, { 1 } }, b = { 1, 1, { 2 } }, c = { 1, 1, { 3 } };
    struct grid wide = { 1, 2, { 1, 1 } }, empty = { 0, 0, { 0 } };
    struct ballot ballot = { 0 };

    (void)state;
    assert_true(ballot_add(&ballot, &a, -1.0, NULL) >= 0);
    assert_true(ballot_add(&ballot, &b, 2.0, NULL) >= 0);
    assert_true(ballot_add(&ballot, &c, -1.0, NULL) >= 0);
    assert_true(ballot_add(&ballot, &wide, 0.0, NULL) >= 0);
    assert_true(ballot_add(&ballot, &wide, 0.0, NULL) >= 0);
    assert_true(ballot_add(&ballot, &empty, -2.0, NULL) >= 0);
    ballot_rank(&ballot);
    assert_int_equal(ballot_place(&ballot, &wide), 1);
    assert_int_equal(ballot_place(&ballot, &b), 2);
    assert_int_equal(ballot_place(&ballot, &a), 3);
    assert_int_equal(ballot_place(&ballot, &c), 4);
    assert_int_equal(ballot_place(&ballot, &empty), 5);
    ballot_release(&ballot);
}

/* Gives every row its labels as predictions when the variant is below right_variants, nonsense
 * otherwise. */
static struct scores *score(const struct data_set *set, const struct score_request *requests,
                            int count, int right_variants)
{
    struct error err = { 0 };
    struct scores *scores;
    size_t T = (size_t)data_set_info(set)->seq_len;
    int32_t *inputs = malloc(3 * T * sizeof *inputs), *labels = inputs + T, *out = labels + T,
            id;

    assert_int_equal(scores_create(&scores, set, SPLIT_TEST, requests, count, &err), 0);
    for (int row = data_set_row_count(set, SPLIT_TEST) - 1; row >= 0; row--) {
        struct data_row meta;
        data_set_row(set, SPLIT_TEST, row, &meta, inputs, labels, &id);
        for (size_t i = 0; i < T; i++)
            out[i] = meta.variant < right_variants && labels[i] >= 0 ? labels[i] : 0;
        for (int r = 0; r < count; r++)
            assert_int_equal(scores_add(scores, r, row, out, labels, 1.0f, 0.5, 2, &err), 0);
    }
    free(inputs);
    return scores;
}

static void scores_know_right_from_wrong_and_subsample(void **state)
{
    static const char *const pairs[] = { "data.canvas", "8", "data.num_aug", "7", NULL };
    static const struct score_request requests[] = { { .outer_steps = 1 },
                                                     { .outer_steps = 1, .augmentations = 1 },
                                                     { .outer_steps = 1, .augmentations = 4 } };
    struct config config;
    struct error err;
    struct data_set *set = open_set(&config, pairs);
    struct score_result result;
    struct score_outcome *outcomes;
    int count;

    (void)state;
    struct scores *scores = score(set, requests, 3, 100); /* everything right */
    for (int r = 0; r < 3; r++) {
        assert_int_equal(scores_finish(scores, r, &result, &outcomes, &count, &err), 0);
        assert_true(result.values[METRIC_PASS_AT_1] >= 1.0 &&
                    result.values[METRIC_PER_TOKEN_ACCURACY] >= 1.0);
        /* one answer has all votes */
        assert_true(fabs(result.values[METRIC_VOTE_MARGIN] - 1.0) < 1e-12 &&
                    fabs(result.values[METRIC_DISTINCT_ANSWERS] - 1.0) < 1e-12 &&
                    fabs(result.values[METRIC_VOTE_ENTROPY]) < 1e-12);
        assert_int_equal(outcomes[0].predictions, r == 0 ? 8 : r == 1 ? 1 : 4);
        free(outcomes);
    }
    cJSON *submission = scores_submission(scores, 0);
    assert_int_equal(cJSON_GetArraySize(submission), data_set_info(set)->tasks_evaluation);
    assert_non_null(json_member(cJSON_GetArrayItem(submission->child, 0), "attempt_2"));
    cJSON_Delete(submission);
    scores_destroy(scores);
    scores = score(set, requests, 3, 1); /* only the original is right: outvoted, but second */
    assert_int_equal(scores_finish(scores, 0, &result, &outcomes, &count, &err), 0);
    assert_true(result.values[METRIC_PASS_AT_1] <= 0.0 &&
                result.values[METRIC_PASS_AT_2] >= 1.0);
    assert_int_equal(outcomes[0].rank, 2);
    /* the first test: seven votes for one answer, one for the solution */
    assert_int_equal(outcomes[0].distinct, 2);
    assert_true(fabs(outcomes[0].margin - 6.0 / 8) < 1e-12);
    assert_true(fabs(outcomes[0].entropy + 7.0 / 8 * log(7.0 / 8) + 1.0 / 8 * log(1.0 / 8)) <
                1e-12);
    assert_true(result.values[METRIC_ORACLE] >= 1.0);
    free(outcomes);
    assert_int_equal(scores_finish(scores, 1, &result, &outcomes, &count, &err), 0);
    assert_true(result.values[METRIC_PASS_AT_1] >=
                1.0); /* the original is always in the sample */
    free(outcomes);
    scores_destroy(scores);
    data_set_close(set);
    config_release(&config);
}

/* Small solutions are second, large ones third: only the former count as solved. */
static void pass_at_2_is_told_apart_by_the_size_of_the_solution(void **state)
{
    static const char *const pairs[] = { "data.canvas", "8", NULL };
    static const struct score_request request = { .outer_steps = 1 };
    struct config config;
    struct data_set *set = open_set(&config, pairs);
    struct score_outcome outcomes[200] = { 0 };
    struct score_result result = { 0 };
    int count = 0, large = 0;

    (void)state;
    struct scores *scores = score(set, &request, 1, 1);
    for (int t = 0; t < data_set_task_count(set, SPLIT_TEST); t++)
        for (int test = 0; test < data_set_task_tests(set, SPLIT_TEST, t); test++) {
            struct grid room;
            const struct grid *solution = data_set_solution(set, SPLIT_TEST, t, test, &room);
            bool is_large = solution->rows * solution->columns > 36;

            assert_true(count < 200);
            outcomes[count++] = (struct score_outcome){ .task = t,
                                                        .test_index = test,
                                                        .rank = is_large ? 3 : 2 };
            large += is_large;
        }
    assert_in_range(large, 1, count - 1);
    scores_sum_sizes(scores, outcomes, count, &result);
    assert_true(result.values[METRIC_PASS_AT_2_CELLS_1] >= 1.0);
    assert_true(result.values[METRIC_PASS_AT_2_CELLS_37] <= 0.0);
    assert_true(isnan(result.values[METRIC_PASS_AT_2_CELLS_101]));
    /* one size says no more than pass@2 */
    scores_sum_sizes(scores, outcomes, 1, &result);
    assert_true(isnan(result.values[METRIC_PASS_AT_2_CELLS_1]) &&
                isnan(result.values[METRIC_PASS_AT_2_CELLS_37]));
    scores_destroy(scores);
    data_set_close(set);
    config_release(&config);
}

static const char *shared(void)
{
    const char *named = getenv("HRMLAB_SHARED");

    return named != NULL ? named : "../shared";
}

static void real_arc_tasks_load_in_both_layouts(void **state)
{
    struct config config;
    char path[400];

    (void)state;
    snprintf(path, sizeof path, "%s/data/arc-agi-1", shared());
    if (!file_exists(path)) {
        print_message("skip: the shared data are absent\n");
        skip();
    }
    const char *const one[] = { "data.path", path, "data.canvas", "10", NULL };
    struct data_set *set = open_set(&config, one);
    assert_int_equal(data_set_info(set)->tasks_training, 178);
    assert_int_equal(data_set_info(set)->tasks_evaluation, 77);
    data_set_close(set);
    config_release(&config);
    snprintf(path, sizeof path, "%s/data/arc-agi-2", shared());
    const char *const two[] = { "data.path", path, NULL };
    set = open_set(&config, two);
    assert_int_equal(data_set_info(set)->tasks_training, 1000);
    assert_int_equal(data_set_info(set)->tasks_evaluation, 120);
    data_set_close(set);
    config_release(&config);
}

/* The untrained model's evaluation, where all rows cost too much. */
static void a_choice_of_rows_is_of_whole_tests_and_scored_alone(void **state)
{
    static const char *const pairs[] = { "data.canvas", "8", "data.num_aug", "7", NULL };
    static const struct score_request request = { .outer_steps = 1 };
    struct config config;
    struct error err;
    struct data_set *set = open_set(&config, pairs);
    struct score_result result;
    struct score_outcome *outcomes;
    struct scores *scores;
    int *rows, *again, count, other, total = data_set_row_count(set, SPLIT_TEST);
    size_t T = (size_t)data_set_info(set)->seq_len;

    (void)state;
    assert_int_equal(row_sample_draw(&rows, &count, set, SPLIT_TEST, total, 5, &err), 0);
    assert_null(rows);
    assert_int_equal(count, total);
    assert_int_equal(row_sample_draw(&rows, &count, set, SPLIT_TEST, 3, 5, &err), 0);
    assert_int_equal(count, 3);
    for (int i = 0; i < count; i++) {
        struct data_row meta;
        int32_t room[2 * 64], id;
        assert_true(T <= 64);
        data_set_row(set, SPLIT_TEST, rows[i], &meta, room, room + T, &id);
        assert_int_equal(meta.variant, i);
    }
    free(rows);
    assert_int_equal(row_sample_draw(&rows, &count, set, SPLIT_TEST, 23, 5, &err), 0);
    assert_int_equal(row_sample_draw(&again, &other, set, SPLIT_TEST, 23, 5, &err), 0);
    assert_int_equal(count, 16); /* two tests of eight variants */
    assert_int_equal(other, count);
    assert_memory_equal(rows, again, (size_t)count * sizeof *rows);
    free(again);
    assert_int_equal(scores_create(&scores, set, SPLIT_TEST, &request, 1, &err), 0);
    scores_take_some(scores);
    for (int i = 0; i < count; i++) {
        int32_t room[3 * 64], *labels = room + T, *out = labels + T, id;
        data_set_row(set, SPLIT_TEST, rows[i], NULL, room, labels, &id);
        for (size_t t = 0; t < T; t++)
            out[t] = labels[t] >= 0 ? labels[t] : 0;
        assert_int_equal(scores_add(scores, 0, rows[i], out, labels, 1.0f, 0.0, 1, &err), 0);
    }
    free(rows);
    assert_int_equal(scores_finish(scores, 0, &result, &outcomes, &other, &err), 0);
    assert_int_equal(result.tasks, 2);
    assert_int_equal(other, 2);
    assert_true(result.values[METRIC_PASS_AT_1] >= 1.0);
    free(outcomes);
    scores_destroy(scores);
    data_set_close(set);
    config_release(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_tasks_are_named_with_their_place),
        cmocka_unit_test(transforms_undo_each_other_and_names_read_back),
        cmocka_unit_test(variants_are_distinct_and_not_more_than_exist),
        cmocka_unit_test(canvas_places_and_crops_on_any_side),
        cmocka_unit_test(every_family_makes_valid_and_different_tasks),
        cmocka_unit_test(puzzles_written_as_json_read_back_to_the_same_data),
        cmocka_unit_test(solutions_fit_their_challenges_or_are_named),
        cmocka_unit_test(sudoku_puzzles_have_one_solution_and_shuffles_keep_it),
        cmocka_unit_test(every_board_that_is_generated_is_a_heartbeat),
        cmocka_unit_test(built_in_sudoku_has_as_many_givens_as_asked_for),
        cmocka_unit_test(batches_are_full_and_resume_at_any_point),
        cmocka_unit_test(a_stream_without_a_full_batch_is_refused),
        cmocka_unit_test(one_pair_of_each_variant_stays_in_the_corner),
        cmocka_unit_test(votes_rank_by_count_then_confidence_then_arrival),
        cmocka_unit_test(scores_know_right_from_wrong_and_subsample),
        cmocka_unit_test(pass_at_2_is_told_apart_by_the_size_of_the_solution),
        cmocka_unit_test(real_arc_tasks_load_in_both_layouts),
        cmocka_unit_test(a_choice_of_rows_is_of_whole_tests_and_scored_alone),
    };

    return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
