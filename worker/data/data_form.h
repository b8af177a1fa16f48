/*
 * data_form.h - properties of the published code's files besides the examples, so that
 * a directory that was read can be written again byte for byte.
 */
#ifndef WORKER_DATA_FORM_H
#define WORKER_DATA_FORM_H

#include "npy.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

enum { DATA_FORM_SETS = 16, DATA_FORM_NAME_SIZE = 64 };

/* A set of a split: its name, and how many of the split's groups it has. */
struct data_form_set {
    char name[DATA_FORM_NAME_SIZE];
    int groups;
};

struct data_form {
    struct data_form_set sets[2][DATA_FORM_SETS]; /* by enum data_split */
    int set_count[2];
    enum npy_type type[2]; /* of inputs and labels */
    bool whole_mean[2];    /* mean_puzzle_examples is written without a decimal point */
    bool total_puzzles[2]; /* dataset.json has total_puzzles */
    cJSON *tests;          /* test_puzzles.json, owned by its creator; NULL: none */
};

#endif
