/*
 * file.h - whole files in and out, durably; directories; paths.
 */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* ERROR_FORMAT with what it is: the path is that of a directory, a FIFO, a device or
 * the like, not of a regular file. 0 also where there is nothing. */
int file_check_regular(const char *path, struct error *err) MUST_CHECK;

/* open(), for regular files only: never waits for the other end of a FIFO. flags: as
 * for open(); a file created has the mode 0666 less the umask. ERROR_FORMAT: as above;
 * absent is ERROR_ABSENT. */
int file_open(int *fd, const char *path, int flags, struct error *err) MUST_CHECK;

/* Reads a whole regular file of at most limit bytes. *data is malloc'ed, NUL-terminated
 * one byte past *size, and the caller's to free. Too large is ERROR_FORMAT naming both
 * sizes; absent is ERROR_ABSENT; the rest is ERROR_IO. */
int file_read(char **data, size_t *size, const char *path, size_t limit,
              struct error *err) MUST_CHECK;

/* The same for anything that can be read to its end, also a pipe or FIFO; path "-" is
 * standard input. A directory is ERROR_FORMAT. Blocks until the writer closes the
 * pipe. */
int file_read_stream(char **data, size_t *size, const char *path, size_t limit,
                     struct error *err) MUST_CHECK;

/* Replaces path with data: written to a temporary file, synced, renamed, directory
 * synced. A reader sees the old or the new file, never a part. On failure nothing has
 * changed. */
int file_write_atomic(const char *path, const void *data, size_t size,
                      struct error *err) MUST_CHECK;
/* The same for a name that the user gave: a device or pipe, such as /dev/null, is not
 * replaced but written to. */
int file_write_output(const char *path, const void *data, size_t size,
                      struct error *err) MUST_CHECK;
/* ERROR_FORMAT, which names the option, where the path that file_write_output() is to
 * write is a directory's; worth a look before the work is done. */
int file_check_output(const char *option, const char *path, struct error *err) MUST_CHECK;
/* Checks that the directory has room for 64 KiB more: writes them to a file ".space"
 * and removes it. ERROR_NOSPACE: there is not enough room. */
int file_probe_space(const char *directory, struct error *err) MUST_CHECK;

/* Writes all of data to fd, retrying short writes and EINTR. name is for the
 * message. */
int file_write_all(int fd, const void *data, size_t size, const char *name,
                   struct error *err) MUST_CHECK;

/* fsync of a directory, so that a rename or creation inside it survives a power cut. */
int file_sync_directory(const char *path, struct error *err) MUST_CHECK;

/* mkdir -p, mode 0777 less the umask. */
int file_make_directories(const char *path, struct error *err) MUST_CHECK;

bool file_exists(const char *path);
/* Whether the directory is on a network's file system, where memory that processes
 * share through a file, and device numbers, cannot be trusted. */
bool file_is_on_network(const char *directory);

/* Marks all descriptors from `first` on, so that programs executed from now on do not
 * inherit them; in this process they stay open. Without /proc nothing is marked. */
void file_close_on_exec(int first);
/* Closes all descriptors from `first` on but this one (-1: none). */
void file_close_from(int first, int spared);
/* ERROR_ENVIRONMENT: the limit of this process (ulimit -n) leaves too few descriptors
 * for a program of this house; without a few, libuv aborts. Needs standard error. */
int file_require_descriptors(struct error *err) MUST_CHECK;

/* Removes a file or a whole tree, not following links. Absent is success. */
int file_remove_tree(const char *path, struct error *err) MUST_CHECK;

/* printf into a fresh string, the caller's to free; NULL when out of memory. */
__attribute__((format(printf, 1, 2))) char *format_string(const char *format, ...);

/* "a/b" for "a" and "b"; fresh, NULL when out of memory. An absolute b is returned as
 * is. */
char *file_join(const char *directory, const char *name);

#endif
