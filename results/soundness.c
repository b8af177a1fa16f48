/* soundness.c - PRAGMA quick_check, and when it need not be repeated. */
#include "soundness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "file.h"

/* ---- The check. ---- */

/* Whether a finding of quick_check is a failed allocation, which SQLite reports like a
 * damaged page, "unable to get the page. error code=7". */
static bool ran_out_of_memory(const char *finding)
{
    const char *code = strstr(finding, "error code=");

    return code != NULL && (atoi(code + strlen("error code=")) & 0xff) == SQLITE_NOMEM;
}

int soundness_check(sqlite3 *db, bool *sound)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check", -1, &statement, NULL);

    *sound = false;
    if (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *finding = (const char *)sqlite3_column_text(statement, 0);

        rc = finding == NULL || ran_out_of_memory(finding) ? SQLITE_NOMEM : SQLITE_OK;
        *sound = rc == SQLITE_OK && strcmp(finding, "ok") == 0;
    }
    sqlite3_finalize(statement);
    return rc;
}

/* ---- The files. ---- */

int soundness_check_files(const char *database, struct error *err)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
    int rc = 0;

    for (size_t i = 0; i < sizeof ends / sizeof *ends && rc == 0; i++) {
        char *file = format_string("%s%s", database, ends[i]);
        struct error fault = { 0 };

        rc = file == NULL ? error_no_memory(err, "a file name")
                          : file_check_regular(file, &fault);
        if (rc == ERROR_FORMAT)
            rc = error_set(err, ERROR_DATABASE, "%s; move it away%s", fault.message,
                           i > 0 ? "" : ", and hrmlab rebuild makes a new database");
        else if (fault.code != 0) /* for the caller, who opens it, to say */
            rc = 0;
        free(file);
    }
    return rc;
}

/* ---- The note. ---- */

enum { NOTE_SIZE = 128 };

/* The state of the file as one line. false: there is no file. */
static bool describe_state(char line[NOTE_SIZE], const char *database)
{
    struct stat s;

    if (stat(database, &s) != 0)
        return false;
    snprintf(line, NOTE_SIZE, "size %jd inode %ju changed %jd.%09ld\n", (intmax_t)s.st_size,
             (uintmax_t)s.st_ino, (intmax_t)s.st_ctim.tv_sec, s.st_ctim.tv_nsec);
    return true;
}

static char *note_name(const char *database)
{
    return format_string("%s.sound", database);
}

bool soundness_is_noted(const char *database)
{
    char now[NOTE_SIZE], *noted = NULL;
    char *name = note_name(database);
    size_t size;
    bool same = name != NULL && file_read(&noted, &size, name, NOTE_SIZE, NULL) == 0 &&
                describe_state(now, database) && strcmp(now, noted) == 0;

    free(noted);
    free(name);
    return same;
}

void soundness_note(const char *database)
{
    char line[NOTE_SIZE];
    char *name = note_name(database);

    /* a new file, since the old one may be another user's */
    if (name != NULL && describe_state(line, database) &&
        (unlink(name) == 0 || errno == ENOENT)) {
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        ssize_t written = fd >= 0 ? write(fd, line, strlen(line)) : -1;

        (void)written; /* a part of a line equals no state */
        if (fd >= 0)
            close(fd);
    }
    free(name);
}
