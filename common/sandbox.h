/*
 * sandbox.h - a program runs with the least it needs: a worker, `describe`, and
 * hrmlab-serve.
 *
 * No new privileges; writes only below a worker's attempt's directory (landlock), and
 * hrmlab-serve reads nothing outside the workspace; no new connections,
 * no other programs or processes (threads are allowed), no signals to others, no
 * changes of owners, modes, times and attributes of files (seccomp: those calls fail
 * with EACCES, and a call by the numbers of another architecture, as by int 0x80, ends
 * the process). What the kernel does not offer, or a container around us refuses, is
 * left out and named in the attempt's log, its provenance and by `hrmlab doctor`, since
 * results do not depend on it. HRMLAB_SANDBOX=off leaves all of it out, for tools that
 * follow a process from inside.
 */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

#include <stdbool.h>

struct sandbox {
    bool no_new_privileges;
    int landlock_abi; /* 0: the kernel has none */
    bool no_network;  /* all that seccomp restricts */
};

/* Which restrictions of the sandbox work on this machine; tries them in a separate
 * process. */
void sandbox_probe(struct sandbox *out);

/* Restricts this process for the rest of its life; *out tells which restrictions
 * hold. directory NULL: no file can be written. Reading and the use of open
 * descriptors are not restricted, nor are threads that run already. */
void sandbox_enter(struct sandbox *out, const char *directory);

/* Likewise of a rank (MPI); files of /dev/shm can be removed, as MPI does with its own
 * when it ends. */
void sandbox_enter_rank(struct sandbox *out, const char *directory);

/* Likewise, but no file can be written, and only files below directory and /proc can be
 * opened for reading. Sockets that are open stay so, and accept connections. */
void sandbox_enter_reading(struct sandbox *out, const char *directory);

/* Whether all restrictions hold. */
bool sandbox_is_whole(const struct sandbox *sandbox);

enum { SANDBOX_WORDS = 200 }; /* room for the words below */

/* "no new privileges, writes confined (landlock 4), no network", or what is missing. */
void sandbox_describe(char *out, int size, const struct sandbox *sandbox);

#endif
