/* test_keeper.c - what the keeper writes and passes on, with small workers of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "file.h"
#include "json.h"
#include "keeper.h"
#include "sandbox.h"

enum { WAIT_MS = 20000 };

static char directory[64];

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/test_keeper.XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    (void)state;
    return file_remove_tree(directory, NULL);
}

static char *inside(const char *name)
{
    char *path = file_join(directory, name);

    assert_non_null(path);
    return path;
}

/* Starts a keeper of worker in a process of its own. */
static pid_t start_keeper(keeper_worker_fn *worker)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        int exit_code = 0;
        struct error err = { 0 };
        int rc = keeper_run(&exit_code, directory, worker, NULL, &err);

        if (rc < 0)
            fprintf(stderr, "# %s\n", err.message);
        _exit(rc < 0 ? 99 : exit_code);
    }
    return pid;
}

static int wait_status(pid_t pid)
{
    int status = 0;

    for (int i = 0; i < WAIT_MS / 10; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        pause_ms(10);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    fail_msg("the keeper did not end");
    return status;
}

static cJSON *read_exit(void)
{
    struct error err = { 0 };
    cJSON *root = NULL;
    char *path = inside("exit.json");

    if (json_read_file(&root, path, 1 << 16, &err) < 0)
        fail_msg("%s", err.message);
    free(path);
    return root;
}

static double number(const cJSON *object, const char *key)
{
    const cJSON *item = json_member(object, key);

    if (!cJSON_IsNumber(item))
        fail_msg("%s is no number", key);
    return item->valuedouble;
}

static void write_mark(const char *name)
{
    char *path = inside(name);

    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
    free(path);
}

/* Leaves the number in a file, for the test to look at. */
static void write_number(const char *name, long value)
{
    char *path = inside(name), *aside = inside("aside");
    FILE *file = fopen(aside, "w");

    fprintf(file, "%ld\n", value);
    fclose(file);
    rename(aside, path);
    free(aside);
    free(path);
}

static long wait_number(const char *name)
{
    char *path = inside(name);
    long value = -1;

    for (int i = 0; i < WAIT_MS / 10 && !file_exists(path); i++)
        pause_ms(10);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &value), 1);
    fclose(file);
    free(path);
    return value;
}

static bool is_alive(long pid)
{
    char path[64], line[512] = "";
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    file = fopen(path, "r");
    if (file == NULL)
        return false;
    bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    const char *parenthesis = strrchr(line, ')');
    return read && parenthesis != NULL && parenthesis[2] != 'Z';
}

static void assert_dies(long pid)
{
    for (int i = 0; i < WAIT_MS / 10 && is_alive(pid); i++)
        pause_ms(10);
    assert_false(is_alive(pid));
}

static int exit_with_5(void *user)
{
    volatile double sum = 0.0;

    (void)user;
    volatile char *block = malloc(24 << 20);
    for (int i = 0; i < 24 << 20; i += 512)
        block[i] = 1;
    for (int i = 0; i < 20000000; i++)
        sum = sum + (double)i;
    free((void *)(uintptr_t)block);
    return 5;
}

static void exit_json_has_status_times_and_memory(void **state)
{
    (void)state;
    pid_t keeper = start_keeper(exit_with_5);
    int status = wait_status(keeper);
    cJSON *root = read_exit();

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 5);
    assert_string_equal(json_member(root, "format")->valuestring, "hrmlab-exit-1");
    assert_int_equal((int)number(root, "keeper_pid"), keeper);
    assert_int_equal((int)number(root, "exit_status"), 5);
    assert_int_equal((int)number(root, "signal"), 0);
    assert_true(number(root, "user_seconds") > 0.0);
    assert_true(number(root, "peak_rss_mib") > 24.0);
    assert_int_equal(strlen(json_member(root, "boot_id")->valuestring), 36);
    assert_true(strcmp(json_member(root, "started_at")->valuestring,
                       json_member(root, "ended_at")->valuestring) <= 0);
    cJSON_Delete(root);
}

static int kill_self(void *user)
{
    (void)user;
    raise(SIGKILL);
    return 0;
}

static void signal_that_ended_the_worker_is_named(void **state)
{
    (void)state;
    int status = wait_status(start_keeper(kill_self));
    cJSON *root = read_exit();

    assert_int_equal(WEXITSTATUS(status), 128 + SIGKILL);
    assert_true(cJSON_IsNull(json_member(root, "exit_status")));
    assert_int_equal((int)number(root, "signal"), SIGKILL);
    cJSON_Delete(root);
}

static int stop_when_asked(void *user)
{
    (void)user;
    write_number("worker", getpid());
    while (!keeper_stop_requested())
        pause_ms(5);
    write_mark("asked");
    return 130;
}

static void sigterm_reaches_the_worker_which_ends_by_itself(void **state)
{
    (void)state;
    pid_t keeper = start_keeper(stop_when_asked);

    wait_number("worker");
    kill(keeper, SIGTERM);
    assert_int_equal(WEXITSTATUS(wait_status(keeper)), 130);
    char *path = inside("asked");
    assert_true(file_exists(path));
    free(path);
    cJSON *root = read_exit();
    assert_int_equal((int)number(root, "exit_status"), 130);
    cJSON_Delete(root);
}

static int ignore_the_first_stop(void *user)
{
    (void)user;
    write_number("worker", getpid());
    while (!keeper_stop_requested())
        pause_ms(5);
    write_number("asked", 1);
    pause_ms(60000);
    return 0;
}

static void a_sigint_after_a_sigterm_ends_the_worker_at_once(void **state)
{
    (void)state;
    pid_t keeper = start_keeper(ignore_the_first_stop);

    wait_number("worker");
    kill(keeper, SIGTERM);
    wait_number("asked");
    kill(keeper, SIGINT);
    assert_int_equal(WEXITSTATUS(wait_status(keeper)), 130);
}

static int save_when_asked(void *user)
{
    (void)user;
    write_number("worker", getpid());
    while (!keeper_stop_requested())
        pause_ms(5);
    write_number("asked", 1);
    wait_number("again");
    write_mark("saved");
    return 130;
}

/* As a cluster's daemon does: to all processes of a job, each time. */
static void any_number_of_sigterms_leaves_the_worker_the_time_to_save(void **state)
{
    (void)state;
    pid_t keeper = start_keeper(save_when_asked);
    pid_t worker = (pid_t)wait_number("worker");

    kill(keeper, SIGTERM);
    wait_number("asked");
    for (int i = 0; i < 3; i++) {
        kill(worker, SIGTERM);
        kill(keeper, SIGTERM);
        pause_ms(20);
    }
    write_number("again", 1);
    assert_int_equal(WEXITSTATUS(wait_status(keeper)), 130);
    char *path = inside("saved");
    assert_true(file_exists(path));
    free(path);
}

static void worker_dies_with_a_killed_keeper_which_leaves_no_exit_file(void **state)
{
    (void)state;
    pid_t keeper = start_keeper(stop_when_asked);
    long worker = wait_number("worker");

    kill(keeper, SIGKILL);
    wait_status(keeper);
    assert_dies(worker);
    char *path = inside("exit.json");
    assert_false(file_exists(path));
    free(path);
}

/* A grandchild in a session of its own, and one that was there before its parent ended. */
static int leave_descendants(void *user)
{
    (void)user;
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            if (i == 0)
                setsid();
            pause_ms(60000);
            _exit(0);
        }
        write_number(i == 0 ? "first" : "second", pid);
    }
    return 0;
}

static void processes_left_by_the_worker_are_ended(void **state)
{
    (void)state;
    int status = wait_status(start_keeper(leave_descendants));

    assert_int_equal(WEXITSTATUS(status), 0);
    assert_false(is_alive(wait_number("first")));
    assert_false(is_alive(wait_number("second")));
}

static void directory_with_a_journal_is_refused_and_left_alone(void **state)
{
    (void)state;
    int exit_code = -1;
    struct error err = { 0 };

    write_mark("journal.jsonl");
    assert_int_equal(keeper_run(&exit_code, directory, exit_with_5, NULL, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "journal.jsonl"));
    char *path = inside("exit.json");
    assert_false(file_exists(path));
    free(path);
    assert_int_equal(keeper_run(&exit_code, "/nonexistent", exit_with_5, NULL, &err),
                     ERROR_ABSENT);
}

static int limit_and_report(void *user)
{
    struct error err = { 0 };
    struct rlimit core;
    cpu_set_t set;
    int first = -1;

    (void)user;
    sched_getaffinity(0, sizeof set, &set);
    for (int i = 0; i < CPU_SETSIZE && first < 0; i++)
        if (CPU_ISSET((size_t)i, &set))
            first = i;
    if (keeper_pin_worker(&first, 1, &err) < 0 || keeper_limit_worker(0.0, &err) < 0)
        return 1;
    sched_getaffinity(0, sizeof set, &set);
    getrlimit(RLIMIT_CORE, &core);
    if (CPU_COUNT(&set) != 1 || !CPU_ISSET((size_t)first, &set) || core.rlim_cur != 0)
        return 2;
    return keeper_pin_worker(&(int){ CPU_SETSIZE - 1 }, 1, &err) == ERROR_ENVIRONMENT ? 0 : 3;
}

static void worker_is_pinned_and_dumps_no_core(void **state)
{
    (void)state;
    assert_int_equal(WEXITSTATUS(wait_status(start_keeper(limit_and_report))), 0);
}

/* In the sandbox: a socket by the system call numbers of 32-bit programs. Comes back only when
 * that was possible. */
static void call_int80(const char *place)
{
#if defined(__x86_64__)
    struct sandbox sandbox;
    long result;

    sandbox_enter(&sandbox, place);
    signal(SIGSEGV, SIG_DFL); /* what a kernel without 32-bit programs sends */
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(359L), "b"((long)AF_INET), "c"((long)SOCK_STREAM), "d"(0L)
                     : "memory", "r8", "r9", "r10", "r11");
#else
    (void)place;
    raise(SIGSYS);
#endif
}

static void *do_nothing(void *argument)
{
    return argument;
}

/* Processes, other programs; threads are another matter. 0, or which was (or was not) possible. */
static int try_processes(void)
{
    char program[] = "/bin/true", *const words[] = { program, NULL }, *const none[] = { NULL };
    pthread_t thread;

    if (fork() >= 0 || errno != EACCES)
        return 11;
    if (posix_spawn(&(pid_t){ 0 }, words[0], NULL, NULL, words, none) == 0)
        return 12;
    if (execve(words[0], words, none) == 0 || errno != EACCES)
        return 13;
    if (pthread_create(&thread, NULL, do_nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
        return 14;
    return 0;
}

/* What seccomp denies, tried; 0, or which of them was possible after all. */
static int try_calls(const char *outside)
{
    static const struct timespec times[2] = { { 0 } };
    char room[256] = { 0 }; /* io_uring's parameters: 120 bytes */

    if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EACCES)
        return 1;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){ 0 }) >= 0 || errno != EACCES)
        return 2;
    if (syscall(SYS_io_uring_setup, 1, room) >= 0 || errno != EACCES)
        return 3;
    if (kill(getppid(), 0) >= 0 || errno != EACCES || kill(0, 0) >= 0)
        return 5;
    if (kill(getpid(), 0) < 0) /* raise() and abort() stay */
        return 6;
    if (chmod(outside, 0777) >= 0 || errno != EACCES ||
        fchmodat(AT_FDCWD, outside, 0777, 0) >= 0)
        return 7;
    if (utimensat(AT_FDCWD, outside, times, 0) >= 0 || errno != EACCES)
        return 8;
    if (chown(outside, getuid(), getgid()) >= 0 || errno != EACCES)
        return 9;
    if (setxattr(outside, "user.hrmlab", "x", 1, 0) >= 0 || errno != EACCES)
        return 10;
    if (truncate(outside, 0) >= 0 || errno != EACCES ||
        open(outside, O_RDONLY | O_TRUNC) >= 0 || errno != EACCES)
        return 15;
    struct rlimit limit = { 1, 1 };
    if (prlimit(getppid(), RLIMIT_NOFILE, &limit, NULL) >= 0 || errno != EACCES)
        return 16;
    int fd = open(outside, O_RDONLY), flags = 0;
    if (fd < 0 || fcntl(fd, F_SETOWN, getppid()) >= 0 || errno != EACCES ||
        fcntl(fd, F_GETFL) < 0)
        return 17;
    if (ioctl(fd, FS_IOC_SETFLAGS, &flags) >= 0 || errno != EACCES)
        return 18;
    close(fd);
    return try_processes();
}

/* What a process in the sandbox may and may not; exit code 0: as it should be. */
static int try_things(const char *place, const char *outside)
{
    struct sandbox sandbox;
    char path[300], beside[300], words[200];

    sandbox_enter(&sandbox, place);
    sandbox_describe(words, sizeof words, &sandbox);
    snprintf(path, sizeof path, "%s/inside", place);
    snprintf(beside, sizeof beside, "%s-beside", place);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) != 0 || unlink(path) != 0)
        return 11;
    if (sandbox.landlock_abi > 0 &&
        (open(beside, O_WRONLY | O_CREAT, 0600) >= 0 || errno != EACCES))
        return 12;
    int possible = sandbox.no_network ? try_calls(outside) : 0;
    if (possible != 0)
        return 30 + possible;
    fd = open("/proc/self/status", O_RDONLY); /* reading stays */
    if (fd < 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 14;
    return sandbox.landlock_abi > 0 && sandbox.no_network ? 0 : 20;
}

static void a_worker_writes_to_its_directory_and_nowhere_else(void **state)
{
    char place[] = "/tmp/hrmlab-sandbox-XXXXXX", outside[100];
    struct error err;
    int status;

    (void)state;
    assert_non_null(mkdtemp(place));
    snprintf(outside, sizeof outside, "%s-outside", place);
    assert_int_equal(file_write_atomic(outside, "x", 1, &err), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(try_things(place, outside));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    pid = fork();
    if (pid == 0) {
        call_int80(place);
        _exit(0);
    }
    int other_numbers;
    assert_int_equal(waitpid(pid, &other_numbers, 0), pid);
    assert_int_equal(unlink(outside), 0);
    assert_int_equal(file_remove_tree(place, &err), 0);
    if (WEXITSTATUS(status) == 20) {
        print_message("# skip: this kernel has no landlock or no seccomp\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(WIFSIGNALED(other_numbers));
}

int main(void)
{
#define WITH_DIRECTORY(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(exit_json_has_status_times_and_memory),
        WITH_DIRECTORY(signal_that_ended_the_worker_is_named),
        WITH_DIRECTORY(sigterm_reaches_the_worker_which_ends_by_itself),
        WITH_DIRECTORY(a_sigint_after_a_sigterm_ends_the_worker_at_once),
        WITH_DIRECTORY(any_number_of_sigterms_leaves_the_worker_the_time_to_save),
        WITH_DIRECTORY(worker_dies_with_a_killed_keeper_which_leaves_no_exit_file),
        WITH_DIRECTORY(processes_left_by_the_worker_are_ended),
        WITH_DIRECTORY(directory_with_a_journal_is_refused_and_left_alone),
        WITH_DIRECTORY(worker_is_pinned_and_dumps_no_core),
        cmocka_unit_test(a_worker_writes_to_its_directory_and_nowhere_else),
    };

    return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
