/* command_status.c - status: prints the progress of every experiment. */
#include "error.h"
#include "log.h"
#include "options.h"
#include "query.h"
#include "status_query.h"
#include "store.h"
#include "workspace.h"

#include <stdio.h>

/* Opens workspace and database for reading. */
static int open_reader(struct workspace *workspace, struct store **store,
                       const struct options *options, struct error *err)
{
    int rc = workspace_find(workspace, options->workspace, err);

    *store = NULL;
    return rc < 0 ? rc : store_open(store, workspace->path, STORE_READ, err);
}

/* Mentions queued jobs if no runner is running. */
static int mention_idle_queue(struct store *store, const struct workspace *workspace,
                              const char *experiment, struct error *err)
{
    char holder[WORKSPACE_HOLDER];
    struct status_counts counts;
    int rc = status_count(store, &counts, experiment, err);
    int open = counts.queued + counts.running;

    if (rc < 0 || open == 0)
        return rc;
    rc = workspace_holder(workspace, holder, sizeof holder, err);
    if (rc == 0 && holder[0] == '\0')
        log_info("%d job%s queued and no runner is running; hrmlab work --workspace %s runs "
                 "%s",
                 open, open == 1 ? " is" : "s are", workspace->path, open == 1 ? "it" : "them");
    return rc;
}

int command_status(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    struct table *table = NULL;
    char name[EXPERIMENT_NAME_SIZE];
    const char *experiment = options->argument_count > 0 ? name : NULL;
    int rc = open_reader(&workspace, &store, options, err);

    (void)exit_code;
    if (rc == 0 && experiment != NULL)
        rc = experiment_name(store, name, options->arguments[0], err);
    if (rc == 0)
        rc = status_table(store, &table, experiment, err);
    if (rc == 0)
        rc = table_print(table, stdout, options->format, options_color(options), err);
    if (rc == 0)
        rc = mention_idle_queue(store, &workspace, experiment, err);
    table_destroy(table);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}
