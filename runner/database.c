/* database.c - opens and checks the database, and detects a copied workspace. */
#include "database.h"

#include "error.h"
#include "file.h"
#include "log.h"
#include "record.h"
#include "store.h"
#include "store_presence.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The database of a copied workspace lists the original's attempts, whose workers
 * the copy must not touch. */
static int note_place(struct store *store, const struct workspace *workspace, struct error *err)
{
    struct stat status;
    char *from;

    if (stat(workspace->path, &status) != 0)
        return error_set(err, error_code_from_errno(errno), "%s: %s", workspace->path,
                         strerror(errno));
    const struct record_workspace place = { .path = workspace->path,
                                            .device = (int64_t)status.st_dev,
                                            .inode = (int64_t)status.st_ino,
                                            .any_device = file_is_on_network(workspace->path) };
    int rc = record_workspace(store, &from, &place, err);
    if (rc == 0 && from != NULL)
        log_warning("this workspace is a copy of %s, or was moved from there to another file "
                    "system; workers running there are not touched",
                    from);
    free(from);
    return rc;
}

static int open_sound(struct store **out, const struct workspace *workspace, struct error *err)
{
    int rc = store_open(out, workspace->path, STORE_WRITE, err);

    if (rc == 0)
        rc = store_require_sound(*out, err);
    if (rc == 0)
        rc = note_place(*out, workspace, err);
    if (rc < 0) {
        store_close(*out);
        *out = NULL;
    }
    return rc;
}

int database_open(struct store **out, const struct workspace *workspace, struct error *err)
{
    int rc = store_require_present(workspace->path, err);

    *out = NULL;
    return rc == 0 ? open_sound(out, workspace, err) : rc;
}

int database_open_or_make(struct store **out, const struct workspace *workspace,
                          struct error *err)
{
    bool lost;
    int rc = store_find_lost(&lost, workspace->path, err);

    *out = NULL;
    if (rc == 0)
        rc = open_sound(out, workspace, err);
    if (rc == 0 && lost)
        log_warning("results.db did not exist and is new, but the workspace has runs; hrmlab "
                    "rebuild restores them");
    return rc;
}
