/* leak.c - finds copies of tasks by the sums of their shapes (arc_shape.h). */
#include "leak.h"

#include "arc_shape.h"
#include "error.h"
#include "work.h"

#include <stdlib.h>

/* An entry of the index: a task and the sum of its shape, with or without test
 * outputs. */
struct place {
    uint64_t sum;
    int task;
};

struct index {
    struct place *places; /* owned; by sum, then task */
    int count;
    bool test_outputs;
};

void leaks_release(struct leaks *leaks)
{
    free(leaks->list);
    *leaks = (struct leaks){ 0 };
}

/* Hash of the multiset of a task's pairs, demonstrations and tests together: a sum,
 * which does not depend on their order. test_outputs false leaves the tests' outputs
 * out, for comparison with a task whose tests are hidden. */
static uint64_t fingerprint(const struct arc_task *task, bool test_outputs)
{
    uint64_t sum = 0;

    for (int i = 0; i < task->demonstrations + task->tests; i++) {
        const struct arc_pair *pair = &task->pairs[i];
        uint64_t both[2] = { grid_fingerprint(&pair->input), 0 };
        if (pair->has_output && (test_outputs || i < task->demonstrations))
            both[1] = grid_fingerprint(&pair->output);
        sum += hash_xxh3(both, sizeof both);
    }
    return sum;
}

bool leak_is_equal(const struct arc_task *a, const struct arc_task *b)
{
    bool outputs = !arc_task_has_hidden(a) && !arc_task_has_hidden(b);

    return a->demonstrations + a->tests == b->demonstrations + b->tests &&
           fingerprint(a, outputs) == fingerprint(b, outputs);
}

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->sum != y->sum)
        return x->sum < y->sum ? -1 : 1;
    return x->task - y->task;
}

/* Builds the index of the tasks that are searched. */
static int make_index(struct index *out, const struct arc_tasks *tasks, const uint8_t *roles,
                      bool test_outputs, struct error *err)
{
    int rc = 0;

    *out = (struct index){ .places = malloc(((size_t)tasks->count + 1) * sizeof *out->places),
                           .test_outputs = test_outputs };
    if (out->places == NULL)
        return error_no_memory(err, "the copies of tasks");
    for (int i = 0; i < tasks->count && rc == 0; i++) {
        struct arc_shape shape;
        if ((roles[i] & LEAK_SEARCHED) == 0)
            continue;
        if (arc_shape_make(&shape, &tasks->tasks[i], 0, test_outputs) < 0)
            return error_no_memory(err, "the copies of tasks");
        out->places[out->count++] = (struct place){ .sum = shape.sum, .task = i };
        arc_shape_release(&shape);
        rc = work_done(1, err);
    }
    qsort(out->places, (size_t)out->count, sizeof *out->places, compare_places);
    return rc;
}

/* The first entry whose sum is not less than sum. */
static int first_place(const struct index *index, uint64_t sum)
{
    int low = 0, high = index->count;

    while (low < high) {
        int middle = low + (high - low) / 2;
        if (index->places[middle].sum < sum)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int add_leak(struct leaks *out, const struct arc_tasks *tasks, int task, int copy,
                    struct error *err)
{
    for (int i = out->count - 1; i >= 0 && out->list[i].task == task; i--)
        if (out->list[i].copy == copy)
            return 0;
    if ((out->count & (out->count - 1)) == 0) { /* grows at powers of two */
        size_t room = out->count == 0 ? 1 : 2 * (size_t)out->count;
        struct leak *larger = realloc(out->list, room * sizeof *larger);
        if (larger == NULL)
            return error_no_memory(err, "the copies of tasks");
        out->list = larger;
    }
    out->list[out->count++] =
        (struct leak){ .task = task,
                       .copy = copy,
                       .equal = leak_is_equal(&tasks->tasks[task], &tasks->tasks[copy]) };
    return 0;
}

/* Adds the tasks of the index, other than task itself, that have the same shape. */
static int find_shape(struct leaks *out, const struct arc_tasks *tasks,
                      const struct index *index, int task, const struct arc_shape *shape,
                      struct error *err)
{
    int at = first_place(index, shape->sum), rc = 0;

    for (; rc == 0 && at < index->count && index->places[at].sum == shape->sum; at++) {
        struct arc_shape other;
        int copy = index->places[at].task;
        bool hidden = arc_task_has_hidden(&tasks->tasks[task]) ||
                      arc_task_has_hidden(&tasks->tasks[copy]);
        if (copy == task || hidden == index->test_outputs)
            continue;
        if (arc_shape_make(&other, &tasks->tasks[copy], 0, index->test_outputs) < 0)
            return error_no_memory(err, "the copies of tasks");
        int found = arc_shape_match(NULL, 0, shape, &other);
        arc_shape_release(&other);
        if (found == ERROR_NOMEM)
            rc = error_no_memory(err, "the copies of tasks");
        else if (found > 0)
            rc = add_leak(out, tasks, task, copy, err);
    }
    return rc;
}

/* Finds the copies of one task under every transform. */
static int find_task(struct leaks *out, const struct arc_tasks *tasks,
                     const struct index *index, int task, struct error *err)
{
    int rc = work_done(1, err);

    for (int t = 0; t < GRID_TRANSFORMS && rc == 0; t++) {
        struct arc_shape shape;
        if (arc_shape_make(&shape, &tasks->tasks[task], t, index->test_outputs) < 0)
            return error_no_memory(err, "the copies of tasks");
        rc = find_shape(out, tasks, index, task, &shape, err);
        arc_shape_release(&shape);
    }
    return rc;
}

static int compare_leaks(const void *a, const void *b)
{
    const struct leak *x = a, *y = b;

    return x->task != y->task ? x->task - y->task : x->copy - y->copy;
}

static void count_up(struct leaks *leaks)
{
    bool equal = false;

    for (int i = 0; i < leaks->count; i++) {
        if (i == 0 || leaks->list[i].task != leaks->list[i - 1].task) {
            leaks->tasks++;
            equal = false;
        }
        leaks->equal_tasks += leaks->list[i].equal && !equal;
        equal = equal || leaks->list[i].equal;
    }
}

int leaks_find(struct leaks *out, const struct arc_tasks *tasks, const uint8_t *roles,
               struct error *err)
{
    struct index whole = { 0 }, inputs = { 0 };
    bool hidden = false;
    int rc = 0;

    *out = (struct leaks){ 0 };
    for (int i = 0; i < tasks->count; i++)
        hidden = hidden || (roles[i] != 0 && arc_task_has_hidden(&tasks->tasks[i]));
    rc = make_index(&whole, tasks, roles, true, err);
    if (rc == 0 && hidden)
        rc = make_index(&inputs, tasks, roles, false, err);
    for (int i = 0; i < tasks->count && rc == 0; i++) {
        if ((roles[i] & LEAK_SOUGHT) == 0)
            continue;
        rc = find_task(out, tasks, &whole, i, err);
        if (rc == 0 && hidden)
            rc = find_task(out, tasks, &inputs, i, err);
    }
    free(whole.places);
    free(inputs.places);
    if (rc < 0) {
        leaks_release(out);
        return rc;
    }
    if (out->count > 0)
        qsort(out->list, (size_t)out->count, sizeof *out->list, compare_leaks);
    count_up(out);
    return 0;
}

int leaks_find_trained(struct leaks *out, const struct arc_tasks *tasks, struct error *err)
{
    uint8_t *roles = calloc((size_t)tasks->count + 1, sizeof *roles);

    *out = (struct leaks){ 0 };
    if (roles == NULL)
        return error_no_memory(err, "the copies of tasks");
    for (int i = 0; i < tasks->count; i++) {
        const struct arc_task *task = &tasks->tasks[i];
        if (task->evaluation)
            roles[i] = LEAK_SOUGHT;
        else if (task->trained)
            roles[i] = LEAK_SEARCHED;
    }
    int rc = leaks_find(out, tasks, roles, err);
    free(roles);
    return rc;
}
