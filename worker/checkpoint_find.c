/* checkpoint_find.c - which checkpoints earlier attempts have left, best first. */
#include "checkpoint_find.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "json.h"
#include "log.h"

enum { FILES_PER_ATTEMPT = 3 };
#define HEADER_LIMIT ((uint64_t)64 << 20)

static const char *const NAMES[FILES_PER_ATTEMPT] = { "final.safetensors",
                                                      "checkpoint-0.safetensors",
                                                      "checkpoint-1.safetensors" };

/* The JSON header of a safetensors file, without its data. */
static int read_header(cJSON **out, const char *path, struct error *err)
{
    FILE *file = fopen(path, "rbe");
    unsigned char length[8];
    uint64_t size = 0;
    char *text = NULL;
    int rc = 0;

    if (file == NULL)
        return error_set(err, ERROR_ABSENT, "%s: %s", path, strerror(errno));
    if (fread(length, 1, sizeof length, file) != sizeof length)
        rc = error_set(err, ERROR_DAMAGED, "%s: shorter than a header", path);
    for (int i = 7; i >= 0; i--)
        size = size << 8 | length[i];
    if (rc == 0 && (size == 0 || size > HEADER_LIMIT))
        rc = error_set(err, ERROR_DAMAGED, "%s: header of %llu bytes", path,
                       (unsigned long long)size);
    if (rc == 0) {
        text = malloc((size_t)size + 1);
        if (text == NULL)
            rc = error_set(err, ERROR_NOMEM, "out of memory for the header of %s", path);
    }
    if (rc == 0 && fread(text, 1, (size_t)size, file) != (size_t)size)
        rc = error_set(err, ERROR_DAMAGED, "%s: ends within its header", path);
    if (rc == 0) {
        text[size] = '\0';
        rc = json_parse(out, text, (size_t)size, path, err);
    }
    free(text);
    fclose(file);
    return rc;
}

/* Fills step and final from path's header, when it is a checkpoint of this run. */
static int peek(struct checkpoint_candidate *out, const char *path, const char *run_hash,
                struct error *err)
{
    const char *hash = NULL, *step = NULL, *final = NULL;
    cJSON *root = NULL;
    char *rest = NULL;
    int rc = read_header(&root, path, err);

    if (rc < 0)
        return rc;
    const cJSON *metadata = json_member(root, "__metadata__");
    if (!cJSON_IsObject(metadata))
        rc = error_set(err, ERROR_DAMAGED, "%s: no __metadata__", path);
    if (rc == 0)
        rc = json_get_string(&hash, metadata, "run_hash", path, err);
    if (rc == 0)
        rc = json_get_string(&step, metadata, "step", path, err);
    if (rc == 0)
        rc = json_get_string(&final, metadata, "final", path, err);
    if (rc == 0 && strcmp(hash, run_hash) != 0)
        rc = error_set(err, ERROR_DAMAGED, "%s: belongs to another run", path);
    if (rc == 0) {
        out->step = strtoll(step, &rest, 10);
        out->final = strcmp(final, "true") == 0;
        if (*step == '\0' || *rest != '\0' || out->step < 0)
            rc = error_set(err, ERROR_DAMAGED, "%s: step \"%.20s\"", path, step);
    }
    cJSON_Delete(root);
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
                log_warning("%s; passed over", fault.message);
            free(path);
        }
    qsort(list, (size_t)found, sizeof *list, compare_candidates);
    *out = list;
    *count = found;
    return 0;
}
