/* pool.c - reads, keeps and writes the predictions of evaluations. */
#include "pool.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "hash.h"
#include "job.h"
#include "log.h"
#include "predictions.h"
#include "predictions_name.h"
#include "scores.h"
#include "step_answers.h"

enum { FILE_NAME = 80 };

void pool_close(struct pool *pool)
{
    for (int i = 0; i < pool->count; i++) {
        predictions_release(pool->items[i]);
        free(pool->items[i]);
    }
    for (int i = 0; i < pool->damaged_count; i++)
        free(pool->damaged[i]);
    free(pool->items);
    free(pool->damaged);
    free(pool->chosen);
    *pool = (struct pool){ 0 };
}

/* Puts predictions in their place by step; takes them over. */
static int insert(struct pool *pool, struct predictions *predictions, struct error *err)
{
    int at = 0;

    for (int i = 0; i < pool->count; i++) {
        struct predictions *item = pool->items[i];

        if (item->step == predictions->step && strcmp(item->pass, predictions->pass) == 0) {
            bool more = predictions->slot_count >= item->slot_count;

            predictions_release(more ? item : predictions);
            if (more)
                *item = *predictions;
            return 0;
        }
        at += item->step <= predictions->step;
    }
    struct predictions **larger =
        realloc(pool->items, ((size_t)pool->count + 1) * sizeof *larger);
    struct predictions *own = malloc(sizeof *own);
    if (larger != NULL)
        pool->items = larger;
    if (larger == NULL || own == NULL) {
        free(own);
        predictions_release(predictions);
        return error_no_memory(err, "the predictions");
    }
    memmove(larger + at + 1, larger + at, (size_t)(pool->count - at) * sizeof *larger);
    *own = *predictions;
    larger[at] = own;
    pool->count++;
    return 0;
}

/* Predictions of a file of answers, as far as the job's evaluations read them. */
static int read_of_steps(struct predictions *out, const char *path, const struct job *job,
                         struct error *err)
{
    struct score_request *requests =
        calloc((size_t)job->evaluation_count + 1, sizeof *requests);
    struct step_answers answers = { 0 };
    int rc = requests == NULL ? error_no_memory(err, "the predictions")
                              : step_answers_read(&answers, path, job->run_hash, err);

    for (int i = 0; i < job->evaluation_count && rc == 0; i++)
        requests[i] =
            (struct score_request){ .outer_steps = (int)job->evaluations[i].outer_steps,
                                    .rule = job->evaluations[i].rule };
    if (rc == 0)
        rc = step_answers_predictions(out, &answers, requests, job->evaluation_count, err);
    step_answers_release(&answers);
    free(requests);
    return rc;
}

/* The name of the file of a pass after a step. */
static void name_file(char out[FILE_NAME], const char *prefix, int64_t step, const char *pass)
{
    snprintf(out, FILE_NAME, "%s%lld-%08llx.safetensors", prefix, (long long)step,
             (unsigned long long)hash_xxh3(pass, strlen(pass)) & 0xffffffffULL);
}

/* Keeps what follows the prefix in a damaged file's name. */
static int note_damaged(struct pool *pool, const char *tail, struct error *err)
{
    char **longer = realloc(pool->damaged, ((size_t)pool->damaged_count + 1) * sizeof *longer);
    char *own = strdup(tail);

    if (longer != NULL)
        pool->damaged = longer;
    if (longer == NULL || own == NULL) {
        free(own);
        return error_no_memory(err, "the predictions");
    }
    longer[pool->damaged_count++] = own;
    return 0;
}

/* One file of an attempt, if it is of predictions. context: the last step that
 * counts. */
static int take_file(struct pool *pool, const char *name, const char *path, void *context,
                     struct error *err)
{
    bool of_steps = predictions_name_has(name, STEP_ANSWERS_PREFIX);
    const char *prefix = of_steps ? STEP_ANSWERS_PREFIX : PREDICTIONS_PREFIX;
    struct predictions predictions = { 0 };
    struct error fault = { 0 };
    const int64_t *last = context;
    char own_name[FILE_NAME];

    if (!predictions_name_has(name, prefix))
        return 0;
    int rc = of_steps ? read_of_steps(&predictions, path, pool->job, &fault)
                      : predictions_read(&predictions, path, pool->job->run_hash, &fault);
    if (rc == ERROR_NOMEM)
        return error_set(err, ERROR_NOMEM, "%s", fault.message);
    if (rc == 0) {
        name_file(own_name, prefix, predictions.step, predictions.pass);
        if (strcmp(own_name, name) != 0)
            rc = error_set(&fault, ERROR_DAMAGED, "%s: it says to be %s", path, own_name);
    }
    if (rc < 0) {
        log_warning("%s; passed over", fault.message);
        predictions_release(&predictions);
        return note_damaged(pool, name + strlen(prefix), err);
    }
    if (predictions.step <= *last)
        return insert(pool, &predictions, err);
    predictions_release(&predictions);
    return 0;
}

typedef int take_fn(struct pool *pool, const char *name, const char *path, void *context,
                    struct error *err);

/* Calls take for each file of one attempt of the run. */
static int each_file(struct pool *pool, int attempt, take_fn *take, void *context,
                     struct error *err)
{
    char *directory = format_string("%s/../%d", pool->job->directory, attempt);
    DIR *open_directory = directory != NULL ? opendir(directory) : NULL;
    int rc = directory == NULL || (open_directory == NULL && errno == ENOMEM)
                 ? error_no_memory(err, "a list of files")
                 : 0;

    for (struct dirent *entry;
         rc == 0 && open_directory != NULL && (entry = readdir(open_directory)) != NULL;) {
        char *path = file_join(directory, entry->d_name);

        rc = path == NULL ? error_no_memory(err, "a path")
                          : take(pool, entry->d_name, path, context, err);
        free(path);
    }
    if (open_directory != NULL)
        closedir(open_directory);
    free(directory);
    return rc;
}

int pool_open(struct pool *out, const struct job *job, int64_t last, struct error *err)
{
    bool pools = false;
    int rc = 0;

    *out = (struct pool){ .job = job };
    for (int i = 0; i < job->evaluation_count; i++)
        pools = pools || job->evaluations[i].pool != 1;
    for (int i = 1; i <= job->attempt && pools && rc == 0; i++)
        rc = each_file(out, i, take_file, &last, err);
    if (rc < 0)
        pool_close(out);
    return rc;
}

/* The predictions of a pass after a step; NULL: there are none. */
static const struct predictions *find_pass(const struct pool *pool, const char *pass,
                                           int64_t step)
{
    for (int i = 0; i < pool->count; i++)
        if (pool->items[i]->step == step && strcmp(pool->items[i]->pass, pass) == 0)
            return pool->items[i];
    return NULL;
}

int pool_check_damaged(const struct pool *pool, const char *pass, int64_t step,
                       struct error *err)
{
    for (int i = 0; i < pool->damaged_count; i++) {
        int64_t damaged = strtoll(pool->damaged[i], NULL, 10);
        char tail[FILE_NAME];

        name_file(tail, "", damaged, pass);
        if (damaged < step && strcmp(tail, pool->damaged[i]) == 0 &&
            find_pass(pool, pass, damaged) == NULL)
            return error_set(err, ERROR_DAMAGED,
                             "eval.pool_checkpoints: the answers of the evaluation after step "
                             "%lld are damaged, so that its votes would be missing",
                             (long long)damaged);
    }
    return 0;
}

/* Each earlier evaluation that has kept anything has kept this pass, or votes of some
 * would be missing. */
static int check_whole(const struct pool *pool, const char *pass, int64_t step,
                       struct error *err)
{
    for (int i = 0; i < pool->count; i++)
        if (pool->items[i]->step < step && find_pass(pool, pass, pool->items[i]->step) == NULL)
            return error_set(err, ERROR_FORMAT,
                             "eval.pool_checkpoints: the evaluation after step %lld has kept "
                             "no answers of this inference (split, eval.puzzle_id, "
                             "eval.act_inference and its rule, eval.init_noise, eval.weights); "
                             "train the run again with this evaluation among those asked for",
                             (long long)pool->items[i]->step);
    return 0;
}

int pool_select(struct score_history *out, struct pool *pool, const char *pass, int64_t step,
                struct error *err)
{
    const struct predictions **list;
    int rc = pool_check_damaged(pool, pass, step, err);

    *out = (struct score_history){ 0 };
    if (rc == 0)
        rc = check_whole(pool, pass, step, err);
    if (rc < 0)
        return rc;
    list = calloc((size_t)pool->count + 1, sizeof *list);
    if (list == NULL)
        return error_no_memory(err, "the predictions");
    free(pool->chosen);
    pool->chosen = list;
    for (int i = 0; i < pool->count; i++)
        if (pool->items[i]->step < step && strcmp(pool->items[i]->pass, pass) == 0)
            list[out->count++] = pool->items[i];
    out->items = list;
    return 0;
}

/* The path of the file of a pass after a step. Newly allocated. */
static char *path_of(const struct pool *pool, const char *prefix, int64_t step,
                     const char *pass)
{
    char name[FILE_NAME];

    name_file(name, prefix, step, pass);
    return job_own_path(pool->job, name);
}

int pool_add(struct pool *pool, struct predictions *predictions, bool write, struct error *err)
{
    char *path = path_of(pool, PREDICTIONS_PREFIX, predictions->step, predictions->pass);
    int rc = path == NULL ? error_no_memory(err, "a path")
             : write      ? predictions_write(predictions, path, pool->job->run_hash, err)
                          : 0;

    free(path);
    if (rc == 0)
        return insert(pool, predictions, err);
    predictions_release(predictions);
    return rc;
}

int pool_write_steps(const struct pool *pool, const struct step_answers *answers,
                     struct error *err)
{
    char *path = path_of(pool, STEP_ANSWERS_PREFIX, answers->step, answers->pass);
    int rc = path == NULL ? error_no_memory(err, "a path")
                          : step_answers_write(answers, path, pool->job->run_hash, err);

    free(path);
    return rc;
}

/* What was found of the answers wanted. */
struct search {
    const struct pool_wanted *wanted;
    struct step_answers *out;
    int outer_steps, rollouts; /* most of that pass in any file; 0: none */
};

static int look_into(struct pool *pool, const char *name, const char *path, void *context,
                     struct error *err)
{
    struct search *search = context;
    const struct pool_wanted *wanted = search->wanted;
    struct step_answers found;
    struct error fault = { 0 };

    if (!predictions_name_has(name, STEP_ANSWERS_PREFIX) || search->out->rows > 0)
        return 0;
    int rc = step_answers_read(&found, path, pool->job->run_hash, &fault);
    if (rc == ERROR_NOMEM)
        return error_set(err, ERROR_NOMEM, "%s", fault.message);
    if (rc < 0) {
        log_warning("%s; passed over", fault.message);
        return 0;
    }
    bool same = found.step == wanted->step && strcmp(found.pass, wanted->pass) == 0 &&
                strcmp(found.weights_hash, wanted->weights_hash) == 0;
    if (same && found.outer_steps > search->outer_steps)
        search->outer_steps = found.outer_steps;
    if (same && found.rollouts > search->rollouts)
        search->rollouts = found.rollouts;
    if (same && found.outer_steps >= wanted->outer_steps && found.rollouts >= wanted->rollouts)
        *search->out = found;
    else
        step_answers_release(&found);
    return 0;
}

int pool_find_steps(struct step_answers *out, const struct pool *pool,
                    const struct pool_wanted *wanted, struct error *err)
{
    struct pool of_files = { .job = pool->job };
    struct search search = { .wanted = wanted, .out = out };
    int rc = 0;

    *out = (struct step_answers){ 0 };
    for (int i = 1; i <= pool->job->attempt && rc == 0; i++)
        rc = each_file(&of_files, i, look_into, &search, err);
    if (rc < 0 || out->rows > 0)
        return rc;
    if (search.outer_steps == 0)
        return error_set(err, ERROR_FORMAT,
                         "no predictions of this inference are kept (split, eval.puzzle_id, "
                         "eval.act_inference and its rule, eval.init_noise): gc deletes them, "
                         "eval.keep_predictions may leave them out, or it was never made; "
                         "hrmlab run SPEC makes it");
    return error_set(err, ERROR_FORMAT,
                     "the predictions kept reach %d outer steps and %d rollouts, and %d and %d "
                     "are asked for; hrmlab run SPEC makes the inference",
                     search.outer_steps, search.rollouts, wanted->outer_steps,
                     wanted->rollouts);
}
