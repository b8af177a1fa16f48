/*
 * shim.c - faults injected between a program and the kernel, by LD_PRELOAD.
 *
 *   FAULT_ROOT=DIR           only files below DIR count
 *   FAULT_AT=PROGRAM:N:ACTION  in processes of that program, at the N-th call that counts (write,
 *                            sync, rename, unlink, truncate, create, mkdir), or, for nomem, at
 *                            the N-th allocation:
 *        kill    SIGKILL before the call (N even) or after it (N odd)
 *        full    from this call on writes fail with ENOSPC, as long as FAULT_MARK exists
 *        quota   the same with EDQUOT
 *        nomem   the allocation fails, this one alone
 *   FAULT_MARK=FILE          created when the fault happens; processes that begin later have none
 *   FAULT_LOG=DIR            what would be lost in a power cut: each process writes a log of its
 *                            changes and syncs, for power_cut.c to undo what was not synced
 *   FAULT_BOOT=FILE          stands in for /proc/sys/kernel/random/boot_id
 *   FAULT_COUNT=FILE         gets the number of the program's calls that count and, for nomem, of its
 *                            allocations when it ends, for tests to know how far they must reach
 *   FAULT_STACKS=FILE        gets, for nomem, 8 bytes for each allocation: those that the same calls
 *                            of the program's own functions lead to have the same
 *   FAULT_CLOCK=FILE         seconds in it, if there are any, are added to the wall clock, and those
 *                            of a second number to the monotonic clock
 *   FAULT_FLOCK=NUMBER       every flock() fails with that errno
 *
 * Everything here uses raw system calls, so that nothing of it counts.
 */
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const char *root, *mark, *log_directory, *boot_file, *clock_file;
static char action[16];
static long fault_at, calls, allocations;
static const char *stacks_file;
static bool ready, selected, counts_memory, disk_full;
static int full_error = ENOSPC;
static int log_fd = -1;
static pid_t log_pid;

static ssize_t raw_write(int fd, const void *data, size_t size)
{
    return syscall(SYS_write, fd, data, size);
}

/* ---- where allocations come from ---- */

enum { MOST_STACKS = 1 << 18, MOST_FRAMES = 128 };

static uint64_t stacks[MOST_STACKS]; /* of the allocations, in their order */
static uintptr_t program_begin, program_end;
static _Thread_local bool looking; /* backtrace() allocates, the first time */

/* The program is the first of its objects. */
static int find_program(struct dl_phdr_info *object, size_t size, void *unused)
{
    (void)size, (void)unused;
    program_begin = object->dlpi_addr;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t end = object->dlpi_addr + part->p_vaddr + part->p_memsz;

        if (part->p_type == PT_LOAD && end > program_end)
            program_end = end;
    }
    return 1;
}

static long stack_count(void)
{
    return allocations < MOST_STACKS ? allocations : MOST_STACKS;
}

/* A hash of the program's calls that are under way. */
static uint64_t hash_stack(void)
{
    void *frames[MOST_FRAMES];
    uint64_t hash = 0xcbf29ce484222325;

    looking = true;
    int count = backtrace(frames, MOST_FRAMES);
    looking = false;
    for (int i = 0; i < count; i++) {
        uintptr_t at = (uintptr_t)frames[i];

        if (at >= program_begin && at < program_end)
            hash = (hash ^ (at - program_begin)) * 0x100000001b3;
    }
    return hash;
}

__attribute__((constructor)) static void shim_begin(void)
{
    static char program[64];
    char self[512];
    const char *at = getenv("FAULT_AT");

    root = getenv("FAULT_ROOT");
    mark = getenv("FAULT_MARK");
    log_directory = getenv("FAULT_LOG");
    boot_file = getenv("FAULT_BOOT");
    clock_file = getenv("FAULT_CLOCK");
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    const char *name = strrchr(self, '/');
    if (at != NULL && sscanf(at, "%63[^:]:%ld:%15s", program, &fault_at, action) == 3)
        selected = name != NULL && strcmp(name + 1, program) == 0;
    selected = selected && !(mark != NULL && syscall(SYS_faccessat, AT_FDCWD, mark, F_OK) == 0);
    counts_memory = selected && strcmp(action, "nomem") == 0;
    stacks_file = counts_memory ? getenv("FAULT_STACKS") : NULL;
    if (stacks_file != NULL)
        dl_iterate_phdr(find_program, NULL);
    ready = true;
}

static void leave_file(const char *path, const void *data, size_t size)
{
    long fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    if (fd < 0)
        return;
    raw_write((int)fd, data, size);
    syscall(SYS_close, (int)fd);
}

/* A process that is killed or ends by _exit() leaves none. */
__attribute__((destructor)) static void shim_end(void)
{
    const char *file = getenv("FAULT_COUNT");
    char text[32];

    if (selected && file != NULL)
        leave_file(
            file, text,
            (size_t)snprintf(text, sizeof text, "%ld\n", counts_memory ? allocations : calls));
    if (stacks_file != NULL)
        leave_file(stacks_file, stacks, (size_t)stack_count() * sizeof *stacks);
}

static void leave_mark(void)
{
    long fd = mark == NULL ? -1 : syscall(SYS_openat, AT_FDCWD, mark, O_WRONLY | O_CREAT, 0666);

    if (fd >= 0)
        syscall(SYS_close, (int)fd);
}

static bool mark_exists(void)
{
    return mark != NULL && syscall(SYS_faccessat, AT_FDCWD, mark, F_OK) == 0;
}

static void die(void)
{
    leave_mark();
    syscall(SYS_kill, syscall(SYS_getpid), 9);
}

/* Below the root? path may be relative to nothing we know: only absolute ones count. */
static bool tracked_path(const char *path)
{
    return ready && root != NULL && path != NULL && strncmp(path, root, strlen(root)) == 0;
}

static bool path_of(int fd, char out[SHIM_PATH])
{
    char link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, out, SHIM_PATH - 1);
    if (length <= 0)
        return false;
    out[length] = '\0';
    return tracked_path(out);
}

/* True: the call is to fail with full_error. after: the fault belongs behind the call. */
static bool count_call(bool writes, bool *after)
{
    int saved = errno;

    *after = false;
    if (!selected || counts_memory)
        return false;
    if (++calls == fault_at) {
        if (strcmp(action, "full") == 0 || strcmp(action, "quota") == 0) {
            full_error = action[0] == 'q' ? EDQUOT : ENOSPC;
            disk_full = true;
            leave_mark();
        } else if (fault_at % 2 == 0) {
            die();
        } else {
            *after = true;
        }
    }
    if (disk_full && !mark_exists())
        disk_full = false;
    errno = saved;
    return disk_full && writes;
}

/* ---- the log for power cuts ---- */

static void note(enum shim_kind kind, const char *path, const char *other, int64_t offset,
                 int64_t length, int64_t old_size, const void *old, size_t old_length)
{
    struct shim_record record = { .magic = SHIM_MAGIC,
                                  .kind = kind,
                                  .offset = offset,
                                  .length = length,
                                  .old_size = old_size,
                                  .old_length = (int64_t)old_length };
    struct timespec now;

    if (log_directory == NULL)
        return;
    if (log_fd < 0 || log_pid != getpid()) {
        char name[SHIM_PATH];
        log_pid = getpid();
        snprintf(name, sizeof name, "%s/%d.log", log_directory, (int)log_pid);
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, name,
                              O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (log_fd < 0)
            return;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    record.time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    snprintf(record.path, sizeof record.path, "%s", path);
    snprintf(record.other, sizeof record.other, "%s", other != NULL ? other : "");
    struct iovec parts[2] = { { &record, sizeof record },
                              { (void *)(uintptr_t)old, old_length } };
    syscall(SYS_writev, log_fd, parts, old_length > 0 ? 2 : 1);
}

/* Keeps a file that is about to lose its name, under a name in the log directory. */
static void keep_copy(const char *path, char kept[SHIM_PATH])
{
    static atomic_int number;

    kept[0] = '\0';
    if (log_directory == NULL || syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0)
        return;
    snprintf(kept, SHIM_PATH, "%s/kept-%d-%d", log_directory, (int)getpid(),
             atomic_fetch_add(&number, 1));
    if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, kept, 0) != 0)
        kept[0] = '\0';
}

static void note_write(const char *path, int fd, int64_t offset, size_t length)
{
    struct stat status;

    if (log_directory == NULL || fstat(fd, &status) != 0)
        return;
    int64_t end = offset + (int64_t)length;
    size_t old_length = offset >= status.st_size
                            ? 0
                            : (size_t)((end < status.st_size ? end : status.st_size) - offset);
    void *old = old_length > 0 ? malloc(old_length) : NULL;
    if (old != NULL) {
        /* The descriptor may be write-only. */
        int again = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
        if (again < 0 ||
            syscall(SYS_pread64, again, old, old_length, offset) != (ssize_t)old_length)
            old_length = 0;
        if (again >= 0)
            syscall(SYS_close, again);
    }
    note(SHIM_WRITE, path, NULL, offset, (int64_t)length, status.st_size, old, old_length);
    free(old);
}

/* ---- the calls ---- */

ssize_t write(int fd, const void *data, size_t size)
{
    char path[SHIM_PATH];
    bool after;

    if (!path_of(fd, path))
        return raw_write(fd, data, size);
    if (count_call(true, &after)) {
        errno = full_error;
        return -1;
    }
    int flags = (int)syscall(SYS_fcntl, fd, F_GETFL);
    struct stat status;
    int64_t offset = (flags & O_APPEND) != 0 && fstat(fd, &status) == 0
                         ? (int64_t)status.st_size
                         : (int64_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
    note_write(path, fd, offset, size);
    ssize_t written = raw_write(fd, data, size);
    if (after)
        die();
    return written;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    char path[SHIM_PATH];
    bool after = false;

    if (path_of(fd, path)) {
        if (count_call(true, &after)) {
            errno = full_error;
            return -1;
        }
        note_write(path, fd, offset, size);
    }
    ssize_t written = syscall(SYS_pwrite64, fd, data, size, offset);
    if (after)
        die();
    return written;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite64(fd, data, size, offset);
}

static int synced(int fd, long number)
{
    char path[SHIM_PATH];
    bool after = false;
    bool tracked = path_of(fd, path);

    if (tracked)
        count_call(false, &after);
    long rc = syscall(number, fd);
    if (tracked && rc == 0)
        note(SHIM_SYNC, path, NULL, 0, 0, 0, NULL, 0);
    if (after)
        die();
    return (int)rc;
}

int fsync(int fd)
{
    return synced(fd, SYS_fsync);
}

int flock(int fd, int operation)
{
    const char *number = getenv("FAULT_FLOCK");

    if (number == NULL)
        return (int)syscall(SYS_flock, fd, operation);
    errno = atoi(number);
    return -1;
}

int fdatasync(int fd)
{
    return synced(fd, SYS_fdatasync);
}

int ftruncate64(int fd, off64_t length)
{
    char path[SHIM_PATH];
    struct stat status;
    bool after = false;

    if (path_of(fd, path) && fstat(fd, &status) == 0) {
        count_call(false, &after);
        if (length < status.st_size)
            note_write(path, fd, length, (size_t)(status.st_size - length));
        note(SHIM_TRUNCATE, path, NULL, length, 0, status.st_size, NULL, 0);
    }
    long rc = syscall(SYS_ftruncate, fd, length);
    if (after)
        die();
    return (int)rc;
}

int ftruncate(int fd, off_t length)
{
    return ftruncate64(fd, length);
}

int rename(const char *from, const char *to)
{
    char kept[SHIM_PATH];
    bool after = false;

    if (tracked_path(to)) {
        count_call(false, &after);
        keep_copy(to, kept);
        /* other: the name before; what stood there is kept beside the log. */
        note(SHIM_RENAME, to, from, 0, 0, 0, kept, strlen(kept) + 1);
    }
    long rc = syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
    if (after)
        die();
    return (int)rc;
}

int unlink(const char *path)
{
    char kept[SHIM_PATH];
    bool after = false;

    if (tracked_path(path)) {
        count_call(false, &after);
        keep_copy(path, kept);
        note(SHIM_UNLINK, path, NULL, 0, 0, 0, kept, strlen(kept) + 1);
    }
    long rc = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (after)
        die();
    return (int)rc;
}

int mkdir(const char *path, mode_t mode)
{
    bool after = false;

    if (tracked_path(path))
        count_call(false, &after);
    long rc = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (after)
        die();
    return (int)rc;
}

static int opened(const char *path, int flags, mode_t mode)
{
    bool after = false, fresh = false;

    if (boot_file != NULL && path != NULL &&
        strcmp(path, "/proc/sys/kernel/random/boot_id") == 0)
        path = boot_file;
    if ((flags & O_CREAT) != 0 && tracked_path(path)) {
        count_call(false, &after);
        fresh = syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    }
    long fd = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && fresh)
        note(SHIM_CREATE, path, NULL, 0, 0, 0, NULL, 0);
    if (after)
        die();
    return (int)fd;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;

    va_start(arguments, flags);
    mode_t mode = (mode_t)va_arg(arguments, unsigned);
    va_end(arguments);
    return opened(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;

    va_start(arguments, flags);
    mode_t mode = (mode_t)va_arg(arguments, unsigned);
    va_end(arguments);
    return opened(path, flags, mode);
}

/* ---- clocks ---- */

int clock_gettime(clockid_t id, struct timespec *now)
{
    long rc = syscall(SYS_clock_gettime, id, now);

    if (rc == 0 && clock_file != NULL && (id == CLOCK_REALTIME || id == CLOCK_MONOTONIC)) {
        char text[32] = "", *rest;
        long fd = syscall(SYS_openat, AT_FDCWD, clock_file, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && syscall(SYS_read, (int)fd, text, sizeof text - 1) > 0) {
            long wall = strtol(text, &rest, 10);
            now->tv_sec += id == CLOCK_REALTIME ? wall : atol(rest);
        }
        if (fd >= 0)
            syscall(SYS_close, (int)fd);
    }
    return (int)rc;
}

/* ---- allocations ---- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool memory_fails(void)
{
    if (!ready || !counts_memory || looking)
        return false;
    if (++allocations <= MOST_STACKS && stacks_file != NULL)
        stacks[allocations - 1] = hash_stack();
    if (allocations != fault_at)
        return false;
    leave_mark();
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return memory_fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return memory_fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return memory_fails() ? NULL : __libc_realloc(old, size);
}
