/* listener.c - binds the sockets of the server. */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128, FREE_PORT_TRIES = 20 };

void listener_close(struct listener *listener)
{
    for (int i = 0; i < 2; i++) {
        if (listener->fds[i] >= 0)
            close(listener->fds[i]);
        listener->fds[i] = -1;
    }
}

/* A socket that listens at the address; -1 with errno. */
static int listen_at(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int yes = 1;

    if (fd < 0)
        return -1;
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    if (address->sa_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, address, size) < 0 || listen(fd, BACKLOG) < 0) {
        int number = errno;

        close(fd);
        errno = number;
        return -1;
    }
    return fd;
}

/* One try. *retry: the port was to be a free one, and is not free on both. */
static int open_port(struct listener *out, int port, bool *retry, struct error *err)
{
    struct sockaddr_in four = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)port) };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
    socklen_t size = sizeof four;
    bool chosen = port == 0;

    *out = (struct listener){ .fds = { -1, -1 } };
    *retry = false;
    out->fds[0] = listen_at((struct sockaddr *)&four, sizeof four);
    if (out->fds[0] >= 0 && getsockname(out->fds[0], (struct sockaddr *)&four, &size) == 0) {
        out->port = port = ntohs(four.sin_port);
        six.sin6_port = four.sin_port;
        out->fds[1] = listen_at((struct sockaddr *)&six, sizeof six);
        /* a machine need not have IPv6 */
        if (out->fds[1] >= 0 || errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT)
            return 0;
    }
    int number = errno;
    listener_close(out);
    *retry = chosen && number == EADDRINUSE;
    return error_set(err, ERROR_ENVIRONMENT,
                     "listen on port %d of the loopback interface: %s; --port names another "
                     "one, and without it a free one is taken",
                     port, strerror(number));
}

int listener_open_port(struct listener *out, int port, struct error *err)
{
    bool retry = true;
    int rc = ERROR_ENVIRONMENT;

    for (int i = 0; i < FREE_PORT_TRIES && retry; i++)
        rc = open_port(out, port, &retry, err);
    return rc;
}

/* Whether a server answers at the socket. */
static bool is_alive(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool alive = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;

    if (fd >= 0)
        close(fd);
    return alive;
}

/* Removes a socket that nobody listens on. */
static int clear_place(const struct sockaddr_un *address, struct error *err)
{
    struct stat status;

    if (lstat(address->sun_path, &status) != 0)
        return 0; /* bind() says what is wrong */
    if (!S_ISSOCK(status.st_mode))
        return error_set(err, ERROR_ENVIRONMENT,
                         "--socket %s: there is a file that is no socket; choose another name",
                         address->sun_path);
    if (is_alive(address))
        return error_set(err, ERROR_ENVIRONMENT,
                         "--socket %s: a server listens there already; choose another name, or "
                         "end that one",
                         address->sun_path);
    unlink(address->sun_path);
    return 0;
}

int listener_open_socket(struct listener *out, const char *path, struct error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    *out = (struct listener){ .fds = { -1, -1 } };
    if (strlen(path) >= sizeof address.sun_path)
        return error_set(
            err, ERROR_FORMAT,
            "--socket %.120s: the path of a socket has at most %zu bytes; choose a "
            "shorter one",
            path, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path));
    int rc = clear_place(&address, err);
    if (rc != 0)
        return rc;
    mode_t mask = umask(0177); /* from the first moment on only for this user */
    out->fds[0] = listen_at((struct sockaddr *)&address, sizeof address);
    int number = errno;
    umask(mask);
    if (out->fds[0] < 0)
        return error_set(err, ERROR_ENVIRONMENT, "--socket %s: %s", path, strerror(number));
    return 0;
}
