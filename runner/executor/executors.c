/* executors.c - the table of executors. */
#include "executors.h"

#include "executor_local.h"

#include <assert.h>
#include <string.h>

const struct executor_type *const EXECUTORS[] = { &executor_local, NULL };

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

/* The executor at an index of the table, opened. */
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

int executor_set_first(struct executor_set *set, struct executor **out, struct error *err)
{
    return open_at(set, out, 0, err);
}

int executor_set_adopt(struct executor_set *set, struct executor_task **out, const char *name,
                       const char *directory, const char *place, struct error *err)
{
    struct executor *executor = NULL;
    int index = 0;

    *out = NULL;
    while (set->types[index] != NULL && strcmp(set->types[index]->name, name) != 0)
        index++;
    if (set->types[index] == NULL)
        return error_set(err, ERROR_ENVIRONMENT,
                         "%s was started by the executor \"%s\", which this hrmlab does not "
                         "have; use the release that started it",
                         directory, name);
    int rc = open_at(set, &executor, index, err);
    return rc < 0 ? rc : executor->type->adopt(executor, out, directory, place, err);
}

int executor_set_poll(struct executor_set *set, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < EXECUTORS_MOST && rc == 0; i++)
        if (set->open[i] != NULL)
            rc = set->open[i]->type->poll(set->open[i], err);
    return rc;
}
