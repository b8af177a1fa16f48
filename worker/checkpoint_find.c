/* checkpoint_find.c - lists the checkpoints of earlier attempts, best first. */
#include "checkpoint_find.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint_header.h"
#include "error.h"
#include "file.h"
#include "log.h"
#include "safetensors_header.h"

enum { FILES_PER_ATTEMPT = 3 };

static const char *const NAMES[FILES_PER_ATTEMPT] = { CHECKPOINT_FINAL_NAME,
                                                      "checkpoint-0.safetensors",
                                                      "checkpoint-1.safetensors" };

/* Reads step and final from path's header, if it is a checkpoint of this run. */
static int peek(struct checkpoint_candidate *out, const char *path, const char *run_hash,
                struct error *err)
{
    const char *texts[CHECKPOINT_TEXT_COUNT];
    cJSON *header = NULL;
    size_t data_at = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return error_set(err, error_code_from_errno(errno), "%s: %s", path, strerror(errno));
    int rc = safetensors_header_read(&header, &data_at, fd, path, err);
    close(fd);
    if (rc == 0)
        rc = checkpoint_header_texts(texts, header, path, err);
    if (rc == 0 && strcmp(texts[CHECKPOINT_TEXT_RUN_HASH], run_hash) != 0)
        rc = error_set(err, ERROR_DAMAGED, "%s: belongs to another run", path);
    if (rc == 0)
        rc = checkpoint_header_step(&out->step, texts[CHECKPOINT_TEXT_STEP], path, err);
    if (rc == 0)
        out->final = strcmp(texts[CHECKPOINT_TEXT_FINAL], "true") == 0;
    cJSON_Delete(header);
    return rc;
}

static int compare_candidates(const void *left, const void *right)
{
    const struct checkpoint_candidate *a = left, *b = right;

    if (a->step != b->step)
        return a->step < b->step ? 1 : -1;
    if (a->final != b->final)
        return a->final ? -1 : 1;
    return (a->attempt < b->attempt) - (a->attempt > b->attempt);
}

int checkpoint_find(struct checkpoint_candidate **out, int *count, const char *run_directory,
                    int attempt, const char *run_hash, struct error *err)
{
    struct checkpoint_candidate *list =
        calloc((size_t)attempt * FILES_PER_ATTEMPT + 1, sizeof *list);
    int found = 0;

    *out = NULL;
    *count = 0;
    if (list == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for the list of checkpoints");
    for (int i = 1; i < attempt; i++)
        for (int k = 0; k < FILES_PER_ATTEMPT; k++) {
            struct checkpoint_candidate *candidate = &list[found];
            struct error fault = { 0 };
            char *path;

            candidate->attempt = i;
            snprintf(candidate->name, sizeof candidate->name, "attempts/%d/%s", i, NAMES[k]);
            path = file_join(run_directory, candidate->name);
            if (path == NULL) {
                free(list);
                return error_set(err, ERROR_NOMEM, "out of memory for a path");
            }
            if (peek(candidate, path, run_hash, &fault) == 0)
                found++;
            else if (fault.code != ERROR_ABSENT)
                log_warning("%s; skipped", fault.message);
            free(path);
        }
    qsort(list, (size_t)found, sizeof *list, compare_candidates);
    *out = list;
    *count = found;
    return 0;
}
