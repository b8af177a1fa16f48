/*
 * arc_task_copy.h - a task of any kind as an ARC task.
 */
#ifndef WORKER_ARC_TASK_COPY_H
#define WORKER_ARC_TASK_COPY_H

#include "arc_task.h"
#include "kind.h"

/* The task of this index with all its pairs. arc_task_release() also after
 * ERROR_NOMEM. */
int arc_task_copy(struct arc_task *out, const struct data_source *source, int index,
                  struct error *err) MUST_CHECK;

#endif
