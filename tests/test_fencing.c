/*
 * test_fencing.c - training goes on only from what the database knows: whatever happened to earlier
 * attempts, a run that is done has every metric of an undisturbed one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/place.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Long enough to be met in the middle; one run, so that pids are easily told apart. */
static const char SPEC[] =
    "{\"name\": \"t\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
    " \"arch.num_heads\": 2, \"arch.H_layers\": 1, \"arch.L_layers\": 1,"
    " \"arch.ffn_multiple\": 16, \"arch.puzzle_emb_ndim\": 16, \"arch.halt_max_steps\": 2,"
    " \"train.max_steps\": 1500, \"train.global_batch_size\": 8, \"train.lr\": 0.01,"
    " \"train.lr_warmup_steps\": 5, \"train.checkpoint_interval\": 0.05},"
    " \"evaluate\": {\"eval.halt_max_steps\": [1, 2]}, \"retries\": {\"max\": 5, \"delay\": "
    "0}}";

static const char RESULTS[] =
    "SELECT (SELECT count(*) FROM metric) || ' metrics: ' ||"
    " (SELECT group_concat(name || step || ' ' || value, ';') FROM (SELECT * FROM metric ORDER"
    " BY name, step)) || (SELECT group_concat(checkpoint || step || ' ' || pass_at_2 || ' ' ||"
    " per_token_accuracy, ';') FROM (SELECT * FROM score ORDER BY evaluation_id,"
    " step)) || (SELECT count(*) FROM task_outcome) || (SELECT count(*) FROM baseline) ||"
    " (SELECT weights_hash FROM checkpoint)";

static char *undisturbed;

static void make(struct place *place)
{
    struct error err = { 0 };

    place_use_release(NULL);
    place_make(place);
    assert_int_equal(file_write_atomic(place->spec, SPEC, strlen(SPEC), &err), 0);
}

static void expect_undisturbed(const struct place *place)
{
    char *results = place_ask(place, RESULTS);

    if (strcmp(results, undisturbed) != 0)
        fail_msg("%.60s, expected %.60s (HRMLAB_KEEP=1 keeps %s)", results, undisturbed,
                 place->directory);
    free(results);
    place_expect(place, "SELECT state || coalesce(cause, '') FROM job", "done");
}

static int learn_undisturbed(void **state)
{
    struct place place;

    (void)state;
    make(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    undisturbed = place_ask(&place, RESULTS);
    assert_true(atoi(undisturbed) >= 250);
    place_remove(&place);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    free(undisturbed);
    return 0;
}

/* The process group of the attempt's keeper and worker. */
static pid_t group_of(const struct place *place, int attempt)
{
    char sql[120];

    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM attempt WHERE number = %d AND state = 'running'", attempt);
    assert_true(place_wait_for(place, sql, "1"));
    snprintf(sql, sizeof sql,
             "SELECT CAST(substr(place, 5) AS INTEGER) FROM attempt WHERE number = %d",
             attempt);
    char *pid = place_ask(place, sql);
    pid_t keeper = atoi(pid);
    free(pid);
    assert_true(keeper > 1);
    for (int i = 0; i < 1000 && kill(-keeper, 0) != 0; i++) /* until it leads its own */
        place_sleep_ms(1);
    return -keeper;
}

/* The state letter of a process, as the kernel tells it; 0: it is gone. */
static char state_of(pid_t pid)
{
    char path[64], text[256] = "";

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    const char *name_end = fgets(text, sizeof text, file) != NULL ? strrchr(text, ')') : NULL;
    fclose(file);
    return name_end != NULL ? name_end[2] : 0;
}

/* The worker is in a group of its own: the keeper's only child. 0: there is none. */
static pid_t worker_of(pid_t group)
{
    char path[64];
    int pid = 0;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)-group, (int)-group);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%d", &pid) != 1)
        pid = 0;
    fclose(file);
    return pid;
}

static void stop_and_wait(pid_t pid)
{
    kill(pid, SIGSTOP);
    for (int i = 0; i < 5000 && state_of(pid) != 'T' && state_of(pid) != 0; i++)
        place_sleep_ms(1);
}

/* Keeper first: it then starts no worker any more. */
static void stop_attempt(pid_t group)
{
    stop_and_wait(-group);
    if (worker_of(group) > 0)
        stop_and_wait(worker_of(group));
}

static void continue_attempt(pid_t group)
{
    if (worker_of(group) > 0)
        kill(worker_of(group), SIGCONT);
    assert_int_equal(kill(-group, SIGCONT), 0);
}

static void wait_until_gone(pid_t group)
{
    for (int i = 0; i < 6000 && kill(group, 0) == 0; i++)
        place_sleep_ms(10);
    assert_int_equal(kill(group, 0), -1);
}

static char *journal_of(const struct place *place, int attempt)
{
    char sql[80];

    snprintf(sql, sizeof sql, "SELECT directory FROM attempt WHERE number = %d", attempt);
    char *directory = place_ask(place, sql);
    char *path = format_string("%s/%s/journal.jsonl", place->workspace, directory);
    free(directory);
    assert_non_null(path);
    return path;
}

/* Whether the attempt's training has come to its end: a busy machine was too quick for us. */
static bool is_too_late(const struct place *place, int attempt)
{
    char *path = journal_of(place, attempt), *text;
    size_t size;
    struct error err = { 0 };
    bool late = false;

    if (file_exists(path)) {
        assert_int_equal(file_read(&text, &size, path, 1 << 24, &err), 0);
        late = strstr(text, "\"final\":true") != NULL;
        free(text);
    }
    free(path);
    return late;
}

/* Attempt 1 stands still in the middle, some of what it said is stored, and its runner is gone. Its
 * process group. */
static pid_t leave_first_attempt(struct place *place)
{
    for (int tries = 0; tries < 20; tries++) {
        make(place);
        pid_t runner = place_start(place, "run", place->spec, NULL);
        pid_t group = group_of(place, 1);
        assert_true(place_wait_for(place, "SELECT count(*) > 0 FROM metric", "1"));
        stop_attempt(group);
        kill(runner, SIGKILL);
        waitpid(runner, NULL, 0);
        if (!is_too_late(place, 1))
            return group;
        place_kill_all(place);
        place_remove(place);
    }
    fail_msg("no attempt could be met in the middle");
    return 0;
}

static long size_of(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? (long)status.st_size : 0;
}

static void flip_byte(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");

    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
}

/* Damage behind the stored offset: checkpoints of later than the damage are there. */
static void a_retry_after_quarantine_misses_nothing(void **state)
{
    struct place place;

    (void)state;
    pid_t group = leave_first_attempt(&place);
    char *offset = place_ask(&place, "SELECT journal_offset FROM attempt");
    long at = atol(offset) + 200;
    free(offset);
    char *journal = journal_of(&place, 1);
    continue_attempt(group);
    for (int i = 0; i < 1000 && size_of(journal) < at + 20000; i++)
        place_sleep_ms(10);
    kill(group, SIGKILL);
    wait_until_gone(group);
    assert_true(size_of(journal) > at + 10000);
    flip_byte(journal, at);
    free(journal);
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 1);
    place_expect(&place, "SELECT state || cause FROM job", "quarantinedjournal");
    assert_int_equal(place_finish(place_start(&place, "retry", "t", NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 0);
    expect_undisturbed(&place);
    place_remove(&place);
}

/* Attempt 1 was given up; attempt 2 is at work and stands still. false: it was too quick. */
static bool give_up_first_attempt(const struct place *place, pid_t *runner, pid_t *second)
{
    place_change(place, "UPDATE attempt SET state = 'ended', outcome = 'lost worker'");
    place_change(place, "UPDATE job SET state = 'queued'");
    *runner = place_start(place, "work", NULL);
    *second = group_of(place, 2);
    stop_attempt(*second);
    return !is_too_late(place, 2);
}

/* It comes back while attempt 2 is at work, and gets ahead of it to the end. */
static void what_a_stale_attempt_gets_ahead_by_is_not_gone_on_from(void **state)
{
    struct place place;
    pid_t first, second, runner;

    (void)state;
    for (first = leave_first_attempt(&place); !give_up_first_attempt(&place, &runner, &second);
         first = leave_first_attempt(&place)) {
        kill(runner, SIGKILL);
        waitpid(runner, NULL, 0);
        place_kill_all(&place);
        place_remove(&place);
    }
    continue_attempt(first);
    wait_until_gone(first);
    assert_int_equal(kill(second, SIGKILL), 0);
    assert_int_equal(place_finish(runner), 0);
    place_expect(&place, "SELECT count(*) FROM attempt", "3");
    expect_undisturbed(&place);
    place_remove(&place);
}

/* An attempt that died is gone on from: the list is not empty where it need not be. */
static void a_recorded_checkpoint_is_gone_on_from(void **state)
{
    struct place place;

    (void)state;
    pid_t group = leave_first_attempt(&place);
    kill(group, SIGKILL);
    wait_until_gone(group);
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 0);
    expect_undisturbed(&place);
    char *journal = journal_of(&place, 2), *text, *resume;
    struct error err = { 0 };
    size_t size;
    assert_int_equal(file_read(&text, &size, journal, 1 << 24, &err), 0);
    resume = strstr(text, "\"type\":\"resume\"");
    assert_non_null(resume);
    assert_non_null(strstr(resume, "attempts/1/checkpoint-"));
    free(text);
    free(journal);
    place_remove(&place);
}

static void remove_database(const struct place *place)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char path[100];

    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/results.db%s", place->workspace, ends[i]);
        unlink(path);
    }
}

/* Somebody removes the database and gives the same command again. */
static void attempts_that_the_database_does_not_know_are_left_alone(void **state)
{
    struct place place;

    (void)state;
    make(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    remove_database(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    assert_true(place_output_has(&place, "hrmlab rebuild"));
    expect_undisturbed(&place);
    place_expect(&place, "SELECT number FROM attempt", "2");
    /* Both are there after all, and say the same. */
    assert_int_equal(place_finish(place_start(&place, "rebuild", NULL)), 0);
    place_expect(&place, "SELECT count(*) FROM attempt WHERE outcome = 'done'", "2");
    char *results = place_ask(&place, RESULTS);
    assert_string_equal(results, undisturbed);
    free(results);
    place_remove(&place);
}

/* A worker that goes on from elsewhere than it was told, and says that all is done. */
static void a_result_without_its_beginning_is_none(void **state)
{
    struct place place;

    (void)state;
    place_use_release("skip");
    place_make(&place);
    assert_int_equal(
        place_finish(place_start(&place, "run", place.spec, "--set", "retries.max=0", NULL)),
        1);
    place_expect(&place, "SELECT DISTINCT state || ' ' || cause FROM job",
                 "failed its beginning is missing");
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorded_checkpoint_is_gone_on_from),
        cmocka_unit_test(a_retry_after_quarantine_misses_nothing),
        cmocka_unit_test(what_a_stale_attempt_gets_ahead_by_is_not_gone_on_from),
        cmocka_unit_test(attempts_that_the_database_does_not_know_are_left_alone),
        cmocka_unit_test(a_result_without_its_beginning_is_none),
    };

    return cmocka_run_group_tests_name("fencing", tests, learn_undisturbed, forget);
}
