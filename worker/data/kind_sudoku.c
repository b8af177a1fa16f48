/* kind_sudoku.c - Sudoku, generated or from CSV files. */
#include "kind_sudoku.h"

#include "board_load.h"
#include "error.h"
#include "file.h"
#include "settings.h"
#include "sudoku.h"
#include "sudoku_csv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char BUILTIN[] = "builtin:sudoku";

static const struct board_form FORM = {
    .title = "Sudoku",
    .subsample = "sudoku subsample",
    .train = DATA_SUDOKU_TRAIN,
    .test = DATA_SUDOKU_TEST,
    .parse = sudoku_csv_parse,
};

static bool recognises(const char *path)
{
    return strcmp(path, BUILTIN) == 0 || board_is_file(path) || board_is_folder(path);
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
                         (int)config_int(config, DATA_SUDOKU_MIN_BACKTRACKS),
                         (int)config_int(config, DATA_SUDOKU_MAX_BACKTRACKS), &stream, err);
        if (rc == 0)
            rc = boards_add(boards, puzzle.question, puzzle.answer, (int32_t)i,
                            puzzle.backtracks, err);
    }
    return rc;
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
        rc = board_load(boards, out, &FORM, config, err);
    }
    out->task_count = boards->count;
    out->side = boards->side;
    return rc;
}

/* PAD, blank, and the digits. */
static int vocabulary(int side)
{
    return side + 2;
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

/* Cells that are not digits are left unchanged. */
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
    .wide_shuffles = true,
    .variant_size = sizeof(struct sudoku_shuffle),
    .recognises = recognises,
    .load = load,
    .release = board_release,
    .vocabulary = vocabulary,
    .task = board_task,
    .task_name = board_task_name,
    .pair = board_pair,
    .draw = draw,
    .apply = apply,
    .undo = undo,
    .tokens = board_tokens,
    .answer = board_answer,
    .look = look,
    .rating = board_rating,
    .boxes = sudoku_boxes,
};
