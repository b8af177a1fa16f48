/* database.c - store_open() and a look at every page. */
#include "database.h"

#include "error.h"
#include "status_query.h"
#include "store.h"

int database_open(struct store **out, const struct workspace *workspace, struct error *err)
{
    bool sound = false;
    int rc = store_open(out, workspace->path, STORE_WRITE, err);

    if (rc < 0)
        return rc;
    rc = status_check_database(*out, &sound, err);
    if (rc == 0 && !sound)
        rc =
            error_set(err, ERROR_DATABASE,
                      "%s/results.db is damaged; hrmlab rebuild makes a new one from the specs "
                      "and journals",
                      workspace->path);
    if (rc < 0) {
        store_close(*out);
        *out = NULL;
    }
    return rc;
}
