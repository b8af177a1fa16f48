/*
 * test_pool.c - votes over the last evaluations of a training, rollouts from noisy states, and a
 * grid of inference settings that costs one pass: each cell is what a process that evaluates it
 * alone finds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "json.h"
#include "predictions.h"
#include "support/worker_runs.h"

enum { STEPS = 3, RULES = 5, POOLS = 3, CELLS = STEPS * RULES * POOLS, TEXT = 400 };

static const char *const RULE[RULES] = {
    "",
    ",\"eval.halt_rule\":\"q\"",
    ",\"eval.halt_rule\":\"q_positive\"",
    ",\"eval.halt_rule\":\"stable\"",
    ",\"eval.halt_epsilon\":0.3,\"eval.halt_rule\":\"residual\"",
};
static const char *const POOL[POOLS] = { "", ",\"eval.pool_checkpoints\":2",
                                         ",\"eval.pool_checkpoints\":\"all\"" };

static const char NOISE[] = ",\"eval.init_noise\":0.5";

static void print_cell(char out[TEXT], int steps, const char *more, const char *pool)
{
    snprintf(out, TEXT,
             "{\"eval.halt_max_steps\":%d,\"eval.augmentations\":\"all\",\"eval.act_"
             "inference\":false"
             ",\"eval.seed\":0,\"eval.split\":\"test\"%s%s}",
             steps, more, pool);
}

static const cJSON *find_event(const cJSON *journal, const char *type, const char *cell)
{
    const cJSON *event, *found = NULL;
    cJSON *wanted = cJSON_Parse(cell);

    assert_non_null(wanted);
    cJSON_ArrayForEach(event, journal)
    {
        const cJSON *checkpoint = json_member(event, "checkpoint");

        if (strcmp(json_member(event, "type")->valuestring, type) == 0 &&
            (checkpoint == NULL || strcmp(checkpoint->valuestring, "last") == 0) &&
            cJSON_Compare(json_member(event, "evaluation"), wanted, 1))
            found = event;
    }
    cJSON_Delete(wanted);
    assert_non_null(found);
    return found;
}

static double value(const cJSON *journal, const char *cell, const char *name)
{
    const cJSON *member = json_member(find_event(journal, "evaluation", cell), name);

    assert_true(cJSON_IsNumber(member));
    return member->valuedouble;
}

/* Predictions that the first test input's vote has counted. */
static int voted(const cJSON *journal, const char *cell)
{
    const cJSON *list = json_member(find_event(journal, "outcome", cell), "tasks");

    return cJSON_GetArrayItem(list->child, 4)->valueint;
}

/* Both say the same of the cell, but for the time that it took. */
static void expect_same(const cJSON *a, const cJSON *b, const char *cell)
{
    cJSON *x = cJSON_Duplicate(find_event(a, "evaluation", cell), 1);
    cJSON *y = cJSON_Duplicate(find_event(b, "evaluation", cell), 1);
    static const char *const own[] = { "h", "n", "t", "seconds" };

    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        cJSON_DeleteItemFromObjectCaseSensitive(x, own[i]);
        cJSON_DeleteItemFromObjectCaseSensitive(y, own[i]);
    }
    char *p = json_canonical(x), *q = json_canonical(y);
    assert_string_equal(p, q);
    free(p);
    free(q);
    cJSON_Delete(x);
    cJSON_Delete(y);
    assert_true(cJSON_Compare(json_member(find_event(a, "outcome", cell), "tasks"),
                              json_member(find_event(b, "outcome", cell), "tasks"), 1));
}

/* A process that evaluates this cell alone, as the next attempt. Its journal. */
static cJSON *alone(struct run_setup *setup, int attempt, const char *cell)
{
    char list[TEXT + 2];

    snprintf(list, sizeof list, "[%s]", cell);
    setup->evaluations = list;
    run_write_job(setup, attempt, "attempts/1/final.safetensors");
    assert_int_equal(run_attempt(setup, attempt), 0);
    return run_journal(setup, attempt);
}

static void a_grid_of_inference_costs_one_pass_and_is_what_each_cell_is_alone(void **state)
{
    static const char *const more[] = { "train.eval_interval=4", "train.untrained_share=0",
                                        NULL };
    static const int checked[] = { 0, CELLS / 2 + 4, CELLS - 1 };
    struct run_settings settings;
    struct run_setup setup;
    static char cells[CELLS][TEXT], all[CELLS * (TEXT + 1) + 3];
    size_t used = 0;

    (void)state;
    for (int i = 0; i < CELLS; i++) {
        print_cell(cells[i], 1 + i / (RULES * POOLS), RULE[i / POOLS % RULES], POOL[i % POOLS]);
        used += (size_t)sprintf(all + used, "%s%s", i == 0 ? "[" : ",", cells[i]);
    }
    sprintf(all + used, "]");
    run_settings_init(&settings, run_task_folder, more);
    run_setup_init(&setup, settings.list, all);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    cJSON *journal = run_journal(&setup, 1);
    int evaluations = run_count_events(journal, "evaluation") / CELLS;
    assert_true(evaluations >= 3);
    for (int i = 0; i < CELLS; i++) { /* all from one pass of the last evaluation */
        int counted = i % POOLS == 0 ? 1 : i % POOLS == 1 ? 2 : evaluations;

        assert_true(value(journal, cells[i], "seconds") == value(journal, cells[0], "seconds"));
        assert_int_equal(voted(journal, cells[i]), counted * voted(journal, cells[0]));
    }
    for (size_t i = 0; i < sizeof checked / sizeof *checked; i++) {
        cJSON *own = alone(&setup, 2 + (int)i, cells[checked[i]]);

        expect_same(journal, own, cells[checked[i]]);
        cJSON_Delete(own);
    }
    cJSON_Delete(journal);
    run_setup_release(&setup);
}

#define ROLLOUTS(n, sigma, choose)                                                             \
    ",\"eval.choose\":\"" choose "\",\"eval.init_noise\":" sigma ",\"eval.rollouts\":" n

static void rollouts_without_noise_are_plain_and_noise_is_drawn_by_row(void **state)
{
    static const char *const more[] = { "train.untrained_share=0", NULL };
    static const char *const names[] = { "per_token_accuracy", "exact_rows", "lm_loss",
                                         "pass_at_1",          "pass_at_2",  "oracle",
                                         "vote_margin" };
    static const char *const settings_of[] = {
        "",
        ",\"eval.rollouts\":3",
        ",\"eval.choose\":\"q\",\"eval.rollouts\":3",
        ",\"eval.choose\":\"first_halt\",\"eval.rollouts\":3",
        ",\"eval.init_noise\":2,\"eval.rollouts\":2",
        ",\"eval.init_noise\":2,\"eval.rollouts\":5",
        ROLLOUTS("5", "2", "q"),
        ROLLOUTS("5", "2", "first_halt") ",\"eval.halt_rule\":\"stable\"",
    };
    enum { COUNT = sizeof settings_of / sizeof *settings_of, NOISY = 4 };
    struct run_settings settings;
    struct run_setup setup;
    static char cells[COUNT][TEXT], all[COUNT * (TEXT + 1) + 3];
    size_t used = 0;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        print_cell(cells[i], 3, settings_of[i], "");
        used += (size_t)sprintf(all + used, "%s%s", i == 0 ? "[" : ",", cells[i]);
    }
    sprintf(all + used, "]");
    run_settings_init(&settings, run_task_folder, more);
    run_setup_init(&setup, settings.list, all);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    cJSON *journal = run_journal(&setup, 1);
    for (int i = 1; i < NOISY; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            double plain = value(journal, cells[0], names[k]);
            double got = value(journal, cells[i], names[k]) - plain;
            assert_true(got < 1e-12 && got > -1e-12);
        }
    assert_int_equal(voted(journal, cells[1]), 3 * voted(journal, cells[0]));
    assert_int_equal(voted(journal, cells[2]), voted(journal, cells[0]));
    assert_int_equal(voted(journal, cells[5]), 5 * voted(journal, cells[0]));
    for (int i = NOISY; i < COUNT; i++) {
        assert_true(value(journal, cells[i], "lm_loss") != value(journal, cells[0], "lm_loss"));
        assert_true(value(journal, cells[i], "exact_any_rollout") >=
                    value(journal, cells[i], "exact_rows"));
    }
    assert_true(value(journal, cells[5], "exact_any_rollout") >=
                value(journal, cells[4], "exact_any_rollout"));
    assert_true(value(journal, cells[4], "lm_loss") != value(journal, cells[5], "lm_loss"));
    cJSON *own = alone(&setup, 2, cells[4]); /* the first two of five */
    expect_same(journal, own, cells[4]);
    cJSON_Delete(own);
    own = alone(&setup, 3, cells[7]);
    expect_same(journal, own, cells[7]);
    cJSON_Delete(own);
    cJSON_Delete(journal);
    run_setup_release(&setup);
}

/* Flips a bit of answers, of one inference, that attempt 1 kept after its first interim
 * evaluation. Its step. */
static double damage_first_answers(const struct run_setup *setup)
{
    char pattern[200];
    double first = 0.0;
    char *path = NULL;
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s/attempts/1/answers-*", setup->directory);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        double step = strtod(strstr(found.gl_pathv[i], "answers-") + strlen("answers-"), NULL);

        if (path != NULL && step >= first)
            continue;
        path = found.gl_pathv[i];
        first = step;
    }
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -1, SEEK_END), 0);
    int last = fgetc(file);
    assert_int_equal(fseek(file, -1, SEEK_END), 0);
    fputc(last ^ 1, file);
    fclose(file);
    globfree(&found);
    return first;
}

enum { TOGETHER = POOLS + 1 }; /* the last has an inference of its own */

/* Kills (-9) the worker of attempt 1 when it has a checkpoint after so many steps; false: it has
 * trained to its end before. */
static bool kill_behind(const struct run_setup *setup, double step)
{
    pid_t keeper = run_start(setup, 1);
    bool there = run_reaches(setup, 1, "checkpoint", step);
    pid_t worker = run_worker_pid(setup, 1, keeper);

    if (worker > 0)
        kill(worker, SIGKILL);
    assert_true(run_wait(keeper) >= 0);
    cJSON *journal = run_journal(setup, 1);
    bool ended = run_last_event(journal, "end") != NULL;
    cJSON_Delete(journal);
    return there && !ended;
}

/* A job's training of so many epochs is killed after its second interim evaluation, and resumed.
 * False: it was too short to be killed. */
static bool check_resumed_pool_of(int epochs, bool damaged)
{
    char length[2][40];
    const char *const more[] = {
        "train.max_steps=0",       length[0], length[1], "train.checkpoint_interval=0.02",
        "train.untrained_share=0", NULL
    };
    struct run_settings settings;
    struct run_setup setup, killed;
    static char cells[TOGETHER][TEXT], all[TOGETHER * (TEXT + 1) + 3];
    size_t used = 0;

    snprintf(length[0], sizeof length[0], "train.epochs=%d", epochs);
    snprintf(length[1], sizeof length[1], "train.eval_interval=%d", epochs / 4);
    for (int i = 0; i < TOGETHER; i++) {
        print_cell(cells[i], 2, i < POOLS ? RULE[3] : NOISE, POOL[i < POOLS ? i : 2]);
        used += (size_t)sprintf(all + used, "%s%s", i == 0 ? "[" : ",", cells[i]);
    }
    sprintf(all + used, "]");
    run_settings_init(&settings, run_task_folder, more);
    run_setup_init(&setup, settings.list, all);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    cJSON *whole = run_journal(&setup, 1), *resumed = NULL;
    run_setup_init(&killed, settings.list, all);
    run_write_job(&killed, 1, NULL);
    double total = json_member(run_last_event(whole, "begin"), "total_steps")->valuedouble;
    bool was_killed = kill_behind(&killed, total / 2 + 1);
    if (was_killed) {
        double first = damaged ? damage_first_answers(&killed) : total / 4;
        run_write_job(&killed, 2, NULL);
        assert_int_equal(run_attempt(&killed, 2), 0);
        resumed = run_journal(&killed, 2);
        const cJSON *resume = run_last_event(resumed, "resume");
        double from = resume != NULL ? json_member(resume, "step")->valuedouble : 0.0;
        if ((from > first) == damaged)
            fail_msg("it goes on from step %g of %g, the first interim evaluation was after %g",
                     from, total, first);
        for (int i = 2; i < TOGETHER; i++)
            assert_int_equal(voted(resumed, cells[i]), 4 * voted(resumed, cells[0]));
        for (int i = 0; i < TOGETHER; i++)
            expect_same(whole, resumed, cells[i]);
    }
    cJSON_Delete(whole);
    cJSON_Delete(resumed);
    run_setup_release(&setup);
    run_setup_release(&killed);
    return was_killed;
}

static void check_resumed_pool(bool damaged)
{
    int epochs = 400;

    while (!check_resumed_pool_of(epochs, damaged)) /* a fast machine that looked late */
        epochs *= 2;
}

static void a_pool_of_a_training_that_was_killed_and_resumed_has_the_same_bits(void **state)
{
    (void)state;
    check_resumed_pool(false);
}

static void a_training_goes_back_behind_damaged_answers_of_its_pool(void **state)
{
    (void)state;
    check_resumed_pool(true);
}

/* The rest of the pool would give other results. The other inference's pool is whole. */
static void a_pool_with_damaged_answers_is_refused(void **state)
{
    static const char *const more[] = { "train.max_steps=0", "train.epochs=60",
                                        "train.eval_interval=15", "train.untrained_share=0",
                                        NULL };
    struct run_settings settings;
    struct run_setup setup;
    char cells[5][TEXT], lists[2][3 * TEXT + 5];

    (void)state;
    print_cell(cells[0], 2, "", POOL[0]);
    print_cell(cells[1], 2, "", POOL[2]);
    print_cell(cells[2], 1, "", POOL[0]);
    print_cell(cells[3], 2, NOISE, POOL[0]);
    print_cell(cells[4], 2, NOISE, POOL[2]);
    snprintf(lists[0], sizeof lists[0], "[%s,%s]", cells[0], cells[3]);
    snprintf(lists[1], sizeof lists[1], "[%s,%s,%s]", cells[1], cells[2], cells[4]);
    run_settings_init(&settings, run_task_folder, more);
    run_setup_init(&setup, settings.list, lists[0]);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    damage_first_answers(&setup);
    setup.evaluations = lists[1];
    run_write_job(&setup, 2, "attempts/1/final.safetensors");
    assert_int_equal(run_attempt(&setup, 2), 2);
    char *message = run_event_text(&setup, 2, "error", "message");
    assert_non_null(strstr(message, "are damaged, so that its votes would be missing"));
    free(message);
    cJSON *journal = run_journal(&setup, 2); /* of the others there are results */
    assert_int_equal(run_count_events(journal, "evaluation"), 2);
    find_event(journal, "evaluation", cells[2]);
    cJSON_Delete(journal);
    run_setup_release(&setup);
}

/* A job that evaluates these cells beside each other, as an attempt that fails, and says why. The
 * cells without a pool, and those whose pool can be made, have their results; others have none. */
static void expect_left_out(struct run_setup *setup, int attempt, char cells[][TEXT],
                            const bool *made, int count, const char *why)
{
    char list[4 * TEXT] = "[";

    for (int i = 0; i < count; i++) {
        size_t used = strlen(list);

        snprintf(list + used, sizeof list - used, "%s%s%s", i > 0 ? "," : "", cells[i],
                 i == count - 1 ? "]" : "");
    }
    setup->evaluations = list;
    run_write_job(setup, attempt, "attempts/1/final.safetensors");
    assert_true(run_attempt(setup, attempt) != 0);
    char *message = run_event_text(setup, attempt, "error", "message");
    if (strstr(message, why) == NULL)
        fail_msg("%s: expected: %s", message, why);
    free(message);
    cJSON *journal = run_journal(setup, attempt);
    int results = 0;
    for (int i = 0; i < count; i++) {
        results += made[i];
        if (made[i]) {
            find_event(journal, "outcome", cells[i]);
            find_event(journal, "evaluation", cells[i]);
        }
    }
    assert_int_equal(run_count_events(journal, "evaluation"), results);
    cJSON_Delete(journal);
}

/* Trains by these settings; its evaluations are of two outer steps and pool nothing. */
static void train_evaluated_at_two(struct run_setup *setup, struct run_settings *settings,
                                   const char *const *more)
{
    char cell[TEXT], list[TEXT + 3];

    print_cell(cell, 2, "", "");
    snprintf(list, sizeof list, "[%s]", cell);
    run_settings_init(settings, run_task_folder, more);
    run_setup_init(setup, settings->list, list);
    run_write_job(setup, 1, NULL);
    assert_int_equal(run_attempt(setup, 1), 0);
}

/* The training kept what it inferred of the test split at two outer steps, and nothing of another
 * inference: votes over its evaluations would be those of the last one alone. */
static void a_pool_that_cannot_be_made_is_left_out_and_others_are_not(void **state)
{
    static const char *const more[] = { "train.max_steps=0", "train.epochs=40",
                                        "train.eval_interval=15", "train.untrained_share=0",
                                        NULL };
    static const bool none[] = { false, true, true }, shorter[] = { true, false, true };
    struct run_settings settings;
    struct run_setup setup;
    char cells[3][TEXT];

    (void)state;
    train_evaluated_at_two(&setup, &settings, more);
    print_cell(cells[0], 2, NOISE, POOL[1]);
    print_cell(cells[1], 2, NOISE, "");
    print_cell(cells[2], 2, "", POOL[1]);
    expect_left_out(&setup, 2, cells, none, 3, "has kept no answers of this inference");
    print_cell(cells[0], 1, "", POOL[1]);
    print_cell(cells[1], 3, "", POOL[2]);
    print_cell(cells[2], 3, "", "");
    expect_left_out(&setup, 3, cells, shorter, 3, "has kept no answers at 3 outer steps");
    run_setup_release(&setup);
}

/* With eval.keep_predictions = never, a training whose evaluations pool nothing keeps nothing. */
static void without_anything_kept_only_the_pools_are_left_out(void **state)
{
    static const char *const more[] = {
        "train.max_steps=0",           "train.epochs=40",
        "train.eval_interval=15",      "train.untrained_share=0",
        "eval.keep_predictions=never", NULL
    };
    static const bool made[] = { true, false };
    struct run_settings settings;
    struct run_setup setup;
    char cells[2][TEXT];

    (void)state;
    train_evaluated_at_two(&setup, &settings, more);
    print_cell(cells[0], 1, "", "");
    print_cell(cells[1], 2, "", POOL[2]);
    expect_left_out(&setup, 2, cells, made, 2, "interim evaluations are kept");
    run_setup_release(&setup);
}

/* Such a pool is the last evaluation, whether the training is asked for it or a later job. */
static void a_pool_of_a_training_evaluated_once_is_that_evaluation(void **state)
{
    static const char *const more[] = {
        "train.max_steps=0",           "train.epochs=15",
        "train.eval_interval=15",      "train.untrained_share=0",
        "eval.keep_predictions=never", NULL
    };
    struct run_settings settings;
    struct run_setup setup;
    char cell[TEXT], list[TEXT + 3];

    (void)state;
    print_cell(cell, 2, "", POOL[1]);
    snprintf(list, sizeof list, "[%s]", cell);
    run_settings_init(&settings, run_task_folder, more);
    run_setup_init(&setup, settings.list, list);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    cJSON *trained = run_journal(&setup, 1), *later = alone(&setup, 2, cell);
    assert_int_equal(run_count_events(trained, "evaluation"), 1);
    expect_same(trained, later, cell);
    cJSON_Delete(trained);
    cJSON_Delete(later);
    run_setup_release(&setup);
}

/* The shape stands in the metadata, where the checksum of the older form does not reach. */
static void a_shape_that_the_answers_do_not_have_is_damage(void **state)
{
    enum { ROWS = 2 };
    static const char RUN[] = "run", LONG[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static const char BEFORE[] = "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"shape\":\"2 1\"";
    static const char AFTER[] = "\"aaaaaaaaaaaaaa\",\"shape\":\"2000000000 2000000000\"";
    struct predictions written, read;
    struct error err = { 0 };
    char *path = file_join(run_task_folder, "predictions-1-0.safetensors"), *bytes;
    size_t size;

    (void)state;
    assert_int_equal(sizeof BEFORE, sizeof AFTER);
    assert_int_equal(predictions_allocate(&written, 1, ROWS, 1, &err), 0);
    written.grids.cells = calloc(1, 1);
    written.grids.starts = calloc(1, sizeof *written.grids.starts);
    memset(written.slots[0].answers, 0xff, ROWS * sizeof *written.slots[0].answers);
    snprintf(written.pass, sizeof written.pass, "%s", LONG);
    assert_int_equal(predictions_write(&written, path, RUN, &err), 0);
    assert_int_equal(predictions_read(&read, path, RUN, &err), 0);
    predictions_release(&read);
    assert_int_equal(file_read(&bytes, &size, path, 1 << 20, &err), 0);
    char *place = memmem(bytes, size, BEFORE, sizeof BEFORE - 1);
    assert_non_null(place);
    memcpy(place, AFTER, sizeof AFTER - 1);
    assert_int_equal(file_write_atomic(path, bytes, size, &err), 0);
    assert_int_equal(predictions_read(&read, path, RUN, &err), ERROR_DAMAGED);
    free(bytes);
    free(path);
    predictions_release(&written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_of_inference_costs_one_pass_and_is_what_each_cell_is_alone),
        cmocka_unit_test(rollouts_without_noise_are_plain_and_noise_is_drawn_by_row),
        cmocka_unit_test(a_pool_of_a_training_that_was_killed_and_resumed_has_the_same_bits),
        cmocka_unit_test(a_training_goes_back_behind_damaged_answers_of_its_pool),
        cmocka_unit_test(a_pool_with_damaged_answers_is_refused),
        cmocka_unit_test(a_shape_that_the_answers_do_not_have_is_damage),
        cmocka_unit_test(a_pool_that_cannot_be_made_is_left_out_and_others_are_not),
        cmocka_unit_test(without_anything_kept_only_the_pools_are_left_out),
        cmocka_unit_test(a_pool_of_a_training_evaluated_once_is_that_evaluation),
    };

    return cmocka_run_group_tests_name("pool", tests, run_task_folder_make,
                                       run_task_folder_remove);
}
