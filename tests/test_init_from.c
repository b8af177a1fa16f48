/*
 * test_init_from.c - trainings that begin with the weights of a run or a file: what is taken,
 * what waits for what, and that imported weights are the published model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine.h"
#include "error.h"
#include "file.h"
#include "golden_config.h"
#include "init_from.h"
#include "init_weights.h"
#include "json.h"
#include "safetensors.h"
#include "settings.h"
#include "support/place.h"
#include "support/safetensors_file.h"

#define LIMIT ((size_t)1 << 30)

/* ---- the published model ---- */

static struct safetensors_file *read_golden(const char *name)
{
    struct error err = { 0 };
    struct safetensors_file *file = NULL;
    char path[200];

    snprintf(path, sizeof path, "tests/golden/%s.safetensors", name);
    if (safetensors_read(&file, path, LIMIT, &err) != 0)
        fail_msg("%s", err.message);
    return file;
}

/* The golden parameters under the names that torch.compile and the loss head give them; those
 * with that word in their names left out. */
static struct safetensors_file *published(const struct safetensors_file *golden, char **bytes,
                                          const char *without)
{
    struct safetensors_tensor list[64];
    char names[64][200];
    struct error err = { 0 };
    struct safetensors_file *file = NULL;
    size_t size = 0;
    int count = 0;

    for (int i = 0; i < safetensors_count(golden); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(golden, i);

        if (strncmp(tensor->name, "param0/", 7) != 0 || strstr(tensor->name, without) != NULL)
            continue;
        snprintf(names[count], sizeof names[count], "_orig_mod.model.%s", tensor->name + 7);
        list[count] = *tensor;
        list[count].name = names[count];
        count++;
    }
    assert_int_equal(safetensors_build(bytes, &size, list, count, NULL, 0, &err), 0);
    if (safetensors_parse(&file, *bytes, size, "published", &err) != 0)
        fail_msg("%s", err.message);
    return file;
}

static struct engine *make_engine(const char *name, int ids)
{
    struct error err = { 0 };
    struct golden_config config;
    struct engine *engine = NULL;
    cJSON *json = NULL;
    char path[200];

    snprintf(path, sizeof path, "tests/golden/%s.json", name);
    assert_int_equal(json_read_file(&json, path, LIMIT, &err), 0);
    assert_int_equal(golden_config_read(&config, json, path, &err), 0);
    if (ids > 0)
        config.engine.num_puzzle_identifiers = ids;
    config.engine.inference_only = true;
    assert_int_equal(engine_create(&engine, &config.engine, &err), 0);
    engine_initialise(engine, 1);
    cJSON_Delete(json);
    return engine;
}

static const int32_t *golden_ints(const struct safetensors_file *file, const char *name)
{
    const struct safetensors_tensor *tensor = safetensors_find(file, name);

    assert_non_null(tensor);
    return tensor->data;
}

static void imported_weights_answer_as_the_published_model(void **state)
{
    (void)state;
    struct error err = { 0 };
    struct safetensors_file *golden = read_golden("hrm_2x2_rope_stablemax_act");
    struct safetensors_file *step = read_golden("hrm_2x2_targetq_every4");
    char *bytes = NULL;
    struct safetensors_file *file = published(golden, &bytes, "nothing");
    struct engine *engine = make_engine("hrm_2x2_targetq_every4", 0);
    struct init_found found = { 0 };
    struct engine_result result;

    assert_int_equal(init_weights_tensors(&found, engine, file, "published", &err), 0);
    assert_int_equal(init_weights_rows(&found, engine, file, &(struct init_rows){ 0 }, &err),
                     0);
    assert_int_equal(found.taken, found.tensors);
    assert_null(found.left);
    assert_null(found.unused);
    assert_int_equal(found.rows_kept, 9);
    assert_int_equal(found.rows_new + found.rows_unused, 0);
    const struct engine_batch batch = {
        .inputs = golden_ints(step, "step0/batch_inputs"),
        .labels = golden_ints(step, "step0/batch_labels"),
        .puzzle_identifiers = golden_ints(step, "step0/batch_puzzle_identifiers"),
    };
    const struct safetensors_tensor *logits = safetensors_find(step, "step0/logits");
    const struct safetensors_tensor *q = safetensors_find(step, "step0/q_halt_logits");
    engine_evaluate_begin(engine, &batch, (int)logits->dims[0]);
    assert_int_equal(engine_evaluate_step(engine, &result), 0);
    float *ours = malloc(engine_output_size(engine, ENGINE_LOGITS));
    float q_halt[64];
    engine_read(engine, ENGINE_LOGITS, ours);
    engine_read(engine, ENGINE_Q_HALT, q_halt);
    for (size_t i = 0; i < logits->elements; i++)
        assert_true(fabsf(ours[i] - ((const float *)logits->data)[i]) <= 5e-5f);
    for (size_t i = 0; i < q->elements; i++)
        assert_true(fabsf(q_halt[i] - ((const float *)q->data)[i]) <= 5e-5f);
    free(ours);
    init_found_release(&found);
    engine_destroy(engine);
    safetensors_destroy(file);
    safetensors_destroy(step);
    safetensors_destroy(golden);
    free(bytes);
}

static void what_does_not_fit_is_named_and_rows_are_counted(void **state)
{
    (void)state;
    struct error err = { 0 };
    struct safetensors_file *golden = read_golden("hrm_2x2_rope_stablemax_act");
    char *bytes = NULL;
    struct safetensors_file *file = published(golden, &bytes, "lm_head");
    enum { MORE = 13, FEWER = 6, E = 64 };
    float row[E], other[E];

    struct init_found found = { 0 };
    struct engine *engine = make_engine("hrm_2x2_targetq_every4", MORE);
    assert_int_equal(init_weights_tensors(&found, engine, file, "published", &err), 0);
    assert_int_equal(found.taken, found.tensors - 1);
    assert_string_equal(found.left, "inner.lm_head.weight");
    const struct init_rows mean = { .fresh = PUZZLE_ROWS_MEAN };
    assert_int_equal(init_weights_rows(&found, engine, file, &mean, &err), 0);
    assert_int_equal(found.rows_kept, 9);
    assert_int_equal(found.rows_new, MORE - 10);
    engine_puzzle_get(engine, MORE - 1, row);
    for (int e = 0; e < E; e++) {
        double sum = 0.0;
        for (int id = 1; id < 10; id++) {
            engine_puzzle_get(engine, id, other);
            sum += (double)other[e];
        }
        assert_true(fabs(sum / 9 - (double)row[e]) < 1e-6);
    }
    const struct init_rows drawn = { .fresh = PUZZLE_ROWS_NORMAL, .seed = 3 };
    assert_int_equal(init_weights_rows(&found, engine, file, &drawn, &err), 0);
    engine_puzzle_get(engine, MORE - 1, other);
    assert_memory_not_equal(row, other, sizeof row);
    init_found_release(&found);
    engine_destroy(engine);

    engine = make_engine("hrm_2x2_targetq_every4", FEWER);
    assert_int_equal(init_weights_rows(&found, engine, file, &mean, &err), 0);
    assert_int_equal(found.rows_kept, FEWER - 1);
    assert_int_equal(found.rows_unused, 10 - FEWER);
    init_found_release(&found);
    engine_destroy(engine);

    engine = make_engine("trm_small_ema", 0); /* one stack of the same sizes */
    assert_int_equal(init_weights_tensors(&found, engine, file, "published", &err), 0);
    assert_non_null(strstr(found.unused, "H_level"));
    init_found_release(&found);
    engine_destroy(engine);
    safetensors_destroy(file);
    safetensors_destroy(golden);
    free(bytes);
}

/* The golden parameters, with those of that word in their names as bfloat16, at the end.
 * halves: room for these. */
static struct safetensors_file *with_halves(const struct safetensors_file *golden, char **bytes,
                                            uint16_t halves[][1024], const char *const *words)
{
    struct safetensors_tensor list[64];
    struct error err = { 0 };
    struct safetensors_file *file = NULL;
    size_t size = 0;
    int count = 0, made = 0;

    for (int pass = 0; pass < 2; pass++) /* wider types first */
        for (int i = 0; i < safetensors_count(golden); i++) {
            struct safetensors_tensor tensor = *safetensors_at(golden, i);
            bool half = false;

            for (int w = 0; words[w] != NULL; w++)
                half = half || strstr(tensor.name, words[w]) != NULL;
            if (strncmp(tensor.name, "param0/", 7) != 0 || half != (pass == 1))
                continue;
            tensor.name += 7;
            if (half) {
                assert_in_range(tensor.elements, 1, 1024);
                for (size_t k = 0; k < tensor.elements; k++)
                    memcpy(&halves[made][k], (const char *)tensor.data + 4 * k + 2, 2);
                tensor.dtype = SAFETENSORS_BF16;
                tensor.data = halves[made++];
            }
            list[count++] = tensor;
        }
    assert_int_equal(safetensors_build(bytes, &size, list, count, NULL, 0, &err), 0);
    if (safetensors_parse(&file, *bytes, size, "halves", &err) != 0)
        fail_msg("%s", err.message);
    return file;
}

/* The published models keep H_init and L_init in the type of the forward pass. */
static void tensors_in_bfloat16_are_widened(void **state)
{
    (void)state;
    enum { E = 64, IDS = 10 };
    static const char *const WORDS[] = { "_init", "puzzle_emb", NULL };
    struct error err = { 0 };
    struct safetensors_file *golden = read_golden("hrm_2x2_rope_stablemax_act");
    uint16_t halves[8][1024];
    char *bytes = NULL;
    struct safetensors_file *file = with_halves(golden, &bytes, halves, WORDS);
    struct engine *engine = make_engine("hrm_2x2_targetq_every4", 0);
    struct init_found found = { 0 };
    float got[1024], row[E];

    assert_int_equal(init_weights_tensors(&found, engine, file, "halves", &err), 0);
    assert_int_equal(init_weights_rows(&found, engine, file, &(struct init_rows){ 0 }, &err),
                     0);
    assert_int_equal(found.taken, found.tensors);
    assert_null(found.left);
    assert_int_equal(found.rows_kept, IDS - 1);
    for (int i = 0; i < engine_state_count(engine); i++) {
        struct engine_state to;
        char name[200];

        engine_state_describe(engine, i, &to);
        snprintf(name, sizeof name, "param0/%s", to.name);
        const struct safetensors_tensor *from = safetensors_find(golden, name);
        if (strstr(to.name, "_init") == NULL || to.kind == ENGINE_AVERAGE)
            continue;
        assert_non_null(from);
        assert_int_equal(from->bytes, to.bytes);
        engine_state_get(engine, i, got);
        for (size_t k = 0; k < from->elements; k++) {
            float whole = ((const float *)from->data)[k];
            assert_true(fabsf(got[k] - whole) <= fabsf(whole) / 128);
        }
    }
    const struct safetensors_tensor *rows =
        safetensors_find(golden, "param0/inner.puzzle_emb.weights");
    engine_puzzle_get(engine, IDS - 1, row);
    for (int e = 0; e < E; e++) {
        float whole = ((const float *)rows->data)[(IDS - 1) * E + e];
        assert_true(fabsf(row[e] - whole) <= fabsf(whole) / 128);
    }
    init_found_release(&found);
    engine_destroy(engine);
    safetensors_destroy(file);
    safetensors_destroy(golden);
    free(bytes);
}

/* Import of a file is refused with these words. */
static void expect_no_import(const struct place *place, const char *path, const char *words)
{
    const char *const import[] = { "import", path, NULL };
    char *errors = place_text(place, 2, import);

    place_expect_words(errors, words);
    free(errors);
}

/* One number for each of two ids, as a published file has them. */
static const float NUMBERS[2] = { 1.0F, 2.0F };
static const struct safetensors_tensor WEIGHT = { .name = "inner.embed_tokens."
                                                          "embedding_weight",
                                                  .dtype = SAFETENSORS_F32,
                                                  .rank = 2,
                                                  .dims = { 1, 2 },
                                                  .data = NUMBERS };

/* Makes the place and a file of one tensor in it, of which the last bytes may be cut. Its
 * path; its bytes are *bytes; both fresh. */
static char *make_weights(struct place *place, char **bytes, size_t *size,
                          const struct safetensors_tensor *tensor, size_t cut)
{
    struct error err = { 0 };

    place_make(place);
    assert_int_equal(safetensors_build(bytes, size, tensor, 1, NULL, 0, &err), 0);
    char *path = file_join(place->directory, "one.safetensors");
    assert_int_equal(file_write_atomic(path, *bytes, *size - cut, &err), 0);
    return path;
}

static void numbers_that_no_run_can_take_are_refused_by_import(void **state)
{
    static const double WIDE_NUMBERS[2] = { 1.0, 2.0 };
    static const struct safetensors_tensor WIDE = { .name = "model.inner.embed_tokens."
                                                            "embedding_weight",
                                                    .dtype = SAFETENSORS_F64,
                                                    .rank = 2,
                                                    .dims = { 1, 2 },
                                                    .data = WIDE_NUMBERS };
    struct place place;
    char *bytes;
    size_t size;
    char *path = make_weights(&place, &bytes, &size, &WIDE, 0);

    (void)state;
    expect_no_import(&place, path, "embedding_weight\" is F64, expected F32 or BF16");
    free(path);
    free(bytes);
    place_remove(&place);
}

/* What was imported and cut short since, by a full disk or so, is whole after another import. */
static void a_cut_copy_is_made_whole_by_import(void **state)
{
    struct place place;
    char *bytes, command[300];
    size_t size;
    char *path = make_weights(&place, &bytes, &size, &WEIGHT, 0);
    const char *const import[] = { "import", path, NULL };

    (void)state;
    snprintf(command, sizeof command, "truncate -s -1 %s/weights/*.safetensors",
             place.workspace);
    free(place_text(&place, 0, import));
    assert_int_equal(system(command), 0);
    free(place_text(&place, 0, import));
    snprintf(command, sizeof command, "cmp %s %s/weights/*.safetensors", path, place.workspace);
    assert_int_equal(system(command), 0);
    free(path);
    free(bytes);
    place_remove(&place);
}

static void files_that_are_not_whole_are_refused_by_import(void **state)
{
    struct error err = { 0 };
    struct place place;
    char *bytes;
    size_t size;
    char *path = make_weights(&place, &bytes, &size, &WEIGHT, 1);

    (void)state;
    expect_no_import(&place, path, "its tensors take 8 bytes, but 7 follow the header");
    memcpy(strstr(bytes + 8, "[1,2]"), "[9,2]", 5);
    assert_int_equal(file_write_atomic(path, bytes, size, &err), 0);
    expect_no_import(&place, path,
                     "embedding_weight\" has 8 bytes of data, its shape needs 72");
    expect_no_import(&place, place.directory, "not a regular file");
    assert_int_equal(remove(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_no_import(&place, path, "not a regular file");
    free(path);
    free(bytes);
    place_remove(&place);
}

/* ---- a plan with a base ---- */

static const char SPEC[] =
    "{\"name\": \"ft\", \"set\": {\"data.canvas\": 8, \"data.tasks_per_family\": 2,"
    " \"arch.hidden_size\": 16, \"arch.num_heads\": 2, \"arch.H_layers\": 1,"
    " \"arch.L_layers\": 1, \"arch.ffn_multiple\": 16, \"arch.puzzle_emb_ndim\": 16,"
    " \"arch.halt_max_steps\": 2, \"train.max_steps\": 12, \"train.global_batch_size\": 8,"
    " \"train.lr\": 0.01, \"train.lr_warmup_steps\": 5, \"train.untrained_share\": 0,"
    " \"data.subset\": \"evaluation-only\", \"train.puzzle_rows\": \"mean\","
    " \"train.init_from\": {\"data.subset\": \"all\", \"data.train_sets\": \"training\","
    "  \"train.max_steps\": 20}},"
    " \"grid\": {\"train.freeze\": [\"none\", \"trunk\", \"puzzle\"]}}";

static void write_spec(const struct place *place, const char *text)
{
    struct error err = { 0 };

    assert_int_equal(file_write_atomic(place->spec, text, strlen(text), &err), 0);
}

/* The final weights of the run of the arm whose label has this beginning. */
static struct safetensors_file *final_weights(const struct place *place, const char *label)
{
    struct error err = { 0 };
    struct safetensors_file *file = NULL;
    char sql[300];

    snprintf(sql, sizeof sql,
             "SELECT file FROM checkpoint JOIN arm_run USING (run_id) JOIN arm USING (arm_id)"
             " WHERE label LIKE '%s%%'",
             label);
    char *name = place_ask(place, sql);
    char *path = file_join(place->workspace, name);
    if (safetensors_read(&file, path, LIMIT, &err) != 0)
        fail_msg("%s: %s", label, err.message);
    free(path);
    free(name);
    return file;
}

static bool same_tensor(const struct safetensors_file *a, const struct safetensors_file *b,
                        const char *name)
{
    const struct safetensors_tensor *x = safetensors_find(a, name);
    const struct safetensors_tensor *y = safetensors_find(b, name);

    assert_non_null(x);
    assert_non_null(y);
    return x->bytes == y->bytes && memcmp(x->data, y->data, x->bytes) == 0;
}

static void expect_frozen(const struct place *place)
{
    static const char TRUNK[] = "inner.lm_head.weight", ROWS[] = "inner.puzzle_emb.weights";
    struct safetensors_file *base = final_weights(place, "init");
    struct safetensors_file *none = final_weights(place, "train.freeze=none");
    struct safetensors_file *trunk = final_weights(place, "train.freeze=trunk");
    struct safetensors_file *puzzle = final_weights(place, "train.freeze=puzzle");

    assert_true(same_tensor(base, trunk, TRUNK));
    assert_false(same_tensor(base, puzzle, TRUNK));
    assert_false(same_tensor(none, trunk, TRUNK));
    assert_false(same_tensor(none, puzzle, ROWS));
    assert_false(same_tensor(trunk, puzzle, ROWS));
    /* rows that nobody trains are the mean of the base's trained ones, where it had none */
    const struct safetensors_tensor *rows = safetensors_find(puzzle, ROWS);
    const float *last = (const float *)rows->data + (rows->elements - (size_t)rows->dims[1]);
    assert_true(fabsf(last[0]) > 0.0f);
    assert_memory_equal(last, (const float *)rows->data + rows->dims[1],
                        (size_t)rows->dims[1] * sizeof *last);
    safetensors_destroy(base);
    safetensors_destroy(none);
    safetensors_destroy(trunk);
    safetensors_destroy(puzzle);
}

static void a_base_is_trained_once_and_first(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    write_spec(&place, SPEC);
    assert_int_equal(place_finish(place_start(&place, "plan", place.spec, NULL)), 0);
    assert_true(place_output_has(&place, "3 arms begin with the weights of the arm init"));
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    place_expect(&place, "SELECT count(*) || ' ' || sum(state = 'done') FROM job", "4 4");
    place_expect(&place, "SELECT count(DISTINCT base_hash) || ' ' || count(base_hash) FROM run",
                 "1 3");
    place_expect(&place,
                 "SELECT min(a.attempt_id) = (SELECT attempt_id FROM attempt JOIN run r USING"
                 " (run_id) WHERE r.hash = (SELECT max(base_hash) FROM run)) FROM attempt a",
                 "1");
    expect_frozen(&place);
    char *run = place_ask(&place, "SELECT max(hash) FROM run WHERE base_hash IS NOT NULL");
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    char *before = place_ask(&place, PLACE_STATE);
    assert_int_equal(place_finish(place_start(&place, "rebuild", NULL)), 0);
    place_expect(&place, PLACE_STATE, before);
    place_expect(&place, "SELECT count(base_hash) FROM run", "3");
    free(before);
    free(run);
    place_remove(&place);
}

static void a_base_that_failed_fails_its_dependants_until_it_is_retried(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    write_spec(&place, SPEC);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    char *base = place_ask(&place, "SELECT max(base_hash) FROM run");
    assert_int_equal(place_finish(place_start(&place, "cancel", base, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 1);
    place_expect(&place, "SELECT count(*) FROM job WHERE cause = 'base failed'", "3");
    place_expect(&place, "SELECT count(*) FROM attempt", "0");
    char *run = place_ask(&place, "SELECT hash FROM run WHERE base_hash IS NOT NULL LIMIT 1");
    assert_int_equal(place_finish(place_start(&place, "retry", run, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 0);
    place_expect(&place, "SELECT sum(state = 'done') FROM job", "2");
    free(run);

    /* the base's weights go away: they are made again for those that begin with them */
    char *file = place_ask(&place, "SELECT c.file FROM checkpoint c JOIN run r USING (run_id)"
                                   " WHERE r.base_hash IS NULL");
    char *path = file_join(place.workspace, file);
    assert_int_equal(remove(path), 0);
    assert_int_equal(place_finish(place_start(&place, "retry", "ft", NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 0);
    place_expect(&place, "SELECT count(*) || ' ' || sum(state = 'done') FROM job", "5 5");
    free(path);
    free(file);
    free(base);
    place_remove(&place);
}

/* rate: the setting of averages of the weights, in the training and where its weights are
 * imported. */
static void expect_import_evaluates(const char *rate)
{
    struct place place;
    char spec[1200], from[200];
    char *out = NULL, *errors = NULL;

    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, "--set", rate, NULL)),
                     0);
    char *file = place_ask(&place, "SELECT c.file FROM checkpoint c JOIN run r USING (run_id)"
                                   " JOIN training USING (training_id)"
                                   " WHERE canonical NOT LIKE '%transformer%'");
    char *path = file_join(place.workspace, file);
    const char *const import[] = { "import", path, NULL };
    if (place_run(&place, import, &out, &errors) != 0)
        fail_msg("%s", errors);
    assert_int_equal(strncmp(out, INIT_FILE_PREFIX, strlen(INIT_FILE_PREFIX)), 0);
    out[strlen(out) - 1] = '\0';
    snprintf(from, sizeof from, "train.init_from=%s", out);
    assert_int_equal(
        place_finish(place_start(&place, "run", place.spec, "--set", "name=again", "--set",
                                 "arch.name=hrm", "--set", "train.max_steps=0", "--set",
                                 "train.epochs=0", "--set", rate, "--set", from, NULL)),
        0);
    /* what the training's own last evaluation found */
    place_expect(&place,
                 "SELECT group_concat(n) FROM (SELECT count(DISTINCT m.value) AS n FROM"
                 " measure_value m JOIN evaluation_result x USING (evaluation_id, step) JOIN"
                 " evaluation v USING (evaluation_id) JOIN run r USING (run_id) JOIN training n"
                 " USING (training_id) WHERE m.name = 'lm_loss' AND x.checkpoint = 'last'"
                 " AND n.canonical NOT LIKE '%transformer%'"
                 " GROUP BY v.canonical)",
                 "1,1");
    place_expect(&place, "SELECT count(*) FROM evaluation_result WHERE checkpoint = 'last'",
                 "6");
    /* a file named in a spec is the same */
    snprintf(spec, sizeof spec, "train.init_from=%s", path);
    assert_int_equal(
        place_finish(place_start(&place, "plan", place.spec, "--set", "arch.name=hrm", "--set",
                                 "train.max_steps=0", "--set", "train.epochs=0", "--set", rate,
                                 "--set", spec, NULL)),
        0);
    assert_true(place_output_has(&place, "trained and evaluated already"));
    free(path);
    free(file);
    free(out);
    free(errors);
    place_remove(&place);
}

static void imported_weights_are_evaluated_without_training(void **state)
{
    (void)state;
    expect_import_evaluates("train.ema_rate=0");
}

static void imported_averages_are_what_evaluations_use(void **state)
{
    (void)state;
    expect_import_evaluates("train.ema_rate=0.9");
}

/* trunk_first: the trunk is frozen for the first share of the steps, which the optimizer counts or
 * not. */
static void a_trunk_that_is_frozen_first_is_trained_later(void **state)
{
    static const char TRUNK[] = "inner.lm_head.weight", ROWS[] = "inner.puzzle_emb.weights";
    static const char GRID[] =
        "\"grid\": {\"train.freeze\": [\"none\", \"trunk\", \"trunk_first\"],"
        " \"train.freeze_share\": [0, 0.5, 1],"
        " \"train.frozen_steps\": [\"skipped\", \"counted\"]}}";
    static const char *const SHARES[3] = { "0", "0.5", "1" };
    static const char *const WORDS[2] = { "skipped", "counted" };
    struct place place;
    struct safetensors_file *first[3][2];
    char label[120];

    (void)state;
    place_make(&place);
    const char *grid = strstr(SPEC, "\"grid\"");
    char *text = format_string("%.*s%s", (int)(grid - SPEC), SPEC, GRID);
    write_spec(&place, text);
    free(text);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    struct safetensors_file *none = final_weights(&place, "train.freeze=none");
    struct safetensors_file *trunk = final_weights(&place, "train.freeze=trunk ");
    for (int i = 0; i < 6; i++) {
        snprintf(label, sizeof label,
                 "train.freeze=trunk_first train.freeze_share=%s train.frozen_steps=%s",
                 SHARES[i / 2], WORDS[i % 2]);
        first[i / 2][i % 2] = final_weights(&place, label);
    }
    for (int word = 0; word < 2; word++) {
        assert_true(same_tensor(first[0][word], none, TRUNK) &&
                    same_tensor(first[0][word], none, ROWS));
        assert_true(same_tensor(first[2][word], trunk, TRUNK) &&
                    same_tensor(first[2][word], trunk, ROWS));
        assert_false(same_tensor(first[1][word], none, TRUNK));
        assert_false(same_tensor(first[1][word], trunk, TRUNK));
    }
    assert_false(same_tensor(first[1][0], first[1][1], TRUNK));
    for (int i = 0; i < 6; i++)
        safetensors_destroy(first[i / 2][i % 2]);
    safetensors_destroy(none);
    safetensors_destroy(trunk);
    place_remove(&place);
}

/* Of a run that is kept, its experiment removed: verify needs the base. */
static void gc_leaves_the_base_of_a_run_that_is_needed(void **state)
{
    static const char BASES[] = "SELECT count(*) FROM run WHERE base_hash IS NULL";
    struct place place;

    (void)state;
    place_make(&place);
    write_spec(&place, SPEC);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, "--set",
                                              "train.freeze=none", NULL)),
                     0);
    char *run = place_ask(&place, "SELECT hash FROM run WHERE base_hash IS NOT NULL");
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "remove", "ft", NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "keep", run, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", NULL)), 0);
    place_expect(&place, BASES, "1");
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "keep", run, "--remove", NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", NULL)), 0);
    place_expect(&place, BASES, "0");
    free(run);
    place_remove(&place);
}

static void expect_refused(const char *key, const char *value, const char *words)
{
    struct config config;
    struct error err = { 0 };

    assert_int_equal(config_init(&config, &err), 0);
    int rc = config_set_text(&config, key, value, "test", &err);
    if (rc == 0)
        rc = config_resolve(&config, "test", &err);
    assert_int_equal(rc, ERROR_FORMAT);
    if (strstr(err.message, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
    config_release(&config);
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    expect_refused("train.epochs", "0", "train.init_from");
    expect_refused("train.init_from", "{\"train.sed\":1}", "unknown setting");
    expect_refused("train.init_from", "{\"train.seed\":1}", "cannot differ there");
    expect_refused("train.init_from", "{\"eval.seed\":1}", "cannot differ there");
    expect_refused("train.init_from", "{\"train.lr\":-1}", "expected");
    expect_refused("train.init_from", "sha256:12", "64 digits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imported_weights_answer_as_the_published_model),
        cmocka_unit_test(what_does_not_fit_is_named_and_rows_are_counted),
        cmocka_unit_test(tensors_in_bfloat16_are_widened),
        cmocka_unit_test(numbers_that_no_run_can_take_are_refused_by_import),
        cmocka_unit_test(files_that_are_not_whole_are_refused_by_import),
        cmocka_unit_test(a_cut_copy_is_made_whole_by_import),
        cmocka_unit_test(a_base_is_trained_once_and_first),
        cmocka_unit_test(a_base_that_failed_fails_its_dependants_until_it_is_retried),
        cmocka_unit_test(a_trunk_that_is_frozen_first_is_trained_later),
        cmocka_unit_test(gc_leaves_the_base_of_a_run_that_is_needed),
        cmocka_unit_test(imported_weights_are_evaluated_without_training),
        cmocka_unit_test(imported_averages_are_what_evaluations_use),
        cmocka_unit_test(contradictions_are_refused),
    };

    return cmocka_run_group_tests_name("init_from", tests, NULL, NULL);
}
