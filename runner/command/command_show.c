/* command_show.c - show: prints everything about one run. */
#include "error.h"
#include "file.h"
#include "names.h"
#include "options.h"
#include "run_tables.h"
#include "status_query.h"
#include "store.h"
#include "worker_call.h"
#include "workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TABLES = RUN_TABLES + 1, FILES = RUN_TABLES };

/* Adds a row per file of an attempt, with paths relative to the run's directory. */
static int add_files(struct table *table, const char *attempts, const char *attempt,
                     struct error *err)
{
    char *directory = file_join(attempts, attempt);
    size_t root = strlen(attempts) - strlen("attempts");
    struct names names = { 0 };
    int rc = directory != NULL ? names_read(&names, directory, err)
                               : error_no_memory(err, "a list of files");

    for (int i = 0; i < names.count && rc == 0; i++) {
        char *path = file_join(directory, names.items[i]);
        struct stat status;
        if (path == NULL) {
            rc = error_no_memory(err, "a list of files");
        } else if (stat(path, &status) == 0) {
            table_row(table);
            table_text(table, path + root);
            table_int(table, (int64_t)status.st_size);
        }
        free(path);
    }
    names_release(&names);
    free(directory);
    return rc;
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
    struct names names = { 0 };
    int rc = attempts == NULL || caption == NULL ? error_no_memory(err, "a list of files")
                                                 : table_create(out, columns, 2, err);

    if (rc == 0)
        rc = names_read(&names, attempts, err);
    for (int i = 0; i < names.count && rc == 0; i++)
        rc = add_files(*out, attempts, names.items[i], err);
    if (rc == 0)
        table_set_caption(*out, caption);
    names_release(&names);
    free(attempts);
    free(caption);
    return rc;
}

/* Has the worker draw the run's answer to a task. file: the run's final checkpoint,
 * "runs/HASH/attempts/N/final.safetensors". drawing: the file to write; NULL: print
 * it. */
static int show_task(const struct workspace *workspace, const char *file, const char *drawing,
                     const struct options *options, int *exit_code, struct error *err)
{
    static const char *const COLORS[] = { "auto", "always", "never" };
    const char *slash = strrchr(file, '/'), *inner = strstr(file, "attempts/");
    char *directory =
        slash == NULL ? NULL
                      : format_string("%s/%.*s", workspace->path, (int)(slash - file), file);
    char *checkpoint = inner != NULL ? strdup(inner) : NULL;
    char *words[] = { strdup(options->worker_program),
                      strdup("steps"),
                      directory,
                      checkpoint,
                      strdup(options->task),
                      strdup(options->steps ? "all" : "last"),
                      strdup(COLORS[options->color]),
                      drawing != NULL ? strdup(drawing) : NULL,
                      NULL };
    enum { DRAWING = 7, COUNT = sizeof words / sizeof *words };
    int needed = drawing != NULL ? DRAWING + 1 : DRAWING, rc = 0;

    for (int i = 0; i < needed && rc == 0; i++)
        if (words[i] == NULL)
            rc = error_no_memory(err, "a command line");
    if (rc == 0)
        rc = worker_call(words, exit_code, err);
    for (int i = 0; i < COUNT; i++)
        free(words[i]);
    return rc;
}

static int draw_task(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    char hash[65], directory[160], file[200];
    const char *drawing;
    int rc = options_drawing(&drawing, options, err);

    if (rc == 0)
        rc = workspace_find(&workspace, options->workspace, err);
    if (rc == 0)
        rc = store_open(&store, workspace.path, STORE_READ, err);
    if (rc == 0)
        rc = status_find_run(store, options->arguments[0], hash, directory, err);
    if (rc == 0)
        rc = status_find_checkpoint(store, file, hash, err);
    if (rc == 0)
        rc = show_task(&workspace, file, drawing, options, exit_code, err);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}

int command_show(const struct options *options, int *exit_code, struct error *err)
{
    static const char *const members[TABLES] = { "rows", "settings", "attempts", "evaluations",
                                                 "files" };
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    struct table *tables[TABLES] = { NULL };
    char hash[65], directory[160];
    int rc = 0;

    if (options->task != NULL)
        return draw_task(options, exit_code, err);
    if (options->steps || options->svg != NULL || options->output != NULL)
        return error_set(err, ERROR_FORMAT,
                         "show: --steps, --output and --svg need --task NAME");
    if (options->format == FORMAT_CSV)
        rc = error_set(err, ERROR_FORMAT,
                       "show: what is known of a run is several tables, and CSV is one: use "
                       "--format json or jsonl");
    if (rc == 0)
        rc = workspace_find(&workspace, options->workspace, err);
    if (rc == 0)
        rc = store_open(&store, workspace.path, STORE_READ, err);
    if (rc == 0)
        rc = status_find_run(store, options->arguments[0], hash, directory, err);
    if (rc == 0)
        rc = run_tables(store, tables, hash,
                        options->all || !format_is_for_people(options->format), err);
    if (rc == 0)
        rc = files_table(&tables[FILES], &workspace, hash, err);
    if (rc == 0)
        rc = table_print_all(tables, members, TABLES, stdout, options->format,
                             options_color(options), err);
    for (int i = 0; i < TABLES; i++)
        table_destroy(tables[i]);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}
