/* command_export.c - `hrmlab export`: results as files for other programs. */
#include "error.h"
#include "export.h"
#include "export_events.h"
#include "export_folder.h"
#include "file.h"
#include "log.h"
#include "options.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

/* What is being written. */
struct writing {
    struct export *export;
    struct export_folder *folder;
    enum output_format format;
    cJSON *files;  /* names at the top of the folder */
    cJSON *tables; /* rows of each table */
};

/* The name of a table's file, fresh; NULL: no memory. */
static char *file_name(const char *table, enum output_format format)
{
    return format_string("%s.%s", table, format == FORMAT_CSV ? "csv" : "jsonl");
}

/* Notes a file, or a folder of files, at the top of the export. */
static int note_file(struct writing *writing, const char *name, struct error *err)
{
    cJSON *item = cJSON_CreateString(name);

    if (item != NULL && cJSON_AddItemToArray(writing->files, item))
        return 0;
    cJSON_Delete(item);
    return error_no_memory(err, "an export");
}

static int write_table(struct writing *writing, enum export_table table, struct error *err)
{
    char *name = file_name(export_table_name(table), writing->format);
    FILE *file = NULL;
    int64_t rows = 0;
    int rc = name == NULL ? error_no_memory(err, "an export")
                          : export_folder_create(writing->folder, &file, name, err);

    if (rc == 0)
        rc = export_write(writing->export, table, file, writing->format, &rows, err);
    if (file != NULL && rc < 0)
        fclose(file);
    else if (file != NULL)
        rc = export_folder_close(file, name, err);
    if (rc == 0)
        rc = note_file(writing, name, err);
    if (rc == 0 && cJSON_AddNumberToObject(writing->tables, export_table_name(table),
                                           (double)rows) == NULL)
        rc = error_no_memory(err, "an export");
    free(name);
    return rc;
}

static int write_dictionary(struct writing *writing, struct error *err)
{
    char *name = file_name("dictionary", writing->format);
    struct table *table = NULL;
    FILE *file = NULL;
    int rc = name == NULL ? error_no_memory(err, "an export")
                          : export_dictionary(&table, writing->export->columns, err);

    if (rc == 0)
        rc = export_folder_create(writing->folder, &file, name, err);
    if (rc == 0)
        rc = table_print(table, file, writing->format, false, err);
    if (file != NULL && rc < 0)
        fclose(file);
    else if (file != NULL)
        rc = export_folder_close(file, name, err);
    if (rc == 0)
        rc = note_file(writing, name, err);
    table_destroy(table);
    free(name);
    return rc;
}

/* ---- event files ---- */

/* Writes an event file of a run in an arm; item NULL: the one at the top. */
static int write_events(struct writing *writing, const struct export_item *item,
                        const char *workspace, struct error *err)
{
    char *name =
        item == NULL ? export_events_top_name() : export_events_name(writing->export, item);
    FILE *file = NULL;
    int rc = name == NULL ? error_no_memory(err, "an export")
                          : export_folder_create(writing->folder, &file, name, err);

    if (rc == 0)
        rc = item == NULL ? export_events_top(writing->export, file, err)
                          : export_events_run(writing->export, item, workspace, file, err);
    if (file != NULL && rc < 0)
        fclose(file);
    else if (file != NULL)
        rc = export_folder_close(file, name, err);
    bool first = item == NULL || item == writing->export->arm_runs ||
                 item[-1].experiment != item->experiment;

    if (rc == 0 && first) { /* of an experiment: its folder */
        name[strcspn(name, "/")] = '\0';
        rc = note_file(writing, name, err);
    }
    free(name);
    return rc;
}

static int write_all_events(struct writing *writing, const char *workspace, struct error *err)
{
    int rc = write_events(writing, NULL, workspace, err);

    for (int i = 0; i < writing->export->arm_run_count && rc == 0; i++)
        rc = write_events(writing, &writing->export->arm_runs[i], workspace, err);
    return rc;
}

/* ---- all of it ---- */

/* The text of export.json: format, experiments, tables with their rows, files. */
static char *manifest_text(struct writing *writing)
{
    cJSON *manifest = cJSON_CreateObject(), *names = cJSON_CreateArray();
    char *text = NULL;
    bool whole = cJSON_AddStringToObject(manifest, "format", EXPORT_FORMAT) != NULL &&
                 cJSON_AddItemToObject(manifest, "experiments", names);

    for (int i = 0; whole && i < writing->export->experiment_count; i++)
        whole = cJSON_AddItemToArray(
            names, cJSON_CreateString(writing->export->results[i]->experiment));
    whole = whole && cJSON_AddItemReferenceToObject(manifest, "tables", writing->tables) &&
            cJSON_AddItemReferenceToObject(manifest, "files", writing->files);
    if (whole)
        text = cJSON_Print(manifest);
    cJSON_Delete(manifest);
    return text;
}

static int write_manifest(struct writing *writing, struct error *err)
{
    static const char NAME[] = "export.json";
    char *text = manifest_text(writing);
    FILE *file = NULL;
    int rc = text == NULL ? error_no_memory(err, "an export")
                          : export_folder_create(writing->folder, &file, NAME, err);

    if (rc == 0) {
        fprintf(file, "%s\n", text);
        rc = export_folder_close(file, NAME, err);
    }
    free(text);
    return rc;
}

static int write_all_tables(struct writing *writing, struct error *err)
{
    int rc = 0;

    for (int t = 0; t < EXPORT_TABLE_COUNT && rc == 0; t++)
        rc = write_table(writing, (enum export_table)t, err);
    return rc == 0 ? write_dictionary(writing, err) : rc;
}

static int write_all(struct writing *writing, const char *workspace, struct error *err)
{
    int rc = writing->files == NULL || writing->tables == NULL
                 ? error_no_memory(err, "an export")
                 : 0;

    if (rc == 0)
        rc = writing->format == FORMAT_EVENTS ? write_all_events(writing, workspace, err)
                                              : write_all_tables(writing, err);
    if (rc == 0)
        rc = write_manifest(writing, err);
    if (rc == 0)
        rc = export_folder_finish(writing->folder, err);
    return rc;
}

/* csv where no format is asked for, or the environment asks for one of tables. */
static int choose_format(enum output_format *out, const struct options *options,
                         struct error *err)
{
    *out = options->format;
    if (*out == FORMAT_CSV || *out == FORMAT_JSON_LINES || *out == FORMAT_EVENTS)
        return 0;
    *out = FORMAT_CSV;
    if ((options->given & OPTION_BIT(OPTION_FORMAT)) == 0)
        return 0;
    return error_set(
        err, ERROR_FORMAT,
        "export: expected --format csv, jsonl or tensorboard (one table is printed "
        "in other formats by results, curves and tasks)");
}

int command_export(const struct options *options, int *exit_code, struct error *err)
{
    struct writing writing = { 0 };
    struct export_folder folder = { .lock_fd = -1 };
    struct store *store = NULL;
    int rc = choose_format(&writing.format, options, err);

    (void)exit_code;
    if (rc == 0)
        rc = store_open(&store, options->workspace, STORE_READ, err);
    if (rc == 0)
        rc = store_begin(store, err);
    if (rc == 0)
        rc = export_open(&writing.export, store, options->arguments + 1,
                         options->argument_count - 1, options->wheres, options->where_count,
                         err);
    if (rc == 0)
        rc = export_folder_begin(&folder, options->arguments[0], options->force, err);
    if (rc == 0) {
        writing.folder = &folder;
        writing.files = cJSON_CreateArray();
        writing.tables = cJSON_CreateObject();
        rc = write_all(&writing, options->workspace, err);
    }
    if (rc == 0)
        log_info("%d run%s of %d experiment%s are in %s", writing.export->run_count,
                 writing.export->run_count == 1 ? "" : "s", writing.export->experiment_count,
                 writing.export->experiment_count == 1 ? "" : "s", options->arguments[0]);
    export_folder_release(&folder);
    cJSON_Delete(writing.files);
    cJSON_Delete(writing.tables);
    export_close(writing.export);
    store_close(store);
    return rc;
}
