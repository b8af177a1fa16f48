/* workspace.c - directories and the flock() that makes a process the runner. */
#include "workspace.h"

#include "error.h"
#include "file.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

char *workspace_path(const struct workspace *workspace, const char *name)
{
    return file_join(workspace->path, name);
}

int workspace_find(struct workspace *out, const char *path, struct error *err)
{
    *out = (struct workspace){ .path = realpath(path, NULL), .lock_fd = -1 };
    if (out->path == NULL)
        return error_set(
            err, ERROR_ABSENT,
            "workspace %s: %s; `hrmlab run SPEC` makes it, --workspace names another", path,
            strerror(errno));
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
    if (workspace->lock_fd >= 0)
        close(workspace->lock_fd);
    free(workspace->path);
    *workspace = (struct workspace){ .lock_fd = -1 };
}

/* The first line of the lock file. */
static void read_holder(int fd, char *holder, int holder_size)
{
    char text[240];
    ssize_t length = pread(fd, text, sizeof text - 1, 0);

    text[length > 0 ? length : 0] = '\0';
    snprintf(holder, (size_t)holder_size, "%.*s", (int)strcspn(text, "\n"), text);
}

void workspace_holder(const struct workspace *workspace, char *holder, int holder_size)
{
    char *path = workspace_path(workspace, "lock");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    holder[0] = '\0';
    if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0)
        read_holder(fd, holder, holder_size);
    if (fd >= 0)
        close(fd);
    free(path);
}

int workspace_lock(struct workspace *workspace, bool *held, char *holder, int holder_size,
                   struct error *err)
{
    char *path = workspace_path(workspace, "lock");
    char text[240], host[100] = "?", boot[64];
    int fd;

    *held = false;
    if (path == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a path");
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        int rc =
            error_set(err, error_code_from_errno(errno), "open %s: %s", path, strerror(errno));
        free(path);
        return rc;
    }
    free(path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        read_holder(fd, holder, holder_size);
        close(fd);
        return 0;
    }
    gethostname(host, sizeof host - 1);
    process_boot_id(boot);
    int length =
        snprintf(text, sizeof text, "pid %d on %s\nboot %s\n", (int)getpid(), host, boot);
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)length, 0) != length) {
        close(fd);
        return error_set(err, error_code_from_errno(errno), "write %s/lock: %s",
                         workspace->path, strerror(errno));
    }
    workspace->lock_fd = fd;
    *held = true;
    return 0;
}
