/* client_call.c - one process with two pipes and a timer. */
#include "client_call.h"

#include "clock.h"
#include "text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer output is cut, and the call fails. */
enum { OUTPUT_LIMIT = 64 << 20 };
/* After a program's end: how long its output may stay open in the hands of a process
 * that it has left behind, such as that of a wrapper which writes a log. */
enum { LEFT_OPEN_MS = 1000 };

struct stream {
    uv_pipe_t pipe;
    char *text; /* owned; ends with a NUL; NULL: nothing was to be read */
    size_t size, room;
    bool cut; /* no memory, or too long */
};

struct call {
    uv_process_t process;
    uv_timer_t timer;
    struct stream streams[2]; /* standard output and error */
    int open_handles;
    bool started, late, exited;
    bool silent; /* nothing has come since the loop was last asked to look */
    int64_t exit_status;
    int signal;
    double began_at; /* monotonic */
    client_done_fn *done;
    void *user; /* borrowed */
};

/* Writes text as one line; of a long one its end, where programs say why they fail. */
static void join_lines(char *out, size_t size, char *text)
{
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == '\n')
        length--;
    char *from = length < size ? text : text + (length - size + 1);
    length -= (size_t)(from - text);
    for (size_t i = 0; i < length; i++)
        if (from[i] == '\n')
            from[i] = ' ';
    snprintf(out, size, "%.*s", (int)text_make_printable(from, length, ""), from);
}

static void finish(struct call *call)
{
    char *output = call->streams[0].text, *errors = call->streams[1].text;
    char nothing[1] = "";
    struct client_answer answer = { .exit_status = (int)call->exit_status,
                                    .late = call->late,
                                    .output = output != NULL ? output : nothing,
                                    .duration_s = clock_monotonic_s() - call->began_at };

    if (call->signal != 0 || call->streams[0].cut)
        answer.exit_status = -1;
    if (errors != NULL)
        join_lines(answer.errors, sizeof answer.errors, errors);
    if (call->started)
        call->done(call->user, &answer);
    free(output);
    free(errors);
    free(call);
}

static void on_closed(uv_handle_t *handle)
{
    struct call *call = handle->data;

    if (--call->open_handles == 0)
        finish(call);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

/* Nothing is waited for any more once the program and its output have ended. */
static void close_timer_at_end(struct call *call)
{
    bool ended = call->exited;

    for (int i = 0; i < 2; i++)
        ended = ended && uv_is_closing((uv_handle_t *)&call->streams[i].pipe);
    if (ended)
        close_handle((uv_handle_t *)&call->timer);
}

static void close_pipes(struct call *call)
{
    for (int i = 0; i < 2; i++)
        close_handle((uv_handle_t *)&call->streams[i].pipe);
    close_timer_at_end(call);
}

static void on_limit(uv_timer_t *timer)
{
    struct call *call = timer->data;

    call->late = true;
    uv_process_kill(&call->process, SIGKILL);
    close_pipes(call);
}

/* The loop may have been busy meanwhile: it looks once more for what the program has
 * written before the rest counts as nobody's. */
static void on_left_open(uv_timer_t *timer)
{
    struct call *call = timer->data;

    if (call->silent)
        close_pipes(call);
    else
        uv_timer_start(timer, on_left_open, 1, 0);
    call->silent = true;
}

static void on_exit_of(uv_process_t *process, int64_t exit_status, int term_signal)
{
    struct call *call = process->data;

    call->exited = true;
    call->exit_status = exit_status;
    call->signal = term_signal;
    call->silent = false;
    close_handle((uv_handle_t *)process);
    uv_timer_start(&call->timer, on_left_open, LEFT_OPEN_MS, 0);
    close_timer_at_end(call);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct call *call = handle->data;
    struct stream *stream = &call->streams[handle == (uv_handle_t *)&call->streams[1].pipe];

    (void)suggested;
    *buffer = uv_buf_init(NULL, 0);
    if (stream->room - stream->size < 2 && stream->room < OUTPUT_LIMIT) {
        size_t room = stream->room > 0 ? 2 * stream->room : 4096;
        char *larger = realloc(stream->text, room);
        if (larger == NULL)
            return;
        stream->text = larger;
        stream->text[stream->size] = '\0';
        stream->room = room;
    }
    if (stream->room - stream->size > 1)
        *buffer = uv_buf_init(stream->text + stream->size,
                              (unsigned)(stream->room - stream->size - 1));
}

static void on_read(uv_stream_t *source, ssize_t count, const uv_buf_t *buffer)
{
    struct call *call = source->data;
    struct stream *stream = &call->streams[source == (uv_stream_t *)&call->streams[1].pipe];

    (void)buffer;
    if (count > 0) {
        stream->size += (size_t)count;
        stream->text[stream->size] = '\0';
        call->silent = false;
    } else if (count < 0) {
        stream->cut = count != UV_EOF;
        close_handle((uv_handle_t *)source);
        close_timer_at_end(call);
    }
}

static int spawn(struct call *call, char **argv, char **environment, uv_loop_t *loop)
{
    uv_stdio_container_t stdio[3] = { { .flags = UV_IGNORE } };

    for (int i = 0; i < 2; i++) {
        uv_pipe_init(loop, &call->streams[i].pipe, 0);
        call->streams[i].pipe.data = call;
        stdio[i + 1] = (uv_stdio_container_t){ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE };
        stdio[i + 1].data.stream = (uv_stream_t *)&call->streams[i].pipe;
    }
    uv_timer_init(loop, &call->timer);
    call->timer.data = call->process.data = call;
    call->open_handles = 4;
    uv_process_options_t options = { .file = argv[0],
                                     .args = argv,
                                     .env = environment,
                                     .stdio = stdio,
                                     .stdio_count = 3,
                                     /* a terminal's Ctrl-C is not for it */
                                     .flags = UV_PROCESS_DETACHED,
                                     .exit_cb = on_exit_of };
    return uv_spawn(loop, &call->process, &options);
}

static char **copy_arguments(const char *const *argv)
{
    int count = 0;

    while (argv[count] != NULL)
        count++;
    char **copy = calloc((size_t)count + 1, sizeof *copy);
    for (int i = 0; copy != NULL && i < count; i++) {
        copy[i] = strdup(argv[i]);
        if (copy[i] == NULL) {
            while (i > 0)
                free(copy[--i]);
            free(copy);
            return NULL;
        }
    }
    return copy;
}

int client_call(uv_loop_t *loop, const char *const *argv, char **environment, double limit_s,
                client_done_fn *done, void *user, struct error *err)
{
    struct call *call = calloc(1, sizeof *call);
    char **copy = copy_arguments(argv);
    int code;

    if (call == NULL || copy == NULL) {
        free(call);
        for (int i = 0; copy != NULL && copy[i] != NULL; i++)
            free(copy[i]);
        free(copy);
        return error_no_memory(err, "a client program");
    }
    call->done = done;
    call->user = user;
    call->began_at = clock_monotonic_s();
    code = spawn(call, copy, environment, loop);
    for (int i = 0; copy[i] != NULL; i++)
        free(copy[i]);
    free(copy);
    if (code < 0) { /* the handles are initialised all the same */
        close_handle((uv_handle_t *)&call->process);
        close_handle((uv_handle_t *)&call->timer);
        for (int i = 0; i < 2; i++)
            close_handle((uv_handle_t *)&call->streams[i].pipe);
        return error_set(err, ERROR_SPAWN, "%s cannot be started: %s", argv[0],
                         uv_strerror(code));
    }
    call->started = true;
    uv_timer_start(&call->timer, on_limit, (uint64_t)(limit_s * 1000.0), 0);
    for (int i = 0; i < 2; i++)
        uv_read_start((uv_stream_t *)&call->streams[i].pipe, on_room, on_read);
    return 0;
}

int client_call_wait(const char *const *argv, char **environment, double limit_s,
                     client_done_fn *done, void *user, struct error *err)
{
    uv_loop_t loop;
    int code = uv_loop_init(&loop);

    if (code < 0)
        return error_set(err, ERROR_ENVIRONMENT, "the event loop cannot be made: %s",
                         uv_strerror(code));
    int rc = client_call(&loop, argv, environment, limit_s, done, user, err);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return rc;
}
