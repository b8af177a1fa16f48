/*
 * data_set.h - the examples of a run behind one interface, whatever kind of data they
 * are.
 *
 * Nothing is materialised: a row is made from (task, variant, pair) when it is asked
 * for. Puzzle ids, order of rows and groups are those of the published data sets
 * (model.md, section 5).
 */
#ifndef WORKER_DATA_SET_H
#define WORKER_DATA_SET_H

#include "error.h"
#include "kind.h"
#include "random.h"
#include "settings.h"

#include <stdbool.h>
#include <stdint.h>

struct batch_order;
struct data_set; /* opaque */

enum data_split { SPLIT_TEST, SPLIT_TRAIN };

struct data_info {
    /* "ARC tasks", "builtin:arc-style seed 0", ...; owned by the set */
    const char *source;
    /* a sentence: tasks trained on, tested on, left out and why; owned by the set */
    const char *counts;
    int tasks_training, tasks_evaluation; /* tasks that are used */
    /* tasks with a grid larger than the canvas, or not chosen */
    int left_out;
    int leaked;         /* evaluation tasks of which a copy is trained on */
    int groups;         /* tasks trained on */
    int puzzles;        /* variants trained on, all groups */
    int examples;       /* training pairs, all variants */
    int epoch_examples; /* of one variant of each group */
    int test_rows;      /* rows of SPLIT_TEST, all variants */
    /* of a task, that may be the context of its rows; 0: this kind has none */
    int most_demonstrations;
    int most_variants; /* of a task, the original among them */
    int train_rows;    /* rows of SPLIT_TRAIN */
    /* 1: their variants are not known, so that answers to them cannot be undone */
    int unknown_variants;
    int num_puzzle_identifiers; /* the blank 0 included */
    /* of data.batch_order: its batches and their rows; 0: there is none */
    int order_steps, order_rows;
    int seq_len, vocab_size, canvas;
    double mean_puzzle_examples;   /* examples / puzzles */
    bool submits;                  /* answers become a submission.json */
    const struct data_file *files; /* what was read */
    int file_count;
};

/*
 * Loads or generates what the data settings name. with_variants false draws no
 * variants and allows no rows to be read; the counts then assume that num_aug variants
 * exist. ERROR_FORMAT: bad data, with file and place; nothing fits the canvas; no task
 * of data.tasks.
 */
int data_set_open(struct data_set **out, const struct config *config, bool with_variants,
                  struct error *err) MUST_CHECK;
void data_set_close(struct data_set *set);

const struct data_info *data_set_info(const struct data_set *set);
/* SHA-256 of the content of the tasks used, never of a path. 64 hex digits. */
const char *data_set_hash(const struct data_set *set);

/* Memory that the variants take or, where none were drawn, would. */
double data_set_variant_bytes(const struct data_set *set);

/* Groups, variants and pairs, for the batch order. */
int data_set_group_variants(const struct data_set *set, int group); /* >= 1 */
/* training pairs of each */
int data_set_group_pairs(const struct data_set *set, int group);
/*
 * Examples are the training pairs of all variants, numbered by group, variant and
 * pair, as the published data sets store them. Each has a fixed place on the canvas:
 * one pair of a variant is at (0, 0), the others at offsets drawn by train.seed,
 * uniform over all that fit both grids (all at (0, 0) with data.translation off).
 */
int data_set_example_number(const struct data_set *set, int group, int variant, int pair);
/* inputs, labels (T) out; labels of PAD are DATA_NO_LABEL (-100) */
void data_set_example(const struct data_set *set, int example, int32_t *inputs, int32_t *labels,
                      int32_t *puzzle_identifier);
/* The batches that data.batch_order prescribes; NULL: there are none. */
const struct batch_order *data_set_order(const struct data_set *set);

/* Writes the name of a puzzle identifier ("<blank>" for 0, "task", "task|||tK|||D"). */
const char *data_set_identifier(const struct data_set *set, int identifier,
                                char room[DATA_IDENTIFIER_SIZE]);

/* The tasks before they were split, and the index there of a task of a split. */
const struct data_source *data_set_source(const struct data_set *set);
int data_set_source_index(const struct data_set *set, enum data_split split, int task);

/* Evaluation rows in the stored order; all at (0, 0). */
struct data_row {
    int task; /* index of the task among those of this split, from 0 */
    /* of the pair within the task's tests (or demonstrations, SPLIT_TRAIN) */
    int test_index;
    int variant; /* 0: the original */
};
int data_set_row_count(const struct data_set *set, enum data_split split);
void data_set_row(const struct data_set *set, enum data_split split, int row,
                  struct data_row *meta, int32_t *inputs, int32_t *labels,
                  int32_t *puzzle_identifier);

/* A task of a split: name, tests, their inputs and solutions (NULL: hidden). Names
 * and grids are written into room, the caller's, and that is returned. */
int data_set_task_count(const struct data_set *set, enum data_split split);
const char *data_set_task_name(const struct data_set *set, enum data_split split, int task,
                               char room[DATA_NAME_SIZE]);
int data_set_task_tests(const struct data_set *set, enum data_split split, int task);
int data_set_task_variants(const struct data_set *set, enum data_split split, int task);
const struct grid *data_set_test_input(const struct data_set *set, enum data_split split,
                                       int task, int test, struct grid *room);
const struct grid *data_set_solution(const struct data_set *set, enum data_split split,
                                     int task, int test, struct grid *room);

/* Reads the answer out of a row's predicted tokens (T), as its kind of data does (ARC:
 * cropped, 0 x 0 for an empty crop), and undoes the row's variant. */
void data_set_answer(const struct data_set *set, enum data_split split, int row,
                     const int32_t *predictions, struct grid *out);

/* ERROR_FORMAT where answers to the rows of SPLIT_TRAIN cannot be undone, and may not
 * be read. */
int data_set_check_train_rows(const struct data_set *set, struct error *err) MUST_CHECK;

/* Whether an answer, as data_set_answer() returns it, draws a shortest path; and
 * whether answers of this data draw paths at all. */
bool data_set_has_paths(const struct data_set *set);
bool data_set_is_shortest(const struct data_set *set, enum data_split split, int row,
                          const struct grid *answer);
/* The rating of a task of a split; -1: there is none. */
int data_set_rating(const struct data_set *set, enum data_split split, int task);

#endif
