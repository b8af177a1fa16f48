/* slurm_place.c - places as text, and the files that are renamed. */
#include "slurm_place.h"

#include "clock.h"
#include "file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Before the number that a job adds to its place. */
static const char NUMBER[] = " number ";

void slurm_place_write(char out[EXECUTOR_PLACE_SIZE], const struct slurm_place *place)
{
    snprintf(out, EXECUTOR_PLACE_SIZE, "name %s index %d per %d%s%s", place->name, place->index,
             place->per_job, place->job[0] != '\0' ? " job " : "", place->job);
}

void slurm_place_read(struct slurm_place *out, const char *text)
{
    struct slurm_place place = { .per_job = 1 };

    *out = place;
    if (sscanf(text, "name %99s index %9d per %9d job %31s", place.name, &place.index,
               &place.per_job, place.job) >= 3 &&
        place.index >= 0 && place.per_job >= 1)
        *out = place;
}

const char *slurm_mark_name(enum slurm_mark mark)
{
    static const char *const names[SLURM_MARK_COUNT] = {
        [SLURM_MARK_PLACE] = "slurm.place", [SLURM_MARK_BEGUN] = "slurm.begun",
        [SLURM_MARK_OVER] = "slurm.over",   [SLURM_MARK_LEFT] = "slurm.left",
        [SLURM_MARK_VOID] = "slurm.void",   [SLURM_MARK_STOP] = "slurm.stop",
        [SLURM_MARK_KILL] = "slurm.kill",   [SLURM_MARK_WARNED] = "slurm.warned",
    };

    return names[mark];
}

/* What is asked of these files needs no memory: without it, an attempt would be taken
 * for one that was never submitted. */
static void path_of(char out[PATH_MAX], const char *directory, const char *name)
{
    snprintf(out, PATH_MAX, "%s/%s", directory, name);
}

static bool has_file(const char *directory, const char *name)
{
    char path[PATH_MAX];

    path_of(path, directory, name);
    return file_exists(path);
}

bool slurm_mark_is_set(const char *directory, enum slurm_mark mark)
{
    return has_file(directory, slurm_mark_name(mark));
}

double slurm_mark_age_s(const char *directory, enum slurm_mark mark)
{
    char path[PATH_MAX];
    struct stat status;

    path_of(path, directory, slurm_mark_name(mark));
    /* a renaming changes no other of a file's times */
    double age =
        stat(path, &status) == 0 ? clock_wall_s() - (double)status.st_ctim.tv_sec : 0.0;

    return age > 0.0 ? age : 0.0;
}

/* Reads the file, cut where it is too long. False: it cannot be read. */
static bool read_mark(char out[EXECUTOR_PLACE_SIZE], const char *directory,
                      enum slurm_mark mark)
{
    char path[PATH_MAX];

    path_of(path, directory, slurm_mark_name(mark));
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t size = fd >= 0 ? read(fd, out, EXECUTOR_PLACE_SIZE - 1) : -1;

    if (fd >= 0)
        close(fd);
    out[size > 0 ? size : 0] = '\0';
    return size >= 0;
}

long slurm_begun_by(const char *directory)
{
    long job = 0;

    for (int mark = SLURM_MARK_BEGUN; mark <= SLURM_MARK_OVER && job == 0; mark++) {
        char text[EXECUTOR_PLACE_SIZE];
        const char *number =
            read_mark(text, directory, (enum slurm_mark)mark) ? strstr(text, NUMBER) : NULL;

        if (number != NULL)
            job = strtol(number + strlen(NUMBER), NULL, 10);
    }
    return job;
}

int slurm_mark_set(const char *directory, enum slurm_mark mark, struct error *err)
{
    char path[PATH_MAX];

    path_of(path, directory, slurm_mark_name(mark));
    return file_write_atomic(path, "", 0, err);
}

bool slurm_script_has_begun(const char *directory)
{
    return has_file(directory, "log");
}

bool slurm_worker_has_ended(const char *directory)
{
    return has_file(directory, "exit.json");
}

bool slurm_mark_void(const char *directory)
{
    char from[PATH_MAX], to[PATH_MAX];

    path_of(from, directory, slurm_mark_name(SLURM_MARK_PLACE));
    path_of(to, directory, slurm_mark_name(SLURM_MARK_VOID));
    return rename(from, to) == 0;
}

int slurm_place_save(const char *directory, const struct slurm_place *place, struct error *err)
{
    char path[PATH_MAX], text[EXECUTOR_PLACE_SIZE];

    path_of(path, directory, slurm_mark_name(SLURM_MARK_PLACE));
    slurm_place_write(text, place);
    return file_write_atomic(path, text, strlen(text), err);
}

bool slurm_place_load(struct slurm_place *out, const char *directory)
{
    *out = (struct slurm_place){ .per_job = 1 };
    for (int mark = SLURM_MARK_PLACE; mark <= SLURM_MARK_VOID && out->name[0] == '\0'; mark++) {
        char text[EXECUTOR_PLACE_SIZE];

        if (read_mark(text, directory, (enum slurm_mark)mark))
            slurm_place_read(out, text);
    }
    return out->name[0] != '\0';
}
