/* arc_share.c - draws the tasks and pairs that are left. */
#include "arc_share.h"

#include "error.h"
#include "hash.h"
#include "random.h"
#include "settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A task and its random number. */
struct ticket {
    uint64_t number;
    int task;
};

static int compare_tickets(const void *a, const void *b)
{
    const struct ticket *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->task - y->task;
}

static struct random_stream stream_of(const struct config *config, const char *purpose,
                                      const struct arc_task *task)
{
    return random_stream((uint64_t)config_int(config, DATA_GENERATOR_SEED), purpose,
                         hash_xxh3(task->name, strlen(task->name)));
}

static int rounded(double share, int count)
{
    return (int)floor(share * count + 0.5);
}

/* Closes the gaps that released tasks have left. */
static void close_gaps(struct arc_tasks *tasks)
{
    int kept = 0;

    for (int i = 0; i < tasks->count; i++)
        if (tasks->tasks[i].pairs != NULL)
            tasks->tasks[kept++] = tasks->tasks[i];
    tasks->count = kept;
}

/* Draws which of the evaluation tasks, or of the others, are left: wanted(context, how
 * many there are) of them. *gone: how many are not. */
static int draw_tasks(int *gone, struct arc_tasks *tasks, bool evaluation,
                      int (*wanted)(const struct config *config, int count),
                      const struct config *config, struct error *err)
{
    const char *purpose = evaluation ? "test tasks" : "task share";
    struct ticket *tickets = malloc(((size_t)tasks->count + 1) * sizeof *tickets);
    int count = 0;

    if (tickets == NULL)
        return error_no_memory(err, "the choice of tasks");
    for (int i = 0; i < tasks->count; i++) {
        if (tasks->tasks[i].evaluation != evaluation)
            continue;
        struct random_stream stream = stream_of(config, purpose, &tasks->tasks[i]);
        tickets[count++] = (struct ticket){ random_u64(&stream), i };
    }
    int left = wanted(config, count);
    qsort(tickets, (size_t)count, sizeof *tickets, compare_tickets);
    for (int i = left; i < count; i++)
        arc_task_release(&tasks->tasks[tickets[i].task]);
    *gone = count > left ? count - left : 0;
    free(tickets);
    close_gaps(tasks);
    return 0;
}

static int wanted_share(const struct config *config, int count)
{
    return rounded(config_real(config, DATA_TASK_SHARE), count);
}

static int wanted_tests(const struct config *config, int count)
{
    int64_t most = config_int(config, DATA_TEST_TASKS);

    return most > 0 && most < count ? (int)most : count;
}

static int compare_numbers(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Takes hidden tests out of a task that is not tested: nobody trains on them, so that
 * they are none of its training pairs. */
static void leave_known(struct arc_task *task)
{
    int kept = task->demonstrations, total = task->demonstrations + task->tests;

    for (int i = kept; i < total && !task->evaluation; i++)
        if (task->pairs[i].has_output)
            task->pairs[kept++] = task->pairs[i];
    task->tests = task->evaluation ? task->tests : kept - task->demonstrations;
}

/* Leaves the pairs of a task that are drawn, at least one, in their order. */
static int draw_pairs(struct arc_share *out, struct arc_task *task, const struct config *config,
                      struct error *err)
{
    leave_known(task);
    int total = task->demonstrations + task->tests, demonstrations = 0;
    int count = task->evaluation ? task->demonstrations : total;
    int left = rounded(config_real(config, DATA_PAIR_SHARE), count);
    struct random_stream stream = stream_of(config, "pair share", task);
    int *order = malloc(((size_t)total + 1) * sizeof *order);

    if (order == NULL)
        return error_no_memory(err, "the choice of pairs");
    left = left > 0 ? left : 1;
    for (int i = 0; i < total; i++)
        order[i] = i;
    random_shuffle(&stream, order, count);
    qsort(order, (size_t)left, sizeof *order, compare_numbers);
    memmove(order + left, order + count, (size_t)(total - count) * sizeof *order);
    int kept = left + total - count;
    for (int i = 0; i < kept; i++) {
        demonstrations += order[i] < task->demonstrations;
        task->pairs[i] = task->pairs[order[i]];
    }
    out->pairs += count - left;
    out->of_pairs += count;
    task->demonstrations = demonstrations;
    task->tests = kept - demonstrations;
    free(order);
    return 0;
}

int arc_share_tasks(struct arc_share *out, struct arc_tasks *tasks, const struct config *config,
                    struct error *err)
{
    int rc = draw_tasks(&out->untrained, tasks, false, wanted_share, config, err);

    return rc == 0 ? draw_tasks(&out->untested, tasks, true, wanted_tests, config, err) : rc;
}

int arc_share_pairs(struct arc_share *out, struct arc_tasks *tasks, const struct config *config,
                    struct error *err)
{
    int rc = 0;

    for (int i = 0; i < tasks->count && rc == 0; i++)
        if (tasks->tasks[i].trained && config_real(config, DATA_PAIR_SHARE) < 1.0)
            rc = draw_pairs(out, &tasks->tasks[i], config, err);
    return rc;
}
