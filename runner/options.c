/* options.c - the command line, checked as a whole. */
#include "options.h"

#include "error.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_entry OPTIONS[OPTION_COUNT] = {
    [OPTION_WORKSPACE] = { "workspace", 'w', "DIR",
                           "where everything is kept (HRMLAB_WORKSPACE)" },
    [OPTION_SET] = { "set", 0, "KEY=VALUE",
                     "override a setting of the spec; an axis shrinks to it" },
    [OPTION_WHERE] = { "where", 0, "CONDITION",
                       "only arms for which KEY=VALUE (!= < <= > >=) holds" },
    [OPTION_FORMAT] = { "format", 0, "FORM", "table, json, csv or markdown" },
    [OPTION_METRIC] = { "metric", 0, "M", "the first measure shown: pass_at_2 without it" },
    [OPTION_AXIS] = { "axis", 0, "KEY", "compare the values of this setting" },
    [OPTION_MATRIX] = { "matrix", 0, NULL, "compare outer steps in training and inference" },
    [OPTION_EXPERIMENT] = { "experiment", 0, "NAME",
                            "the experiment, where no argument names it" },
    [OPTION_TRAJECTORY] = { "trajectory", 0, NULL,
                            "what each outer step changed, where eval.trajectory recorded it" },
    [OPTION_ALL] = { "all", 0, NULL, "every seed and checkpoint in a row of its own" },
    [OPTION_NEW] = { "new", 0, NULL, "an experiment beside the one of that name" },
    [OPTION_JOBS] = { "jobs", 0, "N", "threads at once; one per core without it" },
    [OPTION_MAX_FAILS] = { "max-fails", 0, "N", "start nothing more after N failed jobs" },
    [OPTION_KEEP_GOING] = { "keep-going", 0, NULL, "never stop because of failed jobs" },
    [OPTION_DRY_RUN] = { "dry-run", 0, NULL, "only say what would be done" },
    [OPTION_FORCE] = { "force", 0, NULL, "delete, instead of saying what could be" },
    [OPTION_YES] = { "yes", 0, NULL, "the same as --force" },
    [OPTION_FOLLOW] = { "follow", 'f', NULL, "go on printing until the run ends" },
    [OPTION_OUTPUT] = { "output", 'o', "PATH", "the directory or file to write" },
    [OPTION_LAYOUT] = { "layout", 0, "NAME", "of the files to write: arc" },
    [OPTION_SVG] = { "svg", 0, "FILE", "draw into this file, not in the terminal" },
    [OPTION_QUIET] = { "quiet", 'q', NULL,
                       "no progress, no remarks: warnings and errors only" },
    [OPTION_COLOR] = { "color", 0, "WHEN", "auto, always or never (NO_COLOR)" },
    [OPTION_HELP] = { "help", 'h', NULL, "what a command does and takes" },
    [OPTION_VERSION] = { "version", 0, NULL, "the version of hrmlab" },
};

static int read_word(int *out, const char *option, const char *text, const char *const *words,
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
    return error_set(err, ERROR_FORMAT, "--%s %.60s: expected one of %s", option, text, list);
}

static int read_count(int *out, const char *option, const char *text, struct error *err)
{
    char *end;

    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > 100000)
        return error_set(err, ERROR_FORMAT, "--%s %.60s: expected a number from 1 to 100000",
                         option, text);
    *out = (int)value;
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

/* One option into *options. */
static int take_option(struct options *options, int option, const char *value,
                       struct error *err)
{
    static const char *const formats[] = { "table", "json", "csv", "markdown", NULL };
    static const char *const colors[] = { "auto", "always", "never", NULL };
    int word = 0, rc = 0;

    switch (option) {
    case OPTION_WORKSPACE:
        options->workspace = value;
        break;
    case OPTION_SET:
        return append(&options->sets, &options->set_count, value, err);
    case OPTION_WHERE:
        return append(&options->wheres, &options->where_count, value, err);
    case OPTION_FORMAT:
        rc = read_word(&word, "format", value, formats, err);
        options->format = (enum output_format)word;
        break;
    case OPTION_COLOR:
        rc = read_word(&word, "color", value, colors, err);
        options->color = (enum color_mode)word;
        break;
    case OPTION_JOBS:
        return read_count(&options->jobs, "jobs", value, err);
    case OPTION_MAX_FAILS:
        return read_count(&options->max_fails, "max-fails", value, err);
    case OPTION_AXIS:
        options->axis = value;
        break;
    case OPTION_METRIC:
        options->metric = value;
        break;
    case OPTION_OUTPUT:
        options->output = value;
        break;
    case OPTION_LAYOUT:
        options->layout = value;
        break;
    case OPTION_SVG:
        options->svg = value;
        break;
    case OPTION_EXPERIMENT:
        options->experiment = value;
        break;
    default:
        options->keep_going |= option == OPTION_KEEP_GOING;
        options->dry_run |= option == OPTION_DRY_RUN;
        options->quiet |= option == OPTION_QUIET;
        options->force |= option == OPTION_FORCE || option == OPTION_YES;
        options->follow |= option == OPTION_FOLLOW;
        options->all |= option == OPTION_ALL;
        options->trajectory |= option == OPTION_TRAJECTORY;
        options->matrix |= option == OPTION_MATRIX;
        options->as_new |= option == OPTION_NEW;
        options->help |= option == OPTION_HELP;
        options->version |= option == OPTION_VERSION;
        break;
    }
    return rc;
}

enum { FIRST_VALUE = 256 }; /* getopt's number of option 0, beyond the letters */

/* The option that getopt calls number, a letter or FIRST_VALUE + id; OPTION_COUNT:
 * none. */
static int option_of(int number)
{
    if (number >= FIRST_VALUE)
        return number - FIRST_VALUE;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (number != 0 && OPTIONS[i].letter == number)
            return i;
    return OPTION_COUNT;
}

/* OPTIONS in getopt's form: the long ones, ended by zeros, and the letters. */
static void describe_to_getopt(struct option longs[OPTION_COUNT + 1],
                               char letters[2 * OPTION_COUNT + 2])
{
    int used = 0;

    letters[used++] = ':'; /* a missing value is told from an unknown option */
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

/* What getopt could not read in word: an option with a value that takes none, or an
 * unknown one, which *options gets. */
static int refuse_word(struct options *options, const char *word, struct error *err)
{
    int id = option_of(optopt);

    if (id < OPTION_COUNT && strchr(word, '=') != NULL)
        return error_set(err, ERROR_FORMAT, "--%s takes no value", OPTIONS[id].name);
    if (options->unknown == NULL)
        options->unknown = word;
    return 0;
}

static int read_words(struct options *options, int argc, char **argv, struct error *err)
{
    struct option longs[OPTION_COUNT + 1];
    char letters[2 * OPTION_COUNT + 2];
    int rc = 0;

    describe_to_getopt(longs, letters);
    opterr = 0;
    optind = 0; /* forgets what an earlier call permuted */
    while (rc == 0) {
        int at = optind, number = getopt_long(argc, argv, letters, longs, NULL);

        if (number == -1)
            break;
        if (number == ':') {
            int id = option_of(optopt);
            rc = error_set(err, ERROR_FORMAT, "%s needs a value: %s", argv[optind - 1],
                           id < OPTION_COUNT ? OPTIONS[id].value : "");
        } else if (number == '?') {
            rc = refuse_word(options, argv[at < argc ? optind - 1 : argc - 1], err);
        } else {
            options->given |= OPTION_BIT(option_of(number));
            rc = take_option(options, option_of(number), optarg, err);
        }
    }
    return rc;
}

int options_read(struct options *options, int argc, char **argv, struct error *err)
{
    const char *workspace = getenv("HRMLAB_WORKSPACE"), *no_color = getenv("NO_COLOR");

    *options = (struct options){ .workspace = workspace != NULL && workspace[0] != '\0'
                                                  ? workspace
                                                  : "hrmlab-workspace" };
    if (no_color != NULL && no_color[0] != '\0')
        options->color = COLOR_NEVER;
    int rc = read_words(options, argc, argv, err);
    if (rc < 0) {
        options_release(options);
        return rc;
    }
    options->command = optind < argc ? argv[optind] : NULL;
    options->arguments = argv + (optind < argc ? optind + 1 : argc);
    options->argument_count = optind < argc ? argc - optind - 1 : 0;
    return 0;
}

void options_release(struct options *options)
{
    free(options->sets);
    free(options->wheres);
    options->sets = options->wheres = NULL;
}
