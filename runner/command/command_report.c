/* command_report.c - `hrmlab report`: writes an experiment as one document. */
#include "answer_drawings.h"
#include "error.h"
#include "file.h"
#include "large_array.h"
#include "log.h"
#include "options.h"
#include "origin.h"
#include "experiment_report.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool ends_in(const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);

    return length > end && strcmp(name + length - end, ending) == 0;
}

/* Chooses HTML unless --format or the suffix of the file is Markdown. */
static int choose_form(enum document_form *out, const struct options *options,
                       struct error *err)
{
    bool given = (options->given & OPTION_BIT(OPTION_FORMAT)) != 0;
    bool markdown = given ? options->format == FORMAT_MARKDOWN
                          : options->output != NULL && ends_in(options->output, ".md");

    *out = markdown ? DOCUMENT_MARKDOWN : DOCUMENT_HTML;
    if (given && options->format != FORMAT_MARKDOWN)
        return error_set(err, ERROR_FORMAT,
                         "report: expected --format markdown, or no --format for HTML");
    if (given && options->output != NULL &&
        (ends_in(options->output, ".html") || ends_in(options->output, ".htm")))
        return error_set(
            err, ERROR_FORMAT,
            "report: --format markdown contradicts -o %s, which is HTML; leave one "
            "out",
            options->output);
    return options->output != NULL ? file_check_output("report -o", options->output, err) : 0;
}

/* The prefix of the pictures' names: the document's name without suffix. */
static char *picture_prefix(const char *output, const char *experiment)
{
    const char *slash = output != NULL ? strrchr(output, '/') : NULL;
    const char *name = slash != NULL ? slash + 1 : output;
    const char *dot = name != NULL ? strrchr(name, '.') : NULL;

    if (name == NULL)
        return strdup(experiment);
    return format_string(
        "%.*s", dot != NULL && dot > name ? (int)(dot - name) : (int)strlen(name), name);
}

/* Pictures are written first: a document that exists has all its pictures. */
static int write_report(const struct report *report, const char *output, struct error *err)
{
    const char *slash = strrchr(output, '/');
    int rc = 0;

    for (int i = 0; i < report->picture_count && rc == 0; i++) {
        const struct report_picture *picture = &report->pictures[i];
        char *path = format_string("%.*s%s", slash != NULL ? (int)(slash - output) + 1 : 0,
                                   output, picture->file_name);

        rc = path == NULL ? error_no_memory(err, "a report")
                          : file_write_atomic(path, picture->svg, strlen(picture->svg), err);
        free(path);
    }
    return rc == 0 ? file_write_output(output, report->text, strlen(report->text), err) : rc;
}

static int make_report(struct figure_source *source, const struct options *options,
                       enum document_form form, struct error *err)
{
    bool to_file = options->output != NULL && strcmp(options->output, "-") != 0;
    char *prefix =
        picture_prefix(to_file ? options->output : NULL, source->results->experiment);
    char *spec = NULL;
    struct report report = { 0 };
    int rc = prefix == NULL ? error_no_memory(err, "a report")
                            : origin_spec_text(&spec, source->store, options->workspace,
                                               source->results->experiment_id, err);

    if (rc == 0)
        rc = report_make(&report, source, spec, form, prefix, err);
    if (rc == 0 && to_file)
        rc = write_report(&report, options->output, err);
    else if (rc == 0)
        rc = file_write_all(STDOUT_FILENO, report.text, strlen(report.text), "standard output",
                            err);
    if (rc == 0 && to_file)
        log_info("the report of \"%s\" is in %s", source->results->experiment, options->output);
    else if (rc == 0 && report.picture_count > 0)
        log_warning("the figures are not written without -o FILE");
    report_release(&report);
    free(spec);
    free(prefix);
    return rc;
}

/* What the outcomes of 100 000 runs take until the report is written. */
enum { BYTES_KEPT = 64 << 20 };

int command_report(const struct options *options, int *exit_code, struct error *err)
{
    const char *experiment =
        options->argument_count > 0 ? options->arguments[0] : options->experiment;
    struct figure_source source = { 0 };
    struct answer_drawings drawings = { .options = options };
    struct store *store = NULL;
    enum document_form form;
    enum metric metric;
    int rc = metric_find(&metric, options->metric, err);

    large_heap(BYTES_KEPT);
    if (rc == 0)
        rc = choose_form(&form, options, err);
    if (rc == 0)
        rc = store_open(&store, options->workspace, STORE_READ, err);
    if (rc == 0)
        rc = store_begin(store, err);
    if (rc == 0)
        rc = figure_source_open(&source, store, experiment, options->wheres,
                                options->where_count, metric, NULL, err);
    if (rc == 0) {
        source.baseline = options->baseline;
        source.any_published = options->published;
        source.draw_answers = answer_drawings;
        source.draw_context = &drawings;
        rc = make_report(&source, options, form, err);
        *exit_code = drawings.exit_code;
        figure_source_close(&source);
    }
    store_close(store);
    return rc;
}
