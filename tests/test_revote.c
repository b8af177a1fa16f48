/*
 * test_revote.c - evaluations worked out from the answers that an earlier one has kept: votes,
 * pools, halting rules, fewer outer steps and rollouts, as a new inference finds them, bit for bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "file.h"
#include "json.h"
#include "support/place.h"
#include "support/worker_runs.h"

#define CELL(steps, act, more)                                                                 \
    "{\"eval.halt_max_steps\":" steps ",\"eval.augmentations\":\"all\""                        \
    ",\"eval.act_inference\":" act ",\"eval.seed\":0,\"eval.split\":\"test\"" more "}"
#define FEW(steps, more)                                                                       \
    "{\"eval.halt_max_steps\":" steps ",\"eval.augmentations\":2"                              \
    ",\"eval.act_inference\":false,\"eval.seed\":5,\"eval.split\":\"test\"" more "}"
#define Q ",\"eval.halt_rule\":\"q\""
#define POSITIVE ",\"eval.halt_rule\":\"q_positive\""
#define STABLE(n) ",\"eval.halt_rule\":\"stable\",\"eval.halt_patience\":" n
#define RESIDUAL(e) ",\"eval.halt_epsilon\":" e ",\"eval.halt_rule\":\"residual\""
#define POOL(n) ",\"eval.pool_checkpoints\":" n
#define NOISE(n) ",\"eval.init_noise\":2,\"eval.rollouts\":" n
#define RAW ",\"eval.weights\":\"raw\""
#define TRAIN_SPLIT(steps)                                                                     \
    "{\"eval.halt_max_steps\":" steps ",\"eval.augmentations\":\"all\""                        \
    ",\"eval.act_inference\":false,\"eval.seed\":0,\"eval.split\":\"train\"}"

/* What is evaluated while the run trains: one evaluation of each pass, with its most outer steps
 * and rollouts. */
static const char TRAINED[] = "[" CELL("6", "false", "") "," CELL("5", "true", Q) "," CELL(
    "4", "false", NOISE("3")) "," TRAIN_SPLIT("3") "]";

/* What follows from it. */
static const char *const CELLS[] = {
    CELL("1", "false", ""),
    CELL("6", "false", STABLE("2")),
    CELL("5", "false", RESIDUAL("0.3")),
    CELL("4", "false", POSITIVE),
    CELL("6", "false", Q POOL("2")),
    CELL("3", "false", STABLE("1") POOL("\"all\"")),
    FEW("2", ""),
    FEW("6", RESIDUAL("0.5") POOL("3")),
    CELL("3", "true", Q),
    CELL("4", "false", NOISE("2")),
    CELL("3", "false", ",\"eval.choose\":\"q\"" NOISE("3")),
    CELL("4", "false", ",\"eval.choose\":\"first_halt\"" NOISE("3") STABLE("1")),
    CELL("2", "false", NOISE("3") POOL("\"all\"")),
    TRAIN_SPLIT("2"),
};
enum { COUNT = sizeof CELLS / sizeof *CELLS, TEXT = 4000 };

static void list_cells(char out[TEXT])
{
    size_t used = 0;

    for (int i = 0; i < COUNT; i++)
        used += (size_t)snprintf(out + used, TEXT - used, "%s%s", i == 0 ? "[" : ",", CELLS[i]);
    snprintf(out + used, TEXT - used, "]");
}

static const cJSON *find_event(const cJSON *journal, const char *type, const char *cell)
{
    const cJSON *event, *found = NULL;
    cJSON *wanted = cJSON_Parse(cell);

    assert_non_null(wanted);
    cJSON_ArrayForEach(
        event, journal) if (strcmp(json_member(event, "type")->valuestring, type) == 0 &&
                            cJSON_Compare(json_member(event, "evaluation"), wanted, 1)) found =
        event;
    cJSON_Delete(wanted);
    if (found == NULL)
        fail_msg("no %s of %s", type, cell);
    return found;
}

/* The event's numbers, but for its place in the journal and the time that it took. Fresh. */
static char *numbers_of(const cJSON *event)
{
    static const char *const OWN[] = { "h", "n", "t", "seconds" };
    cJSON *copy = cJSON_Duplicate(event, 1);

    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(copy, OWN[i]);
    char *text = json_canonical(copy);
    cJSON_Delete(copy);
    assert_non_null(text);
    return text;
}

static void expect_same(const cJSON *a, const cJSON *b, const char *cell)
{
    static const char *const TYPES[] = { "evaluation", "outcome" };

    for (int i = 0; i < 2; i++) {
        char *one = numbers_of(find_event(a, TYPES[i], cell));
        char *other = numbers_of(find_event(b, TYPES[i], cell));

        assert_string_equal(one, other);
        free(one);
        free(other);
    }
}

static void expect_log(const struct run_setup *setup, int attempt, const char *words)
{
    char *path = run_path(setup, attempt, "log"), *log;
    size_t size;

    assert_int_equal(file_read(&log, &size, path, 1 << 20, NULL), 0);
    if (memmem(log, size, words, strlen(words)) == NULL)
        fail_msg("not said: %s; but %.*s", words, (int)size, log);
    free(log);
    free(path);
}

/* Evaluates the list in an attempt of its own, from kept answers or by inference. Its exit
 * code. */
static int evaluate(struct run_setup *setup, int attempt, const char *list, bool kept)
{
    struct error err = { 0 };

    setup->evaluations = list;
    assert_int_equal(config_set_text(&setup->config, "eval.answers", kept ? "kept" : "inferred",
                                     "a test", &err),
                     0);
    run_write_job(setup, attempt, "attempts/1/final.safetensors");
    return run_attempt(setup, attempt);
}

/* Removes what a pattern finds in the run's attempts; returns how many files. */
static int remove_files(const struct run_setup *setup, const char *pattern)
{
    char whole[200];
    glob_t found;

    snprintf(whole, sizeof whole, "%s/attempts/%s", setup->directory, pattern);
    if (glob(whole, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc; i++)
        assert_int_equal(unlink(found.gl_pathv[i]), 0);
    int count = (int)found.gl_pathc;
    globfree(&found);
    return count;
}

static void
kept_answers_give_the_numbers_of_a_new_inference_and_say_what_they_lack(void **state)
{
    static const char *const MORE[] = { "train.eval_interval=4", "train.untrained_share=0",
                                        NULL };
    static char all[TEXT];
    struct run_settings settings;
    struct run_setup setup;
    char tasks[64];

    (void)state;
    list_cells(all);
    run_make_tasks(tasks);
    run_settings_init(&settings, tasks, MORE);
    run_setup_init(&setup, settings.list, TRAINED);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    assert_int_equal(evaluate(&setup, 2, all, true), 0);
    assert_int_equal(remove_files(&setup, "2/answers-*"), 0); /* it keeps nothing again */
    assert_int_equal(evaluate(&setup, 3, all, false), 0);
    cJSON *kept = run_journal(&setup, 2), *inferred = run_journal(&setup, 3);
    for (int i = 0; i < COUNT; i++)
        expect_same(kept, inferred, CELLS[i]);
    cJSON_Delete(kept);
    cJSON_Delete(inferred);
    assert_int_equal(remove_files(&setup, "3/answers-*"), 4);
    /* what was never computed */
    assert_int_equal(evaluate(&setup, 4, "[" CELL("7", "false", "") "]", true), 2);
    expect_log(&setup, 4, "reach 6 outer steps and 1 rollouts, and 7 and 1");
    assert_int_equal(evaluate(&setup, 5, "[" CELL("4", "false", NOISE("4")) "]", true), 2);
    expect_log(&setup, 5, "reach 4 outer steps and 3 rollouts, and 4 and 4");
    assert_int_equal(
        evaluate(&setup, 6, "[" CELL("4", "false", ",\"eval.trajectory\":true") "]", true), 2);
    expect_log(&setup, 6, "eval.trajectory");
    assert_int_equal(evaluate(&setup, 7, "[" CELL("5", "true", STABLE("1")) "]", true), 2);
    expect_log(&setup, 7, "no predictions of this inference are kept");
    /* four passes of each evaluation: pruned, pools are refused to inference, too */
    assert_true(remove_files(&setup, "1/answers-*") >= 3 * 4);
    assert_int_equal(evaluate(&setup, 8, "[" CELL("4", "false", POOL("2")) "]", false), 2);
    expect_log(&setup, 8, "no predictions of this training's interim evaluations are kept");
    run_setup_release(&setup);
    assert_int_equal(file_remove_tree(tasks, NULL), 0);
}

static void what_is_kept_is_set_and_damage_is_not_read(void **state)
{
    static const char *const MORE[] = { "train.untrained_share=0", NULL };
    struct run_settings settings;
    struct run_setup setup;
    struct error err = { 0 };
    char tasks[64], whole[200];
    glob_t found;

    (void)state;
    run_make_tasks(tasks);
    run_settings_init(&settings, tasks, MORE);
    run_setup_init(&setup, settings.list, "[" CELL("3", "false", "") "]");
    assert_int_equal(
        config_set_text(&setup.config, "eval.keep_predictions", "never", "a test", &err), 0);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    assert_int_equal(remove_files(&setup, "1/answers-*"), 0);
    assert_int_equal(evaluate(&setup, 2, "[" CELL("2", "false", "") "]", true), 2);
    expect_log(&setup, 2, "no predictions of this inference are kept");
    assert_int_equal(
        config_set_text(&setup.config, "eval.keep_predictions", "always", "a test", &err), 0);
    assert_int_equal(evaluate(&setup, 3, "[" CELL("3", "false", "") "]", false), 0);
    assert_int_equal(evaluate(&setup, 4, "[" CELL("2", "false", "") "]", true), 0);
    snprintf(whole, sizeof whole, "%s/attempts/3/answers-*", setup.directory);
    assert_int_equal(glob(whole, 0, NULL, &found), 0);
    FILE *file = fopen(found.gl_pathv[0], "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -1, SEEK_END), 0);
    int last = fgetc(file);
    assert_int_equal(fseek(file, -1, SEEK_END), 0);
    fputc(last ^ 1, file);
    fclose(file);
    globfree(&found);
    assert_int_equal(evaluate(&setup, 5, "[" CELL("2", "false", "") "]", true), 2);
    expect_log(&setup, 5, "its checksum does not match; passed over");
    run_setup_release(&setup);
    assert_int_equal(file_remove_tree(tasks, NULL), 0);
}

/* The numbers of a journal's evaluation, whatever it is called. Fresh. */
static char *results_of(const cJSON *journal, const char *cell)
{
    cJSON *copy = cJSON_Duplicate(find_event(journal, "evaluation", cell), 1);

    cJSON_DeleteItemFromObjectCaseSensitive(copy, "evaluation");
    char *text = numbers_of(copy);
    cJSON_Delete(copy);
    return text;
}

/* A training's evaluations of this list; its journal. */
static cJSON *train(struct run_setup *setup, const char *tasks, const char *rate,
                    const char *list)
{
    const char *const more[] = { rate, "train.untrained_share=0", NULL };
    struct run_settings settings;

    run_settings_init(&settings, tasks, more);
    run_setup_init(setup, settings.list, list);
    run_write_job(setup, 1, NULL);
    assert_int_equal(run_attempt(setup, 1), 0);
    return run_journal(setup, 1);
}

static void the_weights_are_evaluated_beside_their_averages(void **state)
{
    static const char BOTH[] = "[" CELL("3", "false", "") "," CELL("3", "false", RAW) "]";
    struct run_setup averaged, plain;
    char tasks[64];

    (void)state;
    run_make_tasks(tasks);
    cJSON *both = train(&averaged, tasks, "train.ema_rate=0.9", BOTH);
    cJSON *without = train(&plain, tasks, "train.ema_rate=0", "[" CELL("3", "false", "") "]");
    char *average = results_of(both, CELL("3", "false", ""));
    char *raw = results_of(both, CELL("3", "false", RAW));
    char *only = results_of(without, CELL("3", "false", ""));
    assert_string_equal(raw, only); /* averages change nothing of the training */
    assert_string_not_equal(raw, average);
    assert_int_equal(evaluate(&averaged, 2, BOTH, true), 0);
    assert_int_equal(evaluate(&averaged, 3, "[" CELL("3", "false", RAW) "]", false), 0);
    cJSON *kept = run_journal(&averaged, 2), *alone = run_journal(&averaged, 3);
    expect_same(both, kept, CELL("3", "false", ""));
    expect_same(both, kept, CELL("3", "false", RAW));
    expect_same(both, alone, CELL("3", "false", RAW));
    cJSON_Delete(both);
    cJSON_Delete(without);
    cJSON_Delete(kept);
    cJSON_Delete(alone);
    free(average);
    free(raw);
    free(only);
    run_setup_release(&averaged);
    run_setup_release(&plain);
    assert_int_equal(file_remove_tree(tasks, NULL), 0);
}

/* A spec of one small run with these evaluations; its path. */
static void write_spec(const struct place *place, char path[100], const char *name,
                       const char *evaluate)
{
    struct error err = { 0 };
    char *text = format_string(
        "{\"name\": \"%s\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
        " \"arch.num_heads\": 2, \"arch.H_layers\": 1, \"arch.L_layers\": 1,"
        " \"train.max_steps\": 4, \"train.global_batch_size\": 4}, \"seeds\": [0, 1],"
        " \"evaluate\": %s}",
        name, evaluate);

    assert_non_null(text);
    snprintf(path, 100, "%s/%s.json", place->directory, name);
    assert_int_equal(file_write_atomic(path, text, strlen(text), &err), 0);
    free(text);
}

/* A pair of one arm's evaluations is labelled by the setting in which they differ. */
static void expect_pair_of_rules(const struct place *place)
{
    const char *const words[] = { "compare",
                                  "b",
                                  "eval.halt_max_steps=3 eval.halt_rule=max",
                                  "eval.halt_max_steps=3 eval.halt_rule=stable",
                                  "--format",
                                  "csv",
                                  NULL };
    char *out, *errors;

    if (place_run(place, words, &out, &errors) != 0)
        fail_msg("%s", errors);
    if (strstr(out, "voted all, halt_rule stable - infer 3, voted all, halt_rule max") == NULL)
        fail_msg("%s", out);
    free(out);
    free(errors);
}

static void the_command_adds_evaluations_and_says_once_what_is_missing(void **state)
{
    static const char RESULTS[] =
        "SELECT group_concat(seed || ' ' || eval_outer_steps || ' ' || printf('%.17g %.17g',"
        " pass_at_2, per_token_accuracy), ';') FROM (SELECT * FROM v_results WHERE"
        " experiment = 'b' ORDER BY seed, evaluation_id)";
    struct place place, other;
    char a[100], b[100];

    (void)state;
    place_make(&place);
    write_spec(&place, a, "a", "{\"eval.halt_max_steps\": [4]}");
    write_spec(&place, b, "b",
               "{\"eval.halt_max_steps\": [1, 3], \"eval.halt_rule\": [\"max\", \"stable\"]}");
    assert_int_equal(place_finish(place_start(&place, "queue", a, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "revote", b, NULL)), 2);
    assert_int_equal(place_finish(place_start(&place, "run", a, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "revote", b, NULL)), 0);
    place_expect(&place, "SELECT count(*) FROM job WHERE kind = 'train'", "2");
    place_expect(&place, "SELECT count(*) FROM v_results WHERE experiment = 'b'", "8");
    expect_pair_of_rules(&place);
    char *revoted = place_ask(&place, RESULTS);
    place_make(&other);
    assert_int_equal(place_finish(place_start(&other, "run", a, NULL)), 0);
    assert_int_equal(place_finish(place_start(&other, "run", b, NULL)), 0);
    place_expect(&other, RESULTS, revoted);
    free(revoted);
    place_remove(&other);
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", NULL)), 0);
    assert_true(place_output_has(&place, "predictions (hrmlab revote needs them)"));
    assert_int_equal(place_finish(place_start(&place, "revote", b, "--set",
                                              "eval.halt_max_steps=2", "--new", NULL)),
                     2);
    assert_true(place_output_has(&place, "of 2 of 2 runs of b no predictions are kept"));
    place_expect(&place, "SELECT count(*) FROM experiment", "2");
    assert_int_equal(place_finish(place_start(&place, "run", b, "--set",
                                              "eval.halt_max_steps=2", "--new", NULL)),
                     0);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            kept_answers_give_the_numbers_of_a_new_inference_and_say_what_they_lack),
        cmocka_unit_test(what_is_kept_is_set_and_damage_is_not_read),
        cmocka_unit_test(the_weights_are_evaluated_beside_their_averages),
        cmocka_unit_test(the_command_adds_evaluations_and_says_once_what_is_missing),
    };

    return cmocka_run_group_tests_name("revote", tests, NULL, NULL);
}
