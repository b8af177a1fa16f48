/*
 * fuzz_checkpoint.c - safetensors, as a worker and as the runner read it; a checkpoint into a
 * small engine, and where its training stood.
 *
 * The input is a file. It is also taken as a position by itself, because few inputs are whole
 * checkpoints.
 */
#include "fuzz.h"

#include "batches.h"
#include "checkpoint.h"
#include "checkpoint_file.h"
#include "data_set.h"
#include "engine.h"
#include "error.h"
#include "safetensors.h"
#include "settings.h"
#include "train_position.h"

#include <stdlib.h>
#include <string.h>

static const char RUN[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static struct engine *engine;
static struct config config;
static struct data_set *set;
static struct batches *batches;

static void must(int rc)
{
    if (rc < 0)
        abort();
}

/* The engine of the committed inputs, and four puzzles of Sudoku to be somewhere in. */
static void prepare(void)
{
    static const char *const SETTINGS[][2] = {
        { "data.path", "builtin:sudoku" }, { "data.sudoku_side", "4" },
        { "data.sudoku_train", "4" },      { "data.sudoku_test", "1" },
        { "data.num_aug", "1" },           { "train.global_batch_size", "2" },
    };
    const struct engine_config sizes = {
        .system = SYSTEM_HRM,
        .batch_size = 1,
        .seq_len = 2,
        .vocab_size = 3,
        .num_puzzle_identifiers = 2,
        .puzzle_emb_ndim = 2,
        .H_layers = 1,
        .L_layers = 1,
        .H_cycles = 1,
        .L_cycles = 1,
        .hidden_size = 2,
        .num_heads = 1,
        .intermediate_size = 2,
        .pos_encodings = ENGINE_ROPE,
        .rope_theta = 10000.0,
        .rms_norm_eps = 1e-5,
        .loss_type = ENGINE_STABLEMAX,
        .halt_max_steps = 2,
        .act_enabled = true,
        .target_q_update_every = 1,
        .global_batch_size = 1,
        .lr = 1e-3,
        .lr_min_ratio = 1.0,
        .weight_decay = 0.1,
        .beta1 = 0.9,
        .beta2 = 0.95,
        .lr_warmup_steps = 1,
        .total_steps = 10,
        .puzzle_emb_lr = 1e-2,
        .puzzle_emb_weight_decay = 0.1,
    };

    must(config_init(&config, NULL));
    for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS; i++)
        must(config_set_text(&config, SETTINGS[i][0], SETTINGS[i][1], "fuzz", NULL));
    must(config_resolve(&config, "fuzz", NULL));
    must(data_set_open(&set, &config, true, NULL));
    must(batches_create(&batches, set, &config, NULL));
    must(engine_create(&engine, &sizes, NULL));
}

static void parse(const uint8_t *data, size_t size)
{
    struct error err = { 0 };
    struct safetensors_file *file;
    uint64_t *aligned = malloc(size + 8);

    if (aligned == NULL)
        return;
    memcpy(aligned, data, size);
    int rc = safetensors_parse(&file, aligned, size, "input", &err);
    fuzz_expect_message(rc, &err);
    if (rc == 0) {
        volatile unsigned char sum = 0;
        for (int i = 0; i < safetensors_count(file); i++) {
            const struct safetensors_tensor *t = safetensors_at(file, i);
            for (size_t b = 0; b < t->bytes; b++)
                sum = (unsigned char)(sum + ((const unsigned char *)t->data)[b]);
        }
        safetensors_destroy(file);
    }
    free(aligned);
}

/* The training goes on from there; a step out of bounds would read outside the data. */
static void stand_at(const char *text)
{
    struct error err = { 0 };
    struct train_position position;
    int32_t tokens[2][2 * 16], identifiers[2];

    must(train_position_init(&position, NULL));
    int rc = train_position_from_text(&position, batches, text, "input", &err);
    fuzz_expect_message(rc, &err);
    if (rc == 0) {
        batches_next(batches, tokens[0], tokens[1], identifiers);
        free(train_position_to_text(&position, batches));
    }
    train_position_release(&position);
}

static void load(const char *path, enum checkpoint_part part)
{
    struct error err = { 0 };
    struct checkpoint_facts facts = { 0 };
    int rc = checkpoint_load(&facts, engine, path, RUN, part, &err);

    fuzz_expect_message(rc, &err);
    if (rc == 0 && facts.position != NULL)
        stand_at(facts.position);
    if (rc == 0)
        checkpoint_facts_release(&facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (engine == NULL)
        prepare();
    if (text == NULL)
        return 0;
    parse(data, size);
    const char *path = fuzz_file(data, size);
    bool whole;
    error_ignore(checkpoint_file_check(&whole, path, NULL));
    load(path, CHECKPOINT_EVERYTHING);
    load(path, CHECKPOINT_WEIGHTS);
    memcpy(text, data, size);
    text[size] = '\0';
    stand_at(text);
    free(text);
    return 0;
}
