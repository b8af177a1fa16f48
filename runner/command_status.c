/* command_status.c - status, show and logs. */
#include "error.h"
#include "file.h"
#include "log.h"
#include "options.h"
#include "status_query.h"
#include "store.h"
#include "workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Opens workspace and database for reading. */
static int open_reader(struct workspace *workspace, struct store **store,
                       const struct options *options, struct error *err)
{
    int rc = workspace_find(workspace, options->workspace, err);

    *store = NULL;
    return rc < 0 ? rc : store_open(store, workspace->path, STORE_READ, err);
}

static bool use_color(const struct options *options)
{
    return options->color == COLOR_ALWAYS ||
           (options->color == COLOR_AUTO && isatty(STDOUT_FILENO));
}

int command_status(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    struct table *table = NULL;
    int rc = open_reader(&workspace, &store, options, err);

    (void)exit_code;
    if (rc == 0)
        rc = status_table(store, &table, err);
    if (rc == 0)
        rc = table_print(table, stdout, options->format, use_color(options), err);
    table_destroy(table);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}

int command_show(const struct options *options, int *exit_code, struct error *err)
{
    static const char *const members[] = { "settings", "attempts", "evaluations" };
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    struct table *tables[3] = { NULL };
    char hash[65], directory[160];
    int rc = open_reader(&workspace, &store, options, err);

    (void)exit_code;
    if (rc == 0)
        rc = status_find_run(store, options->arguments[0], hash, directory, err);
    if (rc == 0)
        rc = status_run_tables(store, tables, hash, err);
    if (rc == 0) {
        if (options->format == FORMAT_TABLE)
            printf("run %s\nfiles %s/%s\n\n", hash, workspace.path, directory);
        rc = table_print_all(tables, members, 3, stdout, options->format, use_color(options),
                             err);
    }
    for (int i = 0; i < 3; i++)
        table_destroy(tables[i]);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}

/* Prints text with control characters other than newline and tab replaced. */
static void print_clean(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\n' && text[i] != '\t') ||
            text[i] == 0x7f)
            text[i] = '?';
    fwrite(text, 1, size, stdout);
    fflush(stdout);
}

int command_logs(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    char hash[65], directory[160] = "", buffer[8192];
    int rc = open_reader(&workspace, &store, options, err);

    (void)exit_code;
    if (rc == 0)
        rc = status_find_run(store, options->arguments[0], hash, directory, err);
    if (rc == 0 && directory[0] == '\0')
        rc = error_set(err, ERROR_ABSENT, "run %.12s has not been tried yet", hash);
    store_close(store);
    char *path = rc == 0 ? format_string("%s/%s/log", workspace.path, directory) : NULL;
    workspace_close(&workspace);
    if (rc < 0)
        return rc;
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        rc = error_set(err, ERROR_ABSENT, "%s: %s", path, strerror(errno));
    while (rc == 0) {
        ssize_t count = read(fd, buffer, sizeof buffer);
        if (count > 0)
            print_clean(buffer, (size_t)count);
        else if (count == 0 && options->follow)
            nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
        else
            break;
    }
    if (fd >= 0)
        close(fd);
    free(path);
    return rc;
}
