/* power_cut.c - undoing what was not synced, from the logs of shim.c. */
#include "power_cut.h"

#include "shim.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512 };

struct change {
    struct shim_record record;
    char *old; /* owned: bytes, or a kept file's name */
    bool safe; /* on the disk */
};

struct history {
    struct change *changes; /* owned; by time */
    int count;
};

static void read_log(struct history *history, const char *path)
{
    FILE *file = fopen(path, "rb");
    struct shim_record record;

    while (file != NULL && fread(&record, sizeof record, 1, file) == 1 &&
           record.magic == SHIM_MAGIC) {
        char *old = malloc((size_t)record.old_length + 1);
        if (old == NULL ||
            fread(old, 1, (size_t)record.old_length, file) != (size_t)record.old_length) {
            free(old); /* killed while it logged: the change itself was not made */
            break;
        }
        old[record.old_length] = '\0';
        history->changes =
            realloc(history->changes, (size_t)(history->count + 1) * sizeof *history->changes);
        if (history->changes == NULL)
            abort();
        history->changes[history->count++] = (struct change){ record, old, false };
    }
    if (file != NULL)
        fclose(file);
}

static int by_time(const void *a, const void *b)
{
    const struct change *x = a, *y = b;

    return (x->record.time_ns > y->record.time_ns) - (x->record.time_ns < y->record.time_ns);
}

static bool parent_is(const char *path, const char *directory)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash != NULL ? (size_t)(slash - path) : 0;

    return strlen(directory) == length && strncmp(path, directory, length) == 0;
}

/* Marks what is on the disk because of a later sync of the file, or of its directory. */
static void find_safe(struct history *history)
{
    for (int i = 0; i < history->count; i++) {
        struct change *change = &history->changes[i];
        char name[SHIM_PATH]; /* the file's name as time goes on */

        memcpy(name, change->record.path, sizeof name);
        for (int k = i + 1; k < history->count && !change->safe; k++) {
            const struct shim_record *later = &history->changes[k].record;
            bool named = change->record.kind == SHIM_RENAME ||
                         change->record.kind == SHIM_UNLINK ||
                         change->record.kind == SHIM_CREATE;
            if (later->kind == SHIM_RENAME && strcmp(later->other, name) == 0)
                memcpy(name, later->path, sizeof name);
            if (later->kind != SHIM_SYNC)
                continue;
            /* Syncing a new file also keeps its name, as ext4, XFS and Btrfs do it. */
            change->safe =
                named && change->record.kind != SHIM_CREATE
                    ? parent_is(change->record.path, later->path)
                    : strcmp(later->path, name) == 0 || (named && parent_is(name, later->path));
        }
    }
}

/* The name that a file of then has now, after the renames that were not undone. */
static void name_now(char name[SHIM_PATH], const struct history *history, int from,
                     const bool *undone)
{
    for (int k = from + 1; k < history->count; k++) {
        const struct shim_record *later = &history->changes[k].record;
        if (later->kind == SHIM_RENAME && !undone[k] && strcmp(later->other, name) == 0)
            memcpy(name, later->path, SHIM_PATH);
    }
}

static void undo_write(const struct change *change, const char *name,
                       struct random_stream *stream)
{
    const struct shim_record *r = &change->record;
    static const char zeros[SECTOR];
    struct stat status;
    int fd = open(name, O_RDWR);

    if (fd < 0 || fstat(fd, &status) != 0) {
        if (fd >= 0)
            close(fd);
        return;
    }
    /* The file's end: somewhere between then and now. */
    if (status.st_size == r->offset + r->length && r->old_size < status.st_size) {
        int64_t cut = r->old_size + (int64_t)random_below(
                                        stream, (uint64_t)(status.st_size - r->old_size) + 1);
        if (ftruncate(fd, cut) == 0)
            status.st_size = cut;
    }
    for (int64_t at = 0; at < r->length; at += SECTOR) {
        int64_t size = r->length - at < SECTOR ? r->length - at : SECTOR;
        if (random_below(stream, 2) == 0 || r->offset + at + size > status.st_size)
            continue;
        const char *old = at + size <= r->old_length ? change->old + at : zeros;
        if (pwrite(fd, old, (size_t)size, r->offset + at) < 0)
            perror(name);
    }
    close(fd);
}

static void undo(const struct change *change, const char *name, struct random_stream *stream)
{
    const struct shim_record *r = &change->record;

    switch ((enum shim_kind)r->kind) {
    case SHIM_WRITE:
        undo_write(change, name, stream);
        break;
    case SHIM_TRUNCATE:
        if (truncate(name, r->old_size) != 0 && access(name, F_OK) == 0)
            perror(name);
        break;
    case SHIM_CREATE:
        unlink(name);
        break;
    case SHIM_RENAME:
        if (rename(name, r->other) == 0 && change->old[0] != '\0' &&
            link(change->old, r->path) != 0)
            perror(r->path);
        break;
    case SHIM_UNLINK:
        if (change->old[0] != '\0' && access(r->path, F_OK) != 0 &&
            link(change->old, r->path) != 0)
            perror(r->path);
        break;
    case SHIM_SYNC:
        break;
    }
}

int power_cut(const char *log_directory, struct random_stream *stream)
{
    struct history history = { 0 };
    DIR *directory = opendir(log_directory);
    int lost = 0;

    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char path[SHIM_PATH * 2];
        size_t length = strlen(entry->d_name);
        snprintf(path, sizeof path, "%s/%s", log_directory, entry->d_name);
        if (length > 4 && strcmp(entry->d_name + length - 4, ".log") == 0)
            read_log(&history, path);
    }
    if (directory != NULL)
        closedir(directory);
    if (history.count == 0)
        return 0;
    qsort(history.changes, (size_t)history.count, sizeof *history.changes, by_time);
    find_safe(&history);
    bool *undone = calloc((size_t)history.count, sizeof *undone);
    if (undone == NULL)
        abort();
    uint64_t one_in = 1 + random_below(stream, 4); /* all of it, or a part */
    for (int i = history.count - 1; i >= 0; i--) {
        struct change *change = &history.changes[i];
        char name[SHIM_PATH];
        if (change->safe || change->record.kind == SHIM_SYNC ||
            random_below(stream, one_in) != 0)
            continue;
        memcpy(name, change->record.path, sizeof name);
        name_now(name, &history, i, undone);
        undo(change, name, stream);
        undone[i] = true;
        lost++;
    }
    for (int i = 0; i < history.count; i++)
        free(history.changes[i].old);
    free(history.changes);
    free(undone);
    return lost;
}
