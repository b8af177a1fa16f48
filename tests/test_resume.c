/* test_resume.c - killed, stopped and damaged: a resumed run is the undisturbed one, bit for bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "random.h"
#include "support/worker_runs.h"

enum { MAX_ATTEMPTS = 200 };

static const char EVALUATIONS[] =
    "[{\"eval.halt_max_steps\":2,\"eval.augmentations\":\"all\",\"eval.act_inference\":false,"
    "\"eval.seed\":0,\"eval.split\":\"test\"},"
    "{\"eval.halt_max_steps\":3,\"eval.augmentations\":2,\"eval.act_inference\":true,"
    "\"eval.seed\":0,\"eval.split\":\"test\"}]";

/* Long enough to be killed many times, with interim evaluations and many checkpoints. */
static const char *const HRM[] = { "train.max_steps=0",
                                   "train.epochs=120",
                                   "train.eval_interval=15",
                                   "train.checkpoint_interval=0.02",
                                   "arch.halt_exploration_prob=0.5",
                                   "train.target_q_update_every=2",
                                   NULL };
static const char *const TRANSFORMER[] = { "train.max_steps=0",
                                           "train.epochs=120",
                                           "train.eval_interval=15",
                                           "train.checkpoint_interval=0.02",
                                           "arch.name=transformer",
                                           "arch.act_enabled=false",
                                           NULL };

static void setup_run(struct run_setup *setup, const char *const *more)
{
    struct run_settings settings;

    run_settings_init(&settings, run_task_folder, more);
    run_setup_init(setup, settings.list, EVALUATIONS);
}

/* What an undisturbed run in a workspace of its own says; seconds: how long it took. */
static cJSON *undisturbed(const char *const *more, char **hash, double *seconds)
{
    struct run_setup setup;

    setup_run(&setup, more);
    run_write_job(&setup, 1, NULL);
    double started = clock_monotonic_s();
    assert_int_equal(run_attempt(&setup, 1), 0);
    *seconds = clock_monotonic_s() - started;
    *hash = run_event_text(&setup, 1, "end", "weights_hash");
    cJSON *journal = run_journal(&setup, 1);
    run_setup_release(&setup);
    return journal;
}

/* The event without what may differ, as text; NULL for types that are not compared. */
static char *comparable(const cJSON *event)
{
    static const char *const TYPES[] = { "metric", "evaluation", "baseline", "outcome" };
    static const char *const ASIDE[] = { "h", "n", "t", "seconds" };
    bool wanted = false;

    for (int i = 0; i < 4; i++)
        wanted = wanted || strcmp(json_member(event, "type")->valuestring, TYPES[i]) == 0;
    if (!wanted)
        return NULL;
    cJSON *copy = cJSON_Duplicate(event, 1);
    for (int i = 0; i < 4; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(copy, ASIDE[i]);
    char *out = json_canonical(copy);
    cJSON_Delete(copy);
    return out;
}

static bool journal_says(const cJSON *journal, const char *wanted)
{
    const cJSON *event;
    bool found = false;

    cJSON_ArrayForEach(event, journal)
    {
        char *said = comparable(event);

        found = found || (said != NULL && strcmp(said, wanted) == 0);
        free(said);
    }
    return found;
}

/* Everything in one is in the other. */
static void assert_says_all_of(const cJSON *journal, const cJSON *expected, const char *what)
{
    const cJSON *event;

    cJSON_ArrayForEach(event, expected)
    {
        char *wanted = comparable(event);

        if (wanted != NULL && !journal_says(journal, wanted))
            fail_msg("%s: %.300s", what, wanted);
        free(wanted);
    }
}

/* Adds the events of an attempt to all. */
static void collect(cJSON *all, const struct run_setup *setup, int attempt)
{
    cJSON *journal = run_journal(setup, attempt);

    while (cJSON_GetArraySize(journal) > 0)
        cJSON_AddItemToArray(all, cJSON_DetachItemFromArray(journal, 0));
    cJSON_Delete(journal);
}

/* What has been done to trainings so far. */
struct interruptions {
    int wanted, killed, resumed, trainings;
};

/* Kills the worker of an attempt, or every third time its keeper, at a random moment within
 * span_ms of its beginning. True when it had ended before. */
static bool run_and_kill(const struct run_setup *setup, int attempt, int span_ms,
                         struct random_stream *stream)
{
    pid_t keeper = run_start(setup, attempt), target = keeper;

    run_wait_event(setup, attempt, "begin", 0);
    run_pause_ms((int)random_below(stream, (uint64_t)span_ms));
    if (attempt % 3 != 0)
        target = run_worker_pid(setup, attempt, keeper);
    if (target > 0)
        kill(target, SIGKILL);
    int code = run_wait(keeper);
    if (code != 0 && code != 128 + SIGKILL)
        fail_msg("attempt %d ends with %d", attempt, code);
    return code == 0;
}

/* One training, killed until there were as many kills as wanted, or it is through. The hash of its
 * weights, fresh; all gets the events of all attempts. */
static char *train_and_kill(const char *const *more, int span_ms, cJSON *all,
                            struct random_stream *stream, struct interruptions *count)
{
    struct run_setup setup;
    int attempt = 0;
    bool done = false;

    setup_run(&setup, more);
    while (!done) {
        assert_true(++attempt < MAX_ATTEMPTS);
        run_write_job(&setup, attempt, NULL);
        if (count->killed < count->wanted) {
            done = run_and_kill(&setup, attempt, span_ms, stream);
            count->killed += !done;
        } else {
            assert_int_equal(run_attempt(&setup, attempt), 0);
            done = true;
        }
        cJSON *journal = run_journal(&setup, attempt);
        count->resumed += run_count_events(journal, "resume");
        cJSON_Delete(journal);
        collect(all, &setup, attempt);
    }
    count->trainings++;
    char *hash = run_event_text(&setup, attempt, "end", "weights_hash");
    run_setup_release(&setup);
    return hash;
}

/* Shorter and no attempt lives to see its first checkpoint. */
enum { LEAST_SPAN_MS = 250 };

/*
 * Kills at random moments, fifty times in the long tier, and compares each training that was
 * interrupted with an undisturbed one. The moments are such that a training's length holds as many
 * kills as are wanted; one that is through before is followed by another.
 */
static void check_killed_runs(const char *const *more, uint64_t seed)
{
    struct random_stream stream = random_stream(seed, "kill", 0);
    struct interruptions count = { .wanted = getenv("HRMLAB_LONG") != NULL ? 50 : 4 };
    char *expected = NULL;
    double seconds = 0.0;
    cJSON *reference = undisturbed(more, &expected, &seconds);
    int span_ms = 1 + (int)(2000.0 * seconds / count.wanted);

    if (span_ms < LEAST_SPAN_MS)
        span_ms = LEAST_SPAN_MS;
    while (count.killed < count.wanted) {
        cJSON *all = cJSON_CreateArray();
        char *hash = train_and_kill(more, span_ms, all, &stream, &count);

        assert_string_equal(hash, expected);
        assert_says_all_of(all, reference, "never said");
        assert_says_all_of(reference, all, "said, but not by the undisturbed run");
        free(hash);
        cJSON_Delete(all);
    }
    print_message("%d kills, %d times gone on from a checkpoint, in %d trainings\n",
                  count.killed, count.resumed, count.trainings);
    assert_true(count.killed >= count.wanted);
    assert_true(count.resumed >= count.wanted / 2);
    free(expected);
    cJSON_Delete(reference);
}

static void killed_hrm_with_act_ends_with_the_same_bits(void **state)
{
    (void)state;
    check_killed_runs(HRM, 1);
}

static void killed_transformer_ends_with_the_same_bits(void **state)
{
    (void)state;
    check_killed_runs(TRANSFORMER, 2);
}

static void stopped_run_says_so_and_resumes(void **state)
{
    struct run_setup setup;
    char *expected = NULL;
    double seconds = 0.0;

    (void)state;
    cJSON_Delete(undisturbed(HRM, &expected, &seconds));
    setup_run(&setup, HRM);
    run_write_job(&setup, 1, NULL);
    pid_t keeper = run_start(&setup, 1);
    run_wait_event(&setup, 1, "metric", 10);
    kill(keeper, SIGTERM);
    assert_int_equal(run_wait(keeper), 130);
    char *status = run_event_text(&setup, 1, "end", "status");
    assert_string_equal(status, "stopped");
    free(status);
    cJSON *journal = run_journal(&setup, 1);
    double step = json_member(run_last_event(journal, "end"), "step")->valuedouble;
    assert_true(json_member(run_last_event(journal, "checkpoint"), "step")->valuedouble ==
                step);
    cJSON_Delete(journal);

    run_write_job(&setup, 2, NULL);
    assert_int_equal(run_attempt(&setup, 2), 0);
    journal = run_journal(&setup, 2);
    /* Nothing is lost: it goes on at the very step. */
    assert_true(json_member(run_last_event(journal, "resume"), "step")->valuedouble == step);
    cJSON_Delete(journal);
    char *hash = run_event_text(&setup, 2, "end", "weights_hash");
    assert_string_equal(hash, expected);
    free(hash);
    free(expected);
    run_setup_release(&setup);
}

/* How many of what takes so many seconds take the least that is wanted: at most most. */
static int scaled(int number, double seconds, double least, int most)
{
    double wanted = seconds > 0.0 ? number * 1.3 * least / seconds + 1.0 : most;

    return wanted < most ? (int)wanted : most;
}

/* Few steps, of a second and a half or more: as many cycles as that takes in this build. list: the
 * settings, with room for those. What an undisturbed run says. */
static cJSON *undisturbed_long_steps(const char *list[], char cycles[40], char **hash)
{
    enum { STEPS = 3, MOST_CYCLES = 64 };
    static const double LEAST_S = 1.5;
    static const char *const FIXED[] = { "train.max_steps=3",
                                         "data.canvas=20",
                                         "arch.hidden_size=64",
                                         "arch.L_cycles=1",
                                         "train.global_batch_size=16",
                                         "train.checkpoint_interval=0.01",
                                         NULL };
    int count = 0;

    for (; FIXED[count] != NULL; count++)
        list[count] = FIXED[count];
    list[count] = cycles;
    list[count + 1] = NULL;
    for (int H_cycles = 2;;) {
        double seconds;

        snprintf(cycles, 40, "arch.H_cycles=%d", H_cycles);
        cJSON *journal = undisturbed(list, hash, &seconds);
        const cJSON *end = run_last_event(journal, "end");
        double step_s = json_member(end, "train_seconds")->valuedouble / STEPS;
        if (step_s >= LEAST_S)
            return journal;
        cJSON_Delete(journal);
        free(*hash);
        if (H_cycles == MOST_CYCLES)
            fail_msg("steps of %d cycles take %g s", H_cycles, step_s);
        H_cycles = scaled(H_cycles, step_s, LEAST_S, MOST_CYCLES);
    }
}

/* Progress events of training at a step: how many, and whether the heartbeat rises in each. */
static int count_beats(const cJSON *journal, double step)
{
    const cJSON *event;
    double before = 0.0;
    int count = 0;

    cJSON_ArrayForEach(event, journal)
    {
        const cJSON *phase = json_member(event, "phase");

        if (!cJSON_IsString(phase) || strcmp(phase->valuestring, "train") != 0 ||
            json_real_or(event, "step", -1.0) != step)
            continue;
        assert_true(json_real_or(event, "heartbeat", 0.0) > before);
        before = json_real_or(event, "heartbeat", 0.0);
        count++;
    }
    return count;
}

static void long_step_is_abandoned_and_made_anew_from_its_checkpoint(void **state)
{
    struct run_setup setup;
    const char *settings[8];
    char *expected, *message, *hash, cycles[40];

    (void)state;
    cJSON *journal = undisturbed_long_steps(settings, cycles, &expected);
    assert_true(count_beats(journal, 1.0) > 0); /* in the middle of the second step */
    cJSON_Delete(journal);
    setup_run(&setup, settings);
    run_write_job(&setup, 1, NULL);
    pid_t keeper = run_start(&setup, 1);
    run_wait_event(&setup, 1, "checkpoint", 1);
    run_pause_ms(100);
    kill(keeper, SIGTERM);
    assert_int_equal(run_wait(keeper), 130);
    message = run_event_text(&setup, 1, "end", "message");
    assert_non_null(strstr(message, "stopped in step 2 ("));
    assert_non_null(strstr(message, " % done, abandoned); the checkpoint of step 1 counts"));
    free(message);
    journal = run_journal(&setup, 1);
    const cJSON *end = run_last_event(journal, "end");
    double trained = json_member(end, "train_seconds")->valuedouble;
    assert_true(json_member(end, "step")->valuedouble == 1.0 && trained > 0.0);
    cJSON_Delete(journal);

    run_write_job(&setup, 2, NULL);
    assert_int_equal(run_attempt(&setup, 2), 0);
    journal = run_journal(&setup, 2);
    end = run_last_event(journal, "end");
    /* Of all three steps, whichever attempt made them. */
    assert_true(json_member(end, "train_seconds")->valuedouble > trained);
    assert_true(json_member(end, "evaluation_seconds")->valuedouble > 0.0);
    cJSON_Delete(journal);
    hash = run_event_text(&setup, 2, "end", "weights_hash");
    assert_string_equal(hash, expected);
    free(hash);
    free(expected);
    run_setup_release(&setup);
}

/* Runs the training with an evaluation that takes far longer than the steps between: as many
 * rollouts as that takes in this build. evaluation: room for it. What the run says. */
static cJSON *run_with_slow_evaluation(struct run_setup *setup, char evaluation[200])
{
    enum { MOST_ROLLOUTS = 100 };
    static const double LEAST_S = 0.5;

    setup->evaluations = evaluation;
    for (int rollouts = 1;;) {
        snprintf(evaluation, 200,
                 "[{\"eval.halt_max_steps\":300,\"eval.augmentations\":\"all\","
                 "\"eval.act_inference\":false,\"eval.rollouts\":%d,\"eval.seed\":0,"
                 "\"eval.split\":\"test\"}]",
                 rollouts);
        run_write_job(setup, 1, NULL);
        assert_int_equal(run_attempt(setup, 1), 0);
        cJSON *journal = run_journal(setup, 1);
        const cJSON *last = run_last_event(journal, "evaluation");
        double seconds = json_member(last, "seconds")->valuedouble;
        if (seconds >= LEAST_S)
            return journal;
        cJSON_Delete(journal);
        assert_int_equal(file_remove_tree(setup->directory, NULL), 0);
        if (rollouts == MOST_ROLLOUTS)
            fail_msg("%d rollouts take %g s", rollouts, seconds);
        rollouts = scaled(rollouts, seconds, LEAST_S, MOST_ROLLOUTS);
    }
}

static void run_stopped_in_an_interim_evaluation_repeats_it(void **state)
{
    static const char *const MORE[] = { "train.max_steps=0", "train.epochs=8",
                                        "train.eval_interval=2", NULL };
    struct run_setup whole, stopped;
    char evaluation[200];

    (void)state;
    setup_run(&whole, MORE);
    setup_run(&stopped, MORE);
    cJSON *reference = run_with_slow_evaluation(&whole, evaluation);
    cJSON *all = cJSON_CreateArray();
    stopped.evaluations = evaluation;
    run_write_job(&stopped, 1, NULL);
    pid_t keeper = run_start(&stopped, 1);
    run_wait_event(&stopped, 1, "metric", 1);
    /* The steps up to the first interim evaluation are over at once. */
    run_pause_ms(150);
    kill(keeper, SIGTERM);
    assert_int_equal(run_wait(keeper), 130);
    char *log_path = run_path(&stopped, 1, "log"), *log = NULL;
    size_t size = 0;
    assert_int_equal(file_read(&log, &size, log_path, 1 << 20, NULL), 0);
    assert_non_null(strstr(log, "stopped while evaluating"));
    run_write_job(&stopped, 2, NULL);
    assert_int_equal(run_attempt(&stopped, 2), 0);
    collect(all, &stopped, 1);
    collect(all, &stopped, 2);
    assert_says_all_of(all, reference, "never said");
    assert_says_all_of(reference, all, "said, but not by the undisturbed run");
    free(log);
    free(log_path);
    cJSON_Delete(all);
    cJSON_Delete(reference);
    run_setup_release(&whole);
    run_setup_release(&stopped);
}

/* Flips a bit of the file. */
static void flip(const char *path, size_t at, int bit)
{
    FILE *file = fopen(path, "r+b");

    assert_non_null(file);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_true(byte != EOF);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ (1 << bit), file), byte ^ (1 << bit));
    assert_int_equal(fclose(file), 0);
}

static size_t file_size(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return (size_t)status.st_size;
}

/* Trains until there are many checkpoints, and stops. The newest one's path, fresh, and step. */
static char *stop_behind_checkpoints(const struct run_setup *setup, double *newest_step)
{
    run_write_job(setup, 1, NULL);
    pid_t keeper = run_start(setup, 1);
    run_wait_event(setup, 1, "metric", 40);
    kill(keeper, SIGTERM);
    assert_int_equal(run_wait(keeper), 130);
    cJSON *journal = run_journal(setup, 1);
    const cJSON *newest = run_last_event(journal, "checkpoint");
    assert_true(run_count_events(journal, "checkpoint") >= 2);
    *newest_step = json_member(newest, "step")->valuedouble;
    char *path = run_path(setup, 1, json_member(newest, "file")->valuestring);
    cJSON_Delete(journal);
    return path;
}

/* Attempt 2 goes on from a step before that of the damaged checkpoint, and says why. */
static void expect_older_generation(const struct run_setup *setup, double newest_step)
{
    cJSON *journal = run_journal(setup, 2);
    char *log_path = run_path(setup, 2, "log"), *log = NULL;
    size_t size = 0;

    double step = json_member(run_last_event(journal, "resume"), "step")->valuedouble;
    assert_true(step > 0.0 && step < newest_step);
    assert_int_equal(file_read(&log, &size, log_path, 1 << 20, NULL), 0);
    assert_non_null(strstr(log, "safetensors"));
    free(log);
    free(log_path);
    cJSON_Delete(journal);
}

/* A training as HRM, of as many epochs as take two seconds in this build. list: its settings, with
 * room for those. The hash of its weights, fresh. */
static char *undisturbed_for_seconds(const char *list[], char epochs[40], char interval[40])
{
    enum { EPOCHS = 120, INTERVALS = 8, MOST_EPOCHS = 12000 };
    static const double LEAST_S = 2.0;
    int count = 0;

    for (int i = 0; HRM[i] != NULL; i++)
        if (strstr(HRM[i], "epochs=") == NULL && strstr(HRM[i], "eval_interval=") == NULL)
            list[count++] = HRM[i];
    list[count++] = epochs;
    list[count++] = interval;
    list[count] = NULL;
    for (int times = 1;;) {
        char *hash = NULL;
        double seconds;

        snprintf(epochs, 40, "train.epochs=%d", EPOCHS * times);
        snprintf(interval, 40, "train.eval_interval=%d", EPOCHS / INTERVALS * times);
        cJSON *journal = undisturbed(list, &hash, &seconds);
        double trained =
            json_member(run_last_event(journal, "end"), "train_seconds")->valuedouble;
        cJSON_Delete(journal);
        if (trained >= LEAST_S)
            return hash;
        free(hash);
        if (times == MOST_EPOCHS / EPOCHS)
            fail_msg("%d epochs take %g s", MOST_EPOCHS, trained);
        times = scaled(times, trained, LEAST_S, MOST_EPOCHS / EPOCHS);
    }
}

/* Anywhere in the file, half of the times where names and position are. */
static void damaged_newest_checkpoint_gives_way_to_the_older(void **state)
{
    struct random_stream stream = random_stream(4, "damage", 0);
    struct run_setup setup;
    const char *settings[12];
    char epochs[40], interval[40];
    double newest_step;
    int rounds = getenv("HRMLAB_LONG") != NULL ? 30 : 3;

    (void)state;
    char *expected = undisturbed_for_seconds(settings, epochs, interval);
    setup_run(&setup, settings);
    char *path = stop_behind_checkpoints(&setup, &newest_step);
    char *second = run_path(&setup, 2, "");
    for (int round = 1; round <= rounds; round++) {
        size_t at = (size_t)random_below(&stream, round % 2 == 0 ? 4000 : file_size(path));
        int bit = (int)random_below(&stream, 8);

        flip(path, at, bit);
        run_write_job(&setup, 2, NULL);
        pid_t keeper = run_start(&setup, 2);
        run_wait_event(&setup, 2, "resume", 1);
        pid_t worker = round < rounds ? run_worker_pid(&setup, 2, keeper) : 0;
        if (round < rounds) /* 0 would be this group of processes */
            assert_true(worker > 0 && kill(worker, SIGKILL) == 0);
        assert_int_equal(run_wait(keeper), round < rounds ? 128 + SIGKILL : 0);
        expect_older_generation(&setup, newest_step);
        if (round == rounds)
            break;
        flip(path, at, bit);
        assert_int_equal(file_remove_tree(second, NULL), 0);
    }
    char *hash = run_event_text(&setup, 2, "end", "weights_hash");
    assert_string_equal(hash, expected);
    free(hash);
    free(second);
    free(path);
    free(expected);
    run_setup_release(&setup);
}

static void run_killed_after_training_only_evaluates(void **state)
{
    struct run_setup setup;

    (void)state;
    setup_run(&setup, HRM);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    cJSON *first = run_journal(&setup, 1);
    char *expected = run_event_text(&setup, 1, "end", "weights_hash");

    /* As if the first had ended right after its final weights. A new evaluation is asked for:
     * the untrained model is asked too. */
    run_write_job(&setup, 2, NULL);
    assert_int_equal(run_attempt(&setup, 2), 0);
    cJSON *second = run_journal(&setup, 2);
    assert_int_equal(run_count_events(second, "metric"), 0);
    assert_int_equal(run_count_events(second, "evaluation"), 2);
    assert_says_all_of(first, second, "said the second time only");
    char *hash = run_event_text(&setup, 2, "checkpoint", "weights_hash");
    assert_string_equal(hash, expected);
    cJSON_Delete(second);
    free(hash);

    setup.evaluations =
        "[{\"eval.halt_max_steps\":5,\"eval.augmentations\":\"all\","
        "\"eval.act_inference\":false,\"eval.seed\":0,\"eval.split\":\"test\"}]";
    run_write_job(&setup, 3, NULL);
    assert_int_equal(run_attempt(&setup, 3), 0);
    second = run_journal(&setup, 3);
    assert_int_equal(run_count_events(second, "evaluation"), 2);
    hash = run_event_text(&setup, 3, "end", "weights_hash");
    assert_string_equal(hash, expected);
    free(hash);
    cJSON_Delete(second);
    cJSON_Delete(first);
    free(expected);
    run_setup_release(&setup);
}

int main(void)
{
#define WITH_TASKS(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, run_task_folder_make, run_task_folder_remove)
    const struct CMUnitTest tests[] = {
        WITH_TASKS(killed_hrm_with_act_ends_with_the_same_bits),
        WITH_TASKS(killed_transformer_ends_with_the_same_bits),
        WITH_TASKS(stopped_run_says_so_and_resumes),
        WITH_TASKS(long_step_is_abandoned_and_made_anew_from_its_checkpoint),
        WITH_TASKS(run_stopped_in_an_interim_evaluation_repeats_it),
        WITH_TASKS(damaged_newest_checkpoint_gives_way_to_the_older),
        WITH_TASKS(run_killed_after_training_only_evaluates),
    };

    return cmocka_run_group_tests_name("resume", tests, NULL, NULL);
}
