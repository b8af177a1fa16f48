/* command_revote.c - revote: evaluates the runs of a spec from the predictions that
 * earlier evaluations have kept, without training and without inference. */
#include "enqueue.h"
#include "error.h"
#include "file.h"
#include "names.h"
#include "options.h"
#include "predictions_name.h"
#include "queue.h"
#include "run_spec.h"
#include "store.h"
#include "workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* *out: whether an attempt of the run has a file of the answers of all outer steps. */
static int has_answers(bool *out, const struct workspace *workspace, const char *hash,
                       struct error *err)
{
    struct names attempts = { 0 };
    char *runs = format_string("%s/runs/%s/attempts", workspace->path, hash);
    int rc = runs == NULL ? error_no_memory(err, "a path") : names_read(&attempts, runs, err);

    *out = false;
    for (int i = 0; i < attempts.count && rc == 0 && !*out; i++) {
        struct names files = { 0 };
        char *directory = format_string("%s/%s", runs, attempts.items[i]);

        rc = directory == NULL ? error_no_memory(err, "a path")
                               : names_read(&files, directory, err);
        for (int f = 0; f < files.count; f++)
            *out = *out || predictions_name_has(files.items[f], STEP_ANSWERS_PREFIX);
        names_release(&files);
        free(directory);
    }
    names_release(&attempts);
    free(runs);
    return rc;
}

/* *out: whether the run's training is done, for one that has an open job. */
static int is_trained(bool *out, struct store *store, const char *hash, struct error *err)
{
    struct queue_state state;
    int rc = queue_state(store, &state, hash, err);

    *out = rc == 0 && state.last_train_job != 0 && state.train_state == JOB_DONE;
    return rc;
}

/* Runs that stand in the way: how many, and the number of the first. */
struct obstacle {
    int count, first;
};

static void note(struct obstacle *obstacle, int run)
{
    if (obstacle->count++ == 0)
        obstacle->first = run;
}

/* Refuses a plan of which a run would have to be trained, or has no answers kept. */
static int check(const struct plan *plan, struct store *store,
                 const struct workspace *workspace, struct error *err)
{
    struct obstacle untrained = { 0 }, lacking = { 0 };
    int rc = 0;

    for (int i = 0; i < plan->run_count && rc == 0; i++) {
        const struct plan_run *run = &plan->runs[i];
        enum enqueue_need need = NEED_NOTHING;
        int64_t run_id;
        bool kept = true, trained = true;

        rc = enqueue_need(&need, &run_id, store, workspace, plan, run, err);
        if (rc == 0 && need == NEED_EVALUATION)
            rc = has_answers(&kept, workspace, run->hash, err);
        if (rc == 0 && need == NEED_WAIT)
            rc = is_trained(&trained, store, run->hash, err);
        if (need == NEED_TRAINING || need == NEED_RETRAINING || need == NEED_AGAIN || !trained)
            note(&untrained, i);
        if (!kept)
            note(&lacking, i);
    }
    if (rc == 0 && untrained.count > 0)
        rc = error_set(err, ERROR_FORMAT,
                       "revote: %d of %d runs of %s are not trained to their end, such as "
                       "%.12s; hrmlab run SPEC trains and evaluates them",
                       untrained.count, plan->run_count, plan->spec->name,
                       plan->runs[untrained.first].hash);
    if (rc == 0 && lacking.count > 0)
        rc = error_set(err, ERROR_FORMAT,
                       "revote: of %d of %d runs of %s no predictions are kept, such as %.12s: "
                       "hrmlab gc deletes them, and eval.keep_predictions may leave them out; "
                       "hrmlab run SPEC makes the inference again",
                       lacking.count, plan->run_count, plan->spec->name,
                       plan->runs[lacking.first].hash);
    return rc;
}

int command_revote(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct options own = *options;
    struct store *store = NULL;
    int rc = workspace_find(&workspace, options->workspace, err);

    if (rc == 0) /* where nothing was queued, nothing is to be planned */
        rc = store_open(&store, workspace.path, STORE_READ, err);
    store_close(store);
    workspace_close(&workspace);
    if (rc < 0)
        return rc;
    own.sets = calloc((size_t)options->set_count + 1, sizeof *own.sets);
    if (own.sets == NULL)
        return error_no_memory(err, "the settings");
    for (int i = 0; i < options->set_count; i++)
        own.sets[i] = options->sets[i];
    own.sets[own.set_count++] = "eval.answers=kept";
    rc = run_spec(&own, check, exit_code, err);
    free(own.sets);
    return rc;
}
