/*
 * test_context.c - demonstrations in front of a row's grid: which, where they lie, in which
 * order; what is refused; and trainings with them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "batches.h"
#include "context.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "support/data_room.h"
#include "support/worker_runs.h"

/* A task of four demonstrations and one of a single one, one test each, on canvases of side 4.
 * Demonstration i has the input i and the output i + 5 (one cell); so have tests with 9. */
enum { SIDE = 4, T = SIDE * SIDE, K = 3, C = 2 * K * T };
#define FOUR                                                                                   \
    "{\"train\":[" PAIR(0, 5) "," PAIR(1, 6) "," PAIR(2, 7) "," PAIR(                          \
        3, 8) "],\"test\":[" PAIR(4, 9) "]}"
#define ONE "{\"train\":[" PAIR(1, 6) "],\"test\":[" PAIR(4, 9) "]}"

static struct data_set *open_set(const char *conditioning, const char *augmentations,
                                 const char *translation)
{
    const char *const pairs[] = { "data.canvas",
                                  "4",
                                  "arch.conditioning",
                                  conditioning,
                                  "data.num_aug",
                                  augmentations,
                                  "data.translation",
                                  translation,
                                  "arch.hidden_size",
                                  "8",
                                  NULL };
    struct data_set *set;

    put("training/one.json", ONE);
    put("evaluation/four.json", FOUR);
    const char *message = open_with(&set, room, pairs);
    if (message != NULL)
        fail_msg("%s", message);
    return set;
}

/* The only cell of a canvas as colour, or -1 on one that is PAD throughout; *at: where. */
static int cell_of(const int32_t *canvas, int *at)
{
    int found = -1;

    for (int i = 0; i < T; i++) {
        assert_in_range(canvas[i], 0, 11);
        if (canvas[i] < 2)
            continue;
        assert_int_equal(found, -1);
        found = canvas[i] - 2;
        if (at != NULL)
            *at = i;
    }
    return found;
}

/* The slots of a context are these inputs; -1: empty. Outputs are those of the same pair. */
static void expect_slots(const int32_t *context, const int inputs[K])
{
    for (int k = 0; k < K; k++) {
        int input_at = -1, output_at = -1;
        int input = cell_of(context + 2 * k * T, &input_at);
        int output = cell_of(context + (2 * k + 1) * T, &output_at);

        assert_int_equal(input, inputs[k]);
        assert_int_equal(output, input < 0 ? -1 : input + 5);
        assert_int_equal(input_at, output_at);
    }
}

static void an_evaluation_reads_the_first_demonstrations_in_their_order(void **state)
{
    (void)state;
    struct data_set *set = open_set("context", "0", "true");
    int32_t context[C];

    assert_int_equal(context_length(set), C);
    assert_int_equal(data_set_row_count(set, SPLIT_TEST), 1);
    context_of_row(set, SPLIT_TEST, 0, context);
    expect_slots(context, (const int[]){ 0, 1, 2 });
    for (int k = 0; k < 2 * K; k++) {
        assert_int_equal(context[k * T] >= 2, 1); /* at (0, 0), EOS below and beside */
        assert_int_equal(context[k * T + 1], 1);
        assert_int_equal(context[k * T + SIDE], 1);
    }
    /* rows of the training split: themselves left out, free slots in front */
    for (int row = 0; row < data_set_row_count(set, SPLIT_TRAIN); row++) {
        static const int ONE_ALONE[] = { -1, -1, -1 }, ONE_TEST[] = { -1, -1, 1 };
        static const int OTHERS[][K] = { { 1, 2, 3 }, { 0, 2, 3 }, { 0, 1, 3 }, { 0, 1, 2 } };
        char name[DATA_NAME_SIZE];
        int32_t inputs[T], labels[T], id;
        struct data_row place;

        data_set_row(set, SPLIT_TRAIN, row, &place, inputs, labels, &id);
        context_of_row(set, SPLIT_TRAIN, row, context);
        data_set_task_name(set, SPLIT_TRAIN, place.task, name);
        if (strcmp(name, "four") == 0)
            expect_slots(context, OTHERS[cell_of(inputs, NULL)]);
        else
            expect_slots(context, cell_of(inputs, NULL) == 4 ? ONE_TEST : ONE_ALONE);
    }
    data_set_close(set);
}

/* The inputs of the slots, of an example of the task "four". */
static void read_slots(int out[K], const struct data_set *set, int example, uint64_t visit)
{
    int32_t context[C];

    context_of_example(set, example, visit, context);
    for (int k = 0; k < K; k++) {
        out[k] = cell_of(context + 2 * k * T, NULL);
        assert_int_equal(cell_of(context + (2 * k + 1) * T, NULL), out[k] + 5);
    }
}

static void a_visit_draws_order_and_choice(void **state)
{
    (void)state;
    struct data_set *set = open_set("context", "0", "true");
    int group = data_set_group_pairs(set, 0) == 4 ? 0 : 1;
    int orders = 0, seen[1000] = { 0 };
    int own = data_set_example_number(set, group, 0, 2); /* input 2 */

    for (uint64_t visit = 0; visit < 100; visit++) {
        int slots[K], again[K], other[K];

        read_slots(slots, set, own, visit);
        read_slots(again, set, own, visit);
        assert_memory_equal(slots, again, sizeof slots);
        int mask = 0, code = slots[0] * 100 + slots[1] * 10 + slots[2];
        for (int k = 0; k < K; k++)
            mask |= 1 << slots[k];
        assert_int_equal(mask, 1 << 0 | 1 << 1 | 1 << 3);
        orders += seen[code]++ == 0;
        /* another row of the same visit: the same order without itself */
        read_slots(other, set, data_set_example_number(set, group, 0, 0), visit);
        int first = slots[0] == 0 ? slots[1] : slots[0];
        for (int k = 0, at = -1; k < K; k++)
            if (other[k] != 2) {
                assert_true(at >= 0 || other[k] == first);
                at = k;
            }
    }
    assert_int_equal(orders, 6);
    data_set_close(set);
}

/* A variant's context is that variant's, and in training each pair lies where it lies as an
 * example. */
static void a_context_is_of_the_rows_variant_and_at_the_examples_offsets(void **state)
{
    (void)state;
    struct data_set *set = open_set("context_and_id", "3", "true");
    int group = data_set_group_pairs(set, 0) == 4 ? 0 : 1, moved = 0;

    for (int variant = 0; variant < data_set_group_variants(set, group); variant++) {
        int32_t inputs[4][T], labels[4][T], id, context[C];

        for (int pair = 0; pair < 4; pair++)
            data_set_example(set, data_set_example_number(set, group, variant, pair),
                             inputs[pair], labels[pair], &id);
        context_of_example(set, data_set_example_number(set, group, variant, 3), 7, context);
        for (int k = 0; k < K; k++) {
            int found = 0;

            for (int pair = 0; pair < 3; pair++)
                if (memcmp(context + 2 * k * T, inputs[pair], sizeof inputs[pair]) == 0) {
                    const int32_t *output = context + (2 * k + 1) * T;

                    found++;
                    for (int i = 0; i < T; i++)
                        assert_int_equal(
                            output[i], labels[pair][i] == DATA_NO_LABEL ? 0 : labels[pair][i]);
                    moved += inputs[pair][0] < 2;
                }
            assert_int_equal(found, 1);
        }
    }
    assert_true(moved > 0);
    data_set_close(set);
}

static void a_padded_context_is_pad_and_other_kinds_have_none(void **state)
{
    (void)state;
    struct data_set *set = open_set("padded_id", "0", "true");
    int32_t context[C];
    static const int32_t PAD[C] = { 0 };

    memset(context, 1, sizeof context);
    context_of_row(set, SPLIT_TEST, 0, context);
    assert_memory_equal(context, PAD, sizeof context);
    memset(context, 1, sizeof context);
    context_of_example(set, 0, 3, context);
    assert_memory_equal(context, PAD, sizeof context);
    data_set_close(set);
    set = open_set("puzzle_id", "0", "true");
    assert_int_equal(context_length(set), 0);
    data_set_close(set);
}

/* Rows of a batch are context and grid; a restored position continues with the same. */
static void batches_hold_the_context_before_the_grid(void **state)
{
    (void)state;
    enum { B = 4 };
    static const char *const settings[] = { "data.canvas=4", "arch.conditioning=context",
                                            "arch.hidden_size=8", "train.max_steps=9",
                                            "train.global_batch_size=4" };
    static int32_t inputs[2][B * (C + T)], labels[B * T];
    int32_t ids[B];
    struct data_set *set = open_set("context", "0", "true");
    struct batches *batches[2];
    struct config config;
    struct error err;

    assert_int_equal(config_init(&config, &err), 0);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        char key[64];

        snprintf(key, sizeof key, "%s", settings[i]);
        char *value = strchr(key, '=');
        *value++ = '\0';
        assert_int_equal(config_set_text(&config, key, value, "test", &err), 0);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(batches_create(&batches[i], set, &config, &err), 0);
    for (int step = 0; step < 8; step++) {
        cJSON *place = batches_save(batches[0]);

        assert_int_equal(batches_restore(batches[1], place, &err), 0);
        cJSON_Delete(place);
        for (int i = 0; i < 2; i++)
            assert_int_equal(batches_next(batches[i], inputs[i], labels, ids), BATCHES_READY);
        assert_memory_equal(inputs[0], inputs[1], sizeof inputs[0]);
        for (int b = 0; b < B; b++) {
            const int32_t *row = inputs[0] + b * (C + T);
            int own = cell_of(row + C, NULL);

            for (int k = 0; k < K; k++)
                assert_true(own >= 4 || cell_of(row + 2 * k * T, NULL) != own);
        }
    }
    for (int i = 0; i < 2; i++)
        batches_destroy(batches[i]);
    config_release(&config);
    data_set_close(set);
}

/* What describe says of settings: the message, or NULL. Fresh. */
static char *refusal(const char *path, const char *more)
{
    const char *const arguments[] = { "describe", NULL };
    char *input = format_string("[{\"data.path\":\"%s\"%s}]", path, more), *out;

    assert_int_equal(run_program(arguments, input, &out, NULL), 0);
    cJSON *list = cJSON_Parse(out);
    const cJSON *message = json_member(cJSON_GetArrayItem(list, 0), "error");
    char *text = message != NULL ? strdup(message->valuestring) : NULL;
    cJSON_Delete(list);
    free(input);
    free(out);
    return text;
}

static void expect_words_of(const char *path, const char *more, const char *words)
{
    char *message = refusal(path, more);

    assert_non_null(message);
    if (strstr(message, words) == NULL)
        fail_msg("%s: expected \"%s\"", message, words);
    free(message);
}

static void data_without_demonstrations_are_refused(void **state)
{
    (void)state;
    static const char CONTEXT[] = ",\"arch.conditioning\":\"context\"";
    static const char PADDED[] =
        ",\"arch.conditioning\":\"padded_id\",\"arch.puzzle_emb_ndim\":0";

    expect_words_of("builtin:sudoku", CONTEXT, "boards of data.path = builtin:sudoku");
    expect_words_of("builtin:maze", CONTEXT, "boards of data.path = builtin:maze");
    expect_words_of("builtin:arc-style", PADDED, "arch.puzzle_emb_ndim is 0");
    put("boards/train.csv",
        "source,question,answer,rating\na,1...............,1234341221434321,0\n");
    put("boards/test.csv",
        "source,question,answer,rating\na,1...............,1234341221434321,0\n");
    char *folder = file_join(room, "boards");
    expect_words_of(folder, CONTEXT, "has none beside its tests");
    free(folder);
    char *accepted = refusal("builtin:arc-style", CONTEXT);
    assert_null(accepted);
}

/* 6300 positions of 512 channels, 16 rows at a time. */
static void memory_above_the_limit_is_refused_with_its_bytes(void **state)
{
    (void)state;
    static const char LARGE[] = ",\"arch.conditioning\":\"context\",\"arch.hidden_size\":512,"
                                "\"arch.num_heads\":8,\"train.global_batch_size\":16,"
                                "\"resources.memory_gb\":";
    char *enough = format_string("%s8", LARGE), *less = format_string("%s0.5", LARGE);

    assert_null(refusal("builtin:arc-style", enough));
    expect_words_of("builtin:arc-style", less, "resources.memory_gb = 0.5");
    expect_words_of("builtin:arc-style", less, " bytes (");
    free(enough);
    free(less);
}

/* A stage of the training with more calls, all of which keep activations, counts. */
static void memory_of_the_largest_stage_is_what_counts(void **state)
{
    (void)state;
    static const char STAGES[] =
        ",\"arch.gradient_horizon\":0,\"resources.memory_gb\":2,\"train.cycle_schedule\":"
        "[{\"until\":0.5,\"H_cycles\":%d,\"L_cycles\":%d},"
        "{\"until\":1,\"H_cycles\":2,\"L_cycles\":2}]";
    char *few = format_string(STAGES, 1, 1), *many = format_string(STAGES, 40, 40);

    assert_null(refusal("builtin:arc-style", few));
    expect_words_of("builtin:arc-style", many, "resources.memory_gb = 2");
    free(few);
    free(many);
}

#define EVALUATION                                                                             \
    "[{\"eval.halt_max_steps\":2,\"eval.augmentations\":\"all\",\"eval.act_inference\":false"  \
    ",\"eval.seed\":0,\"eval.split\":\"test\"}]"

/* The weights after a training with these settings; stopped: interrupted once, and resumed. */
static char *train(const char *const *more, bool stopped, double *parameters)
{
    char tasks[64];
    struct run_settings settings;
    struct run_setup setup;

    run_make_tasks(tasks);
    run_settings_init(&settings, tasks, more);
    run_setup_init(&setup, settings.list, EVALUATION);
    run_write_job(&setup, 1, NULL);
    pid_t keeper = run_start(&setup, 1);
    if (stopped) {
        run_wait_event(&setup, 1, "checkpoint", 5);
        kill(keeper, SIGTERM);
    }
    assert_int_equal(run_wait(keeper), stopped ? 130 : 0);
    if (stopped) {
        run_write_job(&setup, 2, NULL);
        assert_int_equal(run_attempt(&setup, 2), 0);
        cJSON *journal = run_journal(&setup, 2);
        assert_int_equal(run_count_events(journal, "resume"), 1);
        cJSON_Delete(journal);
    }
    if (parameters != NULL) {
        cJSON *journal = run_journal(&setup, 1);
        *parameters = json_member(run_last_event(journal, "begin"), "parameters")->valuedouble;
        assert_true(*parameters == json_member(setup.described, "parameters")->valuedouble);
        cJSON_Delete(journal);
    }
    char *hash = run_event_text(&setup, stopped ? 2 : 1, "end", "weights_hash");
    run_setup_release(&setup);
    assert_int_equal(file_remove_tree(tasks, NULL), 0);
    return hash;
}

static void no_pairs_and_no_id_are_no_puzzle_embedding(void **state)
{
    (void)state;
    static const char *const NONE[] = { "arch.conditioning=context", "data.context_pairs=0",
                                        NULL };
    static const char *const PLAIN[] = { "arch.puzzle_emb_ndim=0", NULL };
    double parameters, plain_parameters;
    char *none = train(NONE, false, &parameters),
         *plain = train(PLAIN, false, &plain_parameters);

    assert_true(parameters == plain_parameters);
    assert_string_equal(none, plain);
    free(none);
    free(plain);
}

static void a_training_with_contexts_resumes_with_the_same_bits(void **state)
{
    (void)state;
    static const char *const CONTEXT[] = { "arch.conditioning=context_and_id",
                                           "data.context_pairs=2", "train.max_steps=80",
                                           "train.checkpoint_interval=0.02", NULL };
    static const char *const PADDED[] = { "arch.conditioning=padded_id", "data.context_pairs=2",
                                          "train.max_steps=80",
                                          "train.checkpoint_interval=0.02", NULL };
    double parameters, padded_parameters;
    char *whole = train(CONTEXT, false, &parameters), *resumed = train(CONTEXT, true, NULL);
    char *padded = train(PADDED, false, &padded_parameters);

    assert_string_equal(whole, resumed);
    assert_string_not_equal(whole, padded);
    assert_true(parameters == padded_parameters); /* of the same length and size */
    free(whole);
    free(resumed);
    free(padded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_evaluation_reads_the_first_demonstrations_in_their_order, make_room,
            remove_room),
        cmocka_unit_test_setup_teardown(a_visit_draws_order_and_choice, make_room, remove_room),
        cmocka_unit_test_setup_teardown(
            a_context_is_of_the_rows_variant_and_at_the_examples_offsets, make_room,
            remove_room),
        cmocka_unit_test_setup_teardown(a_padded_context_is_pad_and_other_kinds_have_none,
                                        make_room, remove_room),
        cmocka_unit_test_setup_teardown(batches_hold_the_context_before_the_grid, make_room,
                                        remove_room),
        cmocka_unit_test_setup_teardown(data_without_demonstrations_are_refused, make_room,
                                        remove_room),
        cmocka_unit_test(memory_above_the_limit_is_refused_with_its_bytes),
        cmocka_unit_test(memory_of_the_largest_stage_is_what_counts),
        cmocka_unit_test(no_pairs_and_no_id_are_no_puzzle_embedding),
        cmocka_unit_test(a_training_with_contexts_resumes_with_the_same_bits),
    };

    return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
