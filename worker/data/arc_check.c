/* arc_check.c - counts and lists copies of tasks by set. */
#include "arc_check.h"

#include "arc_choose.h"
#include "error.h"
#include "leak.h"

#include <stdlib.h>
#include <string.h>

/* Tasks of a set that have a copy in another: equal ones, and up to augmentations; and
 * tasks whose name the other set has, whatever their pairs. */
struct overlap {
    int equal, any, named;
};

static int compare_names(const void *a, const void *b)
{
    const struct arc_task *x = *(struct arc_task *const *)a, *y = *(struct arc_task *const *)b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : x->set - y->set;
}

/* The tasks by name, then set. Newly allocated; NULL: no memory. */
static struct arc_task **tasks_by_name(const struct arc_tasks *tasks)
{
    struct arc_task **order = malloc(((size_t)tasks->count + 1) * sizeof(struct arc_task *));

    for (int i = 0; i < tasks->count && order != NULL; i++)
        order[i] = &tasks->tasks[i];
    if (order != NULL)
        qsort(order, (size_t)tasks->count, sizeof *order, compare_names);
    return order;
}

/* Counts every task once for each set that has a copy of it. */
static void count_overlaps(struct overlap *table, const struct arc_tasks *tasks,
                           const struct leaks *leaks)
{
    for (int i = 0, next; i < leaks->count; i = next) {
        int task = leaks->list[i].task, set = tasks->tasks[task].set;
        for (next = i; next < leaks->count && leaks->list[next].task == task;)
            next++;
        for (int other = 0; other < tasks->set_count; other++) {
            struct overlap *entry = &table[set * tasks->set_count + other];
            bool equal = false, any = false;
            for (int k = i; k < next; k++) {
                bool there = tasks->tasks[leaks->list[k].copy].set == other;
                any = any || there;
                equal = equal || (there && leaks->list[k].equal);
            }
            entry->equal += equal;
            entry->any += any;
        }
    }
}

/* Counts every task once for each set that has a task of its name. */
static void count_names(struct overlap *table, const struct arc_tasks *tasks,
                        struct arc_task *const *order)
{
    int sets = tasks->set_count;

    for (int i = 0, next; i < tasks->count; i = next) {
        for (next = i + 1;
             next < tasks->count && strcmp(order[next]->name, order[i]->name) == 0;)
            next++;
        for (int k = i; k < next; k++)
            for (int m = i; m < next; m++)
                if (order[m]->set != order[k]->set &&
                    (m == i || order[m - 1]->set != order[m]->set))
                    table[order[k]->set * sets + order[m]->set].named++;
    }
}

static int write_overlaps(FILE *out, const struct arc_tasks *tasks, const struct leaks *leaks,
                          struct arc_task *const *order, struct error *err)
{
    int sets = tasks->set_count;
    bool told = false;
    struct overlap *table = calloc((size_t)sets * (size_t)sets + 1, sizeof *table);

    if (table == NULL)
        return error_no_memory(err, "the copies of tasks");
    count_overlaps(table, tasks, leaks);
    count_names(table, tasks, order);
    for (int i = 0; i < sets * sets; i++) {
        char one[2 * ARC_NAME_SIZE], other[2 * ARC_NAME_SIZE];
        if (table[i].any + table[i].named == 0)
            continue;
        if (!told)
            fprintf(out, "tasks of one set that stand in another\n");
        told = true;
        fprintf(out, "  %s in %s: %d equal, %d up to augmentations, %d under the same id\n",
                arc_set_title(one, tasks, &tasks->sets[i / sets]),
                arc_set_title(other, tasks, &tasks->sets[i % sets]), table[i].equal,
                table[i].any, table[i].named);
    }
    free(table);
    return 0;
}

/* A copy that is trained on of a task that is tested. */
static bool is_trained_on(const struct arc_tasks *tasks, const struct leak *leak)
{
    const struct arc_set *set = &tasks->sets[tasks->tasks[leak->task].set];
    const struct arc_set *other = &tasks->sets[tasks->tasks[leak->copy].set];

    return set->tested && other->trained && !other->tested;
}

static void write_leaks(FILE *out, const struct arc_tasks *tasks, const struct leaks *leaks)
{
    int count = 0, last = -1;

    for (int i = 0; i < leaks->count; i++)
        if (is_trained_on(tasks, &leaks->list[i]) && leaks->list[i].task != last) {
            last = leaks->list[i].task;
            count++;
        }
    fprintf(out, "evaluation tasks of which a copy stands in a set that is trained on: %d\n",
            count);
    for (int i = 0; i < leaks->count; i++) {
        const struct leak *leak = &leaks->list[i];
        const struct arc_task *task = &tasks->tasks[leak->task];
        const struct arc_task *copy = &tasks->tasks[leak->copy];
        char one[2 * ARC_NAME_SIZE], other[2 * ARC_NAME_SIZE];
        if (is_trained_on(tasks, leak))
            fprintf(out, "  %s of %s is %s of %s%s\n", task->name,
                    arc_set_title(one, tasks, &tasks->sets[task->set]), copy->name,
                    arc_set_title(other, tasks, &tasks->sets[copy->set]),
                    leak->equal ? "" : ", augmented");
    }
}

/* Neighbours of one name that differ. */
static void write_conflicts(FILE *out, const struct arc_tasks *tasks,
                            struct arc_task *const *order)
{
    bool told = false;

    for (int i = 1; i < tasks->count; i++) {
        const struct arc_task *one = order[i - 1], *other = order[i];
        if (strcmp(one->name, other->name) != 0 || leak_is_equal(one, other))
            continue;
        if (!told)
            fprintf(out, "tasks of one name with different pairs\n");
        told = true;
        fprintf(out, "  %s in %s and in %s\n", one->name, arc_task_place(tasks, one),
                arc_task_place(tasks, other));
    }
}

int arc_check(FILE *out, struct arc_tasks *tasks, const struct config *config,
              struct error *err)
{
    uint8_t *roles = malloc((size_t)tasks->count + 1);
    struct arc_task **order = tasks_by_name(tasks);
    struct leaks leaks = { 0 };
    int rc = roles == NULL || order == NULL ? error_no_memory(err, "the tasks")
                                            : arc_choose_sets(tasks, config, err);

    if (rc == 0) {
        memset(roles, LEAK_SOUGHT | LEAK_SEARCHED, (size_t)tasks->count);
        rc = leaks_find(&leaks, tasks, roles, err);
    }
    if (rc == 0)
        rc = write_overlaps(out, tasks, &leaks, order, err);
    if (rc == 0) {
        write_leaks(out, tasks, &leaks);
        write_conflicts(out, tasks, order);
    }
    leaks_release(&leaks);
    free(order);
    free(roles);
    return rc;
}
