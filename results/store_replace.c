/* store_replace.c - completes the new database under another name, then renames both
 * databases. */
#include "store_replace.h"

#include "clock.h"
#include "error.h"
#include "file.h"
#include "store.h"
#include "store_presence.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char OLD[] = "results.db";
static const char NEW[] = "results.db.new";

/* Suffixes of the files that SQLite creates beside a database. */
static const char *const COMPANIONS[] = { "-wal", "-shm", "-journal" };
enum { COMPANION_COUNT = sizeof COMPANIONS / sizeof *COMPANIONS };

/* workspace/name + end. Newly allocated. */
static char *path_of(const char *workspace, const char *name, const char *end)
{
    return format_string("%s/%s%s", workspace, name, end);
}

static int remove_file(const char *workspace, const char *name, const char *end,
                       struct error *err)
{
    char *path = path_of(workspace, name, end);
    int rc = path == NULL ? error_no_memory(err, "a path") : 0;

    if (rc == 0 && unlink(path) != 0 && errno != ENOENT)
        rc = error_set(err, error_code_from_errno(errno), "remove %s: %s", path,
                       strerror(errno));
    free(path);
    return rc;
}

static int remove_companions(const char *workspace, const char *name, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < COMPANION_COUNT && rc == 0; i++)
        rc = remove_file(workspace, name, COMPANIONS[i], err);
    return rc;
}

/* Renames a file of the workspace; one that does not exist is skipped. */
static int rename_file(const char *workspace, const char *from_name, const char *from_end,
                       const char *to_name, const char *to_end, bool *moved, struct error *err)
{
    char *from = path_of(workspace, from_name, from_end);
    char *to = path_of(workspace, to_name, to_end);
    int rc = from == NULL || to == NULL ? error_no_memory(err, "a path") : 0;

    *moved = rc == 0 && rename(from, to) == 0;
    if (rc == 0 && !*moved && errno != ENOENT)
        rc = error_set(err, error_code_from_errno(errno), "rename %s to %s: %s", from, to,
                       strerror(errno));
    free(from);
    free(to);
    return rc;
}

enum { HOLD_TIMEOUT_MS = 30000 };

/* Opens the old database such that closing the last connection does not change it. */
static int open_old(sqlite3 **out, const char *path)
{
    int code = sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_db_config(*out, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(*out, HOLD_TIMEOUT_MS);
    return code;
}

struct store_hold {
    sqlite3 *db; /* owned; its transaction is open */
};

/* Waits for other writers. Returns an SQLite code. */
static int begin_hold(sqlite3 **out, const char *path)
{
    int code = open_old(out, path);

    if (code == SQLITE_OK)
        code = sqlite3_exec(*out, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    return code;
}

int store_hold(struct store_hold **held, const char *workspace, struct error *err)
{
    struct store_hold *hold = calloc(1, sizeof *hold);
    char *path = path_of(workspace, OLD, "");
    int code = SQLITE_OK;

    *held = NULL;
    if (hold == NULL || path == NULL) {
        free(hold);
        free(path);
        return error_no_memory(err, "a path");
    }
    if (file_exists(path))
        code = begin_hold(&hold->db, path);
    free(path);
    if (code == SQLITE_OK && hold->db != NULL) {
        *held = hold;
        return 0;
    }
    /* there is no database, or it is damaged or read-only: no process can write to
     * it */
    store_let_go(hold);
    if ((code & 0xff) == SQLITE_NOMEM)
        return error_no_memory(err, "a path");
    return (code & 0xff) != SQLITE_BUSY
               ? 0
               : error_set(
                     err, ERROR_BUSY,
                     "workspace %s: another command is writing to the database; try again",
                     workspace);
}

void store_let_go(struct store_hold *held)
{
    if (held != NULL)
        sqlite3_close(held->db);
    free(held);
}

int store_create(struct store **out, const char *workspace, struct error *err)
{
    int rc = remove_companions(workspace, NEW, err);

    *out = NULL;
    if (rc == 0)
        rc = remove_file(workspace, NEW, "", err);
    return rc < 0 ? rc : store_open_file(out, workspace, NEW, STORE_WRITE, err);
}

void store_discard(const char *workspace)
{
    if (remove_file(workspace, NEW, "", NULL) == 0)
        remove_companions(workspace, NEW, NULL);
}

/* Moves the contents of the write-ahead log into the database file, and syncs the
 * file. */
static int complete(struct store *store, const char *workspace, struct error *err)
{
    int rc = 0;

    if (sqlite3_exec(store_connection(store), "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL,
                     NULL) != SQLITE_OK)
        rc = store_error(store, "complete the new database", err);
    store_close(store);
    return rc == 0 ? remove_companions(workspace, NEW, err) : rc;
}

int store_replace(struct store *store, const char *workspace, char **kept, struct error *err)
{
    bool moved;
    int rc = complete(store, workspace, err);

    *kept = NULL;
    if (rc == 0)
        rc = rename_file(workspace, NEW, "", STORE_READY, "", &moved, err);
    if (rc == 0)
        rc = file_sync_directory(workspace, err);
    return rc < 0 ? rc : store_finish_replacing(workspace, kept, err);
}

/* "results.db.before-TIME", where TIME is when the new database was completed, so that
 * a second try after a crash uses the same name. NULL without an error: nothing is
 * pending. */
static int name_before(char **out, const char *workspace, struct error *err)
{
    char time[CLOCK_ISO_SIZE];
    struct stat status;
    char *ready = path_of(workspace, STORE_READY, "");

    *out = NULL;
    if (ready == NULL)
        return error_no_memory(err, "a path");
    bool pending = stat(ready, &status) == 0;
    free(ready);
    if (!pending)
        return 0;
    clock_iso(time, (double)status.st_mtim.tv_sec + 1e-9 * (double)status.st_mtim.tv_nsec);
    *out = format_string("results.db.before-%s", time);
    return *out == NULL ? error_no_memory(err, "a path") : 0;
}

int store_finish_replacing(const char *workspace, char **kept, struct error *err)
{
    char *before = NULL;
    bool moved;
    int rc = name_before(&before, workspace, err);

    *kept = NULL;
    if (rc < 0 || before == NULL)
        return rc;
    char *path = path_of(workspace, before, "");
    if (path == NULL)
        rc = error_no_memory(err, "a path");
    for (int i = 0; i < COMPANION_COUNT && rc == 0; i++)
        rc = rename_file(workspace, OLD, COMPANIONS[i], before, COMPANIONS[i], &moved, err);
    if (rc == 0)
        rc = rename_file(workspace, OLD, "", before, "", &moved, err);
    if (rc == 0)
        /* the old database's files have all been renamed */
        rc = file_sync_directory(workspace, err);
    if (rc == 0)
        rc = rename_file(workspace, STORE_READY, "", OLD, "", &moved, err);
    if (rc == 0)
        rc = file_sync_directory(workspace, err);
    /* also if an earlier try renamed it */
    if (rc == 0 && file_exists(path))
        *kept = path;
    else
        free(path);
    free(before);
    return rc;
}
