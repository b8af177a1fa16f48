/* arc_repeated.c - keeps one task of those that share a name. */
#include "arc_repeated.h"

#include "error.h"
#include "leak.h"

#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
    const struct arc_task *x = *(struct arc_task *const *)a, *y = *(struct arc_task *const *)b;
    int order = strcmp(x->name, y->name);

    if (order == 0) /* the task with known solutions first, then the tested one */
        order = arc_task_has_hidden(x) - arc_task_has_hidden(y);
    if (order == 0)
        order = y->evaluation - x->evaluation;
    return order != 0 ? order : x->set - y->set;
}

/* Releases task, which has the name of kept, and merges its flags into kept. A task
 * with hidden tests makes kept an evaluation task only if data.test_sets names its
 * set: contest folders hold such tasks as placeholders. */
static void merge(struct arc_repeated *out, struct arc_tasks *tasks, struct arc_task *kept,
                  struct arc_task *task)
{
    bool copy = (kept->trained && !kept->evaluation) || (task->trained && !task->evaluation);
    bool same = leak_is_equal(kept, task);

    if (task->evaluation && (!arc_task_has_hidden(task) || tasks->sets[task->set].named))
        kept->evaluation = true;
    kept->trained = kept->trained || task->trained;
    out->same += same;
    out->different += !same;
    out->tested += same && copy && kept->evaluation;
    tasks->sets[task->set].repeated++;
    arc_task_release(task);
}

static int refuse(const struct arc_tasks *tasks, const struct arc_task *one,
                  const struct arc_task *other, struct error *err)
{
    return error_set(
        err, ERROR_FORMAT,
        "the task %s stands in %s and in %s, with different pairs; choose one with "
        "data.duplicates=first or last, or sets with data.train_sets and "
        "data.test_sets, or take one of them away",
        one->name, arc_task_place(tasks, one), arc_task_place(tasks, other));
}

/* Brings the task of the first or the last set to the front. A task with known
 * solutions goes before one with hidden tests. */
static void bring_to_front(struct arc_task **list, int count, bool last)
{
    int best = 0;

    for (int i = 1; i < count; i++) {
        int hidden = arc_task_has_hidden(list[i]) - arc_task_has_hidden(list[best]);
        int later = list[i]->set - list[best]->set;
        if (hidden < 0 || (hidden == 0 && (last ? later > 0 : later < 0)))
            best = i;
    }
    struct arc_task *front = list[best];
    list[best] = list[0];
    list[0] = front;
}

/* Keeps one of the count tasks of a name. */
static int merge_name(struct arc_repeated *out, struct arc_tasks *tasks, struct arc_task **list,
                      int count, const char *duplicates, struct error *err)
{
    int other = 1;

    while (other < count && leak_is_equal(list[0], list[other]))
        other++;
    if (other < count && strcmp(duplicates, "refuse") == 0)
        return refuse(tasks, list[0], list[other], err);
    if (other < count)
        bring_to_front(list, count, strcmp(duplicates, "last") == 0);
    for (int i = 1; i < count; i++)
        merge(out, tasks, list[0], list[i]);
    return 0;
}

int arc_merge_repeated(struct arc_repeated *out, struct arc_tasks *tasks,
                       const char *duplicates, struct error *err)
{
    struct arc_task **order = malloc(((size_t)tasks->count + 1) * sizeof(struct arc_task *));
    int rc = order == NULL ? error_no_memory(err, "the tasks") : 0;

    *out = (struct arc_repeated){ 0 };
    for (int i = 0; i < tasks->count && rc == 0; i++)
        order[i] = &tasks->tasks[i];
    if (rc == 0)
        qsort(order, (size_t)tasks->count, sizeof *order, compare_names);
    for (int i = 0, next; i < tasks->count && rc == 0; i = next) {
        next = i + 1;
        while (next < tasks->count && strcmp(order[i]->name, order[next]->name) == 0)
            next++;
        rc = merge_name(out, tasks, order + i, next - i, duplicates, err);
    }
    free(order);
    return rc;
}
