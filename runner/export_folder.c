/* export_folder.c - a hidden folder that takes its place by one rename. */
#include "export_folder.h"

#include "error.h"
#include "file.h"
#include "json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int path_error(const char *what, const char *path, struct error *err)
{
    enum error_code code = error_code_from_errno(errno);

    return error_set(err, code == ERROR_ABSENT ? ERROR_IO : code, "%s %s: %s", what, path,
                     strerror(errno));
}

/* Whether the list of files that an earlier export.json has contains the name. */
static bool is_listed(const cJSON *manifest, const char *name)
{
    const cJSON *item;

    if (strcmp(name, "export.json") == 0)
        return true;
    cJSON_ArrayForEach(item, json_member(manifest, "files"))
    {
        if (cJSON_IsString(item) && strcmp(item->valuestring, name) == 0)
            return true;
    }
    return false;
}

/* Looks for entries of a folder that are not of an earlier export. *foreign: the name
 * of one, fresh; NULL: there is none. manifest NULL: every entry is one. */
static int find_foreign(char **foreign, const char *path, const cJSON *manifest,
                        struct error *err)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    int rc = 0;

    *foreign = NULL;
    if (directory == NULL)
        return path_error("open", path, err);
    while (rc == 0 && *foreign == NULL && (entry = readdir(directory)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            (manifest == NULL || !is_listed(manifest, entry->d_name))) {
            *foreign = strdup(entry->d_name);
            rc = *foreign == NULL ? error_no_memory(err, "a path") : 0;
        }
    closedir(directory);
    return rc;
}

/* The export.json of an earlier export in the folder; *out NULL: it is none. The only
 * error is ERROR_NOMEM. */
static int read_manifest(cJSON **out, const char *path, struct error *err)
{
    char *name = file_join(path, "export.json");
    struct error ignored;
    cJSON *manifest = NULL;
    int rc =
        name == NULL ? ERROR_NOMEM : json_read_file(&manifest, name, JSON_SPEC_LIMIT, &ignored);

    free(name);
    *out = rc == 0 ? manifest : NULL;
    const cJSON *format = json_member(*out, "format");

    if (!cJSON_IsString(format) || strncmp(format->valuestring, "hrmlab-export-", 14) != 0) {
        cJSON_Delete(*out);
        *out = NULL;
    }
    return rc == ERROR_NOMEM ? error_no_memory(err, "an earlier export") : 0;
}

/* Decides what becomes of a folder that exists. */
static int check_place(struct export_folder *folder, bool force, struct error *err)
{
    struct stat status;
    char *foreign = NULL;

    if (lstat(folder->path, &status) < 0)
        return errno == ENOENT ? 0 : path_error("look at", folder->path, err);
    if (!S_ISDIR(status.st_mode))
        return error_set(err, ERROR_FORMAT,
                         "export %s: this is no folder; name one that does not exist yet",
                         folder->path);
    int rc = find_foreign(&foreign, folder->path, NULL, err);

    if (rc < 0 || foreign == NULL)
        return rc; /* an empty one is replaced by the rename */
    free(foreign);
    foreign = NULL;
    cJSON *manifest = NULL;

    rc = read_manifest(&manifest, folder->path, err);
    if (rc == 0 && manifest == NULL)
        rc =
            error_set(err, ERROR_FORMAT,
                      "export %s: the folder is not empty and no earlier export; name one that "
                      "does not exist yet",
                      folder->path);
    else if (rc == 0 && !force)
        rc = error_set(err, ERROR_FORMAT,
                       "export %s: an earlier export is there; --force replaces it",
                       folder->path);
    else if (rc == 0)
        rc = find_foreign(&foreign, folder->path, manifest, err);
    if (rc == 0 && foreign != NULL)
        rc =
            error_set(err, ERROR_FORMAT,
                      "export %s: \"%.100s\" in it is not of the earlier export; move it away, "
                      "or name another folder",
                      folder->path, foreign);
    free(foreign);
    cJSON_Delete(manifest);
    folder->replace = rc == 0;
    return rc;
}

/* path without slashes at its end, and the hidden name beside it. */
static int name_folders(struct export_folder *folder, const char *path, struct error *err)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    folder->path = strndup(path, length);
    if (folder->path == NULL)
        return error_no_memory(err, "a path");
    const char *slash = strrchr(folder->path, '/');
    const char *name = slash != NULL ? slash + 1 : folder->path;

    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error_set(err, ERROR_FORMAT,
                         "export %s: expected the name of a new folder, such as out", path);
    folder->hidden =
        format_string("%.*s.%s.hrmlab-export", (int)(name - folder->path), folder->path, name);
    return folder->hidden != NULL ? 0 : error_no_memory(err, "a path");
}

/* Takes the lock of the hidden folder, which is made if there is none. */
static int lock_hidden(struct export_folder *folder, struct error *err)
{
    if (mkdir(folder->hidden, 0777) < 0 && errno != EEXIST)
        return path_error("create folder", folder->hidden, err);
    folder->lock_fd = open(folder->hidden, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->lock_fd < 0)
        return path_error("open", folder->hidden, err);
    if (flock(folder->lock_fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        close(folder->lock_fd);
        folder->lock_fd = -1;
        return error_set(
            err, ERROR_BUSY,
            "export %s: another hrmlab is writing this export; wait for it, or name "
            "another folder",
            folder->path);
    }
    return 0;
}

/* Removes all entries of the hidden folder. */
static int empty_hidden(const struct export_folder *folder, struct error *err)
{
    char *name = NULL;
    int rc;

    do {
        free(name);
        rc = find_foreign(&name, folder->hidden, NULL, err);
        char *path = rc == 0 && name != NULL ? file_join(folder->hidden, name) : NULL;

        if (path != NULL)
            rc = file_remove_tree(path, err);
        else if (rc == 0 && name != NULL)
            rc = error_no_memory(err, "a path");
        free(path);
    } while (rc == 0 && name != NULL);
    free(name);
    return rc;
}

int export_folder_begin(struct export_folder *out, const char *path, bool force,
                        struct error *err)
{
    *out = (struct export_folder){ .lock_fd = -1 };
    int rc = name_folders(out, path, err);

    if (rc == 0)
        rc = check_place(out, force, err);
    if (rc == 0)
        rc = lock_hidden(out, err);
    if (rc == 0)
        rc = empty_hidden(out, err);
    if (rc < 0)
        export_folder_release(out);
    return rc;
}

int export_folder_create(const struct export_folder *folder, FILE **out, const char *name,
                         struct error *err)
{
    char *path = file_join(folder->hidden, name);
    int rc = path == NULL ? error_no_memory(err, "a path") : 0;

    *out = NULL;
    if (rc == 0) {
        char *slash = strrchr(path, '/');

        *slash = '\0';
        rc = file_make_directories(path, err);
        *slash = '/';
    }
    if (rc == 0) {
        *out = fopen(path, "wxe");
        if (*out == NULL)
            rc = path_error("create", path, err);
    }
    free(path);
    return rc;
}

int export_folder_close(FILE *file, const char *name, struct error *err)
{
    int rc = 0;

    if (fflush(file) != 0 || ferror(file))
        rc = path_error("write", name, err);
    if (rc == 0 && fsync(fileno(file)) < 0 && errno != EINVAL)
        rc = path_error("sync", name, err);
    if (fclose(file) != 0 && rc == 0)
        rc = path_error("close", name, err);
    return rc;
}

/* The folder that holds the export, newly allocated; NULL: no memory. */
static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL   ? strdup(".")
           : slash == path ? strdup("/")
                           : strndup(path, (size_t)(slash - path));
}

/* Exchanges the earlier export with the new one and removes it. */
static int replace_earlier(const struct export_folder *folder, struct error *err)
{
    if (renameat2(AT_FDCWD, folder->hidden, AT_FDCWD, folder->path, RENAME_EXCHANGE) == 0)
        return file_remove_tree(folder->hidden, err);
    if (errno == EINVAL || errno == ENOSYS)
        return error_set(err, ERROR_IO,
                         "export %s: this file system cannot exchange two folders; remove the "
                         "earlier export, or name another folder",
                         folder->path);
    return path_error("replace", folder->path, err);
}

int export_folder_finish(struct export_folder *folder, struct error *err)
{
    char *parent = parent_of(folder->path); /* before anything takes its place */
    int rc = parent == NULL ? error_no_memory(err, "a path")
                            : file_sync_directory(folder->hidden, err);

    if (rc == 0 && folder->replace)
        rc = replace_earlier(folder, err);
    else if (rc == 0 && rename(folder->hidden, folder->path) < 0)
        rc = path_error("rename to", folder->path, err);
    if (rc == 0) {
        free(folder->hidden);
        folder->hidden = NULL;
        rc = file_sync_directory(parent, err);
    }
    free(parent);
    return rc;
}

void export_folder_release(struct export_folder *folder)
{
    struct error ignored; /* the next export there tries again */

    if (folder->lock_fd >= 0) {
        if (folder->hidden != NULL)
            error_ignore(file_remove_tree(folder->hidden, &ignored));
        close(folder->lock_fd);
    }
    free(folder->hidden);
    free(folder->path);
    *folder = (struct export_folder){ .lock_fd = -1 };
}
