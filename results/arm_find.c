/* arm_find.c - an arm by its label, by a run's hash, or by conditions. */
#include "arm_find.h"

#include "error.h"
#include "file.h"
#include "sql.h"
#include "store.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_HASH = 4, LISTED_ARMS = 12 };

/* The conditions of a selector; texts owned by the caller. */
struct selection {
    char **wheres;
    int count;
};

static void selection_release(struct selection *selection)
{
    for (int i = 0; i < selection->count; i++)
        free(selection->wheres[i]);
    free(selection->wheres);
}

static int add_condition(struct selection *selection, const char *prefix, const char *text,
                         int length, struct error *err)
{
    char **wheres = realloc(selection->wheres, ((size_t)selection->count + 1) * sizeof *wheres);

    if (wheres == NULL)
        return error_no_memory(err, "a comparison");
    selection->wheres = wheres;
    wheres[selection->count] = format_string("%s%.*s", prefix, length, text);
    if (wheres[selection->count] == NULL)
        return error_no_memory(err, "a comparison");
    selection->count++;
    return 0;
}

static int error_unknown_arm(const struct results *results, const char *text, struct error *err)
{
    char list[500] = "";
    size_t used = 0;
    int shown = 0;

    for (; shown < results->arm_count && shown < LISTED_ARMS && used + 90 < sizeof list;
         shown++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s\"%.80s\"",
                                 shown > 0 ? ", " : "", results->arms[shown].label);
    return error_set(
        err, ERROR_ABSENT,
        "no arm \"%s\" in experiment \"%s\"; expected an arm's label, the first %d or "
        "more digits of a run's hash, or KEY=VALUE ...; arms: %s%s",
        text, results->experiment, LEAST_HASH, list, shown < results->arm_count ? ", ..." : "");
}

/* Parses a label, the beginning of a run's hash, or conditions separated by spaces
 * or commas. */
static int parse_selector(struct selection *out, const struct results *results,
                          const char *text, struct error *err)
{
    bool hexadecimal = strlen(text) >= LEAST_HASH;
    int rc = 0;

    for (int i = 0; i < results->arm_count; i++)
        if (strcmp(results->arms[i].label, text) == 0)
            return add_condition(out, "arm=", text, (int)strlen(text), err);
    for (const char *p = text; *p != '\0'; p++)
        hexadecimal = hexadecimal && isxdigit((unsigned char)*p);
    if (hexadecimal)
        return add_condition(out, "hash=", text, (int)strlen(text), err);
    if (strpbrk(text, "=<>") == NULL)
        return error_unknown_arm(results, text, err);
    while (*text != '\0' && rc == 0) {
        int length = (int)strcspn(text, " ,");

        if (length > 0)
            rc = add_condition(out, "", text, length, err);
        text += length + (text[length] != '\0');
    }
    return rc;
}

int arm_split_name(char experiment[EXPERIMENT_NAME_SIZE], const char **arm, struct store *store,
                   const char *name, struct error *err)
{
    const char *colon = strchr(name, ':');
    int64_t id;
    bool found = false;

    experiment[0] = '\0';
    *arm = name;
    if (colon == NULL || colon - name >= EXPERIMENT_NAME_SIZE)
        return 0;
    snprintf(experiment, EXPERIMENT_NAME_SIZE, "%.*s", (int)(colon - name), name);
    int rc = sql_int(store, &id, &found, err,
                     "SELECT experiment_id FROM experiment WHERE name = ?1", "t", experiment);
    if (found)
        *arm = colon + 1 + strspn(colon + 1, " ");
    else
        experiment[0] = '\0';
    return rc;
}

int arm_find(struct results **out, struct store *store, const struct results *results,
             const char *name, struct error *err)
{
    struct selection selection = { 0 };
    int arm = -1;
    int rc = parse_selector(&selection, results, name, err);

    *out = NULL;
    const struct given_conditions conditions = { "arm", (const char *const *)selection.wheres,
                                                 selection.count };

    if (rc == 0)
        rc = results_load_arms(out, store, results->experiment, &results->only, &conditions,
                               RESULTS_BARE, err);
    for (int i = 0; rc == 0 && i < (*out)->row_count; i++) {
        int other = (*out)->rows[i].arm;

        if (arm >= 0 && other != arm)
            rc = error_set(err, ERROR_FORMAT,
                           "\"%s\" means more than one arm (\"%s\", \"%s\", ...); add "
                           "KEY=VALUE; hrmlab compare --axis KEY averages over arms",
                           name, results->arms[arm].label, results->arms[other].label);
        arm = other;
    }
    if (rc == 0 && arm < 0)
        rc = error_unknown_arm(results, name, err);
    selection_release(&selection);
    if (rc < 0) {
        results_destroy(*out);
        *out = NULL;
    }
    return rc;
}

/* Copies the rows found to the end of into, as rows of its new last arm. */
static int copy_rows(struct results *into, const struct results *found, struct error *err)
{
    int before = into->row_count;
    int rc = results_append(into, found, err);

    for (int i = before; i < into->row_count && rc == 0; i++) {
        struct result_row *row = &into->rows[i];

        row->arm = into->arm_count - 1;
        row->evaluation = text_set_add(&into->evaluations, row->evaluation);
        row->data_hash = text_set_add(&into->data_hashes, row->data_hash);
        if (row->evaluation == NULL || row->data_hash == NULL)
            rc = error_no_memory(err, "results");
    }
    return rc;
}

static int add_arm(struct results *into, char *label, const cJSON *axes, struct error *err)
{
    struct result_arm *arms = realloc(into->arms, ((size_t)into->arm_count + 1) * sizeof *arms);
    cJSON *copy = cJSON_Duplicate(axes, true);

    if (arms != NULL)
        into->arms = arms;
    if (arms == NULL || copy == NULL || label == NULL) {
        free(label);
        cJSON_Delete(copy);
        return error_no_memory(err, "results");
    }
    arms[into->arm_count++] =
        (struct result_arm){ .label = label, .axes = copy, .foreign = true };
    return 0;
}

int arm_load_experiment(struct results **out, struct store *store, const char *prefix,
                        const char *experiment, const char *name, struct error *err)
{
    int rc = results_load(out, store, prefix[0] != '\0' ? prefix : experiment, NULL, 0,
                          RESULTS_ARMS, err);
    struct error why = *err;

    if (rc != ERROR_ABSENT || prefix[0] != '\0' || experiment != NULL)
        return rc;
    char meant[EXPERIMENT_NAME_SIZE];
    struct error unknown;

    if (experiment_find(store, meant, name, &unknown) == 0)
        return error_set(err, rc,
                         "\"%s\" is an experiment; expected an arm of it (\"%s:LABEL\" or "
                         "\"%s:KEY=VALUE ...\") or the beginning of a run's hash",
                         meant, meant, meant);
    return error_set(err, rc, "\"%.100s\" is taken for an arm (EXPERIMENT:ARM): %s", name,
                     why.message);
}

int arm_add_foreign(const char **out, struct results *results, struct store *store,
                    const char *name, struct error *err)
{
    struct results *all = NULL, *found = NULL;
    char experiment[EXPERIMENT_NAME_SIZE];
    const char *arm;
    int rc = arm_split_name(experiment, &arm, store, name, err);

    *out = arm;
    if (rc < 0 || experiment[0] == '\0' || strcmp(experiment, results->experiment) == 0)
        return rc;
    rc = results_load(&all, store, experiment, NULL, 0, RESULTS_ARMS, err);
    if (rc == 0)
        rc = arm_find(&found, store, all, arm, err);
    if (rc == 0) {
        const struct result_arm *from = &all->arms[found->rows[0].arm];

        rc =
            add_arm(results, format_string("%s: %s", experiment, from->label), from->axes, err);
    }
    if (rc == 0)
        rc = copy_rows(results, found, err);
    if (rc == 0)
        *out = results->arms[results->arm_count - 1].label;
    results_destroy(found);
    results_destroy(all);
    return rc;
}

/* Adds the arm that the name means, unless it is one of another experiment than that
 * of arms, which has no rows. */
static int choose_arm(struct arm_choice *only, const struct results *arms, struct store *store,
                      const char *name, struct error *err)
{
    struct results *found = NULL;
    char experiment[EXPERIMENT_NAME_SIZE];
    const char *arm;
    int rc = arm_split_name(experiment, &arm, store, name, err);

    if (rc < 0 || (experiment[0] != '\0' && strcmp(experiment, arms->experiment) != 0))
        return rc;
    rc = arm_find(&found, store, arms, arm, err);
    if (rc == 0)
        only->ids[only->count++] = arms->arms[found->rows[0].arm].id;
    results_destroy(found);
    return rc;
}

int arm_load_two(struct results **out, const char *names[2], struct store *store,
                 const char *experiment, const char *const given[2], const char *const *wheres,
                 int where_count, struct error *err)
{
    struct results *arms = NULL;
    struct arm_choice only = { .count = 0 };
    const struct given_conditions conditions = { "--where", wheres, where_count };
    char prefix[EXPERIMENT_NAME_SIZE] = "";
    const char *arm;
    int rc = experiment == NULL ? arm_split_name(prefix, &arm, store, given[0], err) : 0;

    if (rc == 0)
        rc = arm_load_experiment(&arms, store, prefix, experiment, given[0], err);
    if (prefix[0] != '\0')
        experiment = prefix;
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = choose_arm(&only, arms, store, given[i], err);
    if (rc == 0)
        rc = results_load_arms(out, store, experiment, &only, &conditions, RESULTS_BARE, err);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = arm_add_foreign(&names[i], *out, store, given[i], err);
    results_destroy(arms);
    return rc;
}
