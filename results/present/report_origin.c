/* report_origin.c - a report's published values, cost, failures, provenance,
 * commands. */
#include "report_parts.h"

#include "error.h"
#include "file.h"
#include "json.h"
#include "number.h"
#include "published.h"
#include "shell_word.h"
#include "text.h"
#include "text_stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_HASH = 12, DIGITS = 3 };

/* ---- published values ---- */

/* The setting that determines the position of a question's published values; NULL:
 * none. */
static const char *key_of(const char *question)
{
    static const char *const KEYS[][2] = { { "outer loop", "arch.halt_max_steps" },
                                           { "augmentations", "data.num_aug" } };

    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (strcmp(KEYS[i][0], question) == 0)
            return KEYS[i][1];
    return NULL;
}

/* The values of this experiment's chosen cells at the same position: "small 0.063,
 * ..."; "": none. Newly allocated. */
static char *own_values(const struct report_source *source, const struct published *value)
{
    const struct cells *cells = source->figures->cells;
    const char *key = value->x != NULL ? key_of(value->question) : NULL;
    int axis = key != NULL ? cells_find_axis(cells, key) : -1;
    char *text = strdup("");

    if (axis < 0 || strcmp(value->measure, METRICS[cells->metric].title) != 0)
        return text;
    for (int i = 0; i < cells->count && text != NULL; i++) {
        const struct cell *cell = &cells->items[i];
        char number[NUMBER_TEXT_SIZE];

        if (!source->chosen[i] ||
            strcmp(cells->axes[axis].values[cell->at[axis]], value->x) != 0)
            continue;
        char *label = cells_label(cells, cell, &key, 1);
        char *next = label == NULL
                         ? NULL
                         : format_string("%s%s%s%s%s", text, text[0] != '\0' ? ", " : "", label,
                                         label[0] != '\0' ? " " : "",
                                         number_measure(number, cell->mean, DIGITS));

        free(label);
        free(text);
        text = next;
    }
    return text;
}

static int add_published(struct report_source *source, const struct published *value,
                         struct error *err)
{
    struct document *document = source->document;
    char number[NUMBER_TEXT_SIZE], text[NUMBER_TEXT_SIZE + 8];
    char *own = own_values(source, value);

    if (own == NULL)
        return error_no_memory(err, "a report");
    snprintf(text, sizeof text, "%s%s", value->kind == PUBLISHED_CHART ? "about " : "",
             number_trimmed(number, value->value, DIGITS));
    document_cell(document, value->question);
    document_cell(document, value->settings);
    document_cell(document, value->data);
    document_cell(document, value->measure);
    document_cell(document, value->kind == PUBLISHED_CLAIM ? "" : text);
    document_cell(document, own);
    document_cell(document, value->note);
    document_cell(document, value->source);
    free(own);
    return 0;
}

/* Whether a published value that is shown is of this source. */
static bool is_cited(const char *source, const struct figure_source *figures)
{
    for (const struct published *value = PUBLISHED; value->source != NULL; value++)
        if (published_is_shown(value, figures->data, figures->any_published) &&
            strcmp(value->source, source) == 0)
            return true;
    return false;
}

int report_published(struct report_source *source, struct error *err)
{
    static const struct document_head HEADS[] = {
        { "question", DOCUMENT_TEXT },    { "settings", DOCUMENT_TEXT },
        { "data", DOCUMENT_TEXT },        { "measure", DOCUMENT_TEXT },
        { "published", DOCUMENT_NUMBER }, { "in this experiment", DOCUMENT_TEXT },
        { "remark", DOCUMENT_TEXT },      { "source", DOCUMENT_TEXT },
    };
    struct document *document = source->document;
    const struct figure_source *figures = source->figures;
    int count = 0, rc = 0;

    document_section(document, "published", "Published");
    for (const struct published *value = PUBLISHED; value->source != NULL; value++)
        count += published_is_shown(value, figures->data, figures->any_published);
    if (count == 0) {
        document_say(document,
                     "No published values are known on data like this; hrmlab report %s "
                     "--published -o %s.html shows those on other data.",
                     figures->results->experiment, figures->results->experiment);
        return 0;
    }
    document_say(document,
                 "What others have published on data %s (%s), beside the arms of the "
                 "table above. Sizes, data and training differ unless it is said otherwise%s.",
                 figures->any_published ? "of any kind, not only like this experiment's"
                                        : "like this",
                 figures->data,
                 figures->any_published ? ": to be read side by side, not subtracted" : "");
    document_table(document, "Published values", HEADS, sizeof HEADS / sizeof *HEADS);
    for (const struct published *value = PUBLISHED; value->source != NULL && rc == 0; value++)
        if (published_is_shown(value, figures->data, figures->any_published))
            rc = add_published(source, value, err);
    if (rc < 0)
        return rc;
    document_table_end(document);
    for (const struct published_source *from = PUBLISHED_SOURCES; from->name != NULL; from++) {
        if (!is_cited(from->name, figures))
            continue;
        char *text = format_string("%s: %s.", from->name, from->citation);

        document_note(document, text);
        free(text);
    }
    return 0;
}

/* ---- cost ---- */

/* Formats a time: "1 h 12 min", "3.4 s". */
static void write_time(char *out, size_t size, double seconds)
{
    char text[NUMBER_TEXT_SIZE];

    if (seconds < 120)
        snprintf(out, size, "%s s", number_trimmed(text, seconds, 1));
    else if (seconds < 7200)
        snprintf(out, size, "%.0f min", seconds / 60);
    else if (seconds < 48 * 3600.0)
        snprintf(out, size, "%s h", number_trimmed(text, seconds / 3600, 1));
    else
        snprintf(out, size, "%s days", number_trimmed(text, seconds / 86400, 1));
}

int report_cost(struct report_source *source, struct error *err)
{
    struct origin_cost cost = origin_cost(source->figures->facts);
    char flops[NUMBER_TEXT_SIZE], time[64];

    (void)err;
    document_section(source->document, "cost", "Cost");
    write_time(time, sizeof time, source->builds.cpu_seconds);
    document_say(source->document,
                 "%d training%s done: %sFLOP of training, counted from shapes. All attempts "
                 "together, evaluations and repetitions included: %s of one core.",
                 cost.trained, cost.trained == 1 ? " is" : "s are",
                 number_scaled(flops, cost.flops), time);
    return 0;
}

/* ---- failures ---- */

enum { MOST_FAILURES = 50 };

int report_failures(struct report_source *source, struct error *err)
{
    static const struct document_head HEADS[] = {
        { "arm", DOCUMENT_TEXT },        { "seed", DOCUMENT_NUMBER },
        { "run", DOCUMENT_TEXT },        { "state", DOCUMENT_TEXT },
        { "cause", DOCUMENT_TEXT },      { "message", DOCUMENT_TEXT },
        { "attempts", DOCUMENT_NUMBER },
    };
    struct document *document = source->document;
    struct origin_failures failures;
    int rc = origin_failures(&failures, source->figures->store, source->figures->facts,
                             source->figures->results->experiment_id, err);

    if (rc != 0)
        return rc;
    document_section(document, "failures", "Failures");
    if (failures.count == 0)
        document_paragraph(document, "No run failed, diverged or was cancelled.");
    else
        document_table(document, "Runs without a result", HEADS, sizeof HEADS / sizeof *HEADS);
    for (int i = 0; i < failures.count && i < MOST_FAILURES; i++) {
        const struct origin_failure *failure = &failures.items[i];
        char text[32];

        document_cell(document, failure->arm);
        snprintf(text, sizeof text, "%lld", (long long)failure->seed);
        document_cell(document, text);
        snprintf(text, sizeof text, "%.*s", SHORT_HASH, failure->hash);
        document_link_cell(document, text,
                           &(struct document_target){ "run", failure->hash, NULL });
        document_cell(document, failure->state);
        document_cell(document, failure->cause);
        document_cell(document, failure->message);
        snprintf(text, sizeof text, "%d", failure->attempts);
        document_cell(document, text);
    }
    if (failures.count > 0)
        document_table_end(document);
    if (failures.count > MOST_FAILURES)
        document_say(document, "%d more are in the table of runs that hrmlab export writes.",
                     failures.count - MOST_FAILURES);
    origin_failures_release(&failures);
    return 0;
}

/* ---- provenance ---- */

int report_origin(struct report_source *source, struct error *err)
{
    static const struct document_head HEADS[] = {
        { "engine", DOCUMENT_TEXT },      { "numeric", DOCUMENT_TEXT },
        { "commit", DOCUMENT_TEXT },      { "compiler", DOCUMENT_TEXT },
        { "kernels", DOCUMENT_TEXT },     { "BLAS", DOCUMENT_TEXT },
        { "CPU", DOCUMENT_TEXT },         { "host", DOCUMENT_TEXT },
        { "attempts", DOCUMENT_NUMBER },  { "runs", DOCUMENT_NUMBER },
        { "first begun", DOCUMENT_TEXT }, { "last begun", DOCUMENT_TEXT },
    };
    struct document *document = source->document;
    const struct origin_builds *builds = &source->builds;
    char queued_at[32];

    (void)err;
    snprintf(queued_at, sizeof queued_at, "%s", source->origin.queued_at);
    text_shorten_time(queued_at);
    document_section(document, "origin", "Provenance");
    document_say(document, "Queued at %s; spec %.*s.", queued_at, SHORT_HASH,
                 source->origin.spec_hash);
    if (builds->count == 0) {
        document_paragraph(document, "No program has said yet what it is.");
        return 0;
    }
    document_table(document, "Programs and machines that ran it", HEADS,
                   sizeof HEADS / sizeof *HEADS);
    for (int i = 0; i < builds->count; i++) {
        const struct origin_build *build = &builds->items[i];
        const char *const texts[] = { build->engine_version,
                                      build->numeric_version,
                                      build->git_commit,
                                      build->compiler,
                                      build->kernel_set,
                                      build->blas,
                                      build->cpu,
                                      build->host };
        char number[32];

        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            document_cell(document, texts[t]);
        snprintf(number, sizeof number, "%d", build->attempts);
        document_cell(document, number);
        snprintf(number, sizeof number, "%d", build->runs);
        document_cell(document, number);
        document_cell(document, build->first_begun);
        document_cell(document, build->last_begun);
    }
    document_table_end(document);
    return 0;
}

/* ---- commands to repeat it ---- */

/* The spec over several lines, indented by two spaces a level; as it is if it is no
 * JSON. Newly allocated; NULL: no memory. */
static char *write_spec(const char *spec)
{
    cJSON *json = NULL;
    char *text = NULL, *out = NULL;
    size_t size = 0;
    int rc = json_parse(&json, spec, strlen(spec), "the spec", NULL);

    if (rc != ERROR_NOMEM)
        text = rc == 0 ? json_print(json) : strdup(spec);
    FILE *lines = text != NULL ? text_stream_open(&out, &size) : NULL;

    /* a text has no tabs: they are escaped */
    for (const char *p = text; lines != NULL && *p != '\0'; p++)
        if (*p != '\t')
            fputc(*p, lines);
        else
            fputs(p > text && p[-1] == ':' ? " " : "  ", lines);
    if (lines != NULL)
        fclose(lines); /* if it fails, out is NULL */
    free(text);
    cJSON_Delete(json);
    return out;
}

/* Writes the options with which the results are these. */
static void put_options(FILE *out, const struct figure_source *figures)
{
    if (figures->metric != METRIC_PASS_AT_2)
        fprintf(out, " --metric %s", METRICS[figures->metric].name);
    for (int i = 0; i < figures->where_count; i++) {
        fputs(" --where ", out);
        shell_put_word(out, figures->wheres[i]);
    }
}

static void put_compare(FILE *out, const struct figure_source *figures)
{
    if (figures->matrix == NULL && figures->planned.count == 0 &&
        figures->cells->axis_count == 0)
        return; /* there is nothing to compare */
    fprintf(out, "hrmlab compare %s", figures->results->experiment);
    if (figures->matrix != NULL)
        fputs(" --matrix", out);
    else if (figures->planned.count == 0)
        fprintf(out, " --axis %s", figures->cells->axes[0].key);
    put_options(out, figures);
    fputc('\n', out);
}

static void put_report(FILE *out, const struct figure_source *figures)
{
    const char *name = figures->results->experiment;

    fprintf(out, "hrmlab report %s", name);
    put_options(out, figures);
    if (figures->baseline != NULL) {
        fputs(" --baseline ", out);
        shell_put_word(out, figures->baseline);
    }
    fprintf(out, "%s -o %s.html\n", figures->any_published ? " --published" : "", name);
}

/* The commands that lead to this report, a line each; newly allocated, NULL: no memory.
 * A name has only letters, digits, '.', '_', '-' unless the database was edited. */
static char *write_commands(const struct figure_source *figures)
{
    const char *name = figures->results->experiment;
    char *text = NULL;
    size_t size = 0;
    FILE *out = text_stream_open(&text, &size);

    if (out == NULL)
        return NULL;
    fprintf(out, "hrmlab run %s.json\nhrmlab results %s", name, name);
    put_options(out, figures);
    fputc('\n', out);
    put_compare(out, figures);
    put_report(out, figures);
    fclose(out); /* if it fails, text is NULL */
    return text;
}

int report_again(struct report_source *source, struct error *err)
{
    const char *name = source->figures->results->experiment;
    struct document *document = source->document;
    char *commands = write_commands(source->figures);
    char *spec = source->spec != NULL ? write_spec(source->spec) : NULL;

    if (commands == NULL || (source->spec != NULL && spec == NULL)) {
        free(commands);
        free(spec);
        return error_no_memory(err, "a report");
    }
    document_section(document, "again", "To do it again");
    if (source->spec != NULL)
        document_say(
            document,
            "With this spec as %s.json and a program of the same numeric version, runs "
            "have the same hashes, and on the same kernels the same bits:",
            name);
    else
        document_paragraph(document, "The spec is not in the workspace any more.");
    document_code(document, commands);
    document_note(document, "hrmlab verify RUN trains a run again and compares every value; "
                            "hrmlab show RUN tells everything about one.");
    if (spec != NULL) /* last: printed, a note below it may get a page of its own */
        document_code(document, spec);
    free(commands);
    free(spec);
    return 0;
}
