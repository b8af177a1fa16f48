/* steps.c - inference on the rows of one task, drawn step by step. */
#include "steps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batches.h"
#include "checkpoint.h"
#include "context.h"
#include "data_draw.h"
#include "data_set.h"
#include "data_source.h"
#include "engine_setup.h"
#include "error.h"
#include "file.h"
#include "job.h"
#include "log.h"
#include "puzzle_ids.h"
#include "sandbox.h"
#include "text_stream.h"
#include "voting.h"

enum { LISTED_ANSWERS = 5, CAPTION = 48, PICTURES = 2 };

/* One test of the task. */
struct test {
    struct grid input, solution;
    bool known;           /* the solution is */
    struct grid *answers; /* owned: (outer steps) of the original */
    float *q_halt;        /* owned: (outer steps) of the original */
    struct ballot ballot; /* of all variants after the last step */
};

/* Everything is owned but the request. */
struct steps {
    const struct steps_request *request;
    struct job job;
    struct data_set *set;
    struct engine *engine;
    struct engine_config config;
    struct puzzle_way way;
    int task, steps;
    struct test *tests;
    int test_count;
    int *rows; /* of the task, all variants */
    int row_count;
    int32_t *inputs, *labels, *identifiers, *predictions; /* a batch */
    float *q_halt;
};

static void release(struct steps *s)
{
    for (int i = 0; s->tests != NULL && i < s->test_count; i++) {
        free(s->tests[i].answers);
        free(s->tests[i].q_halt);
        ballot_release(&s->tests[i].ballot);
    }
    free(s->tests);
    free(s->rows);
    free(s->inputs);
    free(s->labels);
    free(s->identifiers);
    free(s->predictions);
    free(s->q_halt);
    if (s->engine != NULL)
        puzzle_way_end(&s->way, s->engine);
    engine_destroy(s->engine);
    data_set_close(s->set);
    job_release(&s->job);
}

static int load_engine(struct steps *s, struct error *err)
{
    const struct config *config = &s->job.config;
    const struct data_info *info = data_set_info(s->set);
    struct engine_setup_data sizes = {
        .seq_len = info->seq_len,
        .vocab_size = info->vocab_size,
        .num_puzzle_identifiers = config_puzzle_ids(config, info->num_puzzle_identifiers),
        .total_steps = batches_count_steps(config, info->groups, info->mean_puzzle_examples),
    };
    struct checkpoint_facts facts = { 0 };
    char *path = job_run_path(&s->job, s->request->checkpoint);
    int rc = path == NULL ? error_no_memory(err, "a path") : 0;

    engine_setup(&s->config, config, &sizes, true);
    if (rc == 0)
        rc = engine_create(&s->engine, &s->config, err);
    if (rc == 0)
        rc = checkpoint_load(&facts, s->engine, path, s->job.run_hash, CHECKPOINT_WEIGHTS, err);
    if (rc == 0)
        rc = puzzle_way_begin(&s->way, s->engine, s->set, config, PUZZLE_OWN, 0, err);
    checkpoint_facts_release(&facts);
    free(path);
    return rc;
}

static int find_task(struct steps *s, struct error *err)
{
    int count = data_set_task_count(s->set, SPLIT_TEST);
    char name[DATA_NAME_SIZE] = "none";

    for (int i = 0; i < count; i++)
        if (strcmp(data_set_task_name(s->set, SPLIT_TEST, i, name), s->request->task) == 0) {
            s->task = i;
            return 0;
        }
    if (count > 0)
        data_set_task_name(s->set, SPLIT_TEST, 0, name);
    return error_set(err, ERROR_ABSENT, "no task \"%.80s\" is tested; the first one is %s",
                     s->request->task, name);
}

static int make_tests(struct steps *s, struct error *err)
{
    s->test_count = data_set_task_tests(s->set, SPLIT_TEST, s->task);
    s->tests = calloc((size_t)s->test_count + 1, sizeof *s->tests);
    for (int i = 0; s->tests != NULL && i < s->test_count; i++) {
        struct test *test = &s->tests[i];

        data_set_test_input(s->set, SPLIT_TEST, s->task, i, &test->input);
        test->known =
            data_set_solution(s->set, SPLIT_TEST, s->task, i, &test->solution) != NULL;
        test->answers = calloc((size_t)s->steps, sizeof *test->answers);
        test->q_halt = calloc((size_t)s->steps, sizeof *test->q_halt);
        if (test->answers == NULL || test->q_halt == NULL)
            return error_no_memory(err, "the answers");
    }
    return s->tests == NULL ? error_no_memory(err, "the answers") : 0;
}

/* Room for a batch, and the rows of the task. */
static int make_batch(struct steps *s, struct error *err)
{
    size_t B = (size_t)s->config.batch_size, T = (size_t)s->config.seq_len;
    size_t U = (size_t)engine_input_tokens(&s->config);
    int rows = data_set_row_count(s->set, SPLIT_TEST);

    s->inputs = calloc(B * U + U, sizeof *s->inputs);
    s->labels = calloc(B * T + T, sizeof *s->labels);
    s->identifiers = calloc(B + 1, sizeof *s->identifiers);
    s->predictions = malloc(engine_output_size(s->engine, ENGINE_PREDICTIONS));
    s->q_halt = malloc(engine_output_size(s->engine, ENGINE_Q_HALT));
    s->rows = calloc((size_t)rows + 1, sizeof *s->rows);
    if (s->inputs == NULL || s->labels == NULL || s->identifiers == NULL ||
        s->predictions == NULL || s->q_halt == NULL || s->rows == NULL)
        return error_no_memory(err, "a batch");
    for (int r = 0; r < rows; r++) {
        struct data_row meta;

        data_set_row(s->set, SPLIT_TEST, r, &meta, s->inputs, s->labels, s->identifiers);
        if (meta.task == s->task)
            s->rows[s->row_count++] = r;
    }
    return 0;
}

/* ---- inference ---- */

static int begin_batch(struct steps *s, struct data_row *meta, int first, int count,
                       struct error *err)
{
    size_t T = (size_t)s->config.seq_len, C = (size_t)context_length(s->set);
    const struct engine_batch data = { .inputs = s->inputs,
                                       .labels = s->labels,
                                       .puzzle_identifiers = s->identifiers };

    for (int i = 0; i < count; i++) {
        int32_t *inputs = s->inputs + (size_t)i * (C + T);
        int row = s->rows[first + i];

        if (C > 0)
            context_of_row(s->set, SPLIT_TEST, row, inputs);
        data_set_row(s->set, SPLIT_TEST, row, &meta[i], inputs + C, s->labels + (size_t)i * T,
                     &s->identifiers[i]);
        s->identifiers[i] = puzzle_way_id(&s->way, s->identifiers[i]);
    }
    int rc = engine_check_batch(s->engine, &data, count, err);
    if (rc == 0)
        engine_evaluate_begin(s->engine, &data, count);
    return rc;
}

/* After an outer step, from 0: takes the originals' answers, after the last one all
 * votes. */
static int take_step(struct steps *s, const struct data_row *meta, int first, int count,
                     int step, struct error *err)
{
    size_t T = (size_t)s->config.seq_len;
    int rc = 0;

    engine_read(s->engine, ENGINE_PREDICTIONS, s->predictions);
    engine_read(s->engine, ENGINE_Q_HALT, s->q_halt);
    for (int i = 0; i < count && rc == 0; i++) {
        struct test *test = &s->tests[meta[i].test_index];
        struct grid answer;

        if (meta[i].variant != 0 && step + 1 < s->steps)
            continue;
        data_set_answer(s->set, SPLIT_TEST, s->rows[first + i], s->predictions + (size_t)i * T,
                        &answer);
        if (meta[i].variant == 0) {
            test->answers[step] = answer;
            test->q_halt[step] = s->q_halt[i];
        }
        if (step + 1 == s->steps)
            rc = ballot_add(&test->ballot, &answer, (double)s->q_halt[i], err);
    }
    return rc;
}

static int infer(struct steps *s, struct error *err)
{
    int B = s->config.batch_size, rc = 0;
    struct data_row *meta = calloc((size_t)B, sizeof *meta);

    if (meta == NULL)
        return error_no_memory(err, "a batch");
    for (int first = 0; first < s->row_count && rc == 0; first += B) {
        int count = s->row_count - first < B ? s->row_count - first : B;

        rc = begin_batch(s, meta, first, count, err);
        for (int step = 0; step < s->steps && rc == 0; step++) {
            struct engine_result result;

            rc = engine_evaluate_step(s->engine, &result);
            rc = rc < 0 ? error_set(err, ERROR_STOPPED, "stopped")
                        : take_step(s, meta, first, count, step, err);
        }
    }
    for (int i = 0; i < s->test_count; i++)
        ballot_rank(&s->tests[i].ballot);
    free(meta);
    return rc;
}

/* ---- drawing ---- */

/* "step 3: 5 wrong, q 0.91" */
static void describe_answer(char out[CAPTION], const struct test *test, int step)
{
    const struct grid *answer = &test->answers[step], *solution = &test->solution;
    bool shape = answer->rows == solution->rows && answer->columns == solution->columns;
    double q = 1.0 / (1.0 + exp(-(double)test->q_halt[step]));
    int wrong = 0;

    for (int i = 0; shape && i < answer->rows * answer->columns; i++)
        wrong += answer->cells[i] != solution->cells[i];
    if (!test->known)
        snprintf(out, CAPTION, "step %d, q %.2f", step + 1, q);
    else if (!shape)
        snprintf(out, CAPTION, "step %d: %d x %d, q %.2f", step + 1, answer->rows,
                 answer->columns, q);
    else if (wrong == 0)
        snprintf(out, CAPTION, "step %d: right, q %.2f", step + 1, q);
    else
        snprintf(out, CAPTION, "step %d: %d wrong, q %.2f", step + 1, wrong, q);
}

/* The pictures of a test: input, solution, an answer per step. Captions: (steps). */
static int list_pictures(struct draw_item *items, char (*captions)[CAPTION], struct test *test,
                         int steps, bool all)
{
    int count = 0;

    items[count++] = (struct draw_item){ &test->input, "input", NULL };
    if (test->known)
        items[count++] = (struct draw_item){ &test->solution, "solution", NULL };
    for (int step = all ? 0 : steps - 1; step < steps; step++) {
        describe_answer(captions[step], test, step);
        items[count++] = (struct draw_item){ &test->answers[step], captions[step],
                                             test->known ? &test->solution : NULL };
    }
    return count;
}

static void print_votes(const struct test *test)
{
    printf("  votes of %d variant%s, by rank:\n", test->ballot.votes,
           test->ballot.votes == 1 ? "" : "s");
    for (int i = 0; i < test->ballot.count && i < LISTED_ANSWERS; i++) {
        const struct vote_answer *answer = &test->ballot.answers[i];
        bool right = test->known && grid_equal(answer->grid, &test->solution);

        printf("    %d. %d vote%s, mean q %.2f%s\n", i + 1, answer->votes,
               answer->votes == 1 ? "" : "s", answer->q_sum / answer->votes,
               right ? ", the solution" : "");
    }
    if (test->ballot.count > LISTED_ANSWERS)
        printf("    and %d other answers\n", test->ballot.count - LISTED_ANSWERS);
}

/* Draws all tests into one SVG: a pass for the size, one to draw. */
static int draw_file(struct steps *s, struct draw_item *items, char (*captions)[CAPTION],
                     struct error *err)
{
    const struct data_kind *kind = data_set_source(s->set)->kind;
    struct draw_svg svg = { 0 };
    char *text = NULL, title[DATA_NAME_SIZE + 40];
    size_t size = 0;
    FILE *out = text_stream_open(&text, &size);

    if (out == NULL)
        return error_no_memory(err, "the drawing");
    for (int i = 0; i < s->test_count; i++)
        draw_svg_add_items(
            &svg, items,
            list_pictures(items, captions, &s->tests[i], s->steps, s->request->all));
    draw_svg_begin(out, &svg);
    for (int i = 0; i < s->test_count; i++) {
        int count = list_pictures(items, captions, &s->tests[i], s->steps, s->request->all);

        snprintf(title, sizeof title, "%.63s, test %d", s->request->task, i + 1);
        draw_svg_items(out, &svg, kind, title, items, count);
    }
    draw_svg_end(out);
    int rc = fclose(out) == 0 ? file_write_output(s->request->svg, text, size, err)
                              : error_no_memory(err, "the drawing");
    free(text);
    return rc;
}

static int draw(struct steps *s, struct error *err)
{
    const struct data_kind *kind = data_set_source(s->set)->kind;
    size_t room = (size_t)s->steps + PICTURES;
    struct draw_item *items = calloc(room, sizeof *items);
    char(*captions)[CAPTION] = calloc(room, sizeof *captions);
    int rc = items == NULL || captions == NULL ? error_no_memory(err, "the drawing") : 0;

    for (int i = 0; i < s->test_count && rc == 0; i++) {
        int count = list_pictures(items, captions, &s->tests[i], s->steps, s->request->all);

        printf("%s, test %d\n", s->request->task, i + 1);
        if (s->request->svg == NULL)
            draw_items(stdout, kind, items, count, draw_depth_of(stdout, s->request->color),
                       draw_width_of(stdout));
        print_votes(&s->tests[i]);
    }
    if (rc == 0)
        printf("q: sigmoid(q_halt), the probability that the model states of being right\n");
    if (rc == 0 && s->request->svg != NULL)
        rc = draw_file(s, items, captions, err);
    free(items);
    free(captions);
    return rc;
}

/* ---- the command ---- */

static int confine(const char *svg, struct error *err)
{
    const char *slash = svg != NULL ? strrchr(svg, '/') : NULL;
    char *folder = svg == NULL     ? NULL
                   : slash == NULL ? strdup(".")
                                   : format_string("%.*s", (int)(slash - svg) + 1, svg);
    struct sandbox sandbox;

    if (svg != NULL && folder == NULL)
        return error_no_memory(err, "a path");
    sandbox_enter(&sandbox, folder);
    free(folder);
    return 0;
}

static int show(struct steps *s, struct error *err)
{
    int rc = job_read(&s->job, s->request->directory, err);

    if (rc == 0)
        rc = job_open_data(&s->set, &s->job, err);
    if (rc == 0)
        rc = find_task(s, err);
    if (rc == 0)
        rc = load_engine(s, err);
    if (rc == 0) {
        s->steps = (int)config_int(&s->job.config, ARCH_HALT_MAX_STEPS);
        rc = make_tests(s, err);
    }
    if (rc == 0)
        rc = make_batch(s, err);
    if (rc == 0)
        rc = infer(s, err);
    return rc == 0 ? draw(s, err) : rc;
}

int steps_command(int argc, char **argv, struct error *err)
{
    enum { LEAST = 5 };
    bool all = argc > 3 && strcmp(argv[3], "all") == 0;
    bool last = argc > 3 && strcmp(argv[3], "last") == 0;

    log_setup("hrmlab", LOG_INFO); /* users start this command as hrmlab */
    if (argc < LEAST || argc > LEAST + 1 || !(all || last))
        return error_set(err, ERROR_FORMAT,
                         "steps: expected DIRECTORY CHECKPOINT TASK all|last COLOR [SVG]");
    const struct steps_request request = { .directory = argv[0],
                                           .checkpoint = argv[1],
                                           .task = argv[2],
                                           .all = all,
                                           .color = argv[4],
                                           .svg = argc > LEAST ? argv[5] : NULL };
    struct steps s = { .request = &request };
    int rc = confine(request.svg, err);
    if (rc == 0)
        rc = show(&s, err);
    release(&s);
    return rc;
}
