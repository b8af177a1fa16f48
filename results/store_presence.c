/* store_presence.c - looks for the files of the database in a workspace. */
#include "store_presence.h"

#include "error.h"
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

int store_check_file(const char *path, struct error *err)
{
    struct stat status;

    if (stat(path, &status) != 0 && errno == EACCES)
        return error_set(
            err, ERROR_ENVIRONMENT,
            "%s: permission denied; whoever owns the workspace may let you read it "
            "(chmod a+rX)",
            path);
    if (!file_exists(path))
        return error_set(err, ERROR_ABSENT,
                         "%s does not exist: nothing was queued in this workspace yet (`hrmlab "
                         "run SPEC` does; --workspace names another one)",
                         path);
    return 0;
}

int store_is_pending(bool *out, const char *workspace, struct error *err)
{
    char *ready = file_join(workspace, STORE_READY);
    int rc = ready == NULL ? error_no_memory(err, "a path") : 0;

    *out = rc == 0 && file_exists(ready);
    free(ready);
    return rc;
}

int store_find_lost(bool *lost, const char *workspace, struct error *err)
{
    char *path = file_join(workspace, "results.db"), *runs = file_join(workspace, "runs");
    bool looks = path != NULL && runs != NULL && !file_exists(path);
    DIR *directory = looks ? opendir(runs) : NULL;
    bool no_memory =
        path == NULL || runs == NULL || (looks && directory == NULL && errno == ENOMEM);

    *lost = false;
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        *lost = *lost || entry->d_name[0] != '.';
    if (directory != NULL)
        closedir(directory);
    free(path);
    free(runs);
    return no_memory ? error_no_memory(err, "a path") : 0;
}

int store_check_workspace(const char *workspace, bool present, struct error *err)
{
    bool pending = false, lost = false;
    int rc = store_is_pending(&pending, workspace, err);

    if (rc == 0 && present)
        rc = store_find_lost(&lost, workspace, err);
    if (rc == 0 && pending)
        return error_set(err, ERROR_DATABASE,
                         "%s: hrmlab rebuild was interrupted just before its new database took "
                         "the old one's place; give hrmlab rebuild again",
                         workspace);
    if (rc == 0 && lost)
        return error_set(
            err, ERROR_DATABASE,
            "%s/results.db does not exist, but the workspace has runs; hrmlab rebuild "
            "makes a new one from the specs and journals",
            workspace);
    return rc;
}

int store_require_present(const char *workspace, struct error *err)
{
    char *path = file_join(workspace, "results.db");
    int rc = path == NULL ? error_no_memory(err, "a path")
                          : store_check_workspace(workspace, true, err);

    if (rc == 0)
        rc = store_check_file(path, err);
    free(path);
    return rc;
}
