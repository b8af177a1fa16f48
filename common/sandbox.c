/* sandbox.c - landlock and seccomp by their system calls; see sandbox.h. */
#include "sandbox.h"

#include "recent_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Missing in the headers of Debian 12. */
#define ACCESS_REFER ((uint64_t)1 << 13)
#define ACCESS_TRUNCATE ((uint64_t)1 << 14)

/* All rights that change files, as far as the ABI knows them. */
static uint64_t write_access(int abi)
{
    uint64_t access = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                      LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                      LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                      LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                      LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

    if (abi >= 2)
        access |= ACCESS_REFER;
    if (abi >= 3)
        access |= ACCESS_TRUNCATE;
    return access;
}

static int landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return abi > 0 ? (int)abi : 0;
}

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* LeakSanitizer examines its process with ptrace, from another process. */
#if defined(__SANITIZE_ADDRESS__)
#define LEAK_SANITIZER 1
#else
#define LEAK_SANITIZER 0
#endif

/* System calls that our programs do not need once they are inside, and that landlock
 * does not restrict. Newer architectures lack some of them; some are missing in older
 * headers. */
static const unsigned DENIED[] = {
    /* the network; a socket that is open could be connected to another place; io_uring
     * makes sockets without socket() */
    SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_io_uring_setup, SYS_io_uring_enter,
    SYS_io_uring_register,
    /* other programs and processes (clone: see THREADS) */
    SYS_execve, SYS_execveat,
#ifdef SYS_fork
    SYS_fork, SYS_vfork,
#endif
    /* signals to others (kill and tgkill: see OWN_ONLY) */
    SYS_tkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal,
    SYS_pidfd_getfd, SYS_process_vm_writev,
#if !LEAK_SANITIZER
    SYS_ptrace,
#endif
/* permissions, owners, times and attributes of files */
#ifdef SYS_chmod
    SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat,
#endif
    SYS_fchmod, SYS_fchmodat, 452 /* fchmodat2 */, SYS_fchown, SYS_fchownat, SYS_utimensat,
    SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, 463 /* setxattrat */, SYS_removexattr,
    SYS_lremovexattr, SYS_fremovexattr, 466 /* removexattrat */, 469 /* file_setattr */,
    SYS_truncate /* which older landlock does not stop */
};
enum { DENIED_COUNT = sizeof DENIED / sizeof *DENIED };

/* Allowed if the first argument is this process's pid (prlimit64: or 0). */
static const unsigned OWN_ONLY[] = { SYS_kill, SYS_tgkill, SYS_prlimit64 };
enum { OWN_ONLY_COUNT = sizeof OWN_ONLY / sizeof *OWN_ONLY };

/* Denied if the argument, masked, equals the value. */
static const struct denied_argument {
    unsigned call, argument, mask, value;
} DENIED_ARGUMENTS[] = {
    /* signals sent through a descriptor */
    { SYS_fcntl, 1, UINT_MAX, F_SETOWN },
    { SYS_fcntl, 1, UINT_MAX, F_SETOWN_EX },
    { SYS_ioctl, 1, UINT_MAX, FIOSETOWN },
    { SYS_ioctl, 1, UINT_MAX, SIOCSPGRP },
    /* attributes changed through a read-only descriptor */
    { SYS_ioctl, 1, UINT_MAX, FS_IOC_SETFLAGS },
    { SYS_ioctl, 1, UINT_MAX, FS_IOC32_SETFLAGS },
    { SYS_ioctl, 1, UINT_MAX, FS_IOC_FSSETXATTR },
/* truncation while opening for reading, which older landlock does not restrict */
#ifdef SYS_open
    { SYS_open, 1, O_TRUNC | O_ACCMODE, O_TRUNC | O_RDONLY },
#endif
    { SYS_openat, 2, O_TRUNC | O_ACCMODE, O_TRUNC | O_RDONLY },
};
enum { DENIED_ARGUMENT_COUNT = sizeof DENIED_ARGUMENTS / sizeof *DENIED_ARGUMENTS };

/* Calls whose arguments are in memory, where a filter cannot read them. They fail
 * with ENOSYS, and glibc falls back to older calls. */
static const unsigned UNKNOWN[] = { SYS_clone3, SYS_openat2 };
enum { UNKNOWN_COUNT = sizeof UNKNOWN / sizeof *UNKNOWN };

/* clone() is allowed with these flags only: threads, and what LeakSanitizer starts. */
enum { THREADS = CLONE_THREAD | (LEAK_SANITIZER ? CLONE_UNTRACED : 0) };

#if defined(ARCHITECTURE)
/* First number of the x32 calls on AMD64; above all call numbers elsewhere. */
enum { X32_CALLS = 0x40000000 };

/* A filter under construction. */
struct filter {
    struct sock_filter code[12 + 2 * DENIED_COUNT + 7 * OWN_ONLY_COUNT +
                            6 * DENIED_ARGUMENT_COUNT + 2 * UNKNOWN_COUNT];
    unsigned short length;
};

static void filter_add(struct filter *filter, struct sock_filter instruction)
{
    filter->code[filter->length++] = instruction;
}

static void filter_load(struct filter *filter, size_t offset)
{
    filter_add(filter,
               (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset));
}

/* Appends a comparison that skips the next count instructions unless the loaded
 * value equals number (BPF_JEQ), is at least number (BPF_JGE), or has a bit of it
 * (BPF_JSET). */
static void filter_unless(struct filter *filter, unsigned short comparison, unsigned number,
                          unsigned char count)
{
    filter_add(filter,
               (struct sock_filter)BPF_JUMP(BPF_JMP | comparison | BPF_K, number, 0, count));
}

/* Offset of an argument's lower half on little-endian machines. */
static size_t argument_at(unsigned number)
{
    return offsetof(struct seccomp_data, args) + number * sizeof(uint64_t);
}

static void filter_return(struct filter *filter, unsigned what)
{
    filter_add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}
#endif

static bool switched_off(void)
{
    const char *wish = getenv("HRMLAB_SANDBOX");

    return wish != NULL && strcmp(wish, "off") == 0;
}

/* What may still be done with files below a path, or with one file. */
struct path_rule {
    const char *path; /* NULL: no rule */
    uint64_t access;
};

/* Forbids what is handled, except for what the rules allow. */
static int confine(uint64_t handled, const struct path_rule *rules, size_t count)
{
    struct landlock_ruleset_attr ruleset = { .handled_access_fs = handled };
    int fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof ruleset, 0), rc = fd;

    for (size_t i = 0; i < count && rc >= 0; i++) {
        if (rules[i].path == NULL)
            continue;
        struct landlock_path_beneath_attr beneath = {
            .allowed_access = rules[i].access,
            .parent_fd = open(rules[i].path, O_PATH | O_CLOEXEC),
        };
        rc = beneath.parent_fd < 0 ? -1
                                   : (int)syscall(SYS_landlock_add_rule, fd,
                                                  LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
        if (beneath.parent_fd >= 0)
            close(beneath.parent_fd);
    }
    if (rc >= 0)
        rc = (int)syscall(SYS_landlock_restrict_self, fd, 0);
    int number = errno;
    if (fd >= 0)
        close(fd);
    errno = number;
    return rc < 0 ? -1 : 0;
}

/* Restricts writing to one directory (NULL: none) and /dev/null. */
static int confine_writes(int abi, const char *directory)
{
    const struct path_rule rules[] = {
        { directory, write_access(abi) },
        { "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE },
    };

    return confine(write_access(abi), rules, sizeof rules / sizeof *rules);
}

/* The same, and files of shared memory may be removed. */
static int confine_rank(int abi, const char *directory)
{
    static const char SHARED[] = "/dev/shm";
    const struct path_rule rules[] = {
        { directory, write_access(abi) },
        { "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE },
        { access(SHARED, F_OK) == 0 ? SHARED : NULL, LANDLOCK_ACCESS_FS_REMOVE_FILE },
    };

    return confine(write_access(abi), rules, sizeof rules / sizeof *rules);
}

/* Denies writing, and restricts reading to one directory and /proc. */
static int confine_reads(int abi, const char *directory)
{
    const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    const struct path_rule rules[] = { { directory, reading }, { "/proc", reading } };

    return confine(write_access(abi) | reading | LANDLOCK_ACCESS_FS_EXECUTE, rules,
                   sizeof rules / sizeof *rules);
}

#if defined(ARCHITECTURE)
/* Builds the whole filter. System call numbers of another architecture (int 0x80)
 * are not known here, so such a call ends the process. */
static void filter_build(struct filter *filter, unsigned pid)
{
    filter->length = 0;
    filter_load(filter, offsetof(struct seccomp_data, arch));
    filter_add(filter,
               (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
    filter_return(filter, SECCOMP_RET_KILL_PROCESS);
    filter_load(filter, offsetof(struct seccomp_data, nr));
    filter_unless(filter, BPF_JGE, X32_CALLS, 1);
    filter_return(filter, SECCOMP_RET_ERRNO | ENOSYS);
    for (int i = 0; i < DENIED_COUNT; i++) {
        filter_unless(filter, BPF_JEQ, DENIED[i], 1);
        filter_return(filter, SECCOMP_RET_ERRNO | EACCES);
    }
    for (int i = 0; i < OWN_ONLY_COUNT; i++) {
        bool zero_is_own = OWN_ONLY[i] == SYS_prlimit64;
        filter_unless(filter, BPF_JEQ, OWN_ONLY[i], zero_is_own ? 6 : 4);
        filter_load(filter, argument_at(0));
        filter_unless(filter, BPF_JEQ, pid, 1);
        filter_return(filter, SECCOMP_RET_ALLOW);
        if (zero_is_own) {
            filter_unless(filter, BPF_JEQ, 0, 1);
            filter_return(filter, SECCOMP_RET_ALLOW);
        }
        filter_return(filter, SECCOMP_RET_ERRNO | EACCES);
    }
    for (int i = 0; i < DENIED_ARGUMENT_COUNT; i++) {
        const struct denied_argument *denied = &DENIED_ARGUMENTS[i];
        filter_unless(filter, BPF_JEQ, denied->call, 5);
        filter_load(filter, argument_at(denied->argument));
        filter_add(filter,
                   (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, denied->mask));
        filter_unless(filter, BPF_JEQ, denied->value, 1);
        filter_return(filter, SECCOMP_RET_ERRNO | EACCES);
        filter_load(filter, offsetof(struct seccomp_data, nr));
    }
    for (int i = 0; i < UNKNOWN_COUNT; i++) {
        filter_unless(filter, BPF_JEQ, UNKNOWN[i], 1);
        filter_return(filter, SECCOMP_RET_ERRNO | ENOSYS);
    }
    filter_unless(filter, BPF_JEQ, SYS_clone, 4);
    filter_load(filter, argument_at(0));
    filter_unless(filter, BPF_JSET, THREADS, 1);
    filter_return(filter, SECCOMP_RET_ALLOW);
    filter_return(filter, SECCOMP_RET_ERRNO | EACCES);
    filter_return(filter, SECCOMP_RET_ALLOW);
}
#endif

/* From now on the denied calls fail with EACCES. */
static int deny_calls(void)
{
#if defined(ARCHITECTURE)
    struct filter filter;

    filter_build(&filter, (unsigned)getpid());
    struct sock_fprog program = { filter.length, filter.code };
    /* of all threads: those of MPI run already */
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
                        &program);
#else
    errno = ENOSYS;
    return -1;
#endif
}

/* Restricts files by the function given, then system calls. */
static void enter(struct sandbox *out, int (*confine_files)(int abi, const char *directory),
                  const char *directory)
{
    int abi = landlock_abi();

    *out = (struct sandbox){ 0 };
    if (switched_off() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return;
    out->no_new_privileges = true;
    if (abi > 0 && confine_files(abi, directory) == 0)
        out->landlock_abi = abi;
    out->no_network = deny_calls() == 0;
}

void sandbox_enter(struct sandbox *out, const char *directory)
{
    enter(out, confine_writes, directory);
}

void sandbox_enter_rank(struct sandbox *out, const char *directory)
{
    enter(out, confine_rank, directory);
}

void sandbox_enter_reading(struct sandbox *out, const char *directory)
{
    enter(out, confine_reads, directory);
}

void sandbox_probe(struct sandbox *out)
{
    int pipe_fds[2];

    *out = (struct sandbox){ 0 };
    if (pipe(pipe_fds) < 0)
        return;
    pid_t pid = fork(); /* a child: restrictions cannot be lifted again */
    if (pid == 0) {
        sandbox_enter(out, ".");
        _exit(write(pipe_fds[1], out, sizeof *out) == (ssize_t)sizeof *out ? 0 : 1);
    }
    close(pipe_fds[1]);
    if (pid < 0 || read(pipe_fds[0], out, sizeof *out) != (ssize_t)sizeof *out)
        *out = (struct sandbox){ 0 };
    close(pipe_fds[0]);
    if (pid > 0)
        waitpid(pid, NULL, 0);
}

bool sandbox_is_whole(const struct sandbox *sandbox)
{
    return sandbox->no_new_privileges && sandbox->landlock_abi > 0 && sandbox->no_network;
}

void sandbox_describe(char *out, int size, const struct sandbox *sandbox)
{
    char writes[60];

    if (sandbox->landlock_abi > 0)
        snprintf(writes, sizeof writes, "writes confined (landlock %d)", sandbox->landlock_abi);
    else
        snprintf(writes, sizeof writes, "writes NOT confined");
    snprintf(out, (size_t)size, "%s, %s, %s",
             sandbox->no_new_privileges ? "no new privileges" : "new privileges possible",
             writes, sandbox->no_network ? "no network" : "network NOT denied");
}
