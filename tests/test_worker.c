/* test_worker.c - the real hrmlab-worker: jobs good and bad, its events, its environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "blas_environment.h"
#include "file.h"
#include "json.h"
#include "support/worker_runs.h"

#define EVALUATION(steps, votes, act, split)                                                   \
    "{\"eval.halt_max_steps\":" steps ",\"eval.augmentations\":" votes                         \
    ",\"eval.act_inference\":" act ",\"eval.seed\":0,\"eval.split\":\"" split "\"}"

static const char FIVE[] = "[" EVALUATION("1", "\"all\"", "false", "test") "," EVALUATION(
    "3", "\"all\"", "false",
    "test") "," EVALUATION("3", "2", "false",
                           "test") "," EVALUATION("3", "\"all\"", "true",
                                                  "test") "," EVALUATION("2", "\"all\"",
                                                                         "false", "train") "]";
static const char ONE[] = "[" EVALUATION("2", "\"all\"", "false", "test") "]";

static void setup_run(struct run_setup *setup, const char *const *more, const char *evaluations)
{
    struct run_settings settings;

    run_settings_init(&settings, run_task_folder, more);
    run_setup_init(setup, settings.list, evaluations);
}

static double number(const cJSON *object, const char *key)
{
    const cJSON *item = json_member(object, key);

    if (!cJSON_IsNumber(item))
        fail_msg("%s is no number", key);
    return item->valuedouble;
}

static const char *text(const cJSON *object, const char *key)
{
    const cJSON *item = json_member(object, key);

    if (!cJSON_IsString(item))
        fail_msg("%s is no text", key);
    return item->valuestring;
}

/* The i-th event of a type. */
static const cJSON *nth_event(const cJSON *journal, const char *type, int i)
{
    const cJSON *event;

    cJSON_ArrayForEach(event, journal) if (strcmp(text(event, "type"), type) == 0 &&
                                           i-- == 0) return event;
    fail_msg("too few events %s", type);
    return NULL;
}

static void check_begin(const struct run_setup *setup, const cJSON *journal)
{
    const cJSON *begin = nth_event(journal, "begin", 0);
    const cJSON *provenance = json_member(begin, "provenance");

    assert_string_equal(text(begin, "run_hash"), setup->run_hash);
    assert_string_equal(text(begin, "kind"), "train");
    assert_int_equal((int)number(begin, "total_steps"), 60);
    assert_true(number(begin, "parameters") == number(setup->described, "parameters"));
    assert_true(number(begin, "train_flops") == number(setup->described, "train_flops"));
    assert_int_equal((int)number(json_member(begin, "data"), "tasks_evaluation"), 3);
    assert_string_equal(text(json_member(provenance, "environment"), "OPENBLAS_NUM_THREADS"),
                        "1");
    assert_true(strlen(text(provenance, "kernel_set")) > 0);
    assert_true(strlen(text(provenance, "compiler")) > 4);
}

/* Mean token loss of the metric events from first to last. */
static double mean_loss(const cJSON *journal, int first, int last)
{
    double sum = 0.0;

    for (int i = first; i <= last; i++)
        sum += number(json_member(nth_event(journal, "metric", i), "values"), "train/lm_loss");
    return sum / (last - first + 1);
}

static void check_metrics(const cJSON *journal)
{
    assert_int_equal(run_count_events(journal, "metric"), 60);
    const cJSON *first = json_member(nth_event(journal, "metric", 0), "values");
    const cJSON *last = json_member(nth_event(journal, "metric", 59), "values");

    assert_true(mean_loss(journal, 50, 59) < 0.8 * mean_loss(journal, 0, 4));
    assert_true(mean_loss(journal, 0, 4) > 1.0 && mean_loss(journal, 0, 4) < 4.0);
    assert_true(number(first, "train/q_halt_loss") > 0.0);
    assert_true(number(last, "train/lr") == 0.003);
}

static void training_job_says_all_that_it_finds(void **state)
{
    struct run_setup setup;

    (void)state;
    setup_run(&setup, NULL, FIVE);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    cJSON *journal = run_journal(&setup, 1);
    check_begin(&setup, journal);
    check_metrics(journal);
    assert_int_equal(run_count_events(journal, "baseline"), 2);
    assert_int_equal(run_count_events(journal, "evaluation"), 10);
    assert_int_equal(run_count_events(journal, "outcome"), 5);
    for (int i = 0; i < 10; i++) {
        const cJSON *event = nth_event(journal, "evaluation", i);

        assert_string_equal(text(event, "checkpoint"), i < 5 ? "untrained" : "last");
        assert_int_equal((int)number(event, "step"), i < 5 ? 0 : 60);
        assert_true(number(event, "lm_loss") > 0.0);
        if (i >= 5)
            assert_true(number(event, "per_token_accuracy") >
                        number(nth_event(journal, "evaluation", i - 5), "per_token_accuracy"));
    }
    const cJSON *act = nth_event(journal, "evaluation", 8);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json_member(act, "evaluation"),
                                                              "eval.act_inference")));
    assert_true(number(act, "mean_outer_steps") <= 3.0);
    const cJSON *end = run_last_event(journal, "end");
    assert_string_equal(text(end, "status"), "done");
    const cJSON *checkpoint = run_last_event(journal, "checkpoint");
    assert_true(cJSON_IsTrue(json_member(checkpoint, "final")));
    assert_string_equal(text(checkpoint, "file"), "final.safetensors");
    assert_string_equal(text(checkpoint, "weights_hash"), text(end, "weights_hash"));
    cJSON_Delete(journal);

    char *path = run_path(&setup, 1, "submission.json");
    struct error err = { 0 };
    cJSON *submission = NULL;
    assert_int_equal(json_read_file(&submission, path, 1 << 20, &err), 0);
    assert_int_equal(cJSON_GetArraySize(submission), 3);
    const cJSON *first = json_member(submission, "task0004");
    assert_int_equal(cJSON_GetArraySize(first), 2);
    assert_true(cJSON_IsArray(json_member(cJSON_GetArrayItem(first, 1), "attempt_2")));
    cJSON_Delete(submission);
    free(path);
    path = run_path(&setup, 1, "exit.json");
    assert_true(file_exists(path));
    free(path);
    run_setup_release(&setup);
}

/* The same numbers, the time taken aside. */
static void assert_same_result(const cJSON *a, const cJSON *b)
{
    cJSON *left = cJSON_Duplicate(a, 1), *right = cJSON_Duplicate(b, 1);
    static const char *const ASIDE[] = { "h", "n", "t", "seconds" };

    for (int i = 0; i < 4; i++) {
        cJSON_DeleteItemFromObjectCaseSensitive(left, ASIDE[i]);
        cJSON_DeleteItemFromObjectCaseSensitive(right, ASIDE[i]);
    }
    char *one = json_canonical(left), *other = json_canonical(right);
    assert_string_equal(one, other);
    free(one);
    free(other);
    cJSON_Delete(left);
    cJSON_Delete(right);
}

static void evaluate_job_finds_what_the_training_found(void **state)
{
    struct run_setup setup;

    (void)state;
    setup_run(&setup, NULL, FIVE);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    cJSON *first = run_journal(&setup, 1);
    run_write_job(&setup, 2, "attempts/1/final.safetensors");
    assert_int_equal(run_attempt(&setup, 2), 0);
    cJSON *second = run_journal(&setup, 2);
    assert_int_equal(run_count_events(second, "evaluation"), 5);
    assert_int_equal(run_count_events(second, "metric"), 0);
    for (int i = 0; i < 5; i++) {
        assert_same_result(nth_event(first, "evaluation", 5 + i),
                           nth_event(second, "evaluation", i));
        assert_same_result(nth_event(first, "outcome", i), nth_event(second, "outcome", i));
    }
    cJSON_Delete(second);

    /* Alone, an evaluation gives the same bits as among others. */
    setup.evaluations = "[" EVALUATION("3", "2", "false", "test") "]";
    run_write_job(&setup, 3, "attempts/1/final.safetensors");
    assert_int_equal(run_attempt(&setup, 3), 0);
    second = run_journal(&setup, 3);
    assert_same_result(nth_event(first, "evaluation", 7), nth_event(second, "evaluation", 0));
    cJSON_Delete(second);

    run_write_job(&setup, 4, "attempts/9/final.safetensors");
    assert_int_equal(run_attempt(&setup, 4), 8);
    second = run_journal(&setup, 4);
    assert_string_equal(text(run_last_event(second, "error"), "cause"), "checkpoint damaged");
    assert_string_equal(text(run_last_event(second, "end"), "status"), "failed");
    cJSON_Delete(second);
    cJSON_Delete(first);
    run_setup_release(&setup);
}

static void diverged_training_ends_with_exit_4(void **state)
{
    static const char *const MORE[] = { "train.lr=10", "train.weight_decay=10",
                                        "train.max_steps=400", "train.lr_warmup_steps=0",
                                        NULL };
    struct run_setup setup;

    (void)state;
    setup_run(&setup, MORE, ONE);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 4);
    cJSON *journal = run_journal(&setup, 1);
    const cJSON *diverged = run_last_event(journal, "diverged");
    assert_non_null(diverged);
    assert_true(strcmp(text(diverged, "loss"), "nan") == 0 ||
                strcmp(text(diverged, "loss"), "inf") == 0);
    assert_string_equal(text(run_last_event(journal, "end"), "status"), "diverged");
    cJSON_Delete(journal);
    run_setup_release(&setup);
}

static void changed_data_end_the_job_with_exit_5(void **state)
{
    struct run_setup setup;

    (void)state;
    setup_run(&setup, NULL, ONE);
    run_write_job(&setup, 1, NULL);
    run_change_tasks(run_task_folder);
    assert_int_equal(run_attempt(&setup, 1), 5);
    char *cause = run_event_text(&setup, 1, "error", "cause");
    assert_string_equal(cause, "data changed");
    free(cause);
    run_setup_release(&setup);
}

/* Replaces, in attempt's job.json, one text by another. */
static void edit_job(const struct run_setup *setup, int attempt, const char *from,
                     const char *to)
{
    char *path = run_path(setup, attempt, "job.json"), *job = NULL;
    struct error err = { 0 };
    size_t size = 0;

    assert_int_equal(file_read(&job, &size, path, 1 << 20, &err), 0);
    char *place = strstr(job, from);
    if (place == NULL)
        fail_msg("%s is not in job.json", from);
    char *edited = format_string("%.*s%s%s", (int)(place - job), job, to, place + strlen(from));
    assert_int_equal(file_write_atomic(path, edited, strlen(edited), &err), 0);
    free(edited);
    free(job);
    free(path);
}

static void bad_jobs_are_refused_with_one_clear_message(void **state)
{
    static const struct {
        const char *from, *to, *said;
    } CASES[] = {
        { "hrmlab-job-1", "hrmlab-job-9", "hrmlab-job-1" },
        { "\"kind\"", "\"kond\"", "did you mean \"kind\"" },
        { "\"train\",", "\"tram\",", "\"train\" or \"evaluate\"" },
        { "arch.hidden_size", "arch.hiden_size", "arch.hidden_size" },
        { "\"train.seed\":\t5", "\"train.seed\":\t6", "run_hash" },
        { "\"eval.halt_max_steps\":\t2", "\"eval.halt_max_steps\":\t0", "eval.halt_max_steps" },
        { "\"eval.seed\":\t0,", "", "eval.seed" },
        { "\"attempt\":\t", "\"attempt\":\t-", "attempt" },
        { "\"cpus\":\t[]", "\"cpus\":\t[1.5]", "cpus" },
        { "\"cpus\":\t[]\n}", "\"cpus\":\t[]", "job.json" },
        { "\"checkpoint\":\tnull", "\"checkpoint\":\t\"../x\"", "checkpoint" },
    };
    struct run_setup setup;

    (void)state;
    setup_run(&setup, NULL, ONE);
    for (int i = 0; i < (int)(sizeof CASES / sizeof *CASES); i++) {
        run_write_job(&setup, i + 1, NULL);
        edit_job(&setup, i + 1, CASES[i].from, CASES[i].to);
        int code = run_attempt(&setup, i + 1);
        if (code != 2)
            fail_msg("case %d: exit %d", i, code);
        char *cause = run_event_text(&setup, i + 1, "error", "cause");
        char *message = run_event_text(&setup, i + 1, "error", "message");
        assert_string_equal(cause, "bad job");
        if (strstr(message, CASES[i].said) == NULL || strchr(message, '\n') != NULL)
            fail_msg("case %d says: %s", i, message);
        free(cause);
        free(message);
        char *exit_file = run_path(&setup, i + 1, "exit.json");
        assert_true(file_exists(exit_file));
        free(exit_file);
    }
    run_setup_release(&setup);
}

static void too_large_a_model_is_out_of_memory(void **state)
{
    static const char *const MORE[] = { "arch.hidden_size=8192", "arch.num_heads=64",
                                        "arch.H_layers=64", "arch.L_layers=64", NULL };
    struct run_setup setup;

    (void)state;
    setup_run(&setup, MORE, ONE);
    run_write_job(&setup, 1, NULL);
    const char *options = getenv("ASAN_OPTIONS");
    char *old = strdup(options != NULL ? options : "");
    char *quiet =
        format_string("%s:allocator_may_return_null=1:max_allocation_size_mb=4000", old);
    setenv("ASAN_OPTIONS", quiet, 1);
    int code = run_attempt(&setup, 1);
    setenv("ASAN_OPTIONS", old, 1);
    free(quiet);
    free(old);
    assert_int_equal(code, 6);
    char *cause = run_event_text(&setup, 1, "error", "cause");
    assert_string_equal(cause, "out of memory");
    free(cause);
    run_setup_release(&setup);
}

static void attempt_directory_is_used_once(void **state)
{
    struct run_setup setup;

    (void)state;
    setup_run(&setup, (const char *const[]){ "train.max_steps=2", NULL }, ONE);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    char *path = run_path(&setup, 1, "exit.json"), *before = NULL, *after = NULL;
    size_t size = 0;
    assert_int_equal(file_read(&before, &size, path, 1 << 16, NULL), 0);
    assert_int_equal(run_attempt(&setup, 1), 2);
    assert_int_equal(file_read(&after, &size, path, 1 << 16, NULL), 0);
    assert_string_equal(before, after);
    free(before);
    free(after);
    free(path);
    run_setup_release(&setup);
}

static void interim_evaluations_come_at_their_epochs(void **state)
{
    static const char *const MORE[] = { "train.max_steps=0", "train.epochs=6",
                                        "train.eval_interval=2", NULL };
    struct run_setup setup;

    (void)state;
    setup_run(&setup, MORE, ONE);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    cJSON *journal = run_journal(&setup, 1);
    assert_int_equal(run_count_events(journal, "evaluation"), 4);
    const double last = number(run_last_event(journal, "end"), "step");
    double before = 0.0;
    for (int i = 1; i < 4; i++) {
        const cJSON *event = nth_event(journal, "evaluation", i);

        assert_string_equal(text(event, "checkpoint"), i < 3 ? "interim" : "last");
        assert_true(number(event, "step") > before && number(event, "step") <= last);
        before = number(event, "step");
    }
    cJSON_Delete(journal);
    run_setup_release(&setup);
}

/* A number of /proc/PID/status; -1: not there. */
static long status_number(pid_t pid, const char *name)
{
    char *path = format_string("/proc/%d/status", (int)pid), line[256];
    FILE *file = fopen(path, "r");
    long value = -1;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name), NULL, 10);
    if (file != NULL)
        fclose(file);
    free(path);
    return value;
}

/* What `probe` says of the sandbox, fresh. */
static char *probed_sandbox(void)
{
    const char *const arguments[] = { "probe", NULL };
    char *out = NULL;
    cJSON *root = NULL;
    struct error err = { 0 };

    assert_int_equal(run_program(arguments, "", &out, NULL), 0);
    assert_int_equal(json_parse(&root, out, strlen(out), "probe", &err), 0);
    char *words = strdup(text(root, "sandbox"));
    cJSON_Delete(root);
    free(out);
    return words;
}

static bool log_has(const struct run_setup *setup, int attempt, const char *words)
{
    char *path = run_path(setup, attempt, "log"), *log = NULL;
    struct error err = { 0 };
    size_t size;

    assert_int_equal(file_read(&log, &size, path, 1 << 20, &err), 0);
    bool has = strstr(log, words) != NULL;
    free(log);
    free(path);
    return has;
}

/* Of an attempt at work; inside: the sandbox holds. Its provenance says what does. */
static void check_sandbox(const struct run_setup *setup, int attempt, bool inside,
                          const char *expected)
{
    pid_t keeper = run_start(setup, attempt);

    run_wait_event(setup, attempt, "metric", 1);
    pid_t worker = run_worker_pid(setup, attempt, keeper);
    assert_int_equal(status_number(worker, "NoNewPrivs:"), inside ? 1 : 0);
    if (strstr(expected, "no network") != NULL)
        assert_int_equal(status_number(worker, "Seccomp:"), 2);
    kill(keeper, SIGTERM);
    assert_int_equal(run_wait(keeper), 130);
    cJSON *journal = run_journal(setup, attempt);
    assert_string_equal(
        text(json_member(run_last_event(journal, "begin"), "provenance"), "sandbox"), expected);
    cJSON_Delete(journal);
    assert_int_equal(log_has(setup, attempt, "the sandbox is incomplete"),
                     strstr(expected, "NOT") != NULL);
}

static void workers_are_in_their_sandbox_or_say_so(void **state)
{
    static const char *const MORE[] = { "train.max_steps=100000", NULL };
    struct run_setup setup;
    char *words = probed_sandbox();

    (void)state;
    setup_run(&setup, MORE, ONE);
    run_write_job(&setup, 1, NULL);
    check_sandbox(&setup, 1, true, words);
    run_write_job(&setup, 2, NULL);
    setenv("HRMLAB_SANDBOX", "off", 1);
    check_sandbox(&setup, 2, false,
                  "new privileges possible, writes NOT confined, network NOT denied");
    unsetenv("HRMLAB_SANDBOX");
    run_setup_release(&setup);
    free(words);
}

/* The process has path open. */
static bool has_open(pid_t pid, const char *path)
{
    char *folder = format_string("/proc/%d/fd", (int)pid), link[400];
    DIR *list = opendir(folder);
    bool found = false;

    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        ssize_t length = readlinkat(dirfd(list), entry->d_name, link, sizeof link - 1);
        link[length > 0 ? length : 0] = '\0';
        found = found || strcmp(link, path) == 0;
    }
    closedir(list);
    free(folder);
    return found;
}

static void a_worker_keeps_no_descriptor_of_its_caller(void **state)
{
    static const char *const MORE[] = { "train.max_steps=100000", NULL };
    struct run_setup setup;

    (void)state;
    setup_run(&setup, MORE, ONE);
    run_write_job(&setup, 1, NULL);
    char *held = file_join(setup.workspace, "held");
    int fd = open(held, O_WRONLY | O_CREAT, 0600); /* without O_CLOEXEC */
    assert_true(fd > 2 && has_open(getpid(), held));
    pid_t keeper = run_start(&setup, 1);
    run_wait_event(&setup, 1, "metric", 1);
    assert_false(has_open(keeper, held));
    assert_false(has_open(run_worker_pid(&setup, 1, keeper), held));
    kill(keeper, SIGTERM);
    assert_int_equal(run_wait(keeper), 130);
    close(fd);
    free(held);
    run_setup_release(&setup);
}

static void inherited_blas_variables_are_replaced_and_named(void **state)
{
    const char *const arguments[] = { "probe", NULL };
    struct error err = { 0 };
    char *out = NULL;
    cJSON *root = NULL;

    (void)state;
    setenv("OPENBLAS_CORETYPE", "Prescott", 1);
    setenv("OMP_NUM_THREADS", "7", 1);
    setenv("GOTO_NUM_THREADS", "3\xff", 1); /* no UTF-8, as events are */
    int code = run_program(arguments, "", &out, NULL);
    unsetenv("OPENBLAS_CORETYPE");
    unsetenv("OMP_NUM_THREADS");
    unsetenv("GOTO_NUM_THREADS");
    assert_int_equal(code, 0);
    assert_int_equal(json_parse(&root, out, strlen(out), "probe", &err), 0);
    const cJSON *inherited = json_member(root, "inherited"),
                *used = json_member(root, "environment");
    assert_true(cJSON_GetArraySize(inherited) >= 3); /* this test's own environment may add */
    assert_string_equal(text(inherited, "OPENBLAS_CORETYPE"), "Prescott");
    assert_string_equal(text(inherited, "OMP_NUM_THREADS"), "7");
    assert_string_equal(text(inherited, "GOTO_NUM_THREADS"), "3?");
    /* and a core, where OpenBLAS does not know this processor */
    bool core = cJSON_HasObjectItem(used, "OPENBLAS_CORETYPE");
    assert_int_equal(cJSON_GetArraySize(used), core ? 3 : 2);
    if (core)
        assert_string_equal(text(used, "OPENBLAS_CORETYPE"), text(root, "blas_core"));
    assert_string_equal(text(used, "OMP_NUM_THREADS"), "1");
    assert_string_not_equal(text(root, "blas_core"), "Prescott");
    assert_true(number(root, "sgemm_gflops") > 0.0);
    free(out);
    cJSON_Delete(root);
}

static void a_core_too_old_for_the_processor_is_corrected(void **state)
{
    (void)state;
    assert_string_equal(blas_environment_core("Prescott", "avx512_bf16"), "SkylakeX");
    assert_string_equal(blas_environment_core("Prescott", "avx512"), "SkylakeX");
    assert_string_equal(blas_environment_core("Nehalem", "avx2"), "Haswell");
    assert_string_equal(blas_environment_core("sandybridge", "avx2"), "Haswell");
    assert_null(blas_environment_core("Sandybridge", "base"));
    /* newer than, or as good as, what would be asked for */
    assert_null(blas_environment_core("Zen", "avx512_bf16"));
    assert_null(blas_environment_core("Haswell", "avx512"));
    assert_null(blas_environment_core("Cooperlake", "avx512_bf16"));
}

static void usage_errors_are_one_line_and_exit_2(void **state)
{
    static const char *const CASES[][4] = {
        { NULL },
        { "walk", NULL },
        { "run", NULL },
        { "run", "/nonexistent/attempt", NULL },
        { "describe", "extra", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *out = NULL, *errors = NULL;

        assert_int_equal(run_program(CASES[i], "", &out, &errors), 2);
        assert_string_equal(out, "");
        assert_non_null(strchr(errors, '\n'));
        assert_int_equal(strlen(errors), strchr(errors, '\n') - errors + 1);
        free(out);
        free(errors);
    }
}

static void unknown_kernel_set_is_named(void **state)
{
    const char *const arguments[] = { "probe", NULL };
    char *errors = NULL;

    (void)state;
    setenv("HRMLAB_KERNELS", "avx9", 1);
    int code = run_program(arguments, "", NULL, &errors);
    unsetenv("HRMLAB_KERNELS");
    assert_int_equal(code, 3);
    assert_non_null(strstr(errors, "avx9"));
    free(errors);
}

static void describe_answers_each_entry_by_itself(void **state)
{
    const char *const arguments[] = { "describe", NULL };
    char *input =
        format_string("[{\"data.path\":\"%s\",\"data.canvas\":5,\"train.max_steps\":9},"
                      "{\"data.path\":\"/nonexistent\"},{\"arch.nme\":\"hrm\"}]",
                      run_task_folder);
    char *out = NULL;
    struct error err = { 0 };
    cJSON *list = NULL;

    (void)state;
    assert_int_equal(run_program(arguments, input, &out, NULL), 0);
    assert_int_equal(json_parse(&list, out, strlen(out), "describe", &err), 0);
    assert_int_equal(cJSON_GetArraySize(list), 3);
    const cJSON *first = cJSON_GetArrayItem(list, 0);
    assert_int_equal((int)number(first, "total_steps"), 9);
    assert_int_equal((int)number(first, "seq_len"), 25);
    assert_int_equal((int)number(first, "vocab_size"), 12);
    assert_int_equal((int)number(first, "groups"), 6);
    assert_int_equal(strlen(text(first, "data_hash")), 64);
    assert_non_null(strstr(text(first, "counts"), "tasks trained on"));
    assert_non_null(strstr(text(cJSON_GetArrayItem(list, 1), "error"), "/nonexistent"));
    assert_non_null(strstr(text(cJSON_GetArrayItem(list, 2), "error"), "arch.name"));
    cJSON_Delete(list);
    free(out);
    assert_int_equal(run_program(arguments, "[{]", &out, NULL), 2);
    free(out);
    free(input);
}

int main(void)
{
#define WITH_TASKS(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, run_task_folder_make, run_task_folder_remove)
    const struct CMUnitTest tests[] = {
        WITH_TASKS(training_job_says_all_that_it_finds),
        WITH_TASKS(evaluate_job_finds_what_the_training_found),
        WITH_TASKS(diverged_training_ends_with_exit_4),
        WITH_TASKS(changed_data_end_the_job_with_exit_5),
        WITH_TASKS(bad_jobs_are_refused_with_one_clear_message),
        WITH_TASKS(too_large_a_model_is_out_of_memory),
        WITH_TASKS(attempt_directory_is_used_once),
        WITH_TASKS(interim_evaluations_come_at_their_epochs),
        WITH_TASKS(workers_are_in_their_sandbox_or_say_so),
        WITH_TASKS(a_worker_keeps_no_descriptor_of_its_caller),
        WITH_TASKS(describe_answers_each_entry_by_itself),
        cmocka_unit_test(inherited_blas_variables_are_replaced_and_named),
        cmocka_unit_test(a_core_too_old_for_the_processor_is_corrected),
        cmocka_unit_test(usage_errors_are_one_line_and_exit_2),
        cmocka_unit_test(unknown_kernel_set_is_named),
    };

    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
