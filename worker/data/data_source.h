/*
 * data_source.h - the tasks that the data settings name, before any augmentation.
 */
#ifndef WORKER_DATA_SOURCE_H
#define WORKER_DATA_SOURCE_H

#include "kind.h"

int data_source_read(struct data_source *out, const struct config *config,
                     struct error *err) MUST_CHECK;
void data_source_release(struct data_source *source);

#endif
