/*
 * listener.h - where the server listens: a port of the loopback interface, or a socket
 * in the file system.
 */
#ifndef SERVE_LISTENER_H
#define SERVE_LISTENER_H

#include "error.h"

struct listener {
    int fds[2]; /* -1: none; IPv4 and IPv6, or the socket */
    int port;   /* 0: a socket in the file system */
};

/* Listens on 127.0.0.1 and, where there is one, ::1. port 0: a free one.
 * ERROR_ENVIRONMENT: the port is in use or not allowed. */
int listener_open_port(struct listener *out, int port, struct error *err) MUST_CHECK;
/* Listens on a socket that only this user can connect to (mode 0600). One that nobody
 * listens on any more is replaced. ERROR_ENVIRONMENT, ERROR_FORMAT. */
int listener_open_socket(struct listener *out, const char *path, struct error *err) MUST_CHECK;
void listener_close(struct listener *listener);

#endif
