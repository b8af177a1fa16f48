/* spec_weights.c - files of weights by their content. */
#include "spec_weights.h"

#include "checkpoint_file.h"
#include "error.h"
#include "file.h"
#include "hash.h"
#include "init_from.h"
#include "safetensors_header.h"
#include "safetensors_tensor.h"
#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 20 };

/* Hashes what fd holds and, unless to is -1, writes it there. */
static int pass_on(char hash[65], int fd, int to, const char *path, struct error *err)
{
    struct hash_state state;
    char *block = malloc(BLOCK_BYTES);
    ssize_t size = 1;
    int rc = block == NULL ? error_no_memory(err, "a file of weights") : 0;

    hash_init(&state);
    for (off_t at = 0; rc == 0 && size > 0; at += size) {
        size = pread(fd, block, BLOCK_BYTES, at);
        if (size < 0)
            rc = error_set(err, error_code_from_errno(errno), "%s: %s", path, strerror(errno));
        if (size <= 0)
            break;
        hash_add(&state, block, (size_t)size);
        if (to >= 0)
            rc = file_write_all(to, block, (size_t)size, path, err);
    }
    free(block);
    if (rc == 0)
        hash_final_hex(&state, hash);
    return rc;
}

/* Checks what the file's header says of its tensors, as a worker will. */
static int check_tensors(int fd, const char *path, struct error *err)
{
    struct safetensors_tensor *tensors = NULL;
    cJSON *header = NULL;
    size_t data_at;
    int count;
    int rc = safetensors_header_read(&header, &data_at, fd, path, err);
    off_t end = lseek(fd, 0, SEEK_END);
    size_t size = end > (off_t)data_at ? (size_t)end - data_at : 0;

    if (rc == 0)
        rc = safetensors_tensors_read(&tensors, &count, header, size, path, err);
    free(tensors);
    cJSON_Delete(header);
    return rc;
}

/* Opens a safetensors file. where opens the message. */
static int open_weights(int *fd, const char *path, const char *where, struct error *err)
{
    struct error fault = { 0 };

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return error_set(err, ERROR_FORMAT,
                         "%s: %.300s: %s; expected a safetensors file (a relative path in a "
                         "spec is taken from the folder of the spec, with --set from the "
                         "current one)",
                         where, path, strerror(errno));
    int rc = check_tensors(*fd, path, &fault);
    if (rc == 0)
        return 0;
    close(*fd);
    return error_set(err, rc == ERROR_NOMEM ? ERROR_NOMEM : ERROR_FORMAT,
                     "%s: %.600s; torch.load and safetensors.torch.save_file make a "
                     "safetensors file of a PyTorch checkpoint",
                     where, fault.message);
}

/* What is found in a spec. */
struct found {
    struct spec_weights *items; /* owned */
    int count;
    char where[300];
};

static int take_file(struct found *found, cJSON *value, struct error *err)
{
    char hash[65], text[sizeof hash + sizeof INIT_FILE_PREFIX];
    int fd = -1;
    int rc = open_weights(&fd, value->valuestring, found->where, err);

    if (rc < 0)
        return rc;
    rc = pass_on(hash, fd, -1, value->valuestring, err);
    close(fd);
    if (rc < 0)
        return rc;
    struct spec_weights *larger =
        realloc(found->items, (size_t)(found->count + 1) * sizeof *larger);
    char *path = strdup(value->valuestring);
    if (larger != NULL)
        found->items = larger;
    if (larger == NULL || path == NULL) {
        free(path);
        return error_no_memory(err, "a spec");
    }
    struct spec_weights *item = &found->items[found->count++];
    memcpy(item->hash, hash, sizeof hash);
    item->path = path;
    snprintf(text, sizeof text, INIT_FILE_PREFIX "%s", hash);
    return cJSON_SetValuestring(value, text) == NULL ? error_no_memory(err, "a spec") : 0;
}

/* A value of the setting, or a list of them. */
static int take_value(struct found *found, cJSON *value, struct error *err)
{
    int rc = 0;

    if (cJSON_IsString(value))
        return value->valuestring[0] != '{' &&
                       init_from_kind(value->valuestring, NULL) == INIT_SETTINGS
                   ? take_file(found, value, err)
                   : 0;
    for (cJSON *item = cJSON_IsArray(value) ? value->child : NULL; item != NULL && rc == 0;
         item = item->next)
        rc = take_value(found, item, err);
    return rc;
}

static int take_all(struct found *found, cJSON *item, struct error *err)
{
    const char *key = settings_table[TRAIN_INIT_FROM].key;
    int rc = 0;

    for (cJSON *child = item->child; child != NULL && rc == 0; child = child->next)
        rc = child->string != NULL && strcmp(child->string, key) == 0
                 ? take_value(found, child, err)
                 : take_all(found, child, err);
    return rc;
}

int spec_read_weights(struct spec_weights **out, int *count, cJSON *merged, const char *name,
                      struct error *err)
{
    struct found found = { .count = 0 };

    snprintf(found.where, sizeof found.where, "%.250s: %s", name,
             settings_table[TRAIN_INIT_FROM].key);
    int rc = take_all(&found, merged, err);

    *out = found.items;
    *count = found.count;
    return rc;
}

static char *weights_path(const char *workspace, const char *hash)
{
    return format_string("%s/weights/%s.safetensors", workspace, hash);
}

/* Writes fd's content to a file of another name, synced. */
static int write_copy(char hash[65], const char *aside, int fd, const char *path,
                      struct error *err)
{
    int copy = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (copy < 0)
        return error_set(err, error_code_from_errno(errno), "%s: %s", aside, strerror(errno));
    int rc = pass_on(hash, fd, copy, path, err);
    if (rc == 0 && fsync(copy) < 0)
        rc = error_set(err, error_code_from_errno(errno), "%s: %s", aside, strerror(errno));
    close(copy);
    return rc;
}

/* Copies fd's content under its hash. */
static int copy_weights(char hash[65], const char *workspace, int fd, const char *path,
                        struct error *err)
{
    char *folder = file_join(workspace, "weights"), *to = NULL;
    char *aside = folder == NULL ? NULL : format_string("%s/.%ld.new", folder, (long)getpid());
    int rc =
        aside == NULL ? error_no_memory(err, "a path") : file_make_directories(folder, err);

    if (rc == 0)
        rc = write_copy(hash, aside, fd, path, err);
    if (rc == 0 && (to = weights_path(workspace, hash)) == NULL)
        rc = error_no_memory(err, "a path");
    if (rc == 0 && rename(aside, to) < 0)
        rc = error_set(err, error_code_from_errno(errno), "%s: %s", to, strerror(errno));
    if (rc == 0)
        rc = file_sync_directory(folder, err);
    else if (aside != NULL)
        unlink(aside);
    free(to);
    free(aside);
    free(folder);
    return rc;
}

/* *whole: the workspace has the file, and it is not cut short. */
static int find_whole(bool *whole, const char *workspace, const char *hash, struct error *err)
{
    char *path = weights_path(workspace, hash);
    int rc =
        path == NULL ? error_no_memory(err, "a path") : checkpoint_file_check(whole, path, err);

    free(path);
    return rc;
}

int spec_import_weights(char hash[65], const struct workspace *workspace, const char *path,
                        struct error *err)
{
    bool there = false;
    int fd = -1;
    int rc = open_weights(&fd, path, "weights", err);

    if (rc < 0)
        return rc;
    rc = pass_on(hash, fd, -1, path, err);
    if (rc == 0)
        rc = find_whole(&there, workspace->path, hash, err);
    if (rc == 0 && !there)
        rc = copy_weights(hash, workspace->path, fd, path, err);
    close(fd);
    return rc;
}

int spec_find_weights(bool *there, const char *workspace, const char *hash, struct error *err)
{
    char *path = workspace == NULL ? NULL : weights_path(workspace, hash);

    *there = path != NULL && file_exists(path);
    if (workspace != NULL && path == NULL)
        return error_no_memory(err, "a path");
    free(path);
    return 0;
}
