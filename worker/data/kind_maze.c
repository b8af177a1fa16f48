/* kind_maze.c - mazes, generated or from CSV files. */
#include "kind_maze.h"

#include "board_load.h"
#include "error.h"
#include "file.h"
#include "maze.h"
#include "maze_csv.h"
#include "settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char BUILTIN[] = "builtin:maze";

static const struct board_form FORM = {
    .title = "mazes",
    .subsample = "maze subsample",
    .train = DATA_MAZE_TRAIN,
    .test = DATA_MAZE_TEST,
    .parse = maze_csv_parse,
};

/* Mazes and Sudoku both come as CSV files; the first puzzle decides. */
static bool recognises(const char *path)
{
    bool folder = !board_is_file(path) && board_is_folder(path);
    char *train = folder ? file_join(path, "train.csv") : NULL;
    bool found = strcmp(path, BUILTIN) == 0 ||
                 (board_is_file(path) && maze_csv_recognises(path)) ||
                 (train != NULL && maze_csv_recognises(train));

    free(train);
    return found;
}

static int generate(struct boards *boards, const struct config *config, struct error *err)
{
    int64_t train = config_int(config, DATA_MAZE_TRAIN);
    int64_t test = config_int(config, DATA_MAZE_TEST);
    int rc = 0;

    if (train == 0 || test == 0)
        return error_set(err, ERROR_FORMAT,
                         "%s = 0: expected at least 1 (0 means all mazes of a CSV file, but "
                         "these are generated)",
                         train == 0 ? "data.maze_train" : "data.maze_test");
    boards->side = (int)config_int(config, DATA_MAZE_SIDE);
    boards->train = (int)train;
    boards->name[0] = boards->name[1] = "maze";
    for (int64_t i = 0; i < train + test && rc == 0; i++) {
        struct random_stream stream = random_stream(
            (uint64_t)config_int(config, DATA_GENERATOR_SEED), "maze", (uint64_t)i);
        struct maze maze;
        rc = maze_make(&maze, boards->side, (int)config_int(config, DATA_MAZE_MIN_PATH),
                       config_real(config, DATA_MAZE_OPEN), &stream, err);
        if (rc == 0)
            rc = boards_add(boards, maze.question, maze.answer, (int32_t)i, maze.steps, err);
    }
    return rc;
}

static int load(struct data_source *out, const struct config *config, struct error *err)
{
    struct boards *boards = calloc(1, sizeof *boards);
    int rc;

    if (boards == NULL)
        return error_no_memory(err, "the mazes");
    out->content = boards;
    if (strcmp(config_text(config, DATA_PATH), BUILTIN) == 0) {
        rc = generate(boards, config, err);
        out->text = format_string("%s %dx%d, generator seed %" PRId64, BUILTIN, boards->side,
                                  boards->side, config_int(config, DATA_GENERATOR_SEED));
        out->counts = format_string("generated %d mazes trained on, %d tested", boards->train,
                                    boards->count - boards->train);
    } else {
        rc = board_load(boards, out, &FORM, config, err);
    }
    out->task_count = boards->count;
    out->side = boards->side;
    return rc;
}

/* PAD and the five characters of a maze. */
static int vocabulary(int side)
{
    (void)side;
    return 1 + MAZE_KINDS;
}

/* The dihedral transforms except the identity, in order. */
static int draw(void *out, const void *content, int index, int count,
                struct random_stream *stream)
{
    uint8_t *transforms = out;

    (void)content;
    (void)index;
    (void)stream;
    if (count > GRID_TRANSFORMS - 1)
        count = GRID_TRANSFORMS - 1;
    for (int i = 0; i < count; i++)
        transforms[i] = (uint8_t)(i + 1);
    return count;
}

static void apply(struct grid *out, const struct grid *in, const void *variant)
{
    grid_transform(out, in, *(const uint8_t *)variant);
}

static void undo(struct grid *out, const struct grid *in, const void *variant)
{
    grid_transform(out, in, grid_inverse_transform(*(const uint8_t *)variant));
}

static bool is_shortest(const struct grid *question, const struct grid *answer)
{
    return maze_path_is_shortest(question->cells, answer->cells, question->rows);
}

static struct data_look look(uint8_t cell)
{
    static const int32_t COLOURS[MAZE_KINDS] = { 0x333333, 0xEEEEEE, 0x2ECC40, 0xFF4136,
                                                 0xFFDC00 };

    return cell < MAZE_KINDS ? (struct data_look){ MAZE_CHARACTERS[cell], COLOURS[cell] }
                             : (struct data_look){ '?', DATA_NO_COLOUR };
}

const struct data_kind KIND_MAZE = {
    .name = "maze",
    .title = "mazes",
    .has_identifiers = false,
    .tests_variants = false,
    .submits = false,
    .variant_size = sizeof(uint8_t),
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
    .is_shortest = is_shortest,
    .rating = board_rating,
};
