/* test_checkpoint.c - a training's state written and loaded; damage of every kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checkpoint.h"
#include "checkpoint_file.h"
#include "checkpoint_find.h"
#include "engine.h"
#include "error.h"
#include "file.h"
#include "random.h"
#include "support/small_network.h"

enum { B = 3, T = 6, V = 5, IDS = 4 };

static const char RUN[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const char POSITION[] = "{\"streams\":[1,2],\"x\":0.1}";
static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/test_checkpoint.XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    (void)state;
    return file_remove_tree(directory, NULL);
}

static struct engine *create_of(enum system_id system, int hidden_size, int intermediate_size,
                                double ema_rate)
{
    const struct small_network sizes = {
        .batch = B, .tokens = T, .vocabulary = V, .identifiers = IDS, .width = hidden_size
    };
    struct engine_config config = small_network(system, sizes);
    struct engine *engine = NULL;
    struct error err = { 0 };

    config.H_cycles = 1;
    config.intermediate_size = intermediate_size;
    config.target_q_update_every = 2;
    config.lr_warmup_steps = 2;
    config.ema_rate = ema_rate;
    if (engine_create(&engine, &config, &err) < 0)
        fail_msg("%s", err.message);
    engine_initialise(engine, 7);
    return engine;
}

static struct engine *create(int hidden_size)
{
    return create_of(SYSTEM_HRM, hidden_size, 32, 0.0);
}

/* Training steps first..last on data that depends on the step's number only. */
static void train(struct engine *engine, int first, int last)
{
    for (int step = first; step <= last; step++) {
        struct random_stream stream = random_stream(1, "test data", (uint64_t)step);
        int32_t inputs[B * T], labels[B * T], ids[B], minimum[B];
        struct engine_result result;

        for (int i = 0; i < B * T; i++) {
            inputs[i] = (int32_t)random_below(&stream, V);
            labels[i] = (int32_t)random_below(&stream, V);
        }
        for (int i = 0; i < B; i++) {
            ids[i] = (int32_t)random_below(&stream, IDS);
            minimum[i] = (int32_t)random_below(&stream, 4);
        }
        assert_int_equal(engine_train_step(engine,
                                           &(struct engine_batch){ .inputs = inputs,
                                                                   .labels = labels,
                                                                   .puzzle_identifiers = ids },
                                           minimum, &result),
                         0);
        assert_true(result.finite);
    }
}

static void assert_same_state(const struct engine *a, const struct engine *b, bool weights_only)
{
    assert_int_equal(engine_state_count(a), engine_state_count(b));
    for (int i = 0; i < engine_state_count(a); i++) {
        struct engine_state state;

        engine_state_describe(a, i, &state);
        if (weights_only && state.kind != ENGINE_PARAMETER && state.kind != ENGINE_BUFFER &&
            state.kind != ENGINE_AVERAGE)
            continue;
        char *left = malloc(state.bytes), *right = malloc(state.bytes);
        engine_state_get(a, i, left);
        engine_state_get(b, i, right);
        if (memcmp(left, right, state.bytes) != 0)
            fail_msg("%s differs", state.name);
        free(left);
        free(right);
    }
}

static char *inside(const char *name)
{
    char *path = file_join(directory, name);

    assert_non_null(path);
    return path;
}

static void write_to(const struct engine *engine, const char *path, int64_t step, bool final)
{
    char hash[HASH_HEX_SIZE], again[HASH_HEX_SIZE];
    struct error err = { 0 };

    if (checkpoint_write(hash, engine, path, RUN, step, final, POSITION, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(checkpoint_weights_hash(again, engine, &err), 0);
    assert_string_equal(hash, again);
}

/* A TRM whose evaluations run on an average of the weights. */
static struct engine *create_averaged(void)
{
    return create_of(SYSTEM_TRM, 16, 32, 0.9);
}

static void check_resume(struct engine *first, struct engine *second)
{
    struct checkpoint_facts facts;
    struct error err = { 0 };
    char *path = inside("checkpoint-0.safetensors");

    train(first, 1, 5);
    write_to(first, path, 5, false);
    train(second, 50, 52); /* state that must be overwritten */
    assert_int_equal(checkpoint_load(&facts, second, path, RUN, CHECKPOINT_EVERYTHING, &err),
                     0);
    assert_int_equal(facts.step, 5);
    assert_false(facts.final);
    assert_string_equal(facts.position, POSITION);
    assert_string_equal(facts.kernel_set, engine_kernel_set());
    checkpoint_facts_release(&facts);
    assert_same_state(first, second, false);
    train(first, 6, 12);
    train(second, 6, 12);
    assert_same_state(first, second, false);
    free(path);
    engine_destroy(first);
    engine_destroy(second);
}

static void loaded_training_goes_on_bit_for_bit(void **state)
{
    (void)state;
    check_resume(create(16), create(16));
    check_resume(create_averaged(), create_averaged());
}

static void check_final(struct engine *first, struct engine *second, bool averages)
{
    struct checkpoint_facts facts;
    struct error err = { 0 };
    char *path = inside("final.safetensors"), hash[HASH_HEX_SIZE], *text = NULL;
    size_t size = 0;

    train(first, 1, 4);
    write_to(first, path, 4, true);
    assert_int_equal(checkpoint_load(&facts, second, path, RUN, CHECKPOINT_WEIGHTS, &err), 0);
    assert_true(facts.final);
    assert_same_state(first, second, true);
    assert_int_equal(checkpoint_weights_hash(hash, second, &err), 0);
    assert_string_equal(hash, facts.weights_hash);
    checkpoint_facts_release(&facts);
    assert_int_equal(file_read(&text, &size, path, 1 << 24, &err), 0);
    assert_null(memmem(text, size, "optimizer.", strlen("optimizer.")));
    assert_null(memmem(text, size, "carry.", strlen("carry.")));
    assert_int_equal(memmem(text, size, "ema.inner.", strlen("ema.inner.")) != NULL, averages);
    free(text);
    free(path);
    engine_destroy(first);
    engine_destroy(second);
}

static void final_checkpoint_has_the_weights_alone(void **state)
{
    (void)state;
    check_final(create(16), create(16), false);
    check_final(create_averaged(), create_averaged(), true);
}

/* Loads size bytes as a checkpoint; the engine must stay as it was when that fails. */
static int load_bytes(const char *bytes, size_t size, struct engine *engine,
                      const struct engine *reference, const char *run_hash)
{
    struct checkpoint_facts facts;
    struct error err = { 0 };
    char *path = inside("copy.safetensors");
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    int rc = checkpoint_load(&facts, engine, path, run_hash, CHECKPOINT_EVERYTHING, &err);
    if (rc < 0) {
        assert_non_null(strstr(err.message, "copy.safetensors"));
        assert_same_state(engine, reference, false);
    }
    checkpoint_facts_release(&facts);
    free(path);
    return rc;
}

/* Flips bits of one byte in the file, loads it, and flips them back. */
static int load_flipped(int fd, const char *path, char byte, size_t at, int bits,
                        struct engine *engine)
{
    struct checkpoint_facts facts;
    struct error err = { 0 };
    char flipped = (char)(byte ^ bits);

    assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
    int rc = checkpoint_load(&facts, engine, path, RUN, CHECKPOINT_EVERYTHING, &err);
    checkpoint_facts_release(&facts);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    return rc;
}

/* Every byte of a whole checkpoint: one bit of each, in the long tier all eight. */
static void a_flip_of_any_byte_is_refused_and_changes_nothing(void **state)
{
    struct engine *engine = create_of(SYSTEM_HRM, 4, 4, 0.0),
                  *target = create_of(SYSTEM_HRM, 4, 4, 0.0);
    struct engine *untouched = create_of(SYSTEM_HRM, 4, 4, 0.0);
    struct error err = { 0 };
    char *path = inside("checkpoint-0.safetensors"), *bytes = NULL;
    size_t size = 0, step = getenv("HRMLAB_LONG") != NULL ? 1 : 8, flips = 0;

    (void)state;
    train(engine, 1, 3);
    write_to(engine, path, 3, false);
    assert_int_equal(file_read(&bytes, &size, path, 1 << 24, &err), 0);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t i = 0; i < 8 * size; i += step) {
        size_t at = i / 8, bit = step == 1 ? i % 8 : at % 8;

        if (load_flipped(fd, path, bytes[at], at, 1 << bit, target) != ERROR_DAMAGED)
            fail_msg("a flip of bit %zu of byte %zu of %zu was not noticed", bit, at, size);
        flips++;
    }
    close(fd);
    assert_int_equal(flips, step == 1 ? 8 * size : size);
    assert_same_state(target, untouched, false);
    assert_int_equal(load_bytes(bytes, size, target, untouched, RUN), 0);
    print_message("%zu flips in a checkpoint of %zu bytes\n", flips, size);
    free(bytes);
    free(path);
    engine_destroy(engine);
    engine_destroy(target);
    engine_destroy(untouched);
}

static void cut_and_foreign_checkpoints_are_refused_and_change_nothing(void **state)
{
    struct engine *engine = create(16), *target = create(16), *reference = create(16);
    struct random_stream stream = random_stream(3, "damage", 0);
    struct error err = { 0 };
    char *path = inside("checkpoint-0.safetensors"), *bytes = NULL;
    size_t size = 0;

    (void)state;
    train(engine, 1, 3);
    write_to(engine, path, 3, false);
    assert_int_equal(file_read(&bytes, &size, path, 1 << 24, &err), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(
            load_bytes(bytes, (size_t)random_below(&stream, size), target, reference, RUN),
            ERROR_DAMAGED);
    char other[sizeof RUN];
    memcpy(other, RUN, sizeof RUN);
    other[5] = 'f';
    assert_int_equal(load_bytes(bytes, size, target, reference, other), ERROR_DAMAGED);
    assert_int_equal(load_bytes(bytes, size, target, reference, RUN), 0);
    free(bytes);
    free(path);
    engine_destroy(engine);
    engine_destroy(target);
    engine_destroy(reference);
}

static void changed_position_is_noticed(void **state)
{
    struct engine *engine = create(16);
    struct checkpoint_facts facts;
    struct error err = { 0 };
    char *path = inside("checkpoint-0.safetensors"), *bytes = NULL;
    size_t size = 0;

    (void)state;
    write_to(engine, path, 0, false);
    assert_int_equal(file_read(&bytes, &size, path, 1 << 24, &err), 0);
    char *place = memmem(bytes, size, "[1,2]", 5);
    assert_non_null(place);
    place[1] = '3';
    assert_int_equal(file_write_atomic(path, bytes, size, &err), 0);
    assert_int_equal(checkpoint_load(&facts, engine, path, RUN, CHECKPOINT_EVERYTHING, &err),
                     ERROR_DAMAGED);
    assert_non_null(strstr(err.message, "checksum"));
    free(bytes);
    free(path);
    engine_destroy(engine);
}

/* Written by somebody, with a checksum that is right. */
static void numbers_out_of_bounds_are_refused(void **state)
{
    static const struct {
        const char *name;
        int32_t value;
    } CASES[] = {
        { "carry.inputs", 1 << 20 },
        { "carry.inputs", -1 },
        { "carry.labels", 1 << 20 },
        { "carry.labels", -101 },
        { "carry.puzzle_identifiers", 1 << 20 },
        { "carry.puzzle_identifiers", -1 },
        { "carry.steps", -1 },
        { "carry.steps", 1 << 20 },
        { "optimizer.step", -1 },
    };
    struct checkpoint_facts facts;
    struct error err = { 0 };
    char *path = inside("checkpoint-0.safetensors");

    (void)state;
    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
        struct engine *engine = create(16), *other = create(16);
        struct engine_state found;
        int i = 0;

        for (; i < engine_state_count(engine); i++) {
            engine_state_describe(engine, i, &found);
            if (strcmp(found.name, CASES[c].name) == 0)
                break;
        }
        int32_t *values = malloc(found.bytes);
        assert_non_null(values);
        engine_state_get(engine, i, values);
        values[0] = CASES[c].value;
        if (found.dtype == ENGINE_I64)
            values[1] = CASES[c].value;
        engine_state_set(engine, i, values);
        free(values);
        write_to(engine, path, 0, false);
        assert_int_equal(checkpoint_load(&facts, other, path, RUN, CHECKPOINT_EVERYTHING, &err),
                         ERROR_DAMAGED);
        assert_non_null(strstr(err.message, CASES[c].name));
        engine_destroy(engine);
        engine_destroy(other);
    }
    free(path);
}

static void checkpoint_of_another_shape_names_the_tensor(void **state)
{
    struct engine *engine = create(16), *wider = create(32);
    struct checkpoint_facts facts;
    struct error err = { 0 };
    char *path = inside("checkpoint-0.safetensors");

    (void)state;
    write_to(engine, path, 1, false);
    assert_int_equal(checkpoint_load(&facts, wider, path, RUN, CHECKPOINT_EVERYTHING, &err),
                     ERROR_DAMAGED);
    assert_non_null(strstr(err.message, "tensor "));
    free(path);
    engine_destroy(engine);
    engine_destroy(wider);
}

static void failed_write_keeps_the_old_file(void **state)
{
    struct engine *engine = create(16);
    struct checkpoint_facts facts;
    struct error err = { 0 };
    char *path = inside("checkpoint-0.safetensors");
    char *aside = inside("checkpoint-0.safetensors.new");
    int status = 0;

    (void)state;
    write_to(engine, path, 1, false);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = { 5000, 5000 };
        char hash[HASH_HEX_SIZE];

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        int rc = checkpoint_write(hash, engine, path, RUN, 2, false, POSITION, &err);
        _exit(rc == ERROR_IO || rc == ERROR_NOSPACE ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_false(file_exists(aside));
    assert_int_equal(checkpoint_load(&facts, engine, path, RUN, CHECKPOINT_EVERYTHING, &err),
                     0);
    assert_int_equal(facts.step, 1);
    checkpoint_facts_release(&facts);
    free(path);
    free(aside);
    engine_destroy(engine);
}

static bool is_whole(const char *path)
{
    bool whole;

    assert_int_equal(checkpoint_file_check(&whole, path, NULL), 0);
    return whole;
}

static bool is_sound(const char *path)
{
    bool sound;

    assert_int_equal(checkpoint_file_verify(&sound, path, NULL), 0);
    return sound;
}

static void the_runner_finds_whole_what_the_worker_wrote_and_nothing_else(void **state)
{
    struct engine *engine = create(16);
    char *path = inside("final.safetensors"), *bytes = NULL;
    size_t size = 0;

    (void)state;
    assert_false(is_whole(path));
    write_to(engine, path, 3, true);
    assert_true(is_whole(path) && is_sound(path));
    assert_int_equal(file_read(&bytes, &size, path, (size_t)1 << 30, NULL), 0);
    bytes[size - 1] ^= 1;
    assert_int_equal(file_write_atomic(path, bytes, size, NULL), 0);
    assert_true(is_whole(path));
    assert_false(is_sound(path));
    for (size_t cut = 0; cut < size; cut += size / 7) {
        assert_int_equal(file_write_atomic(path, bytes, cut, NULL), 0);
        assert_false(is_whole(path) || is_sound(path));
    }
    free(bytes);
    free(path);
    engine_destroy(engine);
}

static void put(const struct engine *engine, int attempt, const char *name, int step,
                bool final)
{
    char *folder = format_string("%s/attempts/%d", directory, attempt);
    char *path = file_join(folder, name);

    assert_int_equal(file_make_directories(folder, NULL), 0);
    write_to(engine, path, step, final);
    free(path);
    free(folder);
}

static void earlier_attempts_are_searched_most_steps_first(void **state)
{
    static const char *const EXPECTED[] = { "attempts/2/final.safetensors",
                                            "attempts/2/checkpoint-1.safetensors",
                                            "attempts/1/checkpoint-0.safetensors",
                                            "attempts/1/checkpoint-1.safetensors" };
    struct engine *engine = create(16);
    struct checkpoint_candidate *list = NULL;
    struct error err = { 0 };
    int count = 0;

    (void)state;
    put(engine, 1, "checkpoint-0.safetensors", 20, false);
    put(engine, 1, "checkpoint-1.safetensors", 10, false);
    put(engine, 2, "checkpoint-1.safetensors", 40, false);
    put(engine, 2, "final.safetensors", 40, true);
    put(engine, 4, "checkpoint-0.safetensors", 90, false); /* its own: not an earlier one */
    char *bad = inside("attempts/2/checkpoint-0.safetensors");
    assert_int_equal(file_write_atomic(bad, "\1\0\0\0\0\0\0\0{", 9, &err), 0);
    free(bad);
    assert_int_equal(checkpoint_find(&list, &count, directory, 4, RUN, &err), 0);
    assert_int_equal(count, 4);
    for (int i = 0; i < count; i++)
        assert_string_equal(list[i].name, EXPECTED[i]);
    assert_true(list[0].final);
    free(list);
    assert_int_equal(checkpoint_find(&list, &count, directory, 1, RUN, &err), 0);
    assert_int_equal(count, 0);
    free(list);
    engine_destroy(engine);
}

int main(void)
{
#define WITH_DIRECTORY(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(loaded_training_goes_on_bit_for_bit),
        WITH_DIRECTORY(final_checkpoint_has_the_weights_alone),
        WITH_DIRECTORY(a_flip_of_any_byte_is_refused_and_changes_nothing),
        WITH_DIRECTORY(cut_and_foreign_checkpoints_are_refused_and_change_nothing),
        WITH_DIRECTORY(changed_position_is_noticed),
        WITH_DIRECTORY(numbers_out_of_bounds_are_refused),
        WITH_DIRECTORY(checkpoint_of_another_shape_names_the_tensor),
        WITH_DIRECTORY(failed_write_keeps_the_old_file),
        WITH_DIRECTORY(the_runner_finds_whole_what_the_worker_wrote_and_nothing_else),
        WITH_DIRECTORY(earlier_attempts_are_searched_most_steps_first),
    };

    return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
