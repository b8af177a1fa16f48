/* executor.c - what all executors share: the list of tasks. */
#include "executor.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct executor_task *executor_add_task(struct executor *executor, size_t size,
                                        const char *directory)
{
    assert(size >= sizeof(struct executor_task));
    struct executor_task *task = calloc(1, size);
    char *copy = strdup(directory);

    if (task == NULL || copy == NULL) {
        free(task);
        free(copy);
        return NULL;
    }
    task->executor = executor;
    task->directory = copy;
    task->next = executor->tasks;
    executor->tasks = task;
    return task;
}

void executor_drop_task(struct executor_task *task)
{
    struct executor_task **at = &task->executor->tasks;

    while (*at != NULL && *at != task)
        at = &(*at)->next;
    assert(*at == task);
    *at = task->next;
    free(task->directory);
    free(task->cores);
    task->directory = NULL;
    task->cores = NULL;
}

void executor_cores_text(char *out, size_t size, const struct executor_task *task)
{
    size_t used = 0;

    out[0] = '\0';
    for (int i = 0; i < task->core_count && used < size; i++)
        used +=
            (size_t)snprintf(out + used, size - used, "%s%d", i > 0 ? "," : "", task->cores[i]);
}
