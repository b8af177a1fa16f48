/* command_mark.c - note, tag and keep: what people say of experiments, arms and
 * runs. */
#include "database.h"
#include "error.h"
#include "file.h"
#include "log.h"
#include "mark.h"
#include "mark_file.h"
#include "options.h"
#include "store.h"
#include "table.h"
#include "text.h"
#include "text_stream.h"
#include "workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NOTE = 2000, LONGEST_TAG = 60 };

/* The words from the second argument on as one text. Fresh or NULL. */
static char *join_words(const struct options *options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = text_stream_open(&text, &size);

    for (int i = 1; out != NULL && i < options->argument_count; i++)
        fprintf(out, "%s%s", i > 1 ? " " : "", options->arguments[i]);
    return out != NULL && fclose(out) == 0 ? text : NULL;
}

static int check_text(enum mark_kind kind, const char *text, struct error *err)
{
    size_t most = kind == MARK_TAG ? LONGEST_TAG : LONGEST_NOTE;

    if (strlen(text) > most || !text_is_printable(text) || text[0] == '\0')
        return error_set(err, ERROR_FORMAT,
                         "%s: expected 1 to %zu bytes of text without control characters",
                         mark_kind_name(kind), most);
    if (kind == MARK_TAG && strpbrk(text, " ,") != NULL)
        return error_set(err, ERROR_FORMAT,
                         "tag \"%s\": expected a word without spaces and commas", text);
    return 0;
}

/* Adds or takes away one mark. */
static int change_one(struct store *store, const struct mark_target *target,
                      enum mark_kind kind, const char *text, bool remove, struct error *err)
{
    int count = 0;
    int rc = kind == MARK_KEEP || text == NULL ? 0 : check_text(kind, text, err);

    if (rc < 0 || !remove)
        return rc < 0 ? rc : mark_add(store, target, kind, text != NULL ? text : "", err);
    rc = mark_delete(store, &count, target, kind, text, err);
    if (rc == 0 && count == 0)
        rc = error_set(err, ERROR_ABSENT, "there is no such %s", mark_kind_name(kind));
    return rc;
}

/* A note is all words, tags are a word each. */
static int change_all(struct store *store, const struct mark_target *target,
                      enum mark_kind kind, const struct options *options, struct error *err)
{
    int rc = 0;

    if (options->argument_count == 1)
        return change_one(store, target, kind, NULL, options->remove, err);
    if (kind == MARK_NOTE) {
        char *text = join_words(options);

        rc = text == NULL ? error_no_memory(err, "a note")
                          : change_one(store, target, kind, text, options->remove, err);
        free(text);
    }
    for (int i = 1; i < options->argument_count && kind == MARK_TAG && rc == 0; i++)
        rc = change_one(store, target, kind, options->arguments[i], options->remove, err);
    return rc;
}

static int change(enum mark_kind kind, const struct options *options, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct mark_target target;
    struct store *store = NULL;
    int rc = workspace_find(&workspace, options->workspace, err);

    if (rc == 0)
        rc = database_open(&store, &workspace, err);
    if (rc == 0)
        rc = store_begin(store, err);
    if (rc == 0) {
        rc = mark_find_target(&target, store, options->arguments[0], err);
        if (rc == 0)
            rc = change_all(store, &target, kind, options, err);
        if (rc == 0)
            rc = mark_file_write(&workspace, store, err);
        if (rc == 0)
            rc = store_commit(store, err);
        if (rc < 0)
            store_rollback(store);
    }
    store_close(store);
    workspace_close(&workspace);
    return rc;
}

/* Prints marks of everything, or of the first argument and its parts. */
static int list(enum mark_kind kind, const struct options *options, struct error *err)
{
    struct mark_target target;
    struct store *store = NULL;
    struct table *table = NULL;
    bool all = options->argument_count == 0;
    int rc = store_open(&store, options->workspace, STORE_READ, err);

    if (rc == 0 && !all)
        rc = mark_find_target(&target, store, options->arguments[0], err);
    if (rc == 0)
        rc = mark_table(&table, store, kind, all ? NULL : &target, true, err);
    if (rc == 0)
        rc = table_print(table, stdout, options->format, options_color(options), err);
    table_destroy(table);
    store_close(store);
    return rc;
}

/* With a target alone keep protects it; note and tag list. */
static int run(enum mark_kind kind, const struct options *options, struct error *err)
{
    bool target_only = options->argument_count == 1 && kind != MARK_KEEP;

    if (options->argument_count == 0 && options->remove)
        return error_set(err, ERROR_FORMAT, "%s --remove: expected a TARGET",
                         mark_kind_name(kind));
    return options->argument_count == 0 || (target_only && !options->remove)
               ? list(kind, options, err)
               : change(kind, options, err);
}

int command_note(const struct options *options, int *exit_code, struct error *err)
{
    (void)exit_code;
    return run(MARK_NOTE, options, err);
}

int command_tag(const struct options *options, int *exit_code, struct error *err)
{
    (void)exit_code;
    return run(MARK_TAG, options, err);
}

int command_keep(const struct options *options, int *exit_code, struct error *err)
{
    (void)exit_code;
    return run(MARK_KEEP, options, err);
}
