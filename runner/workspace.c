/* workspace.c - creates the workspace's directories; flock() makes a process the
 * runner. */
#include "workspace.h"

#include "error.h"
#include "file.h"
#include "log.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

char *workspace_path(const struct workspace *workspace, const char *name)
{
    return file_join(workspace->path, name);
}

int workspace_find(struct workspace *out, const char *path, struct error *err)
{
    *out = (struct workspace){ .path = realpath(path, NULL), .lock_fd = -1 };
    if (out->path == NULL && errno == ENOMEM)
        return error_set(err, ERROR_NOMEM, "no memory for the path of a workspace");
    if (out->path == NULL && errno == ENOENT)
        return error_set(
            err, ERROR_ABSENT,
            "workspace %s: %s; `hrmlab run SPEC` makes it, --workspace names another", path,
            strerror(errno));
    if (out->path == NULL)
        return error_set(err, errno == ENOTDIR ? ERROR_FORMAT : ERROR_IO,
                         "workspace %s: %s; --workspace names another", path, strerror(errno));
    struct stat status;
    if (stat(out->path, &status) == 0 && !S_ISDIR(status.st_mode)) {
        workspace_close(out);
        return error_set(err, ERROR_FORMAT,
                         "workspace %s: not a directory; --workspace names another", path);
    }
    return 0;
}

int workspace_open(struct workspace *out, const char *path, struct error *err)
{
    static const char *const parts[] = { "specs", "runs" };
    int rc = file_make_directories(path, err);

    *out = (struct workspace){ .lock_fd = -1 };
    if (rc == 0)
        rc = workspace_find(out, path, err);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && rc == 0; i++) {
        char *part = workspace_path(out, parts[i]);
        rc = part == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path")
                          : file_make_directories(part, err);
        free(part);
    }
    if (rc < 0)
        workspace_close(out);
    return rc;
}

void workspace_close(struct workspace *workspace)
{
    if (workspace->lock_fd >= 0) {
        /* A released lock is empty; one left by a killed runner holds its name. That
         * is only for messages. */
        int ignored = ftruncate(workspace->lock_fd, 0);
        (void)ignored;
        close(workspace->lock_fd);
    }
    free(workspace->path);
    *workspace = (struct workspace){ .lock_fd = -1 };
}

/* ---- the lock ---- */

/* What the lock file states about the process that wrote it. */
struct writer {
    char name[120]; /* "pid 12 on host"; "" */
    long pid;
    char host[100], boot[64];
};

static void read_writer(int fd, struct writer *out)
{
    char text[240];
    ssize_t length = pread(fd, text, sizeof text - 1, 0);

    *out = (struct writer){ 0 };
    text[length > 0 ? length : 0] = '\0';
    snprintf(out->name, sizeof out->name, "%.*s", (int)strcspn(text, "\n"), text);
    sscanf(text, "pid %ld on %99[^\n]\nboot %63[^\n]", &out->pid, out->host, out->boot);
}

static void this_host(char host[100], char boot[64])
{
    memset(host, 0, 100);
    gethostname(host, 99);
    process_boot_id(boot);
}

static bool is_of_this_host(const struct writer *writer)
{
    char host[100], boot[64];

    this_host(host, boot);
    return strcmp(writer->host, host) == 0;
}

/* Whether the runner named in the lock file ran on this machine and is dead, or the
 * file is empty: then the lock is held by another process than the file names. */
static bool is_gone(const struct writer *writer)
{
    char host[100], boot[64];

    this_host(host, boot);
    if (writer->name[0] == '\0')
        return true;
    return strcmp(writer->host, host) == 0 &&
           (strcmp(writer->boot, boot) != 0 || process_start_time(writer->pid) == 0);
}

/* ERROR_ENVIRONMENT: there is something else in the place of the lock file. */
static int open_lock(int *fd, const char *path, int flags, struct error *err)
{
    struct error fault = { 0 };
    int rc = file_open(fd, path, flags, &fault);

    if (rc == ERROR_FORMAT)
        return error_set(err, ERROR_ENVIRONMENT, "%s; move it away", fault.message);
    return rc < 0 ? error_set(err, fault.code, "%s", fault.message) : 0;
}

/* 1: the lock is ours; 0: somebody else has it. */
static int try_lock(int fd, int kind, const struct workspace *workspace, struct error *err)
{
    while (flock(fd, kind | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            return 0;
        if (errno != EINTR)
            return error_set(
                err, ERROR_ENVIRONMENT,
                "%s/lock cannot be locked: %s; two runners could not be kept apart "
                "here, choose a workspace on a file system with locks (--workspace)",
                workspace->path, strerror(errno));
    }
    return 1;
}

/* Who holds the lock, for people. */
static void describe_holder(const struct writer *writer, char *holder, int holder_size)
{
    if (writer->name[0] == '\0')
        snprintf(holder, (size_t)holder_size, "of an unknown process");
    else if (is_gone(writer))
        snprintf(holder, (size_t)holder_size,
                 "of an unknown process (the lock names %s, which is gone)", writer->name);
    else
        snprintf(holder, (size_t)holder_size, "%s", writer->name);
}

int workspace_holder(const struct workspace *workspace, char *holder, int holder_size,
                     struct error *err)
{
    char *path = workspace_path(workspace, "lock");
    struct writer writer;

    holder[0] = '\0';
    if (path == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a path");
    int fd, rc = open_lock(&fd, path, O_RDONLY, err);
    free(path);
    if (rc < 0) /* without a lock file that can be read nobody holds it */
        return rc == ERROR_ENVIRONMENT ? rc : 0;
    rc = try_lock(fd, LOCK_SH, workspace, err);
    if (rc == 0) {
        read_writer(fd, &writer);
        describe_holder(&writer, holder, holder_size);
    }
    close(fd);
    return rc < 0 ? rc : 0;
}

/* As try_lock(). A lock whose writer is gone is tried for half a second: somebody may
 * be looking at it just now, or a worker may be on its way from fork to exec. */
static int lock_patiently(int fd, const struct workspace *workspace, struct error *err)
{
    enum { TRIES = 25, PAUSE_MS = 20 };
    struct writer writer;
    int rc = try_lock(fd, LOCK_EX, workspace, err);

    for (int i = 1; rc == 0 && i < TRIES; i++) {
        read_writer(fd, &writer);
        if (!is_gone(&writer))
            break;
        nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
        rc = try_lock(fd, LOCK_EX, workspace, err);
    }
    return rc;
}

/* The lock is ours; a name in it is that of a runner that did not give it back. */
static void mention_left_lock(int fd)
{
    char host[100], boot[64];
    struct writer writer;

    read_writer(fd, &writer);
    this_host(host, boot);
    if (writer.name[0] == '\0')
        return;
    if (!is_of_this_host(&writer))
        log_warning("the runner %s left its lock behind; it is taken over. If it is still at "
                    "work there, stop it: this file system does not keep hosts apart",
                    writer.name);
    else if (strcmp(writer.boot, boot) != 0)
        log_info("the runner %s left its lock behind when this machine went down", writer.name);
}

static int write_name(int fd, const struct workspace *workspace, struct error *err)
{
    char text[240], host[100], boot[64];

    this_host(host, boot);
    int length =
        snprintf(text, sizeof text, "pid %d on %s\nboot %s\n", (int)getpid(), host, boot);
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)length, 0) != length)
        return error_set(err, error_code_from_errno(errno), "write %s/lock: %s",
                         workspace->path, strerror(errno));
    return 0;
}

int workspace_lock(struct workspace *workspace, bool *held, char *holder, int holder_size,
                   struct error *err)
{
    char *path = workspace_path(workspace, "lock");
    struct writer writer;

    *held = false;
    if (path == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a path");
    int fd, rc = open_lock(&fd, path, O_RDWR | O_CREAT, err);
    if (rc == 0)
        rc = lock_patiently(fd, workspace, err);
    else if (rc != ERROR_ENVIRONMENT)
        rc = error_set(err, (enum error_code)rc,
                       "%s cannot be opened for writing: %s; choose another workspace "
                       "(--workspace)",
                       path, strerror(errno));
    free(path);
    if (rc == 0) {
        read_writer(fd, &writer);
        describe_holder(&writer, holder, holder_size);
    } else if (rc > 0) {
        mention_left_lock(fd);
        rc = write_name(fd, workspace, err);
        *held = rc == 0;
    }
    if (*held)
        workspace->lock_fd = fd;
    else if (fd >= 0)
        close(fd);
    return rc;
}
