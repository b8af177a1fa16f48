/*
 * kind_built.c - directories of the published code, as a kind of data.
 *
 * A group of train/ is a task of demonstrations, a group of test/ one of tests; where
 * both are of one ARC task, that is two tasks of one name.
 */
#include "kind_built.h"

#include "arc_task.h"
#include "augmentation.h"
#include "built.h"
#include "canvas.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "kind_arc.h"
#include "kind_maze.h"
#include "kind_sudoku.h"
#include "maze.h"
#include "settings.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct content {
    struct built built;
    struct data_kind kind; /* the kind of the puzzles with some members replaced */
};

/* Where a task is stored. */
struct place {
    enum data_split split;
    int group, first_puzzle, puzzles, first_example, pairs;
};

static struct place place_of(const void *data, int index)
{
    const struct built *built = &((const struct content *)data)->built;
    int trained = built->splits[SPLIT_TRAIN].groups;
    struct place p = { .split = index < trained ? SPLIT_TRAIN : SPLIT_TEST,
                       .group = index < trained ? index : index - trained };
    const struct built_split *s = &built->splits[p.split];

    p.first_puzzle = s->group_start[p.group];
    p.puzzles = s->group_start[p.group + 1] - p.first_puzzle;
    p.first_example = s->puzzle_start[p.first_puzzle];
    p.pairs = s->puzzle_start[p.first_puzzle + 1] - p.first_example;
    return p;
}

static const char *name_of(const struct built *built, enum data_split split, int puzzle)
{
    return built->names[built->splits[split].identifier[puzzle]];
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), behind = strlen(end);

    return length >= behind && strcmp(text + length - behind, end) == 0;
}

/* *found: the path is train/ or test/, or an array there, in place of the directory.
 * The only error is ERROR_NOMEM. */
static int find_part(bool *found, const char *path, struct error *err)
{
    DIR *folder = opendir(path);

    if (folder == NULL && errno == ENOMEM)
        return error_no_memory(err, "a list of files");
    *found = ends_with(path, ".npy") && file_exists(path);
    for (struct dirent *entry; folder != NULL && !*found && (entry = readdir(folder)) != NULL;)
        *found = ends_with(entry->d_name, "__inputs.npy");
    if (folder != NULL)
        closedir(folder);
    return 0;
}

/* *found: the directory has train/ or test/ with arrays. Likewise. */
static int find_splits(bool *found, const char *path, struct error *err)
{
    char *train = file_join(path, "train/dataset.json");
    char *test = file_join(path, "test/dataset.json");
    int rc = train == NULL || test == NULL ? error_no_memory(err, "a path") : 0;

    *found = rc == 0 && (file_exists(train) || file_exists(test));
    free(train);
    free(test);
    return rc;
}

static int recognises(bool *is, const char *path, struct error *err)
{
    int rc = find_splits(is, path, err);

    return rc < 0 || *is ? rc : find_part(is, path, err);
}

static void release(void *data)
{
    built_close(&((struct content *)data)->built);
    free(data);
}

static void task(const void *data, int index, struct data_task *out)
{
    struct place p = place_of(data, index);
    bool test = p.split == SPLIT_TEST;

    *out = (struct data_task){ .evaluation = test,
                               .trained = !test,
                               .demonstrations = test ? 0 : p.pairs,
                               .tests = test ? p.pairs : 0 };
}

static void task_name(const void *data, int index, char out[DATA_NAME_SIZE])
{
    const struct content *content = data;
    struct place p = place_of(data, index);

    if (content->kind.has_identifiers)
        snprintf(out, DATA_NAME_SIZE, "%s", name_of(&content->built, p.split, p.first_puzzle));
    else
        snprintf(out, DATA_NAME_SIZE, "%s-%07d", p.split == SPLIT_TEST ? "test" : "train",
                 p.group);
}

/* Reads the pair of the original as grids. Unlabelled outputs are unknown. */
static bool pair_at(const void *data, int index, int pair, struct grid *input,
                    struct grid *output)
{
    const struct content *content = data;
    const struct built *built = &content->built;
    int32_t inputs[GRID_MAX_CELLS], labels[GRID_MAX_CELLS];
    struct place p = place_of(data, index);
    bool known = false;

    built_example(built, p.split, p.first_example + pair, inputs, labels);
    for (int i = 0; i < built->side * built->side; i++)
        known = known || labels[i] != DATA_NO_LABEL;
    if (content->kind.has_identifiers) {
        if (input != NULL)
            canvas_find(input, inputs, built->side);
        if (output != NULL && known)
            canvas_find(output, labels, built->side);
    } else {
        if (input != NULL)
            content->kind.answer(input, inputs, built->side);
        if (output != NULL && known)
            content->kind.answer(output, labels, built->side);
    }
    return known;
}

static int variant_count(const void *data, int index)
{
    return place_of(data, index).puzzles;
}

/* Returns how to undo each variant, taken from the names of the identifiers. */
static int draw(void *out, const void *data, int index, int count, struct random_stream *stream)
{
    const struct content *content = data;
    struct place p = place_of(data, index);
    struct variant *variants = out;
    char base[ARC_NAME_SIZE];

    (void)stream;
    if (content->kind.has_identifiers)
        for (int i = 0; i < count; i++)
            if (!variant_parse(&variants[i], base,
                               name_of(&content->built, p.split, p.first_puzzle + 1 + i)))
                variants[i] = VARIANT_ORIGINAL; /* load() has refused such names */
    return count;
}

static void row(const void *data, int index, int variant, int pair, int32_t *inputs,
                int32_t *labels, int32_t *identifier)
{
    const struct built *built = &((const struct content *)data)->built;
    struct place p = place_of(data, index);

    built_example(built, p.split, p.first_example + variant * p.pairs + pair, inputs, labels);
    *identifier = built->splits[p.split].identifier[p.first_puzzle + variant];
}

/* Training pairs were moved on the canvas when they were built. */
static void row_answer(const void *data, int index, int variant, int pair,
                       const int32_t *predictions, struct grid *out)
{
    const struct content *content = data;
    struct place p = place_of(data, index);
    int32_t inputs[GRID_MAX_CELLS];
    int side = content->built.side;

    if (!content->kind.has_identifiers) {
        content->kind.answer(out, predictions, side);
        return;
    }
    built_example(&content->built, p.split, p.first_example + variant * p.pairs + pair, inputs,
                  NULL);
    int first = canvas_first(inputs, side);
    canvas_crop_at(out, predictions, first / side, first % side, side);
}

/* The shuffles of boards have no names that would tell them. */
static bool knows_variants(const void *data)
{
    const struct content *content = data;
    const struct built_split *train = &content->built.splits[SPLIT_TRAIN];

    return content->kind.has_identifiers || train->puzzles == train->groups;
}

static void hash(const void *data, struct hash_state *state)
{
    const struct built *built = &((const struct content *)data)->built;

    hash_add(state, built->hash, sizeof built->hash);
}

static const char *identifier_name(const void *data, int identifier)
{
    return ((const struct content *)data)->built.names[identifier];
}

static const struct data_form *form(const void *data)
{
    return &((const struct content *)data)->built.form;
}

/* Settings that choose or vary tasks do not apply to such data: ERROR_FORMAT if one
 * is set. */
static int check_settings(const struct config *config, struct error *err)
{
    static const enum setting_id texts[] = { DATA_TRAIN_SETS, DATA_TEST_SETS, DATA_TASKS };
    const char *key = NULL;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (config_text(config, texts[i])[0] != '\0')
            key = settings_table[texts[i]].key;
    if (config_int(config, DATA_NUM_AUG) != 0)
        key = settings_table[DATA_NUM_AUG].key;
    if (strcmp(config_choice(config, DATA_SUBSET), "all") != 0)
        key = settings_table[DATA_SUBSET].key;
    if (config_real(config, DATA_TASK_SHARE) < 1.0)
        key = settings_table[DATA_TASK_SHARE].key;
    if (config_real(config, DATA_PAIR_SHARE) < 1.0)
        key = settings_table[DATA_PAIR_SHARE].key;
    if (config_int(config, DATA_TEST_TASKS) > 0)
        key = settings_table[DATA_TEST_TASKS].key;
    if (config_bool(config, DATA_DROP_LEAKED))
        key = settings_table[DATA_DROP_LEAKED].key;
    if (!config_bool(config, DATA_TRANSLATION))
        key = settings_table[DATA_TRANSLATION].key;
    if (config_int(config, DATA_MIN_DIFFICULTY) > 0)
        key = settings_table[DATA_MIN_DIFFICULTY].key;
    return key == NULL ? 0
                       : error_set(err, ERROR_FORMAT,
                                   "%s: data.path = %s holds examples that are built already; "
                                   "leave the setting out, and build the data with it",
                                   key, config_text(config, DATA_PATH));
}

/* The canvas is that on which the examples were built. */
static int check_canvas(const struct content *content, const struct config *config,
                        struct error *err)
{
    int64_t canvas = config_int(config, DATA_CANVAS);

    if (!content->kind.has_identifiers || !config_differs(config, DATA_CANVAS) ||
        canvas == content->built.side)
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "data.canvas = %" PRId64 ": data.path = %s holds examples that are built "
                     "on %d x %d; leave the setting out, and build the data with it",
                     canvas, config_text(config, DATA_PATH), content->built.side,
                     content->built.side);
}

static int group_fault(const struct content *content, struct place p, const char *directory,
                       const char *what, struct error *err)
{
    return error_set(err, ERROR_FORMAT, "%s/%s: group %d (%s): %s", directory,
                     p.split == SPLIT_TEST ? "test" : "train", p.group,
                     name_of(&content->built, p.split, p.first_puzzle), what);
}

/* Checks the names of a group of an ARC task: the original, then its variants. */
static int check_names(const struct content *content, struct place p, const char *directory,
                       struct error *err)
{
    char first[ARC_NAME_SIZE] = "", base[ARC_NAME_SIZE] = "";
    struct variant variant;

    for (int i = 0; i < p.puzzles; i++) {
        const char *name = name_of(&content->built, p.split, p.first_puzzle + i);
        bool good = variant_parse(&variant, i == 0 ? first : base, name) &&
                    (i == 0 ? strcmp(first, name) == 0 : strcmp(first, base) == 0);
        if (!good)
            return group_fault(content, p, directory,
                               "expected the names of a task and of its variants, "
                               "task|||tK|||D or task_tK_D, the bare one first",
                               err);
    }
    return 0;
}

/* Checks that the tests of a task of test_puzzles.json are the examples of its
 * group. */
static int check_test_pairs(const struct content *content, struct place p,
                            const struct arc_task *listed, const char *file, struct error *err)
{
    int index = content->built.splits[SPLIT_TRAIN].groups + p.group;

    for (int i = 0; i < p.pairs; i++) {
        const struct arc_pair *pair = &listed->pairs[listed->demonstrations + i];
        struct grid input, output;
        bool known = pair_at(content, index, i, &input, &output);
        bool same = grid_equal(&input, &pair->input) && known == pair->has_output &&
                    (!known || grid_equal(&output, &pair->output));
        if (!same)
            return error_set(err, ERROR_FORMAT,
                             "%s: %s: test pair %d differs from example %d of test/; both are "
                             "written by one call of the published builder: build them again",
                             file, listed->name, i + 1, p.first_example + i);
    }
    return 0;
}

/* Checks that test_puzzles.json has the task, and the same tests. */
static int check_listed(const struct content *content, struct place p, const char *file,
                        struct error *err)
{
    const char *name = name_of(&content->built, SPLIT_TEST, p.first_puzzle);
    const cJSON *json = json_member(content->built.form.tests, name);
    struct arc_task listed;

    if (json == NULL)
        return error_set(err, ERROR_FORMAT, "%s: has no task %s, which test/ has as group %d",
                         file, name, p.group);
    int rc = arc_task_read(&listed, name, json, NULL, file, err);
    if (rc < 0)
        return rc;
    rc = listed.tests == p.pairs
             ? check_test_pairs(content, p, &listed, file, err)
             : error_set(err, ERROR_FORMAT, "%s: %s: has %d tests, in test/ it has %d", file,
                         name, listed.tests, p.pairs);
    arc_task_release(&listed);
    return rc;
}

static bool is_tested(const struct content *content, const char *name)
{
    int trained = content->built.splits[SPLIT_TRAIN].groups;
    bool found = false;

    for (int g = 0; g < content->built.splits[SPLIT_TEST].groups && !found; g++) {
        struct place p = place_of(content, trained + g);
        found = strcmp(name_of(&content->built, SPLIT_TEST, p.first_puzzle), name) == 0;
    }
    return found;
}

/* Checks that test_puzzles.json, if there is one, has the tasks of test/ and no
 * other. */
static int check_tests(const struct content *content, const char *directory, struct error *err)
{
    int trained = content->built.splits[SPLIT_TRAIN].groups;
    int groups = content->built.splits[SPLIT_TEST].groups, rc = 0;
    const cJSON *tests = content->built.form.tests;

    if (tests == NULL)
        return 0;
    char *file = file_join(directory, "test_puzzles.json");
    if (file == NULL)
        return error_no_memory(err, "a path");
    if (!content->kind.has_identifiers)
        rc = error_set(err, ERROR_FORMAT,
                       "%s: lists ARC tasks, but the examples beside it are boards", file);
    for (int g = 0; g < groups && rc == 0; g++)
        rc = check_listed(content, place_of(content, trained + g), file, err);
    /* With every group listed, one task more than groups is one that test/ lacks. */
    const cJSON *other = tests->child;
    if (rc == 0 && cJSON_GetArraySize(tests) != groups) {
        while (other->next != NULL && is_tested(content, other->string))
            other = other->next;
        rc = error_set(err, ERROR_FORMAT, "%s: has %d tasks, %s among them, but test/ has %d",
                       file, cJSON_GetArraySize(tests), other->string, groups);
    }
    free(file);
    return rc;
}

static int check_group(const struct content *content, int index, const char *directory,
                       struct error *err)
{
    struct place p = place_of(content, index);
    const struct built_split *s = &content->built.splits[p.split];
    int rc = 0;

    for (int i = 0; i < p.puzzles; i++)
        if (s->puzzle_start[p.first_puzzle + i + 1] - s->puzzle_start[p.first_puzzle + i] !=
            p.pairs)
            return group_fault(content, p, directory,
                               "its puzzles differ in their number of examples", err);
    if (content->kind.has_identifiers)
        rc = check_names(content, p, directory, err);
    else if (p.split == SPLIT_TEST && p.puzzles > 1)
        rc = group_fault(content, p, directory,
                         "several puzzles; boards are tested as they stand, without shuffles",
                         err);
    return rc;
}

/* Whether the first solution has one goal, as each maze's has; in that of a Sudoku
 * every digit stands once a row. */
static bool are_mazes(const struct built *built)
{
    int32_t labels[GRID_MAX_CELLS];
    struct grid solution;
    int goals = 0;

    built_example(built, SPLIT_TRAIN, 0, NULL, labels);
    KIND_MAZE.answer(&solution, labels, built->side);
    for (int i = 0; i < built->side * built->side; i++)
        goals += solution.cells[i] == MAZE_GOAL;
    return goals == 1;
}

/* The kind of the puzzles by side and vocabulary, which boards of 4 x 4 have in common;
 * NULL: unknown. */
static const struct data_kind *find_kind(const struct built *built)
{
    static const struct data_kind *const kinds[] = { &KIND_ARC, &KIND_SUDOKU, &KIND_MAZE };
    bool sudoku =
        (built->side == 4 && !are_mazes(built)) || built->side == 6 || built->side == 9;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i]->vocabulary(built->side) == built->vocabulary &&
            (kinds[i] != &KIND_SUDOKU || sudoku))
            return kinds[i];
    return NULL;
}

static int prepare(struct content *content, const char *directory, struct error *err)
{
    const struct built *built = &content->built;
    const struct data_kind *kind = find_kind(built);
    int groups = built->splits[SPLIT_TRAIN].groups + built->splits[SPLIT_TEST].groups, rc = 0;

    if (kind == NULL)
        return error_set(
            err, ERROR_FORMAT,
            "%s/train/dataset.json: vocab_size %d with seq_len %d is of no kind of "
            "puzzle that is known (ARC 12; Sudoku 11 with 81; mazes 6)",
            directory, built->vocabulary, built->side * built->side);
    content->kind = *kind;
    content->kind.name = KIND_BUILT.name;
    content->kind.title = KIND_BUILT.title;
    content->kind.variant_size = kind->has_identifiers ? sizeof(struct variant) : 1;
    content->kind.has_context = false; /* demonstrations and tests are groups apart */
    content->kind.rating = NULL;
    content->kind.release = release;
    content->kind.task = task;
    content->kind.task_name = task_name;
    content->kind.pair = pair_at;
    content->kind.draw = draw;
    content->kind.variant_count = variant_count;
    content->kind.row = row;
    content->kind.row_answer = row_answer;
    content->kind.knows_variants = knows_variants;
    content->kind.hash = hash;
    content->kind.identifier = identifier_name;
    content->kind.form = form;
    for (int i = 0; i < groups && rc == 0; i++)
        rc = check_group(content, i, directory, err);
    return rc == 0 ? check_tests(content, directory, err) : rc;
}

static int load(struct data_source *out, const struct config *config, struct error *err)
{
    const char *directory = config_text(config, DATA_PATH);
    struct content *content = calloc(1, sizeof *content);

    if (content == NULL)
        return error_no_memory(err, "the data set");
    out->content = content;
    bool whole;
    int rc = find_splits(&whole, directory, err);
    if (rc == 0 && !whole)
        rc = error_set(err, ERROR_FORMAT,
                       "data.path = %s: a part of what the published code built; expected the "
                       "folder above, which holds train/ and test/",
                       directory);
    if (rc == 0)
        rc = check_settings(config, err);
    if (rc == 0)
        rc = built_open(&content->built, &out->files, directory, err);
    if (rc == 0)
        rc = prepare(content, directory, err);
    if (rc == 0)
        rc = check_canvas(content, config, err);
    if (rc < 0)
        return rc;
    const struct built_split *train = &content->built.splits[SPLIT_TRAIN];
    const struct built_split *test = &content->built.splits[SPLIT_TEST];
    out->kind = &content->kind;
    out->task_count = train->groups + test->groups;
    out->side = content->built.side;
    out->identifiers = content->built.name_count;
    out->text = format_string("%s, built by the published code",
                              content->kind.submits ? KIND_ARC.title : "boards");
    out->counts = format_string(
        "read %d groups of %d puzzles trained on, %d groups of %d puzzles "
        "tested; %d puzzle identifiers",
        train->groups, train->puzzles, test->groups, test->puzzles, out->identifiers);
    return 0;
}

/* load() replaces this entry by one for the puzzles that it finds; that one has the
 * other members. */
const struct data_kind KIND_BUILT = {
    .name = "built",
    .title = "examples built by the published code",
    .recognises = recognises,
    .load = load,
    .release = release,
};
