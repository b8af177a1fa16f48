/* test_spec.c - specs: precedence, axes, faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "plan.h"
#include "spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char directory[] = "/tmp/hrmlab-spec-XXXXXX";

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int remove_directory(void **state)
{
    struct error err;

    (void)state;
    return file_remove_tree(directory, &err);
}

static char *write_file(const char *name, const char *text)
{
    struct error err = { 0 };
    char *path = file_join(directory, name);

    assert_int_equal(file_write_atomic(path, text, strlen(text), &err), 0);
    return path;
}

static struct spec *read_good(const char *text, const char *const *overrides, int count)
{
    struct error err = { 0 };
    struct spec *spec;
    char *path = write_file("spec.json", text);

    if (spec_read(&spec, path, NULL, overrides, count, &err) < 0)
        fail_msg("%s", err.message);
    free(path);
    return spec;
}

static void refuse(const char *text, const char *expected)
{
    struct error err = { 0 };
    struct spec *spec;
    char *path = write_file("spec.json", text);

    assert_int_equal(spec_read(&spec, path, NULL, NULL, 0, &err), ERROR_FORMAT);
    if (strstr(err.message, expected) == NULL || strstr(err.message, "spec.json") == NULL)
        fail_msg("\"%s\" lacks \"%s\" or the file", err.message, expected);
    free(path);
}

static void precedence_is_base_set_axes_command_line(void **state)
{
    static const char *const overrides[] = { "train.beta1=0.7", "arch.halt_max_steps=8" };
    char *base = write_file("base.json", "{\"set\": {\"train.lr\": 0.5, \"train.beta1\": 0.1,"
                                         " \"train.beta2\": 0.2, \"train.max_steps\": 9}}");
    struct spec *spec = read_good("{\"base\": [\"base.json\"], \"set\": {\"train.lr\": 0.25},"
                                  " \"grid\": {\"train.beta2\": [0.3, 0.4],"
                                  " \"arch.halt_max_steps\": [1, 2]}}",
                                  overrides, 2);

    (void)state;
    assert_int_equal(spec->arm_count, 2); /* --set took the axis away */
    assert_true(config_real(&spec->arms[1].config, TRAIN_LR) == 0.25);
    assert_true(config_real(&spec->arms[1].config, TRAIN_BETA1) == 0.7);
    assert_true(config_real(&spec->arms[1].config, TRAIN_BETA2) == 0.4);
    assert_int_equal(config_int(&spec->arms[0].config, TRAIN_MAX_STEPS), 9);
    assert_int_equal(config_int(&spec->arms[0].config, ARCH_HALT_MAX_STEPS), 8);
    assert_string_equal(spec->arms[1].label, "train.beta2=0.4");
    assert_string_equal(spec->name, "spec");
    spec_destroy(spec);
    spec = read_good("{\"base\": \"base.json\"}", NULL, 0); /* one need not be a list */
    assert_true(config_real(&spec->arms[0].config, TRAIN_LR) == 0.5);
    spec_destroy(spec);
    free(base);
}

static void grid_zip_ablate_exclude_and_collapse_count(void **state)
{
    struct spec *spec = read_good(
        "{\"grid\": {\"arch.name\": [\"hrm\", \"transformer\"], \"arch.L_cycles\": [1, 2, 3]},"
        " \"zip\": [{\"train.lr\": [0.1, 0.2], \"train.weight_decay\": [1, 2]}],"
        " \"exclude\": [{\"arch.name\": \"hrm\", \"train.lr\": 0.2, \"arch.L_cycles\": [2, "
        "3]}]}",
        NULL, 0);

    (void)state;
    assert_int_equal(spec->cell_count, 12);
    assert_int_equal(spec->excluded_count, 2);
    assert_int_equal(spec->collapsed_count, 4); /* a transformer has no L cycles */
    assert_int_equal(spec->arm_count, 6);
    spec_destroy(spec);
    spec = read_good("{\"ablate\": {\"train.lr\": [0.1, 0.2], \"arch.act_enabled\": [false]},"
                     " \"seeds\": 3}",
                     NULL, 0);
    assert_int_equal(spec->arm_count, 4); /* the base and three deviations */
    assert_string_equal(spec->arms[0].label, "base");
    assert_int_equal(spec->seed_count, 3);
    spec_destroy(spec);
}

static void a_resolved_spec_reads_back_to_the_same_arms(void **state)
{
    struct spec *first = read_good("{\"name\": \"x\", \"grid\": {\"train.lr\": [0.1, 0.2],"
                                   " \"arch.name\": [\"transformer\", \"hrm\"]},"
                                   " \"evaluate\": {\"eval.augmentations\": [1, \"all\"]}}",
                                   NULL, 0);
    char *text = strdup(first->resolved);
    struct spec *second = read_good(text, NULL, 0);

    (void)state;
    assert_int_equal(first->arm_count, second->arm_count);
    for (int i = 0; i < first->arm_count; i++)
        assert_string_equal(first->arms[i].label, second->arms[i].label);
    assert_string_equal(first->resolved, second->resolved);
    assert_int_equal(second->evaluation_count, 2);
    spec_destroy(first);
    spec_destroy(second);
    free(text);
}

static void bad_specs_get_one_clear_message(void **state)
{
    (void)state;
    refuse("{\"grid\": {\"arch.num_head\": [2]}}", "did you mean \"arch.num_heads\"");
    refuse("{\"gird\": {}}", "did you mean \"grid\"");
    refuse("{\"train.lr\": 1}", "belongs inside");
    refuse("{\"grid\": {\"train.lr\": []}}", "empty list");
    refuse("{\"grid\": {\"train.lr\": 3}}", "must be a list");
    refuse("{\"grid\": {\"train.lr\": [1, 1]}}", "twice");
    refuse("{\"grid\": {\"train.lr\": [\"x\"]}}", "a number from 0");
    refuse("{\"grid\": {\"eval.seed\": [1]}}", "\"evaluate\"");
    refuse("{\"evaluate\": {\"train.lr\": [1]}}", "changes the training");
    refuse("{\"evaluate\": {\"eval.seed\": []}}", "empty list");
    refuse("{\"set\": {\"arch.num_heads\": 3}}", "does not divide");
    refuse("{\"set\": {\"arch.hidden_size\": 100000}}", "from 4 to 8192");
    refuse("{\"set\": {\"train.seed\": 3}}", "\"seeds\"");
    refuse("{\"seeds\": []}", "at least one");
    refuse("{\"seeds\": [1, 1]}", "twice");
    refuse("{\"seeds\": [1.5]}", "integers");
    refuse("{\"name\": \"../x\"}", "\"name\"");
    refuse("{\"base\": [\"nowhere.json\"]}", "does not exist");
    refuse("{\"base\": \"nowhere.json\"}", "does not exist");
    refuse("{\"base\": \".\"}", "is a directory; expected a file");
    refuse("{\"base\": {\"file\": \"x\"}}", "expected a file's name or a list of them");
    refuse("{\"base\": [3]}", "such as [\"presets/arc_style_mini.json\"], but found a number");
    refuse("{\"base\": [\"spec.json\"]}", "nested more than");
    refuse("{\"zip\": [{\"train.lr\": [1], \"train.beta1\": [0.1, 0.2]}]}", "equally long");
    refuse("{\"grid\": {\"train.lr\": [1]}, \"ablate\": {\"train.lr\": [2]}}", "varied twice");
    refuse("{\"exclude\": [{\"arch.name\": \"hrm\"}]}", "leaves nothing");
    refuse("{\"exclude\": [{\"arch.name\": \"nonsense\"}]}", "arch.name = \"nonsense\"");
    refuse("{\"exclude\": [{\"arch.H_cycles\": [2, \"x\"]}]}", "arch.H_cycles = \"x\"");
    refuse("{\"exclude\": [{\"arch.H_cycles\": []}]}", "an empty list");
    refuse("{\"exclude\": [{\"train.seed\": 0}], \"seeds\": 2}",
           "train.seed does not tell arms apart");
    refuse("{\"exclude\": [{\"arch.name\": \"trm\", \"eval.halt_max_steps\": [1, 2]}]}",
           "eval.halt_max_steps does not tell arms apart");
    refuse("{\"expected_time\": 5}", "\"expected_time\" must be text");
    refuse("[1]", "a spec is an object");
    refuse("{\"resources\": {\"cores\": 1}}", "unknown setting");
}

static void a_setting_in_a_wrong_place_is_told_where_it_belongs(void **state)
{
    (void)state;
    refuse("{\"arch\": {\"name\": \"hrm\"}}",
           "\"arch\" is a group of settings; name each one whole inside \"set\", \"grid\"");
    refuse("{\"lr\": 0.1}", "did you mean the setting \"train.lr\", which belongs inside");
    refuse("{\"set\": {\"seed\": 1}}", "unknown setting \"seed\"; a spec lists its seeds");
    refuse("{\"evaluate\": {\"halt_max_steps\": [1]}}",
           "did you mean \"eval.halt_max_steps\"?");
    refuse("{\"set\": {\"eval.halt_max_steps\": [1, 2]}}",
           "list of values belongs in \"evaluate\"");
    refuse("{\"set\": {\"train.lr\": [1, 2]}}", "list of values belongs in \"grid\"");
    refuse("{\"resources\": {\"threads\": [1, 2]}}", "takes one value");
    refuse("{\"set\": {\"train.lr\": \"1e-4\"}}", "a number from 0 to 10, without quotes");
    refuse("{\"set\": {\"arch.act_enabled\": \"true\"}}", "true or false, without quotes");
}

/* A spec of two arms and two evaluations with these contrasts; fresh. */
static char *with_contrasts(const char *contrasts)
{
    char *text = format_string("{\"grid\": {\"arch.name\": [\"hrm\", \"transformer\"]},"
                               " \"evaluate\": {\"eval.halt_max_steps\": [1, 0]},"
                               " \"contrasts\": [%s]}",
                               contrasts);

    assert_non_null(text);
    return text;
}

#define CONTRAST(name, from, to)                                                               \
    "{\"name\": \"" name "\", \"from\": {" from "}, \"to\": {" to "}}"
#define SETTING(key, value) "\"" key "\": " value

static void contrasts_are_read_and_those_that_mean_nothing_are_refused(void **state)
{
    static const char *const BAD[][2] = {
        { CONTRAST("a", SETTING("arch.name", "\"trm\""), SETTING("arch.name", "\"hrm\"")),
          "\"a\": from: no arm has arch.name = \"trm\"; expected one of: hrm, transformer" },
        { CONTRAST("a", SETTING("arch.name", "\"hrm\""), SETTING("eval.halt_max_steps", "2")),
          "\"a\": to: no arm has eval.halt_max_steps = 2; expected one of: 1, 4" },
        { CONTRAST("a", SETTING("arch.nam", "1"), ""), "did you mean \"arch.name\"" },
        { CONTRAST("a", SETTING("arch.name", "\"hrm\""), ""), "to: expected an object" },
        { CONTRAST("a", SETTING("arch.name", "\"hrm\""), SETTING("arch.name", "\"hrm\"")),
          "mean the same arms and evaluations" },
        { CONTRAST("a", SETTING("arch.name", "[\"hrm\"]"), ""), "expected one value" },
        { CONTRAST("a", SETTING("train.seed", "1"), ""), "does not tell arms apart" },
        { "{\"name\": \"a\", \"form\": {}}", "unknown member \"form\"" },
        { "1", "expected {\"name\"" },
    };
    static const char good[] = CONTRAST(
        "systems", SETTING("arch.name", "\"hrm\""),
        SETTING("arch.name",
                "\"transformer\"")) "," CONTRAST("steps", SETTING("eval.halt_max_steps", "1"),
                                                 SETTING("eval.halt_max_steps", "4"));
    char *text;

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        text = with_contrasts(BAD[i][0]);
        refuse(text, BAD[i][1]);
        free(text);
    }
    text = with_contrasts(good);
    struct spec *spec = read_good(text, NULL, 0);

    assert_int_equal(spec->contrast_count, 2);
    assert_string_equal(spec->contrasts[1].name, "steps");
    assert_string_equal(spec->contrasts[1].to, "{\"eval.halt_max_steps\":4}");
    assert_non_null(strstr(spec->resolved, "\"contrasts\":[{\"from\""));
    spec_destroy(spec);
    spec = read_good(text, (const char *[]){ "arch.name=hrm" }, 1);
    assert_int_equal(spec->contrast_count, 1); /* there is one system left */
    assert_string_equal(spec->contrasts[0].name, "steps");
    spec_destroy(spec);
    free(text);
}

static void a_huge_file_is_refused_by_its_size(void **state)
{
    struct error err = { 0 };
    struct spec *spec;
    char *path = file_join(directory, "huge.json");
    FILE *file = fopen(path, "w");

    (void)state;
    assert_non_null(file);
    assert_int_equal(fseek(file, 100 << 20, SEEK_SET), 0);
    assert_int_equal(fputc('x', file), 'x');
    assert_int_equal(fclose(file), 0);
    assert_int_equal(spec_read(&spec, path, NULL, NULL, 0, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "more than the limit"));
    free(path);
}

static const char *worker(void)
{
    const char *named = getenv("HRMLAB_WORKER");

    return named != NULL ? named : "build/asan/hrmlab-worker";
}

static void cells_that_differ_in_evaluation_share_a_training(void **state)
{
    struct error err = { 0 };
    struct plan *plan;
    struct spec *spec = read_good(
        "{\"set\": {\"data.num_aug\": 3, \"train.max_steps\": 5}, \"grid\": {\"train.lr\": "
        "[0.1,"
        " 0.2]}, \"seeds\": [0, 1], \"evaluate\": {\"eval.halt_max_steps\": [1, 4, 0],"
        " \"eval.augmentations\": [1, 4, 5, \"all\"]}}",
        NULL, 0);

    (void)state;
    if (plan_create(&plan, spec, worker(), NULL, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(plan->run_count, 4);
    /* steps 0 means 4 here, so two step counts; 5 augmentations are more than were trained */
    assert_int_equal(plan->arms[0].evaluation_count, 2 * 3);
    assert_int_equal(plan->cell_count, 4 * 2 * 3);
    assert_int_equal(plan->dropped_count, 2 * 2);
    assert_non_null(strstr(plan->dropped[0].reason, "4 variants"));
    plan_destroy(plan);
}

/* In a directory of the published code, variants are not those of data.num_aug. */
static void evaluations_take_as_many_variants_as_a_built_directory_has(void **state)
{
    struct error err = { 0 };
    struct plan *plan;
    char *built = file_join(directory, "built");
    char *command = format_string("%s data build --output %s data.path=builtin:arc-style "
                                  "data.num_aug=3 >%s/build.txt",
                                  worker(), built, directory);

    (void)state;
    assert_int_equal(system(command), 0);
    char *text = format_string("{\"set\": {\"data.path\": \"%s\", \"train.max_steps\": 5}, "
                               "\"evaluate\": {\"eval.augmentations\": [1, 4, 5]}}",
                               built);
    struct spec *spec = read_good(text, NULL, 0);
    if (plan_create(&plan, spec, worker(), NULL, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(plan->arms[0].evaluation_count, 2);
    assert_int_equal(plan->dropped_count, 1);
    assert_non_null(strstr(plan->dropped[0].reason, "4 variants"));
    plan_destroy(plan);
    free(text);
    free(command);
    free(built);
}

static void a_thousand_cells_are_planned_with_the_trainings_really_needed(void **state)
{
    struct error err = { 0 };
    struct plan *plan;
    struct spec *spec = read_good(
        "{\"set\": {\"train.max_steps\": 5}, \"grid\": {\"arch.name\": [\"hrm\","
        " \"transformer\"], \"arch.H_cycles\": [1,2,3,4,5], \"arch.L_cycles\": [1,2,3,4,5],"
        " \"train.lr\": [0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1.0], \"train.weight_decay\": [0,"
        " 0.1]}}",
        NULL, 0);

    (void)state;
    assert_int_equal(spec->cell_count, 1000);
    if (plan_create(&plan, spec, worker(), NULL, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(plan->run_count, 500 + 100); /* the transformer has no L cycles */
    plan_destroy(plan);
}

static void plan_shipped(const char *name, const char *const *sets, int count)
{
    struct error err = { 0 };
    struct spec *spec;
    struct plan *plan = NULL;
    char *path = format_string("experiments/%s.json", name);
    int rc = spec_read(&spec, path, NULL, sets, count, &err);

    if (rc == 0)
        rc = plan_create(&plan, spec, worker(), NULL, &err);
    if (rc < 0)
        fail_msg("%s: %s", name, err.message);
    assert_true(plan->run_count > 1);
    plan_destroy(plan);
    free(path);
}

static void every_shipped_spec_is_planned(void **state)
{
    static const char *const names[] = { "demo",
                                         "demo_arc",
                                         "architecture",
                                         "inner_cycles",
                                         "outer_steps",
                                         "train_vs_inference",
                                         "act",
                                         "augmentations",
                                         "sudoku_4x4",
                                         "forward_dtype",
                                         "trm_sudoku",
                                         "gradient_horizon",
                                         "supervision",
                                         "halting_rules",
                                         "matched",
                                         "conditioning",
                                         "transfer",
                                         "puzzle_prefix",
                                         "width_depth",
                                         "depth_curve",
                                         "forward_residuals",
                                         "trm_variants",
                                         NULL };

    (void)state;
    for (int i = 0; names[i] != NULL; i++)
        plan_shipped(names[i], NULL, 0);
}

/* A million boards and thousands of tasks take too long to be made here: with HRMLAB_LONG all are
 * made, without it some. */
static void shipped_specs_of_published_sizes_are_planned(void **state)
{
    static const char *const few_tasks[] = { "data.tasks_per_family=20" };
    static const char *const few_variants[] = { "data.num_aug=20" };
    static const char *const few_boards[] = { "data.num_aug=20", "data.sudoku_train=40",
                                              "data.sudoku_test=40" };
    static const struct {
        const char *name, *const *sets;
        int count;
    } specs[] = {
        { "training_tasks", few_tasks, 1 },         { "training_tasks_paper", few_tasks, 1 },
        { "architecture_paper", few_variants, 1 },  { "conditioning_paper", few_variants, 1 },
        { "puzzle_prefix_paper", few_variants, 1 }, { "transfer_paper", few_variants, 1 },
        { "depth_curve_paper", few_boards, 3 },     { "gradient_horizon_paper", few_boards, 3 },
        { "trm_variants_paper", few_boards, 3 },
    };
    bool all = getenv("HRMLAB_LONG") != NULL;

    (void)state;
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
        plan_shipped(specs[i].name, specs[i].sets,
                     all && specs[i].sets != few_tasks ? 0 : specs[i].count);
}

/* docs/settings.md is what `hrmlab axes markdown` prints, and each setting is there. */
static void the_page_of_settings_is_current(void **state)
{
    const char *program = getenv("HRMLAB_PROGRAM");
    char *command = format_string("%s axes markdown | cmp - docs/settings.md",
                                  program != NULL ? program : "build/hrmlab");
    struct error err = { 0 };
    char *text;
    size_t size;

    (void)state;
    assert_non_null(command);
    if (system(command) != 0)
        fail_msg("write it again: hrmlab axes markdown > docs/settings.md");
    free(command);
    assert_int_equal(file_read(&text, &size, "docs/settings.md", 1 << 20, &err), 0);
    int rows = 0;
    for (const char *at = text; (at = strstr(at, "\n| ")) != NULL; at++)
        rows += strncmp(at, "\n| key |", 8) != 0 && strncmp(at, "\n| --- |", 8) != 0;
    assert_int_equal(rows, SETTING_COUNT);
    free(text);
}

/* experiments/spec.schema.json is what `hrmlab axes schema` prints. */
static void the_committed_schema_is_current(void **state)
{
    const char *program = getenv("HRMLAB_PROGRAM");
    char *command = format_string("%s axes schema | cmp - experiments/spec.schema.json",
                                  program != NULL ? program : "build/hrmlab");

    (void)state;
    assert_non_null(command);
    if (system(command) != 0)
        fail_msg("write it again: hrmlab axes schema > experiments/spec.schema.json");
    free(command);
}

static void bad_data_is_a_message_of_the_plan(void **state)
{
    struct error err = { 0 };
    struct plan *plan;
    struct spec *spec = read_good("{\"set\": {\"data.path\": \"/nowhere/at/all\"}}", NULL, 0);

    (void)state;
    assert_int_equal(plan_create(&plan, spec, worker(), NULL, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "/nowhere/at/all"));
}

/* Reads the text as a spec that comes through a pipe, by the name of its end. */
static int read_piped(struct spec **spec, const char *text, struct error *err)
{
    int ends[2];
    char path[40];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
    close(ends[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    int rc = spec_read(spec, path, NULL, NULL, 0, err);
    close(ends[0]);
    return rc;
}

static void a_spec_may_come_through_a_pipe_if_it_has_a_name(void **state)
{
    struct error err = { 0 };
    struct spec *spec;

    (void)state;
    assert_int_equal(read_piped(&spec, "{\"name\": \"p\", \"seeds\": 3}", &err), 0);
    assert_int_equal(spec->seed_count, 3);
    spec_destroy(spec);
    assert_int_equal(read_piped(&spec, "{\"seeds\": 3}", &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "needs a \"name\""));
    assert_int_equal(spec_read(&spec, directory, NULL, NULL, 0, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "is a directory"));
}

static void numbers_of_the_command_line_may_be_written_as_people_do(void **state)
{
    static const char *const overrides[] = { "train.lr=.0001", "train.beta1=+.5",
                                             "train.max_steps=007" };
    static const char *const wrong[] = { "train.lr=1e-", "train.lr=0x1", "train.lr=." };
    struct spec *spec = read_good("{\"seeds\": 1}", overrides, 3);
    char *path = file_join(directory, "spec.json");

    (void)state;
    assert_true(config_real(&spec->arms[0].config, TRAIN_LR) == 0.0001);
    assert_true(config_real(&spec->arms[0].config, TRAIN_BETA1) == 0.5);
    assert_int_equal(config_int(&spec->arms[0].config, TRAIN_MAX_STEPS), 7);
    spec_destroy(spec);
    for (int i = 0; i < 3; i++) {
        struct error err = { 0 };
        assert_int_equal(spec_read(&spec, path, NULL, &wrong[i], 1, &err), ERROR_FORMAT);
        assert_non_null(strstr(err.message, "expected a number from"));
    }
    free(path);
}

/* Reads the spec with these settings of its workspace, the directory. */
static int read_with_defaults(struct spec **spec, const char *defaults, const char *text,
                              struct error *err)
{
    static const char *const overrides[] = { "slurm.account=a" };
    char *path = write_file("spec.json", text),
         *settings = write_file("settings.json", defaults);
    int rc = spec_read(spec, path, directory, overrides, 1, err);

    assert_int_equal(unlink(settings), 0);
    free(settings);
    free(path);
    return rc;
}

/* In the spec, in "set", on the command line; and what is resolved needs no workspace. */
static void settings_of_a_workspace_count_where_a_spec_says_nothing(void **state)
{
    static const char defaults[] =
        "{\"slurm\": {\"partition\": \"w\", \"account\": \"w\", \"qos\": \"w\","
        " \"constraint\": \"w\"}, \"resources\": {\"threads\": 2}}";
    struct spec *spec;
    struct error err = { 0 };

    (void)state;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 0)
            assert_int_equal(read_with_defaults(&spec, defaults,
                                                "{\"set\": {\"slurm.constraint\": \"s\"},"
                                                " \"slurm\": {\"partition\": \"\"}}",
                                                &err),
                             0);
        const struct config *config = &spec->arms[0].config;
        assert_string_equal(config_text(config, SLURM_PARTITION), "");
        assert_string_equal(config_text(config, SLURM_CONSTRAINT), "s");
        assert_string_equal(config_text(config, SLURM_ACCOUNT), "a");
        assert_string_equal(config_text(config, SLURM_QOS), "w");
        assert_int_equal(config_int(config, RESOURCES_THREADS), 2);
        char *resolved = strdup(spec->resolved);
        spec_destroy(spec);
        if (pass == 0)
            spec = read_good(resolved, NULL, 0);
        free(resolved);
    }
}

static void faults_in_the_settings_of_a_workspace_are_told_by_its_file(void **state)
{
    static const char *const cases[][2] = {
        { "[]", "expected an object" },
        { "{", "settings.json" },
        { "{\"set\": {\"train.lr\": 1}}", "unknown key \"set\"" },
        { "{\"slurm\": 1}", "must be an object" },
        { "{\"slurm\": {\"partitoin\": \"x\"}}", "did you mean \"partition\"" },
        { "{\"resources\": {\"threads\": \"x\"}}", "expected" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct spec *spec;
        struct error err = { 0 };

        assert_int_equal(read_with_defaults(&spec, cases[i][0], "{}", &err), ERROR_FORMAT);
        if (strstr(err.message, cases[i][1]) == NULL ||
            strstr(err.message, "settings.json") == NULL)
            fail_msg("%s: %s", cases[i][0], err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_of_a_workspace_count_where_a_spec_says_nothing),
        cmocka_unit_test(faults_in_the_settings_of_a_workspace_are_told_by_its_file),
        cmocka_unit_test(precedence_is_base_set_axes_command_line),
        cmocka_unit_test(grid_zip_ablate_exclude_and_collapse_count),
        cmocka_unit_test(a_resolved_spec_reads_back_to_the_same_arms),
        cmocka_unit_test(bad_specs_get_one_clear_message),
        cmocka_unit_test(a_setting_in_a_wrong_place_is_told_where_it_belongs),
        cmocka_unit_test(contrasts_are_read_and_those_that_mean_nothing_are_refused),
        cmocka_unit_test(a_huge_file_is_refused_by_its_size),
        cmocka_unit_test(cells_that_differ_in_evaluation_share_a_training),
        cmocka_unit_test(evaluations_take_as_many_variants_as_a_built_directory_has),
        cmocka_unit_test(a_thousand_cells_are_planned_with_the_trainings_really_needed),
        cmocka_unit_test(every_shipped_spec_is_planned),
        cmocka_unit_test(shipped_specs_of_published_sizes_are_planned),
        cmocka_unit_test(the_committed_schema_is_current),
        cmocka_unit_test(the_page_of_settings_is_current),
        cmocka_unit_test(a_spec_may_come_through_a_pipe_if_it_has_a_name),
        cmocka_unit_test(numbers_of_the_command_line_may_be_written_as_people_do),
        cmocka_unit_test(bad_data_is_a_message_of_the_plan),
    };

    return cmocka_run_group_tests_name("spec", tests, make_directory, remove_directory);
}
