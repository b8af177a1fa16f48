/*
 * board_load.h - boards of a kind: generated, or from CSV files (a folder with
 * train.csv and test.csv, or one file), and which of them are trained on and tested.
 */
#ifndef WORKER_BOARD_LOAD_H
#define WORKER_BOARD_LOAD_H

#include "board_csv.h"
#include "boards.h"
#include "kind.h"
#include "settings.h"

/* What differs between kinds of boards. */
struct board_form {
    const char *builtin; /* the data.path of generated boards: "builtin:NAME" */
    const char *title;   /* stands before " 9 x 9 from CSV" */
    const char *plural;  /* what messages call generated boards: "puzzles" */
    /* opens the names of generated boards; purpose of the random streams that make
     * them */
    const char *name;
    const char *subsample;       /* purpose of the random streams that draw boards */
    enum setting_id side;        /* setting: of generated boards */
    enum setting_id train, test; /* settings: most boards drawn; 0: all of a file */
    board_parse_fn *parse;
    /* Generates the board with that index and adds it. */
    int (*generate)(struct boards *boards, int32_t index, const struct config *config,
                    struct random_stream *stream, struct error *err);
};

/* One file of boards. */
bool board_is_file(const char *path);
/* *is: a folder with train.csv or test.csv. The only error is ERROR_NOMEM. */
int board_find_folder(bool *is, const char *path, struct error *err) MUST_CHECK;

/* Generates or reads what data.path names: load() of a kind (kind.h) whose content is
 * boards. ERROR_FORMAT names file, row and column, or the setting. */
int board_load(struct data_source *out, const struct board_form *form,
               const struct config *config, struct error *err) MUST_CHECK;

#endif
