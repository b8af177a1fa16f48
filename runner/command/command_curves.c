/* command_curves.c - `hrmlab curves`: metrics over the training steps. */
#include "curve_plot.h"
#include "curve_query.h"
#include "error.h"
#include "options.h"
#include "query.h"
#include "store.h"
#include "table.h"

#include <stdio.h>

enum { WIDTH_WITHOUT_TERMINAL = 80 };

static int print_curves(const struct curves *curves, const struct results *results,
                        const struct options *options, struct error *err)
{
    struct table *table = NULL;
    int width = table_terminal_width(stdout), rc;

    if (options->format == FORMAT_TABLE)
        return curves_draw(stdout, curves, width > 0 ? width : WIDTH_WITHOUT_TERMINAL,
                           options_color(options), err);
    rc = curves_table(&table, curves, results, err);
    if (rc == 0)
        rc = table_print(table, stdout, options->format, false, err);
    table_destroy(table);
    return rc;
}

int command_curves(const struct options *options, int *exit_code, struct error *err)
{
    const char *experiment =
        options->argument_count > 0 ? options->arguments[0] : options->experiment;
    const char *name = options->metric != NULL ? options->metric : CURVES_DEFAULT;
    struct store *store = NULL;
    struct results *results = NULL;
    struct curves curves = { 0 };
    int rc = store_open(&store, options->workspace, STORE_READ, err);

    (void)exit_code;
    if (rc == 0)
        rc = store_begin(store, err);
    if (rc == 0)
        rc = results_load(&results, store, experiment, options->wheres, options->where_count,
                          curves_scope(name), err);
    if (rc == 0)
        rc = curves_load(&curves, store, results, name, err);
    if (rc == 0)
        rc = print_curves(&curves, results, options, err);
    curves_release(&curves);
    results_destroy(results);
    store_close(store);
    return rc;
}
