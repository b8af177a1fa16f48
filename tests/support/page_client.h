/*
 * page_client.h - a browser for the tests of hrmlab-serve: starts the server on a
 * workspace, asks it over a socket. Whatever is wrong with that ends the test.
 */
#ifndef TESTS_SUPPORT_PAGE_CLIENT_H
#define TESTS_SUPPORT_PAGE_CLIENT_H

#include <stdbool.h>
#include <sys/types.h>

struct page_server {
    pid_t pid;
    int port;         /* 0: a socket */
    char socket[100]; /* its path; "": a port */
    char token[40];
};

/* Starts `hrmlab serve` and waits for its address. socket NULL: on a free port. */
void page_server_start(struct page_server *server, const char *workspace, const char *socket);
/* Starts it on the port that it had, after it has been stopped; it has a new token. */
void page_server_start_again(struct page_server *server, const char *workspace);
/* Ends it by SIGTERM; its exit code, or 128 and the signal. */
int page_server_stop(struct page_server *server);

/* A connection to it; the descriptor. */
int page_connect(const struct page_server *server);

struct page_reply {
    int status;           /* 0: the connection was closed without an answer */
    char *headers, *body; /* fresh */
};
void page_reply_release(struct page_reply *reply);
/* Sends METHOD PATH with these header lines, each ended by "\r\n". */
void page_send(struct page_reply *out, const struct page_server *server, const char *method,
               const char *path, const char *headers);
/* GET with the cookie and a good Host, and further header lines. */
void page_get(struct page_reply *out, const struct page_server *server, const char *path,
              const char *more);
/* Gets a page that must be there; its body, fresh. */
char *page_body(const struct page_server *server, const char *path);
/* The value of a header, fresh; NULL: absent. */
char *page_header(const struct page_reply *reply, const char *name);

#endif
