/* arc_task_copy.c - pairs of any kind are grids. */
#include "arc_task_copy.h"

#include "error.h"

#include <stdlib.h>

int arc_task_copy(struct arc_task *out, const struct data_source *source, int index,
                  struct error *err)
{
    struct data_task task;

    source->kind->task(source->content, index, &task);
    *out = (struct arc_task){ .evaluation = task.evaluation,
                              .demonstrations = task.demonstrations,
                              .tests = task.tests };
    source->kind->task_name(source->content, index, out->name);
    out->pairs = calloc((size_t)(task.demonstrations + task.tests), sizeof *out->pairs);
    if (out->pairs == NULL)
        return error_no_memory(err, "a task");
    for (int p = 0; p < task.demonstrations + task.tests; p++)
        out->pairs[p].has_output = source->kind->pair(
            source->content, index, p, &out->pairs[p].input, &out->pairs[p].output);
    return 0;
}
