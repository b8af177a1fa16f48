/*
 * steps.h - `hrmlab-worker steps`: what a trained model answers to one task after each
 * outer step, and how the variants vote.
 */
#ifndef WORKER_STEPS_H
#define WORKER_STEPS_H

#include <stdbool.h>

#include "error.h"

struct steps_request {
    const char *directory;  /* an attempt's; its job.json has the settings */
    const char *checkpoint; /* relative to the run's directory */
    const char *task;       /* its name */
    bool all;               /* the answer after each outer step, not only the last */
    const char *color;      /* auto, always or never */
    const char *svg;        /* the file to draw into; NULL: the terminal */
};

/*
 * argv: DIRECTORY CHECKPOINT TASK all|last COLOR [SVG]. Confines the process first: it
 * writes beside SVG and nowhere else. ERROR_FORMAT: bad arguments, or the data have
 * changed; ERROR_ABSENT: no task of that name is tested, or no checkpoint.
 */
int steps_command(int argc, char **argv, struct error *err) MUST_CHECK;

#endif
