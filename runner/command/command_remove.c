/* command_remove.c - removes an experiment from the store; gc then deletes its runs. */
#include "database.h"
#include "error.h"
#include "file.h"
#include "garbage.h"
#include "log.h"
#include "mark.h"
#include "mark_file.h"
#include "options.h"
#include "query.h"
#include "removed_mark.h"
#include "store.h"
#include "workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Checks that the experiment exists, and that it has no open jobs of its own. */
static int check(const struct garbage_experiment *experiment, const char *name,
                 struct error *err)
{
    if (experiment->id == 0)
        return error_set(err, ERROR_ABSENT, "%s: no such experiment; hrmlab status lists them",
                         name);
    if (experiment->open > 0)
        return error_set(err, ERROR_FORMAT,
                         "%s: %d of its runs %s queued or running; hrmlab cancel %s first",
                         name, experiment->open, experiment->open == 1 ? "is" : "are", name);
    return 0;
}

static int check_kept(struct store *store, const char *name, struct error *err)
{
    char *what = NULL;
    int rc = mark_find_kept(store, &what, name, err);

    if (rc == 0 && what != NULL)
        rc =
            error_set(err, ERROR_FORMAT,
                      "%s: %s is kept; hrmlab keep lists what is, keep TARGET --remove ends it",
                      name, what);
    free(what);
    return rc;
}

/* Deletes the experiment's rows. *own lists the runs that no experiment has any
 * more; newly allocated. */
static int delete_rows(struct garbage_experiment *experiment, char (**own)[65], int *count,
                       struct store *store, const struct workspace *workspace, const char *name,
                       struct error *err)
{
    int rc = store_begin(store, err);

    if (rc < 0)
        return rc;
    rc = garbage_find_experiment(store, experiment, name, err);
    if (rc == 0)
        rc = check(experiment, name, err);
    if (rc == 0)
        rc = check_kept(store, name, err);
    if (rc == 0)
        rc = garbage_own_runs(store, own, count, experiment->id, err);
    if (rc == 0)
        rc = garbage_delete_experiment(store, experiment->id, err);
    if (rc == 0)
        rc = mark_delete_experiment(store, name, err);
    if (rc == 0)
        rc = mark_file_write(workspace, store, err);
    if (rc == 0)
        rc = store_commit(store, err);
    if (rc < 0)
        store_rollback(store);
    return rc;
}

/* Deletes the spec and marks the runs, so that a rebuild finds neither. If this is
 * interrupted, a rebuild restores the experiment, and nothing is lost. */
static int settle_files(const struct workspace *workspace,
                        const struct garbage_experiment *experiment, char (*own)[65], int count,
                        struct error *err)
{
    int rc = 0;

    for (int i = 0; i < count && rc == 0; i++)
        rc = removed_mark_set(workspace, own[i], err);
    if (rc < 0 || experiment->spec_file[0] == '\0')
        return rc;
    char *path = workspace_path(workspace, experiment->spec_file);
    if (path == NULL)
        return error_no_memory(err, "a path");
    rc = file_remove_tree(path, err);
    free(path);
    return rc;
}

int command_remove(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    struct garbage_experiment experiment = { 0 };
    char name[EXPERIMENT_NAME_SIZE];
    char(*own)[65] = NULL;
    int count = 0;
    int rc = workspace_find(&workspace, options->workspace, err);

    (void)exit_code;
    if (rc == 0)
        rc = database_open(&store, &workspace, err);
    if (rc == 0)
        rc = experiment_name(store, name, options->arguments[0], err);
    if (rc == 0)
        rc = delete_rows(&experiment, &own, &count, store, &workspace, name, err);
    if (rc == 0)
        rc = settle_files(&workspace, &experiment, own, count, err);
    if (rc == 0)
        log_info("%s is removed; %d of its %d runs belong%s to no other experiment%s", name,
                 count, experiment.runs, count == 1 ? "s" : "",
                 count > 0 ? "; hrmlab gc lists and deletes their files" : "");
    free(own);
    free(experiment.spec_file);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}
