/* data_show.c - prints facts about the data and draws tasks. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data_command.h"
#include "data_draw.h"
#include "data_set.h"
#include "data_source.h"
#include "error.h"
#include "file.h"
#include "human.h"
#include "text_stream.h"

enum { NAMES_LISTED = 8 };

/* A task of a source and the grids of one of its pairs. */
struct shown {
    const struct data_source *source;
    struct data_task task;
    int index;
    char name[DATA_NAME_SIZE];
    struct grid input, output;
    bool known; /* whether the output is known */
};

static void take_pair(struct shown *shown, int pair)
{
    shown->known = shown->source->kind->pair(shown->source->content, shown->index, pair,
                                             &shown->input, &shown->output);
}

static int pair_count(const struct shown *shown)
{
    return shown->task.demonstrations + shown->task.tests;
}

/* Describes a pair: "demonstration 2", "test 1, its output is hidden". */
static void pair_words(char out[80], const struct shown *shown, int pair)
{
    bool test = pair >= shown->task.demonstrations;

    snprintf(out, 80, "%s %d%s", test ? "test" : "demonstration",
             pair + 1 - (test ? shown->task.demonstrations : 0),
             shown->known ? "" : ", its output is hidden");
}

/* The tasks to be drawn. */
struct shown_list {
    struct shown *tasks; /* owned */
    int count;
};

static int add_shown(struct shown_list *list, const struct shown *task, struct error *err)
{
    struct shown *larger = realloc(list->tasks, ((size_t)list->count + 1) * sizeof *larger);

    if (larger == NULL)
        return error_no_memory(err, "the tasks");
    list->tasks = larger;
    list->tasks[list->count++] = *task;
    return 0;
}

/* Adds every task of a name: in a built directory the demonstrations of an ARC task and
 * its tests are two. */
static int find(struct shown_list *list, const struct data_source *source, const char *name,
                struct error *err)
{
    struct shown task = { .source = source };
    int before = list->count, rc = 0;

    for (int i = 0; i < source->task_count && rc == 0; i++) {
        source->kind->task_name(source->content, i, task.name);
        if (strcmp(task.name, name) != 0)
            continue;
        task.index = i;
        source->kind->task(source->content, i, &task.task);
        rc = add_shown(list, &task, err);
    }
    if (rc < 0 || list->count > before)
        return rc;
    source->kind->task_name(source->content, 0, task.name);
    return error_set(err, ERROR_ABSENT, "no task \"%.80s\" in %s; the first one is %s", name,
                     source->text, task.name);
}

static void print_task(struct shown *shown, enum draw_depth depth, int width)
{
    char words[80];

    printf("%s (%s)\n", shown->name, shown->task.evaluation ? "tested" : "trained on");
    for (int p = 0; p < pair_count(shown); p++) {
        take_pair(shown, p);
        pair_words(words, shown, p);
        printf("  %s\n", words);
        draw_pair(stdout, shown->source->kind, &shown->input,
                  shown->known ? &shown->output : NULL, depth, width);
    }
}

/* Visits all pairs of the list: sums up their sizes, or draws them. */
static void svg_pass(FILE *out, struct draw_svg *svg, struct shown *list, int count)
{
    for (int i = 0; i < count; i++)
        for (int p = 0; p < pair_count(&list[i]); p++) {
            char words[80], title[DATA_NAME_SIZE + 90];
            const struct grid *output;
            take_pair(&list[i], p);
            output = list[i].known ? &list[i].output : NULL;
            pair_words(words, &list[i], p);
            snprintf(title, sizeof title, "%s, %s", list[i].name, words);
            if (out == NULL)
                draw_svg_add(svg, &list[i].input, output);
            else
                draw_svg_pair(out, svg, list[i].source->kind, title, &list[i].input, output);
        }
}

static int write_svg(struct shown *list, int count, const char *path, struct error *err)
{
    struct draw_svg svg = { 0 };
    char *text = NULL;
    size_t size = 0;
    FILE *out = text_stream_open(&text, &size);

    if (out == NULL)
        return error_no_memory(err, "the drawing");
    svg_pass(NULL, &svg, list, count);
    draw_svg_begin(out, &svg);
    svg_pass(out, &svg, list, count);
    draw_svg_end(out);
    bool whole = fclose(out) == 0;
    int rc =
        whole ? file_write_output(path, text, size, err) : error_no_memory(err, "the drawing");
    free(text);
    return rc;
}

static int show_tasks(const struct data_request *request, struct error *err)
{
    struct shown_list list = { 0 };
    struct data_source source = { 0 };
    int rc = data_source_read(&source, &request->config, err);

    for (int i = 0; i < request->name_count && rc == 0; i++)
        rc = find(&list, &source, request->names[i], err);
    if (rc == 0 && request->svg != NULL)
        rc = write_svg(list.tasks, list.count, request->svg, err);
    else if (rc == 0)
        for (int i = 0; i < list.count; i++)
            print_task(&list.tasks[i], draw_depth_of(stdout, request->color),
                       draw_width_of(stdout));
    data_source_release(&source);
    free(list.tasks);
    return rc;
}

static void print_names(const struct data_set *set, enum data_split split, const char *what)
{
    int count = data_set_task_count(set, split);
    char name[DATA_NAME_SIZE];

    printf("%-20s", what);
    for (int i = 0; i < count && i < NAMES_LISTED; i++)
        printf("%s%s", i > 0 ? ", " : "", data_set_task_name(set, split, i, name));
    printf("%s\n", count > NAMES_LISTED ? ", ..." : count == 0 ? "none" : "");
}

/* Bytes of memory allocated and mapped. */
static double bytes_in_use(void)
{
#if __GLIBC_PREREQ(2, 33)
    struct mallinfo2 info = mallinfo2();
#else
    struct mallinfo info = mallinfo(); /* right up to 2 GiB */
#endif

    return (double)info.uordblks + (double)info.hblkhd;
}

static int show_counts(const struct data_request *request, struct error *err)
{
    char data_size[HUMAN_SIZE], rows_size[HUMAN_SIZE];
    double before = bytes_in_use();
    struct data_set *set;
    int rc = data_set_open(&set, &request->config, false, err);

    if (rc < 0)
        return rc;
    const struct data_info *info = data_set_info(set);
    const char *most = config_int(&request->config, DATA_NUM_AUG) > 0 ? ", at most" : "";
    double held = bytes_in_use() - before + data_set_variant_bytes(set);
    double rows = (double)info->num_puzzle_identifiers *
                  (double)config_puzzle_ndim(&request->config) * sizeof(float);
    human_bytes(data_size, (int64_t)held);
    human_bytes(rows_size, (int64_t)rows);
    printf("%-20s%s\n%-20s%s\n", "source", info->source, "tasks", info->counts);
    print_names(set, SPLIT_TRAIN, "trained on");
    print_names(set, SPLIT_TEST, "tested");
    printf("%-20s%d, of %d variants%s\n", "groups", info->groups, info->puzzles, most);
    printf("%-20s%d trained on, %d tested%s\n", "rows", info->examples, info->test_rows, most);
    printf("%-20s%d, the blank among them%s\n", "puzzle ids", info->num_puzzle_identifiers,
           most);
    printf("%-20s%d tokens of %d kinds (side %d)\n", "sequence", info->seq_len,
           info->vocab_size, info->canvas);
    printf("%-20s%s for the data, %s for the puzzle embedding\n", "memory, about", data_size,
           rows_size);
    printf("%-20s%s\n", "content", data_set_hash(set));
    data_set_close(set);
    return 0;
}

int data_show(const struct data_request *request, struct error *err)
{
    if (request->name_count > 0)
        return show_tasks(request, err);
    if (request->svg != NULL)
        return error_set(
            err, ERROR_FORMAT,
            "data show: -o or --svg draws tasks; name at least one behind the data");
    return show_counts(request, err);
}
