/* blas_environment.c - replaces inherited BLAS variables and executes the program
 * again. */
#include "blas_environment.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "engine.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "text.h"

extern char **environ;

/* A note from one execution to the next: PID, a space, a JSON object. execve() keeps
 * the pid, so a note inherited from another program is recognised by its pid. */
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

const char *blas_environment_core(const char *chosen, const char *kernel_set)
{
    static const char *const WITHOUT_AVX2[] = { "Prescott",    "Core2",        "Penryn",
                                                "Dunnington",  "Nehalem",      "Atom",
                                                "Sandybridge", "Opteron_SSE3", "Barcelona" };
    bool old = false;

    for (size_t i = 0; i < sizeof WITHOUT_AVX2 / sizeof *WITHOUT_AVX2; i++)
        old = old || strcasecmp(chosen, WITHOUT_AVX2[i]) == 0;
    if (!old || strcmp(kernel_set, "base") == 0)
        return NULL;
    return strcmp(kernel_set, "avx2") == 0 ? "Haswell" : "SkylakeX";
}

/* The core to ask OpenBLAS for; NULL: none. What stands in the environment now is ours
 * where this program has executed itself. */
static const char *core_wanted(bool executed_before)
{
    const char *asked = getenv("HRMLAB_BLAS_CORE"), *now = getenv("OPENBLAS_CORETYPE");

    if (asked != NULL && *asked != '\0')
        return asked;
    if (now != NULL)
        return executed_before ? now : NULL;
    return blas_environment_core(engine_blas_core(), engine_best_kernel_set());
}

static int decide(struct wanted *out, bool executed_before, struct error *err)
{
    const char *core = core_wanted(executed_before);

    out->count = 2;
    snprintf(out->text[0], sizeof out->text[0], "OPENBLAS_NUM_THREADS=1");
    snprintf(out->text[1], sizeof out->text[1], "OMP_NUM_THREADS=1");
    if (core == NULL)
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

/* Adds "NAME=value" to object as a member, unless it has one of that name: an
 * environment may hold a name twice, and bytes that are not UTF-8, which no event
 * can. */
static bool add_variable(cJSON *object, const char *variable)
{
    char *copy = strdup(variable);

    if (copy == NULL)
        return false;
    copy[text_make_printable(copy, strlen(copy), "")] = '\0';
    char *equals = copy + strcspn(copy, "="), *value = *equals == '=' ? equals + 1 : equals;
    *equals = '\0';
    bool ok = json_member(object, copy) != NULL ||
              cJSON_AddStringToObject(object, copy, value) != NULL;
    free(copy);
    return ok;
}

/* The note for the next execution: the variables of the families that are removed or
 * replaced, now or before (an object, which is changed). */
static char *write_note(const struct wanted *wanted, cJSON *replaced)
{
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
    return note;
}

static int execute_again(struct wanted *wanted, cJSON *replaced, char **argv, struct error *err)
{
    size_t count = 0, kept = 0;
    char *note = write_note(wanted, replaced);
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

/* Takes the note out of the environment. NULL: this is the first execution. */
static cJSON *take_note(void)
{
    const char *note = getenv(NOTE);
    cJSON *replaced = NULL;

    if (note != NULL) {
        char *rest = NULL;
        long pid = strtol(note, &rest, 10);

        if (pid == (long)getpid() && *rest == ' ')
            replaced = cJSON_Parse(rest + 1);
        unsetenv(NOTE);
    }
    if (cJSON_IsObject(replaced))
        return replaced;
    cJSON_Delete(replaced);
    return NULL;
}

int blas_environment_enforce(struct blas_environment *out, char **argv, struct error *err)
{
    struct wanted wanted = { 0 };
    cJSON *replaced = take_note();
    int rc = decide(&wanted, replaced != NULL, err);

    *out = (struct blas_environment){ .inherited = replaced };
    if (out->inherited == NULL)
        out->inherited = cJSON_CreateObject();
    if (rc == 0 && !is_as_wanted(&wanted))
        rc = execute_again(&wanted, out->inherited, argv, err);
    if (rc < 0) {
        blas_environment_release(out);
        return rc;
    }
    out->used = cJSON_CreateObject();
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
