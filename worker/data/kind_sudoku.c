/* kind_sudoku.c - Sudoku, generated or from CSV files. */
#include "kind_sudoku.h"

#include "boards.h"
#include "error.h"
#include "file.h"
#include "settings.h"
#include "sudoku.h"
#include "sudoku_csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char BUILTIN[] = "builtin:sudoku";

static bool is_csv(const char *path)
{
    size_t length = strlen(path);

    return length >= 4 && strcmp(path + length - 4, ".csv") == 0;
}

/* A folder with train.csv or test.csv. */
static bool has_csv(const char *path)
{
    char *train = file_join(path, "train.csv"), *test = file_join(path, "test.csv");
    struct stat status;
    bool found = (train != NULL && stat(train, &status) == 0) ||
                 (test != NULL && stat(test, &status) == 0);

    free(train);
    free(test);
    return found;
}

static bool recognises(const char *path)
{
    return strcmp(path, BUILTIN) == 0 || is_csv(path) || has_csv(path);
}

static int generate(struct boards *boards, const struct config *config, struct error *err)
{
    int64_t train = config_int(config, DATA_SUDOKU_TRAIN);
    int64_t test = config_int(config, DATA_SUDOKU_TEST);
    int rc = 0;

    if (train == 0 || test == 0)
        return error_set(err, ERROR_FORMAT,
                         "%s = 0: expected at least 1 (0 means all puzzles of a CSV file, but "
                         "these are generated)",
                         train == 0 ? "data.sudoku_train" : "data.sudoku_test");
    boards->side = (int)config_int(config, DATA_SUDOKU_SIDE);
    boards->train = (int)train;
    boards->name[0] = boards->name[1] = "sudoku";
    for (int64_t i = 0; i < train + test && rc == 0; i++) {
        struct random_stream stream = random_stream(
            (uint64_t)config_int(config, DATA_GENERATOR_SEED), "sudoku", (uint64_t)i);
        struct sudoku puzzle;
        rc = sudoku_make(&puzzle, boards->side,
                         (int)config_int(config, DATA_SUDOKU_MIN_BACKTRACKS), &stream, err);
        if (rc == 0)
            rc = boards_add(boards, puzzle.question, puzzle.answer, (int32_t)i, err);
    }
    return rc;
}

/* What the files hold and what was chosen. */
struct choice {
    int read, easier;
    int train_of, test_of; /* puzzles that were there to choose from */
};

static int compare_ints(const void *a, const void *b)
{
    const int *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static int least(int64_t a, int64_t b)
{
    return (int)(a < b ? a : b);
}

/*
 * Draws train of the first train_of boards and test of the rest, each in the order of
 * the files. One file has no split of its own (train_of is all of them): the test
 * puzzles are drawn first, at most half, and the others are trained on.
 */
static int choose(struct boards *boards, const struct config *config, struct choice *choice,
                  struct error *err)
{
    int all = boards->count, split = choice->train_of;
    int64_t train = config_int(config, DATA_SUDOKU_TRAIN);
    int64_t test = config_int(config, DATA_SUDOKU_TEST);
    uint64_t seed = (uint64_t)config_int(config, DATA_GENERATOR_SEED);
    struct random_stream stream = random_stream(seed, "sudoku subsample", 0);
    struct random_stream test_stream = random_stream(seed, "sudoku subsample", 1);
    int *order = malloc(((size_t)all + 1) * sizeof *order);

    if (order == NULL)
        return error_no_memory(err, "the puzzles");
    for (int i = 0; i < all; i++)
        order[i] = i;
    if (split == all) { /* one file */
        random_shuffle(&stream, order, all);
        choice->test_of = all;
        split = all - (test == 0 ? all / 2 : least(test, all / 2));
        choice->train_of = split;
    } else {
        choice->test_of = all - split;
    }
    int trained = train == 0 ? split : least(train, split);
    int tested = test == 0 ? all - split : least(test, all - split);
    if (choice->test_of < all && trained < split)
        random_shuffle(&stream, order, split);
    if (choice->test_of < all && tested < all - split)
        random_shuffle(&test_stream, order + split, all - split);
    qsort(order, (size_t)trained, sizeof *order, compare_ints);
    qsort(order + split, (size_t)tested, sizeof *order, compare_ints);
    memmove(order + trained, order + split, (size_t)tested * sizeof *order);
    int rc = boards_keep(boards, order, trained + tested, err);
    boards->train = trained;
    free(order);
    return rc;
}

static int read_file(struct boards *boards, struct data_source *out, const char *path,
                     const struct config *config, struct choice *choice, struct error *err)
{
    int easier = 0, read = 0;
    int rc = data_files_add(&out->files, path, err);

    if (rc == 0)
        rc = sudoku_csv_read(boards, path, (double)config_int(config, DATA_MIN_DIFFICULTY),
                             &easier, &read, err);
    choice->read += read;
    choice->easier += easier;
    return rc;
}

static int read_folder(struct boards *boards, struct data_source *out, const char *path,
                       const struct config *config, struct choice *choice, struct error *err)
{
    char *train = file_join(path, "train.csv"), *test = file_join(path, "test.csv");
    int rc = train == NULL || test == NULL ? error_no_memory(err, "the puzzles") : 0;

    if (rc == 0 && (!file_exists(train) || !file_exists(test)))
        rc = error_set(err, ERROR_FORMAT,
                       "data.path = %s: there is no %s beside %s; give a folder with both, or "
                       "one file, which is then split",
                       path, file_exists(train) ? "test.csv" : "train.csv",
                       file_exists(train) ? "train.csv" : "test.csv");
    if (rc == 0)
        rc = data_files_add(&out->files, path, err);
    if (rc == 0)
        rc = read_file(boards, out, train, config, choice, err);
    choice->train_of = boards->count;
    if (rc == 0)
        rc = read_file(boards, out, test, config, choice, err);
    free(train);
    free(test);
    return rc;
}

static int read_csv(struct boards *boards, struct data_source *out, const struct config *config,
                    struct error *err)
{
    const char *path = config_text(config, DATA_PATH);
    bool one = is_csv(path);
    struct choice choice = { 0 };
    int rc = one ? read_file(boards, out, path, config, &choice, err)
                 : read_folder(boards, out, path, config, &choice, err);

    boards->name[0] = "train";
    boards->name[1] = "test";
    if (one)
        choice.train_of = boards->count;
    if (rc == 0 &&
        (one ? boards->count < 2 : choice.train_of == 0 || boards->count == choice.train_of))
        rc = error_set(err, ERROR_FORMAT,
                       "data.path = %s: no puzzles to train on and to test on among %d read, "
                       "%d of them below data.min_difficulty",
                       path, choice.read, choice.easier);
    if (rc == 0)
        rc = choose(boards, config, &choice, err);
    if (rc < 0)
        return rc;
    out->left_out = choice.read - boards->count;
    out->text = format_string("Sudoku %d x %d from CSV", boards->side, boards->side);
    out->counts = format_string(
        "read %d puzzles (%d below data.min_difficulty left out); %d of %d trained on "
        "(data.sudoku_train), %d of %d tested (data.sudoku_test)%s",
        choice.read, choice.easier, boards->train, choice.train_of,
        boards->count - boards->train, choice.test_of,
        one ? "; one file, so that the test puzzles are drawn from it" : "");
    return 0;
}

static int load(struct data_source *out, const struct config *config, struct error *err)
{
    struct boards *boards = calloc(1, sizeof *boards);
    int rc;

    if (boards == NULL)
        return error_no_memory(err, "the puzzles");
    out->content = boards;
    if (strcmp(config_text(config, DATA_PATH), BUILTIN) == 0) {
        rc = generate(boards, config, err);
        out->text = format_string("%s %dx%d, generator seed %" PRId64, BUILTIN, boards->side,
                                  boards->side, config_int(config, DATA_GENERATOR_SEED));
        out->counts = format_string("generated %d puzzles trained on, %d tested", boards->train,
                                    boards->count - boards->train);
    } else {
        rc = read_csv(boards, out, config, err);
    }
    out->task_count = boards->count;
    out->side = boards->side;
    return rc;
}

static void release(void *content)
{
    boards_release(content);
    free(content);
}

/* PAD, blank, and the digits. */
static int vocabulary(int side)
{
    return side + 2;
}

static void task(const void *content, int index, struct data_task *out)
{
    const struct boards *boards = content;
    bool trained = index < boards->train;

    *out = (struct data_task){
        .evaluation = !trained, .trained = true, .demonstrations = trained, .tests = !trained
    };
}

static void task_name(const void *content, int index, char out[DATA_NAME_SIZE])
{
    const struct boards *boards = content;

    snprintf(out, DATA_NAME_SIZE, "%s-%07" PRId32, boards->name[index >= boards->train],
             boards->number[index]);
}

static bool pair_at(const void *content, int index, int number, struct grid *input,
                    struct grid *output)
{
    (void)number; /* there is one */
    boards_get(content, index, input, output);
    return true;
}

static int draw(void *out, const void *content, int index, int count,
                struct random_stream *stream)
{
    const struct boards *boards = content;
    struct sudoku_shuffle *shuffles = out;

    (void)index;
    for (int i = 0; i < count; i++)
        sudoku_shuffle_draw(&shuffles[i], boards->side, stream);
    return count;
}

static void apply(struct grid *out, const struct grid *in, const void *variant)
{
    out->rows = in->rows;
    out->columns = in->columns;
    sudoku_shuffle_apply(out->cells, in->cells, in->rows, variant);
}

/* Cells that are no digits stay what they are. */
static void undo(struct grid *out, const struct grid *in, const void *variant)
{
    const struct sudoku_shuffle *shuffle = variant;
    uint8_t inverse[SUDOKU_MAX_SIDE + 1] = { 0 };
    int side = in->rows;

    for (int digit = 0; digit <= side; digit++)
        inverse[shuffle->map[digit]] = (uint8_t)digit;
    out->rows = in->rows;
    out->columns = in->columns;
    for (int i = 0; i < side; i++)
        for (int j = 0; j < side; j++) {
            uint8_t cell = in->cells[i * side + j];
            int r = shuffle->row[i], c = shuffle->column[j];
            int at = shuffle->transpose ? c * side + r : r * side + c;
            out->cells[at] = cell <= side ? inverse[cell] : cell;
        }
}

static void tokens(int32_t *inputs, int32_t *labels, const struct grid *input,
                   const struct grid *output, int side, struct random_stream *stream)
{
    (void)stream; /* a board fills its canvas */
    for (int i = 0; i < side * side; i++) {
        inputs[i] = 1 + input->cells[i];
        labels[i] = 1 + output->cells[i];
    }
}

/* The whole board; PAD, which is no digit, becomes 255. */
static void answer(struct grid *out, const int32_t *predictions, int side)
{
    out->rows = out->columns = (uint8_t)side;
    for (int i = 0; i < side * side; i++)
        out->cells[i] = (uint8_t)(predictions[i] - 1);
}

static struct data_look look(uint8_t cell)
{
    return (struct data_look){ cell == 0   ? '.'
                               : cell <= 9 ? (char)('0' + cell)
                                           : '?',
                               DATA_NO_COLOUR };
}

const struct data_kind KIND_SUDOKU = {
    .name = "sudoku",
    .title = "Sudoku puzzles",
    .has_identifiers = false,
    .tests_variants = false,
    .submits = false,
    .variant_size = sizeof(struct sudoku_shuffle),
    .recognises = recognises,
    .load = load,
    .release = release,
    .vocabulary = vocabulary,
    .task = task,
    .task_name = task_name,
    .pair = pair_at,
    .draw = draw,
    .apply = apply,
    .undo = undo,
    .tokens = tokens,
    .answer = answer,
    .look = look,
    .boxes = sudoku_boxes,
};
