/*
 * arc_task.h - one ARC task, read strictly from JSON.
 */
#ifndef WORKER_ARC_TASK_H
#define WORKER_ARC_TASK_H

#include "error.h"
#include "grid.h"

#include <cjson/cJSON.h>

enum {
    ARC_NAME_SIZE = 64,
    ARC_MAX_PAIRS = 100,       /* of a task with demonstrations and tests */
    ARC_MAX_LIST_PAIRS = 10000 /* of a list of pairs */
};

struct arc_pair {
    struct grid input, output;
    bool has_output; /* false: a hidden test */
};

struct arc_task {
    char name[ARC_NAME_SIZE];
    int set;         /* where it comes from: an index of arc_tasks.sets */
    bool evaluation; /* its tests are predicted and scored, not trained on */
    /* its demonstrations, and the tests unless evaluation, are trained on */
    bool trained;
    int demonstrations, tests;
    struct arc_pair *pairs; /* owned; demonstrations, then tests */
    char *file;             /* owned; that holds it alone; NULL: the file of its set */
};

/*
 * Reads {"train": [{"input":, "output":}...], "test": [...]} of a task called name.
 * Solutions, where given, is the list of the tests' outputs and replaces what the tests
 * say. where (a file) opens the messages, which name the pair and the row. On failure
 * *out holds nothing.
 */
int arc_task_read(struct arc_task *out, const char *name, const cJSON *json,
                  const cJSON *solutions, const char *where, struct error *err) MUST_CHECK;
/* Reads [{"input":, "output":}...], as re-arc has them: all are demonstrations, and
 * there are no tests. */
int arc_task_read_list(struct arc_task *out, const char *name, const cJSON *json,
                       const char *where, struct error *err) MUST_CHECK;
void arc_task_release(struct arc_task *task);

/* Whether a test has no output. */
bool arc_task_has_hidden(const struct arc_task *task);
/* The largest side of any of its grids. */
int arc_task_side(const struct arc_task *task);

/* A list of rows to a grid and back; what ("train pair 1 input") goes into messages. */
int grid_read(struct grid *out, const cJSON *rows, const char *where, const char *name,
              const char *what, struct error *err) MUST_CHECK;
/* fresh; [] when empty; NULL: no memory */
cJSON *grid_to_json(const struct grid *grid);

/* The task as ordinary ARC JSON, hidden outputs left out. Fresh; NULL: no memory. */
cJSON *arc_task_to_json(const struct arc_task *task);

#endif
