/* command_data.c - data build, show, check and order: run by hrmlab-worker, which
 * reads the data in a confined process. */
#include "error.h"
#include "file.h"
#include "json.h"
#include "options.h"
#include "spec.h"
#include "spec_place.h"
#include "worker_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A command line. */
struct words {
    char **list; /* owned, as is each word; NULL-terminated */
    int count;
    bool failed; /* no memory */
};

/* Appends a newly allocated word, taking ownership of it; NULL: no memory. */
static void words_add(struct words *words, char *word)
{
    char **larger =
        word != NULL ? realloc(words->list, (size_t)(words->count + 2) * sizeof *larger) : NULL;

    if (larger == NULL) {
        words->failed = true;
        free(word);
        return;
    }
    words->list = larger;
    words->list[words->count++] = word;
    words->list[words->count] = NULL;
}

static void words_release(struct words *words)
{
    for (int i = 0; i < words->count; i++)
        free(words->list[i]);
    free(words->list);
}

/* *spec: SOURCE is a spec, one that is shipped included: JSON whose name is a text,
 * which no file of tasks has. The only error is ERROR_NOMEM. */
static int find_spec(bool *spec, const char *given, struct error *err)
{
    struct stat status;
    struct error ignored;
    cJSON *root = NULL;
    char *path = NULL;
    int rc = spec_place_find(&path, given, &ignored);
    size_t length = rc == 0 ? strlen(path) : 0;

    if (length >= 5 && strcmp(path + length - 5, ".json") == 0 && stat(path, &status) == 0 &&
        S_ISREG(status.st_mode))
        rc = json_read_file(&root, path, JSON_SPEC_LIMIT, &ignored);
    *spec = rc == 0 && cJSON_IsString(json_member(root, "name"));
    cJSON_Delete(root);
    free(path);
    return rc == ERROR_NOMEM ? error_no_memory(err, "a spec") : 0;
}

/* Adds KEY=VALUE for every setting; with data only, for those of data. */
static void add_settings(struct words *words, const struct config *config, bool data_only)
{
    for (int id = 0; id < SETTING_COUNT; id++) {
        const struct setting *setting = &settings_table[id];
        bool data = strncmp(setting->key, "data.", 5) == 0;
        if (setting->phase == PHASE_EXECUTION || (data_only && !data))
            continue;
        cJSON *value = config_get_json(config, id);
        char *text = value != NULL ? json_canonical(value) : NULL;
        words_add(words, text != NULL ? format_string("%s=%s", setting->key, text) : NULL);
        free(text);
        cJSON_Delete(value);
    }
}

static bool same_words(const struct words *a, const struct words *b)
{
    for (int i = 0; i < a->count; i++)
        if (strcmp(a->list[i], b->list[i]) != 0)
            return false;
    return true;
}

/* Checks that all arms of a spec have the same data; otherwise the data are
 * ambiguous. */
static int check_arms(const struct spec *spec, const char *path, struct error *err)
{
    struct words first = { 0 };
    bool same = true;

    add_settings(&first, &spec->arms[0].config, true);
    for (int i = 1; i < spec->arm_count && same && !first.failed; i++) {
        struct words other = { 0 };
        add_settings(&other, &spec->arms[i].config, true);
        first.failed = other.failed;
        same = other.failed || same_words(&first, &other);
        words_release(&other);
    }
    bool failed = first.failed;
    words_release(&first);
    return failed ? error_no_memory(err, "a command line")
           : same ? 0
                  : error_set(err, ERROR_FORMAT,
                              "%s: its arms have different data; choose one with --set data.%s",
                              path, "KEY=VALUE");
}

/* Adds the settings of the arms' data, and the others of the first arm and seed. */
static int add_spec(struct words *words, const struct options *options, struct error *err)
{
    const char *path = options->arguments[1];
    struct spec *spec;
    int rc = spec_read(&spec, path, NULL, options->sets, options->set_count, err);

    if (rc < 0)
        return rc;
    rc = check_arms(spec, path, err);
    if (rc == 0) {
        spec->arms[0].config.values[TRAIN_SEED].integer = spec->seeds[0];
        add_settings(words, &spec->arms[0].config, false);
    }
    spec_destroy(spec);
    return rc;
}

static void add_option(struct words *words, const char *name, const char *value)
{
    if (value == NULL)
        return;
    words_add(words, strdup(name));
    words_add(words, strdup(value));
}

static int collect(struct words *words, const struct options *options, struct error *err)
{
    static const char *const colors[] = { "auto", "always", "never" };
    bool draws = strcmp(options->arguments[0], "show") == 0, spec = false;
    const char *drawing = options->svg;
    int rc = draws ? options_drawing(&drawing, options, err) : 0;

    if (rc == 0)
        rc = find_spec(&spec, options->arguments[1], err);
    if (rc < 0)
        return rc;
    words_add(words, strdup(options->worker_program));
    words_add(words, strdup("data"));
    words_add(words, strdup(options->arguments[0]));
    add_option(words, "--output", draws ? NULL : options->output);
    add_option(words, "--layout", options->layout);
    add_option(words, "--svg", drawing);
    add_option(words, "--color", colors[options->color]);
    add_option(words, "--progress", options->quiet || options->plain ? "never" : "auto");
    if (spec) {
        rc = add_spec(words, options, err);
    } else {
        words_add(words, format_string("data.path=%s", options->arguments[1]));
        for (int i = 0; i < options->set_count && rc == 0; i++)
            if (strncmp(options->sets[i], "data.path=", 10) == 0)
                rc = error_set(err, ERROR_FORMAT,
                               "data: --set %.80s: data.path is SOURCE, %.80s",
                               options->sets[i], options->arguments[1]);
        for (int i = 0; i < options->set_count; i++)
            words_add(words, strdup(options->sets[i]));
    }
    words_add(words, strdup("--"));
    for (int i = 2; i < options->argument_count; i++)
        words_add(words, strdup(options->arguments[i]));
    return rc == 0 && words->failed ? error_no_memory(err, "a command line") : rc;
}

/* Checks that the first argument is a subcommand of the worker. */
static int check_subcommand(const char *word, struct error *err)
{
    static const char *const names[] = { "build", "show", "check", "order" };
    enum { COUNT = sizeof names / sizeof *names };

    for (int i = 0; i < COUNT; i++)
        if (strcmp(word, names[i]) == 0)
            return 0;
    const char *nearest = json_nearest_name(word, names, COUNT);
    return error_set(err, ERROR_FORMAT,
                     "hrmlab data %.60s: expected build, show, check or order%s%s%s", word,
                     nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "\"?" : "");
}

int command_data(const struct options *options, int *exit_code, struct error *err)
{
    struct words words = { 0 };
    int rc = check_subcommand(options->arguments[0], err);

    if (rc == 0)
        rc = collect(&words, options, err);
    if (rc == 0)
        rc = worker_call(words.list, exit_code, err);
    words_release(&words);
    return rc;
}
