/* database.c - store_open() and a look at every page. */
#include "database.h"

#include "error.h"
#include "store.h"

#include <stddef.h>

int database_open(struct store **out, const struct workspace *workspace, struct error *err)
{
    int rc = store_open(out, workspace->path, STORE_WRITE, err);

    if (rc == 0)
        rc = store_require_sound(*out, err);
    if (rc < 0) {
        store_close(*out);
        *out = NULL;
    }
    return rc;
}
