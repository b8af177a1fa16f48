/*
 * sandbox.h - a worker runs with the least it needs.
 *
 * No new privileges; writes only below its attempt's directory (landlock); no network (seccomp: no
 * sockets). What the kernel does not offer is left out and said, since results do not depend on it.
 * HRMLAB_SANDBOX=off leaves all of it out, for tools that follow a worker from inside.
 */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include <stdbool.h>

struct error;

struct sandbox {
    bool no_new_privileges;
    int landlock_abi; /* 0: the kernel has none */
    bool no_network;
};

/* What this kernel offers, without entering anything. */
void sandbox_probe(struct sandbox *out);

/* Enters, for this process and its children, for good. Reading stays as it was. Fills *out with what
 * holds. ERROR_ENVIRONMENT: what the kernel offers could not be entered. */
int sandbox_enter(struct sandbox *out, const char *directory, struct error *err);

/* "no new privileges, writes confined (landlock 4), no network", or what is missing. */
void sandbox_describe(char *out, int size, const struct sandbox *sandbox);

#endif
