/*
 * board_load.h - boards of a kind from CSV files: a folder with train.csv and test.csv,
 * or one file, and which of them are trained on and tested.
 */
#ifndef WORKER_BOARD_LOAD_H
#define WORKER_BOARD_LOAD_H

#include "board_csv.h"
#include "kind.h"
#include "settings.h"

/* What differs between kinds of boards. */
struct board_form {
    const char *title;           /* stands before " 9 x 9 from CSV" */
    const char *subsample;       /* purpose of the random streams that draw boards */
    enum setting_id train, test; /* settings: most boards drawn; 0: all */
    board_parse_fn *parse;
};

/* One file of boards, or a folder with train.csv or test.csv. */
bool board_is_file(const char *path);
bool board_is_folder(const char *path);

/* Reads what data.path names into boards, which are empty, and the files, text, counts
 * and left_out of a source. ERROR_FORMAT names file, row and column. */
int board_load(struct boards *boards, struct data_source *out, const struct board_form *form,
               const struct config *config, struct error *err) MUST_CHECK;

#endif
