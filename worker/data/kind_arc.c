/* kind_arc.c - ARC tasks, from files or from the built-in families. */
#include "kind_arc.h"

#include "arc_colors.h"
#include "arc_check.h"
#include "arc_choose.h"
#include "arc_style.h"
#include "augmentation.h"
#include "canvas.h"
#include "error.h"
#include "file.h"
#include "settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char BUILTIN[] = "builtin:arc-style";

static int recognises(bool *is, const char *path, struct error *err)
{
    /* every path that no other kind recognises; load() reports what is wrong with it */
    (void)path, (void)err;
    *is = true;
    return 0;
}

/* Adds a task of generated pairs, all with outputs. */
static int add_generated(struct arc_tasks *tasks, int set, const struct arc_style_task *made,
                         struct error *err)
{
    int count = made->demonstrations + made->tests;
    struct arc_task task = { .demonstrations = made->demonstrations, .tests = made->tests };

    snprintf(task.name, sizeof task.name, "%s", made->name);
    task.pairs = calloc((size_t)count, sizeof *task.pairs);
    if (task.pairs == NULL)
        return error_no_memory(err, "the tasks");
    for (int i = 0; i < count; i++)
        task.pairs[i] = (struct arc_pair){ .input = made->pairs[i].input,
                                           .output = made->pairs[i].output,
                                           .has_output = true };
    int rc = arc_tasks_add(tasks, set, &task, err);
    arc_task_release(&task);
    return rc;
}

/* Tasks with an even index in their family are evaluation tasks, the others training
 * tasks. */
static int generate(struct arc_tasks *out, const struct config *config, struct error *err)
{
    uint64_t seed = (uint64_t)config_int(config, DATA_GENERATOR_SEED);
    int64_t per_family = config_int(config, DATA_TASKS_PER_FAMILY);
    struct arc_style_task *made = malloc(sizeof *made);
    int rc = made == NULL ? error_no_memory(err, "the tasks") : 0;
    int evaluation = rc == 0 ? arc_tasks_add_set(out, "evaluation", BUILTIN, err) : rc;
    int training =
        evaluation < 0 ? evaluation : arc_tasks_add_set(out, "training", BUILTIN, err);

    if (training < 0)
        rc = training;
    for (int family = 0; family < arc_style_family_count() && rc == 0; family++)
        for (int index = 0; index < per_family && rc == 0; index++) {
            arc_style_make(made, seed, family, index);
            rc = add_generated(out, index % 2 == 0 ? evaluation : training, made, err);
        }
    free(made);
    return rc;
}

static int load_place(struct arc_tasks *tasks, const char *place, const struct config *config,
                      struct error *err)
{
    return strcmp(place, BUILTIN) == 0 ? generate(tasks, config, err)
                                       : arc_load(tasks, place, err);
}

/* Reads all sets of all sources; nothing is chosen yet. */
static int load_places(struct arc_tasks *tasks, const struct config *config, struct error *err)
{
    cJSON *places = config_get_texts(config, DATA_PATH);
    int rc = places == NULL ? error_no_memory(err, "the tasks") : 0;

    for (const cJSON *place = rc == 0 ? places->child : NULL; place != NULL && rc == 0;
         place = place->next)
        rc = load_place(tasks, place->valuestring, config, err);
    cJSON_Delete(places);
    return rc;
}

static int load(struct data_source *out, const struct config *config, struct error *err)
{
    bool builtin = strcmp(config_text(config, DATA_PATH), BUILTIN) == 0;
    struct arc_tasks *tasks = calloc(1, sizeof *tasks);
    struct arc_choice choice = { 0 };

    if (tasks == NULL)
        return error_no_memory(err, "the tasks");
    out->content = tasks;
    out->text = builtin ? format_string("%s, generator seed %" PRId64, BUILTIN,
                                        config_int(config, DATA_GENERATOR_SEED))
                        : strdup("ARC tasks from files");
    int rc = load_places(tasks, config, err);
    if (rc == 0)
        rc = arc_choose(&choice, tasks, config, err);
    out->counts = choice.counts;
    out->left_out = choice.left_out;
    out->leaked = choice.leaked;
    out->files = tasks->files;
    tasks->files = (struct data_files){ 0 };
    out->task_count = tasks->count;
    out->side = (int)config_int(config, DATA_CANVAS);
    return rc;
}

static int check(FILE *out, const struct config *config, struct error *err)
{
    struct arc_tasks tasks = { 0 };
    int rc = load_places(&tasks, config, err);

    if (rc == 0)
        rc = arc_check(out, &tasks, config, err);
    arc_tasks_release(&tasks);
    return rc;
}

static void release(void *content)
{
    arc_tasks_release(content);
    free(content);
}

static int vocabulary(int side)
{
    (void)side;
    return ARC_VOCABULARY;
}

static const struct arc_task *task_at(const void *content, int index)
{
    return &((const struct arc_tasks *)content)->tasks[index];
}

static void task(const void *content, int index, struct data_task *out)
{
    const struct arc_task *task = task_at(content, index);

    *out = (struct data_task){ .evaluation = task->evaluation,
                               .trained = task->trained,
                               .demonstrations = task->demonstrations,
                               .tests = task->tests };
}

static void task_name(const void *content, int index, char out[DATA_NAME_SIZE])
{
    memcpy(out, task_at(content, index)->name, DATA_NAME_SIZE);
}

static void copy_grid(struct grid *out, const struct grid *in)
{
    out->rows = in->rows;
    out->columns = in->columns;
    memcpy(out->cells, in->cells, (size_t)in->rows * in->columns);
}

static bool pair_at(const void *content, int index, int number, struct grid *input,
                    struct grid *output)
{
    const struct arc_pair *pair = &task_at(content, index)->pairs[number];

    if (input != NULL)
        copy_grid(input, &pair->input);
    if (output != NULL && pair->has_output)
        copy_grid(output, &pair->output);
    return pair->has_output;
}

static int draw(void *out, const void *content, int index, int count,
                struct random_stream *stream)
{
    return augmentation_draw(out, task_at(content, index), count, stream);
}

static void apply(struct grid *out, const struct grid *in, const void *variant)
{
    variant_apply(out, in, variant);
}

static void undo(struct grid *out, const struct grid *in, const void *variant)
{
    variant_undo(out, in, variant);
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static void tokens(int32_t *inputs, int32_t *labels, const struct grid *input,
                   const struct grid *output, int side, struct random_stream *stream)
{
    int row = 0, column = 0;

    if (stream != NULL) {
        int rows = larger(input->rows, output->rows);
        int columns = larger(input->columns, output->columns);
        row = (int)random_below(stream, (uint64_t)(side - rows + 1));
        column = (int)random_below(stream, (uint64_t)(side - columns + 1));
    }
    canvas_place(inputs, input, row, column, side);
    canvas_place(labels, output, row, column, side);
    if (output->rows == 0) /* the output is unknown: nothing to learn */
        memset(labels, 0, (size_t)side * (size_t)side * sizeof *labels);
    for (int i = 0; i < side * side; i++)
        if (labels[i] == TOKEN_PAD)
            labels[i] = DATA_NO_LABEL;
}

static void answer(struct grid *out, const int32_t *predictions, int side)
{
    canvas_crop(out, predictions, side);
}

static void name_variant(char out[DATA_IDENTIFIER_SIZE], const char *task, const void *variant)
{
    variant_name(out, task, variant);
}

static struct data_look look(uint8_t cell)
{
    return (struct data_look){ cell == 0 ? '.' : (char)('0' + cell),
                               ARC_COLORS[cell % ARC_COLOR_COUNT] };
}

const struct data_kind KIND_ARC = {
    .name = "arc",
    .title = "ARC tasks",
    .has_identifiers = true,
    .has_context = true,
    .tests_variants = true,
    .submits = true,
    .variant_size = sizeof(struct variant),
    .recognises = recognises,
    .load = load,
    .check = check,
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
    .variant_name = name_variant,
};
