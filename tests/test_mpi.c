/* test_mpi.c - trainings on several ranks of MPI, started by mpirun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/place.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* With MPI; `make test` builds it where Open MPI is installed. */
static const char MPI_WORKER[] = "build/mpi/hrmlab-worker";

/* Skips where there is no MPI, and says so. */
static void need_mpi(void)
{
    if (access(MPI_WORKER, X_OK) == 0 && system("mpirun --version >/dev/null 2>&1") == 0)
        return;
    print_message("skipped: no %s, or no mpirun (apt install libopenmpi-dev openmpi-bin; make "
                  "build/mpi/hrmlab-worker)\n",
                  MPI_WORKER);
    skip();
}

static void use_worker(const char *path)
{
    char absolute[4096];

    assert_non_null(realpath(path, absolute));
    assert_int_equal(setenv("HRMLAB_WORKER", absolute, 1), 0);
}

/* MPI had nothing to complain of, such as what the sandbox does not allow it. */
static void expect_clean_logs(const struct place *place)
{
    char command[200];

    snprintf(command, sizeof command,
             "grep -rs --include=log -e 'denied' -e 'ERROR_LOG' %s/runs >&2", place->workspace);
    assert_int_not_equal(system(command), 0);
}

/* Trains the spec's two runs and returns all that they found. */
static char *state_of(int ranks, int threads)
{
    struct place place;
    char ranks_word[40], threads_word[40];

    snprintf(ranks_word, sizeof ranks_word, "resources.ranks=%d", ranks);
    snprintf(threads_word, sizeof threads_word, "resources.threads=%d", threads);
    place_make(&place);
    pid_t pid = place_start(&place, "run", place.spec, "--set", "train.gradient_lanes=4",
                            "--set", ranks_word, "--set", threads_word, NULL);
    assert_int_equal(place_finish(pid), 0);
    expect_clean_logs(&place);
    char *state = place_ask(&place, PLACE_STATE);
    place_remove(&place);
    return state;
}

static void ranks_find_what_one_process_finds(void **unused)
{
    (void)unused;
    need_mpi();
    use_worker(MPI_WORKER);
    char *one = state_of(1, 1), *two = state_of(2, 2), *four = state_of(4, 1);

    assert_true(strlen(one) > 100);
    assert_string_equal(one, two);
    assert_string_equal(one, four);
    free(one);
    free(two);
    free(four);
}

/* The first pid that the command prints; 0: none. */
static pid_t first_pid(const char *command)
{
    char text[40] = "";
    FILE *pipe = popen(command, "re");

    assert_non_null(pipe);
    if (fgets(text, sizeof text, pipe) == NULL)
        text[0] = '\0';
    pclose(pipe);
    return (pid_t)strtol(text, NULL, 10);
}

/* Pid of rank 1's worker: the child of its process; 0: there is none (yet). */
static pid_t find_rank(const struct place *place, int rank)
{
    char command[400];

    /* of processes "rank DIR" of this workspace those that a process of theirs began */
    snprintf(command, sizeof command,
             "for p in $(pgrep -f 'hrmlab-worker rank %s/'); do "
             "grep -qz '^OMPI_COMM_WORLD_RANK=%d$' /proc/$p/environ && "
             "pgrep -P $p -f 'hrmlab-worker rank'; done",
             place->workspace, rank);
    return first_pid(command);
}

/* The process whose child it is. */
static pid_t parent_of(pid_t child)
{
    char command[80];

    snprintf(command, sizeof command, "ps -o ppid= -p %ld", (long)child);
    return first_pid(command);
}

/* Kills (-9) rank 1's worker, or the process that waits for it; what is said of it. */
static void check_killed(bool worker, const char *words)
{
    struct place place;
    pid_t rank = 0;

    need_mpi();
    use_worker(MPI_WORKER);
    place_make(&place);
    pid_t pid = place_start(&place, "run", place.spec, "--set", "train.gradient_lanes=2",
                            "--set", "resources.ranks=2", "--set", "retries.delay=0", "--set",
                            "train.max_steps=400", NULL);
    for (int i = 0; rank == 0 && i < 600; i++) {
        place_sleep_ms(100);
        rank = find_rank(&place, 1);
    }
    assert_true(rank > 0);
    place_sleep_ms(300);
    if (!worker)
        rank = parent_of(rank);
    assert_true(rank > 1 && kill(rank, SIGKILL) == 0);
    assert_int_equal(place_finish(pid), 0);
    assert_true(place_output_has(&place, words));
    assert_true(place_becomes_quiet(&place));
    place_remove(&place);
}

static void a_rank_that_dies_is_named_and_the_run_is_tried_again(void **unused)
{
    (void)unused;
    check_killed(true, "rank 1 was killed by signal 9");
}

/* Nobody has noted it: mpirun says so, between lines of dashes. */
static void a_rank_that_dies_without_a_note_is_what_the_launcher_says(void **unused)
{
    (void)unused;
    check_killed(false, "exited on signal 9");
}

static void write_launcher(char out[80], const struct place *place, const char *text)
{
    struct error err = { 0 };

    snprintf(out, 80, "%s/launcher", place->directory);
    assert_int_equal(file_write_atomic(out, text, strlen(text), &err), 0);
    assert_int_equal(chmod(out, 0700), 0);
}

/* With this launcher (its arguments: -n RANKS PROGRAM...) a run of two ranks ends with the
 * cause `environment`, and words that explain it. */
static void check_refused(const char *launcher_text, const char *words)
{
    struct place place;
    char launcher[80];

    need_mpi();
    use_worker(MPI_WORKER);
    place_make(&place);
    write_launcher(launcher, &place, launcher_text);
    assert_int_equal(setenv("HRMLAB_LAUNCHER", launcher, 1), 0);
    pid_t pid = place_start(&place, "run", place.spec, "--set", "train.gradient_lanes=2",
                            "--set", "resources.ranks=2", NULL);
    assert_int_equal(unsetenv("HRMLAB_LAUNCHER"), 0);
    assert_int_equal(place_finish(pid), 1);
    assert_true(place_output_has(&place, words));
    place_expect(&place, "SELECT group_concat(DISTINCT cause) FROM job", "environment");
    assert_true(place_becomes_quiet(&place));
    place_remove(&place);
}

/* Sites need long ones. */
static void a_launcher_of_many_words_is_taken_whole(void **unused)
{
    enum { WORDS = 100 };
    struct place place;
    char launcher[80], line[80 + WORDS * 16] = "";

    (void)unused;
    need_mpi();
    use_worker(MPI_WORKER);
    place_make(&place);
    write_launcher(
        launcher, &place,
        "#!/bin/sh\n[ $# = 105 ] && [ ${100} = a-long-option ] || exit 9\nshift 100\n"
        "exec mpirun --bind-to none --oversubscribe \"$@\"\n");
    strcat(line, launcher);
    for (int i = 0; i < WORDS; i++)
        strcat(line, "  a-long-option");
    assert_int_equal(setenv("HRMLAB_LAUNCHER", line, 1), 0);
    pid_t pid = place_start(&place, "run", place.spec, "--set", "train.gradient_lanes=2",
                            "--set", "resources.ranks=2", NULL);
    assert_int_equal(unsetenv("HRMLAB_LAUNCHER"), 0);
    assert_int_equal(place_finish(pid), 0);
    place_remove(&place);
}

/* Rank 1 has another environment, as another kind of machine has. Its sums have other bits,
 * and so would the run. */
static void a_rank_whose_blas_has_another_core_is_refused(void **unused)
{
    (void)unused;
    check_refused("#!/bin/sh\nranks=$2\nshift 2\n"
                  "exec mpirun --bind-to none --oversubscribe -n $ranks sh -c '"
                  "[ $OMPI_COMM_WORLD_RANK = 0 ] || export HRMLAB_BLAS_CORE=Prescott; "
                  "exec \"$@\"' sh \"$@\"\n",
                  "rank 1: OpenBLAS runs its Prescott kernels");
}

/* Two processes that do not know of each other. */
static void a_launcher_of_another_mpi_is_refused(void **unused)
{
    (void)unused;
    check_refused("#!/bin/sh\nshift 2\nPMI_RANK=0 \"$@\" &\nfirst=$!\n"
                  "PMI_RANK=1 \"$@\" &\nsecond=$!\n"
                  "wait $first\ncode=$?\nwait $second || code=$?\nexit $code\n",
                  "MPI knows of one process");
}

static void without_mpi_ranks_are_refused_before_anything_starts(void **unused)
{
    struct place place;

    (void)unused;
    const char *plain = getenv("HRMLAB_PLAIN_WORKER");
    use_worker(plain != NULL ? plain : "build/asan/hrmlab-worker");
    place_make(&place);
    pid_t pid = place_start(&place, "run", place.spec, "--set", "train.gradient_lanes=2",
                            "--set", "resources.ranks=2", NULL);
    assert_int_equal(place_finish(pid), 2);
    assert_true(place_output_has(&place, "make MPI=1"));
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_mpi_ranks_are_refused_before_anything_starts),
        cmocka_unit_test(ranks_find_what_one_process_finds),
        cmocka_unit_test(a_rank_that_dies_is_named_and_the_run_is_tried_again),
        cmocka_unit_test(a_rank_that_dies_without_a_note_is_what_the_launcher_says),
        cmocka_unit_test(a_launcher_of_many_words_is_taken_whole),
        cmocka_unit_test(a_rank_whose_blas_has_another_core_is_refused),
        cmocka_unit_test(a_launcher_of_another_mpi_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
