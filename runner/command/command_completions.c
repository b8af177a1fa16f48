/*
 * command_completions.c - completions for shells, and the scripts that call them.
 *
 * `hrmlab completions SHELL` prints a script for bash, zsh or fish. The script calls
 * `hrmlab completions -- WORD...` with the words typed so far, the last one unfinished
 * (or ""), and reads one line per possible word: the word, a tab, its meaning.
 * Commands and options come from their tables, experiments, runs and axes from the
 * workspace.
 */
#include "commands.h"
#include "error.h"
#include "measure.h"
#include "name_query.h"
#include "names.h"
#include "options.h"
#include "settings.h"
#include "store.h"
#include "workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char BASH[] =
    "# hrmlab completion for bash; source it, or put it into\n"
    "# ~/.local/share/bash-completion/completions/hrmlab\n"
    "_hrmlab() {\n"
    "    local word\n"
    "    COMPREPLY=()\n"
    "    while IFS=$'\\t' read -r word _; do\n"
    "        [[ $word == *[=/] ]] && compopt -o nospace 2>/dev/null\n"
    "        COMPREPLY+=(\"${word// /\\\\ }\")\n"
    "    done < <(\"${COMP_WORDS[0]}\" completions -- \"${COMP_WORDS[@]:1:COMP_CWORD}\""
    " 2>/dev/null)\n"
    "}\n"
    "COMP_WORDBREAKS=${COMP_WORDBREAKS//=/}\n"
    "complete -F _hrmlab hrmlab\n";

static const char ZSH[] =
    "#compdef hrmlab\n"
    "# hrmlab completion for zsh; put it as _hrmlab into a directory of $fpath\n"
    "_hrmlab() {\n"
    "    local line\n"
    "    local -a whole whole_meanings open open_meanings\n"
    "    for line in ${(f)\"$($words[1] completions -- \"${(@)words[2,CURRENT]}\" "
    "2>/dev/null)\"}; do\n"
    "        case ${line%%$'\\t'*} in\n"
    "        *[=/]) open+=(${line%%$'\\t'*}); open_meanings+=(\"${line/$'\\t'/  }\") ;;\n"
    "        *) whole+=(${line%%$'\\t'*}); whole_meanings+=(\"${line/$'\\t'/  }\") ;;\n"
    "        esac\n"
    "    done\n"
    "    (( $#whole )) && compadd -l -d whole_meanings -a whole\n"
    "    (( $#open )) && compadd -S '' -l -d open_meanings -a open\n"
    "}\n"
    "# zsh loads this file at the first use and takes it for the function's body.\n"
    "if [[ $funcstack[1] == _hrmlab ]]; then\n"
    "    _hrmlab \"$@\"\n"
    "else\n"
    "    compdef _hrmlab hrmlab\n"
    "fi\n";

static const char FISH[] =
    "# hrmlab completion for fish; put it into ~/.config/fish/completions/hrmlab.fish\n"
    "function __hrmlab\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    $words[1] completions -- $words[2..-1] 2>/dev/null\n"
    "end\n"
    "complete -c hrmlab -f -a '(__hrmlab)'\n";

/* The words typed so far. */
struct typed {
    char **words;
    int count;        /* the last one is unfinished */
    const char *last; /* the last word, or its part behind "--option=" */
    const char *workspace;
};

/* Prints the word if it begins with what was typed. */
static void offer(void *context, const char *word, const char *meaning)
{
    const struct typed *typed = context;
    /* To the shell, "--format=j" is one word, which is replaced as a whole. */
    int given = (int)(typed->last - typed->words[typed->count - 1]);

    if (strncmp(word, typed->last, strlen(typed->last)) == 0)
        printf("%.*s%s\t%.70s\n", given, typed->words[typed->count - 1], word, meaning);
}

/* Offers the entries of the directory typed so far: directories, and files with this
 * suffix ("": all, NULL: none). */
static int offer_files(struct typed *typed, const char *suffix, struct error *err)
{
    const char *slash = strrchr(typed->last, '/');
    int length = slash != NULL ? (int)(slash - typed->last) + 1 : 0;
    char directory[4096], path[8192];
    struct names names = { 0 };

    snprintf(directory, sizeof directory, "%.*s", length, typed->last);
    int rc = names_read(&names, length > 0 ? directory : ".", err);
    for (int i = 0; i < names.count && rc == 0; i++) {
        struct stat status;
        size_t used = (size_t)snprintf(path, sizeof path, "%s%s", directory, names.items[i]);

        if (used + 2 > sizeof path || stat(path, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode))
            memcpy(path + used, "/", 2);
        else if (suffix == NULL || used < strlen(suffix) ||
                 strcmp(path + used - strlen(suffix), suffix) != 0)
            continue;
        offer(typed, path, "");
    }
    names_release(&names);
    return rc;
}

/* Offers names in the workspace; none if it does not exist. */
static int offer_names(struct typed *typed, enum name_kind kind, struct error *err)
{
    struct store *store;
    struct error absent;

    if (store_open(&store, typed->workspace, STORE_READ, &absent) < 0)
        return 0;
    int rc = name_query(store, kind, offer, typed, err);
    store_close(store);
    return rc;
}

static void offer_measures(struct typed *typed)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        offer(typed, METRICS[i].name, METRICS[i].meaning);
}

/* Offers "KEY=" and, behind that, the setting's possible words. */
static void offer_settings(struct typed *typed, bool assigned)
{
    const char *equals = strchr(typed->last, '=');
    char text[200];

    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings_table[i];
        static const char *const BOOLS[] = { "true", "false", NULL };
        const char *const *choices = setting->type == SETTING_BOOL ? BOOLS : setting->choices;

        if (equals == NULL || !assigned) {
            snprintf(text, sizeof text, "%s%s", setting->key, assigned ? "=" : "");
            offer(typed, text, setting->meaning);
            continue;
        }
        for (int k = 0; choices != NULL && choices[k] != NULL; k++) {
            snprintf(text, sizeof text, "%s=%s", setting->key, choices[k]);
            offer(typed, text, "");
        }
    }
}

/* Offers the values of an option. */
static int offer_values(struct typed *typed, int option, struct error *err)
{
    static const char *const FORMATS[] = { "table",    "csv",   "json", "jsonl",
                                           "markdown", "latex", NULL };
    static const char *const COLORS[] = { "auto", "always", "never", NULL };
    const char *const *words = option == OPTION_FORMAT  ? FORMATS
                               : option == OPTION_COLOR ? COLORS
                                                        : NULL;

    for (int i = 0; words != NULL && words[i] != NULL; i++)
        offer(typed, words[i], "");
    switch (option) {
    case OPTION_WORKSPACE:
        return offer_files(typed, NULL, err);
    case OPTION_OUTPUT:
    case OPTION_SVG:
    case OPTION_SOCKET:
        return offer_files(typed, "", err);
    case OPTION_EXPERIMENT:
        return offer_names(typed, NAME_EXPERIMENT, err);
    case OPTION_BASELINE:
        return offer_names(typed, NAME_ARM, err);
    case OPTION_SET:
    case OPTION_WHERE:
        offer_settings(typed, true);
        break;
    case OPTION_AXIS:
    case OPTION_ROWS:
    case OPTION_COLS:
        offer_settings(typed, false);
        break;
    case OPTION_METRIC:
    case OPTION_VALUE:
        offer_measures(typed);
        break;
    case OPTION_SORT:
    case OPTION_COLUMNS:
        offer_measures(typed);
        return offer_names(typed, NAME_AXIS, err);
    default:
        break;
    }
    return 0;
}

/* The option "--name" or "-n"; OPTION_COUNT: none. */
static int find_option(const char *word)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        size_t length = strlen(OPTIONS[i].name);

        if (strncmp(word, "--", 2) == 0 && strncmp(word + 2, OPTIONS[i].name, length) == 0 &&
            (word[2 + length] == '\0' || word[2 + length] == '='))
            return i;
        if (word[0] == '-' && OPTIONS[i].letter != 0 && word[1] == OPTIONS[i].letter &&
            word[2] == '\0')
            return i;
    }
    return OPTION_COUNT;
}

/* Offers the subcommands of data behind its name, files behind them. */
static int offer_data(struct typed *typed, const struct command *command, struct error *err)
{
    if (strcmp(typed->words[typed->count - 2], command->name) != 0)
        return offer_files(typed, "", err);
    offer(typed, "build", "write data");
    offer(typed, "check", "read and check everything");
    offer(typed, "order", "write the batches of a training");
    offer(typed, "show", "print counts, or draw tasks");
    return 0;
}

/* Offers what may be an argument of the command at this place. */
static int offer_arguments(struct typed *typed, const struct command *command,
                           const struct command *commands, struct error *err)
{
    const char *takes = command->arguments;
    int rc = 0;

    if (strstr(takes, "SPEC") != NULL)
        rc = offer_files(typed, ".json", err);
    if (strstr(takes, "SOURCE") != NULL)
        rc = offer_data(typed, command, err);
    if (strstr(takes, "FILE") != NULL)
        rc = offer_files(typed, "", err);
    if (strstr(takes, "TARGET") != NULL)
        offer(typed, "all", "every job");
    if (strstr(takes, "EXPERIMENT") != NULL || strstr(takes, "TARGET") != NULL ||
        strstr(takes, "RUN") != NULL)
        offer(typed, "last", "the newest one");
    if (rc == 0 && (strstr(takes, "EXPERIMENT") != NULL || strstr(takes, "TARGET") != NULL))
        rc = offer_names(typed, NAME_EXPERIMENT, err);
    if (rc == 0 && strstr(takes, "ARM") != NULL)
        rc = offer_names(typed, NAME_ARM, err);
    if (rc == 0 && (strstr(takes, "RUN") != NULL || strstr(takes, "TARGET") != NULL))
        rc = offer_names(typed, NAME_RUN, err);
    if (strstr(takes, "COMMAND") != NULL)
        for (const struct command *c = commands; c->name != NULL; c++)
            offer(typed, c->name, c->meaning);
    if (strstr(takes, "schema") != NULL)
        offer(typed, "schema", "the JSON Schema of specs");
    if (strstr(takes, "markdown") != NULL)
        offer(typed, "markdown", "docs/settings.md");
    if (strstr(takes, "measures") != NULL)
        offer(typed, "measures", "every measure");
    if (strstr(takes, "KEY|") != NULL)
        offer_settings(typed, false);
    if (strstr(takes, "SHELL") != NULL) {
        offer(typed, "bash", "");
        offer(typed, "fish", "");
        offer(typed, "zsh", "");
    }
    return rc;
}

/* Reads the words before the last: finds the command (NULL: none yet) and
 * --workspace. */
static const struct command *find_command(struct typed *typed, const struct command *commands)
{
    const struct command *found = NULL;

    for (int i = 0; i < typed->count - 1; i++) {
        const char *word = typed->words[i];
        int option = find_option(word);
        const char *value = strchr(word, '=');

        if (option != OPTION_COUNT && OPTIONS[option].value != NULL && value == NULL &&
            i + 1 < typed->count - 1)
            value = typed->words[++i];
        else if (value != NULL)
            value++;
        if (option == OPTION_WORKSPACE && value != NULL)
            typed->workspace = value;
        for (const struct command *c = commands; c->name != NULL && found == NULL; c++)
            if (strcmp(word, c->name) == 0)
                found = c;
    }
    return found;
}

static int complete(struct typed *typed, const struct command *commands, struct error *err)
{
    const struct command *command = find_command(typed, commands);
    const char *before = typed->count > 1 ? typed->words[typed->count - 2] : "";
    int option = find_option(before), here = find_option(typed->last);
    const char *equals = strchr(typed->last, '=');

    if (here != OPTION_COUNT && equals != NULL) { /* --format=j */
        typed->last = equals + 1;
        return offer_values(typed, here, err);
    }
    if (option != OPTION_COUNT && OPTIONS[option].value != NULL && strchr(before, '=') == NULL)
        return offer_values(typed, option, err);
    if (typed->last[0] == '-') {
        uint64_t set = COMMAND_COMMON | (command != NULL ? command->options : 0);

        for (int i = 0; i < OPTION_COUNT; i++) {
            char word[60];

            snprintf(word, sizeof word, "--%s", OPTIONS[i].name);
            if ((set & OPTION_BIT(i)) != 0)
                offer(typed, word, OPTIONS[i].meaning);
        }
        return 0;
    }
    if (command != NULL)
        return offer_arguments(typed, command, commands, err);
    for (const struct command *c = commands; c->name != NULL; c++)
        offer(typed, c->name, c->meaning);
    return 0;
}

int command_completions(const struct options *options, int *exit_code, struct error *err)
{
    static const struct {
        const char *shell, *script;
    } SCRIPTS[] = { { "bash", BASH }, { "zsh", ZSH }, { "fish", FISH } };
    struct typed typed = { options->arguments, options->argument_count, NULL,
                           options->workspace };

    (void)exit_code;
    if (options->after_dashes) {
        typed.last = typed.words[typed.count - 1];
        return complete(&typed, options->commands, err);
    }
    for (size_t i = 0; i < sizeof SCRIPTS / sizeof *SCRIPTS && typed.count == 1; i++)
        if (strcmp(options->arguments[0], SCRIPTS[i].shell) == 0) {
            fputs(SCRIPTS[i].script, stdout);
            return 0;
        }
    return error_set(err, ERROR_FORMAT, "hrmlab completions %.40s: expected bash, zsh or fish",
                     options->arguments[0]);
}
