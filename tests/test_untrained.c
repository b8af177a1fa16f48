/* test_untrained.c - which rows an evaluation is given where FLOPs are limited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "data_set.h"
#include "engine.h"
#include "engine_setup.h"
#include "error.h"
#include "evaluate.h"
#include "file.h"
#include "job.h"
#include "json.h"
#include "report.h"
#include "settings.h"
#include "work.h"

enum { FEW_STEPS, MANY_STEPS, EVALUATIONS };

static const int STEPS[EVALUATIONS] = { 2, 5 };

/* What an evaluation event has to be the same in. */
struct said {
    double rows, tasks, lm_loss;
};

struct bench {
    struct config settings;
    struct engine_config config;
    struct data_set *set;
    struct engine *engine;
    struct job_evaluation evaluations[EVALUATIONS];
    int rows; /* of the test split */
};

static void must(int rc, const struct error *err)
{
    if (rc < 0)
        fail_msg("%s", err->message);
}

static void open_bench(struct bench *bench)
{
    static const char *const pairs[][2] = {
        { "data.canvas", "8" },
        { "data.num_aug", "7" },
        { "arch.hidden_size", "16" },
        { "arch.num_heads", "2" },
        { "arch.H_layers", "1" },
        { "arch.L_layers", "1" },
        { "train.global_batch_size", "8" },
    };
    struct error err = { 0 };

    *bench = (struct bench){ 0 };
    must(config_init(&bench->settings, &err), &err);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        must(config_set_text(&bench->settings, pairs[i][0], pairs[i][1], "test", &err), &err);
    must(config_resolve(&bench->settings, "test", &err), &err);
    must(data_set_open(&bench->set, &bench->settings, true, &err), &err);
    const struct data_info *info = data_set_info(bench->set);
    const struct engine_setup_data sizes = {
        .seq_len = info->seq_len,
        .vocab_size = info->vocab_size,
        .num_puzzle_identifiers = info->num_puzzle_identifiers,
        .total_steps = 10,
    };
    must(engine_setup_environment(&err), &err);
    engine_setup(&bench->config, &bench->settings, &sizes, false);
    must(engine_create(&bench->engine, &bench->config, &err), &err);
    engine_initialise(bench->engine, 3);
    bench->rows = data_set_row_count(bench->set, SPLIT_TEST);
    for (int i = 0; i < EVALUATIONS; i++) {
        bench->evaluations[i].outer_steps = STEPS[i];
        bench->evaluations[i].rollouts = 1;
        bench->evaluations[i].canonical =
            format_string("{\"eval.halt_max_steps\":%d}", (int)STEPS[i]);
    }
}

static void close_bench(struct bench *bench)
{
    for (int i = 0; i < EVALUATIONS; i++)
        free(bench->evaluations[i].canonical);
    engine_destroy(bench->engine);
    data_set_close(bench->set);
    config_release(&bench->settings);
}

/* Evaluates what is selected; a row and outer step cost one FLOP, of which each
 * evaluation has so many. Fills said of those evaluations alone. Returns how many. */
static int evaluate(struct said said[EVALUATIONS], struct bench *bench, double flops,
                    bool few_steps, bool many_steps)
{
    const bool selected[EVALUATIONS] = { few_steps, many_steps };
    char directory[] = "/tmp/test_untrained.XXXXXX", path[64];
    struct report report = { 0 };
    struct error err = { 0 };
    cJSON *event;
    int count = 0;

    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/journal.jsonl", directory);
    must(report_open(&report, path, &err), &err);
    work_open(&report, directory);
    const struct evaluate_context context = {
        .engine = bench->engine,
        .config = &bench->config,
        .set = bench->set,
        .settings = &bench->settings,
        .report = &report,
        .total_steps = 10,
        .checkpoint = "untrained",
        .flops = flops,
        .row_step_flops = 1.0,
        .seed = 3,
    };
    must(evaluate_run(&context, bench->evaluations, EVALUATIONS, selected, &err), &err);
    work_open(NULL, NULL);
    report_close(&report);
    FILE *file = fopen(path, "r");
    char line[8192];
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        event = cJSON_Parse(line);
        const cJSON *evaluation = json_member(event, "evaluation");
        if (evaluation != NULL) {
            int steps = (int)json_integer_or(evaluation, "eval.halt_max_steps", 0);
            struct said *out = &said[steps == STEPS[FEW_STEPS] ? FEW_STEPS : MANY_STEPS];
            out->rows = json_member(event, "rows_count")->valuedouble;
            out->tasks = json_member(event, "tasks")->valuedouble;
            out->lm_loss = json_member(event, "lm_loss")->valuedouble;
            count++;
        }
        cJSON_Delete(event);
    }
    fclose(file);
    must(file_remove_tree(directory, &err), &err);
    return count;
}

static void assert_same(const struct said *a, const struct said *b)
{
    assert_true(a->rows == b->rows);
    assert_true(a->tasks == b->tasks);
    assert_true(a->lm_loss == b->lm_loss);
}

static void an_evaluation_has_its_rows_whatever_else_is_evaluated(void **state)
{
    struct said both[EVALUATIONS], again[EVALUATIONS], alone[EVALUATIONS];
    struct bench bench;

    (void)state;
    open_bench(&bench);
    double flops = 0.5 * STEPS[FEW_STEPS] * bench.rows; /* binds both */
    assert_int_equal(evaluate(both, &bench, flops, true, true), 2);
    assert_int_equal(evaluate(again, &bench, flops, true, true), 2);
    assert_int_equal(evaluate(alone, &bench, flops, true, false), 1);
    assert_int_equal(evaluate(alone, &bench, flops, false, true), 1);
    for (int i = 0; i < EVALUATIONS; i++) {
        assert_true(both[i].rows >= 1 && both[i].rows * STEPS[i] <= flops);
        assert_same(&again[i], &both[i]);
        assert_same(&alone[i], &both[i]);
    }
    assert_true(both[MANY_STEPS].rows < both[FEW_STEPS].rows);
    flops = STEPS[FEW_STEPS] * bench.rows; /* binds the longer one alone */
    assert_int_equal(evaluate(both, &bench, flops, true, true), 2);
    assert_int_equal(evaluate(alone, &bench, flops, true, false), 1);
    assert_true(both[FEW_STEPS].rows == bench.rows);
    assert_true(both[MANY_STEPS].rows < bench.rows);
    assert_same(&alone[FEW_STEPS], &both[FEW_STEPS]);
    close_bench(&bench);
}

static void evaluations_that_the_flops_allow_are_as_without_a_limit(void **state)
{
    struct said limited[EVALUATIONS], unlimited[EVALUATIONS];
    struct bench bench;

    (void)state;
    open_bench(&bench);
    double enough = STEPS[MANY_STEPS] * bench.rows;
    assert_int_equal(evaluate(limited, &bench, enough, true, true), 2);
    assert_int_equal(evaluate(unlimited, &bench, 0.0, true, true), 2);
    for (int i = 0; i < EVALUATIONS; i++) {
        assert_true(unlimited[i].rows == bench.rows);
        assert_same(&limited[i], &unlimited[i]);
    }
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_evaluation_has_its_rows_whatever_else_is_evaluated),
        cmocka_unit_test(evaluations_that_the_flops_allow_are_as_without_a_limit),
    };

    return cmocka_run_group_tests_name("untrained", tests, NULL, NULL);
}
