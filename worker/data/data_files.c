/* data_files.c - stamps of files. */
#include "data_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Fills all members except the path. False if there is no such file. */
static bool read_stamps(struct data_file *out, const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return false;
    out->size = status.st_size;
    out->mtime_ns = nanoseconds(status.st_mtim);
    out->ctime_ns = nanoseconds(status.st_ctim);
    out->inode = (int64_t)status.st_ino;
    return true;
}

/* A path that the user gave cannot be followed or read: bad input, not the
 * environment. */
static enum error_code code_of(int number)
{
    bool bad_path =
        number == ELOOP || number == ENOTDIR || number == ENAMETOOLONG || number == EACCES;

    return bad_path ? ERROR_ABSENT : error_code_from_errno(number);
}

int data_files_add(struct data_files *files, const char *path, struct error *err)
{
    struct data_file file = { .path = realpath(path, NULL) };

    if (file.path == NULL || !read_stamps(&file, file.path) || access(file.path, R_OK) < 0) {
        int number = errno;
        free(file.path);
        return error_set(err, code_of(number), "%s: %s", path, strerror(number));
    }
    if ((files->count & (files->count - 1)) == 0) { /* grows at powers of two */
        size_t room = files->count == 0 ? 1 : 2 * (size_t)files->count;
        struct data_file *larger = realloc(files->files, room * sizeof *larger);
        if (larger == NULL) {
            free(file.path);
            return error_no_memory(err, "the list of files");
        }
        files->files = larger;
    }
    files->files[files->count++] = file;
    return 0;
}

void data_files_release(struct data_files *files)
{
    for (int i = 0; i < files->count; i++)
        free(files->files[i].path);
    free(files->files);
    *files = (struct data_files){ 0 };
}

bool data_file_unchanged(const struct data_file *file)
{
    struct data_file now;

    return read_stamps(&now, file->path) && now.size == file->size &&
           now.mtime_ns == file->mtime_ns && now.ctime_ns == file->ctime_ns &&
           now.inode == file->inode;
}
