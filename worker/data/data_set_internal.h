/*
 * data_set_internal.h - the struct of a data set, shared by the files that make rows of
 * it and included by no others.
 */
#ifndef WORKER_DATA_SET_INTERNAL_H
#define WORKER_DATA_SET_INTERNAL_H

#include "batch_order.h"
#include "data_set.h"
#include "data_source.h"

/* The variants of a task, the original (number 0) not stored. */
struct variants {
    int count;   /* the original included */
    void *drawn; /* owned: (count - 1) variants of the kind's type */
};

/* The rows of a split, ordered by task, then variant, then pair. */
struct split {
    int *tasks; /* owned: the task's index in the source */
    int count;
    int *row_start; /* owned: (count + 1) */
};

struct data_set {
    struct data_source source;
    struct data_info info;
    struct variants *variants; /* owned: per task */
    int *identifier;           /* owned: per task, the identifier of its original */
    struct split splits[2];    /* SPLIT_TRAIN: the groups */
    bool translation;
    int context_pairs;        /* K; 0: rows have no context */
    bool padded;              /* it is PAD throughout */
    uint64_t seed;            /* of the random offsets */
    struct batch_order order; /* without steps: there is none */
};

/* The task with this index in the source. */
struct data_task data_set_task_at(const struct data_set *set, int index);
/* Where a row lies: task of the split, variant, pair. */
struct data_row data_set_locate(const struct data_set *set, enum data_split split, int row);
/* Whether a training pair is moved from (0, 0), and the stream that draws its
 * offset. */
bool data_set_offset(const struct data_set *set, int group, int variant, int pair,
                     struct random_stream *stream);
/* Writes a pair (demonstrations first) of a task's variant as tokens, at an offset from
 * the stream unless that is NULL. Not of a kind whose rows stand in files. */
void data_set_write_pair(const struct data_set *set, int task_index, int variant, int pair,
                         struct random_stream *stream, int32_t *inputs, int32_t *labels);

#endif
