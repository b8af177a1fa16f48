/* command_show.c - show: everything about one run. */
#include "error.h"
#include "file.h"
#include "options.h"
#include "status_query.h"
#include "store.h"
#include "workspace.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TABLES = STATUS_RUN_TABLES + 1, FILES = STATUS_RUN_TABLES };

static int by_number_and_name(const void *left, const void *right)
{
    return strverscmp(*(char *const *)left, *(char *const *)right);
}

/* The names in a directory, in order; count 0 when there is none. Each fresh, the list too. */
static char **list_directory(const char *path, int *count)
{
    DIR *directory = opendir(path);
    char **names = NULL;

    *count = 0;
    if (directory == NULL)
        return NULL;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char **larger = entry->d_name[0] == '.'
                            ? NULL
                            : realloc(names, (size_t)(*count + 1) * sizeof *names);
        if (larger == NULL)
            continue;
        names = larger;
        names[*count] = strdup(entry->d_name);
        *count += names[*count] != NULL;
    }
    closedir(directory);
    if (*count > 0)
        qsort(names, (size_t)*count, sizeof *names, by_number_and_name);
    return names;
}

/* A row per file of one attempt, named from the run's directory on. */
static void add_files(struct table *table, const char *attempts, const char *attempt)
{
    char *directory = file_join(attempts, attempt);
    size_t root = strlen(attempts) - strlen("attempts");
    int count = 0;
    char **names = directory != NULL ? list_directory(directory, &count) : NULL;

    for (int i = 0; i < count; i++) {
        char *path = file_join(directory, names[i]);
        struct stat status;
        if (path != NULL && stat(path, &status) == 0) {
            table_row(table);
            table_text(table, path + root);
            table_int(table, (int64_t)status.st_size);
        }
        free(path);
        free(names[i]);
    }
    free(names);
    free(directory);
}

static int files_table(struct table **out, const struct workspace *workspace, const char *hash,
                       struct error *err)
{
    static const struct table_column columns[] = {
        { .name = "file", .type = TABLE_TEXT },
        { .name = "bytes", .type = TABLE_INT },
    };
    char *caption = format_string("files in %s/runs/%s", workspace->path, hash);
    char *attempts = format_string("%s/runs/%s/attempts", workspace->path, hash);
    int count = 0;
    int rc = attempts == NULL || caption == NULL
                 ? error_set(err, ERROR_NOMEM, "no memory for a path")
                 : table_create(out, columns, 2, err);
    char **names = rc == 0 ? list_directory(attempts, &count) : NULL;

    for (int i = 0; i < count; i++) {
        add_files(*out, attempts, names[i]);
        free(names[i]);
    }
    if (rc == 0)
        table_set_caption(*out, caption);
    free(names);
    free(attempts);
    free(caption);
    return rc;
}

int command_show(const struct options *options, int *exit_code, struct error *err)
{
    static const char *const members[TABLES] = { "run", "settings", "attempts", "evaluations",
                                                 "files" };
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    struct table *tables[TABLES] = { NULL };
    char hash[65], directory[160];
    bool color = options->color == COLOR_ALWAYS ||
                 (options->color == COLOR_AUTO && isatty(STDOUT_FILENO));
    int rc = workspace_find(&workspace, options->workspace, err);

    (void)exit_code;
    if (rc == 0)
        rc = store_open(&store, workspace.path, STORE_READ, err);
    if (rc == 0)
        rc = status_find_run(store, options->arguments[0], hash, directory, err);
    if (rc == 0)
        rc = status_run_tables(store, tables, hash, err);
    if (rc == 0)
        rc = files_table(&tables[FILES], &workspace, hash, err);
    if (rc == 0)
        rc = table_print_all(tables, members, TABLES, stdout, options->format, color, err);
    for (int i = 0; i < TABLES; i++)
        table_destroy(tables[i]);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}
