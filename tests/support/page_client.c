/* page_client.c - HTTP/1.1 in the few forms that the tests need. */
#include "support/page_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "file.h"
#include "support/place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Reads the line with the address: http://HOST[:PORT]/?token=TOKEN. */
static void read_address(struct page_server *server, int fd)
{
    FILE *out = fdopen(fd, "r");
    char line[200] = "";

    assert_non_null(out);
    if (fgets(line, sizeof line, out) == NULL)
        fail_msg("hrmlab serve has printed no address");
    fclose(out);
    char *token = strstr(line, "/?token=");
    if (token == NULL)
        fail_msg("no token in %s", line);
    sscanf(token, "/?token=%39[0-9a-f]", server->token);
    if (server->socket[0] == '\0')
        assert_int_equal(sscanf(line, "http://127.0.0.1:%d/", &server->port), 1);
}

/* Starts `hrmlab serve` with an option and its value, NULL: none. */
static void start_server(struct page_server *server, const char *workspace, const char *option,
                         const char *value)
{
    const char *argv[] = { place_hrmlab(), "--workspace", workspace, "serve",
                           "--quiet",      option,        value,     NULL };
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(fds[1]);
    read_address(server, fds[0]);
}

void page_server_start(struct page_server *server, const char *workspace,
                       const char *socket_path)
{
    *server = (struct page_server){ 0 };
    if (socket_path != NULL)
        snprintf(server->socket, sizeof server->socket, "%s", socket_path);
    start_server(server, workspace, socket_path != NULL ? "--socket" : NULL, socket_path);
}

void page_server_start_again(struct page_server *server, const char *workspace)
{
    char port[16];

    snprintf(port, sizeof port, "%d", server->port);
    start_server(server, workspace, "--port", port);
}

int page_server_stop(struct page_server *server)
{
    kill(server->pid, SIGTERM);
    return place_finish(server->pid);
}

int page_connect(const struct page_server *server)
{
    struct sockaddr_un local = { .sun_family = AF_UNIX };
    struct sockaddr_in port = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)server->port) };
    bool by_port = server->socket[0] == '\0';
    int fd = socket(by_port ? AF_INET : AF_UNIX, SOCK_STREAM, 0);

    memcpy(local.sun_path, server->socket, strlen(server->socket));
    assert_true(fd >= 0);
    if ((by_port ? connect(fd, (struct sockaddr *)&port, sizeof port)
                 : connect(fd, (struct sockaddr *)&local, sizeof local)) != 0)
        fail_msg("no connection to hrmlab serve, which may have ended: %s", strerror(errno));
    return fd;
}

static char *read_all(int fd)
{
    size_t size = 0, room = 1 << 16;
    char *text = malloc(room + 1);
    ssize_t count;

    assert_non_null(text);
    while ((count = read(fd, text + size, room - size)) > 0) {
        size += (size_t)count;
        if (size == room)
            text = realloc(text, (room *= 2) + 1);
        assert_non_null(text);
    }
    text[size] = '\0';
    return text;
}

void page_send(struct page_reply *out, const struct page_server *server, const char *method,
               const char *path, const char *headers)
{
    int fd = page_connect(server);

    assert_true(dprintf(fd, "%s %s HTTP/1.1\r\nConnection: close\r\n%s\r\n", method, path,
                        headers) > 0);
    char *text = read_all(fd), *end = strstr(text, "\r\n\r\n");

    close(fd);
    *out = (struct page_reply){ 0 };
    if (text[0] == '\0') {
        out->headers = text;
        out->body = strdup("");
        return;
    }
    if (end == NULL || sscanf(text, "HTTP/1.1 %d", &out->status) != 1)
        fail_msg("%s %.100s: no answer but \"%.100s\"", method, path, text);
    out->body = strdup(end + 4);
    end[2] = '\0';
    out->headers = text;
}

void page_reply_release(struct page_reply *reply)
{
    free(reply->headers);
    free(reply->body);
    *reply = (struct page_reply){ 0 };
}

void page_get(struct page_reply *out, const struct page_server *server, const char *path,
              const char *more)
{
    char name[16] = "socket";

    if (server->port != 0)
        snprintf(name, sizeof name, "%d", server->port);
    char *headers = format_string("Host: localhost\r\nCookie: hrmlab_%s=%s\r\n%s", name,
                                  server->token, more);
    page_send(out, server, "GET", path, headers);
    free(headers);
}

char *page_body(const struct page_server *server, const char *path)
{
    struct page_reply reply;

    page_get(&reply, server, path, "");
    if (reply.status != 200)
        fail_msg("%s: status %d: %s", path, reply.status, reply.body);
    free(reply.headers);
    return reply.body;
}

char *page_header(const struct page_reply *reply, const char *name)
{
    char *line = format_string("\r\n%s: ", name);
    const char *at = strstr(reply->headers, line);
    char *value =
        at != NULL ? strndup(at + strlen(line), strcspn(at + strlen(line), "\r")) : NULL;

    free(line);
    return value;
}
