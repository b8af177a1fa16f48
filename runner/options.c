/* options.c - the command line, checked as a whole. */
#include "options.h"

#include "error.h"
#include "json.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPT_WORKSPACE = 256,
    OPT_SET,
    OPT_WHERE,
    OPT_FORMAT,
    OPT_COLOR,
    OPT_JOBS,
    OPT_MAX_FAILS,
    OPT_KEEP_GOING,
    OPT_DRY_RUN,
    OPT_QUIET,
    OPT_FOLLOW,
    OPT_ALL,
    OPT_AXIS,
    OPT_METRIC,
    OPT_MATRIX,
    OPT_EXPERIMENT,
    OPT_NEW,
    OPT_FORCE,
    OPT_HELP,
    OPT_VERSION
};

static const struct option LONG_OPTIONS[] = {
    { "workspace", required_argument, NULL, OPT_WORKSPACE },
    { "set", required_argument, NULL, OPT_SET },
    { "where", required_argument, NULL, OPT_WHERE },
    { "format", required_argument, NULL, OPT_FORMAT },
    { "color", required_argument, NULL, OPT_COLOR },
    { "jobs", required_argument, NULL, OPT_JOBS },
    { "max-fails", required_argument, NULL, OPT_MAX_FAILS },
    { "keep-going", no_argument, NULL, OPT_KEEP_GOING },
    { "dry-run", no_argument, NULL, OPT_DRY_RUN },
    { "quiet", no_argument, NULL, OPT_QUIET },
    { "follow", no_argument, NULL, OPT_FOLLOW },
    { "all", no_argument, NULL, OPT_ALL },
    { "axis", required_argument, NULL, OPT_AXIS },
    { "metric", required_argument, NULL, OPT_METRIC },
    { "matrix", no_argument, NULL, OPT_MATRIX },
    { "experiment", required_argument, NULL, OPT_EXPERIMENT },
    { "new", no_argument, NULL, OPT_NEW },
    { "force", no_argument, NULL, OPT_FORCE },
    { "yes", no_argument, NULL, OPT_FORCE },
    { "help", no_argument, NULL, OPT_HELP },
    { "version", no_argument, NULL, OPT_VERSION },
    { NULL, 0, NULL, 0 },
};
enum { LONG_OPTION_COUNT = sizeof LONG_OPTIONS / sizeof *LONG_OPTIONS - 1 };

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

static int unknown_option(const char *word, struct error *err)
{
    const char *names[LONG_OPTION_COUNT];
    char bare[100];

    for (int i = 0; i < LONG_OPTION_COUNT; i++)
        names[i] = LONG_OPTIONS[i].name;
    while (*word == '-')
        word++;
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(word, "="), word);
    const char *nearest = json_nearest_name(bare, names, LONG_OPTION_COUNT);
    return error_set(err, ERROR_FORMAT, "unknown option --%s%s%s%s", bare,
                     nearest != NULL ? "; did you mean --" : "; see hrmlab --help",
                     nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}

/* One option into *options. */
static int take_option(struct options *options, int option, const char *value,
                       struct error *err)
{
    static const char *const formats[] = { "table", "json", "csv", "markdown", NULL };
    static const char *const colors[] = { "auto", "always", "never", NULL };
    int word = 0, rc = 0;

    switch (option) {
    case OPT_WORKSPACE:
        options->workspace = value;
        break;
    case OPT_SET:
        return append(&options->sets, &options->set_count, value, err);
    case OPT_WHERE:
        return append(&options->wheres, &options->where_count, value, err);
    case OPT_FORMAT:
        rc = read_word(&word, "format", value, formats, err);
        options->format = (enum output_format)word;
        break;
    case OPT_COLOR:
        rc = read_word(&word, "color", value, colors, err);
        options->color = (enum color_mode)word;
        break;
    case OPT_JOBS:
        return read_count(&options->jobs, "jobs", value, err);
    case OPT_MAX_FAILS:
        return read_count(&options->max_fails, "max-fails", value, err);
    case OPT_AXIS:
        options->axis = value;
        break;
    case OPT_METRIC:
        options->metric = value;
        break;
    case OPT_EXPERIMENT:
        options->experiment = value;
        break;
    default:
        options->keep_going |= option == OPT_KEEP_GOING;
        options->dry_run |= option == OPT_DRY_RUN;
        options->quiet |= option == OPT_QUIET;
        options->follow |= option == OPT_FOLLOW;
        options->all |= option == OPT_ALL;
        options->matrix |= option == OPT_MATRIX;
        options->as_new |= option == OPT_NEW;
        options->force |= option == OPT_FORCE;
        options->help |= option == OPT_HELP;
        options->version |= option == OPT_VERSION;
        break;
    }
    return rc;
}

int options_read(struct options *options, int argc, char **argv, struct error *err)
{
    const char *workspace = getenv("HRMLAB_WORKSPACE"), *no_color = getenv("NO_COLOR");
    int rc = 0, option;

    *options = (struct options){ .workspace = workspace != NULL && workspace[0] != '\0'
                                                  ? workspace
                                                  : "hrmlab-workspace" };
    if (no_color != NULL && no_color[0] != '\0')
        options->color = COLOR_NEVER;
    opterr = 0;
    optind = 1;
    while (rc == 0) {
        int at = optind;
        option = getopt_long(argc, argv, ":hqw:", LONG_OPTIONS, NULL);
        if (option == -1)
            break;
        if (option == ':')
            rc = error_set(err, ERROR_FORMAT, "%s needs a value", argv[optind - 1]);
        else if (option == '?')
            rc = unknown_option(argv[at < argc ? optind - 1 : argc - 1], err);
        else
            rc = take_option(options,
                             option == 'h'   ? OPT_HELP
                             : option == 'q' ? OPT_QUIET
                             : option == 'w' ? OPT_WORKSPACE
                                             : option,
                             optarg, err);
    }
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
