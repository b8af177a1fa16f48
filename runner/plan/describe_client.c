/* describe_client.c - runs a short-lived worker process that answers questions. */
#include "describe_client.h"

#include "error.h"
#include "file.h"
#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { QUIET_MS = 120000 };
#define ANSWER_LIMIT ((size_t)256 << 20)

/* Creates an in-memory file that holds text, positioned at its start. Unlike a pipe
 * it has no size limit, and it needs no writable directory. -1: failure. */
static int text_file(const char *text)
{
    struct error ignored;
    int fd = memfd_create("hrmlab describe", MFD_CLOEXEC);

    if (fd >= 0 && (file_write_all(fd, text, strlen(text), "memory", &ignored) < 0 ||
                    lseek(fd, 0, SEEK_SET) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Seconds of processor time that a process has used; 0: not known. */
static double processor_seconds(pid_t pid)
{
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0.0;
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

int describe_read(char **out, size_t *size, int fd, pid_t pid, int quiet_ms,
                  const char *program, struct error *err)
{
    size_t room = 1 << 16, used = 0;
    double before = processor_seconds(pid);
    char *text = malloc(room);
    int rc = text == NULL ? error_set(err, ERROR_NOMEM, "no memory for an answer") : 0;

    while (rc == 0) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        int ready = poll(&wait, 1, quiet_ms);
        double now = processor_seconds(pid);
        bool computes = now > before;
        before = now;
        if ((ready < 0 && errno == EINTR) || (ready == 0 && computes))
            continue;
        if (ready <= 0) {
            rc = error_set(err, ERROR_SPAWN,
                           "%s does not answer, and has computed nothing for %d s", program,
                           quiet_ms / 1000);
            break;
        }
        ssize_t count = read(fd, text + used, room - used - 1);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        used += (size_t)count;
        if (room - used < 2) {
            char *larger = room < ANSWER_LIMIT ? realloc(text, room * 2) : NULL;
            if (larger == NULL) {
                rc = error_set(err, ERROR_NOMEM, "%s: no memory for its answer", program);
                break;
            }
            text = larger;
            room *= 2;
        }
    }
    if (rc < 0) {
        free(text);
        return rc;
    }
    text[used] = '\0';
    *out = text;
    *size = used;
    return 0;
}

static int start(pid_t *pid, const char *program, const char *verb, const char *argument,
                 int input, int output, struct error *err)
{
    posix_spawn_file_actions_t actions;
    char *argv[] = { strdup(program), strdup(verb), argument != NULL ? strdup(argument) : NULL,
                     NULL };
    int rc = 0, number = argv[0] == NULL || argv[1] == NULL ? ENOMEM : 0;

    posix_spawn_file_actions_init(&actions);
    if (number == 0)
        number = input >= 0 ? posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
                            : posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
                                                               "/dev/null", O_RDONLY, 0);
    if (number == 0)
        number = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (number == 0)
        number = posix_spawn(pid, program, &actions, NULL, argv, environ);
    if (number != 0)
        rc = error_set(err, ERROR_SPAWN,
                       "start %s: %s; HRMLAB_WORKER names another hrmlab-worker", program,
                       strerror(number));
    posix_spawn_file_actions_destroy(&actions);
    free(argv[0]);
    free(argv[1]);
    free(argv[2]);
    return rc;
}

/* Runs `program verb`, with an argument unless that is NULL, and parses its output. */
static int ask(cJSON **out, const char *program, const char *verb, const char *argument,
               int input, struct error *err)
{
    int ends[2], status = 0;
    pid_t pid = -1;
    char *text = NULL;
    size_t size = 0;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set(err, ERROR_SPAWN, "pipe: %s", strerror(errno));
    int rc = start(&pid, program, verb, argument, input, ends[1], err);
    close(ends[1]);
    if (rc == 0)
        rc = describe_read(&text, &size, ends[0], pid, QUIET_MS, program, err);
    close(ends[0]);
    if (pid > 0) {
        if (rc < 0)
            kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    if (rc == 0 && status != 0)
        rc = error_set(err, ERROR_ENVIRONMENT, "%s %s failed (%s %d); its message is above",
                       program, verb, WIFSIGNALED(status) ? "signal" : "exit",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (rc == 0)
        rc = json_parse(out, text, size, program, err);
    if (rc == ERROR_FORMAT)
        rc = error_set(err, ERROR_ENVIRONMENT,
                       "%s does not answer as hrmlab-worker does; HRMLAB_WORKER names another "
                       "one",
                       program);
    free(text);
    return rc;
}

/* WORKSPACE/data, created if the workspace exists; NULL: there is no such directory. */
static char *cache_directory(const char *workspace)
{
    char *path =
        workspace != NULL && file_exists(workspace) ? file_join(workspace, "data") : NULL;

    if (path != NULL && mkdir(path, 0777) < 0 && errno != EEXIST) {
        free(path);
        return NULL;
    }
    return path;
}

int describe_ask(cJSON **out, const char *program, const char *workspace, const cJSON *configs,
                 struct error *err)
{
    char *text = json_canonical(configs);
    int input = text != NULL ? text_file(text) : -1;

    *out = NULL;
    free(text);
    if (input < 0)
        return error_set(err, ERROR_IO, "a file in memory (memfd_create): %s", strerror(errno));
    char *directory = cache_directory(workspace);
    int rc = ask(out, program, "describe", directory, input, err);
    if (directory != NULL)
        rmdir(directory); /* where it is still empty */
    free(directory);
    close(input);
    if (rc == 0 &&
        (!cJSON_IsArray(*out) || cJSON_GetArraySize(*out) != cJSON_GetArraySize(configs))) {
        cJSON_Delete(*out);
        *out = NULL;
        rc = error_set(err, ERROR_ENVIRONMENT, "%s describe: not the list asked for", program);
    }
    return rc;
}

int describe_probe(cJSON **out, const char *program, struct error *err)
{
    *out = NULL;
    return ask(out, program, "probe", NULL, -1, err);
}
