/*
 * cycle_schedule.h - train.cycle_schedule: cycles that change during a training.
 */
#ifndef COMMON_CYCLE_SCHEDULE_H
#define COMMON_CYCLE_SCHEDULE_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "error.h"

enum { CYCLE_STAGES_MOST = 16 };

struct cycle_stage {
    double until; /* share of the training's steps at which the stage ends */
    int H_cycles, L_cycles;
};

/* Stages in order of time; the last one ends at 1. Without stages: no schedule. */
struct cycle_schedule {
    struct cycle_stage stages[CYCLE_STAGES_MOST];
    int count;
};

/* Reads a list of {"until": share, "H_cycles": n, "L_cycles": n}. ERROR_FORMAT: what is
 * no such list; where and key open the message. */
int cycle_schedule_read(struct cycle_schedule *out, const cJSON *list, const char *where,
                        const char *key, struct error *err) MUST_CHECK;
/* The same from the text of a setting that cycle_schedule_read() has accepted; "": no
 * stages. ERROR_NOMEM. */
int cycle_schedule_parse(struct cycle_schedule *out, const char *text,
                         struct error *err) MUST_CHECK;
/* The stage of the step after `done` of `total` steps; NULL: no schedule. */
const struct cycle_stage *cycle_schedule_at(const struct cycle_schedule *schedule, int64_t done,
                                            int64_t total);

#endif
