/* slurm_place.c - places as text, and the files that are renamed. */
#include "slurm_place.h"

#include "clock.h"
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

static char *path_of(const char *directory, enum slurm_mark mark)
{
    return file_join(directory, slurm_mark_name(mark));
}

bool slurm_mark_is_set(const char *directory, enum slurm_mark mark)
{
    char *path = path_of(directory, mark);
    bool exists = path != NULL && file_exists(path);

    free(path);
    return exists;
}

double slurm_mark_age_s(const char *directory, enum slurm_mark mark)
{
    char *path = path_of(directory, mark);
    struct stat status;
    /* a renaming changes no other of a file's times */
    double age = path != NULL && stat(path, &status) == 0
                     ? clock_wall_s() - (double)status.st_ctim.tv_sec
                     : 0.0;

    free(path);
    return age > 0.0 ? age : 0.0;
}

long slurm_begun_by(const char *directory)
{
    long job = 0;

    for (int mark = SLURM_MARK_BEGUN; mark <= SLURM_MARK_OVER && job == 0; mark++) {
        char *path = path_of(directory, (enum slurm_mark)mark), *text = NULL;
        const char *number = NULL;
        struct error ignored;
        size_t size;

        if (path != NULL && file_read(&text, &size, path, EXECUTOR_PLACE_SIZE, &ignored) == 0)
            number = strstr(text, NUMBER);
        if (number != NULL)
            job = strtol(number + strlen(NUMBER), NULL, 10);
        free(text);
        free(path);
    }
    return job;
}

int slurm_mark_set(const char *directory, enum slurm_mark mark, struct error *err)
{
    char *path = path_of(directory, mark);
    int rc =
        path == NULL ? error_no_memory(err, "a path") : file_write_atomic(path, "", 0, err);

    free(path);
    return rc;
}

bool slurm_script_has_begun(const char *directory)
{
    char *path = file_join(directory, "log");
    bool exists = path != NULL && file_exists(path);

    free(path);
    return exists;
}

bool slurm_mark_void(const char *directory)
{
    char *from = path_of(directory, SLURM_MARK_PLACE),
         *to = path_of(directory, SLURM_MARK_VOID);
    bool mine = from != NULL && to != NULL && rename(from, to) == 0;

    free(from);
    free(to);
    return mine;
}

int slurm_place_save(const char *directory, const struct slurm_place *place, struct error *err)
{
    char *path = path_of(directory, SLURM_MARK_PLACE), text[EXECUTOR_PLACE_SIZE];

    slurm_place_write(text, place);
    int rc = path == NULL ? error_no_memory(err, "a path")
                          : file_write_atomic(path, text, strlen(text), err);
    free(path);
    return rc;
}

bool slurm_place_load(struct slurm_place *out, const char *directory)
{
    *out = (struct slurm_place){ .per_job = 1 };
    for (int mark = SLURM_MARK_PLACE; mark <= SLURM_MARK_VOID && out->name[0] == '\0'; mark++) {
        char *path = path_of(directory, (enum slurm_mark)mark), *text = NULL;
        struct error err;
        size_t size;

        if (path != NULL && file_read(&text, &size, path, EXECUTOR_PLACE_SIZE, &err) == 0)
            slurm_place_read(out, text);
        free(text);
        free(path);
    }
    return out->name[0] != '\0';
}
