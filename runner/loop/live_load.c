/* live_load.c - the state of a workspace: its database, its journals, its lock. */
#include "live_load.h"

#include "error.h"
#include "executors.h"
#include "file.h"
#include "live_query.h"
#include "query.h"
#include "record.h"
#include "recorder.h"
#include "status_query.h"

#include <stdlib.h>
#include <string.h>

/* Where the journal of the job's attempt is; *out fresh, NULL: it has none. */
static int find_journal(char **out, const struct live_source *source, int64_t job_id,
                        const struct record_attempt *attempts, int count, struct error *err)
{
    *out = NULL;
    for (int i = 0; i < count; i++)
        if (attempts[i].job_id == job_id) {
            free(*out); /* a later attempt of the same job counts */
            *out = format_string("%s/%s/journal.jsonl", source->workspace->path,
                                 attempts[i].directory);
            if (*out == NULL)
                return error_no_memory(err, "a path");
        }
    return 0;
}

static int load_job(struct live_source *source, const struct record_job *job,
                    const struct record_attempt *attempts, int count, struct error *err)
{
    struct live_job *out = &source->live.jobs[source->live.job_count];
    struct recorder_progress *progress = &source->progress[source->live.job_count];
    char *path;

    recorder_progress_init(progress);
    *out = (struct live_job){
        .label = job->label,
        .hash = job->run_hash,
        .run_id = job->run_id,
        .cost = job->cost,
        .progress = progress,
    };
    int rc = find_journal(&path, source, job->job_id, attempts, count, err);
    if (rc == 0 && path != NULL)
        rc = recorder_peek(progress, path, err);
    if (rc == 0)
        rc = live_curve(source->store, out->points, &out->point_count, job->run_id, err);
    free(path);
    if (rc == 0)
        source->live.job_count++;
    return rc;
}

/* Whether the job has an attempt that goes on without a runner. */
static bool is_elsewhere(int64_t job_id, const struct record_attempt *attempts, int count)
{
    for (int i = 0; i < count; i++)
        if (attempts[i].job_id == job_id && attempts[i].place[0] != '\0' &&
            executor_is_detached(attempts[i].executor))
            return true;
    return false;
}

static int load_jobs(struct live_source *source, struct error *err)
{
    struct record_attempt *attempts = NULL;
    int count = 0;

    record_free_jobs(source->jobs, source->job_count);
    source->jobs = NULL;
    source->job_count = source->live.job_count = source->live.elsewhere = 0;
    int rc = record_busy_jobs(source->store, &source->jobs, &source->job_count,
                              source->live.experiment, err);
    if (rc == 0)
        rc = record_open_attempts(source->store, &attempts, &count, err);
    for (int i = 0; i < source->job_count && source->live.job_count < LIVE_JOBS && rc == 0; i++)
        if (source->jobs[i].own && job_state_is_open(source->jobs[i].state))
            rc = load_job(source, &source->jobs[i], attempts, count, err);
    for (int i = 0; i < source->job_count && rc == 0; i++)
        source->live.elsewhere += job_state_is_open(source->jobs[i].state) &&
                                  is_elsewhere(source->jobs[i].job_id, attempts, count);
    free(attempts);
    return rc;
}

static int count_diverged(int *diverged, struct store *store, const char *experiment,
                          struct error *err)
{
    int causes[OUTCOME_COUNT];
    int rc = status_causes(store, causes, experiment, err);

    *diverged = causes[OUTCOME_DIVERGED];
    return rc;
}

/* The experiments that have something to do, where more than one has. */
static int load_groups(struct live_source *source, struct error *err)
{
    char names[LIVE_GROUPS][EXPERIMENT_NAME_SIZE];
    int count = 0, rc = 0;

    source->live.group_count = 0;
    if (source->live.experiment == NULL)
        rc = live_experiments(source->store, names, LIVE_GROUPS, &count, err);
    for (int i = 0; i < count && count > 1 && rc == 0; i++) {
        struct live_group *group = &source->live.groups[i];

        memcpy(group->name, names[i], sizeof group->name);
        rc = status_count(source->store, &group->counts, group->name, err);
        group->diverged = 0;
        if (rc == 0 && source->live.diverged > 0)
            rc = count_diverged(&group->diverged, source->store, group->name, err);
        if (rc == 0)
            rc = live_work(source->store, &group->work, group->name, err);
        source->live.group_count += rc == 0;
    }
    return rc;
}

int live_load(struct live_source *source, struct error *err)
{
    struct live *live = &source->live;
    double rate = 0.0;
    int rc = status_count(source->store, &live->counts, live->experiment, err);

    if (rc == 0)
        rc = count_diverged(&live->diverged, source->store, live->experiment, err);
    if (rc == 0)
        rc = live_work(source->store, &live->work, live->experiment, err);
    if (rc == 0)
        rc = status_measured_rate(source->store, &rate, err);
    if (rc == 0)
        rc = load_groups(source, err);
    if (rc == 0)
        rc = load_jobs(source, err);
    if (rc == 0)
        rc = live_failures(source->store, live->failures, LIVE_FAILURES, &live->failure_count,
                           live->experiment, err);
    if (rc == 0)
        rc = workspace_holder(source->workspace, live->runner, sizeof live->runner, err);
    if (rc < 0)
        return rc;
    live->rate = rate * live->counts.running;
    live->message_count = 0;
    if (live->runner[0] == '\0' && live->elsewhere > 0)
        live_say(live,
                 "jobs of Slurm go on without a runner: hrmlab sync records what they do");
    else if (live->runner[0] == '\0' && live->counts.queued + live->counts.running > 0)
        live_say(live, "no runner is at work here: hrmlab work works on what waits");
    return 0;
}

void live_source_release(struct live_source *source)
{
    record_free_jobs(source->jobs, source->job_count);
    source->jobs = NULL;
    source->job_count = source->live.job_count = 0;
}
