/* executor_local.c - uv_spawn() of keepers. */
#include "executor_local.h"

#include "error.h"
#include "file.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_keeper_exit(uv_process_t *process, int64_t exit_status, int term_signal)
{
    struct executor_local *executor = process->data;

    (void)exit_status; /* exit.json tells, for adopted keepers too */
    (void)term_signal;
    executor->exited = true;
    executor->on_exit(executor->user);
}

static int spawn(struct executor_local *executor, uv_loop_t *loop, char **argv, int log_fd)
{
    uv_stdio_container_t stdio[3] = { { .flags = UV_IGNORE },
                                      { .flags = UV_INHERIT_FD, .data.fd = log_fd },
                                      { .flags = UV_INHERIT_FD, .data.fd = log_fd } };
    uv_process_options_t options = { .file = argv[0],
                                     .args = argv,
                                     .stdio = stdio,
                                     .stdio_count = 3,
                                     .flags = UV_PROCESS_DETACHED,
                                     .exit_cb = on_keeper_exit };

    executor->process.data = executor;
    return uv_spawn(loop, &executor->process, &options);
}

int executor_local_start(struct executor_local *executor, uv_loop_t *loop, const char *program,
                         const char *directory, struct error *err)
{
    char *log = file_join(directory, "log");
    char *argv[] = { strdup(program), strdup("run"), strdup(directory), NULL };
    int fd = log != NULL ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    int rc = 0;

    if (fd < 0) {
        rc = error_set(err, error_code_from_errno(errno), "open %s/log: %s", directory,
                       strerror(errno));
    } else {
        int code = UV_ENOMEM;
        if (argv[0] != NULL && argv[1] != NULL && argv[2] != NULL) {
            code = spawn(executor, loop, argv, fd);
            /* uv_spawn() initialises the handle even when it fails: it must be closed
             * then. */
            executor->started = true;
        }
        if (code < 0)
            rc = error_set(err, ERROR_SPAWN, "start %s: %s", program, uv_strerror(code));
        close(fd);
    }
    if (rc == 0) {
        executor->pid = executor->process.pid;
        executor->start_time = process_start_time(executor->pid);
        uv_unref((uv_handle_t *)&executor->process);
    } else {
        executor->exited = true;
    }
    for (int i = 0; i < 3; i++)
        free(argv[i]);
    free(log);
    return rc;
}

void executor_local_adopt(struct executor_local *executor, int64_t pid, int64_t start_time)
{
    executor->started = false;
    executor->pid = pid;
    executor->start_time = start_time;
}

bool executor_local_alive(const struct executor_local *executor)
{
    if (executor->started)
        return !executor->exited;
    return executor->pid > 0 && executor->start_time != 0 &&
           process_start_time(executor->pid) == executor->start_time;
}

void executor_local_signal(const struct executor_local *executor, int signal_number)
{
    if (!executor_local_alive(executor) || executor->pid <= 0)
        return;
    /* our child: nobody gets its pid before the loop has seen its end */
    if (executor->started)
        kill((pid_t)executor->pid, signal_number);
    else
        process_signal(executor->pid, executor->start_time, signal_number);
}
