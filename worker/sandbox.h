/*
 * sandbox.h - a worker runs with the least it needs.
 *
 * No new privileges; writes only below its attempt's directory (landlock); no network (seccomp: no
 * sockets). What the kernel does not offer, or a container around us refuses, is left out and
 * said by `hrmlab doctor`, since results do not depend on it.
 * HRMLAB_SANDBOX=off leaves all of it out, for tools that follow a worker from inside.
 */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include <stdbool.h>

struct sandbox {
    bool no_new_privileges;
    int landlock_abi; /* 0: the kernel has none */
    bool no_network;
};

/* What a worker gets here, tried in a process of its own. */
void sandbox_probe(struct sandbox *out);

/* Enters, for this process and its children, for good; *out says what holds. Reading stays as it
 * was. */
void sandbox_enter(struct sandbox *out, const char *directory);

/* "no new privileges, writes confined (landlock 4), no network", or what is missing. */
void sandbox_describe(char *out, int size, const struct sandbox *sandbox);

#endif
