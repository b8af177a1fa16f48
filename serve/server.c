/*
 * server.c - one MHD daemon for each socket; the loop waits for the daemons' epoll
 * descriptors and for the time that they name.
 *
 * One thread does everything: a page that is being rendered delays the others, and they
 * are answered from the cache then.
 */
#include "server.h"

#include "error.h"
#include "file.h"
#include "log.h"
#include "request.h"

#include <errno.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { MOST_CONNECTIONS = 256, IDLE_S = 30, DAEMONS = 2, SIGNALS = 3 };

struct daemon {
    struct MHD_Daemon *http; /* NULL: none */
    unsigned connections;    /* after it has run */
    uv_poll_t poll;
    uv_timer_t timer;
};

struct server {
    uv_loop_t loop;
    struct daemon daemons[DAEMONS];
    uv_signal_t signals[SIGNALS];
    struct site *site;       /* borrowed */
    const struct gate *gate; /* borrowed */
};

/* ---- answers ---- */

/* Of all answers. What a page loads comes from here, and nothing else runs in it. */
static const char *const HEADERS[][2] = {
    { "X-Content-Type-Options", "nosniff" },
    { "Referrer-Policy", "no-referrer" },
    { "Cross-Origin-Resource-Policy", "same-origin" },
    { "Cross-Origin-Opener-Policy", "same-origin" },
    { "Cache-Control", "private, no-cache" },
};
static const char POLICY[] =
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/* A figure that is looked at alone has its style in itself. */
static const char SVG_POLICY[] = "default-src 'none'; style-src 'unsafe-inline'";

/* An answer in the making. Without memory for a part of it, it is not sent. */
struct answer {
    struct MHD_Response *response; /* owned; NULL: no memory */
};

static void add_header(struct answer *answer, const char *name, const char *value)
{
    if (answer->response == NULL ||
        MHD_add_response_header(answer->response, name, value) == MHD_YES)
        return;
    MHD_destroy_response(answer->response);
    answer->response = NULL;
}

static struct answer begin_answer(const char *text, size_t size, const char *type)
{
    struct answer answer = { MHD_create_response_from_buffer(size, (void *)(uintptr_t)text,
                                                             MHD_RESPMEM_MUST_COPY) };

    if (type != NULL)
        add_header(&answer, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    return answer;
}

/* Sends the answer and releases it. MHD_NO: no memory. */
static enum MHD_Result send_answer(struct MHD_Connection *connection, unsigned status,
                                   struct answer *answer, const char *policy)
{
    for (size_t i = 0; i < sizeof HEADERS / sizeof *HEADERS; i++)
        add_header(answer, HEADERS[i][0], HEADERS[i][1]);
    add_header(answer, "Content-Security-Policy", policy);
    if (answer->response == NULL)
        return MHD_NO;
    enum MHD_Result sent = MHD_queue_response(connection, status, answer->response);

    MHD_destroy_response(answer->response);
    return sent;
}

/* A refusal in a line of text. */
static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status,
                              const char *text)
{
    struct answer answer = begin_answer(text, strlen(text), "text/plain; charset=utf-8");

    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        add_header(&answer, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    return send_answer(connection, status, &answer, POLICY);
}

static enum MHD_Result refuse_without_memory(struct MHD_Connection *connection)
{
    return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "Out of memory.\n");
}

/* *found: a part "name=value" of an address is of the token, however it is encoded. The
 * only error is ERROR_NOMEM. */
static int find_token(bool *found, const char *part, size_t length, struct error *err)
{
    struct request request;
    char *address = format_string("/?%.*s", (int)length, part);
    int rc = address == NULL ? error_no_memory(err, "an address")
                             : request_parse(&request, address, err);

    *found = rc == 0 && request_value(&request, "token") != NULL;
    if (rc == 0)
        request_release(&request);
    free(address);
    return rc == ERROR_NOMEM ? rc : 0;
}

/* The address without the value "token"; newly allocated. NULL: no memory. */
static char *without_token(const char *address)
{
    char *out = strdup(address), *to = out != NULL ? strchr(out, '?') : NULL;
    const char *from = strchr(address, '?');
    char between = '?';
    struct error err;

    while (to != NULL && from != NULL) {
        size_t length = strcspn(++from, "&");
        bool token = false;

        if (length > 0 && find_token(&token, from, length, &err) != 0) {
            free(out);
            return NULL;
        }
        if (length > 0 && !token) {
            *to++ = between;
            memcpy(to, from, length);
            to += length;
            between = '&';
        }
        from = from[length] == '&' ? from + length : NULL;
    }
    if (to != NULL)
        *to = '\0';
    return out;
}

/* Turns the token of the address into a cookie, and leads to the address without it. */
static enum MHD_Result enter(struct server *server, struct MHD_Connection *connection,
                             const char *address)
{
    char *plain = without_token(address), cookie[160];

    if (plain == NULL)
        return MHD_NO;
    struct answer answer = begin_answer("", 0, NULL);
    /* "//host" would be another server */
    size_t slashes = strspn(plain, "/");

    snprintf(cookie, sizeof cookie, "%s=%s; HttpOnly; SameSite=Strict; Path=/",
             server->gate->cookie, server->gate->token);
    add_header(&answer, MHD_HTTP_HEADER_LOCATION, plain + slashes - 1);
    add_header(&answer, MHD_HTTP_HEADER_SET_COOKIE, cookie);
    free(plain);
    return send_answer(connection, MHD_HTTP_SEE_OTHER, &answer, POLICY);
}

static enum MHD_Result send_page(struct MHD_Connection *connection,
                                 const struct page_text *page)
{
    const char *known =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    bool same = known != NULL && page->tag[0] != '\0' && strstr(known, page->tag) != NULL;
    bool drawing = strcmp(page->type, "image/svg+xml") == 0;
    struct answer answer =
        same ? begin_answer("", 0, NULL) : begin_answer(page->text, page->size, page->type);

    if (page->tag[0] != '\0')
        add_header(&answer, MHD_HTTP_HEADER_ETAG, page->tag);
    return send_answer(connection, same ? MHD_HTTP_NOT_MODIFIED : page->status, &answer,
                       drawing ? SVG_POLICY : POLICY);
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* Answers a request whose address has been read. MHD_NO: no memory. */
static enum MHD_Result answer_request(struct server *server, struct MHD_Connection *connection,
                                      const char *method, const char *address,
                                      const struct request *request)
{
    switch (gate_check(server->gate, method, header(connection, MHD_HTTP_HEADER_HOST),
                       header(connection, MHD_HTTP_HEADER_COOKIE),
                       request_value(request, "token"))) {
    case GATE_METHOD:
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
    case GATE_HOST:
        return refuse(connection, MHD_HTTP_FORBIDDEN,
                      "Host: expected 127.0.0.1, [::1] or localhost.\n");
    case GATE_TOKEN:
        return refuse(connection, MHD_HTTP_FORBIDDEN,
                      "The token is missing or wrong: open the address that hrmlab serve "
                      "has printed.\n");
    case GATE_ENTER:
        return enter(server, connection, address);
    case GATE_OPEN:
        break;
    }
    const struct page_text *page = site_answer(server->site, address, request);

    return page != NULL ? send_page(connection, page) : MHD_NO;
}

/* A request under way. */
struct exchange {
    char *address; /* owned; at most REQUEST_LONGEST + 1 bytes of it */
    bool begun;
};

/* Called with the address as it was sent, before anything else. */
static void *on_address(void *user, const char *address, struct MHD_Connection *connection)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);

    (void)user, (void)connection;
    if (exchange != NULL)
        exchange->address = strndup(address, REQUEST_LONGEST + 1);
    return exchange;
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    struct exchange *exchange = *state;

    (void)user, (void)connection, (void)why;
    if (exchange != NULL)
        free(exchange->address);
    free(exchange);
    *state = NULL;
}

/* Called once for the headers of a request, then for parts of its body, then at its
 * end, when it is answered. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *body, size_t *body_size, void **state)
{
    struct server *server = user;
    struct exchange *exchange = *state;
    struct request request;
    struct error err;

    (void)url, (void)version, (void)body;
    if (exchange == NULL || exchange->address == NULL)
        return refuse_without_memory(connection);
    if (!exchange->begun || *body_size > 0) { /* a body is not read */
        exchange->begun = true;
        *body_size = 0;
        return MHD_YES;
    }
    if (strlen(exchange->address) > REQUEST_LONGEST)
        return refuse(connection, MHD_HTTP_URI_TOO_LONG, "The address is too long.\n");
    int rc = request_parse(&request, exchange->address, &err);
    if (rc == ERROR_NOMEM)
        return refuse_without_memory(connection);
    if (rc != 0)
        return refuse(connection, MHD_HTTP_BAD_REQUEST,
                      "Not an address of this server: at most 4 parts and 8 values are "
                      "expected, and after each % two hexadecimal digits, not 00.\n");
    enum MHD_Result sent =
        answer_request(server, connection, method, exchange->address, &request);
    request_release(&request);
    return sent == MHD_YES ? sent : refuse_without_memory(connection);
}

/* The address stays as it is: request_parse() decodes it. */
static size_t leave_encoded(void *user, struct MHD_Connection *connection, char *text)
{
    (void)user, (void)connection;
    return strlen(text);
}

/* ---- the loop ---- */

static void on_time(uv_timer_t *timer);

/* Lets the daemon work, and comes back when it wants to. When it has as many
 * connections as it takes, it does not listen until it runs after some of them have
 * ended: if these were all, nothing else would make it run. */
static void run_daemon(struct daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    unsigned before;

    do {
        before = daemon->connections;
        MHD_run(daemon->http);
        daemon->connections =
            MHD_get_daemon_info(daemon->http, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
                ->num_connections;
    } while (daemon->connections < before);
    if (MHD_get_timeout(daemon->http, &wait_ms) == MHD_YES)
        uv_timer_start(&daemon->timer, on_time, wait_ms, 0);
    else
        uv_timer_stop(&daemon->timer);
}

static void on_time(uv_timer_t *timer)
{
    run_daemon(timer->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    run_daemon(poll->data);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    uv_stop(handle->loop);
}

static int start_daemon(struct server *server, struct daemon *daemon, int fd, struct error *err)
{
    const union MHD_DaemonInfo *info;

    errno = 0;
    daemon->http = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_URI_LOG_CALLBACK, on_address, NULL, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, NULL, MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)MOST_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_S, MHD_OPTION_END);
    info = daemon->http != NULL ? MHD_get_daemon_info(daemon->http, MHD_DAEMON_INFO_EPOLL_FD)
                                : NULL;
    if (info == NULL && errno == ENOMEM)
        return error_no_memory(err, "the server");
    if (info == NULL)
        return error_set(err, ERROR_ENVIRONMENT, "libmicrohttpd %s does not start with epoll",
                         MHD_get_version());
    uv_timer_init(&server->loop, &daemon->timer);
    uv_poll_init(&server->loop, &daemon->poll, info->epoll_fd);
    daemon->timer.data = daemon->poll.data = daemon;
    uv_poll_start(&daemon->poll, UV_READABLE, on_ready);
    return 0;
}

/* libuv aborts without a word where it cannot lengthen its table of descriptors, as it
 * does while the server starts. */
static void *loop_realloc(void *old, size_t size)
{
    void *fresh = realloc(old, size);

    if (fresh == NULL && size > 0) {
        log_error("no memory for the event loop");
        exit(error_exit_code(ERROR_NOMEM));
    }
    return fresh;
}

int server_create(struct server **out, struct listener *listener, struct site *site,
                  const struct gate *gate, struct error *err)
{
    static const int NUMBERS[SIGNALS] = { SIGINT, SIGTERM, SIGHUP };
    struct server *server = calloc(1, sizeof *server);
    int rc = 0;

    *out = NULL;
    uv_replace_allocator(malloc, loop_realloc, calloc, free);
    if (server == NULL || uv_loop_init(&server->loop) != 0) {
        free(server);
        return error_no_memory(err, "the server");
    }
    server->site = site;
    server->gate = gate;
    for (int i = 0; i < SIGNALS; i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        uv_signal_start(&server->signals[i], on_signal, NUMBERS[i]);
    }
    for (int i = 0; i < DAEMONS && rc == 0; i++)
        if (listener->fds[i] >= 0) {
            rc = start_daemon(server, &server->daemons[i], listener->fds[i], err);
            listener->fds[i] = -1; /* MHD closes it */
        }
    if (rc < 0)
        server_destroy(server);
    else
        *out = server;
    return rc;
}

void server_run(struct server *server)
{
    for (int i = 0; i < DAEMONS; i++)
        if (server->daemons[i].http != NULL)
            run_daemon(&server->daemons[i]);
    uv_run(&server->loop, UV_RUN_DEFAULT);
}

static void close_handle(uv_handle_t *handle, void *user)
{
    (void)user;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void server_destroy(struct server *server)
{
    if (server == NULL)
        return;
    uv_walk(&server->loop, close_handle, NULL);
    uv_run(&server->loop, UV_RUN_DEFAULT); /* until all are closed */
    for (int i = 0; i < DAEMONS; i++)
        if (server->daemons[i].http != NULL)
            MHD_stop_daemon(server->daemons[i].http);
    uv_loop_close(&server->loop);
    free(server);
}
