/*
 * kind.h - what a kind of data is: one entry in a table. A new kind is one new file and
 * one line in kinds.c.
 *
 * Everything is said in the words of ARC: a task has demonstrations and tests, each a
 * pair of grids. A board game puzzle is a task of one pair: a demonstration where it is
 * trained on, a test where it is tested on. A variant is an augmentation of a task.
 */
#ifndef WORKER_KIND_H
#define WORKER_KIND_H

#include "data_files.h"
#include "grid.h"
#include "random.h"

#include <stdio.h>

struct config;
struct data_form;
struct data_source;

enum {
    DATA_NAME_SIZE = 64,
    DATA_IDENTIFIER_SIZE = DATA_NAME_SIZE + 24,
    DATA_NO_LABEL = -100,
    DATA_NO_COLOUR = -1
};

struct data_task {
    bool evaluation; /* its tests are predicted and scored, not trained on */
    /* its demonstrations, and the tests unless evaluation, are trained on */
    bool trained;
    int demonstrations, tests;
};

/* How a cell is displayed. */
struct data_look {
    char text;
    int32_t colour; /* 0xRRGGBB of its square, or DATA_NO_COLOUR */
};

struct data_kind {
    /* Begins the content hash of every data set of this kind, so it must never
     * change. */
    const char *name;
    /* What messages call this kind: "ARC tasks". */
    const char *title;
    /* Whether each variant has a puzzle identifier of its own; otherwise all rows have
     * id 0. */
    bool has_identifiers;
    /* Whether a task has demonstrations beside its tests, which may stand in front of
     * them as their context. */
    bool has_context;
    /* Whether tests are predicted in every variant; otherwise only as they stand. */
    bool tests_variants;
    /* Whether answers become a submission.json in the form of the ARC contest. */
    bool submits;
    /* Whether the published code writes shuffled examples as 64-bit numbers. */
    bool wide_shuffles;
    size_t variant_size; /* bytes of a drawn variant */

    /* *is: data.path is of this kind. The first entry of the table of which it is is
     * used. The only error is ERROR_NOMEM. */
    int (*recognises)(bool *is, const char *path, struct error *err);
    /*
     * Reads or generates the tasks that the settings choose. Fills content,
     * task_count, side, text, counts, left_out and files of a source that is otherwise
     * zero; the caller releases what a failed load leaves. Messages name file and
     * place.
     */
    int (*load)(struct data_source *out, const struct config *config, struct error *err);
    void (*release)(void *content);
    /* Writes notable facts about the data of the settings, whether chosen or not, to
     * out: for `data check`. NULL: the kind has nothing to check. */
    int (*check)(FILE *out, const struct config *config, struct error *err);
    /* Number of different tokens. */
    int (*vocabulary)(int side);

    /* The task with this index, from 0. */
    void (*task)(const void *content, int index, struct data_task *out);
    void (*task_name)(const void *content, int index, char out[DATA_NAME_SIZE]);
    /* Reads pair number pair, demonstrations first. Returns whether the output is
     * known; either grid may be NULL. */
    bool (*pair)(const void *content, int index, int pair, struct grid *input,
                 struct grid *output);

    /* Draws up to count variants of a task into out (count * variant_size bytes).
     * Returns how many different ones there are, or ERROR_NOMEM. */
    int (*draw)(void *out, const void *content, int index, int count,
                struct random_stream *stream);
    void (*apply)(struct grid *out, const struct grid *in, const void *variant);
    /* Inverts a variant. Cells may hold any value, because an answer may be wrong. */
    void (*undo)(struct grid *out, const struct grid *in, const void *variant);

    /*
     * Writes a pair as tokens (side * side each); output is 0 x 0 where it is unknown.
     * A label that is not to be learnt is DATA_NO_LABEL. stream gives the pair's
     * random offset on the canvas; NULL: no offset.
     */
    void (*tokens)(int32_t *inputs, int32_t *labels, const struct grid *input,
                   const struct grid *output, int side, struct random_stream *stream);
    /* Reads the answer from predicted tokens (side * side). */
    void (*answer)(struct grid *out, const int32_t *predictions, int side);

    struct data_look (*look)(uint8_t cell);
    /* Whether the path that an answer draws is a shortest one; NULL: answers draw no
     * paths. */
    bool (*is_shortest)(const struct grid *question, const struct grid *answer);
    /* The difficulty of a puzzle; NULL: the kind has none. */
    int32_t (*rating)(const void *content, int index);
    /* Writes the name of a variant's identifier; NULL where all rows have id 0. */
    void (*variant_name)(char out[DATA_IDENTIFIER_SIZE], const char *task, const void *variant);
    /* Size of the boxes between which lines are drawn; NULL: there are none. */
    void (*boxes)(int side, int *rows, int *columns);

    /* For kinds whose rows are stored in files; NULL in others: */
    /* Number of variants of a task, the original included; draw() returns them for
     * undo(). */
    int (*variant_count)(const void *content, int index);
    /* Reads a row: side * side tokens each. */
    void (*row)(const void *content, int index, int variant, int pair, int32_t *inputs,
                int32_t *labels, int32_t *identifier);
    /* Reads the answer from a row's predicted tokens, wherever its grids lie; its
     * variant is not undone. NULL: answer() does. */
    void (*row_answer)(const void *content, int index, int variant, int pair,
                       const int32_t *predictions, struct grid *out);
    /* Whether draw() knows what undo() needs, so that answers to variants can be
     * undone; NULL: it does. */
    bool (*knows_variants)(const void *content);
    /* Hashes everything that defines the data. */
    void (*hash)(const void *content, struct hash_state *state);
    const char *(*identifier)(const void *content, int identifier);
    const struct data_form *(*form)(const void *content);
};

/* The tasks that a kind has loaded. */
struct data_source {
    const struct data_kind *kind; /* an entry of the table */
    void *content;                /* owned; only the kind knows what it is */
    int task_count;
    int side;   /* of the canvas or board */
    char *text; /* owned; "builtin:arc-style, generator seed 0" */
    /* owned; a sentence: tasks trained on, tested on, left out and why */
    char *counts;
    int left_out;             /* tasks that were read but not chosen */
    int identifiers;          /* the blank included; 0: as many as variants */
    int leaked;               /* evaluation tasks of which a copy is trained on */
    struct data_files files;  /* what was read */
    char hash[HASH_HEX_SIZE]; /* of the content of the tasks used, never of a path */
};

#endif
