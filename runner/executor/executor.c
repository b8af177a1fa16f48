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
