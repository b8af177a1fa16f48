/*
 * rebuild_disk.h - runs as described by their job.json, for a rebuild after data,
 * specs or the engine have changed.
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
    /* owned; all evaluations that its attempts were asked for, each once */
    cJSON *evaluations;
    bool removed; /* marked as not needed: removed_mark.h */
};

struct disk {
    struct disk_run *runs; /* owned */
    int count;
};

/* Reads every run below runs/ that has a trustworthy job.json. */
int disk_read(struct disk *out, const struct workspace *workspace,
              struct error *err) MUST_CHECK;
void disk_release(struct disk *disk);

/*
 * Adjusts a plan to the time at which its spec was queued: a run that is not on disk
 * is replaced by one on disk with the same settings but other data or another engine.
 * The plan then refers to disk, which must outlive it. *adjusted: how many runs.
 */
int disk_adjust_plan(const struct disk *disk, int *adjusted, struct plan *plan,
                     struct error *err) MUST_CHECK;

/* Makes a plan of the runs, and of evaluations of runs, that the store does not
 * know: an experiment "rebuilt" with an arm for each. Runs that are marked as
 * removed are skipped. The plan refers to disk. *out NULL: there are none. */
int disk_plan_rest(struct plan **out, const struct disk *disk, struct store *store,
                   struct error *err) MUST_CHECK;

#endif
