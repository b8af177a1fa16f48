/* command_plot.c - `hrmlab plot`: draws an experiment's results. */
#include "error.h"
#include "figure.h"
#include "file.h"
#include "log.h"
#include "options.h"
#include "picture_file.h"
#include "store.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int list_figures(struct figure_source *source, const struct options *options,
                        struct error *err)
{
    struct table *table = NULL;
    int rc = figure_list(&table, source, err);

    if (rc == 0)
        table_add_note(table, "hrmlab plot EXPERIMENT --figure NAME -o FILE draws one; "
                              "--figure all -o DIRECTORY all that are possible");
    if (rc == 0)
        rc = table_print(table, stdout, options->format, options_color(options), err);
    table_destroy(table);
    return rc;
}

/* Releases the picture. */
static int write_figure(struct picture *picture, const char *name, const char *output,
                        struct error *err)
{
    char *svg = NULL;
    int rc = picture_draw(&svg, picture, true, err);

    picture_release(picture);
    if (rc == 0)
        rc = picture_write(svg, output, err);
    if (rc == 0 && output != NULL)
        log_info("figure %s is in %s", name, output);
    free(svg);
    return rc;
}

static int draw_one(struct figure_source *source, const struct figure *figure,
                    const char *output, struct error *err)
{
    struct picture picture;

    if (figure_make(&picture, figure, source, err) != 0)
        return error_prefix(err, "figure %s", figure->name);
    return write_figure(&picture, figure->name, output, err);
}

/* Draws the figure to DIRECTORY/NAME.svg if it is possible for the experiment; *drawn
 * counts it then. */
static int draw_possible(int *drawn, struct figure_source *source, const struct figure *figure,
                         const char *directory, struct error *err)
{
    struct picture picture;
    struct error why;
    int rc = figure_make(&picture, figure, source, &why);

    if (rc == ERROR_ABSENT || rc == ERROR_FORMAT)
        return 0;
    if (rc != 0) {
        *err = why;
        return rc;
    }
    char *file = format_string("%s.svg", figure->name);
    char *name = file != NULL ? file_join(directory, file) : NULL;

    free(file);
    rc =
        name == NULL ? error_no_memory(err, "a figure") : file_make_directories(directory, err);
    if (rc == 0)
        rc = write_figure(&picture, figure->name, name, err);
    else
        picture_release(&picture);
    free(name);
    *drawn += rc == 0;
    return rc;
}

/* Draws every figure that is possible for the experiment. */
static int draw_all(struct figure_source *source, const char *directory, struct error *err)
{
    int drawn = 0;
    int rc = directory == NULL
                 ? error_set(err, ERROR_FORMAT, "--figure all: -o DIRECTORY is needed")
             : picture_check_name(directory, NULL) == 0
                 ? error_set(err, ERROR_FORMAT,
                             "--figure all: -o %.200s: expected a directory, in which each "
                             "figure is a file",
                             directory)
                 : 0;

    for (const struct figure *figure = FIGURES; figure->name != NULL && rc == 0; figure++)
        if (!figure->asked)
            rc = draw_possible(&drawn, source, figure, directory, err);
    if (rc == 0 && drawn == 0)
        rc = error_set(err, ERROR_ABSENT,
                       "--figure all: no figure is possible yet; hrmlab plot %s says why",
                       source->results->experiment);
    return rc;
}

/* Refuses options that the figure, or the list of figures, does not use. */
static int check_options(const struct options *options, struct error *err)
{
    const char *figure = options->figure != NULL ? options->figure : "";

    if (options->output != NULL && options->figure == NULL)
        return error_set(err, ERROR_FORMAT,
                         "plot -o: which figure? add --figure NAME (hrmlab "
                         "plot EXPERIMENT lists them), or --figure all");
    if (options->axis != NULL && strcmp(figure, "axis") != 0)
        return error_set(err, ERROR_FORMAT, "plot: --axis is for --figure axis");
    if ((options->rows != NULL || options->cols != NULL) && strcmp(figure, "pivot") != 0)
        return error_set(err, ERROR_FORMAT, "plot: --rows and --cols are for --figure pivot");
    if ((options->given & OPTION_BIT(OPTION_FORMAT)) != 0 && options->figure != NULL)
        return error_set(err, ERROR_FORMAT,
                         "plot: --format is for the list of figures; the name after -o says "
                         "what a figure becomes");
    return 0;
}

int command_plot(const struct options *options, int *exit_code, struct error *err)
{
    const char *experiment =
        options->argument_count > 0 ? options->arguments[0] : options->experiment;
    const struct figure *figure = NULL;
    bool all = options->figure != NULL && strcmp(options->figure, "all") == 0;
    struct figure_source source = { 0 };
    struct store *store = NULL;
    enum metric metric;
    int rc = metric_find(&metric, options->metric, err);

    (void)exit_code;
    if (rc == 0 && options->figure != NULL && !all)
        rc = figure_find(&figure, options->figure, err);
    if (rc == 0)
        rc = check_options(options, err);
    if (rc == 0)
        rc = picture_check_name(all ? NULL : options->output, err);
    if (rc == 0)
        rc = store_open(&store, options->workspace, STORE_READ, err);
    if (rc == 0)
        rc = store_begin(store, err);
    if (rc == 0)
        rc = figure_source_open(&source, store, experiment, options->wheres,
                                options->where_count, metric, figure, err);
    if (rc == 0) {
        source.axis = options->axis;
        source.any_published = options->published;
        source.rows = options->rows;
        source.cols = options->cols;
        rc = all              ? draw_all(&source, options->output, err)
             : figure != NULL ? draw_one(&source, figure, options->output, err)
                              : list_figures(&source, options, err);
        figure_source_close(&source);
    }
    store_close(store);
    return rc;
}
