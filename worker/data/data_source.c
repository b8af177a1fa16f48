/* data_source.c - files or generators to a list of tasks, filtered and hashed. */
#include "data_source.h"

#include "arc_style.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "settings.h"
#include "sudoku.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void data_source_release(struct data_source *source)
{
    arc_tasks_release(&source->tasks);
    free(source->text);
    *source = (struct data_source){ 0 };
}

/* A task of pairs generated, all with outputs. */
static int add_generated(struct arc_tasks *tasks, const char *name, bool evaluation,
                         const struct arc_style_pair *pairs, int demonstrations, int tests,
                         struct error *err)
{
    struct arc_task task = { .evaluation = evaluation,
                             .demonstrations = demonstrations,
                             .tests = tests };

    snprintf(task.name, sizeof task.name, "%s", name);
    task.pairs = calloc((size_t)(demonstrations + tests), sizeof *task.pairs);
    if (task.pairs == NULL)
        return error_no_memory(err, "the tasks");
    for (int i = 0; i < demonstrations + tests; i++)
        task.pairs[i] = (struct arc_pair){ .input = pairs[i].input,
                                           .output = pairs[i].output,
                                           .has_output = true };
    int rc = arc_tasks_add(tasks, &task, err);
    arc_task_release(&task);
    return rc;
}

int data_source_arc_style(struct arc_tasks *out, uint64_t generator_seed, int tasks_per_family,
                          struct error *err)
{
    struct arc_style_task *made = malloc(sizeof *made);
    int rc = made == NULL ? error_no_memory(err, "the tasks") : 0;

    *out = (struct arc_tasks){ 0 };
    for (int family = 0; family < arc_style_family_count() && rc == 0; family++)
        for (int index = 0; index < tasks_per_family && rc == 0; index++) {
            arc_style_make(made, generator_seed, family, index);
            rc = add_generated(out, made->name, index % 2 == 0, made->pairs,
                               made->demonstrations, made->tests, err);
        }
    free(made);
    if (rc == 0)
        rc = arc_tasks_sort(out, "builtin:arc-style", err);
    if (rc < 0)
        arc_tasks_release(out);
    return rc;
}

static void sudoku_grid(struct grid *out, const uint8_t *cells, int side)
{
    out->rows = out->columns = (uint8_t)side;
    memcpy(out->cells, cells, (size_t)side * (size_t)side);
}

/* Puzzles trained on are tasks of one demonstration, puzzles tested on tasks of one test. */
static int read_sudoku(struct arc_tasks *out, const struct config *config, struct error *err)
{
    int side = (int)config_int(config, DATA_SUDOKU_SIDE);
    int64_t train = config_int(config, DATA_SUDOKU_TRAIN);
    int64_t total = train + config_int(config, DATA_SUDOKU_TEST);
    struct arc_style_pair pair;
    int rc = 0;

    for (int64_t i = 0; i < total && rc == 0; i++) {
        struct random_stream stream = random_stream(
            (uint64_t)config_int(config, DATA_GENERATOR_SEED), "sudoku", (uint64_t)i);
        struct sudoku puzzle;
        char name[ARC_NAME_SIZE];
        rc = sudoku_make(&puzzle, side, (int)config_int(config, DATA_SUDOKU_MIN_BACKTRACKS),
                         &stream, err);
        if (rc < 0)
            break;
        sudoku_grid(&pair.input, puzzle.question, side);
        sudoku_grid(&pair.output, puzzle.answer, side);
        snprintf(name, sizeof name, "sudoku-%07" PRId64, i);
        rc = add_generated(out, name, i >= train, &pair, i < train, i >= train, err);
    }
    return rc;
}

/* Whether name stands in the comma-separated list. */
static bool listed(const char *list, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = list; *at != '\0';) {
        size_t word = strcspn(at, ",");
        size_t skip = strspn(at, " ");
        if (skip < word && word - skip == length && memcmp(at + skip, name, length) == 0)
            return true;
        at += word + (at[word] == ',');
    }
    return false;
}

/* Every name of data.tasks must be there. */
static int check_listed(const struct arc_tasks *tasks, const char *list, struct error *err)
{
    for (const char *at = list; *at != '\0';) {
        char name[ARC_NAME_SIZE];
        size_t word = strcspn(at, ",");
        size_t skip = strspn(at, " ");
        bool found = skip >= word;
        snprintf(name, sizeof name, "%.*s", skip < word ? (int)(word - skip) : 0, at + skip);
        for (int i = 0; i < tasks->count && !found; i++)
            found = strcmp(tasks->tasks[i].name, name) == 0;
        if (!found)
            return error_set(err, ERROR_FORMAT,
                             "data.tasks: there is no task \"%s\" in the data", name);
        at += word + (at[word] == ',');
    }
    return 0;
}

static void filter(struct data_source *source, const struct config *config)
{
    const char *list = config_text(config, DATA_TASKS);
    int canvas = (int)config_int(config, DATA_CANVAS), kept = 0;
    bool evaluation_only = strcmp(config_choice(config, DATA_SUBSET), "evaluation-only") == 0;

    for (int i = 0; i < source->tasks.count; i++) {
        struct arc_task *task = &source->tasks.tasks[i];
        if (arc_task_side(task) > canvas || (list[0] != '\0' && !listed(list, task->name)) ||
            (evaluation_only && !task->evaluation)) {
            arc_task_release(task);
            source->left_out++;
        } else {
            source->tasks.tasks[kept++] = *task;
        }
    }
    source->tasks.count = kept;
}

static void add_grid(struct hash_state *state, const struct grid *grid)
{
    uint8_t shape[2] = { grid->rows, grid->columns };

    hash_add(state, shape, sizeof shape);
    hash_add(state, grid->cells, (size_t)grid->rows * grid->columns);
}

static void hash_tasks(struct data_source *source)
{
    struct hash_state state;

    hash_init(&state);
    hash_add(&state, source->sudoku ? "sudoku" : "arc", source->sudoku ? 7 : 4);
    for (int i = 0; i < source->tasks.count; i++) {
        const struct arc_task *task = &source->tasks.tasks[i];
        uint8_t counts[3] = { task->evaluation, (uint8_t)task->demonstrations,
                              (uint8_t)task->tests };
        hash_add(&state, task->name, strlen(task->name) + 1);
        hash_add(&state, counts, sizeof counts);
        for (int p = 0; p < task->demonstrations + task->tests; p++) {
            add_grid(&state, &task->pairs[p].input);
            hash_add(&state, &task->pairs[p].has_output, 1);
            if (task->pairs[p].has_output)
                add_grid(&state, &task->pairs[p].output);
        }
    }
    hash_final_hex(&state, source->hash);
}

static int check_kept(const struct data_source *source, const char *path,
                      const struct config *config, struct error *err)
{
    int evaluation = 0;

    for (int i = 0; i < source->tasks.count; i++)
        evaluation += source->tasks.tasks[i].evaluation;
    if (source->tasks.count == 0)
        return error_set(err, ERROR_FORMAT,
                         "data.path = %s: none of %d tasks is left on a canvas of %" PRId64
                         "; raise data.canvas",
                         path, source->left_out, config_int(config, DATA_CANVAS));
    if (evaluation == 0)
        return error_set(
            err, ERROR_FORMAT,
            "data.path = %s: no evaluation task among %d tasks (left out: %d); they "
            "stand in evaluation/ or in *_challenges.json not called training",
            path, source->tasks.count, source->left_out);
    return 0;
}

int data_source_read(struct data_source *out, const struct config *config, struct error *err)
{
    const char *path = config_text(config, DATA_PATH);
    int64_t seed = config_int(config, DATA_GENERATOR_SEED);
    int rc;

    *out = (struct data_source){ 0 };
    if (strcmp(path, "builtin:sudoku") == 0) {
        out->sudoku = true;
        out->text = format_string(
            "builtin:sudoku %" PRId64 "x%" PRId64 ", generator seed %" PRId64,
            config_int(config, DATA_SUDOKU_SIDE), config_int(config, DATA_SUDOKU_SIDE), seed);
        rc = read_sudoku(&out->tasks, config, err);
    } else if (strcmp(path, "builtin:arc-style") == 0) {
        out->text = format_string("builtin:arc-style, generator seed %" PRId64, seed);
        rc = data_source_arc_style(&out->tasks, (uint64_t)seed,
                                   (int)config_int(config, DATA_TASKS_PER_FAMILY), err);
    } else {
        out->text = strdup("ARC tasks from files");
        rc = arc_load(&out->tasks, path, err);
    }
    if (rc == 0 && out->text == NULL)
        rc = error_no_memory(err, "the tasks");
    if (rc == 0 && !out->sudoku) {
        rc = check_listed(&out->tasks, config_text(config, DATA_TASKS), err);
        if (rc == 0)
            filter(out, config);
    }
    if (rc == 0)
        rc = check_kept(out, path, config, err);
    if (rc == 0)
        hash_tasks(out);
    else
        data_source_release(out);
    return rc;
}
