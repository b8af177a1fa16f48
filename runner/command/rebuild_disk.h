/*
 * rebuild_disk.h - runs as their job.json tell of them, for a rebuild that finds data,
 * specs or the engine changed since.
 *
 * A job.json is trusted if its settings give the hash that names the run's directory.
 */
#ifndef RUNNER_REBUILD_DISK_H
#define RUNNER_REBUILD_DISK_H

#include "error.h"
#include "plan.h"
#include "workspace.h"

struct store;

struct disk_run {
    char hash[65], data_hash[65];
    char numeric_version[24]; /* of the engine */
    char *canonical;          /* owned; canonical training form */
    struct config config;     /* owned; resolved */
    /* owned; all that its attempts were asked for, once each */
    cJSON *evaluations;
    bool removed; /* no experiment wanted it: removed_mark.h */
};

struct disk {
    struct disk_run *runs; /* owned */
    int count;
};

/* Every run below runs/ with a job.json that can be believed. */
int disk_read(struct disk *out, const struct workspace *workspace,
              struct error *err) MUST_CHECK;
void disk_release(struct disk *disk);

/*
 * A run of the plan that is not on disk, while one is with the same settings on other
 * data or of another engine, is what the spec led to when it was queued: the plan gets
 * that one, as long as disk is there. *adjusted: how many.
 */
int disk_adjust_plan(const struct disk *disk, int *adjusted, struct plan *plan,
                     struct error *err) MUST_CHECK;

/* A plan of the runs, and of evaluations of runs, that the store does not know, as an
 * experiment "rebuilt", an arm for each; runs that are marked as removed are left out.
 * It needs disk. *out NULL: there are none. */
int disk_plan_rest(struct plan **out, const struct disk *disk, struct store *store,
                   struct error *err) MUST_CHECK;

#endif
