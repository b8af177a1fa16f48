/* garbage_collect.c - goes through all runs and counts or deletes garbage by reason. */
#include "garbage_collect.h"

#include "checkpoint_file.h"
#include "executors.h"
#include "facts_name.h"
#include "file.h"
#include "garbage.h"
#include "names.h"
#include "predictions_name.h"
#include "process.h"
#include "record.h"
#include "removed_mark.h"
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Prefix of directories that are being deleted: runs/.gc-HASH. A rebuild ignores
 * hidden names. */
static const char DOOMED[] = ".gc-";

const char *garbage_reason_text(enum garbage_reason reason)
{
    static const char *const texts[GARBAGE_REASONS] = {
        [GARBAGE_RUNS] = "runs of no experiment",
        [GARBAGE_CHECKPOINTS] = "checkpoints but the last",
        [GARBAGE_PREDICTIONS] = "predictions (hrmlab revote needs them)",
        [GARBAGE_SUPERSEDED] = "checkpoints of superseded attempts",
        [GARBAGE_LEFTOVERS] = "unfinished files",
        [GARBAGE_SUBMISSIONS] = "scripts of ended jobs",
        [GARBAGE_REPETITIONS] = "trainings that verify left",
        [GARBAGE_CACHES] = "caches",
    };

    return texts[reason];
}

struct collector {
    struct garbage_summary *out;
    struct store *store;
    const struct workspace *workspace;
    bool act;
};

/* result of the current walk: nftw() passes no argument to its callback */
static int64_t tree_bytes;

static int add_bytes(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)path;
    (void)type;
    (void)ftw;
    tree_bytes += (int64_t)status->st_blocks * 512;
    return 0;
}

/* Counts a file or a tree, and its bytes on disk: 0 if it does not exist. */
static int count(struct collector *c, enum garbage_reason reason, const char *path,
                 struct error *err)
{
    enum { OPEN_DIRECTORIES = 16 };

    tree_bytes = 0;
    bool whole = nftw(path, add_bytes, OPEN_DIRECTORIES, FTW_PHYS) == 0;

    if (!whole && errno == ENOMEM)
        return error_no_memory(err, "a list of files");
    c->out->of[reason].items++;
    c->out->of[reason].bytes += whole ? tree_bytes : 0;
    return 0;
}

/* Counts, and with act deletes, a file or tree that nothing refers to. */
static int take(struct collector *c, enum garbage_reason reason, const char *path,
                struct error *err)
{
    int rc = count(c, reason, path, err);

    return rc == 0 && c->act ? file_remove_tree(path, err) : rc;
}

static bool has_end(const char *name, const char *end)
{
    size_t length = strlen(name), part = strlen(end);

    return length > part && strcmp(name + length - part, end) == 0;
}

/* ---- runs of experiments ---- */

/* Collects files of one attempt. last: the run's final checkpoint, relative to the
 * workspace. */
static int collect_attempt(struct collector *c, const char *directory, const char *last,
                           struct error *err)
{
    struct names names = { 0 };
    char *absolute = workspace_path(c->workspace, directory);
    size_t length = strlen(directory);
    bool finished = strncmp(last, directory, length) == 0 && last[length] == '/';
    int rc =
        absolute == NULL ? error_no_memory(err, "a path") : names_read(&names, absolute, err);

    for (int i = 0; i < names.count && rc == 0; i++) {
        const char *name = names.items[i];
        char *path = file_join(absolute, name);

        if (path == NULL)
            rc = error_no_memory(err, "a path");
        else if (has_end(name, ".tmp") || has_end(name, ".new"))
            rc = take(c, GARBAGE_LEFTOVERS, path, err);
        else if (predictions_name_is(name))
            rc = take(c, GARBAGE_PREDICTIONS, path, err);
        else if (has_end(name, ".safetensors") &&
                 !(finished && strcmp(last + length + 1, name) == 0))
            rc = take(c, finished ? GARBAGE_CHECKPOINTS : GARBAGE_SUPERSEDED, path, err);
        free(path);
    }
    names_release(&names);
    free(absolute);
    return rc;
}

/* Collects files of a run that an experiment has. Without a complete final
 * checkpoint, every checkpoint from which the run could resume is needed. */
static int collect_wanted(struct collector *c, const struct garbage_run *run, struct error *err)
{
    struct names names = { 0 };
    char *last = workspace_path(c->workspace, run->checkpoint);
    char *attempts = format_string("%s/runs/%s/attempts", c->workspace->path, run->hash);
    bool whole = false;
    int rc = last == NULL || attempts == NULL ? error_no_memory(err, "a path") : 0;

    if (rc == 0 && run->checkpoint[0] != '\0')
        rc = checkpoint_file_check(&whole, last, err);
    if (rc == 0 && whole)
        rc = names_read(&names, attempts, err);
    for (int i = 0; i < names.count && rc == 0; i++) {
        char *directory = format_string("runs/%s/attempts/%s", run->hash, names.items[i]);
        rc = directory == NULL ? error_no_memory(err, "a path")
                               : collect_attempt(c, directory, run->checkpoint, err);
        free(directory);
    }
    names_release(&names);
    free(attempts);
    free(last);
    return rc;
}

/* ---- runs of no experiment ---- */

/* Renames the directory of a run, if it exists, to a hidden name. *doomed: that
 * path, newly allocated. */
static int hide_run(char **doomed, struct collector *c, const char *hash, struct error *err)
{
    char *path = format_string("%s/runs/%s", c->workspace->path, hash);
    int rc = 0;

    *doomed = format_string("%s/runs/%s%s", c->workspace->path, DOOMED, hash);
    if (path == NULL || *doomed == NULL)
        rc = error_no_memory(err, "a path");
    else if (rename(path, *doomed) < 0 && errno != ENOENT)
        rc = error_set(err, ERROR_IO, "rename %s: %s", path, strerror(errno));
    free(path);
    return rc;
}

/* Hides the run's directory, deletes the run from the database, then deletes the
 * directory. An interruption leaves a run without files (which is trained again if
 * needed), or a hidden directory. */
static int delete_run(struct collector *c, const struct garbage_run *run, struct error *err)
{
    char *doomed = NULL;
    bool unwanted = false;
    int rc = store_begin(c->store, err);

    if (rc < 0)
        return rc;
    rc = garbage_is_unwanted(c->store, &unwanted, run->run_id, err);
    if (rc == 0 && unwanted)
        rc = hide_run(&doomed, c, run->hash, err);
    if (rc == 0 && unwanted)
        rc = garbage_delete_run(c->store, run->run_id, err);
    if (rc == 0)
        rc = store_commit(c->store, err);
    if (rc < 0)
        store_rollback(c->store);
    if (rc == 0 && unwanted)
        rc = file_remove_tree(doomed, err);
    free(doomed);
    return rc;
}

static int collect_unwanted(struct collector *c, const struct garbage_run *run,
                            struct error *err)
{
    char *path = format_string("%s/runs/%s", c->workspace->path, run->hash);
    int rc = path == NULL ? error_no_memory(err, "a path") : count(c, GARBAGE_RUNS, path, err);

    free(path);
    return rc == 0 && c->act ? delete_run(c, run, err) : rc;
}

/* ---- directories without a run, caches ---- */

/* Deletes what an interrupted gc left. */
static int collect_doomed(struct collector *c, const char *runs, struct error *err)
{
    DIR *directory = opendir(runs);
    int rc = directory == NULL && errno == ENOMEM ? error_no_memory(err, "a list of runs") : 0;

    for (struct dirent *entry;
         rc == 0 && directory != NULL && (entry = readdir(directory)) != NULL;) {
        if (strncmp(entry->d_name, DOOMED, sizeof DOOMED - 1) != 0)
            continue;
        char *path = file_join(runs, entry->d_name);
        rc = path == NULL ? error_no_memory(err, "a path")
                          : take(c, GARBAGE_LEFTOVERS, path, err);
        free(path);
    }
    if (directory != NULL)
        closedir(directory);
    return rc;
}

/* Collects directories of runs that the database does not know: only those that
 * remove has marked. */
static int collect_unknown(struct collector *c, const char *runs, struct error *err)
{
    struct names names = { 0 };
    int rc = names_read(&names, runs, err);

    for (int i = 0; i < names.count && rc == 0; i++) {
        bool known = false;
        rc = garbage_knows_run(c->store, &known, names.items[i], err);
        if (rc < 0 || known)
            continue;
        bool removed = false;
        char *path = file_join(runs, names.items[i]);
        rc = path == NULL ? error_no_memory(err, "a path")
                          : removed_mark_find(&removed, c->workspace, names.items[i], err);
        if (rc == 0 && removed)
            rc = take(c, GARBAGE_RUNS, path, err);
        else if (rc == 0)
            c->out->unknown++;
        free(path);
    }
    names_release(&names);
    return rc;
}

/* Collects what describe has cached. Other files there are the user's, such as data
 * sets. */
static int collect_caches(struct collector *c, struct error *err)
{
    struct names names = { 0 };
    char *directory = workspace_path(c->workspace, "data");
    int rc =
        directory == NULL ? error_no_memory(err, "a path") : names_read(&names, directory, err);

    for (int i = 0; i < names.count && rc == 0; i++) {
        if (!facts_name_is(names.items[i]))
            continue;
        char *path = file_join(directory, names.items[i]);
        rc = path == NULL ? error_no_memory(err, "a path") : take(c, GARBAGE_CACHES, path, err);
        free(path);
    }
    names_release(&names);
    free(directory);
    return rc;
}

/* ---- files of executors ---- */

/* *needed: an attempt that has not ended needs the file of the executor's folder. */
static int is_needed(bool *needed, const struct collector *c, const struct executor_type *type,
                     const struct record_attempt *open, int count, const char *file,
                     struct error *err)
{
    *needed = false;
    for (int i = 0; i < count && !*needed; i++) {
        if (strcmp(open[i].executor, type->name) != 0)
            continue;
        char *directory = workspace_path(c->workspace, open[i].directory);
        if (directory == NULL)
            return error_no_memory(err, "a path");
        *needed = type->needs_file(directory, open[i].place, file);
        free(directory);
    }
    return 0;
}

/* Collects the files of an executor's folder that no open attempt needs. */
static int collect_folder(struct collector *c, const struct executor_type *type,
                          const struct record_attempt *open, int count, struct error *err)
{
    struct names names = { 0 };
    char *folder = workspace_path(c->workspace, type->folder);
    int rc = folder == NULL ? error_no_memory(err, "a path") : names_read(&names, folder, err);

    for (int i = 0; i < names.count && rc == 0; i++) {
        bool needed;
        rc = is_needed(&needed, c, type, open, count, names.items[i], err);
        if (rc < 0 || needed)
            continue;
        char *path = file_join(folder, names.items[i]);
        rc = path == NULL ? error_no_memory(err, "a path")
                          : take(c, GARBAGE_SUBMISSIONS, path, err);
        free(path);
    }
    names_release(&names);
    free(folder);
    return rc;
}

static int collect_submissions(struct collector *c, struct error *err)
{
    struct record_attempt *open = NULL;
    int count = 0, rc = record_open_attempts(c->store, &open, &count, err);

    for (int i = 0; EXECUTORS[i] != NULL && rc == 0; i++)
        if (EXECUTORS[i]->folder != NULL)
            rc = collect_folder(c, EXECUTORS[i], open, count, err);
    free(open);
    return rc;
}

/* ---- what verify left ---- */

/* The process of a verify that trains in HASH-PID; 0: the name is not of this form. */
static long verifier_of(const char *name)
{
    char *end = NULL;
    size_t digits = strspn(name, "0123456789abcdef");
    long pid = name[digits] == '-' ? strtol(name + digits + 1, &end, 10) : 0;

    return pid > 0 && *end == '\0' ? pid : 0;
}

/* Collects the folders to which neither a verify nor its worker writes any more. */
static int collect_repetitions(struct collector *c, struct error *err)
{
    struct names names = { 0 };
    char *folder = workspace_path(c->workspace, "verify");
    int rc = folder == NULL ? error_no_memory(err, "a path") : names_read(&names, folder, err);

    for (int i = 0; i < names.count && rc == 0; i++) {
        long pid = verifier_of(names.items[i]);
        char *path = file_join(folder, names.items[i]);
        char *attempt = path != NULL ? file_join(path, "attempts/1") : NULL;

        if (attempt == NULL)
            rc = error_no_memory(err, "a path");
        else if (pid > 0 && process_start_time(pid) == 0 && process_find_keeper(attempt) == 0)
            rc = take(c, GARBAGE_REPETITIONS, path, err);
        free(attempt);
        free(path);
    }
    names_release(&names);
    free(folder);
    return rc;
}

static int collect_runs(struct collector *c, struct error *err)
{
    struct garbage_run *runs = NULL;
    int run_count = 0;
    int rc = garbage_runs(c->store, &runs, &run_count, err);

    for (int i = 0; i < run_count && rc == 0; i++) {
        if (runs[i].busy)
            c->out->busy++;
        else if (runs[i].kept)
            c->out->kept++;
        else
            rc = runs[i].wanted ? collect_wanted(c, &runs[i], err)
                                : collect_unwanted(c, &runs[i], err);
    }
    free(runs);
    return rc;
}

int garbage_collect(struct garbage_summary *out, struct store *store,
                    const struct workspace *workspace, bool act, struct error *err)
{
    struct collector c = { .out = out, .store = store, .workspace = workspace, .act = act };
    char *runs = workspace_path(workspace, "runs");
    int rc = runs == NULL ? error_no_memory(err, "a path") : 0;

    *out = (struct garbage_summary){ 0 };
    if (rc == 0)
        rc = collect_doomed(&c, runs, err);
    if (rc == 0)
        /* before runs are deleted from the database */
        rc = collect_unknown(&c, runs, err);
    if (rc == 0)
        rc = collect_runs(&c, err);
    if (rc == 0)
        rc = collect_submissions(&c, err);
    if (rc == 0)
        rc = collect_repetitions(&c, err);
    if (rc == 0)
        rc = collect_caches(&c, err);
    free(runs);
    return rc;
}
