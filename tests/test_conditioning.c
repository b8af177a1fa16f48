/*
 * test_conditioning.c - puzzle ids in training and at inference: blank, another task's, their mean;
 * each evaluated in a pass of its own, and none leaves a trace in the others. Cycles that change
 * in the course of a training.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "id_exchange.h"
#include "json.h"
#include "puzzle_ids.h"
#include "support/worker_runs.h"

#define EVALUATION(ids)                                                                        \
    "{\"eval.halt_max_steps\":2,\"eval.augmentations\":\"all\",\"eval.act_inference\":false"   \
    ",\"eval.seed\":0,\"eval.split\":\"test\"" ids "}"
#define BLANK ",\"eval.puzzle_id\":\"blank\""
#define RANDOM ",\"eval.puzzle_id\":\"random\""
#define MEAN ",\"eval.puzzle_id\":\"mean\""

static const char OWN_ONLY[] = "[" EVALUATION("") "]";
static const char ALL[] =
    "[" EVALUATION(MEAN) "," EVALUATION(BLANK) "," EVALUATION("") "," EVALUATION(RANDOM) "]";
enum { IDS = 4, OWN = 2 };
static const char *const ALONE[IDS] = {
    "[" EVALUATION(MEAN) "]",
    "[" EVALUATION(BLANK) "]",
    "[" EVALUATION("") "]",
    "[" EVALUATION(RANDOM) "]",
};

/* Token loss of the only evaluation of these ids at the last checkpoint. */
static double loss_of(const cJSON *journal, const char *ids)
{
    const cJSON *event;
    cJSON *evaluation = cJSON_Parse(ids);
    double loss = -1.0;

    assert_non_null(evaluation);
    cJSON_ArrayForEach(event, journal)
    {
        const char *type = json_member(event, "type")->valuestring;

        if (strcmp(type, "evaluation") == 0 &&
            strcmp(json_member(event, "checkpoint")->valuestring, "last") == 0 &&
            cJSON_Compare(json_member(event, "evaluation"), evaluation->child, 1))
            loss = json_member(event, "lm_loss")->valuedouble;
    }
    cJSON_Delete(evaluation);
    assert_true(loss > 0.0);
    return loss;
}

static void every_kind_of_id_is_what_it_is_alone(void **state)
{
    struct run_settings settings;
    struct run_setup setup;
    double loss[IDS];

    (void)state;
    run_settings_init(&settings, run_task_folder, NULL);
    run_setup_init(&setup, settings.list, ALL);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    cJSON *journal = run_journal(&setup, 1);
    for (int i = 0; i < IDS; i++) {
        loss[i] = loss_of(journal, ALONE[i]);
        for (int k = 0; k < i; k++)
            assert_true(loss[k] != loss[i]);
    }
    cJSON_Delete(journal);
    for (int i = 0; i < IDS; i++) {
        setup.evaluations = ALONE[i];
        run_write_job(&setup, 2 + i, "attempts/1/final.safetensors");
        assert_int_equal(run_attempt(&setup, 2 + i), 0);
        journal = run_journal(&setup, 2 + i);
        assert_true(loss_of(journal, ALONE[i]) == loss[i]);
        cJSON_Delete(journal);
    }
    run_setup_release(&setup);
}

/* Loss and weights of a training with this conditioning. */
static double train_with(char **weights, double *puzzle_parameters, const char *const *more)
{
    struct run_settings settings;
    struct run_setup setup;

    run_settings_init(&settings, run_task_folder, more);
    run_setup_init(&setup, settings.list, OWN_ONLY);
    *puzzle_parameters = json_member(setup.described, "puzzle_parameters")->valuedouble;
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    cJSON *journal = run_journal(&setup, 1);
    double loss = loss_of(journal, OWN_ONLY);
    *weights = run_event_text(&setup, 1, "end", "weights_hash");
    cJSON_Delete(journal);
    run_setup_release(&setup);
    return loss;
}

static double train(char **weights, double *puzzle_parameters, const char *conditioning)
{
    return train_with(weights, puzzle_parameters, (const char *const[]){ conditioning, NULL });
}

static void training_by_ids_by_none_and_by_ids_of_others(void **state)
{
    char *own, *random, *blank, *shifted;
    double rows, random_rows, blank_rows;

    (void)state;
    double own_loss = train(&own, &rows, "arch.conditioning=puzzle_id");
    double random_loss = train(&random, &random_rows, "arch.conditioning=random_id");
    double shift_loss = train_with(&shifted, &random_rows,
                                   (const char *const[]){ "arch.conditioning=random_id",
                                                          "arch.random_id_map=shift", NULL });
    double blank_loss = train(&blank, &blank_rows, "arch.conditioning=blank");

    assert_string_equal(own, random); /* trained alike, evaluated by other ids */
    assert_string_equal(shifted, random);
    assert_true(own_loss != random_loss && shift_loss != random_loss);
    assert_true(rows == random_rows && rows > 1.5 * blank_rows);
    assert_string_not_equal(own, blank);
    assert_true(own_loss != blank_loss);
    free(own);
    free(random);
    free(shifted);
    free(blank);
}

/* A curriculum over cycles trains another model, with fewer FLOPs; its evaluations, and a stage
 * after an interim evaluation, find the cycles that are theirs. */
static void cycles_may_change_in_the_course_of_a_training(void **state)
{
    (void)state;
    static const char STAGES[] =
        "train.cycle_schedule=[{\"until\":0.5,\"H_cycles\":1,\"L_cycles\":1},"
        "{\"until\":1,\"H_cycles\":2,\"L_cycles\":2}]";
    char *plain, *scheduled, *again;
    double rows;

    double plain_loss = train(&plain, &rows, "train.lr_min_ratio=1");
    double loss = train(&scheduled, &rows, STAGES);
    assert_string_not_equal(plain, scheduled);
    assert_true(loss != plain_loss);
    assert_true(train(&again, &rows, STAGES) == loss);
    assert_string_equal(scheduled, again);
    free(plain);
    free(scheduled);
    free(again);
}

/* Every id goes to one of another task, no two to the same; also where ids of a task do not stand
 * together, and where one or two tasks have half of them. */
static void an_exchange_is_a_bijection_without_ids_of_the_own_task(void **state)
{
    (void)state;
    enum { N = 60 };
    static const int TASKS[] = { 2, 3, 7, N };

    for (size_t k = 0; k < sizeof TASKS / sizeof *TASKS; k++)
        for (uint64_t seed = 0; seed < 40; seed++) {
            struct random_stream stream = random_stream(seed, "test", k);
            uint64_t owners[N];
            int32_t map[N];
            bool seen[N] = { false };
            int most;

            for (int i = 0; i < N; i++)
                owners[i] = (uint64_t)(seed % 2 == 0 ? i % TASKS[k] : i * TASKS[k] / N);
            assert_true(id_exchange_draw(map, &most, owners, N, &stream));
            assert_int_equal(most, (N + TASKS[k] - 1) / TASKS[k]);
            for (int i = 0; i < N; i++) {
                assert_in_range(map[i], 0, N - 1);
                assert_false(seen[map[i]]);
                seen[map[i]] = true;
                assert_true(owners[map[i]] != owners[i]);
            }
        }
    /* one task with half of the ids, and many small ones; then with one more */
    for (int own = N / 2; own <= N / 2 + 1; own++) {
        struct random_stream stream = random_stream(1, "test", 9);
        uint64_t owners[N];
        int32_t map[N];
        int most;

        for (int i = 0; i < N; i++)
            owners[i] = i < own ? 0 : (uint64_t)i;
        assert_int_equal(id_exchange_draw(map, &most, owners, N, &stream), own == N / 2);
        assert_int_equal(most, own);
        for (int i = 0; own == N / 2 && i < N; i++)
            assert_true(owners[map[i]] != owners[i]);
    }
}

/* Every id goes to another, no two to one, and the blank stays. */
static void a_shift_is_a_bijection(void **state)
{
    (void)state;
    enum { N = 12, TASK = 4 };
    for (int shift = TASK; shift <= N - TASK; shift++) {
        const struct puzzle_way way = { .shift = shift, .modulo = N };
        bool seen[N + 1] = { false };

        assert_int_equal(puzzle_way_id(&way, 0), 0);
        for (int32_t id = 1; id <= N; id++) {
            int32_t to = puzzle_way_id(&way, id);

            assert_in_range(to, 1, N);
            assert_false(seen[to]);
            seen[to] = true;
            assert_true((to - 1) / TASK != (id - 1) / TASK || shift % TASK != 0);
            assert_true(abs(to - id) >= TASK);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_id_is_what_it_is_alone),
        cmocka_unit_test(training_by_ids_by_none_and_by_ids_of_others),
        cmocka_unit_test(cycles_may_change_in_the_course_of_a_training),
        cmocka_unit_test(an_exchange_is_a_bijection_without_ids_of_the_own_task),
        cmocka_unit_test(a_shift_is_a_bijection),
    };

    return cmocka_run_group_tests_name("conditioning", tests, run_task_folder_make,
                                       run_task_folder_remove);
}
