/*
 * arc_load.h - ARC tasks from the public directory layout or from combined files.
 */
#ifndef WORKER_ARC_LOAD_H
#define WORKER_ARC_LOAD_H

#include "error.h"
#include "arc_task.h"
#include "data_set.h"

struct arc_tasks {
    struct arc_task *tasks; /* owned; sorted by name within training, then evaluation */
    int count;
    struct data_input *inputs; /* owned: the files read */
    int input_count;
};

/*
 * Loads path: a directory with training/ and evaluation/ (also below data/), with
 * *_challenges.json and *_solutions.json, or with plain task files (all evaluation); or one
 * such file. Of combined files those whose name contains "training" are training tasks.
 * A solutions file has the tasks of its challenges, all and no others; where there is none, the
 * tests are hidden: they get answers (the submission), no scores.
 * ERROR_FORMAT names file and place.
 */
int arc_load(struct arc_tasks *out, const char *path, struct error *err) MUST_CHECK;
void arc_tasks_release(struct arc_tasks *tasks);

/* Appends a task, taking it over. */
int arc_tasks_add(struct arc_tasks *tasks, struct arc_task *task, struct error *err) MUST_CHECK;
/* Sorts as promised above; a name that stands twice is ERROR_FORMAT. */
int arc_tasks_sort(struct arc_tasks *tasks, const char *where, struct error *err) MUST_CHECK;

#endif
