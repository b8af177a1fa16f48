/* slurm_batch.c - names of batches, their attempts, their scripts. */
#include "slurm_batch.h"

#include "error.h"
#include "file.h"
#include "hash.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Attempts of one batch: a script must not be larger than a site takes (4 MiB). */
enum { MOST_ATTEMPTS = 20000 };

static const char RUNS[] = "/runs/";

/* The part after WORKSPACE/runs/. */
static int split_directory(const char **attempt, const char *directory, struct error *err)
{
    const char *runs = strstr(directory, RUNS), *number = strrchr(directory, '/');

    for (const char *next = runs; next != NULL; next = strstr(next + 1, RUNS))
        runs = next;
    if (runs == NULL || number < runs + strlen(RUNS))
        return error_set(err, ERROR_FORMAT, "%s: expected WORKSPACE/runs/RUN/attempts/N",
                         directory);
    *attempt = runs + strlen(RUNS);
    return 0;
}

/* A name that no job has yet: of workspace, run and number of the first attempt, and a
 * random token. */
static int choose_name(struct slurm_batch *batch, const char *attempt, struct error *err)
{
    const char *number = strrchr(attempt, '/');
    char hash[HASH_HEX_SIZE];
    uint32_t token;

    if (getrandom(&token, sizeof token, 0) != (ssize_t)sizeof token)
        return error_set(err, ERROR_ENVIRONMENT, "getrandom: %s", strerror(errno));
    hash_hex(hash, batch->workspace, strlen(batch->workspace));
    snprintf(batch->name, sizeof batch->name, "hrmlab-%.8s-%.12s-%.8s-%08x", hash, attempt,
             number != NULL ? number + 1 : "", token);
    return 0;
}

static void free_batch(struct slurm_batch *batch)
{
    if (batch == NULL)
        return;
    slurm_script_release(&batch->script);
    for (int i = 0; i < batch->count; i++)
        free(batch->attempts[i]);
    free(batch->attempts);
    free(batch->workspace);
    free(batch);
}

/* *script is taken over. */
static int create(struct slurm_batch **out, const char *directory, const char *attempt,
                  struct slurm_script *script, struct error *err)
{
    struct slurm_batch *batch = calloc(1, sizeof *batch);
    size_t length = (size_t)(attempt - directory) - strlen(RUNS);

    *out = NULL;
    if (batch == NULL)
        return error_no_memory(err, "a batch of jobs");
    batch->workspace = strndup(directory, length);
    int rc = batch->workspace == NULL ? error_no_memory(err, "a batch of jobs")
                                      : choose_name(batch, attempt, err);
    if (rc < 0) {
        free_batch(batch);
        return rc;
    }
    batch->script = *script;
    *script = (struct slurm_script){ 0 };
    *out = batch;
    return 0;
}

static int add_attempt(struct slurm_batch *batch, const char *attempt, struct error *err)
{
    if (batch->count == batch->room) {
        int room = batch->room > 0 ? 2 * batch->room : 16;
        char **larger = realloc(batch->attempts, (size_t)room * sizeof *larger);
        if (larger == NULL)
            return error_no_memory(err, "a batch of jobs");
        batch->attempts = larger;
        batch->room = room;
    }
    batch->attempts[batch->count] = strdup(attempt);
    if (batch->attempts[batch->count] == NULL)
        return error_no_memory(err, "a batch of jobs");
    batch->count++;
    return 0;
}

static bool fits(const struct slurm_batch *batch, const char *directory,
                 const struct slurm_script *script)
{
    size_t length = strlen(batch->workspace);

    return !batch->sealed && batch->count < MOST_ATTEMPTS &&
           strncmp(batch->workspace, directory, length) == 0 &&
           strncmp(directory + length, RUNS, strlen(RUNS)) == 0 &&
           slurm_script_same(&batch->script, script);
}

int slurm_batch_join(struct slurm_batch **list, struct slurm_place *place,
                     const char *directory, struct slurm_script *script, struct error *err)
{
    struct slurm_batch *batch = *list, **end = list;
    const char *attempt;
    int rc = split_directory(&attempt, directory, err), wait_s = script->wait_s;

    while (batch != NULL && rc == 0 && !fits(batch, directory, script))
        batch = batch->next;
    if (rc == 0 && batch == NULL) {
        rc = create(&batch, directory, attempt, script, err);
        while (*end != NULL)
            end = &(*end)->next;
        *end = batch;
    } else {
        slurm_script_release(script);
    }
    if (rc == 0)
        rc = add_attempt(batch, attempt, err);
    if (rc == 0) {
        if (batch->script.wait_s < wait_s)
            batch->script.wait_s = wait_s;
        *place =
            (struct slurm_place){ .index = batch->count - 1, .per_job = batch->script.per_job };
        snprintf(place->name, sizeof place->name, "%s", batch->name);
    }
    return rc;
}

struct slurm_batch *slurm_batch_find(struct slurm_batch *list, const char *name)
{
    while (list != NULL && strcmp(list->name, name) != 0)
        list = list->next;
    return list;
}

int slurm_batch_jobs(const struct slurm_batch *batch)
{
    return (batch->count + batch->script.per_job - 1) / batch->script.per_job;
}

char *slurm_batch_path(const struct slurm_batch *batch, const char *ending)
{
    return format_string("%s/" SLURM_FOLDER "/%s%s", batch->workspace, batch->name, ending);
}

int slurm_batch_log(char **out, const char *directory, const char *name, struct error *err)
{
    const char *attempt;
    int rc = split_directory(&attempt, directory, err);

    *out = NULL;
    if (rc < 0)
        return rc;
    *out = format_string("%.*s/" SLURM_FOLDER "/%s.log",
                         (int)((size_t)(attempt - directory) - strlen(RUNS)), directory, name);
    return *out != NULL ? 0 : error_no_memory(err, "a path");
}

int slurm_batch_seal(struct slurm_batch *batch, struct error *err)
{
    char *path = slurm_batch_path(batch, ".sh"), *text = NULL;
    char *runs = file_join(batch->workspace, "runs");
    char *directory = file_join(batch->workspace, SLURM_FOLDER);
    int rc =
        path == NULL || runs == NULL || directory == NULL ? error_no_memory(err, "a path") : 0;

    if (rc == 0)
        rc = file_make_directories(directory, err);
    if (rc == 0)
        rc = slurm_script_text(&text, &batch->script, runs, batch->attempts, batch->count, err);
    if (rc == 0)
        rc = file_write_atomic(path, text, strlen(text), err);
    batch->sealed = batch->sealed || rc == 0;
    free(directory);
    free(runs);
    free(text);
    free(path);
    return rc;
}

int slurm_batch_print(const struct slurm_batch *batch, FILE *out, struct error *err)
{
    int jobs = slurm_batch_jobs(batch);
    char *runs = file_join(batch->workspace, "runs"), *text = NULL;
    int rc = runs == NULL ? error_no_memory(err, "a path")
                          : slurm_script_text(&text, &batch->script, runs, batch->attempts,
                                              batch->count, err);

    if (rc == 0) {
        fprintf(out, "# %d attempt%s in %d job%s: sbatch", batch->count,
                batch->count == 1 ? "" : "s", jobs, jobs == 1 ? "" : "s");
        if (jobs > 1)
            fprintf(out, " --array=0-%d", jobs - 1);
        if (jobs > 1 && batch->script.parallelism > 0)
            fprintf(out, "%%%d", batch->script.parallelism);
        fprintf(out, " slurm/%s.sh\n%s", batch->name, text);
    }
    free(text);
    free(runs);
    return rc;
}

void slurm_batch_drop(struct slurm_batch **list, struct slurm_batch *batch)
{
    while (*list != NULL && *list != batch)
        list = &(*list)->next;
    if (*list != NULL)
        *list = batch->next;
    free_batch(batch);
}
