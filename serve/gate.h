/*
 * gate.h - who is answered: programs that know the token, and that mean this server.
 *
 * Others on the machine can connect to a port of the loopback interface, and a web page
 * can make a browser do it, even under a name of its own that leads here (DNS
 * rebinding). So every request must name the host as the loopback interface, and bear
 * the token: once in the address, from then on as a cookie that scripts and other sites
 * do not get. A socket in the file system bears its own permissions, and asks for both
 * as well.
 */
#ifndef SERVE_GATE_H
#define SERVE_GATE_H

#include "error.h"

enum { GATE_TOKEN_SIZE = 33 };

struct gate {
    char token[GATE_TOKEN_SIZE]; /* 128 random bits, in hexadecimal */
    char cookie[32];             /* its name */
};

/* Draws a token. name: of the cookie, after "hrmlab_"; cookies do not tell ports
 * apart. ERROR_ENVIRONMENT: the system has no random numbers. */
int gate_init(struct gate *out, const char *name, struct error *err) MUST_CHECK;

enum gate_verdict {
    GATE_OPEN,
    GATE_ENTER,  /* the token is in the address: it is to become a cookie */
    GATE_METHOD, /* neither GET nor HEAD */
    GATE_HOST,   /* Host is another name */
    GATE_TOKEN   /* there is no token, or another one */
};

/* Headers and the value "token" of the address; NULL: absent. */
enum gate_verdict gate_check(const struct gate *gate, const char *method, const char *host,
                             const char *cookies, const char *token);

#endif
