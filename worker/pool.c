/* pool.c - reads, keeps and writes the predictions of interim evaluations. */
#include "pool.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "hash.h"
#include "job.h"
#include "log.h"
#include "predictions.h"
#include "scores.h"

static const char PREFIX[] = "predictions-";

void pool_close(struct pool *pool)
{
    for (int i = 0; i < pool->count; i++) {
        predictions_release(pool->items[i]);
        free(pool->items[i]);
    }
    free(pool->items);
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
            predictions_release(item);
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

/* One file of an attempt. */
static int take_file(struct pool *pool, const char *path, int64_t last, struct error *err)
{
    struct predictions predictions;
    struct error fault = { 0 };
    int rc = predictions_read(&predictions, path, pool->job->run_hash, &fault);

    if (rc == ERROR_NOMEM)
        return error_set(err, ERROR_NOMEM, "%s", fault.message);
    if (rc < 0) {
        log_warning("%s; passed over", fault.message);
        return 0;
    }
    if (predictions.step <= last)
        return insert(pool, &predictions, err);
    predictions_release(&predictions);
    return 0;
}

/* The files of one attempt of the run. */
static int take_attempt(struct pool *pool, int attempt, int64_t last, struct error *err)
{
    char *directory = format_string("%s/../%d", pool->job->directory, attempt);
    DIR *open_directory = directory != NULL ? opendir(directory) : NULL;
    int rc = directory == NULL ? error_no_memory(err, "a path") : 0;

    for (struct dirent *entry;
         rc == 0 && open_directory != NULL && (entry = readdir(open_directory)) != NULL;) {
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0 ||
            strstr(entry->d_name, ".safetensors") == NULL)
            continue;
        char *path = file_join(directory, entry->d_name);
        rc = path == NULL ? error_no_memory(err, "a path") : take_file(pool, path, last, err);
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
        rc = take_attempt(out, i, last, err);
    if (rc < 0)
        pool_close(out);
    return rc;
}

int pool_select(struct score_history *out, struct pool *pool, const char *pass, int64_t step,
                struct error *err)
{
    const struct predictions **list = calloc((size_t)pool->count + 1, sizeof *list);

    *out = (struct score_history){ 0 };
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

int pool_add(struct pool *pool, struct predictions *predictions, struct error *err)
{
    char name[80];

    snprintf(name, sizeof name, "%s%lld-%08llx.safetensors", PREFIX,
             (long long)predictions->step,
             (unsigned long long)hash_xxh3(predictions->pass, strlen(predictions->pass)) &
                 0xffffffffULL);
    char *path = job_own_path(pool->job, name);
    int rc = path == NULL ? error_no_memory(err, "a path")
                          : predictions_write(predictions, path, pool->job->run_hash, err);

    free(path);
    if (rc == 0)
        return insert(pool, predictions, err);
    predictions_release(predictions);
    return rc;
}
