/* store_check.c - whether the database is sound, page by page. */
#include "store.h"

#include "error.h"
#include "sql.h"

#include <stdlib.h>
#include <string.h>

/* When an allocation fails, SQLite reports the page like a damaged one, "unable to get
 * the page. error code=7". */
static bool ran_out_of_memory(const char *finding)
{
    const char *code = strstr(finding, "error code=");

    return code != NULL && (atoi(code + strlen("error code=")) & 0xff) == SQLITE_NOMEM;
}

static int look(struct store *store, bool *sound, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err, "PRAGMA quick_check", "");

    *sound = false;
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc > 0) {
        const char *finding = (const char *)sqlite3_column_text(s, 0);

        *sound = finding != NULL && strcmp(finding, "ok") == 0;
        rc = finding == NULL || ran_out_of_memory(finding)
                 ? error_set(err, ERROR_NOMEM, "no memory to check the database")
                 : 0;
        sql_end(&s);
    }
    return rc;
}

/* Real damage is found again in a second check. A constraint that could not be
 * evaluated because an allocation failed is reported as one that failed. */
int store_is_sound(struct store *store, bool *sound, struct error *err)
{
    int rc = look(store, sound, err);

    return rc == 0 && !*sound ? look(store, sound, err) : rc;
}

int store_require_sound(struct store *store, struct error *err)
{
    bool sound = false;
    int rc = store_is_sound(store, &sound, err);

    if (rc == 0 && !sound)
        rc = error_set(
            err, ERROR_DATABASE,
            "%s is damaged; hrmlab rebuild makes a new one from the specs and journals",
            sqlite3_db_filename(store_connection(store), "main"));
    return rc;
}
