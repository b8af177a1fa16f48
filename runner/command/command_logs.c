/* command_logs.c - prints the log of a run's worker, once or continuously. */
#include "error.h"
#include "file.h"
#include "log.h"
#include "options.h"
#include "status_query.h"
#include "store.h"
#include "text.h"
#include "workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Prints what the file has after *offset, without control characters. A missing file
 * is empty. */
static int print_new(const char *path, off_t *offset, struct error *err)
{
    char buffer[8192];
    ssize_t count = 0;
    int fd, rc = file_open(&fd, path, O_RDONLY, err);

    if (rc < 0)
        return rc == ERROR_ABSENT ? 0 : rc;
    while ((count = pread(fd, buffer, sizeof buffer, *offset)) > 0) {
        size_t whole = text_whole_characters(buffer, (size_t)count);

        if (whole == 0) /* an incomplete UTF-8 sequence */
            whole = (size_t)count;
        *offset += (off_t)whole;
        fwrite(buffer, 1, text_make_printable(buffer, whole, "\n\t"), stdout);
    }
    if (count < 0)
        rc = error_set(err, ERROR_IO, "read %s: %s", path, strerror(errno));
    close(fd);
    if (fflush(stdout) != 0 && rc == 0)
        rc = error_set(err, ERROR_IO, "standard output cannot be written");
    return rc;
}

/* Prints the log of the run's last attempt. When following: continues with new
 * attempts until the run has no open job. */
static int print_logs(struct store *store, const struct workspace *workspace,
                      const struct options *options, struct error *err)
{
    char hash[65], directory[160] = "", before[160] = "";
    off_t offset = 0;

    for (;;) {
        bool open = false;
        int rc = status_find_run(store, options->arguments[0], hash, directory, err);
        if (rc == 0 && options->follow)
            rc = status_run_is_open(store, &open, hash, err);
        if (rc < 0)
            return rc;
        if (directory[0] == '\0' && !open)
            return error_set(err, ERROR_ABSENT, "run %.12s has not been tried yet", hash);
        if (strcmp(directory, before) != 0) {
            offset = 0;
            memcpy(before, directory, sizeof before);
        }
        char *path = format_string("%s/%s/log", workspace->path, directory);
        rc = path == NULL           ? error_set(err, ERROR_NOMEM, "no memory for a path")
             : directory[0] == '\0' ? 0
                                    : print_new(path, &offset, err);
        free(path);
        if (rc == 0 && !options->follow && offset == 0)
            log_info("the log of run %.12s is empty; hrmlab status shows its progress", hash);
        if (rc < 0 || !open)
            return rc;
        nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
    }
}

int command_logs(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    int rc = workspace_find(&workspace, options->workspace, err);

    (void)exit_code;
    if (rc == 0)
        rc = store_open(&store, workspace.path, STORE_READ, err);
    if (rc == 0)
        rc = print_logs(store, &workspace, options, err);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}
