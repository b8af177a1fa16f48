/*
 * built.h - a directory of the published code: train/ and test/ with the examples of
 * each set as .npy arrays and a dataset.json, and identifiers.json.
 *
 * Of each set: SET__inputs and SET__labels (examples, T); SET__puzzle_indices (puzzles
 * + 1), the first example of each puzzle; SET__group_indices (groups + 1), the first
 * puzzle of each group; SET__puzzle_identifiers (puzzles). The sets of a split stand
 * one behind the other: groups, puzzles and examples are numbered through all of them.
 */
#ifndef WORKER_BUILT_H
#define WORKER_BUILT_H

#include "data_form.h"
#include "data_files.h"
#include "data_set.h"
#include "npy.h"

/* The two large arrays of a set. */
struct built_set {
    struct npy inputs, labels; /* owned */
    int first_example, examples;
};

struct built_split {
    struct built_set *sets; /* owned; as many as in its form */
    int groups, puzzles, examples;
    int *group_start;    /* owned: (groups + 1), the first puzzle of each */
    int *puzzle_start;   /* owned: (puzzles + 1), the first example of each */
    int32_t *identifier; /* owned: (puzzles) */
};

struct built {
    struct built_split splits[2];
    struct data_form form;
    cJSON *identifiers; /* owned: a list of texts */
    const char **names; /* owned: of the identifiers; the texts are those of the list */
    int name_count;
    int side, vocabulary;
    char hash[HASH_HEX_SIZE]; /* of all files but JSON that examples do not need */
};

/* Reads and checks the whole directory and adds what it read to files. ERROR_FORMAT
 * names file, the byte of a .npy, and what was expected. */
int built_open(struct built *out, struct data_files *files, const char *directory,
               struct error *err) MUST_CHECK;
void built_close(struct built *built);

/* Writes the tokens of an example (T each). Tokens without a label to learn are
 * DATA_NO_LABEL. Either array may be NULL. */
void built_example(const struct built *built, enum data_split split, int example,
                   int32_t *inputs, int32_t *labels);

#endif
