/* process.c - reads /proc. */
#include "process.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Reads a small file of /proc. Returns the bytes read, 0 if it cannot be read. */
static size_t read_small(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    ssize_t count = read(fd, out, size - 1);
    close(fd);
    if (count < 0)
        count = 0;
    out[count] = '\0';
    return (size_t)count;
}

/* Field number of /proc/PID/stat after the command in parentheses (state is 3). */
static const char *stat_field(const char *text, int number)
{
    const char *at = strrchr(text, ')');

    for (int i = 2; at != NULL && i < number; i++) {
        at = strchr(at + 1, ' ');
    }
    return at != NULL ? at + 1 : NULL;
}

static bool read_stat(int64_t pid, char *out, size_t size)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    return pid > 0 && read_small(path, out, size) > 0;
}

int64_t process_start_time(int64_t pid)
{
    char text[1024];

    if (!read_stat(pid, text, sizeof text))
        return 0;
    const char *state = stat_field(text, 3), *start = stat_field(text, 22);
    if (state == NULL || start == NULL || *state == 'Z' || *state == 'X')
        return 0;
    return strtoll(start, NULL, 10);
}

double process_age_s(int64_t start_time)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec -
           (double)start_time / (double)sysconf(_SC_CLK_TCK);
}

bool process_signal(int64_t pid, int64_t start_time, int signal_number)
{
    /* The descriptor refers to one process for good; whether it is ours is checked
     * after it is open. */
    int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
    bool old_kernel = fd < 0 && errno == ENOSYS;
    bool sent = false;

    if ((fd >= 0 || old_kernel) && start_time != 0 && process_start_time(pid) == start_time)
        sent = old_kernel ? kill((pid_t)pid, signal_number) == 0
                          : syscall(SYS_pidfd_send_signal, fd, signal_number, NULL, 0) == 0;
    if (fd >= 0)
        close(fd);
    return sent;
}

void process_boot_id(char out[64])
{
    read_small("/proc/sys/kernel/random/boot_id", out, 64);
    out[strcspn(out, "\n")] = '\0';
}

bool process_alive(int64_t pid, int64_t start_time, const char *boot_id)
{
    char boot[64];

    process_boot_id(boot);
    return strcmp(boot, boot_id) == 0 && start_time != 0 &&
           process_start_time(pid) == start_time;
}

/* Whether the command line of the process is "... run DIRECTORY". */
static bool runs_directory(int64_t pid, const char *directory)
{
    char path[64], text[4096];

    snprintf(path, sizeof path, "/proc/%lld/cmdline", (long long)pid);
    size_t size = read_small(path, text, sizeof text), length = strlen(directory);
    if (size < length + 6)
        return false;
    const char *last = text + size - 1 - length; /* the text ends with a NUL */
    return strcmp(last, directory) == 0 && memcmp(last - 5, "\0run\0", 5) == 0;
}

int64_t process_find_keeper(const char *directory)
{
    DIR *proc = opendir("/proc");
    int64_t found = 0;

    if (proc == NULL)
        return -1;
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        int64_t pid =
            isdigit((unsigned char)entry->d_name[0]) ? strtoll(entry->d_name, NULL, 10) : 0;
        if (pid > 0 && runs_directory(pid, directory) && process_start_time(pid) != 0 &&
            (found == 0 || process_start_time(pid) < process_start_time(found) ||
             (process_start_time(pid) == process_start_time(found) && pid < found)))
            found = pid;
    }
    closedir(proc);
    return found;
}
