/* executors.c - the table of executors. */
#include "executors.h"

#include "executor_local.h"
#include "executor_slurm.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const struct executor_type *const EXECUTORS[] = { &executor_local, &executor_slurm, NULL };

bool executor_is_detached(const char *name)
{
    for (int i = 0; EXECUTORS[i] != NULL; i++)
        if (strcmp(EXECUTORS[i]->name, name) == 0)
            return EXECUTORS[i]->detached;
    return false;
}

void executor_set_init(struct executor_set *set, const struct executor_type *const *types,
                       const struct executor_setup *setup)
{
    *set = (struct executor_set){ .types = types, .setup = *setup };
}

void executor_set_close(struct executor_set *set)
{
    for (int i = 0; i < EXECUTORS_MOST; i++)
        if (set->open[i] != NULL)
            set->open[i]->type->close(set->open[i]);
    memset(set->open, 0, sizeof set->open);
}

/* Opens the executor at an index of the table. */
static int open_at(struct executor_set *set, struct executor **out, int index,
                   struct error *err)
{
    int rc = 0;

    assert(index < EXECUTORS_MOST);
    if (set->open[index] == NULL)
        rc = set->types[index]->open(&set->open[index], &set->setup, err);
    *out = rc == 0 ? set->open[index] : NULL;
    return rc;
}

/* Its index in the table; -1: no executor has this name. */
static int find_type(const struct executor_type *const *types, const char *name)
{
    for (int i = 0; types[i] != NULL; i++)
        if (strcmp(types[i]->name, name) == 0)
            return i;
    return -1;
}

int executor_check_name(const struct executor_type *const *types, const char *name,
                        struct error *err)
{
    char names[200] = "";

    if (find_type(types, name) >= 0)
        return 0;
    for (int i = 0; types[i] != NULL; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i > 0 ? ", " : "",
                 types[i]->name);
    return error_set(err, ERROR_FORMAT,
                     "--executor %.60s: there is no such executor; there are: %s", name, names);
}

int executor_set_choose(struct executor_set *set, struct executor **out, const char *name,
                        struct error *err)
{
    int rc = name != NULL ? executor_check_name(set->types, name, err) : 0;

    *out = NULL;
    return rc < 0 ? rc : open_at(set, out, name != NULL ? find_type(set->types, name) : 0, err);
}

int executor_set_adopt(struct executor_set *set, struct executor_task **out, const char *name,
                       const char *directory, const char *place, struct error *err)
{
    struct executor *executor = NULL;
    int index = find_type(set->types, name);

    *out = NULL;
    if (index < 0)
        return error_set(err, ERROR_ENVIRONMENT,
                         "%s was started by the executor \"%s\", which this hrmlab does not "
                         "have; use the release that started it",
                         directory, name);
    int rc = open_at(set, &executor, index, err);
    if (rc < 0)
        return rc;
    assert(executor != NULL);
    return executor->type->adopt(executor, out, directory, place, err);
}

int executor_set_poll(struct executor_set *set, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < EXECUTORS_MOST && rc == 0; i++)
        if (set->open[i] != NULL)
            rc = set->open[i]->type->poll(set->open[i], err);
    return rc;
}
