/* context.c - demonstrations in front of a row's grid. */
#include "context.h"

#include "context_check.h"
#include "data_set_internal.h"

#include <assert.h>
#include <string.h>

int context_length(const struct data_set *set)
{
    return 2 * set->context_pairs * set->info.seq_len;
}

/* The demonstration that stands in a slot, and where it lies. */
static void write_slot(const struct data_set *set, int task, const struct data_row *row,
                       int demonstration, bool trained, int32_t *slot)
{
    int T = set->info.seq_len;
    struct random_stream offset;
    bool moved =
        trained && data_set_offset(set, row->task, row->variant, demonstration, &offset);

    data_set_write_pair(set, task, row->variant, demonstration, moved ? &offset : NULL, slot,
                        slot + T);
    for (int i = T; i < 2 * T; i++)
        if (slot[i] == DATA_NO_LABEL)
            slot[i] = 0; /* PAD is not learnt as an answer, but is read as a token */
}

/* The context of a row by an order of its task's demonstrations. */
static void write_context(const struct data_set *set, int task, const struct data_row *row,
                          int own, const int *order, int count, bool trained, int32_t *context)
{
    int K = set->context_pairs, T = set->info.seq_len, chosen[CONTEXT_MOST_DEMONSTRATIONS],
        used = 0;

    memset(context, 0, (size_t)context_length(set) * sizeof *context);
    if (set->padded)
        return;
    for (int i = 0; i < count && used < K; i++)
        if (order[i] != own)
            chosen[used++] = order[i];
    for (int i = 0; i < used; i++)
        write_slot(set, task, row, chosen[i], trained,
                   context + (size_t)(2 * (K - used + i)) * (size_t)T);
}

/* The demonstrations of a task in the order of its file; returns how many. */
static int list_demonstrations(int order[CONTEXT_MOST_DEMONSTRATIONS],
                               const struct data_set *set, int task)
{
    int count = data_set_task_at(set, task).demonstrations;

    assert(count <= CONTEXT_MOST_DEMONSTRATIONS);
    for (int i = 0; i < count; i++)
        order[i] = i;
    return count;
}

void context_of_example(const struct data_set *set, int example, uint64_t visit,
                        int32_t *context)
{
    struct data_row row = data_set_locate(set, SPLIT_TRAIN, example);
    struct random_stream stream = random_stream(set->seed, "context", visit);
    int task = data_set_source_index(set, SPLIT_TRAIN, row.task);
    int order[CONTEXT_MOST_DEMONSTRATIONS], count = list_demonstrations(order, set, task);

    random_shuffle(&stream, order, count);
    write_context(set, task, &row, row.test_index, order, count, true, context);
}

void context_of_row(const struct data_set *set, enum data_split split, int number,
                    int32_t *context)
{
    struct data_row row = data_set_locate(set, split, number);
    int task = data_set_source_index(set, split, row.task);
    int order[CONTEXT_MOST_DEMONSTRATIONS], count = list_demonstrations(order, set, task);
    int own = split == SPLIT_TRAIN ? row.test_index : -1;

    write_context(set, task, &row, own, order, count, false, context);
}
