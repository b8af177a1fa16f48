/* kept_answers.c - counts the votes of an answers file by task, and draws them. */
#include "kept_answers.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data_draw.h"
#include "data_set.h"
#include "data_source.h"
#include "error.h"
#include "evaluate.h"
#include "file.h"
#include "job.h"
#include "log.h"
#include "predictions_name.h"
#include "sandbox.h"
#include "scores.h"
#include "step_answers.h"
#include "text_stream.h"
#include "voting.h"

enum { DRAWN_ANSWERS = 4, PICTURES = 2, CAPTION = 48, TEXT_WIDTH = 92 };

/* Everything is owned. */
struct kept {
    struct job job;
    struct data_set *set;
    struct step_answers answers; /* rows 0: none are kept */
};

static void release(struct kept *kept)
{
    step_answers_release(&kept->answers);
    data_set_close(kept->set);
    job_release(&kept->job);
}

/* ---- the file ---- */

/* Whether a file of the attempt has answers to all tests that say more: with the rows'
 * own puzzle ids and all outer steps, after more training, or more of them. */
static bool is_better(const struct step_answers *found, const struct kept *kept)
{
    const struct step_answers *best = &kept->answers;

    if (atoi(found->pass) != (int)SPLIT_TEST ||
        found->rows != data_set_row_count(kept->set, SPLIT_TEST))
        return false;
    if (best->rows > 0 && evaluate_is_plain(found->pass) != evaluate_is_plain(best->pass))
        return evaluate_is_plain(found->pass);
    if (best->rows == 0 || found->step != best->step)
        return best->rows == 0 || found->step > best->step;
    return found->outer_steps * found->rollouts > best->outer_steps * best->rollouts;
}

static int take_file(struct kept *kept, const char *name, struct error *err)
{
    struct step_answers found = { 0 };
    struct error fault = { 0 };
    char *path = file_join(kept->job.directory, name);
    int rc = path == NULL ? error_no_memory(err, "a path")
                          : step_answers_read(&found, path, kept->job.run_hash, &fault);

    if (path != NULL && rc == ERROR_NOMEM)
        *err = fault;
    if (path != NULL && rc != ERROR_NOMEM && rc < 0) {
        log_warning("%s; passed over", fault.message);
        rc = 0;
    } else if (rc == 0 && is_better(&found, kept)) {
        step_answers_release(&kept->answers);
        kept->answers = found;
        found = (struct step_answers){ 0 };
    }
    step_answers_release(&found);
    free(path);
    return rc;
}

static int find_file(struct kept *kept, struct error *err)
{
    DIR *directory = opendir(kept->job.directory);
    int rc = directory == NULL && errno == ENOMEM ? error_no_memory(err, "a list of files") : 0;

    for (struct dirent *entry;
         rc == 0 && directory != NULL && (entry = readdir(directory)) != NULL;)
        if (predictions_name_has(entry->d_name, STEP_ANSWERS_PREFIX))
            rc = take_file(kept, entry->d_name, err);
    if (directory != NULL)
        closedir(directory);
    return rc;
}

/* ---- votes ---- */

/* The index of the task; -1: it is not tested. */
static int find_task(const struct kept *kept, const char *task)
{
    int count = data_set_task_count(kept->set, SPLIT_TEST);
    char name[DATA_NAME_SIZE];

    for (int i = 0; i < count; i++)
        if (strcmp(data_set_task_name(kept->set, SPLIT_TEST, i, name), task) == 0)
            return i;
    return -1;
}

/* Adds the answers of a row, one for each rollout, after the last outer step. */
static int add_votes(struct ballot *ballot, const struct step_answers *answers, int row,
                     struct error *err)
{
    const struct score_request request = { .outer_steps = answers->outer_steps,
                                           .rule = { .kind = HALT_MAX },
                                           .rollouts = answers->rollouts };
    int rc = 0;

    for (int rollout = 0; rollout < answers->rollouts && rc == 0; rollout++) {
        int step = step_answers_taken(answers, &request, rollout, row);
        size_t at = step > 0 ? step_answers_at(answers, step, rollout, row) : 0;
        struct grid grid;

        if (step == 0 || answers->answers[at] < 0)
            continue;
        grid_list_get(&grid, &answers->grids, answers->answers[at]);
        rc = ballot_add(ballot, &grid, (double)answers->q_halt[at], err);
    }
    return rc;
}

/* Counts the votes for each test of the task. ballots: (tests), zeroed. */
static int count_votes(struct ballot *ballots, const struct kept *kept, int task, int tests,
                       struct error *err)
{
    size_t tokens = (size_t)data_set_info(kept->set)->seq_len;
    int32_t *room = calloc(2 * tokens + 1, sizeof *room), identifier;
    int rc = room == NULL ? error_no_memory(err, "the answers") : 0;

    for (int row = 0; row < kept->answers.rows && rc == 0; row++) {
        struct data_row meta;

        data_set_row(kept->set, SPLIT_TEST, row, &meta, room, room + tokens, &identifier);
        if (meta.task == task)
            rc = add_votes(&ballots[meta.test_index], &kept->answers, row, err);
    }
    for (int i = 0; i < tests; i++)
        ballot_rank(&ballots[i]);
    free(room);
    return rc;
}

/* ---- drawing ---- */

/* One test as pictures. */
struct drawing {
    struct grid input, solution;
    struct draw_item items[PICTURES + DRAWN_ANSWERS];
    char captions[DRAWN_ANSWERS][CAPTION];
    int count;
};

static void fill_drawing(struct drawing *drawing, const struct kept *kept, int task, int test,
                         const struct ballot *ballot)
{
    bool known =
        data_set_solution(kept->set, SPLIT_TEST, task, test, &drawing->solution) != NULL;

    data_set_test_input(kept->set, SPLIT_TEST, task, test, &drawing->input);
    drawing->items[drawing->count++] = (struct draw_item){ &drawing->input, "input", NULL };
    if (known)
        drawing->items[drawing->count++] =
            (struct draw_item){ &drawing->solution, "solution", NULL };
    for (int i = 0; i < ballot->count && i < DRAWN_ANSWERS; i++) {
        const struct vote_answer *answer = &ballot->answers[i];
        bool right = known && grid_equal(answer->grid, &drawing->solution);

        snprintf(drawing->captions[i], CAPTION, "%d: %d of %d vote%s%s", i + 1, answer->votes,
                 ballot->votes, ballot->votes == 1 ? "" : "s", right ? ", right" : "");
        drawing->items[drawing->count++] =
            (struct draw_item){ answer->grid, drawing->captions[i],
                                known ? &drawing->solution : NULL };
    }
}

static void print_svg(FILE *out, const struct data_kind *kind, const char *task,
                      const struct drawing *drawings, int count)
{
    struct draw_svg svg = { 0 };
    char title[DATA_NAME_SIZE + 40];

    for (int i = 0; i < count; i++)
        draw_svg_add_items(&svg, drawings[i].items, drawings[i].count);
    draw_svg_begin(out, &svg);
    for (int i = 0; i < count; i++) {
        snprintf(title, sizeof title, "%.63s, test %d", task, i + 1);
        draw_svg_items(out, &svg, kind, title, drawings[i].items, drawings[i].count);
    }
    draw_svg_end(out);
}

static void print_text(FILE *out, const struct data_kind *kind, const char *task,
                       const struct drawing *drawings, int count)
{
    for (int i = 0; i < count; i++) {
        fprintf(out, "%s%.63s, test %d\n", i > 0 ? "\n" : "", task, i + 1);
        draw_items(out, kind, drawings[i].items, drawings[i].count, DRAW_PLAIN, TEXT_WIDTH);
    }
}

/* Writes FOLDER/number.svg and .txt. */
static int write_drawings(const char *folder, int number, const struct kept *kept,
                          const char *task, const struct drawing *drawings, int count,
                          struct error *err)
{
    static const struct {
        const char *ending;
        void (*print)(FILE *out, const struct data_kind *kind, const char *task,
                      const struct drawing *drawings, int count);
    } FORMS[] = { { "svg", print_svg }, { "txt", print_text } };
    int rc = 0;

    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS && rc == 0; i++) {
        char *text = NULL, *path = format_string("%s/%d.%s", folder, number, FORMS[i].ending);
        size_t size = 0;
        FILE *out = path != NULL ? text_stream_open(&text, &size) : NULL;

        if (out != NULL)
            FORMS[i].print(out, data_set_source(kept->set)->kind, task, drawings, count);
        rc = out != NULL && fclose(out) == 0 ? file_write_atomic(path, text, size, err)
                                             : error_no_memory(err, "the drawing");
        free(text);
        free(path);
    }
    return rc;
}

static int draw_task(const struct kept *kept, const char *folder, int number, const char *name,
                     struct error *err)
{
    int task = find_task(kept, name);
    int tests = task >= 0 ? data_set_task_tests(kept->set, SPLIT_TEST, task) : 0;
    struct ballot *ballots = calloc((size_t)tests + 1, sizeof *ballots);
    struct drawing *drawings = calloc((size_t)tests + 1, sizeof *drawings);
    int rc = ballots == NULL || drawings == NULL ? error_no_memory(err, "the answers") : 0;

    if (rc == 0 && tests > 0)
        rc = count_votes(ballots, kept, task, tests, err);
    for (int i = 0; i < tests && rc == 0; i++)
        fill_drawing(&drawings[i], kept, task, i, &ballots[i]);
    if (rc == 0 && tests > 0)
        rc = write_drawings(folder, number, kept, name, drawings, tests, err);
    for (int i = 0; ballots != NULL && i < tests; i++)
        ballot_release(&ballots[i]);
    free(ballots);
    free(drawings);
    return rc;
}

int kept_answers_command(int argc, char **argv, struct error *err)
{
    enum { DIRECTORY, FOLDER, TASKS };
    struct kept kept = { 0 };
    struct sandbox sandbox;

    log_setup("hrmlab", LOG_INFO); /* users start this command as hrmlab */
    if (argc <= TASKS)
        return error_set(err, ERROR_FORMAT, "answers: expected DIRECTORY FOLDER TASK...");
    sandbox_enter(&sandbox, argv[FOLDER]);
    int rc = job_read(&kept.job, argv[DIRECTORY], err);
    if (rc == 0)
        rc = job_open_data(&kept.set, &kept.job, err);
    if (rc == 0)
        rc = find_file(&kept, err);
    for (int i = TASKS; i < argc && rc == 0 && kept.answers.rows > 0; i++)
        rc = draw_task(&kept, argv[FOLDER], i - TASKS, argv[i], err);
    release(&kept);
    return rc;
}
