/* test_garbage.c - remove and gc: what goes, what stays, and that a rebuild agrees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/place.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

/* Writes a spec NAME.json of two steps a run with the given seeds; its path. */
static void write_spec(const struct place *place, char path[100], const char *name,
                       const char *seeds)
{
    struct error err = { 0 };
    char *text = format_string(
        "{\"name\": \"%s\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
        " \"arch.num_heads\": 2, \"arch.H_layers\": 1, \"arch.L_layers\": 1,"
        " \"train.max_steps\": 2, \"train.global_batch_size\": 4,"
        " \"train.checkpoint_interval\": 0.01}, \"seeds\": %s}",
        name, seeds);

    assert_non_null(text);
    snprintf(path, 100, "%s/%s.json", place->directory, name);
    assert_int_equal(file_write_atomic(path, text, strlen(text), &err), 0);
    free(text);
}

static int run(const struct place *place, const char *command, const char *argument)
{
    return place_finish(place_start(place, command, argument, NULL));
}

/* How many files below runs/ a pattern finds. */
static int count_files(const struct place *place, const char *pattern)
{
    char whole[200];
    glob_t found;

    snprintf(whole, sizeof whole, "%s/runs/%s", place->workspace, pattern);
    int rc = glob(whole, 0, NULL, &found);
    int count = rc == 0 ? (int)found.gl_pathc : 0;
    globfree(&found);
    return count;
}

/* Two experiments, done: a has the seeds 0 and 1, b 1 and 2. */
static void make_two(struct place *place)
{
    char a[100], b[100];

    place_make(place);
    write_spec(place, a, "a", "[0, 1]");
    write_spec(place, b, "b", "[1, 2]");
    assert_int_equal(place_finish(place_start(place, "queue", a, b, NULL)), 0);
    assert_int_equal(run(place, "work", NULL), 0);
}

static const char RESULTS[] = "SELECT group_concat(r.hash || x.step || x.lm_loss)"
                              " FROM run r JOIN evaluation USING (run_id)"
                              " JOIN score x USING (evaluation_id)"
                              " WHERE r.run_id IN (SELECT run_id FROM arm_run)"
                              " ORDER BY r.hash, x.step";

static void removing_an_experiment_keeps_what_another_needs(void **unused)
{
    struct place place;

    (void)unused;
    make_two(&place);
    assert_int_equal(run(&place, "remove", "nothing"), 2);
    assert_int_equal(run(&place, "remove", "a"), 0);
    assert_true(place_output_has(&place, "1 of its 2 runs belongs to no other experiment"));
    place_expect(&place, "SELECT group_concat(name) FROM experiment", "b");
    place_expect(&place, "SELECT count(*) FROM run", "3");
    assert_int_equal(run(&place, "rebuild", NULL), 0);
    place_expect(&place, "SELECT group_concat(name) FROM experiment", "b");
    place_expect(&place, "SELECT count(*) FROM run", "2");
    assert_int_equal(count_files(&place, "*/attempts"), 3);
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", "--dry-run", NULL)), 2);
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", NULL)), 0);
    assert_int_equal(count_files(&place, "*/attempts"), 2);
    assert_int_equal(run(&place, "rebuild", NULL), 0);
    place_expect(&place, "SELECT group_concat(name) FROM experiment", "b");
    place_expect(&place, "SELECT count(*) FROM v_results WHERE checkpoint = 'last'", "2");
    assert_int_equal(run(&place, "remove", "last"), 0);
    assert_true(place_output_has(&place, "b is removed"));
    place_expect(&place, "SELECT count(*) FROM experiment", "0");
    place_remove(&place);
}

static void a_removed_run_that_is_asked_for_again_is_there(void **unused)
{
    struct place place;
    char path[100];

    (void)unused;
    make_two(&place);
    assert_int_equal(run(&place, "remove", "a"), 0);
    write_spec(&place, path, "c", "[0]");
    assert_int_equal(run(&place, "run", path), 0);
    assert_true(place_output_has(&place, "nothing to do"));
    assert_int_equal(run(&place, "rebuild", NULL), 0);
    place_expect(&place, "SELECT group_concat(name) FROM experiment", "b,c");
    place_expect(&place, "SELECT count(*) FROM v_results WHERE checkpoint = 'last'", "3");
    place_remove(&place);
}

static void work_that_is_not_over_is_not_removed(void **unused)
{
    struct place place;
    char path[100];

    (void)unused;
    place_make(&place);
    write_spec(&place, path, "a", "[0]");
    assert_int_equal(run(&place, "queue", path), 0);
    assert_int_equal(run(&place, "remove", "a"), 2);
    assert_true(place_output_has(&place, "hrmlab cancel a first"));
    assert_int_equal(run(&place, "cancel", "a"), 0);
    assert_int_equal(run(&place, "remove", "a"), 0);
    place_expect(&place, "SELECT count(*) FROM experiment", "0");
    assert_int_equal(place_finish(place_start(&place, "gc", "--yes", NULL)), 0);
    place_expect(&place, "SELECT count(*) FROM run", "0");
    place_remove(&place);
}

static void gc_says_what_it_would_free_and_then_frees_just_that(void **unused)
{
    struct place place;

    (void)unused;
    make_two(&place);
    char *before = place_ask(&place, RESULTS);
    int checkpoints = count_files(&place, "*/attempts/*/checkpoint-*.safetensors");
    assert_true(checkpoints > 0);
    assert_int_equal(run(&place, "gc", NULL), 0);
    assert_true(place_output_has(&place, "nothing was changed"));
    assert_int_equal(count_files(&place, "*/attempts/*/checkpoint-*.safetensors"), checkpoints);
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", NULL)), 0);
    assert_int_equal(count_files(&place, "*/attempts/*/checkpoint-*.safetensors"), 0);
    assert_int_equal(count_files(&place, "*/attempts/*/final.safetensors"), 3);
    place_expect(&place, RESULTS, before);
    assert_int_equal(run(&place, "rebuild", NULL), 0);
    place_expect(&place, RESULTS, before);
    place_expect(&place, "SELECT group_concat(DISTINCT state) FROM job", "done");
    free(before);
    place_remove(&place);
}

/* In the workspace's data/ there are caches, and there may be the user's own data sets. */
static void gc_deletes_caches_and_no_data(void **unused)
{
    static const char *const names[] = { "mine/training/a.json", "facts-of-mine.json",
                                         "facts-0123456789abcdef.json.tmp" };
    struct place place;
    char command[400];

    (void)unused;
    make_two(&place);
    snprintf(command, sizeof command, "mkdir -p %s/data/mine/training", place.workspace);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(command, sizeof command, "echo '{}' > %s/data/%s", place.workspace, names[i]);
        assert_int_equal(system(command), 0);
    }
    snprintf(command, sizeof command, "test -n \"$(ls %s/data/facts-*[0-9a-f].json)\"",
             place.workspace);
    assert_int_equal(system(command), 0);
    assert_int_equal(run(&place, "gc", "--force"), 0);
    snprintf(command, sizeof command,
             "test \"$(ls %s/data | tr '\\n' ' ')\" ="
             " 'facts-of-mine.json mine ' && test -f %s/data/mine/training/a.json",
             place.workspace, place.workspace);
    assert_int_equal(system(command), 0);
    place_remove(&place);
}

static void gc_passes_over_runs_with_a_worker_and_directories_it_does_not_know(void **unused)
{
    struct place place;
    struct error err = { 0 };
    char path[200];

    (void)unused;
    make_two(&place);
    assert_int_equal(run(&place, "remove", "a"), 0);
    place_change(&place, "UPDATE attempt SET state = 'running'");
    snprintf(path, sizeof path, "%s/runs/strange", place.workspace);
    assert_int_equal(file_make_directories(path, &err), 0);
    int files = count_files(&place, "*/attempts/*/*");
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", NULL)), 0);
    assert_true(place_output_has(&place, "3 runs with open jobs skipped"));
    assert_true(place_output_has(&place, "1 run directory is not in the database"));
    assert_int_equal(count_files(&place, "*/attempts/*/*"), files);
    assert_int_equal(count_files(&place, "strange"), 1);
    place_change(&place, "UPDATE attempt SET state = 'ended'");
    place_remove(&place);
}

static void gc_refuses_to_act_beside_a_runner(void **unused)
{
    struct place place;
    char path[200];

    (void)unused;
    make_two(&place);
    snprintf(path, sizeof path, "%s/lock", place.workspace);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    char *name = format_string("pid %ld on nowhere\n", (long)getpid());
    assert_true(write(fd, name, strlen(name)) > 0);
    int files = count_files(&place, "*/attempts/*/*");
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", NULL)), 3);
    assert_int_equal(run(&place, "gc", NULL), 0);
    assert_int_equal(count_files(&place, "*/attempts/*/*"), files);
    free(name);
    close(fd);
    place_remove(&place);
}

static void what_an_interrupted_gc_leaves_is_deleted_by_the_next(void **unused)
{
    struct place place;
    char from[200], to[200];

    (void)unused;
    make_two(&place);
    assert_int_equal(run(&place, "remove", "b"), 0);
    /* Hidden, but still in the database: as if killed before the commit. */
    char *hash = place_ask(&place, "SELECT hash FROM run WHERE run_id NOT IN"
                                   " (SELECT run_id FROM arm_run)");
    snprintf(from, sizeof from, "%s/runs/%s", place.workspace, hash);
    snprintf(to, sizeof to, "%s/runs/.gc-%s", place.workspace, hash);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", NULL)), 0);
    assert_int_equal(count_files(&place, ".gc-*"), 0);
    place_expect(&place, "SELECT count(*) FROM run", "2");
    /* Hidden and no longer in the database: killed after it. */
    assert_int_equal(mkdir(to, 0777), 0);
    assert_int_equal(run(&place, "rebuild", NULL), 0);
    place_expect(&place, "SELECT count(*) FROM run", "2");
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", NULL)), 0);
    assert_int_equal(count_files(&place, ".gc-*"), 0);
    free(hash);
    place_remove(&place);
}

/* Writes an empty file slurm/NAME of the workspace. */
static void write_script(const struct place *place, const char *name)
{
    struct error err = { 0 };
    char path[300];

    snprintf(path, sizeof path, "%s/slurm", place->workspace);
    assert_int_equal(file_make_directories(path, &err), 0);
    snprintf(path, sizeof path, "%s/slurm/%s", place->workspace, name);
    assert_int_equal(file_write_atomic(path, "#", 1, &err), 0);
}

/* a: of an attempt that runs; b: of one whose runner died before it recorded the place; ab and c:
 * of none. */
static void scripts_of_jobs_go_when_no_attempt_needs_them_any_more(void **unused)
{
    static const char *const NAMES[] = { "a.sh", "a.log", "b.sh", "ab.sh", "c.sh", "c.log" };
    struct error err = { 0 };
    struct place place;
    char path[300];

    (void)unused;
    make_two(&place);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        write_script(&place, NAMES[i]);
    place_change(&place, "UPDATE attempt SET executor = 'slurm', place = 'not submitted'");
    place_change(&place, "UPDATE attempt SET state = 'running',"
                         " place = 'name a index 0 per 1 job 7' WHERE attempt_id = 1");
    place_change(&place, "UPDATE attempt SET state = 'starting' WHERE attempt_id = 2");
    char *directory = place_ask(&place, "SELECT directory FROM attempt WHERE attempt_id = 2");
    snprintf(path, sizeof path, "%s/%s/slurm.place", place.workspace, directory);
    free(directory);
    assert_int_equal(file_write_atomic(path, "name b index 3 per 1", 20, &err), 0);
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", NULL)), 0);
    assert_int_equal(count_files(&place, "../slurm/*"), 3);
    assert_int_equal(count_files(&place, "../slurm/[ab].*"), 3);
    place_change(&place, "UPDATE attempt SET state = 'ended'");
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", NULL)), 0);
    assert_int_equal(count_files(&place, "../slurm/*"), 0);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(removing_an_experiment_keeps_what_another_needs),
        cmocka_unit_test(a_removed_run_that_is_asked_for_again_is_there),
        cmocka_unit_test(work_that_is_not_over_is_not_removed),
        cmocka_unit_test(gc_says_what_it_would_free_and_then_frees_just_that),
        cmocka_unit_test(gc_deletes_caches_and_no_data),
        cmocka_unit_test(gc_passes_over_runs_with_a_worker_and_directories_it_does_not_know),
        cmocka_unit_test(gc_refuses_to_act_beside_a_runner),
        cmocka_unit_test(scripts_of_jobs_go_when_no_attempt_needs_them_any_more),
        cmocka_unit_test(what_an_interrupted_gc_leaves_is_deleted_by_the_next),
    };

    return cmocka_run_group_tests_name("garbage", tests, NULL, NULL);
}
