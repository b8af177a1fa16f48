/* test_experiment.c - what an experiment is, what belongs to its jobs, and where its data are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "process.h"
#include "support/place.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char SETTINGS[] = "\"data.canvas\": 8, \"arch.hidden_size\": 16, "
                               "\"arch.num_heads\": 2, \"train.max_steps\": 5";

static void write_file(const char *path, const char *text)
{
    struct error err = { 0 };

    assert_int_equal(file_write_atomic(path, text, strlen(text), &err), 0);
}

/* Writes the place's spec: members are its JSON but for the name and the usual settings. */
static void write_spec(const struct place *place, const char *name, const char *members)
{
    char *spec =
        format_string("{\"name\": \"%s\", \"set\": {%s}, %s}", name, SETTINGS, members);

    assert_non_null(spec);
    write_file(place->spec, spec);
    free(spec);
}

/* Queues a spec of these members under the name; its exit code, and its messages. */
static int queue(const struct place *place, const char *name, const char *members,
                 const char *option, char **messages)
{
    const char *const words[] = { "queue", place->spec, option, NULL };
    char *out;

    write_spec(place, name, members);
    int code = place_run(place, words, &out, messages);
    free(out);
    return code;
}

static void expect_queued(const struct place *place, const char *members, const char *words)
{
    char *messages;

    assert_int_equal(queue(place, "exp", members, NULL, &messages), 0);
    place_expect_words(messages, words);
    free(messages);
}

static const char AS_IT_WAS[] = "updated to this spec";

static void other_words_for_the_same_runs_are_the_same_experiment(void **unused)
{
    struct place place;

    (void)unused;
    place_make(&place);
    expect_queued(&place, "\"grid\": {\"train.lr\": [0.001, 0.0001]}, \"seeds\": [0, 1]",
                  "4 of 4: to be trained");
    expect_queued(&place,
                  "\"grid\": {\"train.lr\": [0.001, 0.0001]}, \"seeds\": [0, 1],"
                  " \"description\": \"mended\", \"priority\": 3",
                  AS_IT_WAS);
    place_expect(&place, "SELECT description || priority FROM experiment", "mended3");
    place_expect(&place, "SELECT DISTINCT priority FROM job", "3");
    expect_queued(&place, "\"grid\": {\"train.lr\": [0.001, 0.0001]}, \"seeds\": 2", AS_IT_WAS);
    place_expect(&place, "SELECT DISTINCT priority FROM job", "0");
    expect_queued(&place, "\"grid\": {\"train.lr\": [0.0001, 0.001]}, \"seeds\": 2", AS_IT_WAS);
    expect_queued(&place,
                  "\"grid\": {\"train.lr\": [0.001, 0.0001]}, \"seeds\": 2,"
                  " \"expected_time\": \"a minute\", \"retries\": {\"max\": 0}",
                  AS_IT_WAS);
    place_expect(&place, "SELECT group_concat(name) FROM experiment", "exp");
    place_expect(&place, "SELECT count(*) || ' ' || count(DISTINCT run_id) FROM job", "4 4");
    place_expect(&place, "SELECT DISTINCT retries_max FROM job", "0");
    place_expect(&place,
                 "SELECT group_concat(label, ' ') FROM (SELECT label FROM arm"
                 " ORDER BY position)",
                 "train.lr=0.001 train.lr=0.0001");
    place_remove(&place);
}

static void more_runs_extend_an_experiment_and_fewer_need_another_name(void **unused)
{
    struct place place;
    char *messages;

    (void)unused;
    place_make(&place);
    expect_queued(&place, "\"seeds\": [0, 1]", "2 of 2: to be trained");
    expect_queued(&place, "\"seeds\": [0, 1, 2]", "1 run added to its 2");
    expect_queued(&place, "\"seeds\": 3, \"grid\": {\"train.lr\": [0.0001, 0.5]}",
                  "3 runs added to its 3");
    place_expect(&place, "SELECT count(*) FROM arm_run", "6");
    assert_int_equal(queue(&place, "exp", "\"seeds\": [2, 3]", NULL, &messages), 2);
    assert_non_null(strstr(messages, "with 5 of 6 runs that this asks for no longer"));
    assert_non_null(strstr(messages, "--new for the name exp-2"));
    free(messages);
    place_expect(&place, "SELECT count(*) FROM run", "6");
    assert_int_equal(queue(&place, "exp", "\"seeds\": [2, 3]", "--new", &messages), 0);
    free(messages);
    assert_int_equal(queue(&place, "exp", "\"seeds\": [2, 3]", "--new", &messages), 0);
    free(messages);
    place_expect(&place, "SELECT group_concat(name) FROM experiment", "exp,exp-2");
    place_expect(&place, "SELECT count(*) FROM run", "7");
    const char *const rebuild[] = { "rebuild", NULL };
    char *out;
    assert_int_equal(place_run(&place, rebuild, &out, &messages), 0);
    free(out);
    free(messages);
    place_expect(&place, "SELECT group_concat(name) FROM experiment", "exp,exp-2");
    place_expect(&place, "SELECT count(*) FROM run", "7");
    place_remove(&place);
}

/* The number must not make a name that a rebuild refuses. */
static void the_longest_name_is_followed_by_one_as_long(void **unused)
{
    struct place place;
    char name[101], *messages, *out;
    const char *const rebuild[] = { "rebuild", NULL };

    (void)unused;
    place_make(&place);
    memset(name, 'n', 100);
    name[100] = '\0';
    for (int i = 0; i < 3; i++) {
        char seeds[40];

        snprintf(seeds, sizeof seeds, "\"seeds\": [%d]", i);
        assert_int_equal(queue(&place, name, seeds, i > 0 ? "--new" : NULL, &messages), 0);
        free(messages);
    }
    for (int i = 0; i < 2; i++) {
        place_expect(&place,
                     "SELECT group_concat(length(name) || substr(name, 98), ' ') FROM"
                     " (SELECT name FROM experiment ORDER BY name)",
                     "100n-2 100n-3 100nnn");
        if (i == 0) {
            assert_int_equal(place_run(&place, rebuild, &out, &messages), 0);
            free(out);
            free(messages);
        }
    }
    place_remove(&place);
}

static void axes_that_change_nothing_are_warned_about_and_dropped_cells_told_once(void **unused)
{
    struct place place;
    char *messages;

    (void)unused;
    place_make(&place);
    assert_int_equal(queue(&place, "exp",
                           "\"grid\": {\"resources.threads\": [1, 2], \"arch.name\": "
                           "[\"transformer\"], \"train.lr\": [0.1, 0.2]},"
                           " \"ablate\": {\"arch.L_cycles\": [1, 3]},"
                           " \"evaluate\": {\"eval.augmentations\": [1, 50]}",
                           NULL, &messages),
                     0);
    assert_non_null(strstr(messages, "the axis resources.threads is no axis of results"));
    assert_non_null(strstr(messages, "the axis arch.L_cycles changes nothing: "
                                     "arch.name=transformer makes it inactive"));
    assert_null(strstr(messages, "the axis train.lr"));
    const char *told = strstr(messages, "2 evaluations are left out");
    assert_non_null(told);
    assert_null(strstr(strchr(told, '\n'), "left out"));
    free(messages);
    place_remove(&place);
}

static void a_folder_of_the_current_directory_is_named_where_data_are_missing(void **unused)
{
    struct place place;
    char *messages, *out;

    (void)unused;
    place_make(&place);
    write_file(place.spec, "{\"name\": \"exp\", \"set\": {\"data.path\": \"build/asan\"}}");
    const char *const words[] = { "queue", place.spec, NULL };
    assert_int_equal(place_run(&place, words, &out, &messages), 2);
    assert_non_null(strstr(messages, "/build/asan\": No such file"));
    assert_non_null(strstr(messages, "give --set data.path=build/asan"));
    free(out);
    free(messages);
    place_remove(&place);
}

static void names_that_commands_know_are_refused(void **unused)
{
    static const char *const names[] = { "all", "last" };
    struct place place;
    char *messages;

    (void)unused;
    place_make(&place);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(queue(&place, names[i], "\"seeds\": 1", NULL, &messages), 2);
        assert_non_null(strstr(messages, "choose another name"));
        free(messages);
    }
    place_remove(&place);
}

static const char JOB_SETTINGS[] =
    "SELECT group_concat(threads || ' ' || memory_gb || ' ' || retries_max || ' ' || settings)"
    " FROM job JOIN execution USING (execution_id)";

static void what_is_asked_now_of_execution_counts_now(void **unused)
{
    struct place place;

    (void)unused;
    place_make(&place);
    expect_queued(&place, "\"seeds\": 1, \"resources\": {\"memory_gb\": 0.5}", "to be trained");
    place_expect(&place, JOB_SETTINGS, "1 0.5 2 {\"resources.memory_gb\":0.5}");
    expect_queued(&place,
                  "\"seeds\": 1, \"resources\": {\"memory_gb\": 3, \"threads\": 2},"
                  " \"retries\": {\"max\": 1}",
                  AS_IT_WAS);
    place_expect(&place, JOB_SETTINGS,
                 "2 3.0 1 {\"resources.memory_gb\":3,\"resources.threads\":2,"
                 "\"retries.max\":1}");
    place_expect(&place, "SELECT instr(job_config, 'resources') FROM training", "0");
    place_remove(&place);
}

static void a_retry_may_change_how_jobs_are_executed_and_nothing_else(void **unused)
{
    struct place place;

    (void)unused;
    place_make(&place);
    expect_queued(&place, "\"seeds\": 1, \"resources\": {\"memory_gb\": 0.5}", "to be trained");
    assert_int_equal(place_finish(place_start(&place, "cancel", "exp", NULL)), 0);
    assert_int_equal(
        place_finish(place_start(&place, "retry", "exp", "--set", "train.lr=0.5", NULL)), 2);
    assert_true(place_output_has(&place, "that would be another run"));
    assert_int_equal(
        place_finish(place_start(&place, "retry", "exp", "--set", "data.path=/nowhere", NULL)),
        2);
    assert_true(place_output_has(&place, "data.path = \"/nowhere\": No such file"));
    place_expect(&place, "SELECT state FROM job", "cancelled");
    assert_int_equal(
        place_finish(place_start(&place, "retry", "exp", "--set", "resources.memory_gb=4",
                                 "--set", "retries.max=0", NULL)),
        0);
    place_expect(&place, "SELECT state FROM job", "queued");
    place_expect(&place, JOB_SETTINGS, "1 4.0 0 {\"resources.memory_gb\":4,\"retries.max\":0}");
    place_remove(&place);
}

/* Memory is limited in the release build only: the sanitizers reserve more than any limit. */
static void a_limit_of_memory_that_is_too_low_is_named_and_can_be_raised(void **unused)
{
    struct place place;

    (void)unused;
    if (access("build/hrmlab-worker", X_OK) != 0 || access("build/hrmlab", X_OK) != 0) {
        print_message("skipped: the release build is not there (make all)\n");
        skip();
    }
    place_make(&place);
    setenv("HRMLAB_PROGRAM", "build/hrmlab", 1);
    setenv("HRMLAB_WORKER", "build/hrmlab-worker", 1);
    write_spec(&place, "exp", "\"seeds\": 1, \"resources\": {\"memory_gb\": 0.01}");
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 1);
    assert_true(place_output_has(&place, "the limit of 0.01 GiB (resources.memory_gb)"));
    assert_int_equal(place_finish(place_start(&place, "retry", "exp", "--set",
                                              "resources.memory_gb=0", NULL)),
                     0);
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 0);
    place_expect(&place, "SELECT state FROM job", "done");
    unsetenv("HRMLAB_PROGRAM");
    unsetenv("HRMLAB_WORKER");
    place_remove(&place);
}

static void the_command_line_wins_over_bases_and_spec(void **unused)
{
    struct place place;
    char *out, *messages, *base;

    (void)unused;
    place_make(&place);
    base = format_string("%s/base.json", place.directory);
    assert_non_null(base);
    write_file(base, "{\"resources\": {\"threads\": 3}, \"retries\": {\"max\": 4}}");
    write_spec(&place, "exp",
               "\"base\": [\"base.json\"], \"resources\": {\"threads\": 4},"
               " \"seeds\": 1");
    const char *const words[] = { "queue", place.spec,      "--set", "resources.threads=2",
                                  "--set", "retries.max=0", "--set", "seeds=[7,8]",
                                  "--set", "priority=5",    "--set", "name=other",
                                  NULL };
    assert_int_equal(place_run(&place, words, &out, &messages), 0);
    free(out);
    free(messages);
    place_expect(&place, JOB_SETTINGS,
                 "2 0.0 0 {\"resources.threads\":2,\"retries.max\":0},"
                 "2 0.0 0 {\"resources.threads\":2,\"retries.max\":0}");
    place_expect(&place, "SELECT group_concat(seed) FROM run", "7,8");
    place_expect(&place, "SELECT name || priority FROM experiment", "other5");
    free(base);
    place_remove(&place);
}

/* A task whose answer is its input, in DIR/NAME/evaluation/a.json. */
static void make_task(const struct place *place, const char *name)
{
    char path[200];

    snprintf(path, sizeof path, "%s/%s", place->directory, name);
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s/%s/evaluation", place->directory, name);
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s/%s/evaluation/a.json", place->directory, name);
    write_file(path, "{\"train\": [{\"input\": [[1, 2]], \"output\": [[1, 2]]}],"
                     " \"test\": [{\"input\": [[3, 1]], \"output\": [[3, 1]]}]}");
}

static char *path_in(const struct place *place, const char *name)
{
    char directory[4096];

    assert_non_null(realpath(place->directory, directory));
    char *path = format_string("{\"data.path\":\"%s/%s\"}", directory, name);
    assert_non_null(path);
    return path;
}

static void relative_data_are_beside_the_file_that_says_it(void **unused)
{
    static const char settings[] =
        "SELECT settings FROM job JOIN execution USING (execution_id)";
    struct place place;
    char *messages, *expected;

    (void)unused;
    place_make(&place);
    make_task(&place, "tasks");
    assert_int_equal(queue(&place, "exp",
                           "\"set\": {\"data.path\": \"tasks\","
                           " \"data.canvas\": 4, \"arch.hidden_size\": 16,"
                           " \"arch.num_heads\": 2, \"train.max_steps\": 1,"
                           " \"train.global_batch_size\": 1}",
                           NULL, &messages),
                     2); /* "set" stands there twice */
    free(messages);
    write_file(place.spec,
               "{\"name\": \"exp\", \"set\": {\"data.path\": \"tasks\", \"data.canvas\": 4,"
               " \"arch.hidden_size\": 16, \"arch.num_heads\": 2, \"train.max_steps\": 1,"
               " \"train.global_batch_size\": 1}}");
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    expected = path_in(&place, "tasks");
    place_expect(&place, settings, expected);
    free(expected);
    /* The data move, and are asked for at their new place: the same run. */
    char from[100], to[100], option[120];
    snprintf(from, sizeof from, "%s/tasks", place.directory);
    snprintf(to, sizeof to, "%s/moved", place.directory);
    snprintf(option, sizeof option, "data.path=%s", to);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 2);
    assert_true(
        place_output_has(&place, "a relative path is taken from the folder of the file"));
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--set", option, NULL)), 0);
    expected = path_in(&place, "moved");
    place_expect(&place, settings, expected);
    free(expected);
    place_expect(&place, "SELECT count(*) FROM run", "1");
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 0);
    place_expect(&place, "SELECT group_concat(state) FROM job", "done");
    /* What is done is verified with the data where they are now. */
    assert_int_equal(rename(to, from), 0);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    char *hash = place_ask(&place, "SELECT hash FROM run");
    assert_int_equal(place_finish(place_start(&place, "verify", hash, NULL)), 0);
    free(hash);
    /* A rebuild in another directory finds the data. */
    char *here = realpath(".", NULL);
    assert_non_null(here);
    char *program = realpath(place_hrmlab(), NULL), *worker = realpath(place_worker(), NULL);
    assert_non_null(program);
    assert_non_null(worker);
    setenv("HRMLAB_PROGRAM", program, 1);
    setenv("HRMLAB_WORKER", worker, 1);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(place_finish(place_start(&place, "rebuild", NULL)), 0);
    assert_int_equal(chdir(here), 0);
    place_expect(&place, "SELECT group_concat(name) FROM experiment", "exp");
    free(program);
    free(worker);
    free(here);
    place_remove(&place);
}

static void cancel(const struct place *place, const char *name, const char *words)
{
    const char *const command[] = { "cancel", name, NULL };
    char *out, *messages;

    assert_int_equal(place_run(place, command, &out, &messages), 0);
    place_expect_words(messages, words);
    free(out);
    free(messages);
}

static void runs_that_another_experiment_wants_are_not_cancelled(void **unused)
{
    static const char states[] = "SELECT group_concat(state, ' ') FROM (SELECT state FROM job"
                                 " JOIN run USING (run_id) ORDER BY seed)";
    struct place place;
    char *messages;

    (void)unused;
    place_make(&place);
    assert_int_equal(queue(&place, "A", "\"seeds\": [0, 1]", NULL, &messages), 0);
    free(messages);
    assert_int_equal(queue(&place, "B", "\"seeds\": [1, 2]", NULL, &messages), 0);
    free(messages);
    cancel(&place, "A", "1 job continues: other experiments need it");
    place_expect(&place, states, "cancelled queued queued");
    cancel(&place, "B", "cancelled: 2 jobs"); /* A wants it no longer */
    place_expect(&place, states, "cancelled cancelled cancelled");
    const char *const retry[] = { "retry", "A", NULL };
    char *out;
    assert_int_equal(place_run(&place, retry, &out, &messages), 0);
    free(out);
    free(messages);
    place_expect(&place, states, "queued queued cancelled");
    assert_int_equal(queue(&place, "B", "\"seeds\": [1, 2]", NULL, &messages), 0);
    free(messages);
    cancel(&place, "A", "1 job continues"); /* B wants it again */
    cancel(&place, "all", "cancelled: 2 jobs");
    place_remove(&place);
}

/* Lets a user other than the owner give the command; its exit code. */
static int ask_as_nobody(const struct place *place, const char *command)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        char log[80];
        snprintf(log, sizeof log, "%s/out", place->directory);
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        if (setgid(65534) == 0 && setuid(65534) == 0)
            execl(place_hrmlab(), place_hrmlab(), "--workspace", place->workspace, command,
                  (char *)NULL);
        _exit(99);
    }
    return place_finish(pid);
}

static void others_may_read_an_idle_workspace_that_lets_them(void **unused)
{
    struct place place;

    (void)unused;
    if (geteuid() != 0) {
        print_message("skip: only root can become another user\n");
        skip();
    }
    place_make(&place);
    expect_queued(&place, "\"seeds\": 1", "to be trained");
    assert_int_equal(chmod(place.directory, 0755), 0);
    assert_int_equal(chmod(place.workspace, 0755), 0);
    assert_int_equal(ask_as_nobody(&place, "status"), 0);
    assert_true(place_output_has(&place, "exp"));
    assert_int_equal(ask_as_nobody(&place, "work"), 3);
    assert_true(place_output_has(&place, "results can be read here"));
    assert_int_equal(chmod(place.workspace, 0700), 0);
    assert_int_equal(ask_as_nobody(&place, "status"), 3);
    assert_true(place_output_has(&place, "permission denied"));
    assert_int_equal(ask_as_nobody(&place, "gc"), 3);
    assert_true(place_output_has(&place, "ws/results.db: permission denied"));
    place_remove(&place);
}

static void a_copied_workspace_leaves_the_originals_workers_alone(void **unused)
{
    struct place place, copy;
    char command[200];

    (void)unused;
    place_make(&place);
    place_use_release("hang_once");
    expect_queued(&place, "\"seeds\": 1", "to be trained");
    pid_t runner = place_start(&place, "work", NULL);
    assert_true(place_wait_for(&place, "SELECT state FROM attempt", "running"));
    copy = place;
    snprintf(copy.workspace, sizeof copy.workspace, "%s/copy", place.directory);
    snprintf(command, sizeof command, "cp -r %s %s", place.workspace, copy.workspace);
    assert_int_equal(system(command), 0);
    cancel(&copy, "all", "this workspace is a copy of");
    place_expect(&copy, "SELECT state FROM job", "cancelled");
    cancel(&place, "all", "requested from the runner"); /* the worker is there to be stopped */
    assert_true(place_wait_for(&place, "SELECT state FROM job", "cancelled"));
    assert_true(place_wait_for(&place, "SELECT outcome FROM attempt", "cancelled"));
    assert_int_not_equal(place_finish(runner), 3);
    /* One that was renamed is what it was. */
    char moved[60];
    snprintf(moved, sizeof moved, "%s/moved", place.directory);
    assert_int_equal(rename(place.workspace, moved), 0);
    memcpy(place.workspace, moved, sizeof moved);
    place_finish(place_start(&place, "retry", "all", NULL));
    assert_false(place_output_has(&place, "this workspace is a copy"));
    place_remove(&place);
}

static void status_tells_that_nobody_works_on_what_is_queued(void **unused)
{
    struct place place;

    (void)unused;
    place_make(&place);
    place_use_release("slow");
    expect_queued(&place, "\"seeds\": 1", "to be trained");
    assert_int_equal(place_finish(place_start(&place, "status", NULL)), 0);
    assert_true(place_output_has(&place, "1 job is queued and no runner is running"));
    pid_t runner = place_start(&place, "run", place.spec, NULL);
    assert_true(place_wait_for(&place, "SELECT state FROM job", "running"));
    kill(runner, SIGKILL);
    place_finish(runner);
    assert_int_equal(place_finish(place_start(&place, "status", NULL)), 0);
    assert_true(place_output_has(&place, "1 job was left by a runner that has ended"));
    assert_int_equal(place_finish(place_start(&place, "cancel", "all", NULL)), 0);
    assert_true(place_becomes_quiet(&place));
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "retry", "all", NULL)), 0);
    write_spec(&place, "other", "\"seeds\": [5]");
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    assert_true(place_output_has(&place, "1 job of other experiments stays queued"));
    place_remove(&place);
}

static void a_signal_reaches_only_the_process_that_is_meant(void **unused)
{
    int status;
    pid_t pid = fork();

    (void)unused;
    assert_true(pid >= 0);
    if (pid == 0)
        for (;;)
            pause();
    int64_t start = process_start_time(pid);
    assert_true(start > 0);
    assert_false(process_signal(pid, start + 1, SIGKILL)); /* its pid was another's */
    assert_false(process_signal(0, start, SIGKILL));
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
    assert_true(process_signal(pid, start, SIGTERM));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_false(process_signal(pid, start, SIGKILL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_words_for_the_same_runs_are_the_same_experiment),
        cmocka_unit_test(more_runs_extend_an_experiment_and_fewer_need_another_name),
        cmocka_unit_test(the_longest_name_is_followed_by_one_as_long),
        cmocka_unit_test(axes_that_change_nothing_are_warned_about_and_dropped_cells_told_once),
        cmocka_unit_test(a_folder_of_the_current_directory_is_named_where_data_are_missing),
        cmocka_unit_test(names_that_commands_know_are_refused),
        cmocka_unit_test(what_is_asked_now_of_execution_counts_now),
        cmocka_unit_test(a_retry_may_change_how_jobs_are_executed_and_nothing_else),
        cmocka_unit_test(a_limit_of_memory_that_is_too_low_is_named_and_can_be_raised),
        cmocka_unit_test(the_command_line_wins_over_bases_and_spec),
        cmocka_unit_test(relative_data_are_beside_the_file_that_says_it),
        cmocka_unit_test(runs_that_another_experiment_wants_are_not_cancelled),
        cmocka_unit_test(others_may_read_an_idle_workspace_that_lets_them),
        cmocka_unit_test(a_copied_workspace_leaves_the_originals_workers_alone),
        cmocka_unit_test(status_tells_that_nobody_works_on_what_is_queued),
        cmocka_unit_test(a_signal_reaches_only_the_process_that_is_meant),
    };

    return cmocka_run_group_tests_name("experiment", tests, NULL, NULL);
}
