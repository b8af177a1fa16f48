/* blas_environment.c - replaces inherited BLAS variables and executes the program
 * again. */
#include "blas_environment.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "file.h"

extern char **environ;

/* A note from the first execution to the second: PID, a space, a JSON object. execve()
 * keeps the pid, so a note inherited from another program is recognised by its pid. */
#define NOTE "HRMLAB_INHERITED_BLAS"

enum { WANTED_MAX = 3 };

static const char *const FAMILIES[] = { "OPENBLAS_", "OMP_", "GOTO_", "MKL_", "VECLIB_" };

struct wanted {
    char text[WANTED_MAX][128]; /* "NAME=value" */
    int count;
};

static bool belongs_to_family(const char *variable)
{
    for (size_t i = 0; i < sizeof FAMILIES / sizeof *FAMILIES; i++)
        if (strncmp(variable, FAMILIES[i], strlen(FAMILIES[i])) == 0)
            return true;
    return false;
}

static int decide(struct wanted *out, struct error *err)
{
    const char *core = getenv("HRMLAB_BLAS_CORE");

    out->count = 2;
    snprintf(out->text[0], sizeof out->text[0], "OPENBLAS_NUM_THREADS=1");
    snprintf(out->text[1], sizeof out->text[1], "OMP_NUM_THREADS=1");
    if (core == NULL || *core == '\0')
        return 0;
    for (const char *c = core; *c != '\0'; c++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", *c) ==
            NULL)
            return error_set(err, ERROR_ENVIRONMENT,
                             "HRMLAB_BLAS_CORE: \"%.40s\" is not the name of an OpenBLAS core "
                             "(such as Haswell or SkylakeX)",
                             core);
    if (strlen(core) > 64)
        return error_set(err, ERROR_ENVIRONMENT, "HRMLAB_BLAS_CORE: longer than 64 bytes");
    snprintf(out->text[out->count++], sizeof out->text[0], "OPENBLAS_CORETYPE=%s", core);
    return 0;
}

static bool is_wanted(const struct wanted *wanted, const char *variable)
{
    for (int i = 0; i < wanted->count; i++)
        if (strcmp(wanted->text[i], variable) == 0)
            return true;
    return false;
}

/* Whether the environment holds exactly the wanted variables of the families. */
static bool is_as_wanted(const struct wanted *wanted)
{
    int found = 0;

    for (char **e = environ; *e != NULL; e++) {
        if (!belongs_to_family(*e))
            continue;
        if (!is_wanted(wanted, *e))
            return false;
        found++;
    }
    return found == wanted->count;
}

/* Adds "NAME=value" to object as a member. */
static bool add_variable(cJSON *object, const char *variable)
{
    const char *equals = strchr(variable, '=');
    char *name = equals != NULL ? strndup(variable, (size_t)(equals - variable)) : NULL;
    bool ok = name != NULL && cJSON_AddStringToObject(object, name, equals + 1) != NULL;

    free(name);
    return ok;
}

/* The note for the second execution: the variables of the families that are removed
 * or replaced. */
static char *write_note(const struct wanted *wanted)
{
    cJSON *replaced = cJSON_CreateObject();
    char *text = NULL, *note = NULL;
    bool ok = replaced != NULL;

    for (char **e = environ; ok && *e != NULL; e++)
        if (belongs_to_family(*e) && !is_wanted(wanted, *e))
            ok = add_variable(replaced, *e);
    if (ok)
        text = cJSON_PrintUnformatted(replaced);
    if (text != NULL)
        note = format_string(NOTE "=%ld %s", (long)getpid(), text);
    cJSON_free(text);
    cJSON_Delete(replaced);
    return note;
}

static int execute_again(struct wanted *wanted, char **argv, struct error *err)
{
    size_t count = 0, kept = 0;
    char *note = write_note(wanted);
    char **variables;
    int rc = 0;

    while (environ[count] != NULL)
        count++;
    variables = calloc(count + WANTED_MAX + 2, sizeof *variables);
    if (note == NULL || variables == NULL) {
        rc = error_set(err, ERROR_NOMEM, "out of memory for the environment");
        goto out;
    }
    for (char **e = environ; *e != NULL; e++)
        if (!belongs_to_family(*e) && strncmp(*e, NOTE "=", strlen(NOTE "=")) != 0)
            variables[kept++] = *e;
    for (int i = 0; i < wanted->count; i++)
        variables[kept++] = wanted->text[i];
    variables[kept] = note;
    execve("/proc/self/exe", argv, variables);
    rc = error_set(err, ERROR_ENVIRONMENT,
                   "cannot start again with a clean BLAS environment: /proc/self/exe: %s",
                   strerror(errno));
out:
    free(variables);
    free(note);
    return rc;
}

/* Takes the note, which tells what the first execution replaced; an empty object if
 * there is none. */
static cJSON *take_note(void)
{
    const char *note = getenv(NOTE);
    cJSON *inherited = NULL;

    if (note != NULL) {
        char *rest = NULL;
        long pid = strtol(note, &rest, 10);

        if (pid == (long)getpid() && *rest == ' ')
            inherited = cJSON_Parse(rest + 1);
        unsetenv(NOTE);
    }
    if (!cJSON_IsObject(inherited)) {
        cJSON_Delete(inherited);
        inherited = cJSON_CreateObject();
    }
    return inherited;
}

int blas_environment_enforce(struct blas_environment *out, char **argv, struct error *err)
{
    struct wanted wanted = { 0 };
    int rc;

    *out = (struct blas_environment){ 0 };
    rc = decide(&wanted, err);
    if (rc < 0)
        return rc;
    if (!is_as_wanted(&wanted))
        return execute_again(&wanted, argv, err);
    out->used = cJSON_CreateObject();
    out->inherited = take_note();
    bool ok = out->used != NULL && out->inherited != NULL;
    for (int i = 0; ok && i < wanted.count; i++)
        ok = add_variable(out->used, wanted.text[i]);
    if (ok)
        return 0;
    blas_environment_release(out);
    return error_set(err, ERROR_NOMEM, "out of memory for the environment");
}

void blas_environment_release(struct blas_environment *environment)
{
    cJSON_Delete(environment->used);
    cJSON_Delete(environment->inherited);
    environment->used = NULL;
    environment->inherited = NULL;
}
