/* kind_maze.c - mazes, generated or from CSV files. */
#include "kind_maze.h"

#include "board_load.h"
#include "error.h"
#include "file.h"
#include "maze.h"
#include "maze_csv.h"
#include "settings.h"

#include <stdlib.h>
#include <string.h>

static const char BUILTIN[] = "builtin:maze";

/* Mazes and Sudoku both come as CSV files; the first puzzle decides. */
static int recognises(bool *is, const char *path, struct error *err)
{
    *is = strcmp(path, BUILTIN) == 0;
    if (*is)
        return 0;
    if (board_is_file(path))
        return maze_csv_recognises(is, path, err);
    int rc = board_find_folder(is, path, err);
    if (rc < 0 || !*is)
        return rc;
    char *train = file_join(path, "train.csv");

    rc = train == NULL ? error_no_memory(err, "a path") : maze_csv_recognises(is, train, err);
    free(train);
    return rc;
}

static int generate(struct boards *boards, int32_t index, const struct config *config,
                    struct random_stream *stream, struct error *err)
{
    struct maze maze;
    int rc = maze_make(&maze, boards->side, (int)config_int(config, DATA_MAZE_MIN_PATH),
                       config_real(config, DATA_MAZE_OPEN), stream, err);

    return rc < 0 ? rc : boards_add(boards, maze.question, maze.answer, index, maze.steps, err);
}

static const struct board_form FORM = {
    .builtin = BUILTIN,
    .title = "mazes",
    .plural = "mazes",
    .name = "maze",
    .subsample = "maze subsample",
    .side = DATA_MAZE_SIDE,
    .train = DATA_MAZE_TRAIN,
    .test = DATA_MAZE_TEST,
    .parse = maze_csv_parse,
    .generate = generate,
};

static int load(struct data_source *out, const struct config *config, struct error *err)
{
    return board_load(out, &FORM, config, err);
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
