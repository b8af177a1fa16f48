/* gate.c - checks of method, host and token. */
#include "gate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

int gate_init(struct gate *out, const char *name, struct error *err)
{
    unsigned char bytes[(GATE_TOKEN_SIZE - 1) / 2];

    *out = (struct gate){ 0 };
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return error_set(err, ERROR_ENVIRONMENT, "random numbers: %s", strerror(errno));
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out->token + 2 * i, 3, "%02x", bytes[i]);
    snprintf(out->cookie, sizeof out->cookie, "hrmlab_%s", name);
    return 0;
}

/* Compares in a time that does not depend on where the texts differ. */
static bool is_token(const struct gate *gate, const char *text, size_t length)
{
    unsigned char difference = 0;

    if (length != GATE_TOKEN_SIZE - 1)
        return false;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned char)(gate->token[i] ^ text[i]);
    return difference == 0;
}

/* Whether one of "name=value; name=value" is the token. */
static bool has_cookie(const struct gate *gate, const char *cookies)
{
    size_t name = strlen(gate->cookie);

    for (const char *at = cookies; at != NULL && *at != '\0';) {
        at += strspn(at, " ;");
        size_t length = strcspn(at, ";");

        if (length > name && at[name] == '=' && memcmp(at, gate->cookie, name) == 0 &&
            is_token(gate, at + name + 1, length - name - 1))
            return true;
        at += length;
    }
    return false;
}

/* A name of the loopback interface, with any port: it may be forwarded (ssh -L). */
static bool is_loopback(const char *host)
{
    static const char *const NAMES[] = { "127.0.0.1", "localhost", "[::1]" };

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        size_t length = strlen(NAMES[i]);

        if (strncasecmp(host, NAMES[i], length) != 0)
            continue;
        const char *port = host + length;
        if (*port == '\0' || (*port == ':' && port[1 + strspn(port + 1, "0123456789")] == '\0'))
            return true;
    }
    return false;
}

enum gate_verdict gate_check(const struct gate *gate, const char *method, const char *host,
                             const char *cookies, const char *token)
{
    if (host == NULL || !is_loopback(host))
        return GATE_HOST;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return GATE_METHOD;
    if (token != NULL)
        return is_token(gate, token, strlen(token)) ? GATE_ENTER : GATE_TOKEN;
    return has_cookie(gate, cookies) ? GATE_OPEN : GATE_TOKEN;
}
