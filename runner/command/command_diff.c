/* command_diff.c - `hrmlab diff`: in what two runs or arms differ. */
#include "columns.h"
#include "diff_query.h"
#include "error.h"
#include "measure.h"
#include "options.h"
#include "store.h"
#include "table.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LEAST_HASH = 4 };

/* A hash's beginning is a run; everything else an arm. */
static bool names_run(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if (!isxdigit((unsigned char)*c))
            return strcmp(name, "last") == 0;
    return strlen(name) >= LEAST_HASH;
}

static int find_side(struct diff_side *out, struct store *store, const struct options *options,
                     const char *name, struct error *err)
{
    return names_run(name) ? diff_find_run(out, store, name, err)
                           : diff_find_arm(out, store, options->experiment, name, err);
}

int command_diff(const struct options *options, int *exit_code, struct error *err)
{
    struct diff_side sides[2] = { 0 };
    struct store *store = NULL;
    struct table *table = NULL;
    enum metric metric;
    int rc = metric_find(&metric, options->metric, err);

    (void)exit_code;
    if (rc == 0)
        rc = store_open(&store, options->workspace, STORE_READ, err);
    if (rc == 0)
        rc = store_begin(store, err);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = find_side(&sides[i], store, options, options->arguments[i], err);
    if (rc == 0) {
        struct shown shown = shown_metrics(metric);
        bool people = format_is_for_people(options->format);
        const struct diff_form form = { .metrics = shown.metrics,
                                        .metric_count = shown.count,
                                        .all = options->all || !people,
                                        .people = people };

        rc = diff_table(&table, store, &sides[0], &sides[1], &form, err);
    }
    if (rc == 0)
        rc = table_print(table, stdout, options->format, options_color(options), err);
    table_destroy(table);
    diff_side_release(&sides[0]);
    diff_side_release(&sides[1]);
    store_close(store);
    return rc;
}
