/*
 * answer_drawings.h - has the worker draw the answers that an attempt keeps.
 */
#ifndef RUNNER_ANSWER_DRAWINGS_H
#define RUNNER_ANSWER_DRAWINGS_H

#include <stdbool.h>

#include "error.h"

struct options;

/* A draw_answers_fn (figure.h); context: the command's struct options. Where the worker
 * cannot draw, it says why, and there are no drawings. ERROR_NOMEM, ERROR_SPAWN,
 * ERROR_IO. */
int answer_drawings(char **drawings, bool text, void *context, const char *directory,
                    const char *const *tasks, int count, struct error *err) MUST_CHECK;

#endif
