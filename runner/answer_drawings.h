/*
 * answer_drawings.h - has the worker draw the answers that an attempt keeps.
 */
#ifndef RUNNER_ANSWER_DRAWINGS_H
#define RUNNER_ANSWER_DRAWINGS_H

#include <stdbool.h>

#include "error.h"

struct options;

struct answer_drawings {
    const struct options *options; /* borrowed; the command's */
    int exit_code;                 /* not EXIT_DONE: some were not drawn */
};

/* A draw_answers_fn (figure.h); context: struct answer_drawings. Where the worker
 * cannot draw, it says why. ERROR_NOMEM, ERROR_SPAWN, ERROR_IO. */
int answer_drawings(char **drawings, bool *whole, bool text, void *context,
                    const char *directory, const char *const *tasks, int count,
                    struct error *err) MUST_CHECK;

#endif
