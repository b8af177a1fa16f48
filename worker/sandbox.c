/* sandbox.c - landlock and seccomp by their system calls; see sandbox.h. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Newer than the headers of Debian 12. */
#define ACCESS_REFER ((uint64_t)1 << 13)
#define ACCESS_TRUNCATE ((uint64_t)1 << 14)

/* Everything that changes files, by ABI. */
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

static bool switched_off(void)
{
    const char *wish = getenv("HRMLAB_SANDBOX");

    return wish != NULL && strcmp(wish, "off") == 0;
}

/* One directory, and /dev/null, may be written to. */
static int confine_writes(int abi, const char *directory)
{
    struct landlock_ruleset_attr ruleset = { .handled_access_fs = write_access(abi) };
    const struct {
        const char *path;
        uint64_t access;
    } rules[] = {
        { directory, write_access(abi) },
        { "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE },
    };
    int fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof ruleset, 0), rc = fd;

    for (size_t i = 0; i < sizeof rules / sizeof *rules && rc >= 0; i++) {
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

/* socket() fails with EACCES; a foreign architecture's numbers are not known, so it is left. */
static int deny_network(void)
{
#if defined(ARCHITECTURE)
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
#else
    errno = ENOSYS;
    return -1;
#endif
}

void sandbox_enter(struct sandbox *out, const char *directory)
{
    int abi = landlock_abi();

    *out = (struct sandbox){ 0 };
    if (switched_off() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return;
    out->no_new_privileges = true;
    if (abi > 0 && confine_writes(abi, directory) == 0)
        out->landlock_abi = abi;
    out->no_network = deny_network() == 0;
}

void sandbox_probe(struct sandbox *out)
{
    int pipe_fds[2];

    *out = (struct sandbox){ 0 };
    if (pipe(pipe_fds) < 0)
        return;
    pid_t pid = fork(); /* what is entered is entered for good */
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
