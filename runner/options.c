/* options.c - parses and checks the command line. */
#include "options.h"

#include "error.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct option_entry OPTIONS[OPTION_COUNT] = {
    [OPTION_WORKSPACE] = { "workspace", 'w', "DIR",
                           "directory of all results (HRMLAB_WORKSPACE)" },
    [OPTION_SET] = { "set", 0, "KEY=VALUE", "override a setting of the spec, also an axis" },
    [OPTION_WHERE] = { "where", 0, "CONDITION",
                       "only arms for which KEY=VALUE (!= < <= > >=) holds" },
    [OPTION_FORMAT] = { "format", 0, "FORM", "table, csv, json, jsonl, markdown or latex" },
    [OPTION_METRIC] = { "metric", 0, "M", "the first measure shown (default: pass_at_2)" },
    [OPTION_SORT] = { "sort", 0, "COLUMNS", "order of rows; -COLUMN: the largest first" },
    [OPTION_COLUMNS] = { "columns", 0, "COLUMNS", "these columns, separated by commas" },
    [OPTION_ROWS] = { "rows", 0, "KEY", "a row per value of this setting" },
    [OPTION_COLS] = { "cols", 0, "KEY", "with --rows: a column per value of this one" },
    [OPTION_VALUE] = { "value", 0, "M", "with --rows: the measure (--metric)" },
    [OPTION_PRICE] = { "price", 0, "N", "what each arm cost, at so much per core-hour" },
    [OPTION_AXIS] = { "axis", 0, "KEY", "the setting whose values are compared" },
    [OPTION_FIGURE] = { "figure", 0, "NAME", "which figure; all: every possible one" },
    [OPTION_PUBLISHED] = { "published", 0, NULL,
                           "show published values on data of other kinds too" },
    [OPTION_MATRIX] = { "matrix", 0, NULL, "compare outer steps in training and inference" },
    [OPTION_BASELINE] = { "baseline", 0, "ARM", "the arm that others are compared with" },
    [OPTION_EXPERIMENT] = { "experiment", 0, "NAME",
                            "the experiment, if no argument names it" },
    [OPTION_TRAJECTORY] = { "trajectory", 0, NULL, "changes per outer step (eval.trajectory)" },
    [OPTION_ALL] = { "all", 0, NULL, "every row, also those otherwise left out" },
    [OPTION_FULL] = { "full", 0, NULL, "read all of the database and of the checkpoints" },
    [OPTION_NEW] = { "new", 0, NULL, "add it beside an experiment of the same name" },
    [OPTION_JOBS] = { "jobs", 0, "N", "threads at once (default: one per core)" },
    [OPTION_MAX_FAILS] = { "max-fails", 0, "N", "start nothing more after N failed jobs" },
    [OPTION_EXECUTOR] = { "executor", 0, "NAME",
                          "where jobs are started: local (this machine), slurm" },
    [OPTION_KEEP_GOING] = { "keep-going", 0, NULL, "never stop because of failed jobs" },
    [OPTION_DRY_RUN] = { "dry-run", 0, NULL, "only print what would be done" },
    [OPTION_FORCE] = { "force", 0, NULL, "delete listed files; replace an export" },
    [OPTION_YES] = { "yes", 0, NULL, "the same as --force" },
    [OPTION_TASK] = { "task", 0, "NAME", "the run's answer to this task, drawn" },
    [OPTION_STEPS] = { "steps", 0, NULL, "with --task: after each outer step" },
    [OPTION_REMOVE] = { "remove", 0, NULL, "take it away again" },
    [OPTION_FOLLOW] = { "follow", 'f', NULL, "keep printing until the run ends" },
    [OPTION_OUTPUT] = { "output", 'o', "PATH", "the directory or file to write" },
    [OPTION_LAYOUT] = { "layout", 0, "NAME", "published, csv (boards) or arc (JSON)" },
    [OPTION_SVG] = { "svg", 0, "FILE", "draw to this file instead of the terminal" },
    [OPTION_PORT] = { "port", 0, "N", "a port of this machine (default: a free one)" },
    [OPTION_SOCKET] = { "socket", 0, "PATH", "a socket in place of a port (mode 0600)" },
    [OPTION_PLAIN] = { "plain", 0, NULL, "lines of log, not a live view (HRMLAB_PLAIN)" },
    [OPTION_MAN] = { "man", 0, NULL, "print it as a man page" },
    [OPTION_QUIET] = { "quiet", 'q', NULL, "print warnings and errors only" },
    [OPTION_COLOR] = { "color", 0, "WHEN", "auto, always, never (NO_COLOR, CLICOLOR_FORCE)" },
    [OPTION_HELP] = { "help", 'h', NULL, "the help of a command" },
    [OPTION_VERSION] = { "version", 0, NULL, "the version of hrmlab" },
};

/* Reads a word out of a list. name: of the option with its dashes, or of an
 * environment variable. */
static int read_word(int *out, const char *name, const char *text, const char *const *words,
                     struct error *err)
{
    char list[200] = "";

    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0) {
            *out = i;
            return 0;
        }
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    return error_set(err, ERROR_FORMAT, "%s %.60s: expected one of %s", name, text, list);
}

static int read_count(int *out, const char *option, const char *text, struct error *err)
{
    char *end;

    assert(text != NULL);
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > 100000)
        return error_set(err, ERROR_FORMAT, "--%s %.60s: expected a number from 1 to 100000",
                         option, text);
    *out = (int)value;
    return 0;
}

static int read_price(double *out, const char *text, struct error *err)
{
    char *end;

    assert(text != NULL);
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value > 0.0 && value <= 1e9))
        return error_set(err, ERROR_FORMAT,
                         "--price %.60s: expected a number above 0, such as 0.04", text);
    *out = value;
    return 0;
}

static int append(const char ***list, int *count, const char *text, struct error *err)
{
    const char **larger = realloc(*list, (size_t)(*count + 1) * sizeof *larger);

    if (larger == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the options");
    *list = larger;
    larger[(*count)++] = text;
    return 0;
}

static const char *const FORMATS[] = {
    [FORMAT_TABLE] = "table",        [FORMAT_CSV] = "csv",
    [FORMAT_JSON] = "json",          [FORMAT_JSON_LINES] = "jsonl",
    [FORMAT_MARKDOWN] = "markdown",  [FORMAT_LATEX] = "latex",
    [FORMAT_EVENTS] = "tensorboard", NULL
};

/* The member for the text of an option; NULL: it has no value, or one that is not
 * text. */
static const char **text_of(struct options *options, int option)
{
    switch (option) {
    case OPTION_WORKSPACE:
        return &options->workspace;
    case OPTION_AXIS:
        return &options->axis;
    case OPTION_FIGURE:
        return &options->figure;
    case OPTION_METRIC:
    case OPTION_VALUE:
        return &options->metric;
    case OPTION_SORT:
        return &options->sort;
    case OPTION_COLUMNS:
        return &options->columns;
    case OPTION_ROWS:
        return &options->rows;
    case OPTION_COLS:
        return &options->cols;
    case OPTION_BASELINE:
        return &options->baseline;
    case OPTION_OUTPUT:
        return &options->output;
    case OPTION_LAYOUT:
        return &options->layout;
    case OPTION_SVG:
        return &options->svg;
    case OPTION_PORT:
        return &options->port;
    case OPTION_SOCKET:
        return &options->socket;
    case OPTION_TASK:
        return &options->task;
    case OPTION_EXPERIMENT:
        return &options->experiment;
    default:
        return NULL;
    }
}

/* Stores one option in *options. */
static int take_option(struct options *options, int option, const char *value,
                       struct error *err)
{
    static const char *const colors[] = { "auto", "always", "never", NULL };
    const char **text = text_of(options, option);
    int word = 0, rc = 0;

    if (value != NULL && value[0] == '\0')
        return error_set(err, ERROR_FORMAT, "--%s needs a value: %s", OPTIONS[option].name,
                         OPTIONS[option].value);
    if (text != NULL) {
        *text = value;
        return 0;
    }
    switch (option) {
    case OPTION_SET:
        return append(&options->sets, &options->set_count, value, err);
    case OPTION_WHERE:
        return append(&options->wheres, &options->where_count, value, err);
    case OPTION_FORMAT:
        if (read_word(&word, "--format", value, FORMATS, err) < 0)
            options->unknown_format = value;
        options->format = (enum output_format)word;
        return 0;
    case OPTION_COLOR:
        rc = read_word(&word, "--color", value, colors, err);
        options->color = (enum color_mode)word;
        break;
    case OPTION_JOBS:
        return read_count(&options->jobs, "jobs", value, err);
    case OPTION_EXECUTOR:
        options->executor = value;
        return 0;
    case OPTION_PRICE:
        return read_price(&options->price, value, err);
    case OPTION_MAX_FAILS:
        return read_count(&options->max_fails, "max-fails", value, err);
    default:
        options->keep_going |= option == OPTION_KEEP_GOING;
        options->dry_run |= option == OPTION_DRY_RUN;
        options->quiet |= option == OPTION_QUIET;
        options->plain |= option == OPTION_PLAIN;
        options->man |= option == OPTION_MAN;
        options->force |= option == OPTION_FORCE || option == OPTION_YES;
        options->follow |= option == OPTION_FOLLOW;
        options->remove |= option == OPTION_REMOVE;
        options->steps |= option == OPTION_STEPS;
        options->all |= option == OPTION_ALL;
        options->full |= option == OPTION_FULL;
        options->trajectory |= option == OPTION_TRAJECTORY;
        options->matrix |= option == OPTION_MATRIX;
        options->published |= option == OPTION_PUBLISHED;
        options->as_new |= option == OPTION_NEW;
        options->help |= option == OPTION_HELP;
        options->version |= option == OPTION_VERSION;
        break;
    }
    return rc;
}

/* Takes an option; most that have a value may be given once. */
static int take_once(struct options *options, int option, const char *value, struct error *err)
{
    const uint64_t lists = OPTION_BIT(OPTION_SET) | OPTION_BIT(OPTION_WHERE);
    const uint64_t measure = OPTION_BIT(OPTION_METRIC) | OPTION_BIT(OPTION_VALUE);
    const uint64_t own = OPTION_BIT(option), alike = (own & measure) != 0 ? measure : own;

    if (value != NULL && (own & lists) == 0 && (options->given & alike) != 0)
        return error_set(err, ERROR_FORMAT,
                         "--%s %.60s: the option is given twice, and takes one value%s",
                         OPTIONS[option].name, value,
                         alike == measure ? " (--metric and --value are the same)" : "");
    options->given |= own;
    return take_option(options, option, value, err);
}

enum { FIRST_VALUE = 256 }; /* getopt's number of option 0; larger than any letter */

/* The option that getopt reports as number, a letter or FIRST_VALUE + id;
 * OPTION_COUNT: none. */
static int option_of(int number)
{
    if (number >= FIRST_VALUE)
        return number - FIRST_VALUE;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (number != 0 && OPTIONS[i].letter == number)
            return i;
    return OPTION_COUNT;
}

/* Converts OPTIONS to getopt's form: long options, ended by zeros, and letters. */
static void describe_to_getopt(struct option longs[OPTION_COUNT + 1],
                               char letters[2 * OPTION_COUNT + 2])
{
    int used = 0;

    /* makes getopt distinguish a missing value from an unknown option */
    letters[used++] = ':';
    for (int i = 0; i < OPTION_COUNT; i++) {
        bool value = OPTIONS[i].value != NULL;

        longs[i] = (struct option){ OPTIONS[i].name, value ? required_argument : no_argument,
                                    NULL, FIRST_VALUE + i };
        if (OPTIONS[i].letter != 0)
            letters[used++] = OPTIONS[i].letter;
        if (OPTIONS[i].letter != 0 && value)
            letters[used++] = ':';
    }
    longs[OPTION_COUNT] = (struct option){ 0 };
    letters[used] = '\0';
}

/* Handles a word that getopt rejects: an option given a value that it does not take
 * (an error), or an unknown option, which is stored in *options. */
static int refuse_word(struct options *options, const char *word, struct error *err)
{
    int id = option_of(optopt);

    if (id < OPTION_COUNT && strchr(word, '=') != NULL)
        return error_set(err, ERROR_FORMAT, "--%s takes no value", OPTIONS[id].name);
    if (options->unknown == NULL)
        options->unknown = word;
    return 0;
}

/* The word that getopt has just rejected. It goes on to the next word only after the
 * last letter of one, so "-ab" is still at optind when its a is unknown. */
static const char *rejected_word(int argc, char **argv)
{
    const char *next = optind < argc ? argv[optind] : "";
    const char *letter = optopt != 0 && optopt < FIRST_VALUE && next[0] == '-' && next[1] != '-'
                             ? strchr(next + 1, optopt)
                             : NULL;

    return letter != NULL && letter[1] != '\0' ? next : argv[optind - 1];
}

static int read_words(struct options *options, int argc, char **argv, struct error *err)
{
    struct option longs[OPTION_COUNT + 1];
    char letters[2 * OPTION_COUNT + 2];
    int rc = 0;

    describe_to_getopt(longs, letters);
    opterr = 0;
    optind = 0; /* resets getopt after an earlier call */
    while (rc == 0) {
        int number = getopt_long(argc, argv, letters, longs, NULL);

        if (number == -1)
            break;
        if (number == ':') {
            int id = option_of(optopt);
            rc = error_set(err, ERROR_FORMAT, "%s needs a value: %s", argv[optind - 1],
                           id < OPTION_COUNT ? OPTIONS[id].value : "");
        } else if (number == '?') {
            rc = refuse_word(options, rejected_word(argc, argv), err);
        } else {
            rc = take_once(options, option_of(number), optarg, err);
        }
    }
    return rc;
}

/* The value of an environment variable; NULL: it is unset or empty. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* Whether the terminal understands no escape sequences. */
static bool terminal_is_dumb(void)
{
    const char *terminal = variable("TERM");

    return terminal != NULL && strcmp(terminal, "dumb") == 0;
}

/* Reads the environment variables, which the command line overrides. */
static int read_variables(struct options *options, struct error *err)
{
    const char *workspace = variable("HRMLAB_WORKSPACE"), *format = variable("HRMLAB_FORMAT");
    const char *force = variable("CLICOLOR_FORCE");
    int word = FORMAT_TABLE, rc = 0;

    *options =
        (struct options){ .workspace = workspace != NULL ? workspace : "hrmlab-workspace" };
    if (force != NULL && strcmp(force, "0") != 0)
        options->color = COLOR_ALWAYS;
    options->plain = variable("HRMLAB_PLAIN") != NULL || terminal_is_dumb();
    if (variable("NO_COLOR") != NULL)
        options->color = COLOR_NEVER;
    if (format != NULL)
        rc = read_word(&word, "HRMLAB_FORMAT", format, FORMATS, err);
    options->format = (enum output_format)word;
    return rc;
}

int options_read(struct options *options, int argc, char **argv, struct error *err)
{
    bool dashes = false;
    int rc = read_variables(options, err);

    for (int i = 1; i < argc && !dashes; i++)
        dashes = strcmp(argv[i], "--") == 0;
    if (rc == 0)
        rc = read_words(options, argc, argv, err);
    if (rc < 0) {
        options_release(options);
        return rc;
    }
    options->command = optind < argc ? argv[optind] : NULL;
    options->arguments = argv + (optind < argc ? optind + 1 : argc);
    options->argument_count = optind < argc ? argc - optind - 1 : 0;
    options->after_dashes = dashes;
    return 0;
}

bool options_color(const struct options *options)
{
    return options->color == COLOR_ALWAYS ||
           (options->color == COLOR_AUTO && isatty(STDOUT_FILENO) == 1 && !terminal_is_dumb());
}

int options_drawing(const char **out, const struct options *options, struct error *err)
{
    *out = options->output != NULL ? options->output : options->svg;
    if (options->output != NULL && options->svg != NULL)
        return error_set(err, ERROR_FORMAT, "-o and --svg are both given; they mean the same");
    size_t length = *out != NULL ? strlen(*out) : 0;
    if (*out == NULL || (length > 4 && strcmp(*out + length - 4, ".svg") == 0))
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "%s %.200s: tasks are drawn as SVG; expected a name that ends in .svg",
                     options->output != NULL ? "-o" : "--svg", *out);
}

void options_release(struct options *options)
{
    free(options->sets);
    free(options->wheres);
    options->sets = options->wheres = NULL;
}
