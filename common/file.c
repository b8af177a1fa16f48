/* file.c - whole files in and out, durably; directories; paths. */
#include "file.h"

#include "error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static int file_error(const char *what, const char *path, struct error *err)
{
    int number = errno;

    return error_set(err, error_code_from_errno(number), "%s %s: %s", what, path,
                     strerror(number));
}

char *format_string(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return length < 0 ? NULL : text;
}

char *file_join(const char *directory, const char *name)
{
    if (name[0] == '/' || directory[0] == '\0')
        return strdup(name);
    size_t length = strlen(directory);
    return format_string("%s%s%s", directory, directory[length - 1] == '/' ? "" : "/", name);
}

static int not_regular(const char *path, mode_t mode, struct error *err)
{
    return error_set(err, ERROR_FORMAT, "%s is %s; expected a regular file", path,
                     S_ISDIR(mode)    ? "a directory"
                     : S_ISFIFO(mode) ? "a FIFO"
                     : S_ISSOCK(mode) ? "a socket"
                                      : "a device");
}

int file_check_regular(const char *path, struct error *err)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return errno == ENOENT ? 0 : file_error("stat", path, err);
    return S_ISREG(status.st_mode) ? 0 : not_regular(path, status.st_mode, err);
}

int file_open(int *fd, const char *path, int flags, struct error *err)
{
    struct stat status;
    int rc = 0;

    *fd = -1;
    /* O_NONBLOCK: open() waits for the other end of a FIFO, or fails without it. */
    int opened = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0666);
    if (opened < 0) {
        int number = errno;

        rc = number == ENXIO || number == EISDIR ? file_check_regular(path, err) : 0;
        errno = number;
        return rc < 0 ? rc : file_error((flags & O_CREAT) != 0 ? "create" : "open", path, err);
    }
    if (fstat(opened, &status) < 0)
        rc = file_error("stat", path, err);
    else if (!S_ISREG(status.st_mode))
        rc = not_regular(path, status.st_mode, err);
    if (rc < 0)
        close(opened);
    else
        *fd = opened;
    return rc;
}

static int read_all(char **data, size_t *size, int fd, const char *path, size_t limit,
                    struct error *err)
{
    size_t capacity = *size + 1, used = 0;
    char *buffer = malloc(capacity + 1);

    if (buffer == NULL)
        return error_set(err, ERROR_NOMEM, "%s: no memory for %zu bytes", path, capacity);
    for (;;) {
        ssize_t count = read(fd, buffer + used, capacity - used);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            free(buffer);
            return file_error("read", path, err);
        }
        if (count == 0)
            break;
        used += (size_t)count;
        if (used > limit) {
            free(buffer);
            return error_set(err, ERROR_FORMAT, "%s: larger than the limit of %zu bytes", path,
                             limit);
        }
        if (used == capacity) { /* the file grew while it was read */
            char *larger = realloc(buffer, capacity * 2 + 1);
            if (larger == NULL) {
                free(buffer);
                return error_set(err, ERROR_NOMEM, "%s: no memory for %zu bytes", path,
                                 capacity * 2);
            }
            buffer = larger;
            capacity *= 2;
        }
    }
    buffer[used] = '\0';
    *data = buffer;
    *size = used;
    return 0;
}

int file_read(char **data, size_t *size, const char *path, size_t limit, struct error *err)
{
    struct stat status;
    int fd, rc = file_open(&fd, path, O_RDONLY, err);

    *data = NULL;
    *size = 0;
    if (rc < 0)
        return rc;
    if (fstat(fd, &status) < 0)
        rc = file_error("stat", path, err);
    else if ((uintmax_t)status.st_size > limit)
        rc = error_set(err, ERROR_FORMAT, "%s: %jd bytes, more than the limit of %zu bytes",
                       path, (intmax_t)status.st_size, limit);
    else {
        size_t length = (size_t)status.st_size;
        rc = read_all(data, &length, fd, path, limit, err);
        if (rc == 0)
            *size = length;
    }
    close(fd);
    return rc;
}

int file_read_stream(char **data, size_t *size, const char *path, size_t limit,
                     struct error *err)
{
    struct stat status;
    bool standard_input = strcmp(path, "-") == 0;

    if (!standard_input && stat(path, &status) == 0 && S_ISREG(status.st_mode))
        return file_read(data, size, path, limit, err);
    *data = NULL;
    *size = 0;
    int fd = standard_input ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_error("open", path, err);
    int rc = fstat(fd, &status) < 0 ? file_error("stat", path, err) : 0;
    if (rc == 0 && S_ISDIR(status.st_mode))
        rc = error_set(err, ERROR_FORMAT, "%s is a directory; a file is expected", path);
    else if (rc == 0)
        rc = read_all(data, size, fd, standard_input ? "standard input" : path, limit, err);
    close(fd);
    return rc;
}

int file_write_all(int fd, const void *data, size_t size, const char *name, struct error *err)
{
    const char *next = data;

    while (size > 0) {
        ssize_t written = write(fd, next, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return file_error("write", name, err);
        next += written;
        size -= (size_t)written;
    }
    return 0;
}

int file_sync_directory(const char *path, struct error *err)
{
    int rc = 0;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return file_error("open", path, err);
    /* EINVAL: this file system cannot sync */
    if (fsync(fd) < 0 && errno != EINVAL)
        rc = file_error("sync", path, err);
    close(fd);
    return rc;
}

static int sync_parent(const char *path, struct error *err)
{
    char *parent = strdup(path);

    if (parent == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a path");
    char *slash = strrchr(parent, '/');
    if (slash == parent)
        slash++;
    if (slash != NULL)
        *slash = '\0';
    int rc = file_sync_directory(slash == NULL ? "." : parent, err);
    free(parent);
    return rc;
}

/* Whether path is a device, a pipe or the like, which a rename would replace. */
static bool is_special(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

static int write_special(const char *path, const void *data, size_t size, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int rc = fd < 0 ? file_error("open", path, err) : file_write_all(fd, data, size, path, err);

    if (fd >= 0 && close(fd) < 0 && rc == 0)
        rc = file_error("close", path, err);
    return rc;
}

int file_check_output(const char *option, const char *path, struct error *err)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return error_set(err, ERROR_FORMAT, "%s %.400s: expected a file, not a folder", option,
                         path);
    return 0;
}

int file_write_output(const char *path, const void *data, size_t size, struct error *err)
{
    return is_special(path) ? write_special(path, data, size, err)
                            : file_write_atomic(path, data, size, err);
}

int file_write_atomic(const char *path, const void *data, size_t size, struct error *err)
{
    char *temporary = format_string("%s.tmp", path);

    if (temporary == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a path");
    int fd, rc = file_open(&fd, temporary, O_WRONLY | O_CREAT | O_TRUNC, err);
    if (rc < 0) {
        if (rc == ERROR_ABSENT) /* of the directory, which is the file's, too */
            rc = error_set(err, ERROR_ABSENT, "create %s: %s", path, strerror(ENOENT));
        free(temporary);
        return rc;
    }
    rc = file_write_all(fd, data, size, temporary, err);
    if (rc == 0 && fsync(fd) < 0)
        rc = file_error("sync", temporary, err);
    if (close(fd) < 0 && rc == 0)
        rc = file_error("close", temporary, err);
    if (rc == 0 && rename(temporary, path) < 0)
        rc = file_error("rename to", path, err);
    if (rc < 0)
        unlink(temporary); /* best effort: the error is already described */
    else
        rc = sync_parent(path, err);
    free(temporary);
    return rc;
}

int file_probe_space(const char *directory, struct error *err)
{
    enum { WANTED = 64 << 10 };
    char *path = file_join(directory, ".space"), *block = calloc(1, WANTED);
    int rc = path == NULL || block == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path")
                                           : file_write_atomic(path, block, WANTED, err);

    if (path != NULL)
        unlink(path);
    free(block);
    free(path);
    return rc;
}

/* Where directories cannot be created, as in /proc, mkdir() fails with ENOENT. Nothing
 * is absent then, so the error is ERROR_IO and not ERROR_ABSENT. */
static int directory_error(const char *path, struct error *err)
{
    if (errno == ENOENT)
        return error_set(err, ERROR_IO, "create directory %s: %s", path, strerror(errno));
    return file_error("create directory", path, err);
}

int file_make_directories(const char *path, struct error *err)
{
    int rc = 0;
    char *copy = strdup(path);

    if (copy == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a path");
    for (char *next = copy + 1; rc == 0; next++) {
        if (*next != '/' && *next != '\0')
            continue;
        char kept = *next;
        *next = '\0';
        struct stat status;
        if (mkdir(copy, 0777) < 0 && errno != EEXIST)
            rc = directory_error(copy, err);
        else if (stat(copy, &status) < 0)
            rc =
                error_set(err, ERROR_IO, "create directory %s: a link of that name leads to %s",
                          copy, errno == ENOENT ? "nothing" : strerror(errno));
        else if (!S_ISDIR(status.st_mode))
            rc = error_set(err, ERROR_IO, "create directory %s: a file of that name exists",
                           copy);
        *next = kept;
        if (kept == '\0')
            break;
    }
    free(copy);
    return rc;
}

bool file_is_on_network(const char *directory)
{
    static const unsigned long MAGIC[] = {
        0x6969 /* NFS */,
        0x517b /* SMB */,
        0xff534d42 /* CIFS */,
        0xfe534d42 /* SMB2 */,
        0x01021997 /* 9P */,
        0x65735546 /* FUSE: sshfs and others */,
        0x5346414f /* AFS */,
        0x73757245 /* Coda */,
        0x0bd00bd0 /* Lustre */,
        0x47504653 /* GPFS */,
        0x00c36400 /* Ceph */,
        0x19830326 /* BeeGFS */,
        0x786f4256 /* vboxsf */,
        0x7461636f /* OCFS2 */,
        0x01161970 /* GFS2 */
    };
    struct statfs info;

    if (statfs(directory, &info) != 0)
        return false;
    for (size_t i = 0; i < sizeof MAGIC / sizeof *MAGIC; i++)
        if ((unsigned long)info.f_type == MAGIC[i])
            return true;
    return false;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Without a list of them. */
enum { MOST_DESCRIPTORS = 65536 };

void file_close_on_exec(int first)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);

        if (end != entry->d_name && *end == '\0' && fd >= first)
            fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    }
    if (directory != NULL)
        closedir(directory);
    for (int fd = first; directory == NULL && fd < MOST_DESCRIPTORS; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* Lists descriptors from `first` on but this one and the directory's own: at most so
 * many. Returns their number. */
static int list_descriptors(int *out, int most, DIR *directory, int first, int spared)
{
    const struct dirent *entry;
    int count = 0;

    while (count < most && (entry = readdir(directory)) != NULL) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);

        if (end != entry->d_name && *end == '\0' && fd >= first && fd != spared &&
            fd != dirfd(directory))
            out[count++] = (int)fd;
    }
    return count;
}

void file_close_from(int first, int spared)
{
    enum { AT_ONCE = 256 };
    DIR *directory = opendir("/proc/self/fd");
    int found[AT_ONCE], closed = directory != NULL;

    while (closed > 0) { /* listed first: closing changes the directory */
        rewinddir(directory);
        int count = list_descriptors(found, AT_ONCE, directory, first, spared);
        closed = 0; /* those of valgrind, which runs this process, cannot be closed */
        for (int i = 0; i < count; i++)
            closed += close(found[i]) == 0 || errno != EBADF;
    }
    if (directory != NULL)
        closedir(directory);
    for (int fd = first; directory == NULL && fd < MOST_DESCRIPTORS; fd++)
        if (fd != spared)
            close(fd);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

int file_remove_tree(const char *path, struct error *err)
{
    enum { OPEN_DIRECTORIES = 16 };

    if (nftw(path, remove_entry, OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS) != 0 &&
        errno != ENOENT)
        return file_error("remove", path, err);
    return 0;
}

int file_require_descriptors(struct error *err)
{
    enum { NEEDED = 32 };
    int opened[NEEDED], count = 0, reason = 0;

    while (count < NEEDED && reason == 0) {
        int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

        reason = fd < 0 ? errno : 0;
        if (fd >= 0)
            opened[count++] = fd;
    }
    for (int i = 0; i < count; i++)
        close(opened[i]);
    if (reason != EMFILE)
        return 0;
    return error_set(err, ERROR_ENVIRONMENT,
                     "this process may open %d more files, and needs %d: the limit of open "
                     "files (ulimit -n) is too low",
                     count, NEEDED);
}
