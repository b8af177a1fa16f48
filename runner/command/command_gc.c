/* command_gc.c - lists the files of a workspace that are no longer needed, by reason;
 * with --force deletes them. */
#include "database.h"
#include "error.h"
#include "garbage_collect.h"
#include "human.h"
#include "log.h"
#include "options.h"
#include "store.h"
#include "workspace.h"

#include <stdio.h>

static int print_table(const struct garbage_summary *summary, const struct options *options,
                       int64_t *total, struct error *err)
{
    static const struct table_column columns[] = {
        { .name = "reason", .type = TABLE_TEXT },
        { .name = "items", .type = TABLE_INT },
        { .name = "size", .type = TABLE_TEXT, .people_only = true },
        { .name = "bytes", .type = TABLE_INT, .machine_only = true },
    };
    struct table *table;
    char size[HUMAN_SIZE];
    int rc = table_create(&table, columns, sizeof columns / sizeof *columns, err);

    *total = 0;
    if (rc < 0)
        return rc;
    for (int i = 0; i < GARBAGE_REASONS; i++) {
        *total += summary->of[i].bytes;
        table_row(table);
        table_text(table, garbage_reason_text((enum garbage_reason)i));
        table_int(table, summary->of[i].items);
        table_text(table, human_bytes(size, summary->of[i].bytes));
        table_int(table, summary->of[i].bytes);
    }
    rc = table_print(table, stdout, options->format, options_color(options), err);
    table_destroy(table);
    return rc;
}

static void tell(const struct garbage_summary *summary, int64_t total, bool acted)
{
    char size[HUMAN_SIZE];

    human_bytes(size, total);
    if (acted)
        log_info("%s freed; no experiment has lost anything", size);
    else if (total > 0)
        log_info("%s could be freed; nothing was changed: hrmlab gc --force deletes it", size);
    else
        log_info("there is nothing to free");
    if (summary->busy > 0)
        log_info("%d run%s with open jobs skipped", summary->busy,
                 summary->busy == 1 ? "" : "s");
    if (summary->kept > 0)
        log_info("%d run%s kept and skipped; hrmlab keep lists what is kept", summary->kept,
                 summary->kept == 1 ? " is" : "s are");
    if (summary->unknown > 0)
        log_warning("%d run director%s not in the database and stay%s; hrmlab rebuild reads %s",
                    summary->unknown, summary->unknown == 1 ? "y is" : "ies are",
                    summary->unknown == 1 ? "s" : "", summary->unknown == 1 ? "it" : "them");
}

/* Without --force, gc only reads: the check of the whole database, which takes seconds
 * of a large one, is left to those who write. */
static int open_store(struct store **out, const struct workspace *workspace, bool force,
                      struct error *err)
{
    return force ? database_open(out, workspace, err)
                 : store_open(out, workspace->path, STORE_READ, err);
}

int command_gc(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct garbage_summary summary;
    struct store *store = NULL;
    char holder[WORKSPACE_HOLDER] = "";
    bool held = true;
    int64_t total = 0;
    int rc = 0;

    (void)exit_code;
    if (options->dry_run && options->force)
        rc =
            error_set(err, ERROR_FORMAT,
                      "gc: --dry-run only says what could be deleted, --force deletes it: give "
                      "one of them");
    if (rc == 0)
        rc = workspace_find(&workspace, options->workspace, err);
    if (rc == 0)
        rc = open_store(&store, &workspace, options->force, err);
    if (rc == 0 && options->force)
        rc = workspace_lock(&workspace, &held, holder, sizeof holder, err);
    if (rc == 0 && !held)
        rc = error_set(err, ERROR_BUSY, "workspace %s: the runner %s is running; stop it first",
                       workspace.path, holder);
    if (rc == 0)
        rc = garbage_collect(&summary, store, &workspace, options->force, err);
    if (rc == 0)
        rc = print_table(&summary, options, &total, err);
    if (rc == 0)
        tell(&summary, total, options->force);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}
