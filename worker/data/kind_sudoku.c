/* kind_sudoku.c - Sudoku, generated or from CSV files. */
#include "kind_sudoku.h"

#include "board_load.h"
#include "error.h"
#include "settings.h"
#include "sudoku.h"
#include "sudoku_csv.h"

#include <string.h>

static const char BUILTIN[] = "builtin:sudoku";

static int recognises(bool *is, const char *path, struct error *err)
{
    *is = strcmp(path, BUILTIN) == 0 || board_is_file(path);
    return *is ? 0 : board_find_folder(is, path, err);
}

/* Reads what the puzzles are to be like. */
static int read_wish(struct sudoku_wish *out, const struct config *config, struct error *err)
{
    *out = (struct sudoku_wish){
        .side = (int)config_int(config, DATA_SUDOKU_SIDE),
        .givens = (int)config_int(config, DATA_SUDOKU_GIVENS),
        .min_backtracks = (int)config_int(config, DATA_SUDOKU_MIN_BACKTRACKS),
        .max_backtracks = (int)config_int(config, DATA_SUDOKU_MAX_BACKTRACKS),
    };
    int cells = out->side * out->side;
    return out->givens < cells
               ? 0
               : error_set(err, ERROR_FORMAT,
                           "data.sudoku_givens = %d: a board of %d x %d has %d cells; expected "
                           "at most %d givens",
                           out->givens, out->side, out->side, cells, cells - 1);
}

static int generate(struct boards *boards, int32_t index, const struct config *config,
                    struct random_stream *stream, struct error *err)
{
    struct sudoku_wish wish;
    struct sudoku puzzle;
    int rc = read_wish(&wish, config, err);

    if (rc == 0)
        rc = sudoku_make(&puzzle, &wish, stream, err);
    if (rc == 0)
        rc = boards_add(boards, puzzle.question, puzzle.answer, index, puzzle.backtracks, err);
    return rc;
}

/* A first puzzle that is no Sudoku may be a maze that was not known for one. */
static int parse(uint8_t *question, uint8_t *answer, int *side, const struct board_csv *row,
                 struct error *err)
{
    struct error why = { 0 };
    bool first = *side == 0;
    int rc = sudoku_csv_parse(question, answer, side, row, &why);

    if (rc < 0)
        return error_set(err, why.code, "%s%s", why.message,
                         first ? " (a maze would have # for walls, S and G)" : "");
    return rc;
}

static const struct board_form FORM = {
    .builtin = BUILTIN,
    .title = "Sudoku",
    .plural = "puzzles",
    .name = "sudoku",
    .subsample = "sudoku subsample",
    .side = DATA_SUDOKU_SIDE,
    .train = DATA_SUDOKU_TRAIN,
    .test = DATA_SUDOKU_TEST,
    .parse = parse,
    .generate = generate,
};

static int load(struct data_source *out, const struct config *config, struct error *err)
{
    return board_load(out, &FORM, config, err);
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
