/*
 * server.h - HTTP by libmicrohttpd on libuv's loop: requests in, pages of a site out.
 */
#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

#include "error.h"
#include "gate.h"
#include "listener.h"
#include "site.h"

struct server;

/* Takes the listener's sockets over. site and gate are borrowed. Nothing is answered
 * before server_run(). ERROR_ENVIRONMENT. */
int server_create(struct server **out, struct listener *listener, struct site *site,
                  const struct gate *gate, struct error *err) MUST_CHECK;
/* Answers until SIGINT, SIGTERM or SIGHUP. */
void server_run(struct server *server);
/* Closes everything; NULL allowed. */
void server_destroy(struct server *server);

#endif
