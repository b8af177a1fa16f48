/* test_settings.c - the table of settings, resolution, canonical form, identity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "evaluation_keys.h"
#include "json.h"
#include "random.h"
#include "seeded.h"
#include "settings.h"
#include "shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set(struct config *config, const char *key, const char *value)
{
    struct error err = { 0 };

    if (config_set_text(config, key, value, "test", &err) < 0)
        fail_msg("%s", err.message);
}

static void hash_of(char hex[65], struct config *config)
{
    struct error err = { 0 };

    if (config_resolve(config, "test", &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(config_run_hash(hex, config, "data", &err), 0);
}

static void every_setting_is_complete_and_its_default_is_legal(void **state)
{
    (void)state;
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting *s = &settings_table[i];
        struct config config;
        struct error err = { 0 };
        assert_non_null(s->key);
        assert_non_null(strchr(s->key, '.'));
        assert_true(strlen(s->meaning) > 5);
        assert_int_equal(setting_find(s->key), i);
        assert_int_equal(config_init(&config, &err), 0);
        set(&config, s->key, s->default_text);
        set(&config, s->key, s->absent_means);
        config_release(&config);
    }
}

static void wrong_values_are_refused_with_what_is_allowed(void **state)
{
    static const char *const cases[][3] = {
        { "arch.num_heads", "3.5", "an integer from 1" },
        { "arch.num_heads", "0", "an integer from 1" },
        { "arch.name", "gpt", "\"hrm\", \"transformer\"" },
        { "train.lr", "\"fast\"", "a number from 0" },
        { "arch.act_enabled", "1", "true or false" },
        { "eval.augmentations", "\"some\"", "or \"all\"" },
        { "eval.augmentations", "0", "or \"all\"" },
        { "train.lr", "", "train.lr = \"\": expected a number from 0" },
        { "train.lr", "1e999", "train.lr = \"1e999\": expected a number" },
        { "arch.act_enabled", "yes", "arch.act_enabled = \"yes\": expected true or false" },
        { "arch.H_cycles", "two", "arch.H_cycles = \"two\": expected an integer" },
        { "train.seed", "nan", "train.seed = \"nan\": expected an integer" },
        { "eval.augmentations", "some", "or \"all\"" },
        { "data.path", "\"/unclosed", "the text ends inside a string" },
        { "data.path", "caf\xe9", "data.path: the byte 0xe9 is not UTF-8" },
        { "data.path", "a,caf\xc3", "data.path: the byte 0xc3 is not UTF-8" },
        { "arch.num_head", "4", "did you mean \"arch.num_heads\"" },
        { "hidden_size", "4", "arch.hidden_size" },
    };
    struct config config;
    struct error err;

    (void)state;
    assert_int_equal(config_init(&config, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(&err, 0, sizeof err);
        assert_int_equal(config_set_text(&config, cases[i][0], cases[i][1], "--set", &err),
                         ERROR_FORMAT);
        if (strstr(err.message, cases[i][2]) == NULL)
            fail_msg("\"%s\" lacks \"%s\"", err.message, cases[i][2]);
    }
    config_release(&config);
}

/* Only places are listed by commas: other texts may have some. */
static void a_comma_separates_places_and_nothing_else(void **state)
{
    static const struct {
        const char *key, *text;
        enum setting_id id;
        int count;
    } cases[] = {
        { "data.path", "no/such/a,no/such/b", DATA_PATH, 2 },
        { "slurm.setup", "export A=1,2", SLURM_SETUP, 1 },
        { "slurm.setup", "[\"export A=1,2\", \"true\"]", SLURM_SETUP, 2 },
        { "slurm.setup", "[\"[ -e a ]\"]", SLURM_SETUP, 1 }, /* a test of the shell */
        { "slurm.setup", "[ \"$A\" = 1 ] && true", SLURM_SETUP, 1 },
        { "slurm.setup", "[[ -e a ]] || exit", SLURM_SETUP, 1 },
        { "slurm.setup", "[ \"true\", \"true\" ]", SLURM_SETUP, 2 },
        { "slurm.additional_parameters", "gres=gpu:1,tmp:10G", SLURM_ADDITIONAL_PARAMETERS, 1 },
    };
    struct config config;
    struct error err;

    (void)state;
    assert_int_equal(config_init(&config, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set(&config, cases[i].key, cases[i].text);
        cJSON *texts = config_get_texts(&config, cases[i].id);
        assert_int_equal(cJSON_GetArraySize(texts), cases[i].count);
        cJSON_Delete(texts);
    }
    config_release(&config);
}

static void contradictions_are_refused(void **state)
{
    static const char *const cases[][4] = {
        { "arch.num_heads", "3", "arch.hidden_size", "128" },
        { "arch.num_heads", "2", "arch.hidden_size", "6" }, /* head size 3 with RoPE */
        { "arch.puzzle_emb_len", "1", "arch.puzzle_emb_ndim", "200" },
        { "data.sudoku_side", "5", "data.path", "builtin:sudoku" },
        { "data.path", "builtin:chess", "arch.num_heads", "4" },
        { "train.micro_batch", "12", "train.global_batch_size", "32" },
        { "train.micro_batch", "64", "train.global_batch_size", "32" },
        { "data.task_share", "0.5", "data.subset", "evaluation-only" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config;
        struct error err = { 0 };
        assert_int_equal(config_init(&config, &err), 0);
        set(&config, cases[i][0], cases[i][1]);
        set(&config, cases[i][2], cases[i][3]);
        assert_int_equal(config_resolve(&config, "test", &err), ERROR_FORMAT);
        assert_non_null(strstr(err.message, cases[i][0]));
        config_release(&config);
    }
}

/* Three settings that contradict each other together; the first is named. */
static void contradictions_of_three_are_refused(void **state)
{
    static const char BASE[] = "{\"train.max_steps\":5}";
    static const char STAGES[] = "[{\"until\":0.5,\"H_cycles\":1,\"L_cycles\":1},"
                                 "{\"until\":1,\"H_cycles\":2,\"L_cycles\":1}]";
    static const char *const cases[][6] = {
        { "train.freeze", "trunk", "train.init_from", BASE, "arch.puzzle_emb_ndim", "0" },
        { "train.freeze", "puzzle", "train.init_from", BASE, "arch.puzzle_emb_ndim", "0" },
        { "train.freeze", "trunk_first", "train.init_from", BASE, "arch.conditioning",
          "context" },
        { "arch.match", "flops", "train.cycle_schedule", STAGES, "arch.name", "transformer" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config;
        struct error err = { 0 };

        assert_int_equal(config_init(&config, &err), 0);
        for (int k = 0; k < 6; k += 2)
            set(&config, cases[i][k], cases[i][k + 1]);
        assert_int_equal(config_resolve(&config, "test", &err), ERROR_FORMAT);
        assert_non_null(strstr(err.message, cases[i][0]));
        config_release(&config);
    }
}

static void what_makes_a_setting_inactive_is_named(void **state)
{
    static const char *const cases[][3] = {
        /* given this setting ..., that one is inactive because of it */
        { "arch.name", "transformer", "arch.L_cycles" },
        { "arch.name", "trm", "arch.H_layers" },
        { "arch.halt_max_steps", "1", "arch.halt_exploration_prob" },
        { "arch.pos_encodings", "learned", "arch.rope_theta" },
        { "arch.puzzle_emb_ndim", "0", "train.puzzle_emb_lr" },
        { "train.max_steps", "10", "train.epochs" },
        { "data.path", "boards.csv", "data.canvas" },
        { "data.path", "builtin:arc-style", "data.sudoku_side" },
        { "arch.share_levels", "true", "arch.H_layers" },
        { "eval.rollouts", "1", "eval.choose" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config;
        struct error err;
        assert_int_equal(config_init(&config, &err), 0);
        set(&config, cases[i][0], cases[i][1]);
        assert_int_equal(config_resolve(&config, "test", &err), 0);
        assert_int_equal(config_inactive_because(&config, setting_find(cases[i][2])),
                         setting_find(cases[i][0]));
        assert_int_equal(config_inactive_because(&config, TRAIN_LR), -1);
        config_release(&config);
    }
}

static void inactive_settings_do_not_change_a_run(void **state)
{
    static const char *const cases[][4] = {
        /* given this setting ..., that one changes nothing */
        { "arch.name", "transformer", "arch.L_cycles", "5" },
        { "arch.name", "transformer", "arch.share_levels", "true" },
        { "arch.share_levels", "true", "arch.H_layers", "5" },
        { "arch.name", "transformer", "arch.H_cycles", "1" },
        { "arch.name", "trm", "arch.H_layers", "5" },
        { "arch.name", "trm", "train.target_q_update_every", "4" },
        { "arch.name", "trm", "arch.match", "none" },
        { "arch.halt_max_steps", "1", "arch.act_enabled", "false" },
        { "arch.halt_max_steps", "1", "arch.halt_exploration_prob", "0.5" },
        { "arch.act_enabled", "false", "train.target_q_update_every", "4" },
        { "arch.pos_encodings", "learned", "arch.rope_theta", "500" },
        { "arch.puzzle_emb_ndim", "0", "train.puzzle_emb_lr", "0.5" },
        { "arch.halt_max_steps", "1", "train.supervision", "last" },
        { "train.supervision", "last", "train.supervision_decay", "0.9" },
        { "arch.puzzle_emb_ndim", "0", "arch.conditioning", "blank" },
        { "data.path", "builtin:sudoku", "arch.conditioning", "random_id" },
        { "arch.conditioning", "padded_id", "eval.puzzle_id", "mean" },
        { "arch.conditioning", "blank", "data.context_pairs", "1" },
        { "arch.conditioning", "blank", "arch.random_id_map", "shift" },
        { "arch.conditioning", "context", "arch.puzzle_emb_ndim", "0" },
        { "arch.conditioning", "context", "arch.puzzle_emb_len", "5" },
        { "arch.conditioning", "context", "train.puzzle_emb_lr", "0.5" },
        { "train.max_steps", "10", "train.epochs", "77" },
        { "train.seed", "1", "train.puzzle_rows", "mean" },
        { "train.seed", "1", "train.freeze", "trunk" },
        { "train.init_from", "{}", "train.freeze_share", "0.7" },
        { "data.path", "/somewhere", "data.generator_seed", "9" },
        { "train.lr", "0.5", "eval.halt_max_steps", "9" },
        { "train.lr", "0.5", "resources.threads", "2" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config a, b;
        struct error err;
        char hash_a[65], hash_b[65];
        assert_int_equal(config_init(&a, &err), 0);
        assert_int_equal(config_init(&b, &err), 0);
        set(&a, cases[i][0], cases[i][1]);
        set(&b, cases[i][0], cases[i][1]);
        set(&b, cases[i][2], cases[i][3]);
        hash_of(hash_a, &a);
        hash_of(hash_b, &b);
        if (strcmp(hash_a, hash_b) != 0)
            fail_msg("%s matters although %s = %s", cases[i][2], cases[i][0], cases[i][1]);
        config_release(&a);
        config_release(&b);
    }
}

static void every_active_training_setting_changes_the_hash(void **state)
{
    (void)state;
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting *s = &settings_table[i];
        struct config a, b;
        struct error err;
        char hash_a[65], hash_b[65];
        if (s->phase != PHASE_TRAINING || i == ARCH_MATCH)
            continue;
        assert_int_equal(config_init(&a, &err), 0);
        assert_int_equal(config_init(&b, &err), 0);
        if (i == ARCH_MLP_T) { /* has no place for RoPE */
            set(&a, "arch.pos_encodings", "none");
            set(&b, "arch.pos_encodings", "none");
        }
        if (i == TRAIN_SUPERVISION_DECAY) {
            set(&a, "train.supervision", "decay");
            set(&b, "train.supervision", "decay");
        }
        if (i == ARCH_RANDOM_ID_MAP) {
            set(&a, "arch.conditioning", "random_id");
            set(&b, "arch.conditioning", "random_id");
        }
        if (i == DATA_CONTEXT_PAIRS) {
            set(&a, "arch.conditioning", "context");
            set(&b, "arch.conditioning", "context");
        }
        if (i > TRAIN_INIT_FROM && i <= TRAIN_FROZEN_STEPS) {
            set(&a, "train.init_from", "{}");
            set(&b, "train.init_from", "{}");
        }
        if (i == TRAIN_FREEZE_SHARE || i == TRAIN_FROZEN_STEPS) {
            set(&a, "train.freeze", "trunk_first");
            set(&b, "train.freeze", "trunk_first");
        }
        if (s->weights)
            set(&b, s->key, "{}");
        else if (s->stages)
            set(&b, s->key, "[{\"until\":1,\"H_cycles\":1,\"L_cycles\":1}]");
        else if (s->type == SETTING_REAL)
            b.values[i].real = b.values[i].real < s->maximum
                                   ? b.values[i].real * 0.5 + s->minimum * 0.5 + 1e-13
                                   : s->minimum;
        else if (s->type == SETTING_INT && (i == ARCH_HIDDEN_SIZE || i == ARCH_NUM_HEADS))
            b.values[i].integer *= 2;
        else if (s->type == SETTING_INT)
            b.values[i].integer += b.values[i].integer < (int64_t)s->maximum ? 1 : -1;
        else
            b.values[i].integer = !b.values[i].integer;
        hash_of(hash_a, &a);
        hash_of(hash_b, &b);
        if (strcmp(hash_a, hash_b) == 0)
            fail_msg("%s does not change the run", s->key);
        config_release(&a);
        config_release(&b);
    }
}

static void a_job_config_reads_back_to_the_same_run(void **state)
{
    struct config a, b;
    struct error err = { 0 };
    char hash_a[65], hash_b[65];

    (void)state;
    assert_int_equal(config_init(&a, &err), 0);
    set(&a, "arch.name", "transformer");
    set(&a, "train.lr", "0.0012345678901234567");
    set(&a, "data.path", "builtin:sudoku");
    hash_of(hash_a, &a);
    cJSON *json = config_to_json(&a);
    assert_int_equal(config_from_json(&b, json, "job.json", &err), 0);
    hash_of(hash_b, &b);
    assert_string_equal(hash_a, hash_b);
    cJSON_Delete(json);
    config_release(&a);
    config_release(&b);
}

static void a_matched_transformer_has_hrms_parameters(void **state)
{
    struct config hrm, plain;
    struct shape a, b;
    struct error err;
    char hash[65];

    (void)state;
    assert_int_equal(config_init(&hrm, &err), 0);
    assert_int_equal(config_init(&plain, &err), 0);
    set(&plain, "arch.name", "transformer");
    hash_of(hash, &hrm);
    hash_of(hash, &plain);
    shape_compute(&a, &hrm, 100, 12, 10);
    shape_compute(&b, &plain, 100, 12, 10);
    assert_int_equal(a.parameters, b.parameters);
    config_release(&hrm);
    config_release(&plain);
}

static void flops_are_those_of_the_published_configurations(void **state)
{
    struct config config;
    struct error err;
    struct shape shape;
    char hash[65];

    (void)state;
    assert_int_equal(config_init(&config, &err), 0); /* configuration A: mini-ARC */
    hash_of(hash, &config);
    shape_compute(&shape, &config, 100, 12, 2000);
    assert_int_equal(shape.intermediate_size, 512);
    assert_int_equal((int)(shape.train_step_flops / 1e8 + 0.5), 1192);
    assert_int_equal((int)(64 * shape.eval_row_step_flops / 1e8 + 0.5), 447);
    config_release(&config);
}

static void random_streams_depend_on_all_three_names(void **state)
{
    struct random_stream a = random_stream(1, "init", 0), b = random_stream(2, "init", 0);
    struct random_stream c = random_stream(1, "batch", 0), d = random_stream(1, "init", 1);
    struct random_stream again = random_stream(1, "init", 0);
    uint64_t first = random_u64(&a);
    int counts[7] = { 0 };

    (void)state;
    assert_true(first == random_u64(&again));
    assert_true(first != random_u64(&b) && first != random_u64(&c) && first != random_u64(&d));
    for (int i = 0; i < 7000; i++)
        counts[random_below(&a, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 850, 1150);
}

/* The texts of config under seed by the way of one seed and by that of many. */
static void check_seeded(struct config *config, int64_t seed)
{
    struct error err = { 0 };
    struct seeded_text training, all;

    if (seeded_text_init(&training, config, SEEDED_TRAINING, &err) < 0 ||
        seeded_text_init(&all, config, SEEDED_RUN, &err) < 0)
        fail_msg("%s", err.message);
    config->values[TRAIN_SEED].integer = seed;
    cJSON *object = config_to_json(config);
    for (int id = 0; id < SETTING_COUNT; id++) /* how and where is of the job */
        if (setting_is_of_job(id))
            cJSON_DeleteItemFromObjectCaseSensitive(object, settings_table[id].key);
    char *expected[] = { config_canonical(config, PHASE_TRAINING, &err),
                         json_canonical(object) };
    char *made[] = { seeded_text_make(&training, seed), seeded_text_make(&all, seed) };
    char hash[65], expected_hash[65];

    for (int i = 0; i < 2; i++)
        assert_string_equal(made[i], expected[i]);
    config_hash_canonical(hash, made[0], "data");
    assert_int_equal(config_run_hash(expected_hash, config, "data", &err), 0);
    assert_string_equal(hash, expected_hash);
    for (int i = 0; i < 2; i++) {
        free(expected[i]);
        free(made[i]);
    }
    cJSON_Delete(object);
    seeded_text_release(&training);
    seeded_text_release(&all);
}

static void canonical_texts_under_many_seeds_are_those_of_each_seed(void **state)
{
    static const int64_t seeds[] = { 0, 1, 999, 9007199254740991 };
    /* members on both sides of train.seed, on one, on none */
    static const char *const changes[][2] = { { NULL, NULL },
                                              { "train.lr", "0.5" },
                                              { "train.weight_decay", "0.25" },
                                              { "data.path", "\"/tmp/\\\"train.seed\\\":7\"" },
                                              { "resources.threads", "2" } };

    (void)state;
    for (size_t count = 0; count <= sizeof changes / sizeof *changes; count++) {
        struct config config;
        struct error err = { 0 };

        assert_int_equal(config_init_absent(&config, &err), 0);
        for (size_t i = 1; i < count; i++)
            set(&config, changes[i][0], changes[i][1]);
        assert_int_equal(config_resolve(&config, "test", &err), 0);
        for (size_t s = 0; s < sizeof seeds / sizeof *seeds; s++)
            check_seeded(&config, seeds[s]);
        config_release(&config);
    }
}

static void evaluations_are_told_apart_by_every_setting_of_that_phase(void **state)
{
    int key = 0;

    (void)state;
    for (int id = 0; id < SETTING_COUNT; id++) {
        if (settings_table[id].phase != PHASE_EVALUATION)
            continue;
        assert_int_equal(evaluation_key_setting((enum evaluation_key)key), id);
        assert_int_equal(evaluation_key_find(settings_table[id].key), key);
        key++;
    }
    assert_int_equal(key, EVALUATION_KEY_COUNT);
    assert_int_equal(evaluation_key_find("train.lr"), -1);
}

/* Evaluations of older releases keep their text: a later setting shows only where it is set. */
static void an_evaluation_has_later_settings_only_where_they_are_set(void **state)
{
    struct config config;
    struct error err = { 0 };

    (void)state;
    assert_int_equal(config_init(&config, &err), 0);
    for (int on = 0; on < 2; on++) {
        set(&config, "eval.trajectory", on ? "true" : "false");
        cJSON *object = evaluation_keys_object(&config, 4);
        char *text = json_canonical(object);
        assert_string_equal(text, on ? "{\"eval.act_inference\":false,\"eval.augmentations\":"
                                       "\"all\",\"eval.halt_max_steps\":4,\"eval.seed\":0,"
                                       "\"eval.split\":\"test\",\"eval.trajectory\":true}"
                                     : "{\"eval.act_inference\":false,\"eval.augmentations\":"
                                       "\"all\",\"eval.halt_max_steps\":4,\"eval.seed\":0,"
                                       "\"eval.split\":\"test\"}");
        assert_true(evaluation_keys_has_trajectory(text) == (on == 1));
        free(text);
        cJSON_Delete(object);
    }
    config_release(&config);
}

/* The canonical text of the evaluation of a configuration, checked against want. */
static void check_evaluation(const char *const *settings, const char *want)
{
    struct config config;
    struct error err;

    assert_int_equal(config_init(&config, &err), 0);
    for (; settings[0] != NULL; settings += 2)
        set(&config, settings[0], settings[1]);
    cJSON *object = evaluation_keys_object(&config, 4);
    char *text = json_canonical(object);
    assert_string_equal(text, want);
    free(text);
    cJSON_Delete(object);
    config_release(&config);
}

/* What the first release did not know is named only where it matters. */
static void an_evaluation_keeps_the_name_it_had(void **state)
{
#define OLD_BEGIN "{\"eval.act_inference\":false,\"eval.augmentations\":\"all\","
#define OLD_END "\"eval.seed\":0,\"eval.split\":\"test\"}"
    (void)state;
    check_evaluation((const char *const[]){ "eval.halt_rule", "max", "eval.halt_patience", "3",
                                            "eval.halt_epsilon", "0.5", "eval.puzzle_id", "own",
                                            NULL },
                     OLD_BEGIN "\"eval.halt_max_steps\":4," OLD_END);
    check_evaluation(
        (const char *const[]){ "eval.halt_rule", "stable", "eval.halt_epsilon", "0.5", NULL },
        OLD_BEGIN "\"eval.halt_max_steps\":4,\"eval.halt_rule\":\"stable\"," OLD_END);
    check_evaluation(
        (const char *const[]){ "eval.halt_rule", "stable", "eval.halt_patience", "3", NULL },
        OLD_BEGIN "\"eval.halt_max_steps\":4,\"eval.halt_patience\":3,"
                  "\"eval.halt_rule\":\"stable\"," OLD_END);
    check_evaluation((const char *const[]){ "eval.puzzle_id", "blank", NULL }, OLD_BEGIN
                     "\"eval.halt_max_steps\":4,\"eval.puzzle_id\":\"blank\"," OLD_END);
}

static void a_switch_is_read_as_true_or_false(void **state)
{
    (void)state;
    assert_string_equal(setting_word("arch.act_enabled", "1"), "true");
    assert_string_equal(setting_word("arch.act_enabled", "0"), "false");
    assert_string_equal(setting_word("arch.act_enabled", "0, 1"), "0, 1");
    assert_string_equal(setting_word("arch.H_cycles", "1"), "1");
    assert_string_equal(setting_word("tasks tested", "1"), "1");
    assert_null(setting_word("arch.act_enabled", NULL));
}

static void a_name_with_words_left_out_is_understood(void **state)
{
    static const char *const cases[][2] = {
        { "lr", "train.lr" },
        { "h_cycles", "arch.H_cycles" },
        { "max_steps", "train.max_steps" },
        { "batch_size", "train.global_batch_size" },
        { "train.batch_size", "train.global_batch_size" },
        { "train.steps", "train.max_steps" },
        { "train.lr_warmup", "train.lr_warmup_steps" },
        { "train.dtype", "train.forward_dtype" },
        { "train.epoch", "train.epochs" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(setting_nearest(cases[i][0]), cases[i][1]);
    assert_null(setting_nearest("checkpoint_every_eval"));
}

/* Those of PyTorch, of its trainers and of the papers, in any group. */
static void names_that_other_programs_use_are_understood(void **state)
{
    static const char *const cases[][2] = {
        { "train.learning_rate", "train.lr" },
        { "learning_rate", "train.lr" },
        { "optimizer.wd", "train.weight_decay" },
        { "train.min_lr", "train.lr_min_ratio" },
        { "train.warmup", "train.lr_warmup_steps" },
        { "train.batchsize", "train.global_batch_size" },
        { "train.max_grad_norm", "train.clip_norm" },
        { "arch.d_model", "arch.hidden_size" },
        { "arch.nhead", "arch.num_heads" },
        { "arch.N_sup", "arch.halt_max_steps" },
        /* close enough to need no table */
        { "arch.loss.loss_type", "arch.loss_type" },
        { "arch.n_heads", "arch.num_heads" },
        { "arch.hidden_dim", "arch.hidden_size" },
        { "train.num_epochs", "train.epochs" },
        { "data_paths", "data.path" },
        { "ema", "train.ema_rate" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(setting_nearest(cases[i][0]), cases[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_with_words_left_out_is_understood),
        cmocka_unit_test(names_that_other_programs_use_are_understood),
        cmocka_unit_test(every_setting_is_complete_and_its_default_is_legal),
        cmocka_unit_test(wrong_values_are_refused_with_what_is_allowed),
        cmocka_unit_test(a_comma_separates_places_and_nothing_else),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(contradictions_of_three_are_refused),
        cmocka_unit_test(what_makes_a_setting_inactive_is_named),
        cmocka_unit_test(inactive_settings_do_not_change_a_run),
        cmocka_unit_test(every_active_training_setting_changes_the_hash),
        cmocka_unit_test(a_job_config_reads_back_to_the_same_run),
        cmocka_unit_test(a_matched_transformer_has_hrms_parameters),
        cmocka_unit_test(flops_are_those_of_the_published_configurations),
        cmocka_unit_test(canonical_texts_under_many_seeds_are_those_of_each_seed),
        cmocka_unit_test(evaluations_are_told_apart_by_every_setting_of_that_phase),
        cmocka_unit_test(an_evaluation_keeps_the_name_it_had),
        cmocka_unit_test(an_evaluation_has_later_settings_only_where_they_are_set),
        cmocka_unit_test(random_streams_depend_on_all_three_names),
        cmocka_unit_test(a_switch_is_read_as_true_or_false),
    };

    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
